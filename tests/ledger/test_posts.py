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


def test_the_same_video_in_the_same_chat_is_the_same_post(ledger):
    [first] = ledger.posts.plan(None, **TO, texts=["caption"])

    [second] = ledger.posts.plan(None, **TO, texts=["changed"])
    [other] = ledger.posts.plan(None, **TO | {"chat_id": "@other"}, texts=["c"])
    [again] = ledger.posts.plan(None, **TO, texts=["c"], again=True)

    assert second.id == first.id
    assert len({first.id, other.id, again.id}) == 3
    assert ledger.posts.plan(None, **TO, texts=["c"])[0].id == again.id


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
        assert ledger.posts.unfinished("heygen") == [first.id]
        ledger.posts.record(hold, post.id, "sending")
        ledger.posts.record(hold, post.id, "sent", message_id=7)

    assert ledger.posts.unfinished("heygen") == []
    assert ledger.posts.parts(first.id)[1].sent_at is not None


def test_a_sandbox_post_is_no_business_of_the_real_chat(ledger):
    ledger.posts.plan(None, **TO | {"backend": "sandbox"}, texts=["a"])

    assert ledger.posts.unfinished("heygen") == []
    assert len(ledger.posts.unfinished("sandbox")) == 1


def test_a_post_nobody_knows_is_told_by_name(ledger):
    with pytest.raises(LedgerError, match="no post 99"):
        ledger.posts.parts(99)
