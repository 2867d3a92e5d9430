"""Scripts that are written for the user: new ones by topic, and changes to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import LANGUAGES, current_language
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts import ScriptRequest
from heygen_nb.timing import script_language
from heygen_nb.ui._base import make, shared_layout, show
from heygen_nb.ui.markup import markup

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from heygen_nb.models import Draft
    from heygen_nb.scripts import Change
    from heygen_nb.ui._base import Panel

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
        self._who = make(widgets.HTML)
        self.b_write = panel.button(lambda: _("✍️ Write"), self._start, "hg-primary")
        choices = (self.d_format, self.d_language, self.t_tone, self.n_number)
        super().__init__(
            (
                self.t_topic,
                make(widgets.HBox, "hg-row-fields", children=choices),
                make(widgets.HBox, "hg-buttons", children=(self.b_write, self._who)),
            ),
            layout=shared_layout(),
        )
        self.add_class("hg-card")
        self.d_language.observe(lambda _change: self.relabel(), "value")
        self.relabel()

    def relabel(self) -> None:
        """Name the formats of the chosen language, and who is going to write."""
        writing = self._panel.desk.writing
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
                model=self._panel.desk.settings.script_model
            )
            if writing.has_model
            else _("from ready formats; set a script model in Settings for any topic")
        )
        self._who.value = markup(text, "hg-hint")

    async def _start(self) -> None:
        order = ScriptRequest(
            topic=self.t_topic.value.strip(),
            format=self.d_format.value or "",
            tone=self.t_tone.value.strip(),
            language=self.d_language.value,
            target_s=self._panel.desk.video_settings.video_duration,
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
        self._shorten = panel.button(
            lambda: _("✂️ Shorten to fit"), partial(change, "shorten", "")
        )
        self._lengthen = panel.button(
            lambda: _("➕ Lengthen to fit"), partial(change, "lengthen", "")
        )
        another = panel.button(
            lambda: _("🔁 Another version"), partial(change, "another", "")
        )
        self._to_english = panel.button(
            lambda: _("🌐 Into English"), partial(change, "translate", "en")
        )
        self._to_russian = panel.button(
            lambda: _("🌐 Into Russian"), partial(change, "translate", "ru")
        )
        self._undo = panel.button(lambda: _("↩ My text"), undo)
        show(self._undo, when=False)
        self._changes = (
            *(self._shorten, self._lengthen, another),
            *(self._to_english, self._to_russian),
        )
        super().__init__((*self._changes, self._undo), layout=shared_layout())
        self.add_class("hg-buttons")

    def offer(self, draft: Draft, *, cut: bool, add: bool, changed: bool) -> None:
        """Show what can be done with a draft.

        Args:
            draft: As it is typed.
            cut: It is too long for its target.
            add: It is too short.
            changed: There is a text to go back to.
        """
        able = self._panel.desk.writing.has_model and bool(draft.script.strip())
        russian = script_language(draft.script) == "ru"
        show(self, when=able or changed)
        for button in self._changes:
            show(button, when=able)
        show(self._shorten, when=able and cut)
        show(self._lengthen, when=able and add)
        show(self._to_english, when=able and russian)
        show(self._to_russian, when=able and not russian)
        show(self._undo, when=changed)

    def busy(self, *, now: bool) -> None:
        """Let nothing be pressed while something is written."""
        for button in (*self._changes, self._undo):
            button.disabled = now
