from __future__ import annotations

import pytest

from heygen_nb.errors import LedgerError
from heygen_nb.models import Draft

DRAFT = Draft(id="d1", script="Привет, мир", caption="100% new", voice="Anna")


def test_a_draft_comes_back_as_it_was_saved(ledger):
    version = ledger.drafts.save(DRAFT, version=0)

    assert ledger.drafts.get("d1") == (DRAFT, version)
    assert ledger.drafts.get("other") is None


def test_a_change_made_elsewhere_is_not_saved_over(ledger, open_ledger):
    version = ledger.drafts.save(DRAFT, version=0)
    open_ledger().drafts.save(DRAFT.model_copy(update={"script": "theirs"}), version=1)

    with pytest.raises(LedgerError) as caught:
        ledger.drafts.save(DRAFT, version=version)

    assert caught.value.code == "conflict"
    assert ledger.drafts.get("d1")[0].script == "theirs"
    assert ledger.drafts.save(DRAFT) == 3


def test_drafts_are_listed_by_their_last_change_and_searched(ledger):
    for number in range(5):
        ledger.drafts.save(Draft(id=f"n{number}", script=f"text {number}"))
    ledger.drafts.save(DRAFT)
    ledger.drafts.save(Draft(id="n0", script="changed"))

    ids = [draft.id for draft in ledger.drafts.page(limit=3)]

    assert ids == ["n0", "d1", "n4"]
    assert [d.id for d in ledger.drafts.page(limit=3, offset=3)] == ["n3", "n2", "n1"]
    assert [d.id for d in ledger.drafts.page(search="100%")] == ["d1"]
    assert [d.id for d in ledger.drafts.page(search="TEXT 3")] == ["n3"]
    assert ledger.drafts.count() == 6


def test_a_deleted_draft_can_be_brought_back(ledger):
    ledger.drafts.save(DRAFT)
    ledger.drafts.delete("d1")
    hidden = ledger.drafts.get("d1"), ledger.drafts.page(), ledger.drafts.count()

    ledger.drafts.restore("d1")

    assert hidden == (None, [], 0)
    assert ledger.drafts.get("d1")[0] == DRAFT
