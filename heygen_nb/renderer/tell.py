"""Telling the user how a render goes: log file, callback, percent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from heygen_nb.heygen import phase
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Progress
from heygen_nb.timing import USUAL_S, PastRender, RenderTimes, estimate_s

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from heygen_nb.ledger import RenderRow
    from heygen_nb.models import ProgressStatus
    from heygen_nb.timing import RenderClock

_EMOJI: dict[ProgressStatus, str] = {
    "pending": "⏳",
    "processing": "🎬",
    "completed": "✅",
    "failed": "❌",
    "unknown": "🔄",
}


def started(draft_id: str) -> str:
    """The first line of a render."""
    return _("🎬 Creating video for script #{id}...").format(id=draft_id)


def chosen(voice: str, avatar: str) -> str:
    """Who will speak, named before anything is paid."""
    if not avatar:
        return _("🎤 Voice: {voice} · background only").format(voice=voice)
    return _("🎤 Voice: {voice} · avatar: {avatar}").format(voice=voice, avatar=avatar)


def uploading(name: str) -> str:
    """Before a background that is a file is uploaded; only if it is not there."""
    return _("🖼️ Uploading the background {name}...").format(name=name)


def speaking() -> str:
    """Before the speech is made, in exact mode."""
    return _("🎙️ Making the speech first, for the exact length...")


def submitting() -> str:
    """Before the create is sent."""
    return _("📤 Sending script to the HeyGen API...")


def status(word: str, elapsed_s: float, reason: str = "") -> str:
    """One look at the status; an unknown word is shown as it came."""
    found = phase(word)
    shown = word if found == "unknown" else found
    line = _("{emoji} Status: {status} ({seconds}s elapsed)").format(
        emoji=_EMOJI[found], status=shown, seconds=round(elapsed_s)
    )
    return f"{line}: {reason}" if reason else line


def asked_to_wait(wait_s: float) -> str:
    """The server has no time now; whoever waits sees for how long."""
    return _("⏳ HeyGen asks to wait: {seconds} s").format(seconds=round(wait_s))


def created(video_id: str) -> str:
    """The render has ended well."""
    return _("✅ Video created! ID: {id}").format(id=video_id)


def timed_out(video_id: str, waited_s: float) -> str:
    """Waiting has stopped; the render has not."""
    return _(
        "⌛ Stopped waiting after {seconds}s. Video {id} is not lost: waiting can go on"
    ).format(seconds=round(waited_s), id=video_id)


def out_of_reach(since: datetime, again_s: float) -> str:
    """A look failed; the render goes on without us."""
    return _(
        "🔌 HeyGen has been out of reach since {time:%H:%M:%S}; the next look is in"
        " {seconds} s. The render goes on."
    ).format(time=since.astimezone(), seconds=max(round(again_s), 1))


def already_made(video_id: str) -> str:
    """Nothing is paid again for an unchanged draft."""
    return _("♻️ This draft has video {id} already: nothing is paid again").format(
        id=video_id
    )


def sent() -> str:
    """The post is in the chat."""
    return _("📱 Video sent to Telegram")


def elsewhere() -> str:
    """Another process has the render; this one follows."""
    return _("⏳ Another process works on this render: waiting for it")


log = logging.getLogger("heygen_nb.renderer")

ProgressCallback = Callable[[Progress], object]
"""Takes a Progress; may be a plain function or return an awaitable."""
_MINUTE_S = 60
_SANDBOX_S = 12.0  # an ordinary laptop renders half a minute in this time


class Report:
    """Passes every step of one render on; never stops it.

    Args:
        callback: The user's, or None.
        draft_id: Shown in the log file, where renders mix.
    """

    def __init__(self, callback: ProgressCallback | None, draft_id: str = "") -> None:
        self._callback = callback
        self._prefix = f"#{draft_id} " if draft_id else ""
        self.clock: RenderClock | None = None

    async def __call__(
        self, status: ProgressStatus, message: str, *, elapsed_s: float = 0.0
    ) -> None:
        """Log a line and call back; what the callback raises is logged only."""
        log.info("%s%s", self._prefix, message)
        if self._callback is None:
            return
        progress = Progress(
            status=status,
            elapsed_s=elapsed_s,
            message=message,
            **self._outlook(status, elapsed_s),
        )
        try:
            answer = self._callback(progress)
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            log.exception("%sprogress_callback", self._prefix)

    def _outlook(self, status: ProgressStatus, elapsed_s: float) -> dict[str, Any]:
        if status == "completed":
            return {"fraction": 1.0, "eta_s": 0.0}
        if self.clock is None or status == "failed":
            return {}
        if status == "processing":
            self.clock.leave_queue(elapsed_s)
        late = self.clock.is_late(elapsed_s)
        return {
            "fraction": self.clock.fraction(elapsed_s),
            "eta_s": self.clock.eta_s(elapsed_s),
            "eta_range_s": self.clock.interval_s(elapsed_s),
            "note": _late(self.clock.late_s) if late else "",
        }


def _late(usual_s: float) -> str:
    if usual_s < 2 * _MINUTE_S:
        return _("longer than usual (9 of 10 of your renders take {seconds} s)").format(
            seconds=round(usual_s)
        )
    return _("longer than usual (your 90th percentile is {minutes} min)").format(
        minutes=round(usual_s / _MINUTE_S)
    )


def learn_times(past: Iterable[tuple[Any, ...]], backend: str) -> RenderTimes:
    """Learn from past renders, as ``Ledger.facts.times`` gives them."""
    history = [
        PastRender(
            video_s=seconds,
            render_s=(completed - submitted).total_seconds(),
            engine=engine,
            resolution=resolution or "",
            hour=submitted.hour,
            processing_s=(completed - begun).total_seconds() if begun else None,
        )
        for seconds, submitted, begun, completed, engine, resolution in past
    ]
    usual_s = _SANDBOX_S if backend == "sandbox" else USUAL_S
    return RenderTimes(history, usual_s=usual_s)


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
