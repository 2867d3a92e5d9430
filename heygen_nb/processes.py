"""Python processes of our own, for pictures and sound, beside a notebook's.

multiprocessing is not for it: each process that it starts runs the user's script
again, and a script without ``if __name__ == "__main__"`` would order, and pay, anew.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from heygen_nb.i18n import gettext as _

# On Windows a kernel without a console would open one for each process.
UNSEEN = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Processes(ThreadPoolExecutor):
    """Runs functions of installed modules in processes that end with this one.

    Args:
        workers: How many processes there are at most.
        nice: How far they yield to everything else.
    """

    def __init__(self, workers: int, *, nice: int = 0) -> None:
        super().__init__(workers)
        self._nice = nice
        self._mine = threading.local()
        self._children: list[subprocess.Popen[bytes]] = []

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Run a function in one of the processes."""
        return super().submit(self._run, pickle.dumps(partial(fn, *args, **kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's
        """End the processes; without ``wait`` what they are at is given up."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        for child in self._children:
            with suppress(OSError), child:
                child.kill()

    def _run(self, work: bytes) -> Any:
        child: Any = getattr(self._mine, "child", None)
        if child is None or child.poll() is not None:
            # -P: a file of the user's called random.py must not be taken for Python's
            command = [sys.executable, "-P", "-m", __name__, str(self._nice)]
            pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
            child = subprocess.Popen(command, **pipes, creationflags=UNSEEN)  # noqa: S603 - our own module
            self._mine.child = child
            self._children.append(child)
        try:
            pickle.dump(work, child.stdin)
            child.stdin.flush()
            answer, error = pickle.load(child.stdout)  # noqa: S301 - our own process
        except (OSError, EOFError, pickle.UnpicklingError) as exc:
            with suppress(OSError), child:  # reaped: the next work gets a new one
                child.kill()
            message = _("The process that makes films on this machine was ended.")
            raise BrokenExecutor(message) from exc
        if error:
            raise error
        return answer


def _serve() -> None:
    """Answer one pickled call after the other."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: no traceback of ours
    if hasattr(os, "nice"):
        os.nice(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(calls,), daemon=True).start()
    while True:
        try:
            answer = pickle.dumps((pickle.loads(calls.get())(), None))  # noqa: S301 - as above
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            answer = pickle.dumps((None, error))
        answers.write(answer)
        answers.flush()


def _read(calls: queue.SimpleQueue[bytes]) -> None:
    with suppress(EOFError):
        while True:
            calls.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - as above
    os._exit(0)  # whoever asked is gone


if __name__ == "__main__":
    _serve()
