"""A person interrupts at each step; one charge at most, and the film comes later."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial

import pytest

import heygen_nb as hg
from heygen_nb.api import take_up
from heygen_nb.errors import DeliveryUnsureError, OutcomeUnknownError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.download import Downloader
from heygen_nb.telegram import TelegramPoster

pytestmark = pytest.mark.anyio

SCRIPT = "Hello there, said once or twice, by somebody. " * 8
DRAFTS = [hg.Draft(id=f"d{n}", script=f"Number {n}. {SCRIPT}") for n in range(3)]
LONG = "".join(f"This is sentence {n} of the post. " for n in range(60))
PARTS = 2  # the film with the beginning of a long post, and a message
WHEN = ("before", "in flight", "late")
FOR_ALL = ["Leases.take", "Leases.release", "Ledger.plan", "downloaded"]
FOR_ALL += ["completed", "GET /v3/videos", "fetch .mp4", "fetch .srt"]
SINGLE = [*FOR_ALL, "Ledger.before_send", "POST /v3/videos", "submitted"]
SINGLE += ["GET /v3/videos/*", "GET /v3/users/me", "GET /v3/avatars/looks"]
BATCH = ["Ledger.before_batch", "POST /v3/videos/batches", "submitted"]
BATCH += ["Ledger.after_batch", "GET /v3/videos/batches/*"]
BATCH_TOO = [*FOR_ALL, "Ledger.plan #2", "submitted #3", "Leases.take #4"]
BATCH_TOO += ["Leases.release #3", "Leases.release #6"]
SPEECH = ["Speeches.plan", "POST /v3/voices/speech", "Speeches.record"]
SPEECH_TOO = [*FOR_ALL, "Speeches.of_text", "Speeches.record #2", "write_words"]
SPEECH_TOO += ["Ledger.before_send", "POST /v3/videos", "submitted"]
POST = ["Posts.plan", "Posts.record", "send_video"]
POST_TOO = ["Posts.renew", "Posts.record #2", "Posts.record #3", "Posts.record #4"]
POST_TOO += ["send_message", "Posts.parts", "Leases.take", "Leases.release"]


def all_of(steps, more=()):
    """Return the steps; those that the other ways go through as well are for soak."""
    return [*steps, *(pytest.param(step, marks=pytest.mark.soak) for step in more)]


class Interruption:
    """Interrupts a task at a step, or its nth: a write, or a request."""

    def __init__(self, monkeypatch, step, when):
        self.step, _sign, nth = step.partition(" #")
        self.nth, self.seen = int(nth or 1), Counter()
        self.when, self.task, self.at_work = when, None, []
        self.pool, self.thread = ThreadPoolExecutor(), asyncio.to_thread

        async def to_thread(function, *args, **kwargs):
            run = partial(copy_context().run, function, *args, **kwargs)

            def call():
                self.at_work.append(self.pool.submit(run))
                return asyncio.wrap_future(self.at_work[-1])

            inner = getattr(function, "func", function)  # of a partial
            name = getattr(inner, "__qualname__", "")
            if name == "Ledger.record":
                name = kwargs.get("state") or args[1]
            return await self.around(name, call)

        monkeypatch.setattr(asyncio, "to_thread", to_thread)
        for owner, method, name in (
            (HeyGenClient, "once", lambda method, path: f"{method} {path_of(path)}"),
            (Downloader, "fetch", lambda _link, target: f"fetch {target.suffix}"),
            (TelegramPoster, "send_video", lambda *_args: "send_video"),
            (TelegramPoster, "send_message", lambda *_args: "send_message"),
        ):
            self.wrap(monkeypatch, owner, method, name)

    def wrap(self, monkeypatch, owner, method, name):
        real = getattr(owner, method)

        async def wrapped(this, *args, **kwargs):
            call = lambda: real(this, *args, **kwargs)  # noqa: E731
            return await self.around(name(*args), call)

        monkeypatch.setattr(owner, method, wrapped)

    async def around(self, name, call):
        self.seen[name] += 1
        if name != self.step or self.seen[name] != self.nth:
            return await call()
        if self.when == "before":
            self.task.cancel()
            await asyncio.sleep(0)
            return await call()  # of a task that is shielded
        under_way = asyncio.ensure_future(call())
        if self.when == "in flight":
            await asyncio.sleep(0.02)  # by now the server, or the ledger, has it
            self.task.cancel()
        result = await under_way
        self.task.cancel()
        await asyncio.sleep(0)
        return result

    async def strike(self, work):
        """Do the work; it ends by the interruption, or was done by then.

        A thread is not interrupted: what it writes is waited for.
        """
        self.task = asyncio.ensure_future(work)
        await asyncio.gather(self.task, return_exceptions=True)
        await self.thread(wait, list(self.at_work))
        assert self.seen[self.step] >= self.nth
        self.step = ""


def path_of(path):
    return re.sub(r"/[0-9a-f]{32}$|/batch_\w+$", "/*", path)


@pytest.fixture
def interrupted(sandbox):
    async def interrupt(step, when, work):
        if when == "in flight" and "POST" in step:
            path = step.partition(" ")[2]
            slow = {"method": "POST", "after": True, "delay_s": 0.1}
            sandbox.fault("slow", path, **slow)
        with pytest.MonkeyPatch.context() as patch:
            await Interruption(patch, step, when).strike(work)

    return interrupt


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", SINGLE)
async def test_one_render_interrupted(sandbox, interrupted, step, when):
    settings, draft = sandbox.settings(), DRAFTS[0]

    await interrupted(step, when, hg.render_video(draft, settings=settings))

    assert len(sandbox.charges()) <= 1
    if when == "in flight":
        await hg.resume(settings=settings)
    assert (await hg.render_video(draft, settings=settings)).path.exists()
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", all_of(BATCH, BATCH_TOO))
async def test_a_batch_interrupted(sandbox, interrupted, step, when):
    settings = sandbox.settings(max_concurrent_renders=1)

    await interrupted(step, when, hg.render_batch(DRAFTS, settings=settings))

    never_left = {("POST /v3/videos/batches", "before")}
    never_left |= {("Ledger.before_batch", how) for how in ("in flight", "late")}
    if (step, when) in never_left:
        sandbox.advance(3700)  # a batch is not repeated: a person decides after an hour
        async with open_account(settings) as account:
            outcomes = await take_up(account, settings)
        assert {outcome.status for outcome in outcomes} == {"unknown"}
        assert sandbox.charges() == []
        return
    videos = await hg.render_batch(DRAFTS, settings=settings)
    assert all(video.path and video.path.exists() for video in videos)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == len(DRAFTS)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", all_of(SPEECH, SPEECH_TOO))
async def test_a_speech_interrupted(sandbox, interrupted, step, when):
    settings = sandbox.settings(length_mode="exact", video_duration=15)

    await interrupted(step, when, hg.render_video(DRAFTS[0], settings=settings))

    paid = [charge["kind"] for charge in sandbox.charges()]
    assert len(paid) == len(set(paid))
    try:
        video = await hg.render_video(DRAFTS[0], settings=settings)
    except OutcomeUnknownError:  # it may have been paid: a person's word
        assert step == "POST /v3/voices/speech" or "Speeches" in step
        assert len(sandbox.charges()) == len(paid)
        video = await hg.render_video(DRAFTS[0], settings=settings, again=True)
    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == 1


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", all_of(POST, POST_TOO))
async def test_a_post_interrupted(sandbox, interrupted, step, when):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFTS[0], settings=settings)

    await interrupted(step, when, hg.send_video(video, LONG, settings=settings))

    made = len(sandbox.ledger()["posts"])
    try:
        await hg.send_video(video, LONG, settings=settings)
    except DeliveryUnsureError as error:
        assert len(sandbox.ledger()["posts"]) == made
        assert "resend" in error.hint  # noqa: PT017
    else:
        assert len(sandbox.ledger()["posts"]) == PARTS
    texts = [post["text"] for post in sandbox.ledger()["posts"]]
    assert len(texts) == len(set(texts)) <= PARTS
