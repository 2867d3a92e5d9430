from __future__ import annotations

import pytest

from heygen_nb.errors import LimitError
from heygen_nb.ledger import Render, Speech


def speech(draft_id="d1", speed=1.0, cost=1.0):
    return Speech(
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


def test_a_refused_speech_does_not_count(open_ledger, account):
    ledger = open_ledger()
    for _ in range(4):
        row = ledger.speech.plan(account, speech(), allow=anything, max_calls=1)
        ledger.speech.record(row.id, state="rejected", reserved_cost=0.0)

    states = [row.state for row in ledger.speech.of_text(account, "abc")]
    assert states == ["rejected"] * 4


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
    assert len(ledger.facts.renders()) == 1


def test_finished_renders_teach_lengths_times_and_voices(
    open_ledger, account, new_render
):
    ledger = open_ledger()
    inputs = {"resolution": "720p", "voice": "Clara"}
    row, _new = ledger.plan(account, new_render(inputs=inputs, engine="avatar_iv"))
    ledger.plan(account, new_render("d2"))
    hold = ledger.leases.take(Render, row.id)
    ledger.record(hold, "submitted", state="submitted", video_id="x")
    ledger.record(hold, "completed", state="completed", duration_s=31.0, pad_s=1.0)

    [spoken] = ledger.facts.spoken("heygen")
    [(seconds, start, end, engine, resolution)] = ledger.facts.times("heygen")

    assert spoken == ("Hello", "v1", 1.0, 30.0, "")
    assert (seconds, engine, resolution) == (31.0, "avatar_iv", "720p")
    assert end > start
    assert ledger.facts.voice_of("heygen", "Clara") == "v1"
    assert ledger.facts.voice_of("heygen", "Nobody") == ""
    assert ledger.facts.newest("heygen") == end
    assert ledger.facts.spoken("sandbox") == []


def test_a_render_is_alone_unless_another_may_have_cost(
    open_ledger, account, new_render
):
    ledger = open_ledger()
    first, _new = ledger.plan(account, new_render("d1"))
    other, _new = ledger.plan(account, new_render("d2"))
    since = first.created_at

    assert ledger.facts.alone(account, first.id, since)
    hold = ledger.leases.take(Render, other.id)
    ledger.before_send(hold, since)
    assert not ledger.facts.alone(account, first.id, since)
