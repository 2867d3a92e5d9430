from __future__ import annotations

from heygen_nb.models import Draft

DRAFT = Draft(
    id="d1",
    script="Привет, мир",
    caption="100% new",
    voice="Anna",
    background="#203040",
)


def test_a_draft_comes_back_as_it_was_saved(ledger):
    row, saved = ledger.drafts.save(DRAFT, over=0)

    found = ledger.drafts.get("d1")
    assert saved
    assert (found.script, found.voice, found.version) == ("Привет, мир", "Anna", 1)
    assert found.background == "#203040"
    assert row.version == 1
    assert ledger.drafts.get("other") is None


def test_a_change_made_elsewhere_is_not_saved_over(ledger, open_ledger):
    ledger.drafts.save(DRAFT, over=0)
    theirs = DRAFT.model_copy(update={"script": "theirs"})
    open_ledger().drafts.save(theirs, over=1)

    row, saved = ledger.drafts.save(DRAFT.model_copy(update={"script": "mine"}), over=1)

    assert not saved
    assert (row.script, row.version) == ("theirs", 2)


def test_the_last_saved_draft_is_listed_first(ledger):
    for number in range(3):
        ledger.drafts.save(Draft(id=f"n{number}", script="text"), over=0)
    ledger.drafts.save(Draft(id="n0", script="changed"), over=1)

    assert [row.id for row in ledger.drafts.all()] == ["n0", "n2", "n1"]


def test_a_deleted_draft_can_be_brought_back(ledger):
    ledger.drafts.save(DRAFT, over=0)
    ledger.drafts.delete("d1")
    hidden = ledger.drafts.get("d1"), ledger.drafts.all()

    ledger.drafts.delete("d1", undo=True)

    assert hidden == (None, [])
    assert ledger.drafts.get("d1").script == DRAFT.script


def drafts(count, script="text"):
    return [Draft(id=f"n{number:05}", script=script) for number in range(count)]


def test_many_drafts_are_stored_at_once_in_their_order(ledger):
    new, others = ledger.drafts.save_all(drafts(1203))

    assert (new, others) == (1203, [])
    assert [row.id for row in ledger.drafts.all()] == [d.id for d in drafts(1203)]


def test_drafts_that_are_there_already_stay_as_they_are(ledger):
    ledger.drafts.save_all(drafts(3))
    ledger.drafts.save(Draft(id="n00001", script="mine"), over=1)

    new, others = ledger.drafts.save_all(drafts(4))

    assert new == 1
    assert [(row.id, row.script) for row in others] == [("n00001", "mine")]
    assert [ledger.drafts.get(d.id).version for d in drafts(4)] == [1, 2, 1, 1]


def test_drafts_are_written_over_only_when_that_is_wished(ledger):
    ledger.drafts.save_all(drafts(2))

    new, others = ledger.drafts.save_all(drafts(2, "other"), replace=True)

    assert (new, len(others)) == (0, 2)
    assert {row.script for row in ledger.drafts.all()} == {"other"}
    assert ledger.drafts.get("n00000").version == 2


def test_a_deleted_draft_counts_as_new(ledger):
    ledger.drafts.save_all(drafts(1))
    ledger.drafts.delete("n00000")

    assert ledger.drafts.save_all(drafts(1, "again")) == (1, [])
    assert ledger.drafts.get("n00000").script == "again"


def test_many_are_found_in_the_order_they_are_asked_for(ledger):
    ledger.drafts.save_all(drafts(1100))
    ledger.drafts.delete("n00001")
    wanted = [draft.id for draft in drafts(1100)][::-1]

    found = [row.id for row in ledger.drafts.these([*wanted, "unknown"])]

    assert found == [name for name in wanted if name != "n00001"]


def test_a_field_without_a_column_is_kept_too(ledger):
    class Wider(Draft):
        notes: str = ""

    ledger.drafts.save(Wider(id="d1", script="Hello", notes="for Monday"), over=0)
    [row] = ledger.drafts.these(["d1"])
    _row, saved = ledger.drafts.save(
        Wider(id="d1", script="Hello", notes="for Tuesday"), over=row.version - 1
    )

    assert row.more == {"notes": "for Monday"}
    assert not saved
