"""Settings: the video, the connections, the language; each change explained."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, get_args

import ipywidgets as widgets

from heygen_nb.config import SECRETS, Settings, check_duration
from heygen_nb.i18n import LANGUAGES, gettext as _
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import purse_of
from heygen_nb.ui.base import Actions, Panel, column, make, said, show
from heygen_nb.ui.finishing import PronounceCard
from heygen_nb.ui.html import dotted, duration_words, money_text
from heygen_nb.ui.pickers import SETTINGS, PickerSlot

# The first line of each text is the label, the second one a hint.
_VIDEO = {
    "heygen_use_avatar": _("Use avatar\n💡 When off: background only, no avatar"),
    "heygen_background_url": _(
        "🖼️ Background URL (optional)\n💡 Upload it somewhere (Imgur, Cloudinary) and"
        " paste the URL, or upload it here"
    ),
    "heygen_voice": _("🎤 HeyGen voice\nAvailable voices: {voices} and others"),
    "video_duration": _("⏱️ Video duration (seconds)\nRecommended: 15-60 seconds"),
}
_LOOK = {
    "heygen_avatar_id": _(
        "🧑 Avatar look id\nEmpty: your first own avatar, else a public one"
    ),
    "aspect_ratio": _("Format"),
    "captions": _("Captions"),
    "no_avatar": _("Films without an avatar\n💡 Made here: only the speech is paid"),
}
_HEYGEN = {"heygen_api_key": _("HeyGen API key")}
_TELEGRAM = {
    "telegram_bot_token": _("Telegram bot token"),
    "telegram_chat_id": _("Chat\nSuch as @my_channel or -1001234567890"),
    "telegram_auto_send": _("Send each video by itself"),
}
_POSTS = {
    "telegram_thread_id": _("Topic of a forum (0: none)"),
    "telegram_cover_s": _("Second shown before it plays (0: the first)"),
    "telegram_start_s": _("Second at which it begins to play"),
    "ai_label": _("Say that AI made it"),
}
_SCRIPT = {
    "script_model": _(
        "Script model (optional)\nA model at {address}. Empty: ready formats only"
    ),
    "script_api_key": _("Key of the script model"),
}
_MONEY = {
    "length_mode": _(
        "Length\n💡 Exact: the speech is made and paid first,"
        " about a hundredth of the video"
    ),
    "max_cost_per_render": _("At most for one render (0: no limit)"),
    "max_cost_per_day": _("At most for a day (0: no limit)"),
}
_GENERAL = {"language": _("Language")}
_ALL = (*_VIDEO, *_LOOK, *_TELEGRAM, *_POSTS, *_SCRIPT, *_MONEY)
_PICKERS = {key: field for field, key in SETTINGS.items()}
_LANGUAGES = ((_("as the system"), "auto"), *((n, c) for c, n in LANGUAGES.items()))
_AMOUNT = {"min": 0.0, "max": 1e6, "step": 0.5}
_KINDS: dict[object, tuple[type[Any], str, dict[str, Any]]] = {
    str: (widgets.Text, "", {}),
    bool: (widgets.Checkbox, "", {}),
    int: (widgets.IntText, "hg-short", {}),
    float: (widgets.BoundedFloatText, "hg-short", _AMOUNT),
    **dict.fromkeys(SECRETS, (widgets.Password, "hg-beside", {})),
    **dict.fromkeys(_PICKERS, (widgets.Text, "hg-beside", {})),
    "heygen_voice": (widgets.Combobox, "hg-beside", {}),
    "video_duration": (widgets.Text, "hg-short", {}),  # any text is answered
    "language": (widgets.Dropdown, "hg-short", {"options": _LANGUAGES}),
}
"""The widget of a setting or of a type, its classes and its traits."""
_WORDS = {
    "estimate": _("estimated"),
    "exact": _("exact"),
    "own": _("made here, free"),
    "heygen": _("by HeyGen"),
    "local": _("made here"),
    "off": _("none"),
    "caption": _("in the caption"),
    "metadata": _("in the file"),
    "both": _("in both"),
}
_VOICES = "en-US-Neural2-F", "en-GB-Neural2-B"


class SettingsPanel(Panel):
    """The settings of config.yaml, and the keys of ``.env``.

    Attributes:
        fields: The input of each setting, by its key in config.yaml.
        secrets: The input of each key or token; what is stored is never shown.
    """

    hears = "settings", "account"

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._filled: dict[str, Any] = {}
        self.fields: dict[str, Any] = {}
        self.secrets: dict[str, Any] = {}
        self.removers: dict[str, widgets.Button] = {}
        self.duration_place, saved = self.place(), self.place()
        self.heygen_state, self.telegram_state = self.place(), self.place()
        self.picker = PickerSlot(self, self._choose, reset=False)
        self.look_picker = PickerSlot(self, self._choose, reset=False)
        aside = _("Put the broken file aside"), self.set_aside
        self.mending = Actions(self, {"aside": aside})
        works = {
            "save": (_("💾 Save all settings"), self.save_all),
            "reset": (_("Reset"), self.reset),
            "more": (_("⚙️ More settings"), self.open_more),
        }
        self.foot = Actions(self, works, at=saved, primary="save")
        self.foot.offer(*works)
        video, test = (self.duration_place, self.picker), _("Test connection")
        heygen = self.button(test, self.test_heygen, at=self.heygen_state)
        telegram = self.button(test, self.test_telegram, at=self.telegram_state)
        cards = (
            self._card(_("🎥 HeyGen video settings"), _VIDEO, *video),
            self._card(_("🔑 HeyGen"), _HEYGEN, heygen, self.heygen_state),
            self._card(_("📱 Telegram"), _TELEGRAM, telegram, self.telegram_state),
        )
        self._cards = make(widgets.Box, "hg-masonry", children=cards)
        self.fill()  # before it is seen: what is typed at once stays
        return self.mending, self._cards, self.foot, saved

    async def open_more(self) -> None:
        """Show the settings as well that are changed once, if ever."""
        cards = (
            self._card(_("🖼️ Picture"), _LOOK, self.look_picker),
            self._card(_("📮 Posts"), _POSTS),
            self._card(_("💰 Length and money"), _MONEY),
            self._card(_("✍️ Script writing"), _SCRIPT),
            PronounceCard(self),
            self._card(_("🌐 General"), _GENERAL),
        )
        self.fill()
        self.fields["language"].observe(self._on_language, "value")
        self._cards.children += cards
        self.foot.offer("save", "reset")

    def _card(
        self, heading: str, labels: dict[str, str], *more: widgets.Widget
    ) -> widgets.VBox:
        inputs = [part for key in labels for part in self._input(key, labels[key])]
        return column(self.heading(heading), *inputs, *more, css="hg-card hg-form")

    def _input(self, key: str, text: str) -> Iterator[widgets.Widget]:
        """Make the input of a setting, and the button beside it if it has one."""
        allowed = Settings.model_fields[key].annotation
        words = tuple((_WORDS.get(one, one), one) for one in get_args(allowed))
        choice = widgets.Dropdown, "hg-short", {"options": words}
        kind, css, traits = _KINDS.get(key) or _KINDS.get(allowed, choice)
        field = self.field(kind, partial(self._label, text), css, **traits)
        (self.secrets if key in SECRETS else self.fields)[key] = field
        yield field
        if key in _PICKERS:
            yield self.button(_("Choose…"), partial(self.open_picker, _PICKERS[key]))
        elif key in SECRETS:
            remove = self.button(_("Remove"), partial(self.remove_secret, key))
            self.removers[key] = self.say(remove, "tooltip", _("Forget this key"))
            self.say(field, "placeholder", partial(self._secret_words, key))
            yield remove

    def _label(self, text: str) -> str:
        voices = self.fields["heygen_voice"].options[:3] or _VOICES
        address = self.shared.settings.script_base_url
        words: str = said(text)
        return words.format(voices=", ".join(voices), address=address)

    def _secret_words(self, key: str) -> str:
        is_set = getattr(self.shared.settings, key) is not None
        show(self.removers[key], when=is_set)
        return _("●●●●●●●● set") if is_set else _("not set")

    async def open_picker(self, name: str) -> None:
        """Open the picker of ``voice``, ``avatar`` or ``background``, or close it."""
        slot = self.look_picker if name == "avatar" else self.picker
        await slot.toggle(name, self.fields[SETTINGS[name]].value)

    async def _choose(self, name: str, value: str | None) -> None:
        self.fields[SETTINGS[name]].value = value or ""
        self.tell(_("Chosen; press “Save all settings” to keep it."))

    async def _begin(self) -> None:
        if self.shared.broken:
            self.tell_error(self.shared.broken)
        voices = await self.shared.catalogue.listed("voices")
        names = dict.fromkeys(voice.name for voice in voices)
        self.fields["heygen_voice"].options = tuple(names)
        self.relabel()

    def _heard(self, topic: str) -> None:
        if topic == "settings":
            self.fill()
        else:
            self.fields["heygen_voice"].options = ()
            self.picker.forget()
            self.look_picker.forget()
            self.spawn(self._begin)

    def fill(self, *, all_of_it: bool = False) -> None:
        """Show what is stored; what is typed and not yet saved stays."""
        settings = self.shared.video_settings
        for key, field in self.fields.items():
            value = type(field.value)(getattr(settings, key))
            if all_of_it or field.value == self._filled.get(key, field.value):
                field.value = value
            self._filled[key] = value
        self.mending.offer(*(["aside"] if self.shared.broken else []))

    async def save_all(self) -> None:
        """Save all settings and say what changed and why."""
        before = self.shared.video_settings.video_duration
        typed = str(self.fields["video_duration"].value).strip()
        after, why = check_duration(typed)
        # What came from .env or the environment, and was not changed, stays there.
        known = self.shared.settings, self.shared.video_settings
        changes: dict[str, Any] = {
            key: after if key == "video_duration" else field.value
            for key, field in self.fields.items()
            if any(field.value != type(field.value)(getattr(s, key)) for s in known)
        }
        for key, field in self.secrets.items():
            if field.value:
                secret, field.value = field.value, ""
                await self.shared.save_secret(key, secret.strip())
        await self.shared.save_settings(**changes)
        self.fill(all_of_it=True)
        self.tell(_("Saved."))
        self.duration_place.clear()
        if why:
            self.duration_place.tell(duration_words(typed, after, why), "warn")
        elif before != after:
            self.duration_place.tell(f"⏱️ {before} → {after}.")

    async def remove_secret(self, key: str) -> None:
        """Forget a stored key, once the user has agreed."""
        question = _("Forget the stored {name}?").format(name=SECRETS[key])
        if await self.ask(question, _("Forget it")):
            await self.shared.save_secret(key, "")
            self.tell(_("It is forgotten."))

    async def reset(self) -> None:
        """Give all fields their defaults, once the user has agreed."""
        question = _("Put all settings of this page back to their defaults?")
        if await self.ask(question + " " + _("Keys stay as they are."), _("Reset")):
            fields = Settings.model_fields
            usual = {key: fields[key].default for key in _ALL if key not in SECRETS}
            await self.shared.save_settings(**usual)
            self.fill(all_of_it=True)
            self.tell(_("All settings have their defaults again."))

    async def set_aside(self) -> None:
        """Rename a config.yaml that cannot be read, once the user has agreed."""
        question = _("Rename the broken config.yaml and start with the defaults?")
        if await self.ask(question, _("Rename it")):
            await self.shared.set_aside_broken_config()
            self.tell(_("The broken file is kept as config.broken.yaml."))

    def _on_language(self, change: dict[str, Any]) -> None:
        if change["new"] != self.shared.settings.language:
            self.spawn(partial(self.shared.set_language, change["new"]))

    # What is typed is tried, saved or not

    def _typed(self, *keys: str) -> dict[str, Any]:
        self.tell_busy(_("Testing…"))
        inputs = {**self.fields, **self.secrets}
        return {key: text for key in keys if (text := inputs[key].value.strip())}

    async def test_heygen(self) -> None:
        """Ask HeyGen whose key it is and what is left, and show both."""
        typed = self._typed("heygen_api_key")
        async with self.shared.trial(**typed) as (account, settings):
            me = await account.client.me()
        sandbox = settings.active_backend == "sandbox"
        money = money_text(me.balance, sandbox=sandbox) or _("balance not told")
        found = dotted(money, purse_of(settings), me.username)
        self.tell(_("✓ works · {what}").format(what=found))

    async def test_telegram(self) -> None:
        """Ask Telegram for bot and chat and show them."""
        typed = self._typed("telegram_bot_token", "telegram_chat_id")
        async with self.shared.trial(**typed) as (account, settings):
            found = await Posting(settings, account).check()
        self.tell(_("✓ works · {what}").format(what=found))
