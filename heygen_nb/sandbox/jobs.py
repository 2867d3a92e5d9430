"""Jobs: what was accepted waits for a place, is rendered, and charged when done."""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox.api import Refusal
from heygen_nb.sandbox.bodies import parse_video
from heygen_nb.sandbox.orders import cost, order_of
from heygen_nb.sandbox.rendering import FetchError, Order, Renderer, make_canned
from heygen_nb.sandbox.speech import file_hash
from heygen_nb.sandbox.state import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.orders import Wallet
    from heygen_nb.sandbox.state import State

_log = logging.getLogger("heygen_nb.sandbox")
_FAILED = "rendering_failed"


class Jobs:
    """All jobs of the account.

    In fast mode time alone finishes a job: ``settle`` catches up with the clock
    before every answer. Otherwise a worker process does. ``doomed`` tells with
    which failure code a scripted fault ends a new job.
    """

    def __init__(
        self,
        state: State,
        files: Files,
        wallet: Wallet,
        doomed: Callable[[str], str | None],
    ) -> None:
        self._state = state
        self._options = state.options
        self._files = files
        self._wallet = wallet
        self._doomed = doomed
        self._renderer = Renderer(state.options.workers)
        self._orders: dict[str, Order] = {}  # of unfinished jobs
        self._waiting: deque[Job] = deque()
        self._ends: list[tuple[float, str]] = []
        self._rendering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self._state.jobs.values():
            if job.ended:
                continue
            try:
                order = order_of(parse_video(job.body), self._files)
            except Refusal as refusal:  # a link has expired meanwhile
                job.failure_code = refusal.error["code"]
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
        self._renderer.close()

    def settle(self) -> None:
        """Finish everything that is over by the clock."""
        while self._ends and self._ends[0][0] <= self._state.clock.now():
            ended_at, job_id = heapq.heappop(self._ends)
            job, length_s = self._state.jobs[job_id], None
            if job.failure_code is None:
                path, size = self._path(job), self._options.file_bytes
                length_s = make_canned(self._orders[job_id], path, job_id, size)
            self._finish(job, length_s, ended_at)

    @property
    def full(self) -> bool:
        """Tell whether as many videos are rendering as may."""
        running = len(self._orders) - len(self._waiting)
        return running >= self._options.concurrency

    def accept(
        self, body: dict[str, Any], order: Order, key: str | None, **batch: Any
    ) -> Job:
        """Make a job of an order; it waits until it is started."""
        job = Job(
            id=secrets.token_hex(16),
            number=len(self._state.jobs) + 1,
            body=body,
            title=body.get("title"),
            engine=order.engine,
            status="queued",
            accepted_at=self._state.clock.now(),
            estimate=cost(order.duration_s, order.engine),
            duration=order.duration_s,
            key=key,
            failure_code=self._doomed(body.get("title") or ""),
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

    def _start(self, job: Job, at: float) -> None:
        job.status, job.started_at = "running", at
        self._state.put(job)
        if self._options.fast:
            span = self._options.pending_s + self._options.processing_s
            heapq.heappush(self._ends, (at + span, job.id))
        else:
            task = asyncio.get_running_loop().create_task(self._render(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _render(self, job: Job) -> None:
        await asyncio.sleep(self._options.pending_s)
        length_s: float | None = None
        if job.failure_code is None:
            async with self._renderer.slots:
                self._rendering.add(job.id)
                try:
                    order, path = self._orders[job.id], self._path(job)
                    length_s = await self._renderer.render(order, path)
                except Exception as exc:  # noqa: BLE001 - a failed render, never a lost one
                    _log.exception("render %s failed", job.id)
                    download = isinstance(exc, FetchError)
                    job.failure_code = "download_failed" if download else _FAILED
                    job.failure_message = str(exc)
                self._rendering.discard(job.id)
        self._finish(job, length_s, self._state.clock.now())
        self._state.flush()

    def _finish(self, job: Job, length_s: float | None, at: float) -> None:
        job.completed_at = at
        self._orders.pop(job.id, None)
        if length_s is None:
            job.status = "failed"
            job.failure_message = job.failure_message or "The video failed to render."
        else:
            job.status, job.duration = "completed", length_s
            job.sha256 = file_hash(self._path(job))
            job.charge = cost(length_s, job.engine)
            # A deleted render was paid for all the same.
            self._wallet.charge("video", job.id, job.charge, at)
        self._state.put(job)
        self.start_waiting(at)

    def _path(self, job: Job) -> Path:
        path = self._files.path(f"videos/{job.id}/video.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def word(self, job: Job) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.ended:
            return job.status
        if self._options.fast:
            begins = job.started_at + self._options.pending_s
            begun = job.status == "running" and self._state.clock.now() >= begins
            return "processing" if begun else "pending"
        return "processing" if job.id in self._rendering else "pending"
