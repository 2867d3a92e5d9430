"""Telling the user how a render goes: log file, callback, percent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from heygen_nb.models import Progress
from heygen_nb.timing import PastRender, RenderClock, estimate_s

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heygen_nb.ledger import Render
    from heygen_nb.models import ProgressStatus

log = logging.getLogger("heygen_nb.renderer")

ProgressCallback = Callable[[Progress], object]
"""Takes a Progress; may be a plain function or return an awaitable."""


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
            fraction=self._fraction(status, elapsed_s),
            eta_s=self.clock.eta_s(elapsed_s) if self.clock else None,
            message=message,
        )
        try:
            answer = self._callback(progress)
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            log.exception("%sprogress_callback", self._prefix)

    def _fraction(self, status: ProgressStatus, elapsed_s: float) -> float | None:
        if status == "completed":
            return 1.0
        return self.clock.fraction(elapsed_s) if self.clock else None


def clock_for(script: str, past: Iterable[Render]) -> RenderClock:
    """Learn from past renders how long one of this script will take."""
    history = [
        PastRender(
            video_s=row.duration_s or 0,
            render_s=(row.completed_at - row.submitted_at).total_seconds(),
        )
        for row in past
        if row.submitted_at and row.completed_at
    ]
    return RenderClock(history, estimate_s(script))
