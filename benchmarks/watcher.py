"""1,000 renders in flight in one process; 20 drafts at a limit of 10."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from sqlalchemy import func, select

import heygen_nb as hg
from heygen_nb.api import render_drafts
from heygen_nb.config import load_settings
from heygen_nb.ledger import RenderRow
from heygen_nb.renderer.account import open_account
from heygen_nb.sandbox.process import start_sandbox
from heygen_nb.sandbox.state import SandboxOptions

if TYPE_CHECKING:
    from heygen_nb.renderer.account import Account
    from heygen_nb.sandbox.process import SandboxHandle

RENDERS, ROUND_S, ROUNDS = 1000, 5.0, 4


def main() -> None:
    logging.disable(logging.WARNING)
    in_flight()
    twenty()


def sandbox(folder: Path, **options: Any) -> tuple[SandboxHandle, dict[str, str]]:
    handle = start_sandbox(
        folder / "sandbox", options=SandboxOptions(fast=True, **options)
    )
    settings = {
        "HEYGEN_NB_HOME": str(folder),
        "HEYGEN_API_KEY": handle.api_key,
        "HEYGEN_BASE_URL": handle.base_url,
    }
    return handle, settings


def drafts(count: int) -> list[hg.Draft]:
    return [hg.Draft(id=f"d{n}", script=f"Number {n}. " * 20) for n in range(count)]


def requests(handle: SandboxHandle) -> Counter[str]:
    told = handle.control("ledger")
    return Counter(told["requests"])


def in_flight() -> None:
    with tempfile.TemporaryDirectory() as folder:
        handle, environ = sandbox(
            Path(folder), concurrency=2000, balance=1e6, processing_s=3600.0
        )
        settings = load_settings(environ=environ, poll_interval_s=ROUND_S)
        asyncio.run(watch(handle, settings))


async def watch(handle: SandboxHandle, settings: hg.Settings) -> None:
    process, delays = psutil.Process(os.getpid()), []
    async with open_account(settings) as account:
        empty = process.memory_info().rss
        task = asyncio.create_task(
            render_drafts(account, settings, drafts(RENDERS), send=False)
        )
        while not await all_submitted(account):  # noqa: ASYNC110 - rows of a database
            await asyncio.sleep(0.5)
        await asyncio.sleep(2 * ROUND_S)
        before, cpu, begun = requests(handle), process.cpu_times(), time.monotonic()
        until = begun + ROUNDS * ROUND_S
        while time.monotonic() < until:
            asked = time.perf_counter()
            await asyncio.sleep(0.01)
            delays.append((time.perf_counter() - asked - 0.01) * 1000)
        spent_s = time.monotonic() - begun
        used = process.cpu_times()
        busy = (used.user + used.system - cpu.user - cpu.system) / spent_s
        asked = sum((requests(handle) - before).values())
        delays.sort()
        print(f"{RENDERS} renders in flight, a round each {ROUND_S:.0f} s:")
        print(f"  requests a round: {asked / ROUNDS:.1f}")
        print(f"  event-loop delay: p99 {delays[len(delays) * 99 // 100]:.1f} ms")
        print(f"  CPU: {busy:.1%} of a core (rounds and this measurement included)")
        memory = process.memory_info().rss
        grown = (memory - empty) / 2**20
        print(f"  memory: {memory / 2**20:.0f} MB, {grown:.0f} of them for the renders")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def all_submitted(account: Account) -> bool:
    query = select(func.count()).where(RenderRow.state == "submitted")
    with account.ledger.database.reading() as database:
        return database.scalar(query) == RENDERS


def twenty() -> None:
    with tempfile.TemporaryDirectory() as folder:
        handle, environ = sandbox(Path(folder), concurrency=10, processing_s=1.0)
        settings = load_settings(environ=environ, poll_interval_s=1)
        begun = time.monotonic()
        videos = asyncio.run(hg.render_batch(drafts(20), settings=settings))
        spent_s = time.monotonic() - begun
        asked = requests(handle)
        done = sum(video.status == "completed" for video in videos)
        files = asked.pop("GET /files/{place:path}", 0)
        print(f"20 drafts at a limit of 10: {done} done in {spent_s:.1f} s,")
        print(f"  {sum(asked.values())} requests to the API, {files} files: {asked}")


if __name__ == "__main__":
    main()
