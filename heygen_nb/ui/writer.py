"""Scripts that are written for the user: new ones by topic, and changes to one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import LANGUAGES, current_language
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts import ScriptRequest
from heygen_nb.timing import script_language
from heygen_nb.ui.autosave import blank_draft
from heygen_nb.ui.base import make, row, shared_layout, show
from heygen_nb.ui.html import markup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from heygen_nb.models import Draft
    from heygen_nb.scripts import Change
    from heygen_nb.ui.autosave import Autosave
    from heygen_nb.ui.base import Panel
    from heygen_nb.ui.state import SharedState

MAX_VERSIONS = 10


class WriterCard(widgets.VBox):
    """Topic, format, tone, language and number of versions → drafts.

    Args:
        panel: Whose part it is.
        write: Started with the order and how many versions there shall be.
    """

    def __init__(
        self,
        panel: Panel,
        write: Callable[[ScriptRequest, int], Coroutine[Any, Any, object]],
    ) -> None:
        self._panel = panel
        self._write = write
        self._task: asyncio.Task[Any] | None = None
        self.t_topic = panel.field(widgets.Textarea, lambda: _("Topic"), rows=2)
        self.d_format = panel.field(widgets.Dropdown, lambda: _("Kind of script"))
        self.d_language = panel.field(
            widgets.Dropdown,
            lambda: _("Language"),
            options=[(LANGUAGES.get(c, n), c) for c, n in SCRIPT_LANGUAGES.items()],
            value=current_language()
            if current_language() in SCRIPT_LANGUAGES
            else "en",
        )
        self.t_tone = panel.field(widgets.Text, lambda: _("Tone (optional)"))
        self.n_number = panel.field(
            widgets.BoundedIntText,
            lambda: _("Versions"),
            value=1,
            min=1,
            max=MAX_VERSIONS,
        )
        self.who = make(widgets.HTML)
        self.b_write = panel.button(lambda: _("✍️ Write"), self._start, "hg-primary")
        choices = (self.d_format, self.d_language, self.t_tone, self.n_number)
        super().__init__(
            (
                self.t_topic,
                row(*choices, css="hg-row-fields"),
                row(self.b_write, self.who),
            ),
            layout=shared_layout(),
        )
        self.add_class("hg-card")
        self.d_language.observe(lambda _change: self.relabel(), "value")
        self.relabel()

    def relabel(self) -> None:
        """Name the formats of the chosen language, and who is going to write."""
        writing = self._panel.shared.writing
        first = [(_("by the topic"), "")]
        formats = [(f.label, f.name) for f in writing.formats(self.d_language.value)]
        options, kept = (*first, *formats), self.d_format.value
        if self.d_format.options != options:
            self.d_format.options = options
            there = any(kept == name for _label, name in options)
            self.d_format.value = kept if there else options[0][1]
        show(self.t_tone, when=writing.has_model)
        text = (
            _("by the model {model}").format(
                model=self._panel.shared.settings.script_model
            )
            if writing.has_model
            else _("from ready formats; set a script model in Settings for any topic")
        )
        self.who.value = markup(text, "hg-hint")

    async def _start(self) -> None:
        order = ScriptRequest(
            topic=self.t_topic.value.strip(),
            format=self.d_format.value or "",
            tone=self.t_tone.value.strip(),
            language=self.d_language.value,
            target_s=self._panel.shared.video_settings.video_duration,
        )
        self.b_write.disabled = True
        try:
            await self._write(order, self.n_number.value)
        finally:
            self.b_write.disabled = False


class Rewriter(widgets.HBox):
    """Buttons that have the present script changed, and one that takes it back.

    Args:
        panel: Whose part it is.
        change: Started with what is wished, and the language to translate into.
        undo: Brings the text back that was there before.
    """

    def __init__(
        self,
        panel: Panel,
        change: Callable[[Change, str], Coroutine[Any, Any, object]],
        undo: Callable[[], Coroutine[Any, Any, object]],
    ) -> None:
        self._panel = panel
        self.shorten = panel.button(
            lambda: _("✂️ Shorten to fit"), partial(change, "shorten", "")
        )
        self.lengthen = panel.button(
            lambda: _("➕ Lengthen to fit"), partial(change, "lengthen", "")
        )
        another = panel.button(
            lambda: _("🔁 Another version"), partial(change, "another", "")
        )
        self.to_english = panel.button(
            lambda: _("🌐 Into English"), partial(change, "translate", "en")
        )
        self.to_russian = panel.button(
            lambda: _("🌐 Into Russian"), partial(change, "translate", "ru")
        )
        self.undo = panel.button(lambda: _("↩ My text"), undo)
        show(self.undo, when=False)
        self._changes = (
            *(self.shorten, self.lengthen, another),
            *(self.to_english, self.to_russian),
        )
        super().__init__((*self._changes, self.undo), layout=shared_layout())
        self.add_class("hg-buttons")

    def offer(self, draft: Draft, *, cut: bool, add: bool, changed: bool) -> None:
        """Show what can be done with a draft.

        Args:
            draft: As it is typed.
            cut: It is too long for its target.
            add: It is too short.
            changed: There is a text to go back to.
        """
        able = self._panel.shared.writing.has_model and bool(draft.script.strip())
        russian = script_language(draft.script) == "ru"
        show(self, when=able or changed)
        for button in self._changes:
            show(button, when=able)
        show(self.shorten, when=able and cut)
        show(self.lengthen, when=able and add)
        show(self.to_english, when=able and russian)
        show(self.to_russian, when=able and not russian)
        show(self.undo, when=changed)

    def busy(self, *, now: bool) -> None:
        """Let nothing be pressed while something is written."""
        for button in (*self._changes, self.undo):
            button.disabled = now


class DraftWriting:
    """Lets texts grow in the editor while nobody else can type there.

    Whatever goes wrong, and when it is stopped: what stood there before comes back.

    Args:
        shared: Writes.
        autosave: What is written into.
        lock: Called with ``now=True`` before and ``now=False`` after.
    """

    def __init__(
        self, shared: SharedState, autosave: Autosave, lock: Callable[..., None]
    ) -> None:
        self._shared = shared
        self._autosave = autosave
        self._lock = lock
        self._task: asyncio.Task[Any] | None = None
        self.before: Draft | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._task is not None

    async def write(self, order: ScriptRequest, number: int) -> None:
        """Have new drafts written and kept."""
        autosave = self._autosave
        async with self._writing() as may:
            if not may:
                return
            last = autosave.kept
            autosave.turn(blank_draft())
            try:
                grow = autosave.texts.grow
                async for draft in self._shared.writing.write(order, number, grow):
                    last, _saved = await self._shared.drafts.save(draft, over=0)
                    autosave.turn(last)
            finally:
                if last:  # what is half written belongs to no draft
                    autosave.turn(last)

    async def change(self, change: Change, language: str) -> None:
        """Have the present script changed; :meth:`take_back` undoes it."""
        autosave = self._autosave
        async with self._writing() as may:
            if not may:
                return
            mine = autosave.typed()
            new = mine
            try:
                new = await self._shared.writing.rewrite(
                    mine, change, language=language or None, on_text=autosave.texts.grow
                )
            finally:  # a voice may have been chosen meanwhile
                looks = autosave.texts.own.typed()
                autosave.texts.fill(new.model_copy(update=looks))
            self.before = mine
        await autosave.edited()

    async def take_back(self) -> None:
        """Bring back the text from before it was changed."""
        if self.before and not self.busy:
            self._autosave.texts.fill(self.before)
            self.before = None
            await self._autosave.edited()

    async def stop(self) -> None:
        """Stop what is being written."""
        if self._task:
            self._task.cancel()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[bool]:
        """Save what is typed and hold the editor; False when it is not to be had."""
        if self.busy:
            yield False
            return
        self._task = asyncio.current_task()
        self._lock(now=True)
        try:
            self._autosave.held = await self._autosave.flush()
            yield self._autosave.held
        finally:
            self._task, self._autosave.held = None, False
            self._lock(now=False)
