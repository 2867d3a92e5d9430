from __future__ import annotations

import asyncio
from functools import partial

import pytest

from heygen_nb.drafts.spoken import rules_of
from heygen_nb.ui.settings import PronounceCard, SettingsPanel

pytestmark = pytest.mark.anyio

SPEECH = "POST /v3/voices/speech"


@pytest.fixture
async def panel(shared):
    panel = SettingsPanel(shared)
    yield panel
    panel.close()


@pytest.fixture
async def card(panel):
    card = PronounceCard(panel)
    card.t_word.value, card.t_said.value = "HeyGen", "hey jen"
    return card


async def done(panel):
    async with asyncio.timeout(60):  # a question that nobody expected ends it
        await panel.idle()


async def hear_voice(card, panel, until, button):
    """Press the button, answer the question, and return what was asked."""
    panel.spawn(card.hear_voice)
    await until(lambda: panel.question)
    asked = panel.question.text.value
    getattr(panel.question, button).click()
    await done(panel)
    return asked


async def test_a_word_is_heard_kept_and_taken_out(panel, card, sandbox, home):
    panel.spawn(card.hear)
    panel.spawn(card.keep)
    await panel.idle()

    assert card.player.children[0].value[:4] == b"RIFF"
    assert rules_of(home) == (("HeyGen", "hey jen", ""),)
    assert "HeyGen → hey jen" in dict(card.d_rules.options)
    panel.spawn(partial(card.keep, ""))
    await panel.idle()
    assert rules_of(home) == ()
    assert card.t_word.value == ""
    assert sandbox.charges() == []


async def test_heygens_voice_is_paid_once_after_one_question(
    panel, card, sandbox, until
):
    asked = await hear_voice(card, panel, until, "yes")

    assert "“hey jen”: at most $0.01" in asked
    assert card.player.children[0].value
    card.player.play(None)
    panel.spawn(card.hear_voice)  # once more: nothing is asked
    await done(panel)
    assert card.player.children[0].value
    assert [charge["kind"] for charge in sandbox.charges()] == ["speech"]


async def test_heygens_voice_is_not_paid_after_a_no(panel, card, sandbox, until):
    await hear_voice(card, panel, until, "no")

    assert card.player.children == ()
    assert sandbox.requests(SPEECH) == 0
    assert sandbox.charges() == []


async def test_heygens_voice_keeps_within_the_limits(panel, card, sandbox, home, until):
    (home / "rates.yaml").write_text("engines: {avatar_iv: 0.1}\nspeech: 1.0\n")
    limit, shared = {"max_cost_per_day": 0.05}, panel.shared
    shared.settings = shared.settings.model_copy(update=limit)

    await hear_voice(card, panel, until, "yes")

    assert "is over $0.05 a day" in panel.told
    assert sandbox.requests(SPEECH) == 0


async def test_a_lost_answer_of_heygens_voice_is_never_sent_again(
    panel, card, sandbox, until
):
    sandbox.fault("drop", method="POST", path="/v3/voices/speech", after=True)

    for _time in range(2):
        await hear_voice(card, panel, until, "yes")
        assert "may have been paid" in panel.told

    assert sandbox.requests(SPEECH) == len(sandbox.charges()) == 1


async def test_what_has_no_words_is_not_sent(panel, card, sandbox):
    card.t_word.value = card.t_said.value = " … "

    panel.spawn(card.hear_voice)
    await done(panel)

    assert "no words" in panel.told
    assert sandbox.requests(SPEECH) == 0
