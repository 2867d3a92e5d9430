"""The draft in the editor: saved by itself, never over somebody else's text."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft
from heygen_nb.ui.state import KeptDraft

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.ui.base import Panel
    from heygen_nb.ui.editor import Editor

AUTOSAVE_S = 0.8


class Autosave:
    """Keeps what is typed.

    Args:
        panel: Whose page it is; asks the questions.
        shown: Called after every change of the draft or of its state.
        turned: Called when another draft, or another version of it, is shown.

    Attributes:
        kept: The draft as it is stored.
        held: Something else writes into the editor: it is nobody's text yet, and
            not stored.
        texts: The editor; set before anything is shown.
    """

    texts: Editor

    def __init__(
        self, panel: Panel, *, shown: Callable[[], None], turned: Callable[[], None]
    ) -> None:
        self._panel = panel
        self._shown = shown
        self._turned = turned
        self._drafts = panel.shared.drafts
        self._loop = asyncio.get_running_loop()
        self._autosave: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self._storing: asyncio.Task[tuple[KeptDraft, bool]] | None = None
        self.kept: KeptDraft | None = None
        self.held = False

    def turn(self, kept: KeptDraft) -> None:
        """Show a draft."""
        self.kept = kept
        self.texts.fill(kept.draft)
        self._turned()
        self._shown()

    def typed(self) -> Draft:
        """Return the draft as it stands in the editor."""
        return self.texts.typed(self.kept.draft if self.kept else Draft(script=""))

    @property
    def changed(self) -> bool:
        """Whether something is typed that is not stored."""
        return self.kept is not None and self.typed() != self.kept.draft

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
            await self._stored()
            kept, typed = self.kept, self.typed()
            if self.held:
                return False
            if kept is None or typed == kept.draft:
                return True
            stored, saved = await self._store(typed, over=kept.version)
            return saved or await self._resolve(typed, stored)

    async def _store(self, typed: Draft, *, over: int) -> tuple[KeptDraft, bool]:
        """Save, also when whoever waits for it is stopped."""
        self._storing = self._loop.create_task(self._save(typed, over))
        return await asyncio.shield(self._storing)

    async def _stored(self) -> None:
        if self._storing and not self._storing.done():
            await asyncio.wait([self._storing])

    async def _save(self, typed: Draft, over: int) -> tuple[KeptDraft, bool]:
        kept = self.kept
        stored, saved = await self._drafts.save(typed, over=over)
        if saved and self.kept is kept:
            self.kept = stored
            self._shown()
        return stored, saved

    async def _resolve(self, typed: Draft, theirs: KeptDraft) -> bool:
        question = _("This draft was changed elsewhere at {time:%H:%M:%S}.").format(
            time=theirs.saved_at.astimezone() if theirs.saved_at else datetime.now(UTC)
        )
        keeps = await self._panel.ask(question, _("Keep my text"), _("Take the other"))
        if keeps is None:  # not answered: both texts stay, and it is asked again
            return False
        if not keeps:
            self.turn(theirs)
            return False
        stored, saved = await self._store(typed, over=theirs.version)
        return saved or await self._resolve(typed, stored)

    def leave(self) -> None:
        """Save at once what is typed: the page is being closed."""
        self.forget_autosave()
        if self.changed and not self.held:
            self._panel.shared.see_through(self._keep(self.typed()))

    async def _keep(self, typed: Draft) -> None:
        """Save a draft when nobody is left to be asked: no text is written over."""
        await self._stored()
        over = self.kept.version if self.kept else 0
        _theirs, saved = await self._drafts.save(typed, over=over)
        if not saved:
            own = typed.model_copy(update={"id": blank_draft().draft.id})
            await self._drafts.save(own, over=0)

    async def follow(self) -> None:
        """Take over what another panel wrote, if nothing is typed here."""
        kept = self.kept
        if kept and not self.changed and not self._saving.locked():
            stored = await self._drafts.get(kept.draft.id)
            mine = self.kept is not kept or self.changed  # by now
            if stored and not mine and stored.version != kept.version:
                self.turn(stored)


def blank_draft() -> KeptDraft:
    """Return an empty draft that is not stored yet."""
    return KeptDraft(Draft(id=secrets.token_hex(4), script=""), version=0)
