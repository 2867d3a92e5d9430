"""Choosing a voice: by words, language and gender, and by ear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.renderer.search import SearchIndex, language_label, word_label
from heygen_nb.ui._base import make, shared_layout, show
from heygen_nb.ui.freshness import Freshness
from heygen_nb.ui.markup import markup, two_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from heygen_nb.models import Voice
    from heygen_nb.ui._base import Panel

LISTED = 100
ANY = (("", ""),)  # chosen before the words are there: without, nothing would be


class VoicePicker(widgets.VBox):
    """All voices of the account: search while typing, hear a sample, choose.

    Args:
        panel: Whose part it is.
        choose: Called with the voice when “Use this voice” is clicked.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[Voice], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._choose = panel, choose
        self._catalogue = panel.desk.catalogue
        self._finder: SearchIndex[Voice] = SearchIndex([])
        self._shown: dict[str, Voice] = {}
        self._languages: tuple[str, ...] = ()
        self._current, self._heard = "", ""
        self._counted, self._near, self._filling = 0, False, False
        self._build_filters(panel)
        self.s_voices = panel.field(
            widgets.Select, lambda: _("Voices"), "hg-list hg-voices", rows=9
        )
        self._count = panel.say(make(widgets.HTML), "value", self._count_words)
        self.audio = make(widgets.Audio, "hg-off hg-audio", autoplay=True)
        self.play = panel.button(lambda: _("▶ Sample"), self._play)
        self.use = panel.button(lambda: _("Use this voice"), self._use, "hg-primary")
        self.freshness = Freshness(panel, "voices", self._refresh)
        buttons = (self.use, self.play)
        super().__init__(
            (
                self.t_search,
                make(widgets.HBox, "hg-filters", children=self._filters),
                self.s_voices,
                self._count,
                self.audio,
                make(widgets.HBox, "hg-buttons", children=buttons),
                self.freshness,
            ),
            layout=shared_layout(),
        )
        self.s_voices.observe(self._on_choice, "value")
        for field in (self.t_search, *self._filters):
            field.observe(lambda _change: panel.spawn(self._search), "value")

    def _build_filters(self, panel: Panel) -> None:
        self.t_search = panel.field(
            widgets.Text,
            lambda: _("🔎 Name, language or id"),
            placeholder="…",
        )
        self.d_language = panel.field(
            widgets.Dropdown, lambda: _("Language"), options=ANY
        )
        panel.say(self.d_language, "options", self._language_options)
        self.d_gender = panel.field(widgets.Dropdown, lambda: _("Gender"), options=ANY)
        panel.say(self.d_gender, "options", _gender_options)
        self.c_exact = panel.field(
            widgets.Checkbox, lambda: _("Exact length only"), "hg-check", indent=False
        )
        self._filters = (self.d_language, self.d_gender, self.c_exact)

    async def begin(self, current: str) -> None:
        """Bring the voices.

        Args:
            current: The voice in use: an id, a name, or a wish of the settings.
        """
        await self._load()
        self._current = await self._catalogue.meant(current)
        await self._search()
        self._mark(self._current)

    async def _refresh(self) -> None:
        await self._load(refresh=True)
        await self._search()

    async def _load(self, *, refresh: bool = False) -> None:
        self.freshness.wait()
        try:
            voices = await self._catalogue.voices(refresh=refresh)
        finally:
            self.freshness.show()
        self._finder = SearchIndex(voices)
        self._languages = tuple(sorted({v.language for v in voices if v.language}))
        chosen = self.d_language.value
        self.d_language.options = self._language_options()
        self.d_language.value = chosen if chosen in self._languages else ""

    async def _search(self) -> None:
        found = self._finder.search(self.t_search.value, self._fits)
        hits = list(found.items)
        if not self.t_search.value.strip():  # the one in use is never far away
            hits.sort(key=lambda voice: voice.id != self._current)
        self._counted, self._near = len(hits), found.near
        chosen = self.s_voices.value
        self._shown = {voice.id: voice for voice in hits[:LISTED]}
        options = tuple((self._entry(v), v.id) for v in self._shown.values())
        self._filling = True  # new options choose the first one by themselves
        if self.s_voices.options != options:
            self.s_voices.options = options
        self._mark(chosen)
        self._count.value = self._count_words()

    def _fits(self, voice: Voice) -> bool:
        return (
            self.d_language.value in ("", voice.language)
            and self.d_gender.value in ("", voice.gender.casefold())
            and (voice.exact or not self.c_exact.value)
        )

    def _mark(self, voice_id: str | None) -> None:
        self._filling = True
        self.s_voices.value = voice_id if voice_id in self._shown else None
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
        voice = self._shown.get(self.s_voices.value)
        if voice is None:
            return
        sound = await self._catalogue.sample(voice)
        if self.s_voices.value == voice.id:
            self.audio.format = "wav" if sound[:4] == b"RIFF" else "mpeg"
            self._heard, self.audio.value = voice.id, sound
            show(self.audio, when=True)

    async def _use(self) -> None:
        if voice := self._shown.get(self.s_voices.value):
            self._current = voice.id
            await self._search()
            await self._choose(voice)

    def _entry(self, voice: Voice) -> str:
        mark = "✓ " if voice.id == self._current else ""
        facts = [language_label(voice.language), word_label(voice.gender)]
        facts += [_("own")] if voice.own else []
        facts += [_("exact length")] if voice.exact else []
        return two_lines(mark + voice.name, " · ".join(filter(None, facts)))

    def _language_options(self) -> tuple[tuple[str, str], ...]:
        labelled = sorted((language_label(name), name) for name in self._languages)
        return ((_("all"), ""), *labelled)

    def _count_words(self) -> str:
        if self._near:
            text = _("Nothing fits.") + (
                " " + _("The nearest are listed.") if self._counted else ""
            )
            return markup(text, "warn")
        count = self._counted
        text = ngettext("{count} voice", "{count} voices", count)
        text = text.format(count=count)
        if count > LISTED:
            text += " · " + _("the first {count} are listed").format(count=LISTED)
        return markup(text, "hg-hint")


def _gender_options() -> tuple[tuple[str, str], ...]:
    genders = ((word_label(word), word) for word in ("female", "male"))
    return ((_("all"), ""), *genders)
