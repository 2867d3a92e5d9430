from __future__ import annotations

import asyncio

import pytest

from heygen_nb.drafts import DraftTemplate, fill, read_table
from heygen_nb.errors import DraftError, TableError
from heygen_nb.models import Draft
from heygen_nb.ui.state import SharedState

pytestmark = pytest.mark.anyio

HELLO = "Hello {{ name }}, nice to meet you."


@pytest.fixture
async def shared(sandbox):
    shared = SharedState(sandbox.settings(heygen_voice="en-US-Neural2-F"))
    yield shared
    await shared.close()


async def drafts_of(shared, count):
    rows = "".join(f"Name {number}\n" for number in range(count))
    table = read_table("people.csv", f"name\n{rows}".encode())
    return fill(table, DraftTemplate(HELLO, shared.settings.home))


async def next_unpaid(shared, drafts):
    return (await shared.quote(drafts))[:1]


async def ended(jobs):
    await asyncio.gather(*(job.task for job in jobs))
    return [job.outcome for job in jobs]


async def test_a_table_and_a_template_are_read_and_filled(shared):
    drafts = await drafts_of(shared, 2)

    assert [d.script for d in drafts] == [
        "Hello Name 0, nice to meet you.",
        "Hello Name 1, nice to meet you.",
    ]
    with pytest.raises(TableError, match="row 1"):
        fill(
            read_table("a.csv", b"name,x\n,y"),
            DraftTemplate(HELLO, shared.settings.home),
        )
    with pytest.raises(DraftError, match="UTF-8"):
        read_table("a.csv", b"\xff")


async def test_many_renders_go_out_in_one_request(shared, sandbox):
    drafts = await drafts_of(shared, 12)

    outcomes = await ended(shared.jobs.start(drafts))

    assert [outcome.draft_id for outcome in outcomes] == [d.id for d in drafts]
    assert all(outcome.path for outcome in outcomes)
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert len(sandbox.charges()) == 12


async def test_what_is_under_way_or_rendered_is_not_paid_again(shared, sandbox):
    drafts = await drafts_of(shared, 3)

    first = shared.jobs.start(drafts)
    assert shared.jobs.start(drafts) == first
    await ended(first)
    await ended(shared.jobs.start(drafts))

    assert len(sandbox.charges()) == 3


async def test_stopping_one_leaves_the_others(shared, sandbox):
    drafts = await drafts_of(shared, 3)
    jobs = shared.jobs.start(drafts)
    await asyncio.sleep(0)

    await shared.jobs.stop(jobs[1])
    await asyncio.wait([job.task for job in jobs])

    assert [job.stopped for job in jobs] == [False, True, False]
    assert jobs[0].outcome.path
    assert jobs[2].outcome.path


async def test_closing_in_the_middle_leaves_nothing_running(shared):
    jobs = shared.jobs.start(await drafts_of(shared, 3))
    await asyncio.sleep(0)

    await shared.close()

    assert all(job.task.done() for job in jobs)
    assert shared.jobs.running == 0


async def test_an_empty_balance_is_told_for_every_row(shared, sandbox):
    sandbox.set_balance(0)

    outcomes = await ended(shared.jobs.start(await drafts_of(shared, 3)))

    assert all(outcome.error.charged is False for outcome in outcomes)
    assert sandbox.charges() == []


async def test_the_next_row_to_pay_is_the_first_that_is_not_rendered(shared):
    drafts = await drafts_of(shared, 3)
    await ended(shared.jobs.start(drafts[:1]))

    [plan] = await next_unpaid(shared, drafts)
    assert plan.draft.id == drafts[1].id
    assert len(await shared.quote(drafts)) == 2

    await ended(shared.jobs.start(drafts))
    assert await next_unpaid(shared, drafts) == []


async def test_adding_tells_what_is_new_and_what_says_something_else(shared):
    drafts = await drafts_of(shared, 3)
    mine = Draft(id=drafts[0].id, script="mine")
    await shared.drafts.save(mine, over=0)
    told = []
    shared.listen(told.append)

    assert await shared.drafts.add(drafts) == (2, [mine.id])
    assert told == ["drafts"]
    assert await shared.drafts.add(drafts) == (0, [mine.id])
    assert told == ["drafts"]
    await shared.drafts.add(drafts[:1], replace=True)
    assert (await shared.drafts.get(mine.id)).draft == drafts[0]
