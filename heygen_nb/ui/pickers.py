"""Choosing a voice, an avatar or a background: found by words, heard or seen."""

from __future__ import annotations

import asyncio
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer.background import COLOR
from heygen_nb.renderer.catalogue import Kind, age_text
from heygen_nb.renderer.resolve import SearchIndex, language_label, word_label
from heygen_nb.ui.base import (
    Actions,
    Options,
    Panel,
    Part,
    Words,
    Work,
    make,
    row,
    show,
)
from heygen_nb.ui.catalogue import FOLDER
from heygen_nb.ui.html import markup, thumb_html, two_lines
from heygen_nb.ui.widgets import PictureGrid, Tile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from heygen_nb.ui.catalogue import AccountLists, KnownBackground

    Chosen = Callable[[str, str | None], Coroutine[Any, Any, object]]

LISTED = 100
SETTINGS: dict[str, str] = {
    "voice": "heygen_voice",
    "avatar": "heygen_avatar_id",
    "background": "heygen_background_url",
}
"""The setting behind each field of a draft that has a picker."""

_Item = TypeVar("_Item", Voice, Avatar)


class Picker(Part, Generic[_Item]):
    """A list of HeyGen's to choose from: search while typing, filter, use one.

    Args:
        panel: Whose part it is.
        choose: Called with the item when its “Use” button is clicked.
    """

    kind: Kind
    search_words: str
    use_words: str

    def __init__(
        self, panel: Panel, choose: Callable[[_Item], Coroutine[Any, Any, object]]
    ) -> None:
        self.panel: Panel = panel
        self._choose: Callable[[_Item], Coroutine[Any, Any, object]] = choose
        self._catalogue: AccountLists = panel.shared.catalogue
        self._finder: SearchIndex[_Item] = SearchIndex([])
        self._current: str = ""
        self._near: bool = False
        self._counted: int = 0
        self.place = panel.place()
        self.t_search = panel.field(
            widgets.Text, self.search_words, on=self._search, placeholder="…"
        )
        self.about = panel.say(make(widgets.HTML), "value", self._about_html)
        self.use = panel.button(self.use_words, self._use, "hg-primary", at=self.place)
        self.refresh = panel.button("↻", self._refresh, at=self.place)
        panel.say(self.refresh, "tooltip", _("Fetch the list anew"))
        filters, parts = self._build()
        super().__init__(
            self.t_search, row(*filters, css="hg-row-fields"), *parts, self.place
        )

    def _build(self) -> tuple[tuple[widgets.Widget, ...], tuple[widgets.Widget, ...]]:
        """Return the filters, and what stands below them."""
        raise NotImplementedError

    def _filter(self, words: str, options: Words) -> Any:
        return self.panel.field(
            widgets.Dropdown, words, options=options, on=self._search
        )

    def _found(self) -> list[_Item]:
        """Return what fits; the one in use first, so that it is never far away."""
        found = self._finder.search(self.t_search.value, self._fits)
        hits = list(found.items)
        if not self.t_search.value.strip():
            hits.sort(key=lambda item: item.id != self._current)
        self._near, self._counted = found.near, len(hits)
        self.about.value = self._about_html()
        return hits

    def _fits(self, item: _Item) -> bool:
        raise NotImplementedError

    async def _load(self, *, refresh: bool = False) -> None:
        self.about.value = markup(_("Fetching the list…"), "hg-hint")
        try:
            await self._bring(refresh=refresh)
        finally:
            self.about.value = self._about_html()

    async def _bring(self, *, refresh: bool) -> None:
        raise NotImplementedError

    async def _refresh(self) -> None:
        await self._load(refresh=True)
        await self._search()

    async def _search(self) -> None:
        raise NotImplementedError

    async def _use(self) -> None:
        raise NotImplementedError

    def _about_html(self) -> str:
        """Return how many are listed, and how old the list is."""
        texts, css = [self._count_words()], "hg-hint"
        if self._near:
            texts, css = [_("Nothing fits.")], "warn"
            texts += [_("The nearest are listed.")] if self._counted else []
        if age := self._catalogue.age(self.kind):
            texts.append(age_text(age))
        if trouble := self._catalogue.trouble(self.kind):
            texts.append(_("not fetched anew: {reason}").format(reason=trouble))
            css = "warn"
        return markup(" · ".join(filter(None, texts)), css)

    def _count_words(self) -> str:
        return ""


class VoicePicker(Picker[Voice]):
    """All voices of the account; a sample can be heard."""

    kind = "voices"
    search_words = _("🔎 Name, language or id")
    use_words = _("Use this voice")

    def _build(self) -> tuple[tuple[widgets.Widget, ...], tuple[widgets.Widget, ...]]:
        self.voices: dict[str, Voice] = {}
        self._languages: tuple[str, ...] = ()
        self._heard, self._filling = "", False
        self.d_language = self._filter(_("Language"), self._language_options)
        self.d_gender = self._filter(_("Gender"), _with_all("female", "male"))
        self.c_exact = self.panel.field(
            widgets.Checkbox, _("Exact length only"), on=self._search
        )
        self.s_voices = self.panel.field(
            widgets.Select, _("Voices"), "hg-list hg-voices", rows=9
        )
        self.s_voices.observe(self._on_choice, "value")
        self.audio = make(widgets.Audio, "hg-off hg-audio", autoplay=True)
        self.play = self.panel.button(_("▶ Sample"), self._play, at=self.place)
        filters = self.d_language, self.d_gender, self.c_exact
        buttons = row(self.use, self.play, self.refresh)
        return filters, (self.s_voices, self.about, self.audio, buttons)

    async def begin(self, current: str) -> None:
        """Bring the voices.

        Args:
            current: The voice in use: an id, a name, or a wish of the settings.
        """
        await self._load()
        self._current = await self._catalogue.meant(current)
        await self._search()
        self._mark(self._current)

    async def _bring(self, *, refresh: bool) -> None:
        voices = await self._catalogue.voices(refresh=refresh)
        self._finder = SearchIndex(voices)
        self._languages = tuple(sorted({v.language for v in voices if v.language}))
        chosen = self.d_language.value
        self.d_language.options = self._language_options()
        self.d_language.value = chosen if chosen in self._languages else ""

    async def _search(self) -> None:
        hits, chosen = self._found(), self.s_voices.value
        self.voices = {voice.id: voice for voice in hits[:LISTED]}
        options = tuple((self._entry(v), v.id) for v in self.voices.values())
        self._filling = True  # new options choose the first one by themselves
        if self.s_voices.options != options:
            self.s_voices.options = options
        self._mark(chosen)

    def _fits(self, voice: Voice) -> bool:
        return (
            self.d_language.value in ("", voice.language)
            and self.d_gender.value in ("", voice.gender.casefold())
            and (voice.exact or not self.c_exact.value)
        )

    def _mark(self, voice_id: str | None) -> None:
        self._filling = True
        self.s_voices.value = voice_id if voice_id in self.voices else None
        self._filling = False
        self._on_choice(None)

    def _on_choice(self, _change: object) -> None:
        if self._filling:
            return
        chosen = self.s_voices.value
        self.use.disabled = self.play.disabled = chosen is None
        if chosen != self._heard:  # whoever speaks is not the chosen one
            self._heard, self.audio.value = "", b""
            show(self.audio, when=False)

    async def _play(self) -> None:
        voice = self.voices.get(self.s_voices.value)
        if voice is None:
            return
        sound = await self._catalogue.sample(voice)
        if self.s_voices.value == voice.id:
            self.audio.format = "wav" if sound[:4] == b"RIFF" else "mpeg"
            self._heard, self.audio.value = voice.id, sound
            show(self.audio, when=True)

    async def _use(self) -> None:
        if voice := self.voices.get(self.s_voices.value):
            self._current = voice.id
            await self._search()
            await self._choose(voice)

    def _entry(self, voice: Voice) -> str:
        mark = "✓ " if voice.id == self._current else ""
        facts = [language_label(voice.language), word_label(voice.gender)]
        facts += [_("own")] if voice.own else []
        facts += [_("exact length")] if voice.exact else []
        return two_lines(mark + voice.name, " · ".join(filter(None, facts)))

    def _language_options(self) -> Options:
        labelled = sorted((language_label(name), name) for name in self._languages)
        return ((_("all"), ""), *labelled)

    def _count_words(self) -> str:
        count = self._counted
        text = ngettext("{count} voice", "{count} voices", count).format(count=count)
        if count > LISTED:
            text += " · " + _("the first {count} are listed").format(count=LISTED)
        return text


class AvatarPicker(Picker[Avatar]):
    """All avatar looks of the account, by their pictures."""

    kind = "avatars"
    search_words = _("🔎 Name, kind or id")
    use_words = _("Use this avatar")

    def _build(self) -> tuple[tuple[widgets.Widget, ...], tuple[widgets.Widget, ...]]:
        self.avatars: dict[str, Avatar] = {}
        self._chosen: Avatar | None = None
        self.d_owner = self._filter(_("Whose"), _OWNERS)
        self.d_shape = self._filter(_("Orientation"), _with_all(*_CANVASES))
        self.grid = PictureGrid(self.panel, self._show, at=self.place)
        self.details = self.panel.say(make(widgets.HTML), "value", self._detail_html)
        parts = self.about, self.grid, self.details, row(self.use, self.refresh)
        return (self.d_owner, self.d_shape), parts

    async def begin(self, current: str) -> None:
        """Bring the avatars: the first ones as soon as they are there.

        Args:
            current: The id of the look in use; empty for the first own one.
        """
        self._current = current
        await self._load()

    async def _bring(self, *, refresh: bool) -> None:
        def part(avatars: Sequence[Avatar]) -> None:
            if not self.avatars:  # the others come all at once
                self.panel.spawn(partial(self._take, tuple(avatars)))

        await self._take(await self._catalogue.avatars(refresh=refresh, on_part=part))

    async def _take(self, avatars: Sequence[Avatar]) -> None:
        if len(avatars) < len(self.avatars):
            return  # the whole list was quicker than its beginning
        empty = not self.avatars
        self.avatars = {avatar.id: avatar for avatar in avatars}
        self._finder = SearchIndex(avatars)
        used = self._current or next((a.id for a in avatars if a.ready), "")
        if self._chosen is None:
            self._chosen = self.avatars.get(used)
            self.grid.mark(used)
        self._tell()
        await (self._search() if empty else self.grid.update(self._tiles()))

    async def _refresh(self) -> None:
        await self._load(refresh=True)

    async def _search(self) -> None:
        chosen = self._chosen.id if self._chosen else ""
        await self.grid.fill(self._tiles(), self._picture, chosen)

    def _tiles(self) -> list[Tile]:
        return [Tile(a.id, a.name, _facts(a)) for a in self._found()]

    def _fits(self, avatar: Avatar) -> bool:
        whose = "own" if avatar.own else "public"
        return self.d_owner.value in ("", whose) and (
            self.d_shape.value in ("", avatar.orientation)
        )

    async def _picture(self, avatar_id: str) -> bytes | None:
        avatar = self.avatars.get(avatar_id)
        return await self._catalogue.picture(avatar) if avatar else None

    async def _show(self, avatar_id: str) -> None:
        self._chosen = self.avatars.get(avatar_id)
        self._tell()

    async def _use(self) -> None:
        if self._chosen and self._chosen.ready:
            self._current = self._chosen.id
            await self._choose(self._chosen)

    def _tell(self) -> None:
        self.use.disabled = not (self._chosen and self._chosen.ready)
        self.details.value = self._detail_html()

    def _detail_html(self) -> str:
        avatar = self._chosen
        if avatar is None:
            return ""
        facts = [avatar.id, word_label(avatar.kind), _facts(avatar)]
        if ratio := _CANVASES.get(avatar.orientation):
            facts.append(_("made for {ratio}").format(ratio=ratio))
        if avatar.engines:
            engines = ", ".join(avatar.engines)
            facts.append(_("engines: {engines}").format(engines=engines))
        if avatar.default_voice_id:
            name = self._catalogue.name_of(avatar.default_voice_id)
            facts.append(_("usual voice: {voice}").format(voice=name))
        said = markup(avatar.name, "hg-strong")
        said += "".join(markup(fact) for fact in facts if fact)
        return f'<div class="hg-meta">{said}</div>'


_CANVASES = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}


def _facts(avatar: Avatar) -> str:
    """Return what matters at first sight: shape, whose, whether it is ready."""
    facts = [word_label(avatar.orientation)]
    facts += [_("own")] if avatar.own else []
    facts += [] if avatar.ready else [_("not ready yet")]
    return " · ".join(filter(None, facts))


_OWNERS = (_("own and public"), ""), (_("own"), "own"), (_("public"), "public")


def _with_all(*words: str) -> Callable[[], Options]:
    return lambda: ((_("all"), ""), *((word_label(word), word) for word in words))


_FIRST_COLOR = "#1b2440"
_ACCEPT = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff"


class BackgroundPicker(Part):
    """What a background can be, each with its own way in; checked before it is used.

    Args:
        panel: Whose picker it is.
        choose: Called with the value to store, empty for no background.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._choose = panel, choose
        self._backgrounds = panel.shared.backgrounds
        self._current = ""
        self._earlier: dict[str, KnownBackground] = {}
        self.place = panel.place()
        self.now = make(widgets.HTML)
        none = panel.button(_("🚫 No background"), partial(self.use, ""))
        self.c_color = panel.field(
            widgets.ColorPicker, _("🎨 Colour"), value=_FIRST_COLOR
        )
        self.t_link = panel.field(
            widgets.Text,
            _("🔗 Link or file"),
            placeholder="https://…/sea.jpg   ~/Pictures/sea.png",
        )
        self.u_file = panel.upload(
            _("⇪ Upload a picture"), self._upload, _ACCEPT, at=self.place
        )
        self.grid = PictureGrid(panel, self.use, "hg-wide", self.place)
        super().__init__(
            row(self.now, none, css="hg-row hg-now"),
            self._entry(self.c_color, lambda: self.use(self.c_color.value)),
            self._entry(self.t_link, self._use_link),
            row(self.u_file),
            panel.hint(_hint),
            self.place,
            self.grid,
        )

    def _entry(self, field: widgets.Widget, work: Work) -> widgets.HBox:
        use = self._panel.button(_("Use"), work, at=self.place)
        return row(field, use, css="hg-entry")

    async def begin(self, current: str) -> None:
        """Show what can be chosen, and mark what is used now.

        Args:
            current: Colour, link or file; empty for none.
        """
        self._current = current
        earlier = await self._backgrounds.earlier()
        self._earlier = {one.value: one for one in earlier}
        await self._show_current()
        # what has no picture is a link
        tiles = [
            Tile(one.value, one.label, "" if one.thumb else _("🔗 link"))
            for one in earlier
        ]
        await self.grid.fill(tiles, self._picture, current)

    async def _picture(self, value: str) -> bytes | None:
        one = self._earlier.get(value)
        return one.thumb if one else None

    async def _show_current(self) -> None:
        value = self._current
        look = await asyncio.to_thread(self._backgrounds.look, value)
        one = self._earlier.get(value)
        label = one.label if one else value or _("No background")
        self.now.value = thumb_html(look, label) + markup(label, "hg-value")
        if COLOR.fullmatch(value):
            self.c_color.value = value

    async def use(self, value: str) -> None:
        """Check a background, mark it and hand it on."""
        await self._take(lambda: self._backgrounds.use(value))

    async def _use_link(self) -> None:
        if self.t_link.value.strip():
            await self.use(self.t_link.value)
            self.t_link.value = ""

    async def _upload(self, name: str, content: bytes) -> None:
        keep = self._backgrounds.keep
        await self._take(lambda: asyncio.to_thread(keep, name, content))

    async def _take(self, checked: Callable[[], Awaitable[str]]) -> None:
        self._panel.tell_busy(_("Checking…"))
        try:
            value = await checked()
        finally:
            self.grid.mark(self._current)
        await self._choose(value)
        await self.begin(value)


def _hint() -> str:
    return _(
        "💡 PNG, JPEG, WebP, GIF, BMP or TIFF, up to 32 MB. Over 8 MB an upload"
        " arrives only in a notebook opened by “heygen-nb lab”: elsewhere put the"
        " file into the folder {folder} beside config.yaml, and it is offered here."
    ).format(folder=f"{FOLDER}/")


class PickerSlot(Part):
    """The place where one of the three pickers opens.

    Each is built when it is opened for the first time.

    Args:
        panel: Whose place it is.
        chosen: Started with the field (``voice``, ``avatar``, ``background``) and
            what was chosen for it; None for what the settings say.
        reset: Whether "as in the settings" can be chosen.
    """

    def __init__(self, panel: Panel, chosen: Chosen, *, reset: bool) -> None:
        self._panel, self._chosen, self._reset = panel, chosen, reset
        self.pickers: dict[str, Any] = {}
        self.opened = ""
        super().__init__(css="hg-card hg-off")

    @cached_property
    def _actions(self) -> Actions:
        works: dict[str, tuple[Words, Work]] = {
            "reset": (_("As in the settings"), self._on_reset),
            "close": (_("Close"), self.fold),
        }
        actions = Actions(self._panel, works)
        actions.offer("close", *(["reset"] if self._reset else []))
        return actions

    async def toggle(self, field: str, current: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        if self.opened == field:
            await self.fold()
            return
        self.opened = field
        picker = self.pickers[field] = self.pickers.get(field) or self._made(field)
        self.children = (picker, self._actions)
        show(self, when=True)
        await picker.begin(current)

    async def fold(self) -> None:
        """Close whatever is open."""
        self.opened = ""
        show(self, when=False)

    def forget(self) -> None:
        """Close and forget the pickers: they list another account's choices."""
        self.pickers.clear()
        self.opened = ""
        self.children = ()
        show(self, when=False)

    def _made(self, field: str) -> Any:
        if field == "voice":
            return VoicePicker(self._panel, self._on_voice)
        if field == "avatar":
            return AvatarPicker(self._panel, self._on_avatar)
        return BackgroundPicker(self._panel, partial(self._on_choice, field))

    async def _on_voice(self, voice: Voice) -> None:
        await self._on_choice("voice", await self._panel.shared.wish_for(voice))

    async def _on_avatar(self, avatar: Avatar) -> None:
        await self._on_choice("avatar", avatar.id)

    async def _on_reset(self) -> None:
        await self._on_choice(self.opened, None)

    async def _on_choice(self, field: str, value: str | None) -> None:
        await self.fold()
        await self._chosen(field, value)
