from __future__ import annotations

import asyncio

import pytest

from heygen_nb.errors import DraftError, TableError
from heygen_nb.models import Draft
from heygen_nb.workflow.desk import Desk

pytestmark = pytest.mark.anyio

HELLO = "Hello {{ name }}, nice to meet you."


@pytest.fixture
async def desk(sandbox):
    desk = Desk(sandbox.settings(heygen_voice="en-US-Neural2-F"))
    yield desk
    await desk.close()


async def drafts_of(desk, count):
    rows = "".join(f"Name {number}\n" for number in range(count))
    table = await desk.tables.read("people.csv", f"name\n{rows}".encode())
    return (await desk.tables.fill(table, HELLO)).drafts


async def ended(jobs):
    await asyncio.gather(*(job.task for job in jobs))
    return [job.outcome for job in jobs]


async def test_own_templates_come_before_those_of_the_package(desk, home):
    (home / "templates").mkdir()
    (home / "templates" / "mine.md").write_text(HELLO)

    names = [path.name for path in desk.tables.templates()]

    assert names[0] == "mine.md"
    assert "greeting.md" in names


async def test_a_table_and_a_template_are_read_and_filled(desk):
    drafts = await drafts_of(desk, 2)

    assert [d.script for d in drafts] == [
        "Hello Name 0, nice to meet you.",
        "Hello Name 1, nice to meet you.",
    ]
    with pytest.raises(TableError, match="row 1"):
        await desk.tables.fill(await desk.tables.read("a.csv", b"name,x\n,y"), HELLO)
    with pytest.raises(DraftError, match="UTF-8"):
        await desk.tables.read("a.csv", b"\xff")


async def test_many_renders_go_out_in_one_request(desk, sandbox):
    drafts = await drafts_of(desk, 12)

    outcomes = await ended(desk.tables.render(drafts))

    assert [outcome.draft_id for outcome in outcomes] == [d.id for d in drafts]
    assert all(outcome.path for outcome in outcomes)
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert len(sandbox.charges()) == 12


async def test_what_is_under_way_or_rendered_is_not_paid_again(desk, sandbox):
    drafts = await drafts_of(desk, 3)

    first = desk.tables.render(drafts)
    assert desk.tables.render(drafts) == []
    await ended(first)
    await ended(desk.tables.render(drafts))

    assert len(sandbox.charges()) == 3


async def test_stopping_one_leaves_the_others(desk, sandbox):
    drafts = await drafts_of(desk, 3)
    jobs = desk.tables.render(drafts)
    await asyncio.sleep(0)

    desk.jobs.stop(jobs[1])
    await asyncio.wait([job.task for job in jobs])

    assert [job.stopped for job in jobs] == [False, True, False]
    assert jobs[0].outcome.path
    assert jobs[2].outcome.path


async def test_closing_in_the_middle_leaves_nothing_running(desk):
    jobs = desk.tables.render(await drafts_of(desk, 3))
    await asyncio.sleep(0)

    await desk.close()

    assert all(job.task.done() for job in jobs)
    assert not desk.jobs._sending


async def test_an_empty_balance_is_told_for_every_row(desk, sandbox):
    sandbox.set_balance(0)

    outcomes = await ended(desk.tables.render(await drafts_of(desk, 3)))

    assert all(outcome.error.charged is False for outcome in outcomes)
    assert sandbox.charges() == []


async def test_the_next_row_to_pay_is_the_first_that_is_not_rendered(desk):
    drafts = await drafts_of(desk, 3)
    await ended(desk.tables.render(drafts[:1]))

    plan = await desk.tables.next_unpaid(drafts)
    assert plan.new.draft_id == drafts[1].id
    assert len(await desk.tables.quote(drafts)) == 2

    await ended(desk.tables.render(drafts))
    assert await desk.tables.next_unpaid(drafts) is None


async def test_adding_tells_what_is_new_and_what_says_something_else(desk):
    drafts = await drafts_of(desk, 3)
    mine = Draft(id=drafts[0].id, script="mine")
    await desk.book.save(mine, over=0)
    told = []
    desk.listen(told.append)

    assert await desk.book.add(drafts) == (2, [mine])
    assert told == ["drafts"]
    assert await desk.book.add(drafts) == (0, [mine])
    assert told == ["drafts"]
    await desk.book.add(drafts[:1], replace=True)
    assert (await desk.book.get(mine.id)).draft == drafts[0]
