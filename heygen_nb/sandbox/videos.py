"""The endpoints of videos, single and in batches."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.api import Endpoint, Refusal, data, found, invalid, page, require
from heygen_nb.sandbox.bodies import (
    AvatarVideoBody,
    BatchBody,
    order_of,
    parse,
    parse_video,
)
from heygen_nb.sandbox.rendering import FilmOrder
from heygen_nb.sandbox.state import BatchState, JobState, State

if TYPE_CHECKING:
    from starlette.requests import Request

    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.jobs import JobQueue

_MAX_IDS = 100
_NEVER = ("folder_id", "gif_url", "output_language", "video_page_url")


class Videos:
    """What clients see of the jobs; those that wait in a batch are no videos yet."""

    def __init__(self, state: State, files: Files, jobs: JobQueue) -> None:
        self._state = state
        self._files = files
        self._jobs = jobs
        self._to_lose = state.options.lost_creates

    async def create(self, body: Any, key: str | None, request: Request) -> Response:
        """Answer ``POST /v3/videos``."""
        order = order_of(parse_video(body), self._files)
        if self._jobs.full:
            wait = {"Retry-After": str(self._state.options.retry_after_s)}
            message = f"{self._state.options.concurrency} videos are rendering already"
            raise Refusal(429, "rate_limit_exceeded", message, headers=wait)
        purse = request.state.purse
        if self._state.options.credit_told == "create":
            require(self._state, purse, self._jobs.price(order, purse))
        job = self._jobs.accept(body, order, key, purse)
        self._jobs.start_waiting(job.accepted_at)
        reply = {"video_id": job.id, "status": "waiting", "output_format": "mp4"}
        return data(reply)

    def losing(self, create: Endpoint) -> Endpoint:
        """Answer some creates with a 404 although their video was made."""

        async def endpoint(request: Request) -> Response:
            answer = await create(request)
            if self._to_lose:
                self._to_lose -= 1
                raise Refusal(404, "resource_not_found", "Video(s) not found")
            return answer

        return endpoint

    async def get(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/{id}``."""
        return data(self._view(request, self._find(request)))

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE /v3/videos/{id}``; a running render goes on and costs."""
        job = self._find(request)
        job.deleted = True
        self._state.put(job)
        if job.ended:
            shutil.rmtree(self._files.path(f"videos/{job.id}"), ignore_errors=True)
        return data({"id": job.id, "deleted": True})

    async def list(self, request: Request) -> Response:
        """Answer ``GET /v3/videos``, newest first."""
        query = request.query_params
        wanted = query.get("title", "").casefold()
        jobs = (
            (-job.number, job)
            for job in reversed(self._visible().values())
            if wanted in (job.title or "").casefold()
        )
        view = partial(self._view, request)
        return JSONResponse(page(jobs, query, view, default=10))

    async def statuses(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/statuses``."""
        query = request.query_params
        ids = [i for i in query.get("video_ids", "").split(",") if i]
        batch_ids = [i for i in query.get("batch_ids", "").split(",") if i]
        if not ids and not batch_ids:
            raise invalid("video_ids", "give video_ids or batch_ids")
        if len(ids) > _MAX_IDS:
            raise invalid("video_ids", f"at most {_MAX_IDS} ids, got {len(ids)}")
        known = self._visible()
        missing = dict.fromkeys(("error", "batch_id", "item_index"))
        missing |= {"status": "not_found"}
        rows = [
            self._row(known[i]) if i in known else missing | {"video_id": i}
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
        asked, purse = parse(BatchBody, body), request.state.purse
        orders: list[FilmOrder | Refusal] = []
        for index, item in enumerate(asked.videos):
            video = parse(AvatarVideoBody, item, f"videos.{index}.")
            try:
                orders.append(order_of(video, self._files))
            except Refusal as refusal:
                orders.append(refusal)
        made = [order for order in orders if isinstance(order, FilmOrder)]
        if self._state.options.credit_told == "create":
            prices = (self._jobs.price(order, purse) for order in made)
            require(self._state, purse, sum(prices))
        now, batch_id = self._state.clock.now(), f"batch_{secrets.token_hex(12)}"
        batch = BatchState(id=batch_id, title=asked.title, created_at=now, items=[])
        for index, order in enumerate(orders):
            if isinstance(order, Refusal):
                batch.items.append(order.error)
            else:
                body = asked.videos[index]
                place = {"batch_id": batch_id, "item_index": index}
                batch.items.append(
                    self._jobs.accept(body, order, key, purse, **place).id
                )
        self._state.put(batch)
        self._jobs.start_waiting(now)
        total = len(orders)
        reply = {"batch_id": batch_id, "status": "processing", "total_items": total}
        return data(reply, 202)

    async def get_batch(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/batches/{id}``."""
        batch = found(self._state.batches, request.path_params["id"], "resource")
        items = [self._item(index, item) for index, item in enumerate(batch.items)]
        listed = page(enumerate(items), request.query_params, default=100)
        counts = Counter(item["status"] for item in items)
        done = "completed" if counts["completed"] else "failed"
        ended = counts["completed"] + counts["failed"] == len(items)
        return data(
            {
                "batch_id": batch.id,
                "title": batch.title,
                "status": done if ended else "processing",
                "total_items": len(items),
                "counts_by_status": dict(counts),
                "created_at": int(batch.created_at),
                "items": listed.pop("data"),
                **listed,
            }
        )

    def _item(self, index: int, item: str | dict[str, str]) -> dict[str, Any]:
        if isinstance(item, dict):
            row = {"status": "failed", "video_id": None, "error": item}
        else:
            row = self._row(self._state.jobs[item])
            del row["batch_id"]
        return row | {"item_index": index}

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
        done, failed = job.status == "completed", job.status == "failed"
        # a sound that is not known here has no words
        srt = self._files.path(f"videos/{job.id}/video.srt")
        captions = done and job.body.get("caption") is not None
        captions &= srt.is_file() and srt.stat().st_size > 0
        styled_at = (job.completed_at or 0) + self._state.options.captions_s
        styled = self._files.path(f"videos/{job.id}/captioned.mp4").is_file()
        styled &= done and styled_at <= self._state.clock.now()

        def link(name: str) -> str:
            return self._files.link(request, f"videos/{job.id}/{name}")

        return {
            "id": job.id,
            "title": job.title,
            "status": self._jobs.word(job),
            "created_at": int(job.accepted_at),
            "completed_at": int(job.completed_at) if job.completed_at else None,
            "duration": round(job.duration, 3) if done else None,
            "video_url": link("video.mp4") if done else None,
            "captioned_video_url": link("captioned.mp4") if styled else None,
            "subtitle_url": link("video.srt") if captions else None,
            "thumbnail_url": link("video.jpg") if done else None,
            "failure_code": job.failure_code if failed else None,
            "failure_message": job.failure_message,
            **dict.fromkeys(_NEVER),
        }
