"""Which process works on a row, and whether it still lives."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Start times are told to a second, and the boot they count from wavers a little.
_SAME_START_S = 2.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process on a machine; two with the same number are told apart.

    Attributes:
        host: Name of the machine.
        boot: Changes whenever the machine starts.
        pid: Process id.
        started_s: When the process started, in seconds since the boot: a clock
            that is set must not make a living process look like another.
    """

    host: str
    boot: str
    pid: int
    started_s: float

    @classmethod
    def this(cls) -> Self:
        """Return the process we are in."""
        process = psutil.Process()
        return cls(socket.gethostname(), _boot(), process.pid, _started_s(process))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` of an owner gave."""
        host, boot, pid, started = text.rsplit("/", 3)
        return cls(host, boot, int(pid), float(started))

    def __str__(self) -> str:
        return f"{self.host}/{self.boot}/{self.pid}/{self.started_s:.1f}"

    def surely_dead(self) -> bool:
        """Tell whether it has ended; of another machine that is never sure."""
        if self.host != socket.gethostname():
            return False
        if self.boot != _boot():
            return True
        try:
            process = psutil.Process(self.pid)
            ended = process.status() == psutil.STATUS_ZOMBIE
            other = abs(_started_s(process) - self.started_s) > _SAME_START_S
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False
        return ended or other


def _boot() -> str:
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(round(psutil.boot_time() / 60))  # it wavers by seconds


def _started_s(process: psutil.Process) -> float:
    boot = psutil.boot_time()  # first: psutil counts start times from the last it saw
    return process.create_time() - boot
