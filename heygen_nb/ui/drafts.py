"""Drafts: written, brought in, edited without losing anything, seen and created."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.drafts import drafts_in
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.ui.autosave import Autosave, blank_draft
from heygen_nb.ui.base import Panel, column, focus, make, row, show
from heygen_nb.ui.draft_list import DraftList
from heygen_nb.ui.editor import Editor
from heygen_nb.ui.html import bar_html, markup
from heygen_nb.ui.paying import (
    render_if_agreed,
    render_unpaid_if_agreed,
    speak_if_agreed,
)
from heygen_nb.ui.table import TableCard
from heygen_nb.ui.widgets import Player
from heygen_nb.ui.writer import DraftWriting, Rewriter, WriterCard

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Draft, Voice


class DraftsPanel(Panel):
    """The drafts of this home folder, and the one that is being written."""

    on_create: Callable[[], None] | None = None
    """Called when a render has started: the Studio then shows Generation."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.autosave = Autosave(self, shown=self._show_state, turned=self._turned)
        self.writing_now = DraftWriting(self.shared, self.autosave, self._lock)
        self._deleted: tuple[str, ...] = ()
        self._sources: dict[type, WriterCard | TableCard] = {}
        self.source = column()
        columns = (self._build_list(), self._build_editor(), self._build_stage())
        return (self.source, row(*columns, css="hg-columns"))

    def _build_list(self) -> widgets.VBox:
        self.list = DraftList(self, self.open_draft, self._show_several)
        self.u_import = self.upload(
            lambda: _("⇪ Import"),
            self._import,
            ".md,.txt,.yaml,.yml,.csv",
            multiple=True,
        )
        self.undo_button = self.button(lambda: _("↩ Undo delete"), self._restore)
        show(self.undo_button, when=False)
        self._bringing = (
            self.button(lambda: _("➕ New"), self.new),
            self.button(lambda: _("✍️ Write…"), partial(self.open_source, WriterCard)),
            self.button(lambda: _("📊 Table…"), partial(self.open_source, TableCard)),
            self.u_import,
            self.undo_button,
        )
        return column(
            self.list, self._build_several(), row(*self._bringing), css="hg-left"
        )

    def _build_several(self) -> widgets.VBox:
        """Make what can be done with several drafts at once."""
        place = self.place()
        self.all_button = self.button(lambda: _("☑ All"), self._choose_all)
        self.render_button = self.button(
            self._render_words, self.render_chosen, "hg-primary", at=place
        )
        self._for_several = (
            self.render_button,
            self.button(lambda: _("👁 Preview"), self.preview_chosen, at=place),
            self.button(lambda: _("🗑 Delete"), self.delete_chosen, at=place),
        )
        return column(row(self.all_button, *self._for_several), place)

    def _build_editor(self) -> widgets.VBox:
        self.rewriter = Rewriter(
            self, self.writing_now.change, self.writing_now.take_back
        )
        self.editor = self.autosave.texts = Editor(self, self._edited, self.rewriter)
        self.t_title = self.editor.t_title
        self.t_script = self.editor.t_script
        self.t_caption = self.editor.t_caption
        place = self.save_place = self.place()
        self.create_button = self.button(
            lambda: _("🎬 Create video"), self.create, "hg-primary", at=place
        )
        self.hear_button = self.button(
            lambda: _("🎧 Hear the voice"), self.hear, at=place
        )
        self._doing = (
            self.create_button,
            self.button(lambda: _("👁 Preview"), self.preview, at=place),
            self.hear_button,
            self.button(lambda: _("💾 Save"), self.save, at=place),
            self.button(lambda: _("📄 Duplicate"), self.duplicate, at=place),
            self.button(lambda: _("🗑 Delete"), self.delete, at=place),
        )
        self.stop_button = self.button(
            lambda: _("✋ Stop writing"), self.writing_now.stop
        )
        show(self.stop_button, when=False)
        self.state = make(widgets.HTML)
        buttons = row(*self._doing, self.stop_button)
        return column(self.editor, buttons, place, self.state, css="hg-grow")

    def _build_stage(self) -> widgets.VBox:
        self.player = Player()
        self._stage_text = make(widgets.HTML)
        self._stage = column(self.player, self._stage_text, css="hg-side hg-phone")
        show(self._stage, when=False)
        return self._stage

    # The list

    async def _begin(self) -> None:
        # Somebody may type before the list is there: that is a new draft already.
        blank = self.autosave.kept = blank_draft()
        await self._list()
        first = self.list.first and await self.shared.drafts.get(self.list.first)
        if first and self.autosave.kept is blank and not self.autosave.changed:
            self.autosave.turn(first)
        else:
            self._show_state()
        await self._learn()

    def _heard(self, topic: str) -> None:
        if topic == "account":
            self.editor.own.picker.forget()
        if topic in ("settings", "language"):
            self.editor.own.relabel()
            self._show_state()
            if isinstance(writer := self._sources.get(WriterCard), WriterCard):
                writer.relabel()
        if topic in ("drafts", "jobs", "language"):
            self.spawn(self._list)
        if topic == "settings" or (topic == "jobs" and not self.shared.jobs.running):
            self.spawn(self._learn)

    async def _learn(self) -> None:
        await self.shared.learn(self.autosave.typed().voice)
        self._show_state()

    async def _list(self) -> None:
        kept = self.autosave.kept
        await self.list.refresh(kept.draft.id if kept else None)
        if (now := self.autosave.kept) and now is not kept:  # opened meanwhile
            self.list.mark(now.draft.id)
        if not self.writing_now.busy:
            await self.autosave.follow()

    async def open_draft(self, draft_id: str) -> None:
        """Show a draft; what was typed in another one is saved first."""
        kept = await self.shared.drafts.get(draft_id)
        if kept and not self.writing_now.busy:
            await self.autosave.flush()
            self.autosave.turn(kept)

    async def new(self) -> None:
        """Begin an empty draft; it is kept from its first word on."""
        if self.writing_now.busy:
            return
        await self.autosave.flush()
        self.autosave.turn(blank_draft())
        focus(self.t_title)

    async def open_source(self, kind: type[WriterCard | TableCard]) -> None:
        """Open the card that writes scripts or reads tables, or close it again."""
        if kind not in self._sources:
            self._sources[kind] = (
                WriterCard(self, self.writing_now.write)
                if kind is WriterCard
                else TableCard(self, self.open_draft)
            )
        card = self._sources[kind]
        self.source.children = () if self.source.children == (card,) else (card,)

    async def _import(self) -> None:
        for name, content in self.take_files(self.u_import):
            found = await asyncio.to_thread(drafts_in, content, Path(name).name)
            drafts = await self.shared.voiced(found)
            new, _others = await self.shared.drafts.add(drafts)
            self.tell(partial(_import_words, name, new, len(drafts)))

    # The editor

    async def _edited(self) -> None:
        """Follow the user: what was said of the text before is over."""
        self.save_place.clear()
        await self.autosave.edited()

    def _turned(self) -> None:
        """Follow: another draft is in the editor."""
        kept = self.autosave.kept
        self.writing_now.before = None
        self.list.mark(*([kept.draft.id] if kept else []))
        show(self._stage, when=False)

    def _show_state(self, text: str = "") -> None:
        self._count_words()
        if self.writing_now.busy:
            self.state.value = bar_html(None) + markup(_("Writing…"), "hg-hint")
            return
        kept = self.autosave.kept
        if not text and kept and kept.saved_at:
            text = _("#{id} · saved {time:%H:%M:%S}").format(
                id=kept.draft.id, time=kept.saved_at.astimezone()
            )
        text = text or _("Not saved yet: it is kept from the first word on.")
        text += " · " + _("previewing costs nothing")
        self.state.value = markup(text, "hg-hint")

    def _count_words(self) -> None:
        show(self.hear_button, when=self.shared.video_settings.length_mode == "exact")
        typed = self.autosave.typed()
        self.spawn(partial(self.editor.own.check_voice, typed.script))
        target_s = typed.duration or self.shared.video_settings.video_duration
        found = self.editor.count(
            target_s, lambda script, s: self.shared.fit(script, s, typed.voice)
        )
        self.rewriter.offer(
            typed,
            cut=bool(found.cut_words),
            add=bool(found.add_words),
            changed=self.writing_now.before is not None,
        )

    def _lock(self, *, now: bool) -> None:
        """Keep everybody else's hands off while something is written."""
        if now:
            self.hush()
        self.editor.lock(now=now)
        self.rewriter.busy(now=now)
        self.list.s_drafts.disabled = now
        for button in (*self._bringing, *self._doing):
            button.disabled = now
        show(self.stop_button, when=now)
        self._show_state()

    def close(self) -> None:
        """Save at once what was typed, and close."""
        self.autosave.leave()
        super().close()

    async def save(self) -> None:
        """Save what is typed, and say so."""
        if (
            await self.autosave.flush()
            and self.autosave.kept
            and self.autosave.kept.version
        ):
            self.tell(lambda: _("Saved."))

    async def delete(self) -> None:
        """Delete the draft; the button beside the list brings it back."""
        if self.writing_now.busy:
            return
        await self.autosave.flush()
        kept = self.autosave.kept
        if kept is None or not kept.version:
            return
        self.autosave.kept = None
        await self.shared.drafts.delete(kept.draft.id)
        await self._deleted_now(kept.draft.id)

    async def _deleted_now(self, *draft_ids: str) -> None:
        self._deleted = draft_ids
        show(self.undo_button, when=True)
        await self._list()
        if self.list.first:
            await self.open_draft(self.list.first)
        else:
            await self.new()

    async def _restore(self) -> None:
        show(self.undo_button, when=False)
        for draft_id in self._deleted:
            await self.shared.drafts.restore(draft_id)
        for draft_id in self._deleted[:1]:
            await self.open_draft(draft_id)

    async def duplicate(self) -> None:
        """Make another draft that says the same, and open it."""
        if await self.autosave.flush():
            new = {"id": blank_draft().draft.id}
            draft = self.autosave.typed().model_copy(update=new)
            await self.shared.drafts.save(draft, over=0)
            await self.open_draft(draft.id)

    # Several drafts at once

    def _show_several(self) -> None:
        several = len(self.list.chosen) > 1
        for button in self._for_several:
            show(button, when=several)
        self.render_button.description = self._render_words()

    def _render_words(self) -> str:
        return _("🎬 Render {count}").format(count=len(self.list.chosen))

    async def _choose_all(self) -> None:
        self.list.choose_all()

    async def render_chosen(self) -> None:
        """Render what is chosen and not rendered yet, after saying what it costs."""
        if not await self.autosave.flush():
            return
        drafts = await self.shared.drafts.these(self.list.chosen)
        if await render_unpaid_if_agreed(self, drafts):
            self.begun()

    async def preview_chosen(self) -> None:
        """Make the animatics of what is chosen, and play the last one."""
        await self.autosave.flush()
        drafts = await self.shared.drafts.these(self.list.chosen)
        show(self._stage, when=True)
        for number, draft in enumerate(drafts, 1):
            text = _("Making preview {number} of {count}…")
            told = text.format(number=number, count=len(drafts))
            self._stage_text.value = bar_html(number / len(drafts)) + markup(told)
            self.player.play(await self.shared.preview(draft))
        count = len(drafts)
        text = ngettext(
            "{count} preview is made: open a draft and press Preview to see it.",
            "{count} previews are made: open a draft and press Preview to see it.",
            count,
        )
        self._stage_text.value = markup(text.format(count=count), "hg-hint")

    async def delete_chosen(self) -> None:
        """Delete what is chosen; one button brings all of it back."""
        await self.autosave.flush()
        chosen, self.autosave.kept = self.list.chosen, None
        for draft_id in chosen:
            await self.shared.drafts.delete(draft_id)
        self.list.mark()
        await self._deleted_now(*chosen)

    # Preview and create

    async def preview(self) -> None:
        """Make the animatic and play it in place."""
        if not await self.autosave.flush():
            return
        show(self._stage, when=True)
        self.player.play(None)
        self._stage_text.value = bar_html(None) + markup(_("Making a preview…"))
        try:
            path = await self.shared.preview(self.autosave.typed())
        except HeygenNbError:
            show(self._stage, when=False)
            raise
        self.player.play(path)
        self._stage_text.value = markup(_("Preview, made on this machine"), "hg-hint")

    async def hear(self) -> None:
        """Have the speech made, in exact mode, and play it."""
        if not await self.autosave.flush():
            return
        path = await speak_if_agreed(self, self.autosave.typed())
        if path:
            show(self._stage, when=True)
            self.player.listen(await asyncio.to_thread(path.read_bytes))
            text = _("This very sound goes into the video")
            self._stage_text.value = markup(text, "hg-hint")

    async def create(self) -> None:
        """Save, say what will be used and paid, and start the render."""
        self.create_button.disabled = True
        try:
            if not await self.autosave.flush():
                return
            self._show_state(_("Looking up voice and avatar…"))
            begun = await render_if_agreed(
                self, [self.autosave.typed()], take=self.take_voice
            )
        finally:
            self.create_button.disabled = False
            self._show_state()
        if begun is not None:
            self.begun()

    async def take_voice(self, voice: Voice) -> Draft:
        """Give the draft in the editor a voice of its own; return what is stored."""
        await self.editor.own.choose_voice(voice)
        await self.autosave.flush()
        return self.autosave.typed()

    def begun(self) -> None:
        """Tell that a render has started."""
        if self.on_create:
            self.on_create()


def _import_words(file: str, new: int, found: int) -> str:
    words = _("{file}: {new} of {found} drafts are new.")
    return words.format(file=file, new=new, found=found)
