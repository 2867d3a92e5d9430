"""Title, script, caption and looks of a draft, and what they amount to."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.config import check_duration
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import NO_BACKGROUND, Draft
from heygen_nb.ui.base import make, row, shared_layout, show
from heygen_nb.ui.html import caption_html, markup, script_html
from heygen_nb.ui.pickers import PickerSlot
from heygen_nb.ui.pictures import label_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Voice
    from heygen_nb.timing import Fit
    from heygen_nb.ui.base import Panel, Work

GROW_S = 0.2  # between two updates of a text that is being written
_LONG = 24  # letters of a name on a button
_MARKS = {"voice": "🎤", "avatar": "🧑", "background": "🖼️"}


class Editor(widgets.VBox):
    """The texts of a draft, and below them its own voice, avatar and background.

    Args:
        panel: Whose editor it is.
        edited: Started after every change that the user makes.
        below_script: What stands under the script.
    """

    def __init__(
        self, panel: Panel, edited: Work, below_script: widgets.Widget
    ) -> None:
        self._filling = False
        self._grown = 0.0
        self.t_title = panel.field(widgets.Text, lambda: _("Title"))
        self.t_script = panel.field(
            widgets.Textarea, lambda: _("Script"), "hg-script", rows=8
        )
        self.t_caption = panel.field(
            widgets.Textarea, lambda: _("Caption (Telegram)"), rows=3
        )
        self._texts = (self.t_title, self.t_script, self.t_caption)
        self.about_script, self.about_caption = make(widgets.HTML), make(widgets.HTML)
        self.own = OwnSettings(panel, edited)
        parts = (
            *(self.t_title, self.t_script, self.about_script, below_script),
            *(self.t_caption, self.about_caption, self.own),
        )
        super().__init__(parts, layout=shared_layout())

        def on_edit(_change: object) -> None:
            if not self._filling:
                panel.spawn(edited)

        for field in self._texts:
            field.observe(on_edit, "value")

    def fill(self, draft: Draft) -> None:
        """Show a draft; this is no change by the user."""
        self._show(draft.title, draft.script, draft.caption)
        self.own.fill(draft)

    def grow(self, title: str, script: str, caption: str) -> None:
        """Show texts that are still being written, a few times a second."""
        if time.monotonic() - self._grown >= GROW_S:
            self._grown = time.monotonic()
            self._show(title, script, caption)

    def lock(self, *, now: bool) -> None:
        """Let nothing be typed or chosen while something is written."""
        for field in self._texts:
            field.disabled = now
        self.own.lock(now=now)

    def _show(self, *texts: str) -> None:
        self._filling = True
        for field, text in zip(self._texts, texts, strict=True):
            field.value = text
        self._filling = False

    def typed(self, base: Draft) -> Draft:
        """Return ``base`` with the texts as they stand here."""
        texts = {
            "title": self.t_title.value,
            "script": self.t_script.value,
            "caption": self.t_caption.value,
        }
        return base.model_copy(update={**texts, **self.own.typed()})

    def count(self, target_s: float, fit: Callable[[str, float], Fit]) -> Fit:
        """Say how long the script is against its target, and the caption."""
        script = self.t_script.value
        self.about_script.value = script_html(script, target_s, fit)
        self.about_caption.value = caption_html(self.t_caption.value)
        return fit(script, target_s)


class OwnSettings(widgets.VBox):
    """What a draft has of its own; everything else is as in the settings.

    Args:
        panel: Whose part it is.
        edited: Started after every change that the user makes.
    """

    def __init__(self, panel: Panel, edited: Work) -> None:
        self._panel = panel
        self._edited = edited
        self._own = dict.fromkeys(_MARKS, "")
        self._filling = False
        self.picker = PickerSlot(panel, self.choose, reset=True)
        self.buttons = {
            field: panel.button(
                partial(self._label, field), partial(self.open_picker, field), "hg-own"
            )
            for field in _MARKS
        }
        self.t_duration = panel.field(
            widgets.Text, lambda: _("⏱️ Seconds"), "hg-seconds", continuous_update=False
        )
        self.t_duration.observe(self._on_duration, "value")
        self._place = panel.place()
        self._script = ""
        self.fit_button = panel.button(
            lambda: _("🎤 Take a voice of this language"),
            self.take_fitting_voice,
            at=self._place,
        )
        show(self.fit_button, when=False)
        buttons = row(*self.buttons.values(), self.t_duration, self.fit_button)
        super().__init__((buttons, self._place, self.picker), layout=shared_layout())
        self.relabel()

    def fill(self, draft: Draft) -> None:
        """Show what a draft has; this is no change by the user."""
        self._own = {field: getattr(draft, field) or "" for field in self._own}
        self._filling = True
        self.t_duration.value = str(draft.duration or "")
        self._filling = False
        self._place.clear()
        self.relabel()
        if draft.voice or draft.avatar:
            self._panel.spawn(self._learn_names)

    async def _learn_names(self) -> None:
        """Show names instead of ids."""
        await self._panel.shared.catalogue.voices()
        await self._panel.shared.catalogue.avatars()
        self.relabel()

    def typed(self) -> dict[str, object]:
        """Return the fields of the draft as they stand here."""
        text = self.t_duration.value.strip()
        own = {field: value or None for field, value in self._own.items()}
        return {**own, "duration": check_duration(text)[0] if text else None}

    def relabel(self) -> None:
        """Show what holds now: the settings may have changed."""
        for field, button in self.buttons.items():
            button.description = self._label(field)
        seconds = self._panel.shared.video_settings.video_duration
        self.t_duration.placeholder = str(seconds)

    def lock(self, *, now: bool) -> None:
        """Let nothing be chosen while something is written: it would be lost."""
        for widget in (*self.buttons.values(), self.t_duration):
            widget.disabled = now
        show(self.picker, when=bool(self.picker.opened) and not now)

    def _label(self, field: str) -> str:
        settings = self._panel.shared.video_settings
        usual = {
            "voice": settings.heygen_voice,
            "avatar": settings.heygen_avatar_id or _("first avatar"),
            "background": settings.heygen_background_url or _("no background"),
        }
        if not settings.heygen_use_avatar and field == "avatar":
            return _("🧑 no avatar")
        value = self._own[field] or usual[field]
        if value == NO_BACKGROUND:
            value = _("no background")
        name_of = self._panel.shared.catalogue.name_of
        text = label_of(value) if field == "background" else name_of(value)
        text = text if len(text) <= _LONG else text[: _LONG - 1] + "…"
        return f"{_MARKS[field]} {text}"

    async def open_picker(self, field: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        own = self._own[field]
        await self.picker.toggle(field, "" if own == NO_BACKGROUND else own)

    async def choose(self, field: str, value: str | None) -> None:
        """Give the draft a value of its own; None for what the settings say."""
        none = NO_BACKGROUND if field == "background" and value is not None else ""
        self._own[field] = value or none
        self.relabel()
        await self._edited()

    async def choose_voice(self, voice: Voice) -> None:
        """Give the draft a voice of its own."""
        await self.choose("voice", await self._panel.shared.wish_for(voice))

    async def take_fitting_voice(self) -> None:
        """Take a voice of the script's language."""
        if voice := await self._panel.shared.fitting_voice(self._draft()):
            await self.choose_voice(voice)

    async def check_voice(self, script: str) -> None:
        """Show whether the voice speaks the language of the script."""
        self._script = script
        shared = self._panel.shared
        wish = self._own["voice"] or shared.video_settings.heygen_voice
        other: object = shared.writing.voice_for(script, wish) != wish
        if script.strip() and not other and shared.catalogue.age() is not None:
            with suppress(HeygenNbError):  # the question before paying will tell
                other = await shared.fitting_voice(self._draft())
        wrong = bool(script.strip() and other)
        show(self.fit_button, when=wrong)
        button = self.buttons["voice"]
        (button.add_class if wrong else button.remove_class)("hg-wrong")
        button.tooltip = _("This voice speaks another language.") if wrong else ""

    def _draft(self) -> Draft:
        return Draft(script=self._script, voice=self._own["voice"] or None)

    def _on_duration(self, _change: object) -> None:
        text = self.t_duration.value.strip()
        if self._filling:
            return
        seconds, why = check_duration(text) if text else ("", "")
        self._filling = True
        self.t_duration.value = str(seconds)
        self._filling = False
        self._place.clear()
        if why:
            told = f"⏱️ {text} → {seconds}: {why}."
            self._place.tell(lambda: markup(told, "warn", "div", role="status"))
        self._panel.spawn(self._edited)
