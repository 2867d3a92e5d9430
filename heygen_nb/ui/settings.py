"""Settings: the video, the connections, the language; each change explained."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any, get_args

import ipywidgets as widgets

from heygen_nb import preview
from heygen_nb.config import SECRETS, Settings, check_duration
from heygen_nb.drafts.spoken import rules_of, save_rule
from heygen_nb.files import shipped
from heygen_nb.i18n import LANGUAGES, gettext as _
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import purse_of
from heygen_nb.ui.base import Actions, Panel, Part, column, make, row, show
from heygen_nb.ui.html import dotted, duration_words, money_text
from heygen_nb.ui.paying import say_if_agreed
from heygen_nb.ui.pickers import SETTINGS, PickerSlot
from heygen_nb.ui.widgets import Player

_TEXTS = shipped("ui/settings.yaml")
_CARDS: dict[str, dict[str, Any]] = _TEXTS["cards"]
_WORDS = {word: texts["message"] for word, texts in _TEXTS["words"].items()}
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
_VOICES = "en-US-Neural2-F", "en-GB-Neural2-B"


class SettingsPanel(Panel):
    """The settings of config.yaml, and the keys of ``.env``.

    Attributes:
        fields: The input of each setting, by its key in config.yaml.
        secrets: The input of each key or token; what is stored is never shown.
        removers: The button that takes it away.
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
        test = _("Test connection")
        heygen = self.button(test, self.test_heygen, at=self.heygen_state)
        telegram = self.button(test, self.test_telegram, at=self.telegram_state)
        cards = (
            self._card("video", self.duration_place, self.picker),
            self._card("heygen", heygen, self.heygen_state),
            self._card("telegram", telegram, self.telegram_state),
        )
        self._cards = make(widgets.Box, "hg-masonry", children=cards)
        self.fill()  # before it is seen: what is typed at once stays
        return self.mending, self._cards, self.foot, saved

    async def open_more(self) -> None:
        """Show the settings as well that are changed once, if ever."""
        picture = self._card("picture", self.look_picker)
        others = *map(self._card, ("posts", "money", "script")), PronounceCard(self)
        self._cards.children += (picture, *others, self._card("general"))
        self.fill()
        self.fields["language"].observe(self._on_language, "value")
        self.foot.offer("save", "reset")

    def _card(self, name: str, *more: widgets.Widget) -> widgets.VBox:
        heading, fields = _CARDS[name].values()
        inputs = [
            part
            for key, texts in fields.items()
            for part in self._input(key, texts["message"])
        ]
        return column(self.heading(_(heading)), *inputs, *more, css="hg-card hg-form")

    def _input(self, key: str, label: str) -> Iterator[widgets.Widget]:
        """Make the input of a setting, and the button beside it if it has one."""

        def words() -> str:
            voices = self.fields["heygen_voice"].options[:3] or _VOICES
            address = self.shared.settings.script_base_url
            return _(label).format(voices=", ".join(voices), address=address)

        allowed = Settings.model_fields[key].annotation
        said = {one: _WORDS.get(one, one) for one in get_args(allowed)}
        options = tuple((_(word), one) for one, word in said.items())
        choice = widgets.Dropdown, "hg-short", {"options": options}
        kind, css, traits = _KINDS.get(key) or _KINDS.get(allowed, choice)
        field = self.field(kind, words, css, **traits)
        (self.secrets if key in SECRETS else self.fields)[key] = field
        yield field
        if key in _PICKERS:
            yield self.button(_("Choose…"), partial(self.open_picker, _PICKERS[key]))
        elif key in SECRETS:
            remove = self.button(_("Remove"), partial(self.remove_secret, key))
            self.removers[key] = self.say(remove, "tooltip", _("Forget this key"))
            self.say(field, "placeholder", partial(self._secret_words, key))
            yield remove

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
            self.tell(self.shared.broken)
        voices = await self.shared.listed("voices")
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
        self.mending.offer(self.shared.broken and "aside")

    async def save_all(self) -> None:
        """Save all settings and say what changed and why."""
        before = self.shared.video_settings.video_duration
        typed = self.fields["video_duration"].value.strip()
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
            keys = {key for card in _CARDS.values() for key in card["fields"]}
            usual = {
                key: Settings.model_fields[key].default
                for key in keys - SECRETS.keys() - {"language"}
            }
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


class PronounceCard(Part):
    """Words that are said otherwise than they are written, and how they sound.

    Args:
        panel: Where it stands; its home has the file.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel, at = panel, panel.place()
        self.d_rules = panel.field(widgets.Dropdown, _("Words"), options=self._options)
        self.t_word = panel.field(widgets.Text, _("Word or phrase"))
        self.t_said = panel.field(widgets.Text, _("Said as"))
        self.d_rules.observe(self._choose, "value")
        self.player = Player()
        works = (
            (_("▶ Hear"), self.hear),
            (_("▶ HeyGen's voice"), self.hear_voice),
            (_("Keep"), self.keep),
            (_("Remove"), partial(self.keep, "")),
        )
        buttons = row(*(panel.button(words, work, at=at) for words, work in works))
        fields = self.d_rules, self.t_word, self.t_said
        heading = panel.heading(_("🗣 Pronunciation"))
        super().__init__(
            heading, *fields, buttons, self.player, at, css="hg-card hg-form"
        )

    def _options(self) -> tuple[tuple[str, tuple[str, str]], ...]:
        rules = rules_of(self._panel.shared.settings.home)
        known = ((f"{rule.word} → {rule.said}", rule[:2]) for rule in rules)
        return (_("a new one"), ("", "")), *known

    def _choose(self, _change: object) -> None:
        self.t_word.value, self.t_said.value = self.d_rules.value or ("", "")

    async def hear(self) -> None:
        """Say it by this machine's voice."""
        text = self.t_said.value or self.t_word.value
        speech = await asyncio.to_thread(preview.EspeakVoice().speak, text)
        self.player.listen(speech.to_wav())

    async def hear_voice(self) -> None:
        """Have it said by HeyGen's voice, if that may be paid; once."""
        text = self.t_said.value or self.t_word.value
        if path := await say_if_agreed(self._panel, text.strip()):
            self.player.listen(await asyncio.to_thread(path.read_bytes))

    async def keep(self, said: str | None = None) -> None:
        """Have the word said as is typed from now on; if empty, as it is written."""
        home, word = self._panel.shared.settings.home, self.t_word.value.strip()
        said = self.t_said.value.strip() if said is None else said
        if word:
            await asyncio.to_thread(save_rule, home, word, said)
            self.d_rules.options = self._options()
            self.d_rules.value = (word, said) if said else ("", "")
            self._panel.tell(_("Done."))
