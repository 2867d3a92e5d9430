"""Drafts: written, brought in, edited without losing anything, seen and created."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from heygen_nb.drafts import drafts_in
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import Draft
from heygen_nb.money import amount_text
from heygen_nb.reports import HistoryLine, films_of
from heygen_nb.ui import paying
from heygen_nb.ui.base import Actions, Panel, column, focus, make, row, show
from heygen_nb.ui.draft_list import DraftList
from heygen_nb.ui.editor import Editor, another, blank_draft
from heygen_nb.ui.html import markup
from heygen_nb.ui.table import TableCard
from heygen_nb.ui.video import do_each, finish_anew, post_all
from heygen_nb.ui.widgets import Player
from heygen_nb.ui.writer import Rewriter, WriterCard

_BRINGING = "new", "write", "table", "all"
_FINISHING = partial(do_each, work=finish_anew)  # as the settings are now; free
_FILMED = {"rendered", "sent"}


class DraftsPanel(Panel):
    """The drafts of this home folder, and the one that is being written."""

    hears = "account", "settings", "language", "drafts", "renders"

    on_create: Callable[[], None] | None = None
    """Called when a render has started: the Studio then shows Generation."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._deleted: tuple[str, ...] = ()
        self._price = ""
        self._sources: dict[type, WriterCard | TableCard] = {}
        self.source = column()
        self._stage = column(css="hg-side hg-phone hg-off")
        self.rewriter = Rewriter(self)
        self.editor = Editor(self)
        self.t_title, self.t_script = self.editor.t_title, self.editor.t_script
        self.t_caption = self.editor.t_caption
        self.save_place, self.state = self.place(), make(widgets.HTML)
        self.doing = self._build_doing()
        writing = (self.editor, self.state, self.doing, self.save_place)
        self._build_list()
        columns = (self.list, column(*writing, css="hg-grow"), self._stage)
        return (self.source, row(*columns, css="hg-columns"))

    def _build_list(self) -> None:
        self.list = DraftList(self)
        place, endings = self.place(), ".md,.txt,.yaml,.yml,.csv"
        self.u_import = self.upload(
            _("⇪ Import"), self._import, endings, at=place, multiple=True
        )
        self.bringing = Actions(
            self,
            {
                "new": (_("➕ New"), self.new),
                "write": (_("✍️ Write…"), partial(self.open_source, WriterCard)),
                "table": (_("📊 Table…"), partial(self.open_source, TableCard)),
                "all": (_("☑ All"), self.list.choose_all),
                "undo": (_("↩ Undo delete"), self._restore),
            },
            more=(self.u_import,),
        )
        self.bringing.offer(*_BRINGING)
        self.list.children += (self.bringing, place)

    def _build_doing(self) -> Actions:
        return Actions(
            self,
            {
                "stop": (_("✋ Stop writing"), self.rewriter.stop),
                "create": (self._create_words, self.create),
                "play": (_("▶ Play the video"), self.play),
                "preview": (_("👁 Preview"), self.preview),
                "hear": (_("🎧 Hear the voice"), self.hear),
                "save": (_("💾 Save"), self.save),
                "post": (_("📱 Send to Telegram"), partial(self._each, post_all)),
                "finish": (_("✨ Finish anew"), partial(self._each, _FINISHING)),
                "duplicate": (_("📄 Duplicate"), self.duplicate),
                "delete": (_("🗑 Delete"), self.delete),
            },
            at=self.save_place,
            primary="create",
        )

    @cached_property
    def player(self) -> Player:
        """Where previews, speech and videos are played."""
        self._stage_text, player = make(widgets.HTML), Player()
        self._stage.children = (player, self._stage_text)
        return player

    # The list

    async def _begin(self) -> None:
        # Somebody may type before the list is there: that is a new draft already.
        blank = self.editor.kept
        first_id = await self._list()
        first = first_id and await self.shared.drafts.get(first_id)
        if first and self.editor.kept is blank and not self.editor.changed:
            self.editor.turn(first)
        await self._learn()

    def _heard(self, topic: str) -> None:
        if topic == "account":
            self.editor.own.picker.forget()
        if topic in ("drafts", "renders", "language"):
            self.spawn(self._list)
        if topic == "settings" or (topic == "renders" and not self.shared.jobs.running):
            self.spawn(self._learn)

    async def _learn(self) -> None:
        voice, learn = self.editor.draft.voice, self.shared.writing.learn
        await self.shared.read(lambda ledger: learn(ledger, voice))
        self.show_state()

    async def _list(self) -> str | None:
        kept = self.editor.kept
        first = await self.list.refresh(kept.draft.id)
        if self.editor.kept is not kept:  # opened meanwhile
            self.list.mark(self.editor.kept.draft.id)
        if not self.rewriter.busy:
            await self.editor.follow()
        return first

    async def open_draft(self, draft_id: str) -> None:
        """Show a draft; what was typed in another one is saved first."""
        kept = await self.shared.drafts.get(draft_id)
        if kept and not self.rewriter.busy:
            await self.editor.flush()
            self.editor.turn(kept)

    async def new(self) -> None:
        """Begin an empty draft; it is kept from its first word on."""
        if not self.rewriter.busy:
            await self.editor.flush()
            self.editor.turn(blank_draft())
            focus(self.t_title)

    async def open_source(self, kind: type[WriterCard | TableCard]) -> None:
        """Open the card that writes scripts or reads tables, or close it again."""
        if kind not in self._sources:
            self._sources[kind] = kind(self)
        cards = (self._sources[kind],)
        self.source.children = () if self.source.children == cards else cards

    async def _import(self, name: str, content: bytes) -> None:
        found = await asyncio.to_thread(drafts_in, content, Path(name).name)
        drafts = await self.shared.voiced(found)
        new, _others = await self.shared.drafts.add(drafts)
        words = _("{file}: {new} of {found} drafts are new.")
        self.tell(words.format(file=name, new=new, found=len(drafts)))

    # The editor

    def turned(self) -> None:
        """Follow: another draft, or another version of it, is in the editor."""
        self.rewriter.before = None
        self.list.mark(self.editor.kept.draft.id)
        show(self._stage, when=False)

    def show_state(self) -> None:
        """Show what has become of the draft in the editor, and what can be done."""
        several = len(self.list.several)
        filmed = ["post", "finish"] if self.list.statuses & _FILMED else []
        exact = self.shared.video_settings.length_mode == "exact"
        show(self.editor, when=not several)
        if not several:
            self.editor.count()
        if self.rewriter.busy:
            self.doing.offer("stop")
        elif several:
            self.doing.offer("create", "preview", *filmed, "delete")
        else:
            one = "create", "preview", "save", "duplicate", "delete"
            self.doing.offer(*one, *filmed, filmed and "play", exact and "hear")
        self.state.value = markup(self._state_words(), "hg-hint")

    def _state_words(self) -> str:
        if self.rewriter.busy:
            return _("Writing…")
        if count := len(self.list.several):
            words = ngettext("{count} draft", "{count} drafts", count)
            return _("Chosen: {what}").format(what=words.format(count=count))
        kept, free = self.editor.kept, " · " + _("previewing costs nothing")
        if not kept.saved_at:
            return _("Not saved yet: it is kept from the first word on.") + free
        saved = _("#{id} · saved {time:%H:%M:%S}")
        return saved.format(id=kept.draft.id, time=kept.saved_at.astimezone()) + free

    def lock(self, *, now: bool) -> None:
        """Keep everybody else's hands off while something is written."""
        if now:
            self.tell("")
        for part in (self.editor, self.rewriter, self.bringing):
            part.lock(now=now)
        self.list.s_drafts.disabled = now
        self.show_state()

    def close(self) -> None:
        """Save at once what was typed, and close."""
        self.editor.leave()
        super().close()

    async def save(self) -> None:
        """Save what is typed, and say so."""
        if await self.editor.flush() and self.editor.kept.version:
            self.tell(_("Saved."))

    async def delete(self) -> None:
        """Delete what is chosen; the button beside the list brings all of it back."""
        drafts = await self._chosen()
        if self.rewriter.busy or not drafts:
            return
        self.editor.turn(blank_draft())  # what is typed from now on is a new draft
        self._deleted = tuple(one.id for one in drafts)
        await self.shared.read(lambda ledger: ledger.drafts.delete(*self._deleted))
        self.shared.tell("drafts")
        self.bringing.offer(*_BRINGING, "undo")
        if first := await self._list():
            await self.open_draft(first)
        else:
            await self.new()

    async def _restore(self) -> None:
        self.bringing.offer(*_BRINGING)
        await self.shared.read(
            lambda ledger: ledger.drafts.delete(*self._deleted, undo=True)
        )
        self.shared.tell("drafts")
        await self.open_draft(self._deleted[0])

    async def duplicate(self) -> None:
        """Make another draft that says the same, and open it."""
        if await self.editor.flush():
            draft = another(self.editor.draft)
            await self.shared.drafts.save(draft, over=0)
            await self.open_draft(draft.id)

    # One draft or several

    async def _stored(self) -> list[Draft]:
        """Return what is chosen, else the draft in the editor, as it is stored."""
        one, chosen = (self.editor.kept.draft.id,), self.list.chosen
        return await self.shared.drafts.these(chosen if len(chosen) > 1 else one)

    async def _chosen(self) -> list[Draft]:
        """Save what is typed; return what is chosen, as it is stored."""
        await self.editor.still()
        if not await self.editor.flush():
            return []
        drafts = await self._stored()
        if not drafts:
            self.tell(_("Nothing is written yet."), "warn")
        return drafts

    def show_chosen(self) -> None:
        """Follow: other drafts are chosen in the list."""
        self._price = ""
        self.show_state()
        self.spawn(self._reckon)

    async def _reckon(self) -> None:
        """Find what a click on the first button would cost, and say it there."""
        kept, chosen, plans = self.editor.kept, self.list.several, []
        with suppress(HeygenNbError):  # the click will tell
            drafts = await self._stored()
            plans = await self.shared.quote(drafts) if drafts else []
        if (kept, chosen) == (self.editor.kept, self.list.several):
            cost = sum(plan.quote.amount for plan in plans)
            self._price = amount_text(cost, plans[0].quote.currency) if cost else ""
            self.show_state()

    def _create_words(self) -> str:
        words = _("🎬 Create video")
        if count := len(self.list.several):
            words = _("🎬 Render {count}").format(count=count)
        return f"{words} · ≈ {self._price}" if self._price else words

    async def preview(self) -> None:
        """Make the animatics of what is chosen, and play the last one in place."""
        drafts = await self._chosen()
        count = len(drafts)
        for number, draft in enumerate(drafts, 1):
            words = _("Making preview {number} of {count}…")
            self.tell_busy(words.format(number=number, count=count))
            path = await self.shared.preview(draft)
            text = _("Preview, made on this machine")
            if count > 1:
                text = _("Open a draft and press Preview to see the others.")
            self._show_stage(text, path)

    def _show_stage(self, words: str, path: Path | None = None) -> None:
        self.player.play(path)
        self._stage_text.value = markup(words, "hg-hint")
        show(self._stage, when=True)

    async def play(self) -> None:
        """Play the newest video of the draft."""
        for line in await self._films():
            if line.file:
                self._show_stage(f"#{line.draft_id}", line.file)

    async def _films(self) -> list[HistoryLine]:
        ids = [draft.id for draft in await self._chosen()]
        videos = self.shared.settings.videos_path
        return await self.shared.read(lambda ledger: films_of(ledger, videos, ids))

    async def _each(self, work: Callable[..., Coroutine[Any, Any, None]]) -> None:
        """Do something with the videos of what is chosen."""
        await work(self, await self._films())

    async def hear(self) -> None:
        """Have the speech made, in exact mode, and play it."""
        for draft in await self._chosen():
            if path := await paying.speak_if_agreed(self, draft):
                self._show_stage(_("This very sound goes into the video"))
                self.player.listen(await asyncio.to_thread(path.read_bytes))

    async def create(self) -> None:
        """Save, say what will be used and paid, and start the renders."""
        drafts = await self._chosen()
        if not drafts:
            return
        self.tell_busy(_("Looking up voice and avatar…"))
        take = self.editor.own.take_voice
        begun = await paying.render_if_agreed(self, drafts, take=take)
        if begun and self.on_create:
            self.on_create()
