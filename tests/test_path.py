"""The way of a render stays short enough to be read."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest

import heygen_nb as hg
from heygen_nb.ui import generation
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.state import SharedState
from heygen_nb.ui.studio import Studio

pytestmark = pytest.mark.anyio

MODULES, MOVES = 22, 85
CLICK_MODULES, CLICK_MOVES = 32, 200


def benchmark():
    file = Path(__file__).parent.parent / "benchmarks" / "path.py"
    spec = importlib.util.spec_from_file_location("path", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_render_enters_few_modules_before_its_request_is_sent(sandbox):
    settings = sandbox.settings()
    await hg.render_video(hg.Draft(script="Hello there. " * 9), settings=settings)

    draft = hg.Draft(script="Hi there. " * 9)

    with benchmark().PathOfCall() as path:
        await hg.render_video(draft, settings=settings)

    assert len(path.entered) <= MODULES, " ".join(path.entered)
    assert path.moves <= MOVES, path.moves


async def test_a_click_in_the_studio_enters_few_modules_more(sandbox, monkeypatch):
    monkeypatch.setattr(generation, "TICK_S", 3600)  # on a slow machine they would
    monkeypatch.setattr(generation, "LOG_S", 3600)  # come before the request
    shared = SharedState(sandbox.settings())
    studio = Studio(shared)
    panel = studio.panels[DraftsPanel]
    panel.t_script.value = "Hi there. " * 9
    await ask(panel)  # the first one reads all lists
    panel.question.no.click()
    await panel.idle()

    with benchmark().PathOfCall() as path:
        await ask(panel)
        panel.question.yes.click()
        await panel.idle()
        [job] = shared.jobs.all
        await job.task

    studio.close()
    await shared.close()
    assert len(sandbox.charges()) == 1
    assert len(path.entered) <= CLICK_MODULES, " ".join(path.entered)
    assert path.moves <= CLICK_MOVES, path.moves


async def ask(panel):
    panel.doing["create"].click()
    async with asyncio.timeout(60):
        while True:  # no call of ours while it is waited for
            question = panel._question
            if question and "hg-off" not in question._dom_classes:
                return
            await asyncio.sleep(0.01)
