"""Many drafts in one call: side by side, or in one request when there are more."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from heygen_nb.errors import HeygenNbError
from heygen_nb.renderer.batch import STOPS_ALL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.ledger import Render
    from heygen_nb.models import Draft, Video
    from heygen_nb.renderer.core import Renderer
    from heygen_nb.renderer.pace import Pace
    from heygen_nb.renderer.report import ProgressCallback

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """A draft to render, its effective settings, and who wants to hear of it."""

    draft: Draft
    settings: Settings
    progress: ProgressCallback | None = None


class Many:
    """Renders side by side; a wrong key or an empty balance stops the rest."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._turn = asyncio.Semaphore(renderer.max_concurrent)
        self._stopped: HeygenNbError | None = None

    async def plan(
        self, jobs: Sequence[Job], *, again: bool = False, send_to: str | None = None
    ) -> list[Render | HeygenNbError]:
        """Store all intents; send them together if they are too many to go singly.

        Args:
            jobs: What to render.
            again: Pay for new videos of unchanged drafts.
            send_to: Chat they are to be posted to.

        Returns:
            A render a job, or what is wrong with it, in their order.
        """

        async def plan(job: Job) -> Render:
            async with self._turn:
                self._go_on_unless_stopped()
                return await self._renderer.planner.plan(
                    job.draft,
                    job.settings,
                    again=again,
                    send_to=send_to,
                    progress=job.progress,
                )

        rows = await asyncio.gather(*(self._guarded(plan(job)) for job in jobs))
        new = {
            row.id: row
            for row in rows
            if not isinstance(row, HeygenNbError)
            and row.state == "planned"
            and not row.unanswered
        }
        if len(new) > self._renderer.max_concurrent and not self._stopped:
            await self._guarded(self._renderer.batches.send(list(new.values())))
        return rows

    async def finish(
        self,
        row: Render | HeygenNbError,
        pace: Pace,
        progress: ProgressCallback | None = None,
    ) -> Video | HeygenNbError:
        """Take a planned render as far as it goes; return what stopped it."""
        if isinstance(row, HeygenNbError):
            return row
        return await self._guarded(self._finish(row.id, pace, progress))

    async def _finish(
        self, render_id: str, pace: Pace, progress: ProgressCallback | None
    ) -> Video:
        row = await asyncio.to_thread(self._renderer.ledger.render, render_id)
        counts = row.state == "planned" and not row.batch_key
        del row
        async with self._turn if counts else nullcontext():
            if counts:
                self._go_on_unless_stopped()
            return await self._renderer.finish(render_id, pace, progress=progress)

    def _go_on_unless_stopped(self) -> None:
        if self._stopped:
            raise self._stopped

    async def _guarded(self, step: Awaitable[_T]) -> _T | HeygenNbError:
        try:
            return await step
        except HeygenNbError as error:
            if isinstance(error, STOPS_ALL):
                self._stopped = self._stopped or error
            return error
