"""The draft in the editor: saved by itself, never over somebody else's text."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft
from heygen_nb.workflow.book import DraftRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.ui._base import Panel
    from heygen_nb.ui.editor import Editor

AUTOSAVE_S = 0.8


class Page:
    """Keeps what is typed.

    Args:
        panel: Whose page it is; asks the questions.
        shown: Called after every change of the draft or of its state.
        turned: Called when another draft, or another version of it, is shown.

    Attributes:
        row: The draft as it is stored.
        texts: The editor; set before anything is shown.
    """

    texts: Editor

    def __init__(
        self, panel: Panel, *, shown: Callable[[], None], turned: Callable[[], None]
    ) -> None:
        self._panel = panel
        self._shown = shown
        self._turned = turned
        self._book = panel.desk.book
        self._loop = asyncio.get_running_loop()
        self._autosave: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self.row: DraftRow | None = None

    def turn(self, row: DraftRow) -> None:
        """Show a draft."""
        self.row = row
        self.texts.fill(row.draft)
        self._turned()
        self._shown()

    def typed(self) -> Draft:
        """Return the draft as it stands in the editor."""
        return self.texts.typed(self.row.draft if self.row else Draft(script=""))

    @property
    def changed(self) -> bool:
        """Whether something is typed that is not stored."""
        return self.row is not None and self.typed() != self.row.draft

    async def edited(self) -> None:
        """Save soon."""
        self._shown()
        self.forget_autosave()
        save = partial(self._panel.spawn, self.flush)
        self._autosave = self._loop.call_later(AUTOSAVE_S, save)

    def forget_autosave(self) -> None:
        """Do not save by itself what was typed last."""
        if self._autosave:
            self._autosave.cancel()

    async def flush(self) -> bool:
        """Save what is typed; tell whether it is stored now."""
        self.forget_autosave()
        async with self._saving:
            row, typed = self.row, self.typed()
            if row is None or typed == row.draft:
                return True
            stored, saved = await self._book.save(typed, over=row.version)
            if not saved and not await self._resolve(typed, stored):
                return False
            if saved and self.row is row:
                self.row = stored
                self._shown()
            return True

    async def _resolve(self, typed: Draft, theirs: DraftRow) -> bool:
        question = _("This draft was changed elsewhere at {time:%H:%M:%S}.").format(
            time=theirs.saved_at.astimezone() if theirs.saved_at else datetime.now(UTC)
        )
        if not await self._panel.ask(question, _("Keep my text"), _("Take the other")):
            self.turn(theirs)
            return False
        self.row, _saved = await self._book.save(typed, over=theirs.version)
        self._shown()
        return True

    async def follow(self) -> None:
        """Take over what another panel wrote, if nothing is typed here."""
        row = self.row
        if row and not self.changed and not self._saving.locked():
            stored = await self._book.get(row.draft.id)
            if stored and self.row is row and stored.version != row.version:
                self.turn(stored)


def blank_row() -> DraftRow:
    """Return an empty draft that is not stored yet."""
    return DraftRow(Draft(id=secrets.token_hex(4), script=""), version=0)
