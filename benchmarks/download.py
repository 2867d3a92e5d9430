"""Peak memory while a 500 MB file is downloaded, against the same process idle.

Claim: <= 60 MB over idle. Beside it: reading the whole file into memory, as a
client does that uses ``response.content``.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from heygen_nb.renderer.download import Downloader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SIZE_BYTES = 500_000_000
CHUNK = b"\0" * 100_000


def serve(ready: multiprocessing.Queue[int]) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(SIZE_BYTES // len(CHUNK)):
            yield CHUNK

    async def film(_request: object) -> StreamingResponse:
        headers = {"content-length": str(SIZE_BYTES)}
        return StreamingResponse(content(), headers=headers, media_type="video/mp4")

    config = uvicorn.Config(Starlette(routes=[Route("/", film)]), log_config=None)
    config.port = 0
    server = uvicorn.Server(config)

    async def main() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        ready.put(server.servers[0].sockets[0].getsockname()[1])
        await task

    asyncio.run(main())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def ours(url: str, folder: Path) -> None:
    async def link(_fresh: bool) -> str:  # noqa: FBT001 - Downloader's protocol
        return url

    downloader = Downloader()
    target = folder / "film.mp4"
    await downloader.fetch(link, target, video_id="v", check=lambda _path: None)
    assert target.stat().st_size == SIZE_BYTES
    await downloader.close()


async def whole(url: str, folder: Path) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        (folder / "film.mp4").write_bytes((await client.get(url)).content)


def measure(
    name: str, url: str, answer: multiprocessing.Queue[tuple[float, float]]
) -> None:
    way = {"ours": ours, "whole file in memory": whole}[name]
    httpx.Client().close()  # loads certificates: part of being idle
    idle, start = peak_mb(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(way(url, Path(folder)))
    answer.put((peak_mb() - idle, time.perf_counter() - start))


def main() -> None:
    context = multiprocessing.get_context("spawn")
    ready, answer = context.Queue(), context.Queue()
    server = context.Process(target=serve, args=(ready,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ready.get()}/"
    for name in ("ours", "whole file in memory"):
        process = context.Process(target=measure, args=(name, url, answer))
        process.start()
        over_mb, seconds = answer.get()
        process.join()
        print(f"{name:22} {over_mb:7.1f} MB over idle  {seconds:5.1f} s")
    server.terminate()


if __name__ == "__main__":
    main()
