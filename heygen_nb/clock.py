"""The clocks everything goes by, handed in so that tests need not wait.

Three things happen to the clocks of a laptop: it is set, it sleeps, and it is busy.
The time of day follows the first, ``time.monotonic`` stands still in the second on
Linux and macOS. What must tell how much time has really passed asks ``uptime_s``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial


def awake_or_not() -> Callable[[], float]:
    """Return a clock of seconds that nobody sets, and that goes on during a sleep."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # the latter counts so on macOS
        if hasattr(time, name):
            return partial(time.clock_gettime, getattr(time, name))
    return time.monotonic


uptime_s = awake_or_not()
utc_now = partial(datetime.now, UTC)


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)  # looked up late: tests have no time to wait


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a renderer sees it.

    Attributes:
        now: The time of day, for what is stored.
        uptime: Seconds, for how long something took.
        sleep: Waits.
    """

    now: Callable[[], datetime] = utc_now
    uptime: Callable[[], float] = uptime_s
    sleep: Callable[[float], Awaitable[None]] = _sleep


# No look takes longer, with all its repeats: in a longer gap the computer slept, or
# a cell kept the loop busy, and nobody could look.
LONGEST_LOOK_S = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and after which waiting stops."""

    interval_s: float = 10.0
    timeout_s: float = 900.0


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
