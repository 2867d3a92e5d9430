"""Whoever waits holds a render: waiting on never orders, and so never pays."""

from __future__ import annotations

import asyncio

import pytest

import heygen_nb as hg
from heygen_nb.renderer.account import open_account
from heygen_nb.ui.jobs import Jobs

pytestmark = pytest.mark.anyio

OWN = hg.Draft(
    id="a1b2c3d4", script="Hello there, said once. " * 5, voice="Oliver", duration=20
)
STILL = {"path": "/v3/videos/*", "method": "GET", "word": "processing", "times": None}


class Kernel:
    """The jobs of one kernel; a second one is what a restart leaves."""

    def __init__(self, settings):
        self.settings = settings
        self.jobs = Jobs(self)

    def account(self):
        return open_account(self.settings)

    def tell(self, topic):
        """Nobody listens here."""

    def render(self, draft):
        [job] = self.jobs.start([draft])
        return job


async def until(condition):
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110 - what is awaited is a server
            await asyncio.sleep(0.02)


async def ended(kernel):
    await until(lambda: kernel.jobs.all and not kernel.jobs.running)
    [job] = kernel.jobs.all
    return job


async def in_flight(sandbox):
    """Render a draft with a voice of its own in a kernel that is restarted."""
    sandbox.fault("unknown_status", **STILL)
    first = Kernel(sandbox.settings())
    first.render(OWN)
    await until(lambda: sandbox.ledger()["jobs"])
    await first.jobs.close()


@pytest.mark.parametrize("changes", [{}, {"video_duration": 45}])
async def test_waiting_on_after_a_restart_pays_for_nothing(sandbox, changes):
    await in_flight(sandbox)
    kernel = Kernel(sandbox.settings(**changes))
    kernel.jobs.take_up()
    await until(lambda: kernel.jobs.running)
    [job] = kernel.jobs.all
    await until(lambda: job.progress)
    await kernel.jobs.stop(job)
    await until(lambda: job.stopped)
    sandbox.clear_faults()

    await kernel.jobs.go_on(job)
    job = await ended(kernel)

    assert job.outcome.status == "completed", job.outcome
    assert (job.draft.voice, job.draft.duration) == ("Oliver", 20)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1
    await kernel.jobs.close()


async def test_waiting_on_after_the_time_is_up_pays_for_nothing(sandbox):
    sandbox.fault("unknown_status", **STILL)
    kernel = Kernel(sandbox.settings(wait_timeout_s=1))
    job = kernel.render(OWN)
    await until(lambda: job.outcome)
    assert job.outcome.status == "timed_out"
    kernel.settings = sandbox.settings(video_duration=45)
    sandbox.clear_faults()

    await kernel.jobs.go_on(job)
    job = await ended(kernel)

    assert job.outcome.status == "completed", job.outcome
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1
    await kernel.jobs.close()


async def test_a_film_that_could_not_be_fetched_is_fetched_by_waiting_on(
    sandbox, monkeypatch
):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    sandbox.fault("html", "/files/videos/*", times=None)
    kernel = Kernel(sandbox.settings())
    job = kernel.render(OWN)
    await until(lambda: job.outcome)
    assert job.outcome.path is None
    sandbox.clear_faults()

    await kernel.jobs.go_on(job)
    job = await ended(kernel)

    assert job.outcome.path.exists()
    assert len(sandbox.charges()) == 1
    await kernel.jobs.close()


async def test_a_refused_render_is_ordered_anew_when_tried_again(sandbox):
    sandbox.fault("status", "/v3/videos", method="POST", status=400)
    kernel = Kernel(sandbox.settings())
    job = kernel.render(OWN)
    await until(lambda: job.outcome)
    assert job.outcome.status == "rejected"

    await kernel.jobs.go_on(job)
    job = await ended(kernel)

    assert job.outcome.status == "completed", job.outcome
    assert len(sandbox.charges()) == 1
    await kernel.jobs.close()
