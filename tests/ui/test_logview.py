from __future__ import annotations

import asyncio
from collections import deque

import pytest

from heygen_nb.ui import widgets
from heygen_nb.ui.jobs import LOG_LINES
from heygen_nb.ui.widgets import LogView

pytestmark = pytest.mark.anyio


@pytest.fixture
def lines():
    return deque(["[14:23:10] <b>bold</b>"], maxlen=LOG_LINES)


@pytest.fixture
async def view(lines):
    view = LogView(lambda: lines, asyncio.get_running_loop(), "Log")
    yield view
    view.close()


async def test_lines_are_escaped(view):
    assert "&lt;b&gt;bold&lt;/b&gt;" in view.value


async def test_a_thousand_lines_are_one_update_a_fifth_of_a_second(
    view, lines, monkeypatch
):
    monkeypatch.setattr(widgets, "PAUSE_S", 0.05)
    drawn = []
    view.observe(drawn.append, "value")

    for number in range(1000):
        lines.append(str(number))
        view.refresh()
    await asyncio.sleep(0.12)

    assert len(drawn) == 1
    assert "999" in view.value


async def test_the_last_fifty_lines_are_kept(shared):
    jobs = shared.jobs
    for number in range(60):
        jobs.say(f"line {number}")

    assert len(jobs.log) == 50
    assert jobs.log[0].endswith("line 10")


async def test_closing_forgets_the_update_that_was_to_come(view, lines):
    before = view.value
    lines.append("late")
    view.refresh()
    view.close()
    await asyncio.sleep(0.25)

    assert view.value == before
