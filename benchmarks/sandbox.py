"""The sandbox beside its caller: start, render, delay of the caller's loop, load.

python benchmarks/sandbox.py
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from heygen_nb.sandbox.process import start_sandbox
from heygen_nb.sandbox.state import SandboxOptions

if TYPE_CHECKING:
    from heygen_nb.sandbox.process import SandboxHandle

SCRIPT = "Three small habits make every morning a little lighter. " * 9
STEP_S = 0.005


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await beside_a_render(Path(folder, "real"))
        await with_a_thousand_jobs(Path(folder, "fast"))


async def beside_a_render(folder: Path) -> None:
    begun = time.perf_counter()
    options = SandboxOptions(early_404_s=0)
    handle = await asyncio.to_thread(start_sandbox, folder, options=options)
    print(
        f"start of the server process            {time.perf_counter() - begun:6.2f} s"
    )
    watch = asyncio.create_task(loop_delays())
    async with client(handle) as api:
        for round_ in ("first render, workers starting", "second render"):
            begun = time.perf_counter()
            video = await finished(api, await created(api, SCRIPT))
            took = time.perf_counter() - begun
            print(f"{round_:38} {took:6.2f} s for {video['duration']:.1f} s of 1080p")
    watch.cancel()
    delays = sorted(await watch)
    p99 = delays[len(delays) * 99 // 100]
    median, worst = statistics.median(delays), delays[-1]
    print(f"delay of the caller's loop, p99        {p99 * 1e3:6.2f} ms (limit 20)")
    print(
        f"  median {median * 1e3:.2f} ms, worst {worst * 1e3:.2f} ms, n {len(delays)}"
    )


async def with_a_thousand_jobs(folder: Path) -> None:
    known = {"early_404_s": 0, "concurrency": 1000, "balance": 1e6}
    options = SandboxOptions(fast=True, **known)
    handle = await asyncio.to_thread(start_sandbox, folder, options=options)
    async with client(handle) as api:
        begun = time.perf_counter()
        ids = [await created(api, SCRIPT) for _ in range(1000)]
        each = (time.perf_counter() - begun) / 1000
        print(f"create, fast mode                      {each * 1e3:6.2f} ms")
        query = ",".join(ids[:100])
        begun = time.perf_counter()
        for _ in range(100):
            await api.get(f"/v3/videos/statuses?video_ids={query}")
        each = (time.perf_counter() - begun) / 100
        print(f"bulk status of 100 among 1000          {each * 1e3:6.2f} ms")


async def loop_delays() -> list[float]:
    delays = []
    try:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(STEP_S)
            delays.append(time.perf_counter() - begun - STEP_S)
    except asyncio.CancelledError:
        return delays


def client(handle: SandboxHandle) -> httpx.AsyncClient:
    key = {"X-Api-Key": handle.api_key}
    return httpx.AsyncClient(base_url=handle.base_url, headers=key, timeout=60)


async def created(api: httpx.AsyncClient, script: str) -> str:
    body = {"type": "avatar", "avatar_id": "look_own_01", "script": script}
    body |= {"aspect_ratio": "9:16", "caption": {"file_format": "srt"}}
    reply = await api.post("/v3/videos", json=body)
    return reply.json()["data"]["video_id"]


async def finished(api: httpx.AsyncClient, video_id: str) -> dict:
    while True:
        video = (await api.get(f"/v3/videos/{video_id}")).json()["data"]
        if video["status"] in ("completed", "failed"):
            return video
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
