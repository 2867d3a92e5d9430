"""Videos, singly and in batches: accepted, rendered as places are free, and charged."""

import asyncio
import logging
import math
import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygen_nb.processes import Processes
from heygen_nb.sandbox import api
from heygen_nb.sandbox.bodies import order_of, parse_video
from heygen_nb.sandbox.files import Files, file_hash
from heygen_nb.sandbox.rendering import FilmOrder, make_canned, render
from heygen_nb.sandbox.state import JobState, Purse, State, video_price

_log = logging.getLogger("heygen_nb.sandbox")
_NICE = 10
_NO_CREDIT = {
    "failure_code": "MOVIO_PAYMENT_INSUFFICIENT_CREDIT",
    "failure_message": "Insufficient credit. This operation requires 'plan_credit' or"
    " 'api' credits.",
}
_MAX_IDS = 100
_NEVER = ("folder_id", "gif_url", "output_language", "video_page_url")


class JobQueue:
    """All jobs of the account.

    ``settle`` catches up with the clock before every answer. In fast mode time alone
    finishes a job, otherwise a worker process does.
    """

    def __init__(self, state: State, files: Files) -> None:
        self._state, self._options, self._files = state, state.options, files
        self._pool = Processes(1, nice=_NICE)
        self._orders: dict[str, FilmOrder] = {}  # of unfinished jobs
        self._films: dict[str, asyncio.Future[float]] = {}  # that workers make

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self._state.jobs.values():
            if job.ended:
                continue
            try:
                self._orders[job.id] = order_of(parse_video(job.body), self._files)
            except api.Refusal as refusal:  # a link has expired meanwhile
                job.failure_code = refusal.code
                self._finish(job, self._state.clock.now())
                continue
            if job.status == "running":
                self._start(job, job.started_at)
        self.start_waiting(self._state.clock.now())

    def close(self) -> None:
        """Stop rendering; the jobs stay unfinished in the state folder."""
        for film in self._films.values():
            film.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def settle(self) -> None:
        """Finish everything that is over by the clock."""
        now = self._state.clock.now()
        while over := [j for j in self._all("running") if self._end(j, now) <= now]:
            self._finish(over[0], self._end(over[0], now))

    def _all(self, status: str) -> list[JobState]:
        jobs = (self._state.jobs[job_id] for job_id in self._orders)
        return [job for job in jobs if job.status == status]

    def _end(self, job: JobState, now: float) -> float:
        """Return when a job is over; a film that is just made is over now."""
        film = self._films.get(job.id)
        if film is not None:
            return now if film.done() else math.inf
        return job.started_at + self._options.pending_s + self._options.processing_s

    @property
    def full(self) -> bool:
        """Tell whether as many videos are rendering as may."""
        return len(self._all("running")) >= self._options.concurrency

    def accept(
        self, body: dict[str, Any], order: FilmOrder, purse: Purse, **more: Any
    ) -> JobState:
        """Make a job of an order; it waits until it is started.

        One whose money is not there fails later, as HeyGen was seen to tell it.
        """
        price = video_price(purse, order.duration_s, order.rate)
        paid = {"price": price} if self._state.has(purse, price) else _NO_CREDIT
        job = JobState(
            id=secrets.token_hex(16),
            body=body,
            title=body.get("title"),
            engine=order.engine,
            purse=purse,
            accepted_at=self._state.clock.now(),
            duration=order.duration_s,
            **(paid | more),
        )
        self._state.put("Job", job.id, job)
        self._orders[job.id] = order
        return job

    def start_waiting(self, at: float) -> None:
        """Start what was accepted, as places are free."""
        for job in self._all("queued"):
            if self.full:
                return
            self._start(job, at)

    def _start(self, job: JobState, at: float) -> None:
        job.status, job.started_at = "running", at
        self._state.put("Job", job.id, job)
        if not self._options.fast and job.failure_code is None:
            work = self._pool.submit(render, self._orders[job.id], self._folder(job))
            self._films[job.id] = asyncio.wrap_future(work)
            self._films[job.id].add_done_callback(self._rendered)

    def _rendered(self, film: asyncio.Future[float]) -> None:
        if not film.cancelled():
            self.settle()
            self._state.flush()

    def _folder(self, job: JobState) -> Path:
        folder = self._files.path(f"videos/{job.id}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _finish(self, job: JobState, at: float) -> None:
        job.completed_at = at
        order, film = self._orders.pop(job.id, None), self._films.pop(job.id, None)
        try:
            if order and job.failure_code is None:
                folder = self._folder(job)
                canned = order, folder, job.id, self._options
                job.duration = film.result() if film else make_canned(*canned)
                job.sha256 = file_hash(folder / "video.mp4")
                job.price = video_price(job.purse, job.duration, order.rate)
                job.status = "completed"
        except Exception as exc:  # noqa: BLE001 - a failed render, never a lost one
            _log.exception("render %s failed", job.id)
            download = isinstance(exc, ConnectionError)
            job.failure_code = "download_failed" if download else "rendering_failed"
            job.failure_message = str(exc)
        if job.status == "completed":
            # A deleted render was paid for all the same.
            paid = {"purse": job.purse, "amount": job.price}
            self._state.charge(kind="video", ref=job.id, **paid)
        else:
            job.status = "failed"
            job.failure_message = job.failure_message or "The video failed to render."
        self._state.put("Job", job.id, job)
        self.start_waiting(at)

    def word(self, job: JobState) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.ended:
            return job.status
        waited_s = self._state.clock.now() - job.started_at
        begun = job.status == "running" and waited_s >= self._options.pending_s
        return "processing" if begun else "pending"


class Videos:
    """What clients see of the jobs; those that wait in a batch are no videos yet."""

    def __init__(self, state: State, files: Files, jobs: JobQueue) -> None:
        self._state, self._files, self._jobs = state, files, jobs

    async def create(self, request: Request) -> Response:
        """Answer ``POST /v3/videos``."""
        body = await api.json_body(request)
        order = order_of(parse_video(body), self._files)
        if self._jobs.full:
            wait = {"Retry-After": "5"}
            message = f"{self._state.options.concurrency} videos are rendering already"
            raise api.Refusal(429, "rate_limit_exceeded", message, headers=wait)
        self._require(request, [order])
        job = self._jobs.accept(body, order, request.state.purse)
        self._jobs.start_waiting(job.accepted_at)
        return api.data(video_id=job.id, status="waiting", output_format="mp4")

    def _require(self, request: Request, orders: list[FilmOrder]) -> None:
        if self._state.options.credit_told == "create":
            purse = request.state.purse
            prices = (video_price(purse, o.duration_s, o.rate) for o in orders)
            api.require(self._state, purse, sum(prices))

    async def get(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/{id}``."""
        return api.data(**self._view(request, self._find(request)))

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE /v3/videos/{id}``; a running render goes on and costs."""
        job = self._find(request)
        job.deleted = True
        self._state.put("Job", job.id, job)
        if job.ended:
            shutil.rmtree(self._files.path(f"videos/{job.id}"), ignore_errors=True)
        return api.data(id=job.id, deleted=True)

    async def list(self, request: Request) -> Response:
        """Answer ``GET /v3/videos``, newest first."""
        title = request.query_params.get("title", "").casefold()
        known = self._visible()
        jobs = [
            (-number, self._view(request, job))
            for number, job in enumerate(self._state.jobs.values())
            if job.id in known and title in (job.title or "").casefold()
        ]
        return JSONResponse(api.page(request, reversed(jobs), default=10))

    async def statuses(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/statuses``."""
        ids, batch_ids = (
            [i for i in request.query_params.get(name, "").split(",") if i]
            for name in ("video_ids", "batch_ids")
        )
        if not (ids or batch_ids) or len(ids) > _MAX_IDS:
            problem = f"give video_ids, at most {_MAX_IDS}, or batch_ids"
            raise api.invalid("video_ids", problem)
        known, jobs = self._visible(), self._state.jobs.values()
        nothing = dict.fromkeys(("error", "batch_id", "item_index"))
        rows = [
            self._row(known[i])
            if i in known
            else {"video_id": i, "status": "not_found", **nothing}
            for i in ids
        ]
        rows += [self._row(job) for job in jobs if job.batch_id in batch_ids]
        return JSONResponse({"data": rows, "has_more": False, "next_token": None})

    async def create_batch(self, request: Request) -> Response:
        """Answer ``POST /v3/videos/batches``.

        A malformed item refuses the whole batch; one that names an unknown voice,
        avatar or asset becomes a failed item. HeyGen does not say which it does, nor
        whether it takes studio videos here; none are taken.
        """
        body = api.parse("batch", await api.json_body(request))
        videos = body["videos"]
        for index, video in enumerate(videos):
            api.parse("avatar", video, f"videos.{index}.")
        orders: list[FilmOrder | api.Refusal] = []
        for video in videos:
            try:
                orders.append(order_of(video, self._files))
            except api.Refusal as refusal:
                orders.append(refusal)
        self._require(request, [o for o in orders if isinstance(o, FilmOrder)])
        now, batch_id = self._state.clock.now(), f"batch_{secrets.token_hex(12)}"
        items: list[str | dict[str, str]] = []
        for index, (video, order) in enumerate(zip(videos, orders, strict=True)):
            if isinstance(order, api.Refusal):
                items.append(order.error)
                continue
            place = {"batch_id": batch_id, "item_index": index}
            job = self._jobs.accept(video, order, request.state.purse, **place)
            items.append(job.id)
        named = {"id": batch_id, "title": body.get("title"), "created_at": now}
        self._state.put("Batch", batch_id, named | {"items": items})
        self._jobs.start_waiting(now)
        total = len(items)
        return api.data(202, batch_id=batch_id, status="processing", total_items=total)

    async def get_batch(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/batches/{id}``."""
        batch = api.found(self._state.batches, request.path_params["id"], "resource")
        items = []
        for index, item in enumerate(batch["items"]):
            if isinstance(item, dict):
                row = {"status": "failed", "video_id": None, "error": item}
            else:
                row = self._row(self._state.jobs[item])
                del row["batch_id"]
            items.append(row | {"item_index": index})
        listed = api.page(request, enumerate(items), default=100)
        counts = Counter(item["status"] for item in items)
        done = "completed" if counts["completed"] else "failed"
        ended = counts["completed"] + counts["failed"] == len(items)
        return api.data(
            batch_id=batch["id"],
            title=batch["title"],
            status=done if ended else "processing",
            total_items=len(items),
            counts_by_status=dict(counts),
            created_at=int(batch["created_at"]),
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
        return api.found(self._visible(), request.path_params["id"], "video")

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
        place, done = f"videos/{job.id}", job.status == "completed"
        shown = {"video.mp4", "video.jpg"}
        # a sound that is not known here has no words
        srt = self._files.path(f"{place}/video.srt")
        if "caption" in job.body and srt.is_file() and srt.stat().st_size:
            shown.add("video.srt")
        styled_at = (job.completed_at or 0) + self._state.options.captions_s
        styled = self._files.path(f"{place}/captioned.mp4").is_file()
        if styled and styled_at <= self._state.clock.now():
            shown.add("captioned.mp4")

        def link(name: str) -> str | None:
            there = done and name in shown
            return self._files.link(request, f"{place}/{name}") if there else None

        return {
            "id": job.id,
            "title": job.title,
            "status": self._jobs.word(job),
            "created_at": int(job.accepted_at),
            "completed_at": int(job.completed_at) if job.completed_at else None,
            "duration": round(job.duration, 3) if done else None,
            "video_url": link("video.mp4"),
            "captioned_video_url": link("captioned.mp4"),
            "subtitle_url": link("video.srt"),
            "thumbnail_url": link("video.jpg"),
            "failure_code": job.failure_code if job.status == "failed" else None,
            "failure_message": job.failure_message,
            **dict.fromkeys(_NEVER),
        }
