"""Settings: the video, the connections, the language; each change explained."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import ipywidgets as widgets

from heygen_nb.config import SECRETS, Settings, check_duration
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import LANGUAGES
from heygen_nb.i18n import gettext as _
from heygen_nb.posting import Posting
from heygen_nb.ui.base import Panel, column, make, row, show
from heygen_nb.ui.html import failure_html, markup, money_text
from heygen_nb.ui.pickers import PickerSlot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.ui.base import Words

_SETTING_OF = {
    "voice": "heygen_voice",
    "avatar": "heygen_avatar_id",
    "background": "heygen_background_url",
}


class SettingsPanel(Panel):
    """The settings of config.yaml, and the keys of ``.env``.

    Attributes:
        fields: The input of each setting, by its key in config.yaml.
        secrets: The input of each key or token; what is stored is never shown.
        t_video_duration: Wished length in seconds; any text is answered.
    """

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._filled: dict[str, Any] = {}
        self.fields: dict[str, widgets.Widget] = {}
        self.secrets: dict[str, widgets.Password] = {}
        left = column(self._video_card(), self._look_card(), css="hg-grow")
        right = column(
            self._heygen_card(),
            self._telegram_card(),
            self._script_card(),
            self._money_card(),
            self._general_card(),
            css="hg-grow",
        )
        saved = self.place()
        self.set_aside_button = self.button(
            lambda: _("Put the broken file aside"), self.set_aside
        )
        return (
            self.set_aside_button,
            row(left, right, css="hg-columns"),
            row(
                self.button(
                    lambda: _("💾 Save all settings"),
                    self.save_all,
                    "hg-primary",
                    at=saved,
                ),
                self.button(lambda: _("Reset"), self.reset, at=saved),
                css="hg-buttons hg-foot",
            ),
            saved,
        )

    def _setting(
        self, key: str, kind: type[Any], words: Words, css: str = "", **traits: Any
    ) -> Any:
        """Make the input of a setting; what can be chosen is what config allows."""
        field = self.fields[key] = self.field(kind, words, css, **traits)
        if kind is widgets.Dropdown:
            field.options = _choices(key)
            self.say(field, "options", partial(_choices, key))
        return field

    def _secret(self, key: str, words: Words) -> widgets.HBox:
        """Make the input of a key, and the button that removes it."""
        field = self.secrets[key] = self.field(widgets.Password, words)
        remove = self.button(lambda: _("Remove"), partial(self.remove_secret, key))
        self.say(remove, "tooltip", lambda: _("Forget this key"))
        self.removers[key] = remove
        return row(field, remove, css="hg-entry")

    def _video_card(self) -> widgets.VBox:
        self.c_use_avatar = self._setting(
            "heygen_use_avatar", widgets.Checkbox, lambda: _("Use avatar")
        )
        self.t_background_url = self._setting(
            "heygen_background_url",
            widgets.Text,
            lambda: _("🖼️ Background URL (optional)"),
        )
        self.t_voice = self._setting(
            "heygen_voice", widgets.Combobox, lambda: _("🎤 HeyGen voice")
        )
        self.t_video_duration = self._setting(
            "video_duration",
            widgets.Text,
            lambda: _("⏱️ Video duration (seconds)"),
            "hg-short",
        )
        self.duration_place = self.place()
        self.voices_hint = self.hint(self._voices_words)
        self.picker = PickerSlot(self, self._choose, reset=False)
        return column(
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
            self.voices_hint,
            self.picker,
            self.t_video_duration,
            self.duration_place,
            self.hint(lambda: _("Recommended: 15-60 seconds")),
            css="hg-card",
        )

    def _with_picker(self, field: widgets.Widget, name: str) -> widgets.HBox:
        """Put the button beside a field that opens its picker."""
        button = self.button(lambda: _("Choose…"), partial(self.open_picker, name))
        return row(field, button, css="hg-entry")

    async def open_picker(self, name: str) -> None:
        """Open the picker of ``voice``, ``avatar`` or ``background``, or close it."""
        slot = self.look_picker if name == "avatar" else self.picker
        await slot.toggle(name, self.fields[_SETTING_OF[name]].value)

    async def _choose(self, name: str, value: str | None) -> None:
        self.fields[_SETTING_OF[name]].value = value or ""
        self.tell(lambda: _("Chosen; press “Save all settings” to keep it."))

    def _look_card(self) -> widgets.VBox:
        self.t_avatar_id = self._setting(
            "heygen_avatar_id", widgets.Text, lambda: _("🧑 Avatar look id")
        )
        self.look_picker = PickerSlot(self, self._choose, reset=False)
        return column(
            self.heading(lambda: _("🖼️ Picture")),
            self._with_picker(self.t_avatar_id, "avatar"),
            self.hint(lambda: _("Empty: your first own avatar, else a public one")),
            self.look_picker,
            self._setting(
                "aspect_ratio", widgets.Dropdown, lambda: _("Format"), "hg-short"
            ),
            self._setting("captions", widgets.Dropdown, lambda: _("Captions")),
            css="hg-card",
        )

    def _heygen_card(self) -> widgets.VBox:
        self.removers: dict[str, widgets.Button] = {}
        self.heygen_state = make(widgets.HTML)
        return column(
            self.heading(lambda: _("🔑 HeyGen")),
            self._secret("heygen_api_key", lambda: _("HeyGen API key")),
            self.heygen_state,
            self.button(lambda: _("Test connection"), self.test_heygen),
            css="hg-card",
        )

    def _telegram_card(self) -> widgets.VBox:
        self.telegram_state = make(widgets.HTML)
        return column(
            self.heading(lambda: _("📱 Telegram")),
            self._secret("telegram_bot_token", lambda: _("Telegram bot token")),
            self._setting("telegram_chat_id", widgets.Text, lambda: _("Chat")),
            self.hint(lambda: _("Such as @my_channel or -1001234567890")),
            self._setting(
                "telegram_auto_send",
                widgets.Checkbox,
                lambda: _("Send each video by itself"),
            ),
            self._setting(
                "telegram_thread_id",
                widgets.IntText,
                lambda: _("Topic of a forum (0: none)"),
                "hg-short",
            ),
            self._setting(
                "telegram_cover_s",
                widgets.FloatText,
                lambda: _("Second shown before it plays (0: the first)"),
                "hg-short",
            ),
            self._setting(
                "telegram_start_s",
                widgets.IntText,
                lambda: _("Second at which it begins to play"),
                "hg-short",
            ),
            self._setting(
                "ai_label",
                widgets.Dropdown,
                lambda: _("Say that AI made it"),
                "hg-short",
            ),
            self.telegram_state,
            self.button(lambda: _("Test connection"), self.test_telegram),
            css="hg-card",
        )

    def _script_card(self) -> widgets.VBox:
        return column(
            self.heading(lambda: _("✍️ Script writing")),
            self._setting(
                "script_model", widgets.Text, lambda: _("Script model (optional)")
            ),
            self.hint(
                lambda: _("A model at {address}. Empty: ready formats only").format(
                    address=self.shared.settings.script_base_url
                )
            ),
            self._secret("script_api_key", lambda: _("Key of the script model")),
            css="hg-card",
        )

    def _money_card(self) -> widgets.VBox:
        self.d_length_mode = self._setting(
            "length_mode", widgets.Dropdown, lambda: _("Length"), "hg-short"
        )
        limit = {"min": 0.0, "max": 1e6, "step": 0.5}
        per_render = self._setting(
            "max_cost_per_render",
            widgets.BoundedFloatText,
            lambda: _("At most for one render (0: no limit)"),
            "hg-short",
            **limit,
        )
        self.n_per_day = self._setting(
            "max_cost_per_day",
            widgets.BoundedFloatText,
            lambda: _("At most for a day (0: no limit)"),
            "hg-short",
            **limit,
        )
        return column(
            self.heading(lambda: _("💰 Length and money")),
            self.d_length_mode,
            self.hint(
                lambda: _(
                    "💡 Exact: the speech is made and paid first,"
                    " about a hundredth of the video"
                )
            ),
            per_render,
            self.n_per_day,
            css="hg-card",
        )

    def _general_card(self) -> widgets.VBox:
        self.d_language = self.field(
            widgets.Dropdown, lambda: _("Language"), "hg-short", options=(("", "auto"),)
        )
        self.say(self.d_language, "options", _languages)
        self.d_language.observe(self._on_language, "value")
        return column(
            self.heading(lambda: _("🌐 General")), self.d_language, css="hg-card"
        )

    async def _begin(self) -> None:
        self.fill()
        if self.shared.broken:
            self.tell_error(self.shared.broken)
        await self._list_voices()

    async def _list_voices(self) -> None:
        voices = await self.shared.catalogue.voices()
        self.t_voice.options = tuple(dict.fromkeys(voice.name for voice in voices))
        self.voices_hint.value = markup(self._voices_words(), "hg-hint")

    def _heard(self, topic: str) -> None:
        if topic == "settings":
            self.fill()
        elif topic == "account":
            self.t_voice.options = ()
            self.picker.forget()
            self.look_picker.forget()
            self.spawn(self._list_voices)

    def relabel(self) -> None:
        """Put all words into the present language."""
        dropdowns = [
            field
            for field in (*self.fields.values(), self.d_language)
            if isinstance(field, widgets.Dropdown)
        ]
        chosen = [field.value for field in dropdowns]
        super().relabel()
        for field, value in zip(dropdowns, chosen, strict=True):
            field.value = value  # new options choose the first one
        self._show_secrets()

    def fill(self, *, all_of_it: bool = False) -> None:
        """Show what is stored; what is typed and not yet saved stays."""
        settings = self.shared.video_settings
        for key, field in self.fields.items():
            value = getattr(settings, key)
            value = value if isinstance(value, bool | float) else str(value)
            if all_of_it or field.value == self._filled.get(key, field.value):
                field.value = value
            self._filled[key] = value
        self.d_language.value = settings.language
        show(self.set_aside_button, when=bool(self.shared.broken))
        self._show_secrets()

    def _show_secrets(self) -> None:
        for key, field in self.secrets.items():
            is_set = getattr(self.shared.settings, key) is not None
            field.placeholder = _("●●●●●●●● set") if is_set else _("not set")
            show(self.removers[key], when=is_set)

    def _voices_words(self) -> str:
        names = self.t_voice.options[:3] or ("en-US-Neural2-F", "en-GB-Neural2-B")
        return _("Available voices: {voices} and others").format(
            voices=", ".join(names)
        )

    async def save_all(self) -> None:
        """Save all settings and say what changed and why."""
        before = self.shared.video_settings.video_duration
        changes: dict[str, Any] = {k: f.value for k, f in self.fields.items()}
        typed = str(changes["video_duration"]).strip()
        changes["video_duration"], why = check_duration(typed)
        for key, field in self.secrets.items():
            if field.value:
                secret, field.value = field.value, ""
                await self.shared.save_secret(key, secret.strip())
        await self.shared.save_settings(**changes)
        self.fill(all_of_it=True)
        self.tell(lambda: _("Saved."))
        self.duration_place.clear()
        after = changes["video_duration"]
        if why:
            self._explain(f"⏱️ {typed} → {after}: {why}.", "warn")
        elif before != after:
            self._explain(f"⏱️ {before} → {after}.", "ok")

    def _explain(self, text: str, css: str) -> None:
        """Say beside its field what became of the duration."""
        self.duration_place.tell(lambda: markup(text, css, "div", role="status"))

    async def remove_secret(self, key: str) -> None:
        """Forget a stored key, once the user has agreed."""
        question = _("Forget the stored {name}?").format(name=SECRETS[key])
        if await self.ask(question, _("Forget it")):
            await self.shared.save_secret(key, "")
            self.tell(lambda: _("It is forgotten."))

    async def reset(self) -> None:
        """Give all fields their defaults, once the user has agreed."""
        question = _("Put all settings of this page back to their defaults?")
        if await self.ask(question + " " + _("Keys stay as they are."), _("Reset")):
            defaults = Settings.model_validate({})
            await self.shared.save_settings(
                **{key: getattr(defaults, key) for key in self.fields}
            )
            self.fill(all_of_it=True)
            self.tell(lambda: _("All settings have their defaults again."))

    async def set_aside(self) -> None:
        """Rename a config.yaml that cannot be read, once the user has agreed."""
        question = _("Rename the broken config.yaml and start with the defaults?")
        if await self.ask(question, _("Rename it")):
            await self.shared.set_aside_broken_config()
            self.tell(lambda: _("The broken file is kept as config.broken.yaml."))

    def _on_language(self, _change: object) -> None:
        if self.d_language.value != self.shared.settings.language:
            self.spawn(partial(self.shared.set_language, self.d_language.value))

    # What is typed is tried, saved or not

    async def test_heygen(self) -> None:
        """Ask HeyGen for the balance and show it."""
        await self._test(self.heygen_state, self._heygen_works)

    async def test_telegram(self) -> None:
        """Ask Telegram for bot and chat and show them."""
        await self._test(self.telegram_state, self._telegram_works)

    def _typed(self, *keys: str) -> dict[str, Any]:
        inputs = {**self.fields, **self.secrets}
        return {key: text for key in keys if (text := inputs[key].value.strip())}

    async def _heygen_works(self) -> str:
        async with self.shared.trial(**self._typed("heygen_api_key")) as (
            account,
            _now,
        ):
            me = await account.client.me()
        return money_text(me.balance) or _("balance not told")

    async def _telegram_works(self) -> str:
        typed = self._typed("telegram_bot_token", "telegram_chat_id")
        async with self.shared.trial(**typed) as (account, settings):
            return await Posting(settings, account).check()

    async def _test(
        self, state: widgets.HTML, probe: Callable[[], Awaitable[str]]
    ) -> None:
        state.value = markup(_("Testing…"), "hg-hint")
        try:
            found = await probe()
        except HeygenNbError as error:
            state.value = failure_html(error.message, error.hint, None)
        else:
            works = _("✓ works · {what}").format(what=found)
            state.value = markup(works, "ok", role="status")


def _choices(key: str) -> tuple[tuple[str, str], ...]:
    """Return what config allows for a setting, in the user's words."""
    values = get_args(Settings.model_fields[key].annotation)
    return tuple((_WORDS.get(value, partial(str, value))(), value) for value in values)


_WORDS: dict[str, Callable[[], str]] = {
    "estimate": lambda: _("estimated"),
    "exact": lambda: _("exact"),
    "own": lambda: _("made here, free"),
    "heygen": lambda: _("by HeyGen"),
    "off": lambda: _("none"),
    "caption": lambda: _("in the caption"),
    "metadata": lambda: _("in the file"),
    "both": lambda: _("in both"),
}


def _languages() -> tuple[tuple[str, str], ...]:
    return ((_("as the system"), "auto"), *((n, code) for code, n in LANGUAGES.items()))
