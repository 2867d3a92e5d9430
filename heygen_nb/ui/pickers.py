"""Choosing a voice, an avatar or a background: found by words, heard or seen."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets

from heygen_nb.drafts import OVERRULES
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer import background, catalogue, resolve
from heygen_nb.ui import backgrounds
from heygen_nb.ui.base import Actions, Options, Panel, Part, make, put, row, show
from heygen_nb.ui.html import dotted, markup, thumb_html, two_lines
from heygen_nb.ui.widgets import PictureGrid, Player

Choose = Callable[[str], Coroutine[Any, Any, object]]
Chosen = Callable[[str, str | None], Coroutine[Any, Any, object]]

LISTED = 100
SETTINGS: dict[str, str] = {
    field: OVERRULES[field] for field in ("voice", "avatar", "background")
}
"""The setting behind each field of a draft that has a picker."""

_ALL = _("all"), ""


def _labelled(*words: str) -> Options:
    return (_ALL, *((resolve.word_label(word), word) for word in words))


class Picker(Part):
    """A list of HeyGen's to choose from: search while typing, filter, use one.

    Args:
        panel: Whose part it is.
        choose: Called with what stands for the item whose “Use” button is clicked,
            in a draft or in the settings.

    Attributes:
        items: All voices or avatars there are, by their ids.
        chosen: The id of the one that is marked; empty for none.
    """

    kind: catalogue.Kind
    words: tuple[str, str]
    """Of the field to search in, and of the “Use” button."""

    def __init__(self, panel: Panel, choose: Choose) -> None:
        self.panel, self._choose = panel, choose
        self.items: dict[str, Any] = {}
        self.chosen = self._current = ""
        self._found: resolve.Found[Any] = resolve.Found([])
        self._filters: dict[str, Any] = {}
        self.place = panel.place()
        search, use = self.words
        self.t_search = panel.field(
            widgets.Text, search, on=self._search, placeholder="…"
        )
        self.about = panel.say(make(widgets.HTML), "value", self._about_html)
        self.use = panel.button(use, self._use, "hg-primary", at=self.place)
        renew = partial(self._load, refresh=True)
        self.refresh = panel.button("↻", renew, at=self.place)
        panel.say(self.refresh, "tooltip", _("Fetch the list anew"))
        parts = self._build()
        filters = row(*self._filters.values(), css="hg-row-fields")
        super().__init__(self.t_search, filters, *parts, self.place)

    def _build(self) -> tuple[widgets.Widget, ...]:
        """Make the filters; return what stands below them."""
        raise NotImplementedError

    def _draw(self, hits: Sequence[Any]) -> Coroutine[Any, Any, None]:
        """Show these."""
        raise NotImplementedError

    def mark(self, item_id: str) -> None:
        """Mark one, which then can be used."""
        raise NotImplementedError

    def _filter(self, words: str, attribute: str, options: Any = ()) -> Any:
        """Make a field that lets through what has its value; none for no matter."""
        kind = widgets.Dropdown if options else widgets.Checkbox
        field = self.panel.field(kind, words, options=options, on=self._search)
        self._filters[attribute] = field
        return field

    async def begin(self, current: str) -> None:
        """Bring the list, and mark the one in use.

        Args:
            current: What stands for it in a draft or in the settings.
        """
        self._current, self.chosen = current, ""
        await self._load()

    async def _load(self, *, refresh: bool = False) -> None:
        self.about.value = markup(_("Fetching the list…"), "hg-hint")
        try:
            early = {"on_part": self._on_part} if self.kind == "avatars" else {}
            listed = self.panel.shared.listed(self.kind, refresh=refresh, **early)
            await self._take(await listed)
        finally:
            self.panel.relabel()  # there may be other languages now

    def _on_part(self, items: Sequence[Any]) -> None:
        first = tuple(items)

        async def take() -> None:
            if not self.items:  # else the whole list was quicker than its beginning
                await self._take(first)

        self.panel.spawn(take)

    async def _take(self, items: Sequence[Any]) -> None:
        self.items = {item.id: item for item in items}
        self.mark(self.chosen or self._current)
        await self._search()

    async def _search(self) -> None:
        """Show what fits; the one in use first, so that it is never far away."""
        wanted = [
            (name, str(field.value).casefold())
            for name, field in self._filters.items()
            if field.value
        ]

        def fits(item: object) -> bool:
            return all(str(getattr(item, a)).casefold() == value for a, value in wanted)

        items = list(self.items.values())
        self._found = resolve.search(items, self.t_search.value, fits)
        hits = list(self._found.items)
        if not self.t_search.value.strip():
            hits.sort(key=lambda item: item.id != self._current)
        self.about.value = self._about_html()
        await self._draw(hits)

    async def _use(self) -> None:
        if (item := self.items.get(self.chosen)) and not self.use.disabled:
            self._current = item.id
            await self._search()
            by_name = isinstance(item, Voice)
            wish = await self.panel.shared.wish_for(item) if by_name else item.id
            await self._choose(wish)

    def _about_html(self) -> str:
        """Return how many are listed, and how old the list is."""
        texts, css = [self._count_words()], "hg-hint"
        if self._found.near:
            texts, css = [_("Nothing fits.")], "warn"
            texts += [_("The nearest are listed.")] if self._found.items else []
        if listing := self.panel.shared.listing(self.kind):
            texts += [catalogue.age_text(listing.age)] if listing.age else []
            if why := listing.trouble:
                texts.append(_("not fetched anew: {reason}").format(reason=why))
                css = "warn"
        return markup(dotted(*texts), css)

    def _count_words(self) -> str:
        return ""


class VoicePicker(Picker):
    """All voices of the account; a sample can be heard."""

    kind = "voices"
    words = _("🔎 Name, language or id"), _("Use this voice")

    def _build(self) -> tuple[widgets.Widget, ...]:
        genders = _labelled("female", "male")
        self.d_language = self._filter(_("Language"), "language", self._languages)
        self.d_gender = self._filter(_("Gender"), "gender", genders)
        self.c_exact = self._filter(_("Exact length only"), "exact")
        self.s_voices = self.panel.field(
            widgets.Select, _("Voices"), "hg-list hg-voices", rows=9
        )
        self.s_voices.observe(self._on_choice, "value")
        self.player = Player()
        self.play = self.panel.button(_("▶ Sample"), self._play, at=self.place)
        buttons = row(self.use, self.play, self.refresh)
        return self.s_voices, self.about, self.player, buttons

    def _languages(self) -> Options:
        names = {voice.language for voice in self.items.values() if voice.language}
        return (_ALL, *sorted((resolve.language_label(name), name) for name in names))

    async def _take(self, items: Sequence[Voice]) -> None:
        used = await self.panel.shared.voice_meant(self._current)
        self._current = used.voice_id if used else ""
        await super()._take(items)

    async def _draw(self, hits: Sequence[Voice]) -> None:
        options = tuple((self._entry(voice), voice.id) for voice in hits[:LISTED])
        there = self.chosen in (key for _label, key in options)
        chosen = self.chosen if there else ""
        # new options choose the first one by themselves
        put(self.s_voices, self._on_choice, options=options, value=chosen or None)
        self.mark(chosen)

    def _on_choice(self, _change: object) -> None:
        self.mark(self.s_voices.value or "")

    def mark(self, item_id: str) -> None:
        """Mark a voice; the one that speaks falls silent."""
        self.use.disabled = self.play.disabled = not item_id
        if item_id != self.chosen:
            self.player.children = ()
        self.chosen = item_id

    async def _play(self) -> None:
        if voice := self.items.get(self.chosen):
            async with self.panel.shared.account() as account:
                sound = await account.catalogue.shown(voice)
            if self.chosen == voice.id:
                self.player.listen(sound)

    def _entry(self, voice: Voice) -> str:
        facts = dotted(
            resolve.language_label(voice.language),
            resolve.word_label(voice.gender),
            voice.own and _("own"),
            voice.exact and _("exact length"),
        )
        mark = "✓ " if voice.id == self._current else ""
        return two_lines(mark + voice.name, facts)

    def _count_words(self) -> str:
        count = len(self._found.items)
        text = ngettext("{count} voice", "{count} voices", count)
        if count > LISTED:
            text += " · " + _("the first {count} are listed").format(count=LISTED)
        return text


class AvatarPicker(Picker):
    """All avatar looks of the account, by their pictures."""

    kind = "avatars"
    words = _("🔎 Name, kind or id"), _("Use this avatar")

    def _build(self) -> tuple[widgets.Widget, ...]:
        owners = (_("own and public"), ""), (_("own"), "true"), (_("public"), "false")
        self.d_owner = self._filter(_("Whose"), "own", owners)
        shapes = _labelled(*_CANVASES)
        self.d_shape = self._filter(_("Orientation"), "orientation", shapes)
        self.grid = PictureGrid(self.panel, self._show, at=self.place)
        self.details = self.panel.say(make(widgets.HTML), "value", self._detail_html)
        return self.about, self.grid, self.details, row(self.use, self.refresh)

    async def _draw(self, hits: Sequence[Avatar]) -> None:
        tiles = {look.id: f"{look.name}\n{_facts(look)}".strip() for look in hits}
        await self.grid.fill(tiles, self._picture, self.chosen)

    async def _picture(self, avatar_id: str) -> bytes | None:
        if not (avatar := self.items.get(avatar_id)):
            return None
        async with self.panel.shared.account() as account:
            return await account.catalogue.shown(avatar)

    async def _show(self, avatar_id: str) -> None:
        self.mark(avatar_id)

    def mark(self, item_id: str) -> None:
        """Mark a look and tell all about it; of none the first one that can be used."""
        usable = (avatar.id for avatar in self.items.values() if avatar.ready)
        self.chosen = item_id or next(usable, "")
        self.grid.mark(self.chosen)
        avatar = self.items.get(self.chosen)
        self.use.disabled = not (avatar and avatar.ready)
        self.details.value = self._detail_html()

    def _detail_html(self) -> str:
        avatar = self.items.get(self.chosen)
        if avatar is None:
            return ""
        ratio, engines = _CANVASES.get(avatar.orientation), ", ".join(avatar.engines)
        voice = self.panel.shared.name_of(avatar.default_voice_id or "")
        facts = (
            *(avatar.id, resolve.word_label(avatar.kind), _facts(avatar)),
            ratio and _("made for {ratio}").format(ratio=ratio),
            engines and _("engines: {engines}").format(engines=engines),
            voice and _("usual voice: {voice}").format(voice=voice),
        )
        said = "".join(markup(fact) for fact in facts if fact)
        return f'<div class="hg-meta">{markup(avatar.name, "hg-strong")}{said}</div>'


_CANVASES = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}


def _facts(avatar: Avatar) -> str:
    """Return what matters at first sight: shape, whose, whether it is ready."""
    own, waits = avatar.own and _("own"), not avatar.ready and _("not ready yet")
    return dotted(resolve.word_label(avatar.orientation), own, waits)


_ACCEPT = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff"


class BackgroundPicker(Part):
    """What a background can be, each with its own way in; checked before it is used.

    Args:
        panel: Whose picker it is.
        choose: Called with the value to store, empty for no background.
    """

    def __init__(self, panel: Panel, choose: Choose) -> None:
        self._panel, self._choose, self._current = panel, choose, ""
        self.place = panel.place()
        self.now = make(widgets.HTML)
        none = panel.button(_("🚫 No background"), partial(self.use, ""))
        self.c_color = panel.field(widgets.ColorPicker, _("🎨 Colour"), value="#1b2440")
        self.t_link = panel.field(
            widgets.Text,
            _("🔗 Link or file"),
            placeholder="https://…/sea.jpg   ~/Pictures/sea.png",
        )
        self.u_file = panel.upload(
            _("⇪ Upload a picture"), self.use, _ACCEPT, at=self.place
        )
        self.grid = PictureGrid(panel, self.use, "hg-wide", self.place)
        hint = _(
            "💡 PNG, JPEG, WebP, GIF, BMP or TIFF, up to 32 MB. Over 8 MB an upload"
            " arrives only in a notebook opened by “heygen-nb lab”: elsewhere put the"
            " file into the folder backgrounds/ beside config.yaml, and it is offered"
            " here."
        )
        ways = self._entry(self.c_color), self._entry(self.t_link), row(self.u_file)
        now = row(self.now, none, css="hg-row hg-now")
        super().__init__(now, *ways, panel.hint(hint), self.place, self.grid)

    def _entry(self, field: Any) -> widgets.HBox:
        async def use() -> None:
            if field.value.strip():
                await self.use(field.value)
                self.t_link.value = ""

        button = self._panel.button(_("Use"), use, at=self.place)
        return row(field, button, css="hg-entry")

    async def begin(self, current: str) -> None:
        """Show what can be chosen, and mark what is used now.

        Args:
            current: Colour, link or file; empty for none.
        """
        self._current, shared = current, self._panel.shared
        home = shared.settings.home
        known = await shared.read(partial(backgrounds.earlier, home))
        label = backgrounds.label_of(current) or _("No background")
        look = await asyncio.to_thread(backgrounds.look, home, current)
        self.now.value = thumb_html(look, label) + markup(label, "hg-value")
        if background.COLOR.fullmatch(current):
            self.c_color.value = current

        async def picture(value: str) -> bytes | None:
            return known[value]

        # what has no picture is a link
        tiles = {
            value: backgrounds.label_of(value) + ("" if thumb else "\n" + _("🔗 link"))
            for value, thumb in known.items()
        }
        await self.grid.fill({}, picture)  # a file may look otherwise by now
        await self.grid.fill(tiles, picture, current)

    async def use(self, value: str, content: bytes | None = None) -> None:
        """Check a background, or the picture of that name; mark it and hand it on."""
        self._panel.tell_busy(_("Checking…"))
        try:
            value = await backgrounds.use(self._panel.shared, value, content)
        finally:
            self.grid.mark(self._current)
        await self._choose(value)
        await self.begin(value)


_PICKERS: dict[str, Callable[[Panel, Choose], Any]] = {
    "voice": VoicePicker,
    "avatar": AvatarPicker,
    "background": BackgroundPicker,
}


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
        self._panel, self._chosen = panel, chosen
        self.pickers: dict[str, Any] = {}
        self.opened = ""
        works = {
            "reset": (_("As in the settings"), lambda: self._take(self.opened, None)),
            "close": (_("Close"), self.fold),
        }
        self.actions, self._reset = Actions(panel, works), reset
        super().__init__(css="hg-card hg-off")

    async def toggle(self, field: str, current: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        if self.opened == field:
            await self.fold()
            return
        self.opened = field
        if field not in self.pickers:
            choose = partial(self._take, field)
            self.pickers[field] = _PICKERS[field](self._panel, choose)
        self.actions.offer(self._reset and "reset", "close")
        self.children = (self.pickers[field], self.actions)
        show(self, when=True)
        await self.pickers[field].begin(current)

    async def fold(self) -> None:
        """Close whatever is open."""
        self.opened = ""
        show(self, when=False)

    def forget(self) -> None:
        """Close and forget the pickers: they list another account's choices."""
        self.pickers.clear()
        self.opened = ""
        show(self, when=False)

    async def _take(self, field: str, value: str | None) -> None:
        await self.fold()
        await self._chosen(field, value)
