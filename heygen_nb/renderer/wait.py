"""Waiting for videos: one look at all of them every few seconds, stored and told."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from heygen_nb import errors
from heygen_nb.clock import Pace, Patience
from heygen_nb.heygen.client import MAX_STATUS_IDS
from heygen_nb.heygen.refusals import means_credit
from heygen_nb.heygen.wire import VideoReply, phase
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import NO_CREDIT, Hold, RenderRow
from heygen_nb.log import Report, log
from heygen_nb.models import ProgressStatus, Video
from heygen_nb.renderer import submit
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.archive import links, video_of
from heygen_nb.timing import USUAL_S, PastRender, RenderClock, RenderTimes, estimate_s

# A video just made is not found for a while (seen live, 2026): it counts as deleted
# only by two looks that are a minute apart, and not within two minutes.
_YOUNG_S, _BETWEEN_LOOKS_S = 120.0, 60.0
_SANDBOX_S = 12.0  # an ordinary laptop renders half a minute in this time
_ENDED, _MISSING = ("completed", "failed"), "not_found"
_EMOJI: dict[ProgressStatus, str] = {
    "pending": "⏳",
    "processing": "🎬",
    "completed": "✅",
    "failed": "❌",
    "unknown": "🔄",
}


async def look(account: Account, video_id: str, interval_s: float) -> VideoReply | None:
    """Return what the next look at all videos shows; None when it failed.

    A single video is asked for by itself; more share one status request for up to
    100, and only those that have ended are then read one by one.

    Args:
        account: Whose videos somebody waits for.
        video_id: A video that HeyGen does not have is ``missing``.
        interval_s: Seconds until then; the shortest of all who wait counts.

    Raises:
        NotAuthorizedError: The key is no longer accepted.
    """
    looks: dict[str, VideoReply | None] = {}
    while video_id not in looks:  # else the look had begun
        longest_s = account.wanted.get(video_id, interval_s)
        account.wanted[video_id] = min(interval_s, longest_s)
        looks = await account.shared("look", partial(_look_at_all, account))
    return looks[video_id]


async def _look_at_all(account: Account) -> dict[str, VideoReply | None]:
    await account.clock.sleep(min(account.wanted.values()))
    ids, looks = sorted(account.wanted), dict[str, VideoReply | None]()
    account.wanted.clear()
    for start in range(0, len(ids), MAX_STATUS_IDS):
        some = ids[start : start + MAX_STATUS_IDS]
        if len(some) > 1:
            try:
                rows = await account.client.video_statuses(some)
            except errors.NotAuthorizedError:
                raise
            except errors.ApiError as error:
                log.warning("%s", error)
                looks |= dict.fromkeys(some)
                continue
            told = {row.video_id: row.status for row in rows}
            words = {v: told.get(v, _MISSING) for v in some}
            looks |= {v: VideoReply(id=v, status=word) for v, word in words.items()}
            some = [
                v for v in some if words[v] == _MISSING or phase(words[v]) in _ENDED
            ]
        found = await asyncio.gather(*(look_now(account, v) for v in some))
        looks |= dict(zip(some, found, strict=True))
    return looks


async def look_now(account: Account, video_id: str) -> VideoReply | None:
    """Look at one video without waiting, see :func:`look`."""
    try:
        async with account.looks:
            return await account.client.get_video(video_id)
    except errors.NotAuthorizedError:
        raise
    except errors.ApiError as error:
        # Only this code says that the video is gone; any other 404 may be a
        # gateway's, and a failed look never is a failed render.
        if error.code == "video_not_found":
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
        PaymentRequiredError: It was not made for want of credit.
        WaitTimeoutError: The time is up; the render goes on.
        NotAuthorizedError: The key is not accepted.
    """
    clock, seen = account.clock, Seen(account, row, hold)
    if row:
        times = await account.shared("times", partial(_times, account))
        report.clock = clock_for(row, times)
    # The time of day is asked only once: it may be set while we wait.
    now = clock.now()
    submitted_at = (row and row.submitted_at) or now
    elapsed_s = max(0.0, (now - submitted_at).total_seconds())
    begun_s = clock.uptime() - elapsed_s
    # A render just submitted cannot be ready; anything older may well be.
    at_once = row is None or row.state != "submitted" or elapsed_s >= pace.interval_s
    patience = Patience(pace, clock.uptime)
    silent_since: datetime | None = None
    while True:
        if at_once:
            found, at_once = await look_now(account, video_id), False
        else:
            found = await look(account, video_id, pace.interval_s)
        elapsed_s = clock.uptime() - begun_s
        if found is None:
            silent_since = silent_since or clock.now()
            line = silent_line(silent_since, pace)
            await report("unknown", line, elapsed_s=elapsed_s)
        else:
            silent_since, reply = None, seen.judge(found, elapsed_s)
            await seen.store(reply, elapsed_s)
            state = phase(reply.status)
            failure = reply.failure_code or "", reply.failure_message
            why = submit.reason_of(*failure) if state == "failed" else ""
            line = status_line(reply.status, elapsed_s, why)
            await report(state, line, elapsed_s=elapsed_s)
            if state == "failed":
                raise submit.not_rendered(video_id, *failure)
            if state == "completed":
                line = _("✅ Video created! ID: {id}").format(id=video_id)
                await report("completed", line, elapsed_s=elapsed_s)
                return seen.video(reply)
        if patience.is_over():
            stopped = timed_out(video_id, patience)
            await report("unknown", stopped.message, elapsed_s=elapsed_s)
            raise stopped


@dataclass
class Seen:
    """What the looks at one video tell together; see :func:`wait`."""

    account: Account
    row: RenderRow | None
    hold: Hold | None
    _missing_s: float | None = None
    _queued_s: float | None = None

    def judge(self, look: VideoReply, elapsed_s: float) -> VideoReply:
        """Return what a look counts as.

        A video that is not found has failed once that is sure; HeyGen says completed
        before the file is there; the many words for an empty purse are one.
        """
        word, code = look.status, look.failure_code or "failed"
        if word != "missing":
            self._missing_s = None
        else:
            if self._missing_s is None:
                self._missing_s = elapsed_s
            apart_s = elapsed_s - self._missing_s
            sure = elapsed_s >= _YOUNG_S and apart_s >= _BETWEEN_LOOKS_S
            word, code = ("failed", submit.DELETED) if sure else ("pending", code)
        if phase(word) == "completed" and not look.video_url:
            word = "processing"
        if phase(word) == "pending":
            self._queued_s = elapsed_s
        code = NO_CREDIT if means_credit(code) else code
        return look.model_copy(update={"status": word, "failure_code": code})

    async def store(self, reply: VideoReply, elapsed_s: float) -> None:
        """Store what a look tells; if another process has the render, it does so."""
        account, row = self.account, self.row
        if row is None or not self._news(row, reply, elapsed_s):
            return
        ours = nullcontext(self.hold) if self.hold else account.hold(RenderRow, row.id)
        async with ours as held:
            if held is None:
                return
            row = await asyncio.to_thread(account.ledger.render, row.id)
            if news := self._news(row, reply, elapsed_s):
                row = await submit.record(account, held, **news)
                await submit.forget_what_failed(account, row)
            self.row = row

    def _news(
        self, row: RenderRow, reply: VideoReply, elapsed_s: float
    ) -> dict[str, Any]:
        """Return the step that a look tells of; nothing if the ledger knows it."""
        state = phase(reply.status)
        done: dict[str, Any] = {"name": state, "state": state, "reserved_cost": 0.0}
        if state == "failed" and row.state in ("submitted", "completed"):
            message = reply.failure_message or ""
            return done | {"error_code": reply.failure_code, "error_message": message}
        if row.state != "submitted":
            return {}
        unseen = state == "processing" and row.processing_at is None
        if unseen and self._queued_s is not None:  # it left the queue between two looks
            begun = row.submitted_at or self.account.clock.now()
            at = begun + timedelta(seconds=(self._queued_s + elapsed_s) / 2)
            return {"name": "processing", "processing_at": at}
        if state != "completed":
            return {}
        seconds = reply.duration_s or row.estimate_s or 0.0
        bought = row.engine, seconds, row.inputs.get("resolution", ""), row.look_type
        done |= {"duration_s": seconds, "cost": self.account.rates.bill(*bought)}
        # nobody may have looked until much later than HeyGen was done
        if row.submitted_at and reply.created_at and reply.completed_at:
            took = reply.completed_at - reply.created_at
            done["completed_at"] = row.submitted_at + took
        return done

    def video(self, reply: VideoReply) -> Video:
        """Return the video that the last look has shown."""
        video = Video(
            video_id=reply.id,
            status="completed",
            backend=self.account.payer.backend,
            title=reply.title or "",
            duration_s=reply.duration_s,
            **links(reply, self.row),
        )
        return video_of(self.account, self.row, video) if self.row else video


async def _times(account: Account) -> RenderTimes:
    """Return what is learned so far."""
    backend = account.payer.backend
    past = await asyncio.to_thread(account.ledger.facts.times, backend)
    return RenderTimes.of_rows(past, _SANDBOX_S if backend == "sandbox" else USUAL_S)


def status_line(word: str, elapsed_s: float, reason: str = "") -> str:
    """Return what one look says; an unknown word is shown as it came."""
    found = phase(word)
    shown = word if found == "unknown" else found
    line = _("{emoji} Status: {status} ({seconds}s elapsed)")
    line = line.format(emoji=_EMOJI[found], status=shown, seconds=round(elapsed_s))
    return f"{line}: {reason}" if reason else line


def silent_line(since: datetime, pace: Pace) -> str:
    """Return what is said as long as no look gets an answer."""
    line = _(
        "🔌 HeyGen has been out of reach since {time:%H:%M:%S}; the next look"
        " is in {seconds} s. The render goes on."
    )
    seconds = max(round(pace.interval_s), 1)
    return line.format(time=since.astimezone(), seconds=seconds)


def timed_out(video_id: str, patience: Patience) -> errors.WaitTimeoutError:
    """Return the error of a wait that has stopped; the render has not."""
    line = _(
        "⌛ Stopped waiting after {seconds}s. Video {id} is not lost: waiting can go on"
    ).format(seconds=round(patience.waited_s), id=video_id)
    return errors.WaitTimeoutError(line, video_id=video_id)


def clock_for(row: RenderRow, times: RenderTimes) -> RenderClock:
    """Return a clock for a render; it knows when the queue was over."""
    video_s, begun = row.estimate_s or estimate_s(row.script), row.submitted_at
    resolution, hour = row.inputs.get("resolution", ""), (begun or row.created_at).hour
    clock = times.clock(PastRender(video_s, 0.0, row.engine, resolution, hour))
    if begun and row.processing_at:
        clock.leave_queue((row.processing_at - begun).total_seconds())
    return clock
