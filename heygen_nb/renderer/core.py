"""A render's life for one account: plan, submit, wait, download."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from heygen_nb.errors import (
    HeygenNbError,
    OutcomeUnknownError,
    RenderFailedError,
    WaitTimeoutError,
)
from heygen_nb.heygen import phase
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import ENDED_UNPAID
from heygen_nb.models import Video
from heygen_nb.renderer import lines
from heygen_nb.renderer.archive import links
from heygen_nb.renderer.plan import make_plan, picture_and_sound, revision_of
from heygen_nb.renderer.report import Report, clock_for
from heygen_nb.renderer.submit import Submitter
from heygen_nb.renderer.turns import turn
from heygen_nb.renderer.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.config import Settings
    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.ledger import Ledger, Render
    from heygen_nb.models import Draft
    from heygen_nb.money import Rates
    from heygen_nb.renderer.archive import Archive
    from heygen_nb.renderer.connection import Connection
    from heygen_nb.renderer.plan import Plan
    from heygen_nb.renderer.report import ProgressCallback
    from heygen_nb.renderer.resolve import Resolver
    from heygen_nb.renderer.watch import Sighting

log = logging.getLogger("heygen_nb.renderer")


class Renderer:
    """Renders drafts for one account, with everything it needs handed in.

    Args:
        connection: Who pays, and where.
        client: HeyGen.
        ledger: Where every step is stored first.
        resolver: Finds voices and avatars.
        archive: Keeps finished files.
        rates: For quotes.
        max_concurrent: Renders in flight at once.
        sleep: Waits.
        monotonic: Seconds for time limits.
        now: The time, aware UTC.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        client: HeyGenClient,
        ledger: Ledger,
        resolver: Resolver,
        archive: Archive,
        rates: Rates,
        max_concurrent: int = 10,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.connection = connection
        self.account = connection.account
        self.client = client
        self.ledger = ledger
        self.resolver = resolver
        self.rates = rates
        self.archive = archive
        self._slots = asyncio.Semaphore(max_concurrent)
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._submitter = Submitter(client, ledger, sleep=sleep, monotonic=monotonic)
        self._watcher = Watcher(client, sleep=sleep)

    async def close(self) -> None:
        """Stop watching; renders at HeyGen go on."""
        await self._watcher.close()

    async def render(
        self,
        draft: Draft,
        settings: Settings,
        *,
        again: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Video:
        """Plan, create, wait and download; see the steps for what they raise."""
        async with self._slots:
            row = await self.create(draft, settings, again=again, progress=progress)
            video = await self.wait(
                row.video_id or "",
                progress=progress,
                interval_s=settings.poll_interval_s,
                timeout_s=settings.wait_timeout_s,
            )
        return await self.archive.keep(video)

    async def create(
        self,
        draft: Draft,
        settings: Settings,
        *,
        again: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Render:
        """Have a draft rendered, unless it already is or is on its way.

        Args:
            draft: What to render.
            settings: Effective settings for this draft.
            again: Pay for another video of an unchanged draft.
            progress: Gets the log lines.

        Returns:
            The render, with its video id.
        """
        report = Report(progress, draft.id)
        async with turn("create", self.account, draft.id):
            return await self._create(draft, settings, report, again=again)

    async def _create(
        self, draft: Draft, settings: Settings, report: Report, *, again: bool
    ) -> Render:
        row = None if again else await self._standing(draft, settings)
        if row is None:
            row = await self._plan(draft, settings, report, again=again)
        if row.state == "unknown":
            raise _needs_a_person(row)
        if row.state == "planned":
            await report("pending", lines.submitting())
            return await self._submitter.submit(row)
        await report("pending", lines.already_made(row.video_id or ""))
        return row

    async def quote(
        self, draft: Draft, settings: Settings, *, again: bool = False
    ) -> Plan | None:
        """Say what rendering a draft would use and cost; None if it costs nothing.

        Nothing is stored or sent for it; what is raised is that of :meth:`create`.
        """
        if not again and await self._standing(draft, settings):
            return None
        return await make_plan(draft, settings, self.resolver, self.rates)

    async def _standing(self, draft: Draft, settings: Settings) -> Render | None:
        """Return the attempt that must not be paid a second time."""
        revision = revision_of(picture_and_sound(draft, settings))
        row = await asyncio.to_thread(
            self.ledger.find, self.account, draft.id, revision
        )
        return None if row is None or row.state in ENDED_UNPAID else row

    async def _plan(
        self,
        draft: Draft,
        settings: Settings,
        report: Report,
        *,
        again: bool,
    ) -> Render:
        await report("pending", lines.started(draft.id))
        try:
            plan = await make_plan(draft, settings, self.resolver, self.rates)
        except HeygenNbError as error:
            error.charged = False  # nothing that costs was sent yet
            raise
        await report("pending", lines.chosen(plan.voice, plan.avatar))
        for warning in plan.warnings:
            await report("pending", f"⚠️ {warning}")
        row, _new = await asyncio.to_thread(
            self.ledger.plan, self.account, plan.new, again=again
        )
        return row

    async def wait(
        self,
        video_id: str,
        *,
        progress: ProgressCallback | None = None,
        interval_s: float = 10.0,
        timeout_s: float = 900.0,
    ) -> Video:
        """Wait for a video to be rendered.

        Args:
            video_id: Which one; any video of this account.
            progress: Called after every look.
            interval_s: Seconds between two looks.
            timeout_s: Seconds after which waiting stops.

        Raises:
            RenderFailedError: HeyGen could not render it, or it was deleted.
            WaitTimeoutError: The time is up; the render goes on.
            NotAuthorizedError: The key is not accepted.
        """
        row = await asyncio.to_thread(
            self.ledger.render_of_video, self.account, video_id
        )
        report = Report(progress, row.draft_id if row else "")
        if row:
            past = await asyncio.to_thread(
                self.ledger.past_renders, self.account.backend
            )
            report.clock = clock_for(row.script, past)
        since = (row and row.submitted_at) or self._now()
        begun = self._monotonic()
        # A render just submitted cannot be ready; anything older may well be.
        at_once = row is None or self._seconds_since(since) >= interval_s
        looks = self._watcher.watch(video_id, interval_s=interval_s, at_once=at_once)
        async with aclosing(looks):
            async for sighting in looks:
                elapsed_s = self._seconds_since(since)
                if sighting:
                    row = await self._store_sighting(row, sighting)
                    await _report_sighting(report, sighting, elapsed_s)
                    if _has_ended(sighting):
                        return await self._ended(row, sighting, video_id, report)
                if self._monotonic() - begun >= timeout_s:
                    line = lines.timed_out(video_id, self._monotonic() - begun)
                    await report("unknown", line, elapsed_s=elapsed_s)
                    raise WaitTimeoutError(line, video_id=video_id)
        raise AssertionError("the watcher never ends by itself")

    async def _store_sighting(
        self, row: Render | None, sighting: Sighting
    ) -> Render | None:
        if row is None or row.state != "submitted":
            return row
        word, video = sighting.word, sighting.video
        if phase(word) == "processing" and row.processing_at is None:
            return await asyncio.to_thread(
                self.ledger.record, row.id, "processing", processing_at=self._now()
            )
        if phase(word) == "completed" and video and video.video_url:
            seconds = video.duration_s or row.estimate_s or 0.0
            cost = self.rates.quote(row.engine, seconds).amount
            return await asyncio.to_thread(
                self.ledger.record,
                row.id,
                "completed",
                state="completed",
                duration_s=seconds,
                cost=cost,
                reserved_cost=0.0,
            )
        if phase(word) == "failed" or word == "deleted":
            code = (video and video.failure_code) or word
            return await asyncio.to_thread(
                self.ledger.record,
                row.id,
                "failed",
                state="failed",
                error_code=code,
                error_message=(video and video.failure_message) or "",
                reserved_cost=0.0,
            )
        return row

    async def _ended(
        self, row: Render | None, sighting: Sighting, video_id: str, report: Report
    ) -> Video:
        if sighting.video is None or phase(sighting.word) != "completed":
            raise _failed(video_id, sighting)
        await report("completed", lines.created(video_id))
        video = Video(
            video_id=video_id,
            status="completed",
            backend=self.account.backend,
            title=sighting.video.title or "",
            duration_s=sighting.video.duration_s,
            **links(sighting.video),
        )
        return self.archive.describe(row, video) if row else video

    def _seconds_since(self, then: datetime) -> float:
        return max(0.0, (self._now() - then).total_seconds())


def _has_ended(sighting: Sighting) -> bool:
    if phase(sighting.word) == "completed":
        return bool(sighting.video and sighting.video.video_url)
    return phase(sighting.word) == "failed" or sighting.word == "deleted"


async def _report_sighting(
    report: Report, sighting: Sighting, elapsed_s: float
) -> None:
    status, reason = phase(sighting.word), ""
    if sighting.word == "deleted":
        status, reason = "failed", _("the video was deleted")
    elif status == "failed" and sighting.video:
        reason = sighting.video.failure_message or sighting.video.failure_code or ""
    elif status == "completed" and not _has_ended(sighting):
        status = "processing"  # HeyGen says completed before the file is there
    word = status if status in ("failed", "processing") else sighting.word
    await report(status, lines.status(word, elapsed_s, reason), elapsed_s=elapsed_s)


def _failed(video_id: str, sighting: Sighting) -> RenderFailedError:
    video = sighting.video
    reason = (video and (video.failure_message or video.failure_code)) or _("deleted")
    reason = reason.rstrip(".")
    return RenderFailedError(
        _("HeyGen could not render video {id}: {reason}.").format(
            id=video_id, reason=reason
        ),
        video_id=video_id,
        failure_code=(video and video.failure_code) or sighting.word,
        hint=_("HeyGen does not charge failed renders. Change the draft or retry."),
    )


def _needs_a_person(row: Render) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        _("Render {id} of this draft may have been paid: its answer was lost.").format(
            id=row.id
        ),
        render_id=row.id,
        hint=_(
            "Look among your videos at HeyGen for {token}; "
            "if there is none, render with --again."
        ).format(token=row.token),
    )
