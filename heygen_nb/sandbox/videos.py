"""Videos: accepted, waited for, charged when finished, listed, deleted."""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.bodies import parse_video
from heygen_nb.sandbox.envelope import Refusal, data, found, invalid, page
from heygen_nb.sandbox.orders import RATES
from heygen_nb.sandbox.rendering import FetchError, Made, Order, Renderer, make_canned
from heygen_nb.sandbox.state import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.orders import Plan, Planner
    from heygen_nb.sandbox.state import State
    from heygen_nb.sandbox.wallet import Wallet

_log = logging.getLogger("heygen_nb.sandbox")
_MAX_IDS = 100


class Videos:
    """All jobs of the account.

    In fast mode time alone finishes a job: ``settle`` catches up with the clock
    before every answer. Otherwise a worker process does.

    Args:
        doomed: Tells with which failure code a scripted fault ends a new job.
    """

    def __init__(
        self,
        state: State,
        files: Files,
        planner: Planner,
        wallet: Wallet,
        *,
        doomed: Callable[[str], str | None],
    ) -> None:
        self._state = state
        self._options = options = state.options
        self._files = files
        self._planner = planner
        self._wallet = wallet
        self._doomed = doomed
        self._renderer = Renderer(options.workers)
        self.jobs = state.load(Job)
        self._orders: dict[str, Order] = {}
        self._running: set[str] = set()
        self._waiting: deque[Job] = deque()
        self._ends: list[tuple[float, str]] = []
        self._rendering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self.jobs.values():
            if job.status not in ("running", "queued"):
                continue
            self._wallet.hold(job.id, job.estimate)
            try:
                self._orders[job.id] = self._planner.plan(parse_video(job.body)).order
            except Refusal as refusal:  # a link has expired meanwhile
                job.fail_with, job.failure_message = refusal.code, refusal.message
            if job.status == "queued":
                self._waiting.append(job)
            else:
                self._start(job, job.started_at or job.accepted_at)

    async def close(self) -> None:
        """Stop rendering; the jobs stay unfinished in the state folder."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._renderer.close()

    def accept(
        self,
        body: dict[str, Any],
        plan: Plan,
        *,
        key: str | None = None,
        batch: tuple[str, int] | None = None,
    ) -> Job:
        """Make a job of a plan; a single one starts at once, a batch item waits.

        Raises:
            Refusal: 402 when the balance does not cover it.
        """
        job_id = secrets.token_hex(16)
        self._wallet.reserve(job_id, plan.cost)
        title = body.get("title")
        job = Job(
            id=job_id,
            number=len(self.jobs) + 1,
            body=body,
            title=title,
            engine=plan.engine,
            status="queued" if batch else "running",
            accepted_at=self._state.clock.now(),
            estimate=plan.cost,
            duration=plan.duration_s,
            key=key,
            batch_id=batch[0] if batch else None,
            item_index=batch[1] if batch else None,
            fail_with=self._doomed(title or ""),
        )
        self.jobs[job.id] = job
        self._orders[job.id] = plan.order
        self._state.save(job)
        if batch:
            self._waiting.append(job)
            self._start_waiting(job.accepted_at)
        else:
            self._start(job, job.accepted_at)
        return job

    def settle(self) -> None:
        """Finish everything that is over by the clock."""
        now = self._state.clock.now()
        while self._ends and self._ends[0][0] <= now:
            ended_at, job_id = heapq.heappop(self._ends)
            job, made = self.jobs[job_id], None
            if job.fail_with is None:
                path, size = self._path(job), self._options.file_bytes
                made = make_canned(self._orders[job.id], path, job.id, size)
            self._finish(job, made, ended_at)

    def _start_waiting(self, at: float) -> None:
        """Let batch items take the free places."""
        while self._waiting and len(self._running) < self._options.concurrency:
            self._start(self._waiting.popleft(), at)

    def _start(self, job: Job, at: float) -> None:
        job.status, job.started_at = "running", at
        self._state.save(job)
        self._running.add(job.id)
        if self._options.fast:
            span = self._options.pending_s + self._options.processing_s
            heapq.heappush(self._ends, (at + span, job.id))
        else:
            task = asyncio.get_running_loop().create_task(self._render(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _render(self, job: Job) -> None:
        await asyncio.sleep(self._options.pending_s)
        made: Made | BaseException | None = None
        if job.fail_with is None:
            async with self._renderer.slots:
                self._rendering.add(job.id)
                order, path = self._orders[job.id], self._path(job)
                # Whatever goes wrong over there is a failed render, never a lost one.
                (made,) = await asyncio.gather(
                    self._renderer.render(order, path), return_exceptions=True
                )
                self._rendering.discard(job.id)
        if isinstance(made, BaseException):
            _log.error("render %s failed", job.id, exc_info=made)
            fetching = isinstance(made, FetchError)
            job.fail_with = "download_failed" if fetching else "rendering_failed"
            job.failure_message, made = str(made), None
        self._finish(job, made, self._state.clock.now())
        self._state.flush()

    def _finish(self, job: Job, made: Made | None, at: float) -> None:
        job.completed_at = at
        self._running.discard(job.id)
        self._orders.pop(job.id, None)
        if made is None:
            job.status, job.failure_code = "failed", job.fail_with
            job.failure_message = job.failure_message or "The video failed to render."
            self._wallet.release(job.id)
        else:
            job.status, job.sha256 = "completed", made.sha256
            job.charge = round(made.duration_s * RATES[job.engine], 6)
            job.duration = made.duration_s
            # A deleted render was paid for all the same.
            self._wallet.charge("video", job.id, job.charge, at)
        self._state.save(job)
        self._start_waiting(at)

    def _path(self, job: Job) -> Path:
        path = self._files.path(f"videos/{job.id}/video.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    async def create(self, body: Any, key: str | None, _request: Request) -> Response:
        """Answer ``POST /v3/videos``."""
        plan = self._planner.plan(parse_video(body))
        if len(self._running) >= self._options.concurrency:
            wait = {"Retry-After": str(self._options.retry_after_s)}
            message = f"{self._options.concurrency} videos are rendering already"
            raise Refusal(429, "rate_limit_exceeded", message, headers=wait)
        job = self.accept(body, plan, key=key)
        reply = {"video_id": job.id, "status": "waiting", "output_format": "mp4"}
        return data(reply)

    async def get(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/{id}``."""
        return data(self.view(self.find(request.path_params["id"]), request))

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE /v3/videos/{id}``; a running render goes on and costs."""
        job = self.find(request.path_params["id"])
        job.deleted = True
        self._state.save(job)
        self._files.remove_video(job.id)
        return data({"id": job.id, "deleted": True})

    async def list(self, request: Request) -> Response:
        """Answer ``GET /v3/videos``, newest first."""
        query = request.query_params
        wanted = query.get("title", "").casefold()
        seen_until = self._state.clock.now() - self._options.list_lag_s
        jobs = [
            job
            for job in self._visible(*reversed(self.jobs)).values()
            if job.accepted_at <= seen_until and wanted in (job.title or "").casefold()
        ]
        rows, paging = page(jobs, query, lambda job: -job.number, default=10)
        views = [self.view(job, request) for job in rows]
        return JSONResponse({"data": views, **paging})

    async def statuses(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/statuses``."""
        query = request.query_params
        ids = [i for i in query.get("video_ids", "").split(",") if i]
        batch_ids = [i for i in query.get("batch_ids", "").split(",") if i]
        if not ids and not batch_ids:
            raise invalid("video_ids", "give video_ids or batch_ids")
        if len(ids) > _MAX_IDS:
            raise invalid("video_ids", f"at most {_MAX_IDS} ids, got {len(ids)}")
        known = self._visible(*ids)
        missing = {"status": "not_found"}
        rows = [
            self.row(known[i]) if i in known else {"video_id": i} | missing for i in ids
        ]
        rows += [self.row(j) for j in self.jobs.values() if j.batch_id in batch_ids]
        return JSONResponse({"data": rows, "has_more": False, "next_token": None})

    def find(self, video_id: str) -> Job:
        """Return the job, or refuse with 404."""
        return found(self._visible(video_id), video_id, "video")

    def _visible(self, *video_ids: str) -> dict[str, Job]:
        """Return those that have a video: not deleted, not waiting in a batch."""
        jobs = (self.jobs[i] for i in video_ids if i in self.jobs)
        return {j.id: j for j in jobs if not j.deleted and j.status != "queued"}

    def row(self, job: Job) -> dict[str, Any]:
        """Return a job in the words of the bulk status and of batches."""
        word = self.word(job)
        error = None
        if job.status == "failed":
            error = {"code": job.failure_code, "message": job.failure_message}
        return {
            "video_id": None if job.status == "queued" else job.id,
            "status": "queued" if word == "pending" else word,
            "error": error,
            "batch_id": job.batch_id,
            "item_index": job.item_index,
        }

    def word(self, job: Job) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.status in ("completed", "failed"):
            return job.status
        if self._options.fast:
            begins = (job.started_at or job.accepted_at) + self._options.pending_s
            begun = job.status == "running" and self._state.clock.now() >= begins
            return "processing" if begun else "pending"
        return "processing" if job.id in self._rendering else "pending"

    def view(self, job: Job, request: Request) -> dict[str, Any]:
        """Return a job as ``GET /v3/videos/{id}`` shows it, with fresh links."""
        done = job.status == "completed"
        captions = done and job.body.get("caption") is not None

        def link(name: str) -> str:
            return self._files.link(request, f"videos/{job.id}/{name}")

        return {
            "id": job.id,
            "title": job.title,
            "status": self.word(job),
            "created_at": int(job.accepted_at),
            "completed_at": int(job.completed_at) if job.completed_at else None,
            "duration": round(job.duration, 3) if done else None,
            "video_url": link("video.mp4") if done else None,
            "captioned_video_url": link("video.mp4") if captions else None,
            "subtitle_url": link("video.srt") if captions else None,
            "thumbnail_url": link("video.jpg") if done else None,
            "gif_url": None,
            "video_page_url": None,
            "folder_id": None,
            "output_language": None,
            "failure_code": job.failure_code,
            "failure_message": job.failure_message,
        }
