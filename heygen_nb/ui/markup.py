"""Pieces of HTML; every text in them is escaped."""

from __future__ import annotations

import base64
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from heygen_nb.i18n import gettext as _

MAX_PICTURE_BYTES = 200_000
_NBSP = "\N{NO-BREAK SPACE}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_PAD = "\N{FIGURE SPACE}"  # a wide one that no line breaks at
_WIDE = 130  # wider than any list: what follows goes on a line of its own


def markup(text: str, css: str = "", tag: str = "span") -> str:
    """Return text as harmless HTML."""
    named = f' class="{css}"' if css else ""
    return f"<{tag}{named}>{escape(text)}</{tag}>"


def two_lines(first: str, second: str) -> str:
    """Return the two lines of a list entry; see the style of ``.hg-list``."""
    first = " ".join(first.split())[:48].replace(" ", _NBSP)
    return first.ljust(_WIDE, _PAD) + _BREAK + second.replace(" ", _NBSP)


def failure_html(message: str, hint: str, charged: bool | None) -> str:  # noqa: FBT001 - three states
    """Return a failure as HTML: what, whether it was charged, what to do."""
    parts = [markup(f"❌ {message}", "bad", "div")]
    if charged is not None:
        word = _("It was charged.") if charged else _("Nothing was charged.")
        parts.append(markup(word, tag="div"))
    if hint:
        parts.append(markup(f"👉 {hint}", tag="div"))
    return f'<div role="alert">{"".join(parts)}</div>'


def bar_html(fraction: float | None) -> str:
    """Return a progress bar; without a fraction one that only shows life."""
    if fraction is None:
        return '<div class="hg-bar hg-busy" role="progressbar"><i></i></div>'
    percent = round(100 * fraction)
    return (
        f'<div class="hg-bar" role="progressbar" aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div>'
    )


def clock(seconds: float) -> str:
    """Return seconds as 02:41 or 1:02:41."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def video_html(path: Path) -> str:
    """Return a video tag that JupyterLab plays: the path relative to the notebook.

    Only paths inside the folder that the server serves can be reached.
    """
    source = quote(relative(path))
    name = escape(_("Video"))
    return (
        f'<video class="hg-video" controls preload="metadata" src="{source}" '
        f'aria-label="{name}" '
        f'style="max-width:100%;max-height:400px;border-radius:8px"></video>'
    )


def relative(path: Path) -> str:
    """Return a path as seen from the notebook, with forward slashes."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def picture_html(path: Path | None, alt: str) -> str:
    """Return a small picture with its bytes inside: HTML widgets load no files."""
    if path is None or not path.is_file() or path.stat().st_size > MAX_PICTURE_BYTES:
        return '<span class="hg-thumb"></span>'
    data = base64.b64encode(path.read_bytes()).decode()
    source = f"data:image/jpeg;base64,{data}"
    return f'<img class="hg-thumb" alt="{escape(alt)}" src="{source}">'


def money_text(balance: tuple[float, str] | None) -> str:
    """Return an amount as the header shows it; empty when it is not known."""
    if balance is None:
        return ""
    amount, unit = balance
    text = f"${amount:.2f}" if unit == "usd" else f"{amount:.0f} {unit}"
    return _("balance {amount}").format(amount=text)
