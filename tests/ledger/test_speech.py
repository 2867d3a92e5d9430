from __future__ import annotations

import pytest

from heygen_nb.errors import LedgerError, LimitError
from heygen_nb.models import Account

VOICE = {"voice_id": "v1", "speed": 1.0}


def test_a_text_in_a_voice_at_a_speed_is_paid_once(ledger, account):
    first = ledger.speech.plan(account, "d1", "Hello", **VOICE, cost=0.1)
    ledger.speech.record(first.id, "sending")
    ledger.speech.record(first.id, "done", duration_s=2.5, asset_id="asset1")

    again = ledger.speech.plan(account, "other draft", "Hello", **VOICE)
    faster = ledger.speech.plan(account, "d1", "Hello", voice_id="v1", speed=1.1)

    assert (again.id, again.state, again.asset_id) == (first.id, "done", "asset1")
    assert again.reserved_cost == 0
    assert faster.id != first.id


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_call_whose_answer_is_lost_is_never_repeated(ledger, account, state):
    row = ledger.speech.plan(account, "d1", "Hello", **VOICE)
    ledger.speech.record(row.id, "sending")
    if state == "unknown":
        ledger.speech.record(row.id, "unknown")

    with pytest.raises(LedgerError, match="paid for already"):
        ledger.speech.plan(account, "d1", "Hello", **VOICE)
    with pytest.raises(LedgerError, match="cannot follow"):
        ledger.speech.record(row.id, "sending")


def test_a_draft_has_three_calls_and_refused_ones_do_not_count(ledger, account):
    for number in range(4):
        row = ledger.speech.plan(account, "d1", f"text {number}", **VOICE)
        ledger.speech.record(row.id, "sending")
        ledger.speech.record(row.id, "done" if number else "rejected")

    with pytest.raises(LimitError):
        ledger.speech.plan(account, "d1", "one more", **VOICE)

    other_key = Account("heygen", account.base_url, "another")
    assert ledger.speech.plan(other_key, "d1", "text 1", **VOICE).state == "planned"
