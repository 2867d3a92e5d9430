"""Waiting while clocks are set, and while the computer sleeps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import heygen_nb as hg
from heygen_nb.clock import Clock, Pace
from heygen_nb.errors import WaitTimeoutError
from heygen_nb.ledger import Ledger, RenderRow
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.order import ToRender, order, order_all

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once or twice. " * 8)
HOUR_S = 3600.0
LOOK = {"path": "/v3/videos/*", "method": "GET"}


class Laptop:
    """A clock of its own: naps pass at once, and what is planned happens in them.

    Args:
        events: What happens during the nap of that number, from 1.
    """

    def __init__(self, **events):
        self.now = datetime.now(UTC)
        self.uptime = 1000.0
        self.naps = 0
        self.events = {int(name.strip("nap")): event for name, event in events.items()}
        self.clock = Clock(lambda: self.now, lambda: self.uptime, self.nap)

    def set_clock(self, hours):
        self.now += timedelta(hours=hours)

    def asleep(self, hours):
        self.set_clock(hours)
        self.uptime += hours * HOUR_S

    async def nap(self, seconds):
        self.naps += 1
        self.asleep(seconds / HOUR_S)
        if event := self.events.get(self.naps):
            await asyncio.to_thread(event, self)


def still(sandbox, word, times):
    sandbox.fault("unknown_status", **LOOK, word=word, times=times)


async def rendered(sandbox, laptop, **settings):
    """Render on a laptop; return what was told of every look, and the ledger's row."""
    chosen = sandbox.settings(poll_interval_s=10, **settings)
    seen = []
    async with open_account(chosen, clock=laptop.clock) as account:
        render_id = await order(account, DRAFT, chosen, progress=seen.append)
        video = await advance(account, render_id, chosen.pace, seen.append)
        row = account.ledger.render(video.render_id)
    return [news for news in seen if "Status" in news.message], row


def clocks_of(look):
    return look.elapsed_s, look.fraction


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_set_changes_neither_elapsed_time_nor_percent(
    sandbox, hours
):
    still(sandbox, "pending", 2)
    still(sandbox, "processing", 4)
    laptop = Laptop(nap3=lambda laptop: laptop.set_clock(hours))

    looks, row = await rendered(sandbox, laptop, wait_timeout_s=120)

    elapsed, fractions = ([*news] for news in zip(*map(clocks_of, looks), strict=True))
    assert len(looks) == 7
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] < 0.1 * HOUR_S
    assert fractions == sorted(fractions)
    assert all(look.eta_s for look in looks[:-1])
    queued_s = [look.elapsed_s for look in looks if look.status == "pending"][-1]
    begun_s = next(look.elapsed_s for look in looks if look.status == "processing")
    between = timedelta(seconds=(queued_s + begun_s) / 2)
    assert row.processing_at - row.submitted_at == between
    assert len(sandbox.charges()) == 1


async def test_the_first_look_is_no_queue(sandbox):
    still(sandbox, "processing", 2)

    _looks, row = await rendered(sandbox, Laptop(), wait_timeout_s=120)

    assert row.completed_at
    assert row.processing_at is None


async def test_a_computer_asleep_for_hours_goes_on_waiting(sandbox):
    still(sandbox, "processing", 9)
    laptop = Laptop(nap5=lambda laptop: laptop.asleep(5))

    looks, _row = await rendered(sandbox, laptop, wait_timeout_s=60)

    elapsed, fractions = ([*news] for news in zip(*map(clocks_of, looks), strict=True))
    assert elapsed[0] < 60
    assert 5 * HOUR_S < elapsed[-1] < 5.1 * HOUR_S
    assert elapsed == sorted(elapsed)
    assert fractions == sorted(fractions)
    assert looks[-1].status == "completed"
    assert len(sandbox.charges()) == 1


async def test_a_network_that_wakes_up_later_is_no_reason_to_stop(sandbox):
    still(sandbox, "processing", 5)
    sandbox.fault("drop", **LOOK, skip=5, times=8)  # a look and its repeats, and more
    laptop = Laptop(nap6=lambda laptop: laptop.asleep(5))

    looks, _row = await rendered(sandbox, laptop, wait_timeout_s=100)

    assert looks[-1].status == "completed"
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("trouble", ["processing", "drop"])
async def test_after_a_sleep_the_time_to_wait_begins_anew_and_ends(sandbox, trouble):
    if trouble == "drop":
        sandbox.fault("drop", **LOOK, times=None)
    else:
        still(sandbox, trouble, None)
    laptop = Laptop(nap3=lambda laptop: laptop.asleep(5))

    with pytest.raises(WaitTimeoutError) as caught:
        await rendered(sandbox, laptop, wait_timeout_s=60)

    assert 5 * HOUR_S + 60 <= laptop.uptime - 1000 < 5 * HOUR_S + 150
    assert "Stopped waiting after 18" not in caught.value.message
    assert caught.value.video_id
    assert len(sandbox.charges()) == 1


async def test_a_render_of_another_process_is_followed_through_a_sleep(sandbox):
    settings = sandbox.settings(poll_interval_s=10, wait_timeout_s=60)
    await hg.create_video(DRAFT, settings=settings)
    url, other = f"sqlite:///{settings.home / 'heygen_nb.db'}", "elsewhere/boot/1/1.0"
    with Ledger(url, owner=other) as ledger:
        (row,) = ledger.history.page(limit=1)
        hold = ledger.leases.take(RenderRow, row.id)
        laptop = Laptop(
            nap2=lambda laptop: laptop.asleep(5),
            nap4=lambda _laptop: ledger.leases.release(hold),
        )

        looks, _row = await rendered(sandbox, laptop, wait_timeout_s=60)

    assert looks[-1].status == "completed"
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("hours", [-21, -5, 5, 21])
async def test_a_clock_set_after_a_lost_reply_pays_once(sandbox, hours):
    sandbox.fault("drop", path="/v3/videos", method="POST", after=True)
    laptop = Laptop(nap1=lambda laptop: laptop.set_clock(hours))

    await rendered(sandbox, laptop)

    # set far ahead, the key counts as dead too early: the title tells then
    assert sandbox.requests("POST /v3/videos") == (1 if hours > 20 else 2)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("hours", [5, 21, 25])
async def test_a_sleep_between_a_lost_reply_and_its_repeat_pays_once(sandbox, hours):
    def asleep(laptop):
        laptop.asleep(hours)
        sandbox.advance(hours * HOUR_S)  # the world outside goes on

    sandbox.fault("drop", path="/v3/videos", method="POST", after=True)

    await rendered(sandbox, Laptop(nap1=asleep))

    # after 20 h a key counts as dead: the video is looked for by its title
    assert sandbox.requests("POST /v3/videos") == (2 if hours < 20 else 1)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_a_batch_is_waited_for_through_a_sleep(sandbox):
    settings = sandbox.settings(max_concurrent_renders=2, wait_timeout_s=100)
    sandbox.fault(  # three looks with their repeats
        "status", "/v3/videos/batches/*", method="GET", status=503, times=15
    )
    laptop = Laptop(nap7=lambda laptop: laptop.asleep(5))
    drafts = [DRAFT.model_copy(update={"id": f"d{n}"}) for n in range(3)]
    async with open_account(settings, clock=laptop.clock) as account:
        wanted = [ToRender(draft, settings) for draft in drafts]
        render_ids = await order_all(account, wanted)

        made = await asyncio.gather(
            *(advance(account, render_id, Pace(10, 100)) for render_id in render_ids)
        )

    assert [video.status for video in made] == ["completed"] * 3
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert len(sandbox.charges()) == 3
