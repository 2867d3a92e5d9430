"""Scripts that are written for the user: new ones by topic, and changes to one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import LANGUAGES, current_language, gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES, Draft
from heygen_nb.scripts import Change, ScriptRequest
from heygen_nb.timing import Fit, script_language
from heygen_nb.ui.base import Actions, Part, Words, Work, row, show
from heygen_nb.ui.editor import blank_draft

if TYPE_CHECKING:
    from heygen_nb.ui.drafts import DraftsPanel

MAX_VERSIONS = 10


class WriterCard(Part):
    """Topic, format, tone, language and number of versions → drafts."""

    def __init__(self, panel: DraftsPanel) -> None:
        self._panel: DraftsPanel = panel
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
        await self._panel.rewriter.write(order, self.n_number.value)


class Rewriter(Actions):
    """Lets texts grow in the editor while nobody else can type there.

    Its buttons have the present script changed, and take that back. Whatever goes
    wrong, and when it is stopped: what stood there before comes back.

    Args:
        panel: Whose part it is.

    Attributes:
        before: What stood there before it was changed.
    """

    def __init__(self, panel: DraftsPanel) -> None:
        change = self.change
        works: dict[str, tuple[Words, Work]] = {
            "shorten": (_("✂️ Shorten to fit"), partial(change, "shorten")),
            "lengthen": (_("➕ Lengthen to fit"), partial(change, "lengthen")),
            "another": (_("🔁 Another version"), partial(change, "another")),
            "en": (_("🌐 Into English"), partial(change, "translate", "en")),
            "ru": (_("🌐 Into Russian"), partial(change, "translate", "ru")),
            "undo": (_("↩ My text"), self.take_back),
        }
        self._page: DraftsPanel = panel
        self._task: asyncio.Task[Any] | None = None
        self.before: Draft | None = None
        super().__init__(panel, works)

    def suggest(self, draft: Draft, fit: Fit) -> None:
        """Show what can be done with a draft.

        Args:
            draft: As it is typed.
            fit: How near its script comes to its length.
        """
        names = ["undo"] if self.before else []
        if self._page.shared.writing.has_model and draft.script.strip():
            russian = script_language(draft.script) == "ru"
            names += ["another", "en" if russian else "ru"]
            names += ["shorten"] if fit.cut_words else []
            names += ["lengthen"] if fit.add_words else []
        self.offer(*names)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._task is not None

    async def write(self, order: ScriptRequest, number: int) -> None:
        """Have new drafts written and kept."""
        shared, editor = self._page.shared, self._page.editor

        async def write() -> None:
            last = editor.kept
            editor.turn(blank_draft())
            try:
                async for draft in shared.writing.write(order, number, editor.grow):
                    last, _saved = await shared.drafts.save(draft, over=0)
                    editor.turn(last)
            finally:  # what is half written belongs to no draft
                editor.turn(last)

        await self._alone(write)

    async def change(self, change: Change, language: str | None = None) -> None:
        """Have the present script changed; :meth:`take_back` undoes it."""
        editor, rewrite = self._page.editor, self._page.shared.writing.rewrite

        async def write() -> None:
            mine = editor.draft
            try:
                new = await rewrite(
                    mine, change, language=language, on_text=editor.grow
                )
                # only the texts: a voice may have been chosen meanwhile
                editor.change(title=new.title, script=new.script, caption=new.caption)
                self.before = mine
            finally:
                editor.fill(editor.draft)

        await self._alone(write)

    async def take_back(self) -> None:
        """Bring back the text from before it was changed."""
        if self.before and not self.busy:
            self._page.editor.fill(self.before)
            self.before = None
            await self._page.editor.edited()

    async def stop(self) -> None:
        """Stop what is being written."""
        if self._task:
            self._task.cancel()

    async def _alone(self, write: Work) -> None:
        """Save what is typed, and let nobody type until something is written."""
        if self.busy:
            return
        editor, self._task = self._page.editor, asyncio.current_task()
        self._page.lock(now=True)
        try:
            editor.held = await editor.flush()
            if editor.held:
                await write()
        finally:
            self._task, editor.held = None, False
            self._page.lock(now=False)
            if editor.changed:
                self._page.spawn(editor.edited)
