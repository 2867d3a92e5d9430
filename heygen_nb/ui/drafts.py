"""Drafts: a list to search, an editor that loses nothing, preview and create."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft
from heygen_nb.ui._base import Panel, make, show
from heygen_nb.ui.draftlist import DraftList
from heygen_nb.ui.editor import Editor
from heygen_nb.ui.markup import bar_html, markup
from heygen_nb.ui.player import Player
from heygen_nb.workflow.book import DraftRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.errors import LimitError
    from heygen_nb.renderer import Plan

AUTOSAVE_S = 0.8


class DraftsPanel(Panel):
    """The drafts of this home folder, and the one that is being written."""

    on_create: Callable[[], None] | None = None
    """Called when a render has started: the Studio then shows Generation."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._row: DraftRow | None = None
        self._autosave: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self._deleted = ""
        columns = (self._build_list(), self._build_editor(), self._build_stage())
        return (make(widgets.HBox, "hg-columns", children=columns),)

    def _build_list(self) -> widgets.VBox:
        self.list = DraftList(self, self.open_draft)
        self.u_import = make(
            widgets.FileUpload,
            "hg-import",
            accept=".md,.txt,.yaml,.yml,.csv",
            multiple=True,
        )
        self.say(self.u_import, "description", lambda: _("Import"))
        self.say(self.u_import, "tooltip", lambda: _("⇪ Import"))
        self.u_import.observe(lambda _change: self.spawn(self._import), "value")
        new = self.button(lambda: _("➕ New"), self.new)
        self._undo = self.button(lambda: _("↩ Undo delete"), self._restore)
        show(self._undo, when=False)
        row = make(
            widgets.HBox, "hg-buttons", children=(new, self.u_import, self._undo)
        )
        return make(widgets.VBox, "hg-side hg-left", children=(self.list, row))

    def _build_editor(self) -> widgets.VBox:
        self._texts = Editor(self, self._edited)
        self.t_title = self._texts.t_title
        self.t_script = self._texts.t_script
        self.t_caption = self._texts.t_caption
        self._create = self.button(
            lambda: _("🎬 Create video"), self.create, "hg-primary"
        )
        buttons = (
            self._create,
            self.button(lambda: _("👁 Preview"), self.preview),
            self.button(lambda: _("💾 Save"), self.save),
            self.button(lambda: _("🗑 Delete"), self.delete),
        )
        self._state = make(widgets.HTML)
        row = make(widgets.HBox, "hg-buttons", children=buttons)
        parts = (self._texts, row, self._state)
        return make(widgets.VBox, "hg-grow", children=parts)

    def _build_stage(self) -> widgets.VBox:
        self._player = Player()
        self._stage_text = make(widgets.HTML)
        parts = (self._player, self._stage_text)
        self._stage = make(widgets.VBox, "hg-side hg-phone", children=parts)
        show(self._stage, when=False)
        return self._stage

    # The list

    async def _begin(self) -> None:
        # Somebody may type before the list is there: that is a new draft already.
        blank = self._row = DraftRow(_new_draft(), version=0)
        await self._list()
        first = self.list.first and await self.desk.book.get(self.list.first)
        if first and self._row is blank and self._typed() == blank.draft:
            self._fill(first)
        else:
            self._show_state()
        await self._learn()

    def _heard(self, topic: str) -> None:
        if topic in ("settings", "language"):
            self._count_words()
            self._show_state()
        if topic in ("drafts", "jobs", "language"):
            self.spawn(self._list)
        if topic == "settings" or (topic == "jobs" and not self.desk.jobs.running):
            self.spawn(self._learn)

    async def _learn(self) -> None:
        await self.desk.learn()
        self._count_words()

    async def _list(self) -> None:
        await self.list.refresh(self._row.draft.id if self._row else None)
        await self._follow()

    async def _follow(self) -> None:
        """Take over what another panel wrote, if nothing is typed here."""
        row = self._row
        if row and self._typed() == row.draft and not self._saving.locked():
            stored = await self.desk.book.get(row.draft.id)
            if stored and self._row is row and stored.version != row.version:
                self._fill(stored)

    async def open_draft(self, draft_id: str) -> None:
        """Show a draft; what was typed in another one is saved first."""
        row = await self.desk.book.get(draft_id)
        await self._flush()
        if row:
            self._fill(row)

    async def new(self) -> None:
        """Begin an empty draft; it is kept from its first word on."""
        await self._flush()
        self._fill(DraftRow(_new_draft(), version=0))
        self.t_title.focus()

    # The editor

    def _fill(self, row: DraftRow) -> None:
        self._row = row
        self._texts.fill(row.draft)
        self.list.mark(row.draft.id)
        show(self._stage, when=False)
        self._count_words()
        self._show_state()

    async def _edited(self) -> None:
        self._count_words()
        self._forget_autosave()
        save = partial(self.spawn, self._flush)
        self._autosave = self._loop.call_later(AUTOSAVE_S, save)

    def _forget_autosave(self) -> None:
        if self._autosave:
            self._autosave.cancel()

    def close(self) -> None:
        """Cancel the timer; what was typed is saved at once."""
        self._forget_autosave()
        if self._row and self._typed() != self._row.draft:
            saving = self.desk.book.save(self._typed(), over=self._row.version)
            self.desk.finish(saving)
        super().close()

    def _count_words(self) -> None:
        own = self._row and self._row.draft.duration
        target_s = own or self.desk.video_settings.video_duration
        self._texts.count(target_s, self.desk.fit)

    def _show_state(self, text: str = "") -> None:
        row = self._row
        if not text and row and row.saved_at:
            text = _("#{id} · saved {time:%H:%M:%S}").format(
                id=row.draft.id, time=row.saved_at.astimezone()
            )
        text = text or _("Not saved yet: it is kept from the first word on.")
        text += " · " + _("previewing costs nothing")
        self._state.value = markup(text, "hg-hint")

    def _typed(self) -> Draft:
        return self._texts.typed(self._row.draft if self._row else Draft(script=""))

    async def save(self) -> None:
        """Save what is typed, and say so."""
        if await self._flush() and self._row and self._row.version:
            self.tell(_("Saved."))

    async def _flush(self) -> bool:
        """Save what is typed; tell whether it is stored now."""
        self._forget_autosave()
        async with self._saving:
            row, typed = self._row, self._typed()
            if row is None or typed == row.draft:
                return True
            stored, saved = await self.desk.book.save(typed, over=row.version)
            if not saved and not await self._resolve(typed, stored):
                return False
            if saved and self._row is row:
                self._row = stored
                self._show_state()
            return True

    async def _resolve(self, typed: Draft, theirs: DraftRow) -> bool:
        question = _("This draft was changed elsewhere at {time:%H:%M:%S}.").format(
            time=theirs.saved_at.astimezone() if theirs.saved_at else datetime.now(UTC)
        )
        if not await self.ask(question, _("Keep my text"), _("Take the other")):
            self._fill(theirs)
            return False
        self._row, _saved = await self.desk.book.save(typed, over=theirs.version)
        self._show_state()
        return True

    async def delete(self) -> None:
        """Delete the draft; the button beside the list brings it back."""
        await self._flush()
        row = self._row
        if row is None or not row.version:
            return
        self._row = None
        await self.desk.book.delete(row.draft.id)
        self._deleted = row.draft.id
        show(self._undo, when=True)
        await self._list()
        if self.list.first:
            await self.open_draft(self.list.first)
        else:
            await self.new()

    async def _restore(self) -> None:
        show(self._undo, when=False)
        if self._deleted:
            await self.desk.book.restore(self._deleted)
            await self.open_draft(self._deleted)

    async def _import(self) -> None:
        files, self.u_import.value = self.u_import.value, ()
        for file in files:
            name, content = file["name"], bytes(file["content"])
            found, new = await self.desk.book.take_in(name, content)
            self.tell(
                _("{file}: {new} of {found} drafts are new.").format(
                    file=name, new=new, found=found
                )
            )

    # Preview and create

    async def preview(self) -> None:
        """Make the animatic and play it in place."""
        if not await self._flush():
            return
        draft = self._typed()
        show(self._stage, when=True)
        self._player.play(None)
        self._stage_text.value = bar_html(None) + markup(_("Making a preview…"))
        try:
            path = await self.desk.preview(draft)
        except HeygenNbError:
            show(self._stage, when=False)
            raise
        self._player.play(path)
        self._stage_text.value = markup(_("Preview, made on this machine"), "hg-hint")

    async def create(self) -> None:
        """Save, say what will be used and paid, and start the render."""
        self._create.disabled = True
        try:
            if not await self._flush():
                return
            draft = self._typed()
            self._show_state(_("Looking up voice and avatar…"))
            plan = await self.desk.quote(draft)
            over = await self.desk.over_limit(plan) if plan else None
            if plan and plan.quote.amount and not await self._agreed(plan, over):
                return
        finally:
            self._create.disabled = False
            self._show_state()
        self.desk.render(draft, unlimited=over is not None)
        if self.on_create:
            self.on_create()

    async def _agreed(self, plan: Plan, over: LimitError | None) -> bool:
        quote = plan.quote
        amount = f"{quote.amount:.2f} {quote.currency}"
        lines = [
            _("Voice: {voice}").format(voice=plan.voice),
            _("Avatar: {avatar}").format(avatar=plan.avatar or _("none")),
            _("About {seconds:.0f} s, about {amount} (estimate, {source})").format(
                seconds=quote.seconds, amount=amount, source=quote.source
            ),
            *(f"⚠️ {warning}" for warning in plan.warnings),
        ]
        if over:
            lines.append(f"⚠️ {over.message}")
        return await self.ask(
            "\n".join(lines), _("Render for {amount}").format(amount=amount)
        )


def _new_draft() -> Draft:
    return Draft(id=secrets.token_hex(4), script="")
