"""Two processes on one ledger share the work; one that sleeps loses its part of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

import heygen_nb as hg
from heygen_nb.errors import LimitError
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import order_again, quote_all

pytestmark = pytest.mark.anyio


def drafts(count):
    return [
        hg.Draft(id=f"d{n}", script=f"Hello number {n}. " * 5, caption=f"post {n}")
        for n in range(count)
    ]


def outcomes_of(child):
    out, err = child.communicate(timeout=270)
    assert child.returncode in (0, 5), err
    assert "Traceback" not in err, err
    return [json.loads(line) for line in out.splitlines()]


def assert_each_paid_and_posted_once(sandbox, count):
    told = sandbox.ledger()
    assert len(told["jobs"]) == len(told["charges"]) == count
    captions = Counter(post["text"] for post in told["posts"])
    assert captions == Counter(f"post {n}" for n in range(count))


def stop(child):
    """Stop all threads of a process; the signal alone returns before they stand."""
    child.send_signal(signal.SIGSTOP)
    tasks = Path(f"/proc/{child.pid}/task")
    while any(
        (task / "stat").read_text().rpartition(")")[2].split()[0] != "T"
        for task in tasks.iterdir()
    ):
        time.sleep(0.001)


def freeze(child, ledger_url):
    """Stop a process between two transactions of its own.

    Inside of one it would keep SQLite's only lock, and all others would wait.
    """
    stop(child)
    if not ledger_url.startswith("sqlite"):
        return
    file = ledger_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as other:
        while True:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                child.send_signal(signal.SIGCONT)
                time.sleep(0.01)
                stop(child)
            else:
                other.rollback()
                return


def wait_for_jobs(sandbox, count):
    deadline = time.monotonic() + 250
    while len(sandbox.ledger()["jobs"]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("ledger_url", "many"),
    [
        ("sqlite", 16),
        pytest.param("sqlite", 40, marks=pytest.mark.soak),
        pytest.param("postgresql", 40, marks=pytest.mark.soak),
    ],
    indirect=["ledger_url"],
)
async def test_two_processes_race_and_one_is_frozen_past_its_lease(
    make_sandbox, children_of, ledger_url, many
):
    # none is done before one of them is frozen
    sandbox = make_sandbox(concurrency=2 * many, processing_s=4.0)
    children = children_of(sandbox)
    how = {"ledger_url": ledger_url, "max_concurrent_renders": many}
    work = drafts(many)
    first = children.start(work, lease_s=2, **how)
    second = children.start(work[::-1], lease_s=2, **how)

    wait_for_jobs(sandbox, many // 3)
    freeze(first, ledger_url)
    others = outcomes_of(second)
    first.send_signal(signal.SIGCONT)
    own = outcomes_of(first)

    assert_each_paid_and_posted_once(sandbox, many)
    assert {row["status"] for row in others} == {"completed"}
    assert all(row["path"] for row in others)
    # those it was frozen over inside of a transaction, which the server then ended
    cut_off = [row for row in own if row["status"] != "completed"]
    assert {row["error"]["code"] for row in cut_off} <= {"ledger"}
    assert len(cut_off) < many // 5


async def test_two_processes_with_the_same_batch_send_it_once(
    make_sandbox, children_of
):
    sandbox = make_sandbox(concurrency=10, processing_s=0.1)
    children = children_of(sandbox)
    work = drafts(12)

    running = [children.start(work, max_concurrent_renders=10) for _ in range(2)]
    told = [outcomes_of(child) for child in running]

    assert_each_paid_and_posted_once(sandbox, 12)
    assert [[row["sent"] for row in rows] for rows in told] == [[True] * 12] * 2


async def test_a_row_of_a_frozen_process_is_finished_by_resume(
    make_sandbox, children_of, home
):
    sandbox = make_sandbox(processing_s=1)
    [draft] = drafts(1)
    child = children_of(sandbox).start([draft], lease_s=0.5)
    wait_for_jobs(sandbox, 1)
    freeze(child, f"sqlite:///{home / 'heygen_nb.db'}")
    await asyncio.sleep(0.6)

    outcomes = await hg.resume(settings=sandbox.settings())
    child.send_signal(signal.SIGCONT)
    [late] = outcomes_of(child)

    assert outcomes[0].sent is True
    assert late["sent"] is True
    assert late["post_id"] == outcomes[0].post_id
    assert_each_paid_and_posted_once(sandbox, 1)


async def test_resume_may_run_twice_at_once(make_sandbox, children_of, home):
    sandbox = make_sandbox(processing_s=0.3)
    children_of(sandbox).run(drafts(5), "while waiting")
    again = children_of(sandbox).start(drafts(5))

    outcomes = await hg.resume(settings=sandbox.settings())

    told = outcomes_of(again)
    assert {row["sent"] for row in told} == {True}
    assert {outcome.sent for outcome in outcomes} <= {True}
    assert_each_paid_and_posted_once(sandbox, 5)


async def test_four_processes_never_pass_the_limit_of_a_day(
    make_sandbox, children_of, home
):
    sandbox, limit = make_sandbox(processing_s=3600.0), 1.70
    script = "Number 1. " + "So do we go on? " * 6  # takes longer than is expected
    work = [hg.Draft(id=f"d{n}", script=script) for n in range(4)]
    async with open_account(sandbox.settings()) as account:
        plans = await quote_all(account, work, sandbox.settings())
    assert sum(plan.quote.amount for plan in plans[:3]) <= limit
    assert sum(plan.quote.at_most for plan in plans[:3]) > limit
    children = children_of(sandbox)

    # none is done, and its upper end free again, before the last one is ordered
    how = {"max_cost_per_day": limit, "send": False, "wait_timeout_s": 0.5}
    running = [children.start([draft], **how) for draft in work]
    told = [json.loads(child.communicate(timeout=250)[0]) for child in running]

    codes = Counter(row["error"]["code"] for row in told)
    assert codes == {"limit": 2, "timed_out": 2}
    sandbox.advance(7200)
    paid = await hg.resume(settings=sandbox.settings())
    assert len(sandbox.charges()) == len(paid) == 2
    assert 3 * paid[0].cost > limit >= sum(outcome.cost for outcome in paid)


async def test_another_attempt_reserves_the_upper_end_too(sandbox):
    settings, [draft] = sandbox.settings(), drafts(1)
    sandbox.fault("failed_render", "*")
    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(draft, settings=settings)
    async with open_account(settings) as account:
        [failed] = account.ledger.history.page()
        tight = settings.model_copy(update={"max_cost_per_render": failed.quoted})
        with pytest.raises(LimitError):
            await order_again(account, failed.id, tight)

        render_id = await order_again(account, failed.id, settings)

        row = account.ledger.render(render_id)
        assert row.reserved_cost > row.quoted > 0
