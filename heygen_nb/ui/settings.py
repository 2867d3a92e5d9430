"""Settings: the video, the connections, the language; each change explained."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets as widgets

from heygen_nb.config import Settings, check_duration
from heygen_nb.i18n import LANGUAGES
from heygen_nb.i18n import gettext as _
from heygen_nb.models import ASPECT_RATIOS
from heygen_nb.ui._base import Panel, make, show
from heygen_nb.ui.casting import PickerSlot
from heygen_nb.ui.connections import Connections
from heygen_nb.ui.markup import markup

LENGTH_MODES = ("estimate", "exact")
_SETTING = {
    "voice": "heygen_voice",
    "avatar": "heygen_avatar_id",
    "background": "heygen_background_url",
}


class SettingsPanel(Panel):
    """The settings of config.yaml, and the keys of ``.env``.

    Attributes:
        t_video_duration: Wished length in seconds; any text is answered.
    """

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._filled: dict[str, Any] = {}
        self.connections = Connections(self)
        video, look = self._video_card(), self._look_card()
        left = make(widgets.VBox, "hg-grow", children=(video, look))
        right = make(
            widgets.VBox,
            "hg-grow",
            children=(
                self.connections,
                self._money_card(),
                self._general_card(),
            ),
        )
        buttons = (
            self.button(lambda: _("💾 Save all settings"), self.save_all, "hg-primary"),
            self.button(lambda: _("Reset"), self.reset),
        )
        self._set_aside = self.button(
            lambda: _("Put the broken file aside"), self._put_aside
        )
        return (
            self._set_aside,
            make(widgets.HBox, "hg-columns", children=(left, right)),
            make(widgets.HBox, "hg-buttons", children=buttons),
        )

    def _video_card(self) -> widgets.VBox:
        self.c_use_avatar = self.field(
            widgets.Checkbox, lambda: _("Use avatar"), "hg-check", indent=False
        )
        self.t_background_url = self.field(
            widgets.Text, lambda: _("🖼️ Background URL (optional)")
        )
        self.t_voice = self.field(widgets.Combobox, lambda: _("🎤 HeyGen voice"))
        self.t_video_duration = self.field(
            widgets.Text, lambda: _("⏱️ Video duration (seconds)"), "hg-short"
        )
        self._voices = self.hint(self._voices_hint)
        self._slot = PickerSlot(self, self._choose, reset=False)
        return _card(
            self.heading(lambda: _("🎥 HeyGen video settings")),
            self.c_use_avatar,
            self.hint(lambda: _("💡 When off: background only, no avatar")),
            self._with_picker(self.t_background_url, "background"),
            self.hint(
                lambda: _(
                    "💡 Upload it somewhere (Imgur, Cloudinary) and paste the URL,"
                    " or upload it here"
                )
            ),
            self._with_picker(self.t_voice, "voice"),
            self._voices,
            self._slot,
            self.t_video_duration,
            self.hint(lambda: _("Recommended: 15-60 seconds")),
        )

    def _with_picker(self, field: widgets.Widget, name: str) -> widgets.HBox:
        """Put the button beside a field that opens its picker."""
        button = self.button(lambda: _("Choose…"), partial(self._open_picker, name))
        return make(widgets.HBox, "hg-with-picker", children=(field, button))

    async def _open_picker(self, name: str) -> None:
        slot = self._look_slot if name == "avatar" else self._slot
        await slot.toggle(name, self._fields()[_SETTING[name]].value)

    async def _choose(self, name: str, value: str | None) -> None:
        self._fields()[_SETTING[name]].value = value or ""
        self.tell(_("Chosen; press “Save all settings” to keep it."))

    def _look_card(self) -> widgets.VBox:
        self.t_avatar_id = self.field(widgets.Text, lambda: _("🧑 Avatar look id"))
        self._look_slot = PickerSlot(self, self._choose, reset=False)
        self.d_format = self.field(
            widgets.Dropdown, lambda: _("Format"), "hg-short", options=ASPECT_RATIOS
        )
        self.c_captions = self.field(
            widgets.Checkbox, lambda: _("Captions"), "hg-check", indent=False
        )
        return _card(
            self.heading(lambda: _("🖼️ Picture")),
            self._with_picker(self.t_avatar_id, "avatar"),
            self.hint(lambda: _("Empty: your first own avatar, else a public one")),
            self._look_slot,
            self.d_format,
            self.c_captions,
        )

    def _money_card(self) -> widgets.VBox:
        self.d_length_mode = self.field(
            widgets.Dropdown, lambda: _("Length"), "hg-short", options=LENGTH_MODES
        )
        limit = {"min": 0.0, "max": 1e6, "step": 0.5}
        self.n_per_render = self.field(
            widgets.BoundedFloatText,
            lambda: _("At most for one render (0: no limit)"),
            "hg-short",
            **limit,
        )
        self.n_per_day = self.field(
            widgets.BoundedFloatText,
            lambda: _("At most for a day (0: no limit)"),
            "hg-short",
            **limit,
        )
        return _card(
            self.heading(lambda: _("💰 Length and money")),
            self.d_length_mode,
            self.hint(
                lambda: _(
                    "💡 Exact: the speech is made and paid first,"
                    " about a hundredth of the video"
                )
            ),
            self.n_per_render,
            self.n_per_day,
        )

    def _general_card(self) -> widgets.VBox:
        self.d_language = self.field(
            widgets.Dropdown,
            lambda: _("Language"),
            "hg-short",
            options=(
                ("Auto", "auto"),
                *((own, code) for code, own in LANGUAGES.items()),
            ),
        )
        self.d_language.observe(self._on_language, "value")
        return _card(self.heading(lambda: _("🌐 General")), self.d_language)

    async def _begin(self) -> None:
        self._fill()
        if self.desk.broken:
            self.tell_error(self.desk.broken)
        await self._load_voices()

    def _heard(self, topic: str) -> None:
        if topic == "settings":
            self._fill()

    def relabel(self) -> None:
        """Put all words into the present language."""
        super().relabel()
        self.connections.show_states()

    def _fields(self) -> dict[str, widgets.Widget]:
        return {
            "heygen_use_avatar": self.c_use_avatar,
            "heygen_background_url": self.t_background_url,
            "heygen_voice": self.t_voice,
            "video_duration": self.t_video_duration,
            "heygen_avatar_id": self.t_avatar_id,
            "aspect_ratio": self.d_format,
            "captions": self.c_captions,
            "length_mode": self.d_length_mode,
            "max_cost_per_render": self.n_per_render,
            "max_cost_per_day": self.n_per_day,
            **self.connections.fields,
        }

    def _fill(self, *, all_of_it: bool = False) -> None:
        """Show what is stored; what is typed and not yet saved stays."""
        settings = self.desk.video_settings
        for key, field in self._fields().items():
            value = getattr(settings, key)
            value = value if isinstance(value, bool | float) else str(value)
            if all_of_it or field.value == self._filled.get(key, field.value):
                field.value = value
            self._filled[key] = value
        self.d_language.value = settings.language
        show(self._set_aside, when=bool(self.desk.broken))
        self.connections.show_states()

    def _voices_hint(self) -> str:
        names = self.t_voice.options[:3] or ("en-US-Neural2-F", "en-GB-Neural2-B")
        return _("Available voices: {voices} and others").format(
            voices=", ".join(names)
        )

    async def _load_voices(self) -> None:
        voices = await self.desk.catalogue.voices()
        self.t_voice.options = tuple(dict.fromkeys(voice.name for voice in voices))
        self._voices.value = markup(self._voices_hint(), "hg-hint")

    async def save_all(self) -> None:
        """Save all settings and say what changed and why."""
        before = self.desk.video_settings
        changes: dict[str, Any] = {k: f.value for k, f in self._fields().items()}
        typed = str(changes["video_duration"]).strip()
        changes["video_duration"], why = check_duration(typed)
        await self.connections.save_secrets()
        await self.desk.save_settings(**changes)
        self._fill(all_of_it=True)
        lines = [_("Saved.")]
        if why:
            lines.append(f"⏱️ {typed} → {changes['video_duration']}: {why}.")
        elif before.video_duration != changes["video_duration"]:
            lines.append(f"⏱️ {before.video_duration} → {changes['video_duration']}.")
        self.tell(" ".join(lines), "warn" if why else "ok")

    async def reset(self) -> None:
        """Give all fields their defaults, once the user has agreed."""
        question = _("Put all settings of this page back to their defaults?")
        if await self.ask(question + " " + _("Keys stay as they are."), _("Reset")):
            defaults = Settings.model_validate({})
            keys = self._fields()
            await self.desk.save_settings(**{k: getattr(defaults, k) for k in keys})
            self._fill(all_of_it=True)
            self.tell(_("All settings have their defaults again."))

    async def _put_aside(self) -> None:
        question = _("Rename the broken config.yaml and start with the defaults?")
        if await self.ask(question, _("Rename it")):
            await self.desk.set_aside_broken_config()
            self.tell(_("The broken file is kept as config.broken.yaml."))

    async def _set_language(self) -> None:
        await self.desk.set_language(self.d_language.value)

    def _on_language(self, _change: object) -> None:
        if self.d_language.value != self.desk.settings.language:
            self.spawn(self._set_language)


def _card(*children: widgets.Widget) -> widgets.VBox:
    return make(widgets.VBox, "hg-card", children=children)
