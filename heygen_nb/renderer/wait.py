"""Waiting for videos: one look at all of them every few seconds, stored and told."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from heygen_nb.clock import Pace, Patience
from heygen_nb.errors import (
    ApiError,
    NotAuthorizedError,
    NotFoundError,
    WaitTimeoutError,
)
from heygen_nb.heygen.client import MAX_STATUS_IDS
from heygen_nb.heygen.refusals import means_credit
from heygen_nb.heygen.wire import VideoReply, phase
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import NO_CREDIT, Hold, RenderRow
from heygen_nb.models import ProgressStatus, Video
from heygen_nb.renderer.account import Account, turn
from heygen_nb.renderer.archive import described, links
from heygen_nb.renderer.submit import (
    DELETED,
    forget_what_failed,
    not_rendered,
    reason_of,
    record,
)
from heygen_nb.timing import USUAL_S, PastRender, RenderClock, RenderTimes, estimate_s

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.log import Report

log = logging.getLogger("heygen_nb.renderer")

_LEARN_AGAIN_S = 60.0
# A video just made is not found for a while (seen live, 2026): it counts as deleted
# only by two looks that are a minute apart, and not within two minutes.
_YOUNG_S, _BETWEEN_LOOKS_S = 120.0, 60.0
_GETS_AT_ONCE = 8
_SANDBOX_S = 12.0  # an ordinary laptop renders half a minute in this time
_EMOJI: dict[ProgressStatus, str] = {
    "pending": "⏳",
    "processing": "🎬",
    "completed": "✅",
    "failed": "❌",
    "unknown": "🔄",
}


_News = asyncio.Queue[VideoReply | Exception | None]


class Watcher:
    """Looks at all videos that somebody waits for.

    A single video is asked for by itself; more share one status request for up to
    100, and only those that have ended are then read one by one.

    Args:
        client: HeyGen.
        sleep: Waits between two looks.
    """

    def __init__(
        self,
        client: HeyGenClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._waiters: dict[_News, tuple[str, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._gets = asyncio.Semaphore(_GETS_AT_ONCE)

    async def watch(
        self, video_id: str, *, interval_s: float, at_once: bool = False
    ) -> AsyncGenerator[VideoReply | None]:
        """Yield what every look shows; None when a look failed.

        A video that HeyGen does not have is ``missing``.

        Args:
            video_id: Which video.
            interval_s: Seconds between two looks; the shortest of all waiters
                counts.
            at_once: Look before the first interval is over.

        Raises:
            NotAuthorizedError: The key is no longer accepted.
        """
        if at_once:
            yield await self._look(video_id)
        queue: _News = asyncio.Queue()
        self._waiters[queue] = video_id, interval_s
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            while True:
                news = await queue.get()
                if isinstance(news, Exception):
                    raise news
                yield news
        finally:
            del self._waiters[queue]
            if not self._waiters and self._task:
                self._task.cancel()
                self._task = None  # it ends a little later: nobody may rely on it

    async def close(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiters:
            await self._sleep(min(seconds for _id, seconds in self._waiters.values()))
            waiters = dict(self._waiters)
            looks: dict[str, VideoReply | None] = {}
            failure = None
            try:
                looks = await self._look_at_all({name for name, _s in waiters.values()})
            except Exception as error:  # noqa: BLE001 - the waiters raise it
                failure = error
            for queue, (video_id, _s) in waiters.items():
                queue.put_nowait(failure or looks[video_id])

    async def _look_at_all(self, video_ids: set[str]) -> dict[str, VideoReply | None]:
        ids = sorted(video_ids)
        if len(ids) == 1:
            return {ids[0]: await self._look(ids[0])}
        news: dict[str, VideoReply | None] = dict.fromkeys(ids)
        for start in range(0, len(ids), MAX_STATUS_IDS):
            part = ids[start : start + MAX_STATUS_IDS]
            try:
                rows = await self._client.video_statuses(part)
            except NotAuthorizedError:
                raise
            except ApiError as error:
                log.warning("%s", error)
                continue
            told = {row.video_id: row.status for row in rows}
            for name in part:
                news[name] = VideoReply(id=name, status=told.get(name, "not_found"))
        ended = [
            video.id
            for video in news.values()
            if video
            and (
                phase(video.status) in ("completed", "failed")
                or video.status == "not_found"  # or missing in the answer
            )
        ]
        looks = await asyncio.gather(*(self._look(video_id) for video_id in ended))
        return news | dict(zip(ended, looks, strict=True))

    async def _look(self, video_id: str) -> VideoReply | None:
        try:
            async with self._gets:
                return await self._client.get_video(video_id)
        except NotAuthorizedError:
            raise
        except ApiError as error:
            # Only this code says that the video is gone; any other 404 may be a
            # gateway's, and a failed look never is a failed render.
            if isinstance(error, NotFoundError) and error.code == "video_not_found":
                return VideoReply(id=video_id, status="missing")
            log.warning("%s", error)
            return None


async def wait(
    account: Account,
    video_id: str,
    report: Report,
    pace: Pace,
    *,
    row: RenderRow | None,
    hold: Hold | None = None,
) -> Video:
    """Wait for a video to be rendered.

    Args:
        account: Whose video it is.
        video_id: Any video of the account.
        report: Gets every look.
        pace: How often to look, and how long.
        row: The render that made it; None for a video the ledger does not know.
        hold: Of that render; without one, steps are stored when nobody has it.

    Raises:
        RenderFailedError: HeyGen could not render it, or it was deleted.
        WaitTimeoutError: The time is up; the render goes on.
        NotAuthorizedError: The key is not accepted.
    """
    clock = account.clock
    if row:
        report.clock = clock_for(row, await _times(account))
    # The time of day is asked only once: it may be set while we wait.
    now = clock.now()
    submitted_at = (row and row.submitted_at) or now
    elapsed_s = max(0.0, (now - submitted_at).total_seconds())
    begun_s = clock.uptime() - elapsed_s
    # A render just submitted cannot be ready; anything older may well be.
    at_once = row is None or row.state != "submitted" or elapsed_s >= pace.interval_s
    if account.watcher is None:
        account.watcher = Watcher(account.client, sleep=clock.sleep)
    looks = account.watcher.watch(video_id, interval_s=pace.interval_s, at_once=at_once)
    patience, seen = Patience(pace, clock.uptime), Seen()
    silent_since: datetime | None = None
    async with aclosing(looks):
        async for look in looks:
            elapsed_s = clock.uptime() - begun_s
            if look is None:
                silent_since = silent_since or clock.now()
                line = out_of_reach(silent_since, pace.interval_s)
                await report("unknown", line, elapsed_s=elapsed_s)
            else:
                silent_since, reply = None, seen.judge(look, elapsed_s)
                left_s = seen.left_queue_s(elapsed_s)
                row = await _store(account, row, reply, left_s, hold)
                await _tell(report, reply, elapsed_s)
                if _has_ended(reply):
                    video = _video(account, row, reply)
                    line = _("✅ Video created! ID: {id}").format(id=reply.id)
                    await report("completed", line, elapsed_s=elapsed_s)
                    return video
            if patience.is_over():
                error = timed_out(video_id, patience)
                await report("unknown", error.message, elapsed_s=elapsed_s)
                raise error
    raise AssertionError("the watcher never ends by itself")


class Seen:
    """What the looks at one video tell together."""

    _missing_s: float | None = None
    _queued_s: float | None = None

    def judge(self, reply: VideoReply, elapsed_s: float) -> VideoReply:
        """Return a look; a video that is not found has failed once that is sure."""
        if reply.status != "missing":
            self._missing_s = None
        else:
            if self._missing_s is None:
                self._missing_s = elapsed_s
            apart_s = elapsed_s - self._missing_s
            sure = elapsed_s >= _YOUNG_S and apart_s >= _BETWEEN_LOOKS_S
            told = {"status": "failed", "failure_code": DELETED}
            reply = reply.model_copy(update=told if sure else {"status": "pending"})
        if phase(reply.status) == "pending":
            self._queued_s = elapsed_s
        return reply

    def left_queue_s(self, elapsed_s: float) -> float | None:
        """Return when the queue was left, between two looks; None if none saw it."""
        return None if self._queued_s is None else (self._queued_s + elapsed_s) / 2


async def _times(account: Account) -> RenderTimes:
    """Return what is learned so far; read once for all that wait side by side."""
    async with turn("times", account):
        now = account.clock.uptime()
        if account.times is None or now - account.times[0] > _LEARN_AGAIN_S:
            backend = account.payer.backend
            past = await asyncio.to_thread(account.ledger.facts.times, backend)
            usual_s = _SANDBOX_S if backend == "sandbox" else USUAL_S
            account.times = now, RenderTimes.of_rows(past, usual_s)
        return account.times[1]


async def _store(
    account: Account,
    row: RenderRow | None,
    reply: VideoReply,
    left_queue_s: float | None,
    hold: Hold | None,
) -> RenderRow | None:
    """Store what a look tells, unless another process has the render: it does so."""
    if row is None or not _news(account, row, reply, left_queue_s):
        return row
    ours = nullcontext(hold) if hold else account.hold(RenderRow, row.id)
    async with ours as held:
        if held is None:
            return row
        row = await asyncio.to_thread(account.ledger.render, row.id)
        if news := _news(account, row, reply, left_queue_s):
            row = await record(account, held, **news)
            await forget_what_failed(account, row)
        return row


def _news(
    account: Account, row: RenderRow, reply: VideoReply, left_queue_s: float | None
) -> dict[str, Any]:
    """Return the step that a look tells of; nothing if the ledger knows it."""
    found = phase(reply.status)
    if found == "failed" and row.state in ("submitted", "completed"):
        return {
            "name": "failed",
            "state": "failed",
            "error_code": _failure_code(reply),
            "error_message": reply.failure_message or "",
            "reserved_cost": 0.0,
        }
    if row.state != "submitted":
        return {}
    unseen = found == "processing" and row.processing_at is None
    if unseen and left_queue_s is not None:
        begun = row.submitted_at or account.clock.now()
        at = begun + timedelta(seconds=left_queue_s)
        return {"name": "processing", "processing_at": at}
    if not _has_ended(reply):
        return {}
    seconds = reply.duration_s or row.estimate_s or 0.0
    resolution = row.inputs.get("resolution", "")
    done: dict[str, Any] = {
        "name": "completed",
        "state": "completed",
        "duration_s": seconds,
        "cost": account.rates.bill(row.engine, seconds, resolution, row.look_type),
        "reserved_cost": 0.0,
    }
    # nobody may have looked until much later than HeyGen was done
    if row.submitted_at and reply.created_at and reply.completed_at:
        took = reply.completed_at - reply.created_at
        done["completed_at"] = row.submitted_at + took
    return done


def _video(account: Account, row: RenderRow | None, reply: VideoReply) -> Video:
    """Return the video that a last look has shown.

    Raises:
        RenderFailedError: There is none.
        PaymentRequiredError: It was not made for want of credit.
    """
    if phase(reply.status) == "failed":
        code = _failure_code(reply)
        charged = None if code == DELETED else False
        raise not_rendered(reply.id, code, reply.failure_message, charged=charged)
    video = Video(
        video_id=reply.id,
        status="completed",
        backend=account.payer.backend,
        title=reply.title or "",
        duration_s=reply.duration_s,
        **links(reply, row),
    )
    return described(account, row, video) if row else video


def _has_ended(reply: VideoReply) -> bool:
    # HeyGen says completed before the file is there
    found = phase(reply.status)
    return found == "failed" or bool(found == "completed" and reply.video_url)


async def _tell(report: Report, reply: VideoReply, elapsed_s: float) -> None:
    word, reason = reply.status, ""
    if phase(word) == "failed":
        reason = reason_of(_failure_code(reply), reply.failure_message)
    elif phase(word) == "completed" and not _has_ended(reply):
        word = "processing"
    line = status_line(word, elapsed_s, reason)
    await report(phase(word), line, elapsed_s=elapsed_s)


def status_line(word: str, elapsed_s: float, reason: str = "") -> str:
    """Return what one look says; an unknown word is shown as it came."""
    found = phase(word)
    line = _("{emoji} Status: {status} ({seconds}s elapsed)").format(
        emoji=_EMOJI[found],
        status=word if found == "unknown" else found,
        seconds=round(elapsed_s),
    )
    return f"{line}: {reason}" if reason else line


def out_of_reach(since: datetime, again_s: float) -> str:
    """Return what is said when a look failed; the render goes on without us."""
    return _(
        "🔌 HeyGen has been out of reach since {time:%H:%M:%S}; the next look is in"
        " {seconds} s. The render goes on."
    ).format(time=since.astimezone(), seconds=max(round(again_s), 1))


def timed_out(video_id: str, patience: Patience) -> WaitTimeoutError:
    """Return the error of a wait that has stopped; the render has not."""
    line = _(
        "⌛ Stopped waiting after {seconds}s. Video {id} is not lost: waiting can go on"
    ).format(seconds=round(patience.waited_s), id=video_id)
    return WaitTimeoutError(line, video_id=video_id)


def _failure_code(reply: VideoReply) -> str:
    """Return why a video failed; the many words for an empty purse are one."""
    code = reply.failure_code or "failed"
    return NO_CREDIT if means_credit(code) else code


def clock_for(row: RenderRow, times: RenderTimes) -> RenderClock:
    """Return a clock for a render; it knows when the queue was over."""
    clock = times.clock(
        PastRender(
            video_s=row.estimate_s or estimate_s(row.script),
            render_s=0.0,
            engine=row.engine,
            resolution=row.inputs.get("resolution", ""),
            hour=(row.submitted_at or row.created_at).hour,
        )
    )
    if row.submitted_at and row.processing_at:
        clock.leave_queue((row.processing_at - row.submitted_at).total_seconds())
    return clock
