"""Waiting for one video: what every look shows is stored and reported."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from heygen_nb.errors import RenderFailedError, WaitTimeoutError
from heygen_nb.heygen import phase
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import RenderRow
from heygen_nb.models import Video
from heygen_nb.renderer import tell
from heygen_nb.renderer.archive import links
from heygen_nb.renderer.background import forget_assets
from heygen_nb.renderer.tell import Report, clock_for, learn_times

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from heygen_nb.clock import Clock
    from heygen_nb.config import Settings
    from heygen_nb.heygen import VideoReply
    from heygen_nb.ledger import Hold
    from heygen_nb.renderer.advance import Renderer
    from heygen_nb.renderer.watch import Sighting, Watcher
    from heygen_nb.timing import RenderTimes

# No look takes longer, with all its repeats: in a longer gap the computer slept, or
# a cell kept the loop busy, and nobody could look.
LONGEST_LOOK_S = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and after which waiting stops."""

    interval_s: float = 10.0
    timeout_s: float = 900.0

    @classmethod
    def of(cls, settings: Settings) -> Pace:
        """Return what the settings say."""
        return cls(settings.poll_interval_s, settings.wait_timeout_s)


class Patience:
    """Counts the seconds of one wait; after hours of sleep they count anew.

    So whoever opens a laptop sees what has become of the render, and not that waiting
    has stopped: the network is often up a little later than we are.

    Args:
        pace: Its time limit.
        uptime: Seconds, going on during a sleep.
    """

    def __init__(self, pace: Pace, uptime: Callable[[], float]) -> None:
        self._pace = pace
        self._uptime = uptime
        self._begun = self._looked = uptime()

    @property
    def waited_s(self) -> float:
        """Seconds waited, up to the last look."""
        return self._looked - self._begun

    def is_over(self) -> bool:
        """Tell, after every look, whether that was the last one."""
        now = self._uptime()
        if now - self._looked > self._pace.interval_s + LONGEST_LOOK_S:
            self._begun = now
        self._looked = now
        return self.waited_s >= self._pace.timeout_s


_LEARN_AGAIN_S = 60.0


class Waiting:
    """Waits for videos of the renderer's account.

    Args:
        renderer: With its ledger, rates and archive.
        watcher: Looks at all videos at once.
        clock: Time of day and passed time.
    """

    def __init__(self, renderer: Renderer, watcher: Watcher, clock: Clock) -> None:
        self._renderer = renderer
        self._ledger = renderer.ledger
        self._watcher = watcher
        self._clock = clock
        self._reading = asyncio.Lock()
        self._learned: tuple[float, RenderTimes] | None = None

    async def wait(
        self, video_id: str, report: Report, pace: Pace, *, hold: Hold | None = None
    ) -> Video:
        """Wait until a video is rendered; see :meth:`Renderer.wait`.

        Args:
            video_id: Any video of the account.
            report: Gets every look.
            pace: How often to look, and how long.
            hold: Of its render; without one, steps are stored when nobody has it.
        """
        row = await asyncio.to_thread(
            self._ledger.render_of_video, self._renderer.account, video_id
        )
        if row:
            report.clock = clock_for(row, await self._times())
        # The time of day is asked only once: it may be set while we wait.
        begun_s = self._clock.uptime() - self._seconds_since(
            row.submitted_at if row else None
        )
        elapsed_s = self._clock.uptime() - begun_s
        patience = Patience(pace, self._clock.uptime)
        # A render just submitted cannot be ready; anything older may well be.
        at_once = (
            row is None or row.state != "submitted" or elapsed_s >= pace.interval_s
        )
        looks = self._watcher.watch(
            video_id, interval_s=pace.interval_s, at_once=at_once
        )
        async with aclosing(looks):
            async for sighting in looks:
                elapsed_s = self._clock.uptime() - begun_s
                if sighting:
                    row = await self._store(row, sighting, elapsed_s, hold)
                    await _report_sighting(report, sighting, elapsed_s)
                    if _has_ended(sighting):
                        return await self._ended(row, sighting, video_id, report)
                if patience.is_over():
                    line = tell.timed_out(video_id, patience.waited_s)
                    await report("unknown", line, elapsed_s=elapsed_s)
                    raise WaitTimeoutError(line, video_id=video_id)
        raise AssertionError("the watcher never ends by itself")

    async def _times(self) -> RenderTimes:
        """Return what is learned so far; read once for all that wait side by side."""
        async with self._reading:
            now = self._clock.uptime()
            if self._learned is None or now - self._learned[0] > _LEARN_AGAIN_S:
                backend = self._renderer.account.backend
                past = await asyncio.to_thread(self._ledger.facts.times, backend)
                self._learned = now, learn_times(past, backend)
            return self._learned[1]

    async def _store(
        self,
        row: RenderRow | None,
        sighting: Sighting,
        elapsed_s: float,
        hold: Hold | None,
    ) -> RenderRow | None:
        if row is None or self._news(row, sighting, elapsed_s) is None:
            return row
        if hold:
            return await self._record(hold, sighting, elapsed_s)
        async with self._renderer.holding(RenderRow, row.id) as own:
            # without it another process has the render, and stores what it sees
            return await self._record(own, sighting, elapsed_s) if own else row

    async def _record(
        self, hold: Hold, sighting: Sighting, elapsed_s: float
    ) -> RenderRow:
        row = await asyncio.to_thread(self._ledger.render, str(hold.id))
        news = self._news(row, sighting, elapsed_s)
        if news is None:
            return row
        name, state, fields = news
        if state == "completed":
            billed = await self._renderer.bills.close(row, fields["cost"])
            if billed is not None:
                fields |= {"cost": billed, "billed": True}
        row = await asyncio.to_thread(
            self._ledger.record, hold, name, state=state, **fields
        )
        await forget_assets(self._ledger, row)
        return row

    def _news(
        self, row: RenderRow, sighting: Sighting, elapsed_s: float
    ) -> tuple[str, str | None, dict[str, Any]] | None:
        """Return the step that a look tells of; None if the ledger knows it."""
        word, video = sighting.word, sighting.video
        if row.state not in ("submitted", "completed"):
            return None
        if phase(word) == "failed" or word == "deleted":
            return (
                "failed",
                "failed",
                {
                    "error_code": (video and video.failure_code) or word,
                    "error_message": (video and video.failure_message) or "",
                    "reserved_cost": 0.0,
                },
            )
        if row.state == "completed":
            return None
        if phase(word) == "processing" and row.processing_at is None:
            begun = row.submitted_at or self._clock.now()
            at = begun + timedelta(seconds=elapsed_s)
            return "processing", None, {"processing_at": at}
        if phase(word) == "completed" and video and video.video_url:
            seconds = video.duration_s or row.estimate_s or 0.0
            cost = self._renderer.rates.bill(
                row.engine, seconds, row.inputs.get("resolution", ""), row.look_type
            )
            return (
                "completed",
                "completed",
                {
                    "duration_s": seconds,
                    "cost": cost,
                    "reserved_cost": 0.0,
                    **_completed_at(row, video),
                },
            )
        return None

    async def _ended(
        self, row: RenderRow | None, sighting: Sighting, video_id: str, report: Report
    ) -> Video:
        if sighting.video is None or phase(sighting.word) != "completed":
            raise _failed(video_id, sighting)
        await report("completed", tell.created(video_id))
        video = Video(
            video_id=video_id,
            status="completed",
            backend=self._renderer.account.backend,
            title=sighting.video.title or "",
            duration_s=sighting.video.duration_s,
            **links(sighting.video),
        )
        return self._renderer.archive.describe(row, video) if row else video

    def _seconds_since(self, then: datetime | None) -> float:
        return max(0.0, (self._clock.now() - then).total_seconds()) if then else 0.0


def _completed_at(row: RenderRow, video: VideoReply) -> dict[str, datetime]:
    """Return when HeyGen was done: nobody may have looked until much later."""
    if not (row.submitted_at and video.created_at and video.completed_at):
        return {}
    return {"completed_at": row.submitted_at + (video.completed_at - video.created_at)}


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
    await report(status, tell.status(word, elapsed_s, reason), elapsed_s=elapsed_s)


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
        charged=None if sighting.word == "deleted" else False,
    )
