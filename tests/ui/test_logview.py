from __future__ import annotations

import asyncio

import pytest

from heygen_nb.ui import generation
from heygen_nb.ui.generation import GenerationPanel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(shared):
    panel = GenerationPanel(shared)
    await panel.idle()
    yield panel
    panel.close()


async def test_lines_are_escaped(panel, shared, until):
    shared.jobs.say("<b>bold</b>")

    await until(lambda: "&lt;b&gt;bold&lt;/b&gt;" in panel.log_view.value)


async def test_a_thousand_lines_are_one_update_a_fifth_of_a_second(
    panel, shared, monkeypatch, until
):
    monkeypatch.setattr(generation, "LOG_S", 0.05)
    drawn = []
    panel.log_view.observe(drawn.append, "value")

    for number in range(1000):
        shared.jobs.say(str(number))
    await until(lambda: drawn)

    assert len(drawn) == 1
    assert "999" in panel.log_view.value


async def test_the_last_fifty_lines_are_kept(shared):
    jobs = shared.jobs
    for number in range(60):
        jobs.say(f"line {number}")

    assert len(jobs.log) == 50
    assert jobs.log[0].endswith("line 10")


async def test_closing_forgets_the_update_that_was_to_come(panel, shared):
    before = panel.log_view.value
    shared.jobs.say("late")
    panel.close()
    await asyncio.sleep(0.25)

    assert panel.log_view.value == before
