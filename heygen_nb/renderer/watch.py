"""Waiting for renders: one look at all of them every few seconds."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.errors import ApiError, NotAuthorizedError, NotFoundError
from heygen_nb.heygen import phase

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from heygen_nb.heygen import HeyGenClient, VideoReply

log = logging.getLogger("heygen_nb.renderer")

MAX_STATUS_IDS = 100  # HeyGen's limit of one bulk request
_GETS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at a video showed.

    Attributes:
        word: HeyGen's status word, or ``deleted``.
        video: The whole reply; always there when the render has ended well.
    """

    word: str
    video: VideoReply | None = None


_MISSING = Sighting("not_found")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    video_id: str
    interval_s: float
    news: asyncio.Queue[Sighting | Exception | None]


class Watcher:
    """Looks at all videos that somebody waits for.

    A single video is asked for by itself; more share one status request for up to
    100, and only those that have ended are then read one by one.

    Args:
        client: HeyGen.
        sleep: Waits between two looks.
    """

    def __init__(
        self,
        client: HeyGenClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None
        self._gets = asyncio.Semaphore(_GETS_AT_ONCE)

    async def watch(
        self, video_id: str, *, interval_s: float, at_once: bool = False
    ) -> AsyncGenerator[Sighting | None]:
        """Yield what every look shows; None when a look failed.

        Args:
            video_id: Which video.
            interval_s: Seconds between two looks; the shortest of all waiters
                counts.
            at_once: Look before the first interval is over.

        Raises:
            NotAuthorizedError: The key is no longer accepted.
        """
        if at_once:
            yield await self._look(video_id)
        waiter = _Waiter(video_id, interval_s, asyncio.Queue())
        self._waiters.add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            while True:
                news = await waiter.news.get()
                if isinstance(news, Exception):
                    raise news
                yield news
        finally:
            self._waiters.discard(waiter)
            if not self._waiters and self._task:
                self._task.cancel()
                self._task = None  # it ends a little later: nobody may rely on it

    async def close(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiters:
            await self._sleep(min(waiter.interval_s for waiter in self._waiters))
            waiters = list(self._waiters)
            news: dict[str, Sighting | None] | Exception
            try:
                news = await self._look_at_all({w.video_id for w in waiters})
            except Exception as error:  # noqa: BLE001 - the waiters raise it
                news = error
            for waiter in waiters:
                waiter.news.put_nowait(
                    news if isinstance(news, Exception) else news[waiter.video_id]
                )

    async def _look_at_all(self, video_ids: set[str]) -> dict[str, Sighting | None]:
        ids = sorted(video_ids)
        if len(ids) == 1:
            return {ids[0]: await self._look(ids[0])}
        news: dict[str, Sighting | None] = dict.fromkeys(ids)
        for start in range(0, len(ids), MAX_STATUS_IDS):
            news |= await self._bulk(ids[start : start + MAX_STATUS_IDS])
        ended = [
            video_id
            for video_id, sighting in news.items()
            if sighting
            and (
                phase(sighting.word) in ("completed", "failed")
                or sighting.word == "not_found"
            )
        ]
        looks = await asyncio.gather(*(self._look(video_id) for video_id in ended))
        return news | dict(zip(ended, looks, strict=True))

    async def _bulk(self, ids: list[str]) -> dict[str, Sighting | None]:
        try:
            rows = await self._client.video_statuses(ids)
        except NotAuthorizedError:
            raise
        except ApiError as error:
            log.warning("%s", error)
            return {}
        told = {row.video_id: Sighting(row.status) for row in rows if row.video_id}
        # one that is missing in the answer is looked at by itself
        return {video_id: told.get(video_id, _MISSING) for video_id in ids}

    async def _look(self, video_id: str) -> Sighting | None:
        try:
            async with self._gets:
                video = await self._client.get_video(video_id)
        except NotAuthorizedError:
            raise
        except ApiError as error:
            # Only this code says that the video is gone; any other 404 may be a
            # gateway's, and a failed look never is a failed render.
            if isinstance(error, NotFoundError) and error.code == "video_not_found":
                return Sighting("deleted")
            log.warning("%s", error)
            return None
        return Sighting(video.status, video)
