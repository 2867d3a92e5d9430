"""The clocks everything goes by, handed in so that tests need not wait.

Three things happen to the clocks of a laptop: it is set, it sleeps, and it is busy.
The time of day follows the first, ``time.monotonic`` stands still in the second on
Linux and macOS. What must tell how much time has really passed asks ``uptime_s``.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def uptime_s() -> float:
    """Return seconds on a clock that nobody sets, and that goes on during a sleep."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # the latter counts so on macOS
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()


def utc_now() -> datetime:
    """Return the time of day, aware UTC; somebody may set it."""
    return datetime.now(UTC)


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


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
