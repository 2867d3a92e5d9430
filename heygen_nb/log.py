"""The log file and the live lines: one wording, two places, no secrets."""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygen_nb.i18n import gettext as _
from heygen_nb.models import Progress, ProgressStatus

if TYPE_CHECKING:
    from heygen_nb.timing import RenderClock

log = logging.getLogger("heygen_nb.renderer")

MAX_BYTES, FILES = 1_000_000, 5

_SECRETS = {
    r"\d{6,}:[A-Za-z0-9_-]{20,}": "<bot token>",
    r"(?i)(x-api-key|authorization)(\W+)(?:bearer\s+)?\S+": r"\1\2<hidden>",
    r"(https?://[^\s?\"']+)\?[^\s\"']+": r"\1?<signed>",
}


# Colours and cursor moves, bells, right-to-left tricks, halves of letters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return a text that does nothing to a terminal but to be seen."""
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


class PlainFormatter(logging.Formatter):
    """Makes lines that do nothing to a terminal; see :func:`printable`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return printable(super().format(record))


class _LogFile(RotatingFileHandler):
    """Hides known secrets, tokens, and the signatures of file links.

    It never stops or litters what is paid for: what cannot be written is lost.
    """

    secrets: set[str]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record)
        for secret in self.secrets:
            text = text.replace(secret, "<hidden>")
        for pattern, shown in _SECRETS.items():
            text = re.sub(pattern, shown, text)
        return text

    def doRollover(self) -> None:  # noqa: N802 - the base's
        """Begin a new file; on Windows that waits until nobody else has this one."""
        with suppress(OSError):
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - see above
        """Be silent where logging would print a traceback: the disk is full."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def open_log(path: Path, secrets: Iterable[str] = ()) -> logging.Handler | None:
    """Send every event of this package to a rotating file as well.

    Args:
        path: The log file; 5 files of at most 1 MB are kept.
        secrets: Texts that must never be written.

    Returns:
        The handler, or None when the file cannot be written: a full disk must
        not stop a render that is paid for.
    """
    logger = logging.getLogger("heygen_nb")
    logger.setLevel(logging.INFO)
    for name in ("httpx", "httpx2", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logger.handlers:
        if isinstance(handler, _LogFile) and handler.baseFilename == str(path):
            handler.secrets.update(filter(None, secrets))
            return handler
    try:
        handler = _LogFile(path, "a", MAX_BYTES, FILES - 1, encoding="utf-8")
    except OSError as exc:
        logger.warning("%s: %s", path.name, exc.strerror)
        return None
    handler.secrets = set(filter(None, secrets))
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    return handler


ProgressCallback = Callable[[Progress], object]
"""Takes a Progress; may be a plain function or return an awaitable."""
_MINUTE_S = 60


@dataclass
class Report:
    """Passes every step of one render on; never stops it.

    Attributes:
        callback: The user's, or None.
        draft_id: Shown in the log file, where renders mix.
    """

    callback: ProgressCallback | None
    draft_id: str = ""
    clock: RenderClock | None = None

    async def __call__(
        self, status: ProgressStatus, message: str, *, elapsed_s: float = 0.0
    ) -> None:
        """Log a line and call back; what the callback raises is logged only."""
        prefix = f"#{self.draft_id} " if self.draft_id else ""
        log.info("%s%s", prefix, message)
        if self.callback is None:
            return
        try:
            told = self._outlook(status, elapsed_s)
            told |= {"message": message, "elapsed_s": elapsed_s}
            answer = self.callback(Progress(status=status, **told))
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            log.exception("%sprogress_callback", prefix)

    def _outlook(self, status: ProgressStatus, elapsed_s: float) -> dict[str, Any]:
        if status == "completed":
            return {"fraction": 1.0, "eta_s": 0.0}
        if self.clock is None or status == "failed":
            return {}
        if status == "processing":
            self.clock.leave_queue(elapsed_s)
        note, usual_s = "", self.clock.late_s
        if elapsed_s > usual_s >= 2 * _MINUTE_S:
            note = _("longer than usual (your 90th percentile is {minutes} min)")
        elif elapsed_s > usual_s:
            note = _("longer than usual (9 of 10 of your renders take {seconds} s)")
        usual = {"seconds": round(usual_s), "minutes": round(usual_s / _MINUTE_S)}
        return {
            "fraction": self.clock.fraction(elapsed_s),
            "eta_s": self.clock.eta_s(elapsed_s),
            "eta_range_s": self.clock.interval_s(elapsed_s),
            "note": note.format(**usual),
        }
