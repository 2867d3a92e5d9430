"""Drafts: written, brought in, edited without losing anything, seen and created."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.drafts import what_is_said
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.timing import estimate_s
from heygen_nb.ui.autosave import Autosave, blank_row
from heygen_nb.ui.base import Panel, column, make, row, shared_layout, show
from heygen_nb.ui.editor import Editor
from heygen_nb.ui.html import bar_html, markup, two_lines
from heygen_nb.ui.paying import render_if_agreed, speak_if_agreed
from heygen_nb.ui.table import TableCard
from heygen_nb.ui.widgets import Player
from heygen_nb.ui.writer import DraftWriting, Rewriter, WriterCard

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from heygen_nb.models import Draft, Voice
    from heygen_nb.ui.state import KeptDraft

LISTED = 200


class DraftList(widgets.VBox):
    """Drafts to choose from, the newest first.

    Args:
        panel: Whose list it is.
        choose: Called with the id of the entry that was clicked.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._drafts = panel.shared.drafts
        self._filling = False
        self.t_search = panel.field(
            widgets.Text, lambda: _("🔎 Search"), placeholder="…"
        )
        self.s_drafts = panel.field(
            widgets.Select, lambda: _("Drafts"), "hg-list", rows=9
        )
        self._count = make(widgets.HTML)
        super().__init__(
            (self.t_search, self.s_drafts, self._count), layout=shared_layout()
        )
        self.t_search.observe(lambda _c: panel.spawn(self.refresh), "value")

        def on_choice(change: dict[str, str | None]) -> None:
            if change["new"] and not self._filling:
                panel.spawn(partial(choose, change["new"]))

        self.s_drafts.observe(on_choice, "value")

    @property
    def first(self) -> str | None:
        """The id of the newest draft in the list."""
        options = self.s_drafts.options
        return options[0][1] if options else None

    async def refresh(self, chosen: str | None = None) -> None:
        """Ask for the drafts again; ``chosen`` is the one to be marked."""
        chosen = chosen or self.s_drafts.value
        rows, total = await self._drafts.search(self.t_search.value, limit=LISTED)
        options = tuple((_entry(kept), kept.draft.id) for kept in rows)
        if self.s_drafts.options != options:
            self._filling = True
            self.s_drafts.options = options
            self._filling = False
        self.mark(chosen)
        text = ngettext("{count} draft", "{count} drafts", total).format(count=total)
        if total > LISTED:
            text += " · " + _("the newest {count} are listed").format(count=LISTED)
        self._count.value = markup(text, "hg-hint")

    def mark(self, draft_id: str | None) -> None:
        """Mark an entry without choosing it."""
        listed = any(key == draft_id for _label, key in self.s_drafts.options)
        self._filling = True
        self.s_drafts.value = draft_id if listed else None
        self._filling = False


def _import_words(file: str, new: int, found: int) -> str:
    words = _("{file}: {new} of {found} drafts are new.")
    return words.format(file=file, new=new, found=found)


def _entry(kept: KeptDraft) -> str:
    title = kept.draft.title or kept.draft.script or _("(empty)")
    seconds = _("{seconds:.0f} s").format(
        seconds=estimate_s(what_is_said(kept.draft.script).text)
    )
    return two_lines(title, f"#{kept.draft.id} · {_MARKS[kept.status]()} · {seconds}")


_MARKS = {
    "draft": lambda: _("draft"),
    "rendering": lambda: "🎬 " + _("rendering"),
    "rendered": lambda: "✅ " + _("rendered"),
    "sent": lambda: "📱 " + _("sent"),
    "failed": lambda: "❌ " + _("failed"),
    "unknown": lambda: "⚠️ " + _("to be settled"),
}


class DraftsPanel(Panel):
    """The drafts of this home folder, and the one that is being written."""

    on_create: Callable[[], None] | None = None
    """Called when a render has started: the Studio then shows Generation."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.autosave = Autosave(self, shown=self._show_state, turned=self._turned)
        self.writing_now = DraftWriting(self.shared, self.autosave, self._lock)
        self._deleted = ""
        self._sources: dict[type, WriterCard | TableCard] = {}
        self.source = column()
        columns = (self._build_list(), self._build_editor(), self._build_stage())
        return (self.source, row(*columns, css="hg-columns"))

    def _build_list(self) -> widgets.VBox:
        self.list = DraftList(self, self.open_draft)
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
        return column(self.list, row(*self._bringing), css="hg-side hg-left")

    def _build_editor(self) -> widgets.VBox:
        self.rewriter = Rewriter(
            self, self.writing_now.change, self.writing_now.take_back
        )
        self.editor = self.autosave.texts = Editor(
            self, self.autosave.edited, self.rewriter
        )
        self.t_title = self.editor.t_title
        self.t_script = self.editor.t_script
        self.t_caption = self.editor.t_caption
        place = self.place()
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
        blank = self.autosave.kept = blank_row()
        await self._list()
        first = self.list.first and await self.shared.drafts.get(self.list.first)
        if first and self.autosave.kept is blank and not self.autosave.changed:
            self.autosave.turn(first)
        else:
            self._show_state()
        await self._learn()

    def _heard(self, topic: str) -> None:
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
        self.autosave.turn(blank_row())
        self.t_title.focus()

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
        files, self.u_import.value = self.u_import.value, ()
        for file in files:
            name, content = file["name"], bytes(file["content"])
            found = await self.shared.drafts.read_file(name, content)
            drafts = await self.shared.voiced(found)
            new, _others = await self.shared.drafts.add(drafts)
            self.tell(partial(_import_words, name, new, len(drafts)))

    # The editor

    def _turned(self) -> None:
        """Follow: another draft is in the editor."""
        kept = self.autosave.kept
        self.writing_now.before = None
        self.list.mark(kept.draft.id if kept else None)
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
        self._deleted = kept.draft.id
        show(self.undo_button, when=True)
        await self._list()
        if self.list.first:
            await self.open_draft(self.list.first)
        else:
            await self.new()

    async def _restore(self) -> None:
        show(self.undo_button, when=False)
        if self._deleted:
            await self.shared.drafts.restore(self._deleted)
            await self.open_draft(self._deleted)

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
