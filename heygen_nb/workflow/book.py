"""The drafts of a home folder, as panels list and change them."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.drafts import read_drafts
from heygen_nb.models import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from heygen_nb.ledger import Ledger
    from heygen_nb.ledger.drafts import Drafts
    from heygen_nb.ledger.tables import DraftRow as Stored


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
        ledger: Opens the ledger, or gives the open one.
        tell: Called with ``drafts`` after every change.
    """

    def __init__(
        self, ledger: Callable[[], Awaitable[Ledger]], tell: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._tell = tell

    async def _rows(self) -> Drafts:
        return (await self._ledger()).drafts

    async def search(self, words: str, *, limit: int) -> tuple[list[DraftRow], int]:
        """Return the newest drafts that hold all the words, and how many there are."""
        rows = await self._rows()
        wanted = words.casefold().split()
        found = [
            row
            for row in await asyncio.to_thread(rows.all)
            if not wanted or _holds(row, wanted)
        ]
        shown = found[:limit]
        states = await asyncio.to_thread(rows.states, [row.id for row in shown])
        return [_row_of(row, states.get(row.id, "")) for row in shown], len(found)

    async def get(self, draft_id: str) -> DraftRow | None:
        """Return a draft; None when it is deleted or never was."""
        row = await asyncio.to_thread((await self._rows()).get, draft_id)
        return _row_of(row) if row else None

    async def these(self, draft_ids: Sequence[str]) -> list[Draft]:
        """Return drafts in this order, without those that are deleted."""
        rows = await asyncio.to_thread((await self._rows()).these, draft_ids)
        return [_row_of(row).draft for row in rows]

    async def save(self, draft: Draft, *, over: int) -> tuple[DraftRow, bool]:
        """Store a draft.

        Args:
            draft: What is typed.
            over: The version that it was made from.

        Returns:
            What is stored now, and whether it is this draft: false when somebody
            else has saved another version in the meantime.
        """
        rows = await self._rows()
        row, saved = await asyncio.to_thread(rows.save, draft, over=over)
        if saved:
            self._tell("drafts")
        return _row_of(row), saved

    async def add(
        self, drafts: Sequence[Draft], *, replace: bool = False
    ) -> tuple[int, list[Draft]]:
        """Add many drafts at once.

        Args:
            drafts: What they say.
            replace: Also write over those that say something else here.

        Returns:
            How many are new, and those that say something else here, as they
            are now.
        """
        rows = await self._rows()
        new, others = await asyncio.to_thread(rows.save_all, drafts, replace=replace)
        if new or (others and replace):
            self._tell("drafts")
        return new, [_row_of(row).draft for row in others]

    async def delete(self, draft_id: str) -> None:
        """Take a draft off the list; :meth:`restore` brings it back."""
        await asyncio.to_thread((await self._rows()).delete, draft_id)
        self._tell("drafts")

    async def restore(self, draft_id: str) -> None:
        """Bring a deleted draft back."""
        await asyncio.to_thread((await self._rows()).restore, draft_id)
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
        new, _others = await self.add(drafts)
        return len(drafts), new


def _holds(row: Stored, words: list[str]) -> bool:
    text = f"#{row.id} {row.title} {row.script} {row.caption}".casefold()
    return all(word in text for word in words)


def _row_of(row: Stored, state: str = "") -> DraftRow:
    return DraftRow(
        Draft.of(row), row.version, row.updated_at, _STATUS.get(state, "draft")
    )


_STATUS = {
    "planned": "rendering",
    "submitted": "rendering",
    "completed": "rendered",
    "downloaded": "rendered",
    "sent": "sent",
    "failed": "failed",
    "rejected": "failed",
    "unknown": "unknown",
}


def _read(name: str, content: bytes) -> list[Draft]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, Path(name).name)
        file.write_bytes(content)
        return read_drafts(file, Path(folder))
