"""Drafts: written, brought in, edited without losing anything, seen and created."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import Panel, make, show
from heygen_nb.ui.draftlist import DraftList
from heygen_nb.ui.editor import Editor
from heygen_nb.ui.markup import bar_html, markup
from heygen_nb.ui.page import Page, blank_row
from heygen_nb.ui.pen import Pen
from heygen_nb.ui.player import Player
from heygen_nb.ui.price import render_if_agreed, speak_if_agreed
from heygen_nb.ui.tables import TableCard
from heygen_nb.ui.writer import Rewriter, WriterCard

if TYPE_CHECKING:
    from collections.abc import Callable


class DraftsPanel(Panel):
    """The drafts of this home folder, and the one that is being written."""

    on_create: Callable[[], None] | None = None
    """Called when a render has started: the Studio then shows Generation."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.page = Page(self, shown=self._show_state, turned=self._turned)
        self.pen = Pen(self.desk, self.page, self._lock)
        self._deleted = ""
        self._sources: dict[type, WriterCard | TableCard] = {}
        self._source = make(widgets.VBox)
        columns = (self._build_list(), self._build_editor(), self._build_stage())
        return (self._source, make(widgets.HBox, "hg-columns", children=columns))

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
        self._undo = self.button(lambda: _("↩ Undo delete"), self._restore)
        show(self._undo, when=False)
        self._bringing = (
            self.button(lambda: _("➕ New"), self.new),
            self.button(lambda: _("✍️ Write…"), partial(self.open_source, WriterCard)),
            self.button(lambda: _("📊 Table…"), partial(self.open_source, TableCard)),
            self.u_import,
            self._undo,
        )
        row = make(widgets.HBox, "hg-buttons", children=self._bringing)
        return make(widgets.VBox, "hg-side hg-left", children=(self.list, row))

    def _build_editor(self) -> widgets.VBox:
        self.rewriter = Rewriter(self, self.pen.change, self.pen.take_back)
        self._texts = self.page.texts = Editor(self, self.page.edited, self.rewriter)
        self.t_title = self._texts.t_title
        self.t_script = self._texts.t_script
        self.t_caption = self._texts.t_caption
        self._create = self.button(
            lambda: _("🎬 Create video"), self.create, "hg-primary"
        )
        self._hear = self.button(lambda: _("🎧 Hear the voice"), self.hear)
        self._doing = (
            self._create,
            self.button(lambda: _("👁 Preview"), self.preview),
            self._hear,
            self.button(lambda: _("💾 Save"), self.save),
            self.button(lambda: _("🗑 Delete"), self.delete),
        )
        self._stop = self.button(lambda: _("✋ Stop writing"), self.pen.stop)
        show(self._stop, when=False)
        self._state = make(widgets.HTML)
        row = make(widgets.HBox, "hg-buttons", children=(*self._doing, self._stop))
        return make(widgets.VBox, "hg-grow", children=(self._texts, row, self._state))

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
        blank = self.page.row = blank_row()
        await self._list()
        first = self.list.first and await self.desk.book.get(self.list.first)
        if first and self.page.row is blank and not self.page.changed:
            self.page.turn(first)
        else:
            self._show_state()
        await self._learn()

    def _heard(self, topic: str) -> None:
        if topic in ("settings", "language"):
            self._texts.casting.relabel()
            self._show_state()
            if isinstance(writer := self._sources.get(WriterCard), WriterCard):
                writer.relabel()
        if topic in ("drafts", "jobs", "language"):
            self.spawn(self._list)
        if topic == "settings" or (topic == "jobs" and not self.desk.jobs.running):
            self.spawn(self._learn)

    async def _learn(self) -> None:
        await self.desk.learn(self.page.typed().voice)
        self._show_state()

    async def _list(self) -> None:
        row = self.page.row
        await self.list.refresh(row.draft.id if row else None)
        if (now := self.page.row) and now is not row:  # opened meanwhile
            self.list.mark(now.draft.id)
        if not self.pen.busy:
            await self.page.follow()

    async def open_draft(self, draft_id: str) -> None:
        """Show a draft; what was typed in another one is saved first."""
        row = await self.desk.book.get(draft_id)
        if row and not self.pen.busy:
            await self.page.flush()
            self.page.turn(row)

    async def new(self) -> None:
        """Begin an empty draft; it is kept from its first word on."""
        if self.pen.busy:
            return
        await self.page.flush()
        self.page.turn(blank_row())
        self.t_title.focus()

    async def open_source(self, kind: type[WriterCard | TableCard]) -> None:
        """Open the card that writes scripts or reads tables, or close it again."""
        if kind not in self._sources:
            self._sources[kind] = (
                WriterCard(self, self.pen.write)
                if kind is WriterCard
                else TableCard(self, self.open_draft)
            )
        card = self._sources[kind]
        self._source.children = () if self._source.children == (card,) else (card,)

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

    # The editor

    def _turned(self) -> None:
        """Follow the page: another draft is in the editor."""
        row = self.page.row
        self.pen.before = None
        self.list.mark(row.draft.id if row else None)
        show(self._stage, when=False)

    def _show_state(self, text: str = "") -> None:
        self._count_words()
        if self.pen.busy:
            self._state.value = bar_html(None) + markup(_("Writing…"), "hg-hint")
            return
        row = self.page.row
        if not text and row and row.saved_at:
            text = _("#{id} · saved {time:%H:%M:%S}").format(
                id=row.draft.id, time=row.saved_at.astimezone()
            )
        text = text or _("Not saved yet: it is kept from the first word on.")
        text += " · " + _("previewing costs nothing")
        self._state.value = markup(text, "hg-hint")

    def _count_words(self) -> None:
        show(self._hear, when=self.desk.video_settings.length_mode == "exact")
        typed = self.page.typed()
        target_s = typed.duration or self.desk.video_settings.video_duration
        found = self._texts.count(
            target_s, lambda script, s: self.desk.fit(script, s, typed.voice)
        )
        self.rewriter.offer(
            typed,
            cut=bool(found.cut_words),
            add=bool(found.add_words),
            changed=self.pen.before is not None,
        )

    def _lock(self, *, now: bool) -> None:
        """Keep everybody else's hands off while something is written."""
        if now:
            self.hush()
        self._texts.lock(now=now)
        self.rewriter.busy(now=now)
        self.list.s_drafts.disabled = now
        for button in (*self._bringing, *self._doing):
            button.disabled = now
        show(self._stop, when=now)
        self._show_state()

    def close(self) -> None:
        """Save at once what was typed, and close."""
        self.page.leave()
        super().close()

    async def save(self) -> None:
        """Save what is typed, and say so."""
        if await self.page.flush() and self.page.row and self.page.row.version:
            self.tell(_("Saved."))

    async def delete(self) -> None:
        """Delete the draft; the button beside the list brings it back."""
        if self.pen.busy:
            return
        await self.page.flush()
        row = self.page.row
        if row is None or not row.version:
            return
        self.page.row = None
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

    # Preview and create

    async def preview(self) -> None:
        """Make the animatic and play it in place."""
        if not await self.page.flush():
            return
        show(self._stage, when=True)
        self._player.play(None)
        self._stage_text.value = bar_html(None) + markup(_("Making a preview…"))
        try:
            path = await self.desk.preview(self.page.typed())
        except HeygenNbError:
            show(self._stage, when=False)
            raise
        self._player.play(path)
        self._stage_text.value = markup(_("Preview, made on this machine"), "hg-hint")

    async def hear(self) -> None:
        """Have the speech made, in exact mode, and play it."""
        if not await self.page.flush():
            return
        path = await speak_if_agreed(self, self.page.typed())
        if path:
            show(self._stage, when=True)
            self._player.listen(await asyncio.to_thread(path.read_bytes))
            text = _("This very sound goes into the video")
            self._stage_text.value = markup(text, "hg-hint")

    async def create(self) -> None:
        """Save, say what will be used and paid, and start the render."""
        self._create.disabled = True
        try:
            if not await self.page.flush():
                return
            self._show_state(_("Looking up voice and avatar…"))
            begun = await render_if_agreed(self, self.page.typed())
        finally:
            self._create.disabled = False
            self._show_state()
        if begun:
            self.begun()

    def begun(self) -> None:
        """Tell that a render has started."""
        if self.on_create:
            self.on_create()
