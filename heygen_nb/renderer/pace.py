"""How often to look, and when waiting has taken long enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.config import Settings

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
