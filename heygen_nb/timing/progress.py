"""How far a render is: HeyGen tells no percentage, so it is learned from earlier ones.

The logarithm of the seconds a render takes is a level that drifts, and what engine,
resolution, length and hour of the day add. How wrong that was for each earlier render,
told from those before it, gives the interval. The same is learned once more of the
part after the queue: from when it begins, only that counts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist
from typing import Any

from heygen_nb.models import NO_AVATAR

_LEAST_S = 0.01
_ROWS = 1000  # older ones tell nothing that these do not
# HeyGen, autumn 2026: 1 to 5 minutes whatever the length, up to 15 at peak hours
USUAL_S = 150.0
_PROCESSING = 0.7  # the part of a render that is no queue, until we know
_DOUBT = 0.5  # logarithms: how accounts differ, and below renders of one
_NOISE, _PART_NOISE = 0.42, 0.54  # in a sum, what is long and what is short even out
_NOISE_ROWS = 8  # rows that weigh as much as this first guess
_SLOWEST_GAIN = 0.02  # a level follows a slow change within forty renders
_TREND, _FASTEST_GAIN = 1.0, 0.5  # and a sudden one once errors agree on it
_MEMORY = 100  # renders that the noise is an average of
_GROUP_ROWS = 20  # rows that weigh as much as believing in no difference
_FAR = 2.5  # standard deviations beyond which an error counts no more


@dataclass(frozen=True, slots=True)
class PastRender:
    """One finished render to learn from.

    Attributes:
        video_s: Length of the video.
        render_s: Seconds from submission to completion.
        engine: HeyGen's engine.
        resolution: Such as ``1080p``.
        hour: Hour of the day it was submitted at, UTC; None when not known.
        processing_s: Those of them after the queue; None when not known.
    """

    video_s: float
    render_s: float
    engine: str = ""
    resolution: str = ""
    hour: int | None = None
    processing_s: float | None = None


class RenderTimes:
    """Learns from past renders how long the next one takes.

    Args:
        history: Earlier renders, newest first.
        usual_s: Seconds that a video takes when nothing is known.
    """

    def __init__(
        self, history: Iterable[PastRender] = (), *, usual_s: float = USUAL_S
    ) -> None:
        usable = (r for r in history if r.video_s > _LEAST_S < r.render_s)
        rows = list(islice(usable, _ROWS))[::-1]
        whole = [(row, row.render_s) for row in rows]
        seen = [(row, row.processing_s or 0.0) for row in rows]
        part = [(row, seconds) for row, seconds in seen if seconds > _LEAST_S]
        self._whole = _Durations(whole, math.log(usual_s), _NOISE)
        level = self._whole.level + math.log(_PROCESSING)
        self._processing = _Durations(part, level, _PART_NOISE)

    @classmethod
    def of_rows(
        cls,
        rows: Iterable[tuple[Any, ...]],
        usual_s: float = USUAL_S,
        *,
        here: bool = False,
    ) -> RenderTimes:
        """Learn from past renders, as ``Ledger.facts.times`` gives them.

        Args:
            rows: Earlier renders, newest first.
            usual_s: Seconds that a video takes when nothing is known.
            here: Whether the films that are made on this machine are meant.
        """
        history = (
            PastRender(
                video_s=seconds,
                render_s=(completed - submitted).total_seconds(),
                engine=engine,
                resolution=resolution or "",
                hour=submitted.hour,
                processing_s=(completed - begun).total_seconds() if begun else None,
            )
            for seconds, submitted, begun, completed, engine, resolution in rows
            if (engine == NO_AVATAR) is here
        )
        return cls(history, usual_s=usual_s)

    def clock(self, video: PastRender) -> RenderClock:
        """Return a clock for a render; how long it took does not matter."""
        return RenderClock(self._whole.of(video), self._processing.of(video))


class _Durations:
    """What is learned of one kind of duration.

    Args:
        past: Renders and the seconds each took, oldest first.
        level: The logarithm of what is expected at first.
        noise: How far single ones are expected to be off at first.
    """

    def __init__(
        self, past: Sequence[tuple[PastRender, float]], level: float, noise: float
    ) -> None:
        self.level = level
        self._extra: dict[tuple[str, object], float] = defaultdict(float)
        counts: Counter[tuple[str, object]] = Counter()
        first_rows = (noise / _DOUBT) ** 2  # that the first guess is worth
        variance, trend = noise**2, 0.0
        for count, (row, seconds) in enumerate(past):
            unsure = _unsure(count, first_rows)
            sigma = math.sqrt(variance) * unsure
            error = math.log(seconds) - self._expected(row)
            error = min(max(error, -_FAR * sigma), _FAR * sigma)
            rows = min(count, _MEMORY) + _NOISE_ROWS
            variance += ((error / unsure) ** 2 - variance) / rows
            trend += 0.3 * (error / sigma - trend)
            turn = min(max(abs(trend) - _TREND, 0.0), 1.0) * _FASTEST_GAIN
            gain = max(1 / (count + 1 + first_rows), _SLOWEST_GAIN, turn)
            self.level += gain * error
            for group in _groups_of(row):
                counts[group] += 1
                self._extra[group] += error / (counts[group] + _GROUP_ROWS)
        self._sigma = math.sqrt(variance) * _unsure(len(past), first_rows)

    def of(self, video: PastRender) -> NormalDist:
        """Return how the logarithm of a video's seconds is distributed."""
        return NormalDist(self._expected(video), self._sigma)

    def _expected(self, row: PastRender) -> float:
        return self.level + sum(self._extra.get(g, 0.0) for g in _groups_of(row))


def _unsure(count: int, first_rows: float) -> float:
    """Return by which factor a level learned from few rows is off more than noise."""
    return math.sqrt(1 + max(1 / (count + first_rows), _SLOWEST_GAIN / 2))


def _groups_of(row: PastRender) -> Iterator[tuple[str, object]]:
    yield "kind", (row.engine, row.resolution)
    yield "length", round(math.log2(max(row.video_s, 5.0)))
    if row.hour is not None:
        yield "hour", row.hour // 4


class RenderClock:
    """Tells how far one render is.

    What is left is the middle of what past renders still took that had taken as
    long as this one has; it grows again, honestly, when one is late.

    Args:
        whole: Distribution of the logarithm of the seconds in all.
        processing: The same of the part after the queue.
    """

    def __init__(self, whole: NormalDist, processing: NormalDist) -> None:
        self._times = whole
        self._processing = processing
        self._queued_s = 0.0
        self._shown = 0.0
        self.late_s = self._at(0.9)  # longer than 9 of 10 renders take

    def leave_queue(self, elapsed_s: float) -> None:
        """Note that processing began; only the first time counts."""
        if self._times is not self._processing:
            self._times, self._queued_s = self._processing, max(elapsed_s, 0.0)

    def fraction(self, elapsed_s: float) -> float:
        """Return 0 to 0.99; it never falls from one call to the next."""
        elapsed_s = max(elapsed_s, 0.0)
        late_s = self._queued_s + self._at(0.9)
        within = min(elapsed_s, late_s)
        value = within / (within + self._left(within, 0.5))
        over = (elapsed_s - within) / late_s
        value += (0.99 - value) * (1 - math.exp(-over)) if over else 0.0
        self._shown = max(self._shown, min(value, 0.99))
        return self._shown

    def eta_s(self, elapsed_s: float) -> float | None:
        """Return the expected seconds to go; None when nothing can be said."""
        return None if self._is_beyond(elapsed_s) else self._left(elapsed_s, 0.5)

    def interval_s(self, elapsed_s: float) -> tuple[float, float] | None:
        """Return the seconds to go that 8 of 10 such renders keep within."""
        if self._is_beyond(elapsed_s):
            return None
        return self._left(elapsed_s, 0.1), self._left(elapsed_s, 0.9)

    def is_late(self, elapsed_s: float) -> bool:
        """Tell whether it has taken longer than 9 of 10 renders do."""
        return elapsed_s > self.late_s

    def _is_beyond(self, elapsed_s: float) -> bool:
        return elapsed_s - self._queued_s > self._at(0.97)

    def _left(self, elapsed_s: float, part: float) -> float:
        """Return the seconds to go by which that part of the late ones are done."""
        spent_s = max(elapsed_s - self._queued_s, 0.0)
        passed = self._times.cdf(math.log(spent_s)) if spent_s else 0.0
        whole_s = self._at(passed + part * (1 - passed))
        return max(whole_s - spent_s, 0.02 * spent_s, 1.0)

    def _at(self, part: float) -> float:
        return math.exp(self._times.inv_cdf(min(part, 1 - 1e-9)))
