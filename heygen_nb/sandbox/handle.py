"""Where a running sandbox is and what opens it: what its clients are given."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "server.json"


@dataclass(frozen=True, slots=True)
class SandboxHandle:
    """A running sandbox.

    Attributes:
        base_url: Of the HeyGen stand-in.
        telegram_base_url: As python-telegram-bot takes it; ends in ``/bot``.
        chat_id: The one chat.
        chat_url: Its page.
        account: The same for every sandbox on one state folder.
    """

    base_url: str
    api_key: str = field(repr=False)
    telegram_base_url: str
    bot_token: str = field(repr=False)
    chat_id: str
    chat_url: str
    pid: int
    account: str

    def write(self, state_dir: Path) -> None:
        """Tell other processes of this user; half a file is none to ``read``."""
        file = state_dir / _FILE
        file.touch(0o600)
        file.write_text(json.dumps(asdict(self)))

    def forget(self, state_dir: Path) -> None:
        """Take back what was told."""
        (state_dir / _FILE).unlink(missing_ok=True)

    @classmethod
    def read(cls, state_dir: Path) -> SandboxHandle | None:
        """Return the handle somebody wrote, whether or not it still serves."""
        try:
            return cls(**json.loads((state_dir / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None
