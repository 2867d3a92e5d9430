"""The text of a file, whatever a spreadsheet or an editor has made of it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from pathlib import Path

# A draft is a short text, and 10 MB of table are some 100,000 videos: more is
# always the wrong file.
MAX_FILE_BYTES = 10_000_000


def read_text(file: Path) -> str:
    """Return the text of a file; see :func:`decode`.

    Raises:
        DraftError: It cannot be read, is too large or no text.
    """
    return decode(read_bytes(file), str(file))


def read_bytes(file: Path) -> bytes:
    """Return the content of a file that may be a draft or a table.

    Raises:
        DraftError: It cannot be read, or is too large.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise _too_large(str(file))
        return file.read_bytes()
    except OSError as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("Name an existing draft file (.md, .yaml or .csv)."),
        ) from None


def decode(content: bytes, name: str) -> str:
    """Return bytes as text: UTF-8, or UTF-16 with the mark that Excel writes.

    Nothing is guessed: another encoding would be read out as gibberish.

    Raises:
        DraftError: It is another encoding, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise _too_large(name)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as exc:
        raise DraftError(
            _("{file}, line {line}: not {encoding} text (byte {byte} at {at}).").format(
                file=name,
                line=content.count(b"\n", 0, exc.start) + 1,
                encoding="UTF-16" if wide else "UTF-8",
                byte=f"0x{content[exc.start]:02X}",
                at=exc.start,
            ),
            hint=_(
                "Save it with the encoding UTF-8 (in Excel: “CSV UTF-8”) and try again."
            ),
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _too_large(name: str) -> DraftError:
    return DraftError(
        _("{file} is larger than {limit} MB.").format(
            file=name, limit=MAX_FILE_BYTES // 1_000_000
        ),
        hint=_("A draft file is a short text; split a long table."),
    )
