"""The drafts of a home folder, as panels list and change them."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.drafts import read_drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Draft


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft as it is stored.

    Attributes:
        draft: What the user wrote.
        version: Grows with every save; 0 when it was never saved.
        saved_at: Of that version.
        status: ``draft``, or what became of its newest render: ``rendering``,
            ``rendered``, ``sent``, ``failed``, ``unknown``.
    """

    draft: Draft
    version: int
    saved_at: datetime | None = None
    status: str = "draft"


class DraftBook:
    """Keeps drafts; nobody's edit is lost to somebody else's.

    Args:
        tell: Called with ``drafts`` after every change.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rows: dict[str, DraftRow] = {}
        self._gone: dict[str, DraftRow] = {}

    async def search(self, words: str, *, limit: int) -> tuple[list[DraftRow], int]:
        """Return the newest drafts that hold all the words, and how many there are."""
        rows = [
            r
            for r in self._rows.values()
            if all(
                w in f"{r.draft.title} {r.draft.script}".casefold()
                for w in words.casefold().split()
            )
        ]
        rows.sort(key=lambda r: str(r.saved_at), reverse=True)
        return rows[:limit], len(rows)

    async def get(self, draft_id: str) -> DraftRow | None:
        """Return a draft; None when it is deleted or never was."""
        return self._rows.get(draft_id)

    async def save(self, draft: Draft, *, over: int) -> tuple[DraftRow, bool]:
        """Store a draft.

        Args:
            draft: What is typed.
            over: The version that it was made from.

        Returns:
            What is stored now, and whether it is this draft: false when somebody
            else has saved another version in the meantime.
        """
        old = self._rows.get(draft.id)
        if old and old.version != over and old.draft != draft:
            return old, False
        row = DraftRow(draft, (old.version if old else 0) + 1, datetime.now(UTC))
        self._rows[draft.id] = row
        self._tell("drafts")
        return row, True

    async def delete(self, draft_id: str) -> None:
        """Take a draft off the list; :meth:`restore` brings it back."""
        self._gone[draft_id] = self._rows.pop(draft_id)
        self._tell("drafts")

    async def restore(self, draft_id: str) -> None:
        """Bring a deleted draft back."""
        self._rows[draft_id] = self._gone.pop(draft_id)
        self._tell("drafts")

    async def take_in(self, name: str, content: bytes) -> tuple[int, int]:
        """Add the drafts of a file; those that are there already stay as they are.

        Args:
            name: The file's name; its ending tells the form.
            content: Its bytes.

        Returns:
            How many drafts it holds, and how many of them are new.

        Raises:
            DraftError: The file cannot be read.
        """
        drafts = await asyncio.to_thread(_read, name, content)
        new = [d for d in drafts if await self.get(d.id) is None]
        for draft in new:
            await self.save(draft, over=0)
        return len(drafts), len(new)


def _read(name: str, content: bytes) -> list[Draft]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, Path(name).name)
        file.write_bytes(content)
        return read_drafts(file, Path(folder))
