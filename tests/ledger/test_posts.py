from __future__ import annotations

import threading

import pytest

from heygen_nb.errors import LedgerError
from heygen_nb.ledger import PostRow

TO = {"video_id": "v1", "backend": "heygen", "chat_id": "@chat"}


def test_a_long_caption_is_two_messages_of_one_post(ledger):
    first, second = ledger.posts.plan(None, **TO, texts=["caption", "the rest"])

    assert (first.part, second.part) == (0, 1)
    assert second.first_id == first.id
    assert [p.id for p in ledger.posts.parts(second.id)] == [first.id, second.id]


def settle(ledger, post, *states):
    """Store what became of a post's messages; return the hold of the post."""
    hold = ledger.leases.take(PostRow, post.id)
    for state in states:
        ledger.posts.record(hold, post.id, state)
    return hold


def test_the_same_video_in_the_same_chat_is_the_same_post(ledger):
    [first] = ledger.posts.plan(None, **TO, texts=["caption"])
    settle(ledger, first, "sending", "sent")

    [second] = ledger.posts.plan(None, **TO, texts=["changed"])
    [other] = ledger.posts.plan(None, **TO | {"chat_id": "@other"}, texts=["c"])
    settle(ledger, other, "sending", "sent")
    [again] = ledger.posts.plan(None, **TO, texts=["c"], again=True)
    settle(ledger, again, "sending", "sent")

    assert second.id == first.id
    assert len({first.id, other.id, again.id}) == 3
    assert ledger.posts.plan(None, **TO, texts=["c"])[0].id == again.id


@pytest.mark.parametrize("again", [True, False])
def test_a_post_that_is_in_no_chat_is_the_one_for_the_next_chat(ledger, again):
    first, _ = ledger.posts.plan(None, **TO, texts=["old", "more"])
    hold = settle(ledger, first, "sending", "failed")
    there = TO | {"chat_id": "@other"}

    [post, _] = ledger.posts.plan(None, **there, texts=["new"], again=again)
    renewed = ledger.posts.renew(hold, "@other", ["new"])

    assert post.id == first.id
    assert [(row.chat_id, row.text) for row in renewed] == [("@other", "new")]
    assert len(ledger.posts.parts(first.id)) == 1


def test_what_is_half_in_a_chat_stays_there_and_ends_as_it_began(ledger):
    first, _ = ledger.posts.plan(None, **TO, texts=["begins", "ends"])
    hold = settle(ledger, first, "sending", "sent")

    def told(chat, *texts):
        return [(r.chat_id, r.text) for r in ledger.posts.renew(hold, chat, texts)]

    old = [("@chat", "begins"), ("@chat", "ends")]
    assert told("@other", "begins", "new") == old
    assert told("@chat", "another", "new") == old
    assert told("@chat", "begins", "new", "x") == [
        ("@chat", text) for text in ("begins", "new", "x")
    ]
    assert told("@chat", "begins") == [("@chat", "begins")]


def test_an_unsure_post_is_left_as_it_is(ledger):
    [post] = ledger.posts.plan(None, **TO, texts=["old"])
    hold = settle(ledger, post, "sending", "unsure")

    [row] = ledger.posts.renew(hold, "@other", ["new"])

    assert (row.chat_id, row.text) == ("@chat", "old")


def test_a_refused_post_is_replaced_by_what_was_sent_elsewhere(ledger):
    [old] = ledger.posts.plan(None, **TO | {"chat_id": "@b"}, texts=["c"])
    settle(ledger, old, "sending", "sent")
    [refused] = ledger.posts.plan(None, **TO, texts=["c"])
    settle(ledger, refused, "sending", "failed")

    assert ledger.posts.replaced_by(refused, "@chat") is None
    assert ledger.posts.replaced_by(refused, "@b") == old.id
    assert ledger.posts.replaced_by(old, "@b") == refused.id


def test_two_that_want_the_same_post_at_once_make_one(open_ledger):
    made = []
    threads = [
        threading.Thread(
            target=lambda one=one: made.append(one.posts.plan(None, **TO, texts=["c"]))
        )
        for one in [open_ledger() for _ in range(4)]
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({rows[0].id for rows in made}) == 1


@pytest.mark.parametrize(
    ("states", "refused"),
    [
        (["sending", "sent"], "planned"),
        (["sending", "sent"], "sending"),
        (["sending", "unsure"], "sending"),
        (["sending"], "planned"),
    ],
)
def test_a_post_that_may_be_in_the_chat_is_not_sent_by_itself(ledger, states, refused):
    [post] = ledger.posts.plan(None, **TO, texts=["c"])
    hold = ledger.leases.take(PostRow, post.id)
    for state in states:
        ledger.posts.record(hold, post.id, state)

    with pytest.raises(LedgerError, match="cannot follow"):
        ledger.posts.record(hold, post.id, refused)


def test_a_post_is_unfinished_until_its_last_message_is_sent(ledger):
    first, second = ledger.posts.plan(None, **TO, texts=["a", "b"])
    hold = ledger.leases.take(PostRow, first.id)
    for post in (first, second):
        assert [p[0].id for p in ledger.posts.unfinished("heygen")] == [first.id]
        ledger.posts.record(hold, post.id, "sending")
        ledger.posts.record(hold, post.id, "sent", message_id=7)

    assert ledger.posts.unfinished("heygen") == []
    assert ledger.posts.parts(first.id)[1].sent_at is not None


def test_a_sandbox_post_is_no_business_of_the_real_chat(ledger):
    ledger.posts.plan(None, **TO | {"backend": "sandbox"}, texts=["a"])

    assert ledger.posts.unfinished("heygen") == []
    assert len(ledger.posts.unfinished("sandbox")) == 1


def test_a_post_nobody_knows_is_told_by_name(ledger):
    with pytest.raises(LedgerError, match="no entry 99"):
        ledger.posts.parts(99)
