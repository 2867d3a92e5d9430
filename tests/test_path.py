"""The way of a render stays short enough to be read."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import heygen_nb as hg

pytestmark = pytest.mark.anyio

MODULES, MOVES = 22, 90


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

    assert len(path.entered) <= MODULES, path.entered
    assert path.moves <= MOVES, path.moves
