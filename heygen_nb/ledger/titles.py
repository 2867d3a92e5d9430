"""The word in a video's title that leads back to the draft it was made from."""

from __future__ import annotations

import base64
import hashlib

TOKEN_PREFIX = "hgnb-"  # noqa: S105 - no secret: it stands in titles


def title_token(draft_id: str, revision: str, attempt: int) -> str:
    """Return the word that finds an attempt's video by its title.

    100 bits, the same for the same draft, revision and attempt, so that a video
    can be found again even when the ledger is gone.
    """
    seed = f"{draft_id}\0{revision}\0{attempt}".encode()
    digest = base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()
    return f"{TOKEN_PREFIX}{digest[:20]}"
