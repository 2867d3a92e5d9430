"""Pieces of HTML; every text in them is escaped."""

import base64
import math
import re
from html import escape
from pathlib import Path

from heygen_nb.chats import MAX_CAPTION
from heygen_nb.drafts import left_out_text, what_is_said
from heygen_nb.errors import HeygenNbError
from heygen_nb.files import shipped
from heygen_nb.i18n import LANGUAGES, again, gettext as _, ngettext
from heygen_nb.models import Failure
from heygen_nb.money import amount_text
from heygen_nb.timing import Fit, script_language

_IN_PANELS = shipped("ui/html.yaml")
MAX_PICTURE_BYTES = 200_000
_NBSP = "\N{NO-BREAK SPACE}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_PAD = "\N{FIGURE SPACE}"  # a wide one that no line breaks at
_MINUTES_FROM_S = 90
_NARROW = 31  # letters that fit the list beside the editor
_WIDE = 130  # wider than any list: what follows goes on a line of its own


def markup(text: str, css: str = "", tag: str = "span", *, role: str = "") -> str:
    """Return text as harmless HTML."""
    named = f' class="{css}"' if css else ""
    named += f' role="{role}"' if role else ""
    return f"<{tag}{named}>{escape(text)}</{tag}>"


def dotted(*facts: str | bool | None) -> str:
    """Return those facts that there are, with dots between them."""
    return " · ".join(str(fact) for fact in facts if fact)


def cut(text: str, letters: int = 48) -> str:
    """Return a text on one line, with an ellipsis where it is cut."""
    text = " ".join(text.split())
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def two_lines(first: str, second: str, letters: int = 0) -> str:
    """Return the two lines of a list entry; see the style of ``.hg-list``.

    Args:
        first: The line that stands out.
        second: The other; it is not broken where the list is narrow.
        letters: That fit the first one, in a wider list; its second line may be broken
            behind each dot.
    """
    first = cut(first, letters or _NARROW).replace(" ", _NBSP)
    second = second.replace(" ", _NBSP)
    if letters:
        second = second.replace(f"·{_NBSP}", f"·{_NBSP}{_BREAK}")
    return first.ljust(_WIDE, _PAD) + _BREAK + second


def failure_html(failure: Failure | HeygenNbError) -> str:
    """Return a failure as HTML: what, whether it was charged, what to do."""
    told = failure.message or _("The reason given: {code}").format(code=failure.code)
    parts = [markup(f"❌ {again(told)}", "bad", "div")]
    if failure.charged is not None:
        word = _("It was charged.") if failure.charged else _("Nothing was charged.")
        parts.append(markup(word, tag="div"))
    if failure.hint:
        parts.append(markup(f"👉 {panel_words(again(failure.hint))}", tag="div"))
    return f'<div role="alert">{"".join(parts)}</div>'


def panel_words(hint: str) -> str:
    """Return a hint with what there is to click for what a programmer would type."""
    for typed, texts in _IN_PANELS.items():
        words = texts["message"]
        hint = re.sub(typed, _(words), hint)
    return hint


def bar_html(fraction: float | None) -> str:
    """Return a progress bar; without a fraction one that only shows life."""
    label = _("Progress")
    name = f'role="progressbar" aria-label="{escape(label)}"'
    if fraction is None:
        return f'<div class="hg-bar hg-busy" {name}><i></i></div>'
    percent = round(100 * fraction)
    return (
        f'<div class="hg-bar" {name} aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div>'
    )


def clock(seconds: float) -> str:
    """Return seconds as 02:41 or 1:02:41."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def picture_bytes(path: Path | None) -> bytes | None:
    """Return what a file holds, if it is small enough to stand in a page."""
    there = path and path.is_file() and path.stat().st_size <= MAX_PICTURE_BYTES
    return path.read_bytes() if path and there else None


def thumb_html(jpeg: bytes | None, alt: str, css: str = "hg-thumb") -> str:
    """Return a small picture with its bytes inside: HTML widgets load no files."""
    if not jpeg:
        return f'<span class="{css}"></span>'
    return f'<img class="{css}" alt="{escape(alt)}" src="{data_url(jpeg)}">'


def data_url(jpeg: bytes) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def money_text(balance: tuple[float, str] | None, *, sandbox: bool = False) -> str:
    """Return an amount as the header shows it; empty when it is not known."""
    if balance is None:
        return ""
    words = _("play money {amount}") if sandbox else _("balance {amount}")
    return words.format(amount=amount_text(*balance))


_CLOSE = 0.02  # share of the target that nobody notices


def script_html(script: str, target_s: float, found: Fit) -> str:
    """Return words, expected seconds against the target, and language as HTML.

    Args:
        script: As it stands.
        target_s: Wished seconds.
        found: How near it comes to them.
    """
    said = what_is_said(script).text
    words = len(re.findall(r"\w+(?:[-’']\w+)*", said))
    parts = [markup(ngettext("{count} word", "{count} words", words))]
    if words:
        language = script_language(script)
        length = found.length
        low, high = round(length.low_s), round(length.high_s)
        span = f" ({low}–{high})" if low < high else ""
        text = _("about {seconds:.0f} s{span} of {target:.0f}").format(
            seconds=length.seconds, span=span, target=target_s
        )
        parts += [
            markup(LANGUAGES.get(language, language)),
            markup(text, "hg-strong"),
            _fit(found, target_s),
        ]
    whole = ""
    if left_out := left_out_text(script):
        shown = markup(left_out, tag="summary") + markup(said, tag="p")
        whole = f'<details class="hg-said">{shown}</details>'
    return f'<div class="hg-meta">{"".join(parts)}</div>{whole}'


def _fit(found: Fit, target_s: float) -> str:
    if abs(found.length.seconds - target_s) > _CLOSE * target_s:
        if count := found.cut_words:
            text = ngettext(
                "too long: cut {count} word", "too long: cut {count} words", count
            )
            return markup(text, "bad")
        if count := found.add_words:
            text = ngettext(
                "short: add {count} word", "short: add {count} words", count
            )
            return markup(text, "warn")
    return markup(_("fits at speed {speed:.2f}").format(speed=found.speed), "ok")


def caption_html(caption: str) -> str:
    """Return the characters of a caption against Telegram's limit as HTML."""
    # Telegram counts UTF-16 units: most emoji are two
    count = len(caption.encode("utf-16-le")) // 2
    text = _("{count} of {limit} characters").format(count=count, limit=MAX_CAPTION)
    over = count > MAX_CAPTION
    parts = [markup(text, "warn" if over else "")]
    if over:
        parts.append(markup(_("the rest goes in a second message"), "warn"))
    return f'<div class="hg-meta">{"".join(parts)}</div>'


def duration_words(typed: str, seconds: object, why: str) -> str:
    """Return what became of a wished length, and why."""
    words = _("⏱️ {typed} → {seconds}: {why}.")
    return words.format(typed=typed, seconds=seconds, why=why)


def left_text(seconds: float, span_s: tuple[float, float] | None = None) -> str:
    """Return the time left as people say it: ``about 4 min (3–6)``.

    Args:
        seconds: Expected.
        span_s: What most renders keep within.
    """
    if seconds < 1:
        return _("any moment now")
    if seconds < _MINUTES_FROM_S:
        return _("about {count} s").format(count=max(round(seconds / 5) * 5, 5))
    minutes = round(seconds / 60)
    text = _("about {count} min").format(count=minutes)
    if span_s:
        low, high = min(minutes, int(span_s[0] // 60)), math.ceil(span_s[1] / 60)
        if low < minutes < high:
            text += f" ({max(low, 1)}–{high})"
    return text


PERIODS = (
    (_("all time"), 0),
    *((_("{days} days").format(days=days), days) for days in (7, 30, 365)),
)
"""Those to choose from, in days."""
