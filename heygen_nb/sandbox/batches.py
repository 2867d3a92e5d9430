"""Batches: up to 100 videos in one request, made as places become free.

A malformed item refuses the whole batch; one that names an unknown voice,
avatar or asset becomes a failed item. HeyGen does not say which it does.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox.bodies import BatchRequest, StudioVideo, parse
from heygen_nb.sandbox.envelope import Refusal, data, found, invalid, page
from heygen_nb.sandbox.state import Batch

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from heygen_nb.sandbox.orders import Plan, Planner
    from heygen_nb.sandbox.state import State
    from heygen_nb.sandbox.videos import Videos
    from heygen_nb.sandbox.wallet import Wallet


class Batches:
    """All batches of the account."""

    def __init__(
        self, state: State, videos: Videos, planner: Planner, wallet: Wallet
    ) -> None:
        self._state = state
        self._videos = videos
        self._planner = planner
        self._wallet = wallet
        self._batches = state.load(Batch)

    async def create(self, body: Any, key: str | None, _request: Request) -> Response:
        """Answer ``POST /v3/videos/batches``."""
        request = parse(BatchRequest, body)
        plans: dict[int, Plan] = {}
        refused: dict[int, dict[str, Any]] = {}
        for index, video in enumerate(request.videos):
            if isinstance(video, StudioVideo):
                raise invalid(f"videos.{index}.type", "studio videos go singly")
            try:
                plans[index] = self._planner.plan(video)
            except Refusal as refusal:
                refused[index] = refusal.error
        self._wallet.require(sum(plan.cost for plan in plans.values()))
        batch_id = f"batch_{secrets.token_hex(12)}"
        jobs = {
            index: self._videos.accept(
                body["videos"][index], plan, key=key, batch=(batch_id, index)
            )
            for index, plan in plans.items()
        }
        batch = Batch(
            id=batch_id,
            title=request.title,
            created_at=self._state.clock.now(),
            job_ids={index: job.id for index, job in jobs.items()},
            refused=refused,
        )
        self._batches[batch.id] = batch
        self._state.save(batch)
        total = len(request.videos)
        reply = {"batch_id": batch.id, "status": "processing", "total_items": total}
        return data(reply, 202)

    async def get(self, request: Request) -> Response:
        """Answer ``GET /v3/videos/batches/{id}``."""
        batch = found(self._batches, request.path_params["id"], "resource")
        items = self._items(batch)
        rows, paging = page(
            items, request.query_params, lambda row: int(row["item_index"]), default=100
        )
        counts = Counter(row["status"] for row in items)
        return data(
            {
                "batch_id": batch.id,
                "title": batch.title,
                "status": _aggregate(counts, len(items)),
                "total_items": len(items),
                "counts_by_status": dict(counts),
                "created_at": int(batch.created_at),
                "items": rows,
                **paging,
            }
        )

    def _items(self, batch: Batch) -> list[dict[str, Any]]:
        rows = [
            {"item_index": index, "status": "failed", "video_id": None, "error": error}
            for index, error in batch.refused.items()
        ]
        for index, job_id in batch.job_ids.items():
            row = self._videos.row(self._videos.jobs[job_id])
            rows.append(
                {"item_index": index}
                | {name: row[name] for name in ("status", "video_id", "error")}
            )
        return sorted(rows, key=lambda row: int(row["item_index"]))


def _aggregate(counts: Counter[str], total: int) -> str:
    if counts["completed"] + counts["failed"] < total:
        return "processing"
    return "completed" if counts["completed"] else "failed"
