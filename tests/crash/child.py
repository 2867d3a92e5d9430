"""A process that renders and posts drafts, and kills itself where it is told to.

The boundaries are put around the package from outside: nothing in it knows of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import httpx

from heygen_nb.api import render_drafts, take_up
from heygen_nb.config import load_settings
from heygen_nb.errors import HeygenNbError, ReplyLostError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.ledger import Ledger, leases
from heygen_nb.ledger.posts import Posts
from heygen_nb.models import Draft
from heygen_nb.renderer.account import open_account
from heygen_nb.sandbox.process import TOKEN_HEADER
from heygen_nb.telegram import TelegramPoster


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def dies_before(owner, name, when=lambda *_args, **_kw: True):
    real = getattr(owner, name)

    def wrapped(*args, **kwargs):
        if when(*args, **kwargs):
            die()
        return real(*args, **kwargs)

    setattr(owner, name, wrapped)


def dies_after(owner, name, when=lambda *_args, **_kw: True):
    real = getattr(owner, name)

    def wrapped(*args, **kwargs):
        result = real(*args, **kwargs)
        if when(*args, **kwargs):
            die()
        return result

    setattr(owner, name, wrapped)


def dies_after_call(owner, name, error=None):
    """The same for a coroutine; with ``error``, when that comes instead."""
    real = getattr(owner, name)

    async def wrapped(*args, **kwargs):
        try:
            result = await real(*args, **kwargs)
        except Exception as exc:
            if error and isinstance(exc, error):
                die()
            raise
        if error is None:
            die()
        return result

    setattr(owner, name, wrapped)


def dies_during_call(owner, name, seen):
    """Kill while a request is under way, once the server shows that it has it."""
    real = getattr(owner, name)

    async def wrapped(*args, **kwargs):
        task = asyncio.ensure_future(real(*args, **kwargs))
        while not seen():  # noqa: ASYNC110 - the server's state
            await asyncio.sleep(0.01)
        die()
        await task

    setattr(owner, name, wrapped)


def server_has(base_url, kind):
    token = {TOKEN_HEADER: os.environ["SANDBOX_CONTROL_TOKEN"]}
    ledger = f"{base_url}/_sandbox/ledger"
    return lambda: httpx.get(ledger, headers=token).json()[kind]


def server_was_asked(base_url, route):
    return lambda: route in server_has(base_url, "requests")()


def dies_in_the_middle_of_the_download():
    real = httpx.Response.aiter_bytes

    async def wrapped(self, *args):
        got = 0
        async for chunk in real(self, *args):
            yield chunk
            got += len(chunk)
            if got > 300_000 and "/files/" in str(self.url):
                die()

    httpx.Response.aiter_bytes = wrapped


def arm(boundary, base_url):
    is_mp4 = lambda _self, target: str(target).endswith(".mp4")  # noqa: E731
    recorded = lambda state: lambda *_a, **kw: kw.get("state") == state  # noqa: E731
    posted = lambda state: lambda *args, **_kw: args[3] == state  # noqa: E731
    {
        "planned": lambda: dies_after(Ledger, "plan"),
        "before the POST": lambda: dies_before(HeyGenClient, "create_video"),
        "request sent": lambda: dies_during_call(
            HeyGenClient, "create_video", server_has(base_url, "jobs")
        ),
        "reply lost": lambda: dies_after_call(
            HeyGenClient, "create_video", ReplyLostError
        ),
        "reply not stored": lambda: dies_after_call(HeyGenClient, "create_video"),
        "id stored": lambda: dies_after(Ledger, "record", recorded("submitted")),
        "while waiting": lambda: dies_before(HeyGenClient, "get_video"),
        "completed": lambda: dies_after(Ledger, "record", recorded("completed")),
        "in the download": dies_in_the_middle_of_the_download,
        "before the rename": lambda: dies_before(Path, "replace", is_mp4),
        "after the rename": lambda: dies_after(Path, "replace", is_mp4),
        "downloaded": lambda: dies_after(Ledger, "record", recorded("downloaded")),
        "post planned": lambda: dies_after(Posts, "plan"),
        "post about to go": lambda: dies_after(Posts, "record", posted("sending")),
        "while uploading": lambda: dies_during_call(
            TelegramPoster,
            "send_video",
            server_was_asked(base_url, "POST /bot{token}/sendVideo"),
        ),
        "Telegram accepted": lambda: dies_after_call(TelegramPoster, "send_video"),
        "post stored": lambda: dies_after(Posts, "record", posted("sent")),
        "batch before the POST": lambda: dies_before(HeyGenClient, "create_batch"),
        "batch not stored": lambda: dies_after_call(HeyGenClient, "create_batch"),
        "batch stored": lambda: dies_after(Ledger, "after_batch"),
        "batch looked at": lambda: dies_after_call(HeyGenClient, "get_batch"),
        "nowhere": lambda: None,
    }[boundary]()


async def step_of(account, settings, draft, step, paid_again):
    """Take one step of a random sequence; what HeyGen refuses is no fault of ours."""
    name, text = step
    draft = draft.model_copy(update={"script": text})
    if name == "again":  # written down first: it may be paid from here on
        with paid_again.open("a") as stream:
            stream.write(f"{draft.id}\n")
    try:
        if name == "resume":
            await take_up(account, settings)
        else:
            send, again = name == "send", name == "again"
            await render_drafts(account, settings, [draft], send=send, again=again)
    except HeygenNbError as error:
        logging.getLogger("heygen_nb").warning("%s", error)


async def walk(account, settings, job):
    """Go through the sequences of all drafts side by side."""
    paid_again = Path(job["paid_again"])

    async def one(draft, steps):
        for step in steps:
            await step_of(account, settings, draft, step, paid_again)

    drafts = [Draft(**draft) for draft in job["drafts"]]
    await asyncio.gather(*map(one, drafts, job["sequences"]))


async def main(job):
    leases.LEASE_S = job["lease_s"]
    if job["naps"] is not None:
        sleep = asyncio.sleep
        asyncio.sleep = lambda seconds: sleep(min(seconds, job["naps"]))
    settings = load_settings(**job["settings"])
    arm(job["boundary"], settings.heygen_base_url)
    drafts = [Draft(**draft) for draft in job["drafts"]]
    async with open_account(settings) as account:
        if "sequences" in job:
            await walk(account, settings, job)
            return
        outcomes = await render_drafts(account, settings, drafts, send=job["send"])
    for outcome in outcomes:
        sys.stdout.write(outcome.model_dump_json() + "\n")


def become_the_child(environ, outputs):
    """Take over the environment and the outputs of our own."""
    os.environ.clear()
    os.environ.update(environ)
    for number, file in enumerate(outputs, start=1):
        with Path(file).open("wb") as stream:
            os.dup2(stream.fileno(), number)


# conftest.py forks it and hands these in
become_the_child(ENVIRON, OUTPUTS)  # noqa: F821
asyncio.run(main(JOB))  # noqa: F821
