"""Videos, singly and in batches: accepted, rendered as places are free, and charged."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections import Counter, deque
from functools import partial
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygen_nb.processes import Processes
from heygen_nb.sandbox.api import (
    ListQuery,
    Refusal,
    data,
    found,
    invalid,
    parse,
    require,
)
from heygen_nb.sandbox.bodies import AvatarVideoBody, BatchBody, order_of, parse_video
from heygen_nb.sandbox.files import Files, file_hash
from heygen_nb.sandbox.rendering import FetchError, FilmOrder, make_canned, render
from heygen_nb.sandbox.state import BatchState, JobState, Purse, State, video_price

_log = logging.getLogger("heygen_nb.sandbox")
_NICE = 10
_NO_CREDIT = {
    "estimate": 0.0,
    "failure_code": "MOVIO_PAYMENT_INSUFFICIENT_CREDIT",
    "failure_message": "Insufficient credit. This operation requires 'plan_credit' or"
    " 'api' credits.",
}
_MAX_IDS = 100
_NEVER = ("folder_id", "gif_url", "output_language", "video_page_url")


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
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self._state.jobs.values():
            if job.ended:
                continue
            try:
                self._orders[job.id] = order_of(parse_video(job.body), self._files)
            except Refusal as refusal:  # a link has expired meanwhile
                job.failure_code = refusal.code
                self._finish(job, None, self._state.clock.now())
                continue
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
        span = self._options.pending_s + self._options.processing_s
        now = self._state.clock.now()
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

    def accept(
        self, body: dict[str, Any], order: FilmOrder, purse: Purse, **more: Any
    ) -> JobState:
        """Make a job of an order; it waits until it is started.

        One whose money is not there fails later, as HeyGen was seen to tell it.
        """
        price = video_price(purse, order.duration_s, order.rate)
        paid = {"estimate": price} if self._state.has(purse, price) else _NO_CREDIT
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
            duration=order.duration_s,
            **(paid | more),
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
            return
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
                job.failure_code = "download_failed" if download else "rendering_failed"
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
            self._state.charge(kind="video", ref=job.id, **paid)
        self._state.put(job)
        self.start_waiting(at)

    def _path(self, job: JobState, name: str = "video.mp4") -> Path:
        return self._files.new(f"videos/{job.id}/{name}")

    def word(self, job: JobState) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.ended:
            return job.status
        begun = job.id in self._rendering
        if self._options.fast and job.status == "running":
            begins = job.started_at + self._options.pending_s
            begun = self._state.clock.now() >= begins
        return "processing" if begun else "pending"


class Videos:
    """What clients see of the jobs; those that wait in a batch are no videos yet."""

    def __init__(self, state: State, files: Files, jobs: JobQueue) -> None:
        self._state = state
        self._files = files
        self._jobs = jobs

    async def create(self, body: Any, key: str | None, request: Request) -> Response:
        """Answer ``POST /v3/videos``."""
        order = order_of(parse_video(body), self._files)
        if self._jobs.full:
            wait = {"Retry-After": str(self._state.options.retry_after_s)}
            message = f"{self._state.options.concurrency} videos are rendering already"
            raise Refusal(429, "rate_limit_exceeded", message, headers=wait)
        self._require(request, [order])
        job = self._jobs.accept(body, order, request.state.purse, key=key)
        self._jobs.start_waiting(job.accepted_at)
        return data(video_id=job.id, status="waiting", output_format="mp4")

    def _require(self, request: Request, orders: list[FilmOrder]) -> None:
        if self._state.options.credit_told == "create":
            purse = request.state.purse
            prices = (video_price(purse, o.duration_s, o.rate) for o in orders)
            require(self._state, purse, sum(prices))

    async def get(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/{id}``."""
        return data(**self._view(request, self._find(request)))

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE /v3/videos/{id}``; a running render goes on and costs."""
        job = self._find(request)
        job.deleted = True
        self._state.put(job)
        if job.ended:
            shutil.rmtree(self._files.path(f"videos/{job.id}"), ignore_errors=True)
        return data(id=job.id, deleted=True)

    async def list(self, request: Request) -> Response:
        """Answer ``GET /v3/videos``, newest first."""
        asked = ListQuery.of(request)
        jobs = (
            (-job.number, job)
            for job in reversed(self._visible().values())
            if asked.title.casefold() in (job.title or "").casefold()
        )
        return JSONResponse(asked.page(jobs, partial(self._view, request), default=10))

    async def statuses(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/statuses``."""
        asked = ListQuery.of(request)
        ids, batch_ids = (
            [i for i in text.split(",") if i]
            for text in (asked.video_ids, asked.batch_ids)
        )
        if not len(ids) + len(batch_ids) > 0 or len(ids) > _MAX_IDS:
            problem = f"give video_ids, at most {_MAX_IDS}, or batch_ids"
            raise invalid("video_ids", problem)
        known = self._visible()
        missing = dict.fromkeys(("error", "batch_id", "item_index"))
        rows = [
            self._row(known[i])
            if i in known
            else {"video_id": i, "status": "not_found", **missing}
            for i in ids
        ]
        jobs = self._state.jobs.values()
        rows += [self._row(job) for job in jobs if job.batch_id in batch_ids]
        return JSONResponse({"data": rows, "has_more": False, "next_token": None})

    async def create_batch(
        self, body: Any, key: str | None, request: Request
    ) -> Response:
        """Answer ``POST /v3/videos/batches``.

        A malformed item refuses the whole batch; one that names an unknown voice,
        avatar or asset becomes a failed item. HeyGen does not say which it does, nor
        whether it takes studio videos here; none are taken.
        """
        asked = parse(BatchBody, body)
        orders: list[FilmOrder | Refusal] = []
        for index, item in enumerate(asked.videos):
            video = parse(AvatarVideoBody, item, f"videos.{index}.")
            try:
                orders.append(order_of(video, self._files))
            except Refusal as refusal:
                orders.append(refusal)
        self._require(request, [o for o in orders if isinstance(o, FilmOrder)])
        now, batch_id = self._state.clock.now(), f"batch_{secrets.token_hex(12)}"
        batch = BatchState(id=batch_id, title=asked.title, created_at=now, items=[])
        for index, (item, order) in enumerate(zip(asked.videos, orders, strict=True)):
            if isinstance(order, Refusal):
                batch.items.append(order.error)
                continue
            place = {"key": key, "batch_id": batch_id, "item_index": index}
            job = self._jobs.accept(item, order, request.state.purse, **place)
            batch.items.append(job.id)
        self._state.put(batch)
        self._jobs.start_waiting(now)
        total = len(orders)
        return data(202, batch_id=batch_id, status="processing", total_items=total)

    async def get_batch(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/batches/{id}``."""
        batch = found(self._state.batches, request.path_params["id"], "resource")
        items = []
        for index, item in enumerate(batch.items):
            if isinstance(item, dict):
                row = {"status": "failed", "video_id": None, "error": item}
            else:
                row = self._row(self._state.jobs[item])
                del row["batch_id"]
            items.append(row | {"item_index": index})
        listed = ListQuery.of(request).page(enumerate(items), default=100)
        counts = Counter(item["status"] for item in items)
        done = "completed" if counts["completed"] else "failed"
        ended = counts["completed"] + counts["failed"] == len(items)
        return data(
            batch_id=batch.id,
            title=batch.title,
            status=done if ended else "processing",
            total_items=len(items),
            counts_by_status=dict(counts),
            created_at=int(batch.created_at),
            items=listed.pop("data"),
            **listed,
        )

    def _visible(self) -> dict[str, JobState]:
        """Return those that have a video: not deleted or queued, and known already."""
        until = self._state.clock.now() - self._state.options.early_404_s
        return {
            job_id: job
            for job_id, job in self._state.jobs.items()
            if not job.deleted and job.status != "queued" and job.accepted_at <= until
        }

    def _find(self, request: Request) -> JobState:
        return found(self._visible(), request.path_params["id"], "video")

    def _row(self, job: JobState) -> dict[str, Any]:
        """Return a job in the words of the bulk status and of batches."""
        word = self._jobs.word(job)
        error = {"code": job.failure_code, "message": job.failure_message}
        return {
            "video_id": None if job.status == "queued" else job.id,
            "status": "queued" if word == "pending" else word,
            "error": error if job.status == "failed" else None,
            "batch_id": job.batch_id,
            "item_index": job.item_index,
        }

    def _view(self, request: Request, job: JobState) -> dict[str, Any]:
        """Return a job as ``GET /v3/videos/{id}`` shows it, with fresh links."""
        done = job.status == "completed"
        # a sound that is not known here has no words
        srt = self._files.path(f"videos/{job.id}/video.srt")
        captions = job.body.get("caption") is not None
        captions &= srt.is_file() and srt.stat().st_size > 0
        styled_at = (job.completed_at or 0) + self._state.options.captions_s
        styled = self._files.path(f"videos/{job.id}/captioned.mp4").is_file()
        styled &= styled_at <= self._state.clock.now()

        def link(name: str, *, there: bool = True) -> str | None:
            place = f"videos/{job.id}/{name}"
            return self._files.link(request, place) if done and there else None

        return {
            "id": job.id,
            "title": job.title,
            "status": self._jobs.word(job),
            "created_at": int(job.accepted_at),
            "completed_at": int(job.completed_at) if job.completed_at else None,
            "duration": round(job.duration, 3) if done else None,
            "video_url": link("video.mp4"),
            "captioned_video_url": link("captioned.mp4", there=styled),
            "subtitle_url": link("video.srt", there=captions),
            "thumbnail_url": link("video.jpg"),
            "failure_code": job.failure_code if job.status == "failed" else None,
            "failure_message": job.failure_message,
            **dict.fromkeys(_NEVER),
        }
