"""The log file and the live lines: one wording, two places, no secrets."""

from __future__ import annotations

import logging
import re
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES, FILES = 1_000_000, 5

_SECRETS = (
    (re.compile(r"\d{6,}:[A-Za-z0-9_-]{20,}"), "<bot token>"),
    (
        re.compile(r"(?i)(x-api-key|authorization)(\W+)(?:bearer\s+)?\S+"),
        r"\1\2<hidden>",
    ),
    (re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+"), r"\1?<signed>"),
)


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


class _Redacting(PlainFormatter):
    """Hides known secrets, tokens, and the signatures of file links."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._secrets: set[str] = set()
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these as well."""
        self._secrets.update(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "<hidden>")
        for pattern, shown in _SECRETS:
            text = pattern.sub(shown, text)
        return text


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
        if getattr(handler, "baseFilename", None) == str(path):
            if isinstance(handler.formatter, _Redacting):
                handler.formatter.hide(secrets)
            return handler
    try:
        handler = RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=FILES - 1, encoding="utf-8"
        )
    except OSError as exc:
        logger.warning("%s: %s", path.name, exc.strerror)
        return None
    handler.setFormatter(_Redacting(secrets))
    logger.addHandler(handler)
    return handler
