from __future__ import annotations

import pytest

from heygen_nb.drafts.pronounce import rules_of
from heygen_nb.ui.finishing import PronounceCard
from heygen_nb.ui.settings import SettingsPanel

pytestmark = pytest.mark.anyio


async def test_a_word_is_heard_kept_and_taken_out(shared, home):
    panel = SettingsPanel(shared)
    card = PronounceCard(panel)
    card.t_word.value, card.t_said.value = "HeyGen", "hey jen"

    panel.spawn(card.hear)
    panel.spawn(card.keep)
    await panel.idle()

    assert card.player.children[0].value[:4] == b"RIFF"
    assert rules_of(home) == (("HeyGen", "hey jen", ""),)
    assert "HeyGen → hey jen" in dict(card.d_rules.options)
    panel.spawn(card.remove)
    await panel.idle()
    assert rules_of(home) == ()
    assert card.t_word.value == ""
    panel.close()
