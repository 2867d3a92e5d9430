"""Whose sandbox this is: it ends when none of its owners lives."""

from __future__ import annotations

import psutil


class Owners:
    """Processes that use the sandbox; with none at the start it never ends."""

    def __init__(self, *pids: int) -> None:
        self._alone = not pids
        self._closed = False
        self._processes: dict[int, psutil.Process] = {}
        for pid in pids:
            self.add(pid)

    def add(self, pid: int) -> bool:
        """Let one more process use the sandbox; False if it is ending already."""
        if not self._closed:
            try:
                # Holds the start time too: a reused pid is another process.
                self._processes[pid] = psutil.Process(pid)
            except psutil.NoSuchProcess:
                self._processes.pop(pid, None)
        return not self._closed

    def gone(self) -> bool:
        """Tell whether the last owner has died; from then on nobody is taken in."""
        living = (process for process in self._processes.values() if _lives(process))
        self._closed = not self._alone and next(living, None) is None
        return self._closed


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
