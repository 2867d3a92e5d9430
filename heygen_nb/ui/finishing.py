"""Words are said as they should be, and heard before anything is made of them."""

from __future__ import annotations

import asyncio

import ipywidgets as widgets

from heygen_nb import preview
from heygen_nb.drafts.spoken import rules_of, save_rule
from heygen_nb.i18n import gettext as _
from heygen_nb.ui.base import Panel, Part, row
from heygen_nb.ui.paying import say_if_agreed
from heygen_nb.ui.widgets import Player


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
            (_("Remove"), self.remove),
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
        speech = await asyncio.to_thread(preview.EspeakVoice().speak, self._text)
        self.player.listen(speech.to_wav())

    async def hear_voice(self) -> None:
        """Have it said by HeyGen's voice, if that may be paid; once."""
        if path := await say_if_agreed(self._panel, self._text.strip()):
            self.player.listen(await asyncio.to_thread(path.read_bytes))

    @property
    def _text(self) -> str:
        return str(self.t_said.value or self.t_word.value)

    async def keep(self) -> None:
        """Have the word said like that from now on."""
        await self._save(self.t_said.value.strip())

    async def remove(self) -> None:
        """Have it said as it is written again."""
        await self._save("")

    async def _save(self, said: str) -> None:
        home, word = self._panel.shared.settings.home, self.t_word.value.strip()
        if word:
            await asyncio.to_thread(save_rule, home, word, said)
            self.d_rules.options = self._options()
            self.d_rules.value = (word, said) if said else ("", "")
            self._panel.tell(_("Done."))
