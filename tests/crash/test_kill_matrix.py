"""A process is killed at every boundary; resume pays once, posts at most once."""

from __future__ import annotations

import hashlib
import signal

import pytest

import heygen_nb as hg
from heygen_nb.ledger import Ledger
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import open_account

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5, caption="Hi")


async def resumed(sandbox, **settings):
    return await hg.resume(settings=sandbox.settings(**settings))


def assert_paid_once_and_whole(sandbox, outcome):
    told = sandbox.ledger()
    [job], [_charge] = told["jobs"], told["charges"]
    assert outcome.status == "completed"
    assert hashlib.sha256(outcome.path.read_bytes()).hexdigest() == job["sha256"]
    assert not list(outcome.path.parent.glob("*.part"))
    assert outcome.thumbnail.exists()
    assert outcome.subtitles.exists()


@pytest.mark.parametrize(
    "boundary",
    [
        "planned",
        "before the POST",
        "request sent",
        "reply lost",
        "reply not stored",
        "id stored",
        "while waiting",
        "completed",
        "in the download",
        "before the rename",
        "after the rename",
        "downloaded",
        "post planned",
    ],
)
async def test_killed_before_the_post_it_is_finished(
    make_sandbox, children_of, boundary
):
    sandbox = make_sandbox(file_bytes=1_000_000)
    if boundary == "request sent":
        sandbox.fault("slow", "/v3/videos", method="POST", after=True, delay_s=2)
    if boundary == "reply lost":
        sandbox.fault("drop", "/v3/videos", method="POST", after=True)

    code, _printed = children_of(sandbox).run([DRAFT], boundary)
    sandbox.clear_faults()
    [outcome] = await resumed(sandbox)

    assert code == -signal.SIGKILL
    assert_paid_once_and_whole(sandbox, outcome)
    assert outcome.sent is True
    assert len(sandbox.ledger()["posts"]) == 1
    assert await resumed(sandbox) == []


@pytest.mark.parametrize(
    ("boundary", "posts"),
    [("post about to go", 0), ("while uploading", None), ("Telegram accepted", 1)],
)
async def test_killed_while_posting_a_person_decides(
    make_sandbox, children_of, boundary, posts
):
    sandbox = make_sandbox()
    if boundary == "while uploading":
        sandbox.fault("slow", "*/sendVideo", delay_s=1)

    code, _printed = children_of(sandbox).run([DRAFT], boundary)
    [outcome] = await resumed(sandbox)
    [again] = await resumed(sandbox)

    assert code == -signal.SIGKILL
    assert_paid_once_and_whole(sandbox, outcome)
    assert outcome.sent == again.sent == "unsure"
    assert outcome.exit_code == 5
    made = len(sandbox.ledger()["posts"])
    assert made <= 1 if posts is None else made == posts


async def test_killed_after_the_post_nothing_is_left_to_do(sandbox, children_of):
    code, _printed = children_of(sandbox).run([DRAFT], "post stored")

    assert code == -signal.SIGKILL
    assert await resumed(sandbox) == []
    assert len(sandbox.charges()) == len(sandbox.ledger()["posts"]) == 1


async def test_a_person_settles_an_unsure_post_either_way(sandbox, children_of):
    children_of(sandbox).run([DRAFT], "Telegram accepted")
    [outcome] = await resumed(sandbox)
    async with open_account(sandbox.settings()) as account:
        await Posting(sandbox.settings(), account).mark_sent(outcome.post_id)

        with pytest.raises(hg.HeygenNbError, match="already"):
            await Posting(sandbox.settings(), account).resend(outcome.post_id)

    assert await resumed(sandbox) == []
    assert len(sandbox.ledger()["posts"]) == 1


async def test_an_unsure_post_that_is_not_there_is_sent_again(sandbox, children_of):
    children_of(sandbox).run([DRAFT], "post about to go")
    [outcome] = await resumed(sandbox)

    async with open_account(sandbox.settings()) as account:
        post = await Posting(sandbox.settings(), account).resend(outcome.post_id)

    assert post.status == "sent"
    assert await resumed(sandbox) == []
    assert len(sandbox.ledger()["posts"]) == 1


@pytest.mark.parametrize(
    "boundary", ["batch not stored", "batch stored", "batch looked at"]
)
async def test_a_killed_batch_is_found_again(make_sandbox, children_of, boundary):
    sandbox = make_sandbox(concurrency=3)
    drafts = [DRAFT.model_copy(update={"id": f"item{n}"}) for n in range(4)]

    code, _printed = children_of(sandbox).run(
        drafts, boundary, max_concurrent_renders=2
    )
    outcomes = await resumed(sandbox)

    told = sandbox.ledger()
    assert code == -signal.SIGKILL
    assert len(told["jobs"]) == len(told["charges"]) == len(told["posts"]) == 4
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4


async def test_a_batch_that_never_left_is_not_sent_by_itself(make_sandbox, children_of):
    sandbox = make_sandbox()
    drafts = [DRAFT.model_copy(update={"id": f"item{n}"}) for n in range(3)]
    children_of(sandbox).run(drafts, "batch before the POST", max_concurrent_renders=2)
    sandbox.advance(3700)

    outcomes = await resumed(sandbox)

    assert sandbox.ledger()["jobs"] == []
    assert [outcome.status for outcome in outcomes] == ["unknown"] * 3
    assert {outcome.exit_code for outcome in outcomes} == {5}


async def test_every_row_is_given_back_by_a_dead_process(sandbox, children_of, home):
    children_of(sandbox).run([DRAFT], "while waiting")

    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        [row] = ledger.history.page()
        assert row.owner is not None
        assert ledger.leases.take(type(row), row.id) is not None
