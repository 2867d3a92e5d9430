"""The key or session that HeyGen's own command line tools keep on this machine.

``~/.heygen/credentials`` belongs to those tools: it is read here, never written.
Its form is that of the public heygen-cli (July 2026): JSON, or one line with a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import from_json

DEFAULT_FILE = "~/.heygen/credentials"
_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the file holds.

    Attributes:
        api_key: Spends the API wallet.
        session: Access token; spends the credits of the plan.
        expires_at: When the session ends, aware UTC; None if it is not told.
    """

    api_key: SecretStr | None = None
    session: SecretStr | None = None
    expires_at: datetime | None = None


def read_credentials(file: str | Path = DEFAULT_FILE) -> Credentials:
    """Read the file; one that is missing or cannot be read counts as empty."""
    try:
        with Path(file).expanduser().open("rb") as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, RuntimeError):  # RuntimeError: no home at all
        return Credentials()
    try:
        data = from_json(text)
    except ValueError:
        is_key = re.fullmatch(r"[\w.+/=-]+", text, re.ASCII)
        return Credentials(api_key=SecretStr(text)) if is_key else Credentials()
    if not isinstance(data, dict):
        return Credentials()
    oauth = data.get("oauth")
    session = oauth if isinstance(oauth, dict) else {}
    return Credentials(
        _secret(data.get("api_key")),
        _secret(session.get("access_token")),
        _time(session.get("expires_at")),
    )


def _secret(value: Any) -> SecretStr | None:
    return SecretStr(value) if isinstance(value, str) and value else None


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
