from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from heygen_nb.errors import LedgerError, TakenOverError
from heygen_nb.ledger import EventRow, PostRow, RenderRow, title_token
from heygen_nb.models import Payer
from heygen_nb.reports import history_lines

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def planned(ledger, account, new):
    row, _new = ledger.plan(account, new)
    return row, ledger.leases.take(RenderRow, row.id)


def test_an_intent_is_stored_whole_before_anything_is_sent(ledger, account, new_render):
    row, new = ledger.plan(account, new_render(title="My title", send_to="@chat"))

    assert new
    found = ledger.render(row.id)
    assert found.state == "planned"
    assert found.reserved_cost == 1.5
    assert found.send_to == "@chat"
    assert found.token == title_token("a1b2c3d4", "r1", 1)
    assert json.loads(found.body)["title"] == f"{found.token} My title"
    assert found.created_at.tzinfo is not None


def test_the_same_draft_again_is_the_same_row(ledger, account, new_render):
    first, _new = ledger.plan(account, new_render())

    second, new = ledger.plan(account, new_render(caption="changed"))

    assert not new
    assert second.id == first.id
    assert ledger.render(first.id).caption == "changed"


def test_another_revision_key_or_address_is_another_row(ledger, account, new_render):
    other_key = Payer("heygen", account.base_url, "another")
    elsewhere = Payer("heygen", "https://eu.example.com", account.fingerprint)

    rows = [
        ledger.plan(account, new_render())[0],
        ledger.plan(account, new_render(revision="r2"))[0],
        ledger.plan(other_key, new_render())[0],
        ledger.plan(elsewhere, new_render())[0],
    ]

    assert len({row.id for row in rows}) == 4
    assert ledger.find(other_key, "a1b2c3d4", "r2") is None
    with pytest.raises(LedgerError, match="another key"):
        ledger.render(rows[0].id, other_key)


def test_two_planners_at_once_make_one_row(open_ledger, account, new_render):
    ledgers = [open_ledger() for _ in range(4)]
    made = []
    threads = [
        threading.Thread(
            target=lambda one=one: made.append(one.plan(account, new_render()))
        )
        for one in ledgers
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({row.id for row, _new in made}) == 1
    assert sum(new for _row, new in made) == 1


@pytest.mark.parametrize("state", ["rejected", "failed"])
def test_an_attempt_that_cost_nothing_is_followed_by_a_new_one(
    ledger, account, new_render, state
):
    first, hold = planned(ledger, account, new_render())
    if state == "failed":
        ledger.record(hold, "submitted", state="submitted", video_id="v")
    ledger.record(hold, state, state=state)

    second, new = ledger.plan(account, new_render())

    assert new
    assert second.attempt == 2
    assert second.idempotency_key != first.idempotency_key


@pytest.mark.parametrize("ended", ["rejected", "failed"])
def test_a_film_is_not_paid_twice_because_a_second_attempt_ended_unpaid(
    ledger, account, new_render, ended
):
    first, hold = planned(ledger, account, new_render())
    ledger.record(hold, "submitted", state="submitted", video_id="v")
    second, _new = ledger.plan(account, new_render(), again=True)
    hold = ledger.leases.take(RenderRow, second.id)
    if ended == "failed":
        ledger.record(hold, "submitted", state="submitted", video_id="v2")
    ledger.record(hold, ended, state=ended)

    plain, new = ledger.plan(account, new_render())
    third, again_new = ledger.plan(account, new_render(), again=True)

    assert (plain.id, new) == (first.id, False)
    assert (third.attempt, again_new) == (3, True)


@pytest.mark.parametrize("newest", ["planned", "unknown"])
def test_a_film_goes_before_a_newer_attempt_that_may_never_be_made(
    ledger, account, new_render, newest
):
    first, hold = planned(ledger, account, new_render())
    ledger.record(hold, "submitted", state="submitted", video_id="v")
    second, _new = ledger.plan(account, new_render(), again=True)
    if newest == "unknown":
        hold = ledger.leases.take(RenderRow, second.id)
        ledger.record(hold, "unknown", state="unknown")

    plain, new = ledger.plan(account, new_render())

    assert (plain.id, new) == (first.id, False)
    assert ledger.find(account, first.draft_id, "r1").id == first.id


def test_a_lost_render_stands_although_a_later_attempt_was_refused(
    ledger, account, new_render
):
    row, hold = planned(ledger, account, new_render())
    ledger.record(hold, "unknown", state="unknown")
    again, _new = ledger.plan(
        account, row.another(quoted=0.9, reserved_cost=1.0), again=True
    )
    hold = ledger.leases.take(RenderRow, again.id)
    ledger.record(hold, "rejected", state="rejected")

    stands, new = ledger.plan(account, new_render())

    assert (stands.id, new) == (row.id, False)


def test_a_film_bought_under_an_older_rule_for_revisions_counts(
    ledger, account, new_render
):
    bought, hold = planned(ledger, account, new_render(revision="old rule"))
    ledger.record(hold, "submitted", state="submitted", video_id="v")

    def plan(**how):
        new = new_render(revision="new rule")
        return ledger.plan(account, new, earlier=("older rule", "old rule"), **how)

    row, new = plan()
    found = ledger.find(account, row.draft_id, "new rule", "old rule")
    again, _new = plan(again=True)
    hold = ledger.leases.take(RenderRow, again.id)
    ledger.record(hold, "submitted", state="submitted", video_id="v2")

    assert (row.id, new) == (bought.id, False)
    assert found.id == bought.id
    assert (again.revision, again.attempt) == ("new rule", 1)
    assert plan()[0].id == again.id
    assert ledger.find(account, row.draft_id, "new rule").id == again.id


def test_a_lost_render_may_be_sent_again_under_its_key(ledger, account, new_render):
    row, hold = planned(ledger, account, new_render())
    ledger.before_send(hold, NOW)
    ledger.record(hold, "unknown", state="unknown")

    ledger.record(hold, "again", state="planned")
    sent = ledger.before_send(hold, NOW + timedelta(hours=3))

    assert (sent.sends, sent.unanswered) == (2, True)
    assert sent.first_sent_at == NOW
    assert sent.idempotency_key == row.idempotency_key


def test_again_goes_on_with_an_attempt_that_is_not_accepted_yet(
    ledger, account, new_render
):
    first, hold = planned(ledger, account, new_render())
    ledger.before_send(hold, NOW)

    second, new = ledger.plan(account, new_render(), again=True)

    assert not new
    assert second.id == first.id


@pytest.mark.parametrize("state", ["submitted", "unknown"])
def test_again_is_a_new_attempt_after_one_that_is_settled(
    ledger, account, new_render, state
):
    _first, hold = planned(ledger, account, new_render())
    ledger.record(hold, state, state=state)

    second, new = ledger.plan(account, new_render(), again=True)

    assert new
    assert second.attempt == 2


def test_what_a_lost_ledger_had_made_is_adopted_at_once(ledger, account, new_render):
    made = {"made_attempt": 3, "made_video_id": "video3"}
    row, new = ledger.plan(account, new_render(), **made)

    assert new
    assert (row.state, row.video_id, row.attempt) == ("submitted", "video3", 3)
    assert row.token == title_token("a1b2c3d4", "r1", 3)
    assert row.reserved_cost == 0


def test_keys_of_a_lost_ledger_are_not_used_again(ledger, account, new_render):
    failed, _new = ledger.plan(account, new_render(), made_attempt=1)
    other, made = new_render("other"), {"made_attempt": 2, "made_video_id": "v"}
    again, _new = ledger.plan(account, other, again=True, **made)

    assert (failed.state, failed.attempt) == ("planned", 2)
    assert (again.state, again.attempt) == ("planned", 3)


def test_the_life_of_a_key_counts_from_the_first_send_that_may_have_arrived(
    ledger, account, new_render
):
    _row, hold = planned(ledger, account, new_render())
    ledger.before_send(hold, NOW)
    ledger.record(hold, "refused", unanswered=False)

    ledger.before_send(hold, NOW + timedelta(days=1))
    row = ledger.before_send(hold, NOW + timedelta(days=2))

    assert row.first_sent_at == NOW + timedelta(days=1)
    assert row.sends == 3
    assert row.unanswered


@pytest.mark.parametrize(
    ("state", "step"),
    [("planned", "completed"), ("rejected", "submitted"), ("failed", "submitted")],
)
def test_a_step_that_cannot_follow_is_refused(ledger, account, new_render, state, step):
    row, hold = planned(ledger, account, new_render())
    if state == "failed":
        ledger.record(hold, "submitted", state="submitted")
    if state != "planned":
        ledger.record(hold, state, state=state)

    with pytest.raises(LedgerError, match="cannot follow"):
        ledger.record(hold, step, state=step)

    assert ledger.render(row.id).state == state


def test_nothing_is_sent_for_a_render_that_is_settled(ledger, account, new_render):
    row, hold = planned(ledger, account, new_render())
    ledger.record(hold, "submitted", state="submitted", video_id="v")

    with pytest.raises(LedgerError, match="cannot follow"):
        ledger.before_send(hold, NOW)

    assert ledger.render(row.id).sends == 0


def test_a_batch_is_marked_whole_or_not_at_all(
    open_ledger, account, new_render, ledger
):
    first, hold = planned(ledger, account, new_render("one"))
    _second, lost = planned(ledger, account, new_render("two"))
    with ledger.database.writing() as session:
        session.get(RenderRow, lost.id).fence += 1

    with pytest.raises(TakenOverError):
        ledger.before_batch([hold, lost], "hgnb-b-1", NOW)

    assert ledger.render(first.id).batch_key is None
    assert not ledger.render(first.id).unanswered


def test_every_step_is_an_event_with_its_time(ledger, account, new_render):
    row, hold = planned(ledger, account, new_render())
    ledger.before_send(hold, NOW)
    ledger.record(hold, "submitted", state="submitted", video_id="v1")

    with ledger.database.reading() as session:
        found = session.scalars(select(EventRow).order_by(EventRow.id)).all()
    events = [event for event in found if event.render_id == row.id]

    assert [event.name for event in events] == ["planned", "sending", "submitted"]
    assert events[2].data == {"video_id": "v1"}
    assert all(event.at.tzinfo is not None for event in events)


def test_what_is_not_finished_is_told_for_one_account_only(ledger, account, new_render):
    other = Payer("heygen", account.base_url, "another")
    ledger.plan(other, new_render())
    open_row, _hold = planned(ledger, account, new_render("open"))
    _done, hold = planned(ledger, account, new_render("done"))
    unknown, lost = planned(ledger, account, new_render("lost"))
    ledger.record(lost, "unknown", state="unknown")
    for state in ("submitted", "completed", "downloaded"):
        ledger.record(hold, state, state=state)

    rows = ledger.history.unfinished(account)

    assert [row.id for row in rows] == [open_row.id, unknown.id]


def test_an_unknown_that_a_person_paid_again_for_is_over(ledger, account, new_render):
    row, hold = planned(ledger, account, new_render())
    ledger.record(hold, "unknown", state="unknown")

    newer, _new = ledger.plan(
        account, row.another(quoted=2.0, reserved_cost=2.0), again=True
    )

    assert [r.id for r in ledger.history.unfinished(account)] == [newer.id]
    old, new = json.loads(row.body), json.loads(newer.body)
    assert old.pop("title") != new.pop("title")
    assert old == new
    assert newer.reserved_cost == 2.0


def test_a_finished_render_that_was_to_be_posted_is_not_finished(
    ledger, account, new_render
):
    row, hold = planned(ledger, account, new_render(send_to="@chat"))
    for state in ("submitted", "completed", "downloaded"):
        ledger.record(hold, state, state=state, video_id="v")
    before = ledger.history.unfinished(account)

    ledger.posts.plan(
        row.id, video_id="v", backend="heygen", chat_id="@chat", texts=["c"]
    )

    assert [r.id for r in before] == [row.id]
    assert ledger.history.unfinished(account) == []


@pytest.mark.parametrize(
    "address",
    [
        ("@news", "https://t.me/news/7"),
        ("-1001234567890", "https://t.me/c/1234567890/7"),
        ("@forum/45", "https://t.me/forum/45/7"),
        ("123456789", None),  # a person
        ("-5123", None),  # a small group
    ],
)
def test_a_posted_film_has_the_address_of_its_message(
    ledger, account, new_render, tmp_path, address
):
    chat_id, link = address
    row, _hold = planned(ledger, account, new_render())
    [post] = ledger.posts.plan(
        row.id, video_id="v", backend="heygen", chat_id=chat_id, texts=["c"]
    )
    assert history_lines(ledger, tmp_path)[0].link is None

    hold = ledger.leases.take(PostRow, post.id)
    ledger.posts.record(hold, post.id, "sending")
    ledger.posts.record(hold, post.id, "sent", message_id=7)

    assert history_lines(ledger, tmp_path)[0].link == link


def test_the_history_is_filtered_by_state_chat_title_and_time(
    ledger, account, new_render
):
    def made(draft_id, *states, **fields):
        row, hold = planned(ledger, account, new_render(draft_id, **fields))
        for state in states:
            ledger.record(hold, state, state=state, video_id=draft_id)
        return row

    done = ("submitted", "completed", "downloaded")
    one = made("one", *done, title="Совет дня 1")
    made("ten", *done, title="СОВЕТ ДНЯ 10")
    made("failed", "submitted", "failed")
    made("open")
    [post] = ledger.posts.plan(
        one.id, video_id="one", backend="heygen", chat_id="@c", texts=["c"]
    )
    hold = ledger.leases.take(PostRow, post.id)
    for state in ("sending", "sent"):
        ledger.posts.record(hold, post.id, state)

    def found(**wishes):
        return [row.draft_id for row in ledger.history.page(**wishes)]

    assert found() == ["open", "failed", "ten", "one"]
    assert found(by="title") == ["failed", "open", "one", "ten"]
    first = ledger.history.page(by="title", limit=2)[-1]
    assert found(by="title", before=first, status="completed") == ["one", "ten"]
    assert found(status="failed") == ["failed"]
    assert found(status="completed") == ["ten", "one"]
    assert (found(status="sent"), found(status="unsent")) == (["one"], ["ten"])
    assert found(status="unchecked", by="oldest") == ["one", "ten"]
    ledger.note(one.id, findings="cut mute")
    assert (found(status="faulty"), found(status="unchecked")) == (["one"], ["ten"])
    assert found(words="совет дня 1") == ["one"]
    assert found(words="совет дня") == ["ten", "one"]
    assert found(words="Совет 10") == ["ten"]
    assert found(words="#open") == ["open"]
    assert found(words="100%") == []
    assert found(until=one.created_at) == []
    assert found(since=one.created_at, until=one.created_at + SECOND) == ["one"]
