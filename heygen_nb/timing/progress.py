"""How far a render is: HeyGen tells no percentage, so it is learned from earlier ones.

The seconds of a render are taken as a level that drifts, times the video's length to
some power, times what engine, resolution and hour of the day add. How wrong that was
for each earlier render, told from those before it, gives the interval. The same is
learned once more of the part after the queue: from when it begins, only that counts.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAST_S = 0.01
_ROWS = 1000  # older ones tell nothing that these do not
USUAL_S, _USUAL_VIDEO_S = 330.0, 30.0  # HeyGen: 5 to 15 minutes; short ones less
_POWER, _POWER_ROWS = 0.6, 10.0  # how time grows with length, until we know
_PROCESSING = 0.7  # the part of a render that is no queue, until we know
_LEVEL_DOUBT, _NOISE = 0.5, 0.39  # logarithms: among accounts, within one
_PRIOR = _NOISE, 8  # and how many rows that is worth
_PART_PRIOR = 0.46, 20  # in a sum, what is long and what is short even out
_SLOWEST_GAIN = 0.08  # a level follows a slow change within a dozen renders
_TREND, _FASTEST_GAIN = 0.8, 0.5  # and a sudden one once errors agree on it
_MEMORY = 150  # renders until an error counts a third
_GROUP_ROWS = 12
_FITTED = 0.05  # past errors are smaller: power and groups were fitted to them
_STEPS = 99  # percentiles kept of what is to be expected
_NORMAL = tuple(
    math.copysign(x, side)
    for side in (-1, 1)
    for x in (0.1257, 0.3853, 0.6745, 1.0364, 1.6449)
)  # the middles of ten equal parts of a normal distribution


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
        usual_s: Seconds that 30 s of video take when nothing is known.
    """

    def __init__(
        self, history: Iterable[PastRender] = (), *, usual_s: float = USUAL_S
    ) -> None:
        usable = (r for r in history if r.video_s > _LEAST_S < r.render_s)
        rows = list(islice(usable, _ROWS))[::-1]
        self._whole = _Durations(
            [(row, row.render_s) for row in rows], math.log(usual_s), _PRIOR
        )
        seen = [(row, row.processing_s or 0.0) for row in rows]
        self._processing = _Durations(
            [(row, seconds) for row, seconds in seen if seconds > _LEAST_S],
            self._whole.level + math.log(_PROCESSING),
            _PART_PRIOR,
        )

    def clock(self, video: PastRender) -> RenderClock:
        """Return a clock for a render; how long it took does not matter."""
        return RenderClock(
            self._whole.percentiles(video), self._processing.percentiles(video)
        )


class _Durations:
    """What is learned of one kind of duration.

    Args:
        past: Renders and the seconds each took, oldest first.
        start: The logarithm of what 30 s of video are expected to take at first.
        prior: How far single ones are off, and how many rows this is worth.
    """

    def __init__(
        self,
        past: Sequence[tuple[PastRender, float]],
        start: float,
        prior: tuple[float, int],
    ) -> None:
        rows = [row for row, _seconds in past]
        logs = [math.log(seconds) for _row, seconds in past]
        lengths = [math.log(row.video_s / _USUAL_VIDEO_S) for row in rows]
        self._power = _POWER
        self._groups: dict[tuple[str, object], float] = {}
        for _round in range(2):  # what one explains, the other need not
            extra = [self._extra(row) for row in rows]
            self._power = _slope(lengths, _minus(logs, extra))
            grown = [self._power * x for x in lengths]
            _level, errors = _follow(_minus(logs, grown), start)
            self._groups = _groups(rows, errors)
        adjusted = _minus(_minus(logs, grown), [self._extra(row) for row in rows])
        self.level, errors = _follow(adjusted, start)
        self._errors = _spread(errors, *prior)

    def percentiles(self, video: PastRender) -> Sequence[float]:
        """Return the seconds a video may take, from the 1st to the 99th."""
        length = math.log(max(video.video_s, 5) / _USUAL_VIDEO_S)
        middle = self.level + self._power * length + self._extra(video)
        # an array: each of a thousand renders in flight keeps its own two
        return array("d", (math.exp(middle + error) for error in self._errors))

    def _extra(self, row: PastRender) -> float:
        return sum(self._groups.get(group, 0.0) for group in _groups_of(row))


def _minus(values: Sequence[float], others: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(values, others, strict=True)]


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the power of length, from differences so that drift does not count."""
    top, bottom = _POWER * _POWER_ROWS * 0.2, _POWER_ROWS * 0.2
    for i in range(1, len(x)):
        dx, dy = x[i] - x[i - 1], y[i] - y[i - 1]
        weight = 1 / (1 + (dy / (3 * _NOISE)) ** 2)  # outliers pull less
        top += weight * dx * dy
        bottom += weight * dx * dx
    return min(max(top / bottom, 0.0), 1.5)


def _follow(values: Sequence[float], level: float) -> tuple[float, list[float]]:
    """Return the level after all values, and how wrong it was before each.

    Errors are told in units of what was to be expected with so few rows.
    """
    trend, errors = 0.0, []
    start = (_NOISE / _LEVEL_DOUBT) ** 2  # rows that the first guess is worth
    for count, value in enumerate(values):
        error = value - level
        errors.append(error / _unsure(count))
        limit = 2.5 * _NOISE * _unsure(count)
        error = min(max(error, -limit), limit)
        trend += 0.4 * (error / limit * 2.5 - trend)
        turn = min(max(abs(trend) - _TREND, 0.0), 1.0) * _FASTEST_GAIN
        level += max(1 / (count + 1 + start), _SLOWEST_GAIN, turn) * error
    return level, errors


def _unsure(count: int) -> float:
    start = (_NOISE / _LEVEL_DOUBT) ** 2
    return math.sqrt(1 + max(1 / (count + start), _SLOWEST_GAIN / 2))


def _groups_of(row: PastRender) -> tuple[tuple[str, object], ...]:
    part_of_day = None if row.hour is None else row.hour // 4
    return (
        ("engine", row.engine),
        ("resolution", row.resolution),
        ("hour", part_of_day),
    )


def _groups(
    rows: Sequence[PastRender], errors: Sequence[float]
) -> dict[tuple[str, object], float]:
    """Return what each engine, resolution and part of the day adds."""
    total: dict[tuple[str, object], float] = defaultdict(float)
    count: dict[tuple[str, object], int] = defaultdict(int)
    limit = 2.5 * _NOISE
    for row, error in zip(rows, errors, strict=True):
        for group in _groups_of(row):
            total[group] += min(max(error, -limit), limit)
            count[group] += 1
    return {group: total[group] / (count[group] + _GROUP_ROWS) for group in total}


def _spread(errors: Sequence[float], noise: float, rows: int) -> list[float]:
    """Return the percentiles of the error to expect, newer ones counting more."""
    share = rows / len(_NORMAL)
    weighted = [(noise * z, share) for z in _NORMAL]
    newest = len(errors) - 1
    weighted += [
        (error, math.exp((i - newest) / _MEMORY)) for i, error in enumerate(errors)
    ]
    weighted.sort()
    fitted = 1 + _FITTED * len(errors) / (len(errors) + 40)
    scale = fitted * _unsure(len(errors))
    total = sum(weight for _error, weight in weighted)
    found, below, at = [], 0.0, 0
    for step in range(1, _STEPS + 1):
        wanted = total * step / (_STEPS + 1)
        while below + weighted[at][1] < wanted and at < len(weighted) - 1:
            below += weighted[at][1]
            at += 1
        before = weighted[at - 1][0] if at else weighted[0][0]
        part = min((wanted - below) / weighted[at][1], 1.0)
        found.append(scale * (before + part * (weighted[at][0] - before)))
    return found


class RenderClock:
    """Tells how far one render is.

    What is left is the middle of what past renders still took that had taken as
    long as this one has; it grows again, honestly, when one is late.

    Args:
        percentiles: Seconds the whole may take, from the 1st to the 99th.
        processing: The same of the part after the queue.
    """

    def __init__(
        self, percentiles: Sequence[float], processing: Sequence[float]
    ) -> None:
        self._times = percentiles
        self._processing = processing
        self._queued_s = 0.0
        self._shown = 0.0
        self.late_s = self._at(0.9)  # longer than 9 of 10 renders take

    def leave_queue(self, elapsed_s: float) -> None:
        """Note that processing began; only the first time counts."""
        if self._times is not self._processing:
            self._times, self._queued_s = self._processing, max(elapsed_s, 0.0)

    @property
    def expected_s(self) -> float:
        """Seconds the whole is expected to take."""
        return self._queued_s + self._at(0.5)

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
        left = self._left(elapsed_s, 0.1), self._left(elapsed_s, 0.9)
        return None if self._is_beyond(elapsed_s) else left

    def is_late(self, elapsed_s: float) -> bool:
        """Tell whether it has taken longer than 9 of 10 renders do."""
        return elapsed_s > self.late_s

    def _is_beyond(self, elapsed_s: float) -> bool:
        return self._spent(elapsed_s) > self._at(0.97)

    def _spent(self, elapsed_s: float) -> float:
        """Return the seconds spent in what is being waited for now."""
        return max(elapsed_s - self._queued_s, 0.0)

    def _left(self, elapsed_s: float, part: float) -> float:
        """Return the seconds to go by which that part of the late ones are done."""
        elapsed_s = self._spent(elapsed_s)
        passed = self._passed(elapsed_s)
        whole = self._at(passed + part * (1 - passed))
        return max(whole - elapsed_s, 0.02 * elapsed_s, 1.0)

    def _passed(self, elapsed_s: float) -> float:
        times = self._times
        at = bisect_left(times, elapsed_s)
        if at == 0:
            return 0.0
        if at == len(times):
            return _STEPS / (_STEPS + 1)
        part = (elapsed_s - times[at - 1]) / max(times[at] - times[at - 1], 1e-9)
        return (at + part) / (_STEPS + 1)

    def _at(self, part: float) -> float:
        place = min(max(part * (_STEPS + 1) - 1, 0.0), _STEPS - 1.0)
        low = int(place)
        high = min(low + 1, _STEPS - 1)
        return self._times[low] + (place - low) * (self._times[high] - self._times[low])
