"""Jobs: what was accepted waits for a place, is rendered, and charged when done."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from pathlib import Path
from typing import Any

from heygen_nb.processes import Processes
from heygen_nb.sandbox.api import Refusal
from heygen_nb.sandbox.bodies import order_of, parse_video
from heygen_nb.sandbox.files import Files, file_hash
from heygen_nb.sandbox.rendering import FetchError, FilmOrder, make_canned, render
from heygen_nb.sandbox.state import JobState, Purse, State, video_price

_log = logging.getLogger("heygen_nb.sandbox")
_FAILED = "rendering_failed"
_NICE = 10
_NO_CREDIT = "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"
_NO_CREDIT_TEXT = (
    "Insufficient credit. This operation requires 'plan_credit' or 'api' credits."
)


class JobQueue:
    """All jobs of the account.

    In fast mode time alone finishes a job: ``settle`` catches up with the clock
    before every answer. Otherwise a worker process does.
    """

    def __init__(self, state: State, files: Files) -> None:
        self._state = state
        self._options = state.options
        self._files = files
        self._pool = Processes(state.options.workers, nice=_NICE)
        self._slots = asyncio.Semaphore(state.options.workers)
        self._orders: dict[str, FilmOrder] = {}  # of unfinished jobs
        self._waiting: deque[JobState] = deque()
        self._timed: deque[JobState] = deque()  # in fast mode, by their end
        self._rendering: set[str] = set()
        self._span = self._options.pending_s + self._options.processing_s
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self._state.jobs.values():
            if job.ended:
                continue
            try:
                order = order_of(parse_video(job.body), self._files)
            except Refusal as refusal:  # a link has expired meanwhile
                job.failure_code = refusal.code
                self._finish(job, None, self._state.clock.now())
                continue
            self._orders[job.id] = order
            if job.status == "queued":
                self._waiting.append(job)
            else:
                self._start(job, job.started_at)
        self.start_waiting(self._state.clock.now())

    async def close(self) -> None:
        """Stop rendering; the jobs stay unfinished in the state folder."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def settle(self) -> None:
        """Finish everything that is over by the clock."""
        span, now = self._span, self._state.clock.now()
        while self._timed and self._timed[0].started_at + span <= now:
            job, length_s = self._timed.popleft(), None
            if job.failure_code is None:
                order, size = self._orders[job.id], self._options.file_bytes
                length_s = make_canned(order, self._path(job), job.id, size)
                if order.styled:
                    # Made at the same time, it is the same file.
                    mark = f"{job.id} captioned" if self._options.captions_s else job.id
                    make_canned(order, self._path(job, "captioned.mp4"), mark, size)
            self._finish(job, length_s, job.started_at + span)

    @property
    def full(self) -> bool:
        """Tell whether as many videos are rendering as may."""
        running = len(self._orders) - len(self._waiting)
        return running >= self._options.concurrency

    def price(self, order: FilmOrder, purse: Purse) -> float:
        """Return what a video is going to cost."""
        return video_price(purse, order.duration_s, order.rate)

    def accept(
        self,
        body: dict[str, Any],
        order: FilmOrder,
        key: str | None,
        purse: Purse,
        **batch: Any,
    ) -> JobState:
        """Make a job of an order; it waits until it is started.

        One whose money is not there fails later, as HeyGen was seen to tell it.
        """
        price = self.price(order, purse)
        paid = self._state.wallet.has(purse, price)
        job = JobState(
            id=secrets.token_hex(16),
            number=len(self._state.jobs) + 1,
            body=body,
            title=body.get("title"),
            engine=order.engine,
            status="queued",
            purse=purse,
            rate=order.rate,
            accepted_at=self._state.clock.now(),
            estimate=price if paid else 0.0,
            duration=order.duration_s,
            key=key,
            failure_code=None if paid else _NO_CREDIT,
            failure_message=None if paid else _NO_CREDIT_TEXT,
            **batch,
        )
        self._state.put(job)
        self._orders[job.id] = order
        self._waiting.append(job)
        return job

    def start_waiting(self, at: float) -> None:
        """Start what was accepted, as places are free."""
        while self._waiting and not self.full:
            self._start(self._waiting.popleft(), at)

    def _start(self, job: JobState, at: float) -> None:
        job.status, job.started_at = "running", at
        self._state.put(job)
        if self._options.fast:
            self._timed.append(job)
        else:
            task = asyncio.get_running_loop().create_task(self._render(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _render(self, job: JobState) -> None:
        await asyncio.sleep(self._options.pending_s)
        order, length_s = self._orders[job.id], None
        if job.failure_code is None:
            async with self._slots:
                self._rendering.add(job.id)
                length_s = await self._film(job, order)
                self._rendering.discard(job.id)
        self._finish(job, length_s, self._state.clock.now())
        self._state.flush()
        if order.styled and length_s is not None:
            async with self._slots:
                await self._film(job, order, "captioned.mp4")

    async def _film(
        self, job: JobState, order: FilmOrder, name: str = "video.mp4"
    ) -> float | None:
        """Render one file; return its length, or None if that failed."""
        captions = name == "captioned.mp4"
        try:
            path = self._path(job, name)
            film = self._pool.submit(render, order, path, captions=captions)
            return float(await asyncio.wrap_future(film))
        except Exception as exc:  # noqa: BLE001 - a failed render, never a lost one
            _log.exception("render %s failed", job.id)
            if not captions:
                download = isinstance(exc, FetchError)
                job.failure_code = "download_failed" if download else _FAILED
                job.failure_message = str(exc)
            return None

    def _finish(self, job: JobState, length_s: float | None, at: float) -> None:
        job.completed_at = at
        self._orders.pop(job.id, None)
        if length_s is None:
            job.status = "failed"
            job.failure_message = job.failure_message or "The video failed to render."
        else:
            job.status, job.duration = "completed", length_s
            job.sha256 = file_hash(self._path(job))
            job.charge = video_price(job.purse, length_s, job.rate)
            # A deleted render was paid for all the same.
            paid = {"purse": job.purse, "amount": job.charge, "at": at}
            self._state.wallet.charge(kind="video", ref=job.id, **paid)
        self._state.put(job)
        self.start_waiting(at)

    def _path(self, job: JobState, name: str = "video.mp4") -> Path:
        path = self._files.path(f"videos/{job.id}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def word(self, job: JobState) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.ended:
            return job.status
        if self._options.fast:
            begins = job.started_at + self._options.pending_s
            begun = job.status == "running" and self._state.clock.now() >= begins
            return "processing" if begun else "pending"
        return "processing" if job.id in self._rendering else "pending"
