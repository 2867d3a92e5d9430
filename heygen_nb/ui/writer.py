"""Scripts that are written for the user: new ones by topic, and changes to one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import LANGUAGES, current_language, gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES, Draft
from heygen_nb.scripts import Change, ScriptRequest
from heygen_nb.timing import Fit, script_language
from heygen_nb.ui.base import Actions, Panel, Part, Words, Work, row, show
from heygen_nb.ui.editor import Autosave, blank_draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from heygen_nb.ui.state import SharedState

MAX_VERSIONS = 10


class WriterCard(Part):
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
        self._panel, self._write = panel, write
        language = current_language()
        self.t_topic = panel.field(widgets.Textarea, _("Topic"), rows=2)
        self.d_language = panel.field(
            widgets.Dropdown,
            _("Language"),
            options=[(LANGUAGES.get(c, n), c) for c, n in SCRIPT_LANGUAGES.items()],
            value=language if language in SCRIPT_LANGUAGES else "en",
            on=self._other_language,
        )
        self.d_format = panel.field(
            widgets.Dropdown, _("Kind of script"), options=self._formats
        )
        self.t_tone = panel.field(widgets.Text, _("Tone (optional)"))
        self.n_number = panel.field(
            widgets.BoundedIntText, _("Versions"), value=1, min=1, max=MAX_VERSIONS
        )
        self.who = panel.hint(self._who)
        place = panel.place()
        self.b_write = panel.button(_("✍️ Write"), self._start, "hg-primary", at=place)
        choices = (self.d_format, self.d_language, self.t_tone, self.n_number)
        fields = row(*choices, css="hg-row-fields")
        super().__init__(
            self.t_topic, fields, row(self.b_write, self.who), place, css="hg-card"
        )

    async def _other_language(self) -> None:
        self._panel.relabel()  # it has other formats

    def _formats(self) -> tuple[tuple[str, str], ...]:
        formats = self._panel.shared.writing.formats(self.d_language.value)
        return ((_("by the topic"), ""), *((f.label, f.name) for f in formats))

    def _who(self) -> str:
        """Return who is going to write; only a model can keep to a tone."""
        shared = self._panel.shared
        show(self.t_tone, when=shared.writing.has_model)
        if not shared.writing.has_model:
            return _("from ready formats; set a script model in Settings for any topic")
        return _("by the model {model}").format(model=shared.settings.script_model)

    async def _start(self) -> None:
        order = ScriptRequest(
            topic=self.t_topic.value.strip(),
            format=self.d_format.value or "",
            tone=self.t_tone.value.strip(),
            language=self.d_language.value,
            target_s=self._panel.shared.video_settings.video_duration,
        )
        await self._write(order, self.n_number.value)


class Rewriter(Actions):
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
        undo: Work,
    ) -> None:
        works: dict[str, tuple[Words, Work]] = {
            "shorten": (_("✂️ Shorten to fit"), partial(change, "shorten", "")),
            "lengthen": (_("➕ Lengthen to fit"), partial(change, "lengthen", "")),
            "another": (_("🔁 Another version"), partial(change, "another", "")),
            "en": (_("🌐 Into English"), partial(change, "translate", "en")),
            "ru": (_("🌐 Into Russian"), partial(change, "translate", "ru")),
            "undo": (_("↩ My text"), undo),
        }
        self._writing = panel.shared.writing
        super().__init__(panel, works)

    def suggest(self, draft: Draft, fit: Fit, *, changed: bool) -> None:
        """Show what can be done with a draft.

        Args:
            draft: As it is typed.
            fit: How near its script comes to its length.
            changed: There is a text to go back to.
        """
        names = ["undo"] if changed else []
        if self._writing.has_model and draft.script.strip():
            russian = script_language(draft.script) == "ru"
            names += ["another", "en" if russian else "ru"]
            names += ["shorten"] if fit.cut_words else []
            names += ["lengthen"] if fit.add_words else []
        self.offer(*names)


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
