from __future__ import annotations

import pytest

from heygen_nb.errors import LedgerError, LimitError, TakenOverError
from heygen_nb.ledger import SpeechRow
from heygen_nb.models import Payer


def speech(draft_id="d1", speed=1.0, cost=1.0):
    return SpeechRow(
        draft_id=draft_id,
        text_key=f"abc:{speed}",
        voice_id="v",
        speed=speed,
        reserved_cost=cost,
        currency="usd",
    )


def anything(_spent):
    """No limit."""


def test_a_draft_gets_three_speeches_and_other_drafts_theirs(open_ledger, account):
    plan = open_ledger().speech.plan

    made = [
        plan(account, speech(speed=s), allow=anything, max_calls=3)
        for s in (0.9, 1.0, 1.1, 1.15)
    ]

    assert [row is not None for row in made] == [True, True, True, False]
    assert plan(account, speech("d2"), allow=anything, max_calls=3)
    other_key = Payer("heygen", account.base_url, "another")
    assert plan(other_key, speech("d1"), allow=anything, max_calls=3)


def test_a_call_is_not_stored_beside_one_that_was_not_seen(open_ledger, account):
    first, second = open_ledger().speech, open_ledger().speech
    seen = len(second.of_text(account, "abc"))
    first.plan(account, speech(), allow=anything, max_calls=3, known=seen)

    with pytest.raises(TakenOverError):
        second.plan(account, speech(), allow=anything, max_calls=3, known=seen)

    assert len(second.of_text(account, "abc")) == 1
    assert second.plan(account, speech(speed=0.9), allow=anything, max_calls=3, known=1)


def test_a_refused_speech_does_not_count(open_ledger, account):
    ledger = open_ledger()
    for _ in range(4):
        row = ledger.speech.plan(account, speech(), allow=anything, max_calls=1)
        ledger.speech.record(row.id, state="rejected", reserved_cost=0.0)

    states = [row.state for row in ledger.speech.of_text(account, "abc")]
    assert states == ["rejected"] * 4


def test_what_became_of_a_call_is_stored_once(open_ledger, account):
    ledger = open_ledger()
    row = ledger.speech.plan(account, speech(), allow=anything, max_calls=3)
    ledger.speech.record(row.id, state="unknown")

    with pytest.raises(LedgerError, match="cannot follow"):
        ledger.speech.record(row.id, state="done")


def test_speech_and_renders_share_the_day(open_ledger, account, new_render):
    ledger, seen = open_ledger(), []

    def at_most_two(spent):
        seen.append(spent)
        if spent > 2:
            raise LimitError("enough")

    ledger.speech.plan(account, speech(cost=1.0), allow=at_most_two, max_calls=3)
    ledger.plan(account, new_render("d1", reserved_cost=1.5), allow=at_most_two)
    with pytest.raises(LimitError):
        ledger.plan(account, new_render("d2"), allow=at_most_two)
    with pytest.raises(LimitError):
        ledger.speech.plan(account, speech("d2"), allow=at_most_two, max_calls=3)

    assert seen == [0.0, 1.0, 2.5, 2.5]
    assert len(ledger.facts.figures("heygen")[0]) == 1
