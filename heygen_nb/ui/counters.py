"""What stands under a text while it is written: words, seconds, characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.telegram import MAX_CAPTION
from heygen_nb.timing import script_language
from heygen_nb.ui.markup import markup

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.timing import Fit

_CLOSE = 0.02  # share of the target that nobody notices


def script_html(script: str, target_s: float, fit: Callable[[str, float], Fit]) -> str:
    """Return words, expected seconds against the target, and language as HTML.

    Args:
        script: As it stands.
        target_s: Wished seconds.
        fit: Tells how near it comes.
    """
    words = len(re.findall(r"\w+(?:[-’']\w+)*", script))
    parts = [
        markup(ngettext("{count} word", "{count} words", words).format(count=words))
    ]
    if words:
        found = fit(script, target_s)
        length = found.length
        text = _("about {seconds:.0f} s ({low:.0f}–{high:.0f}) of {target:.0f}").format(
            seconds=length.seconds,
            low=length.low_s,
            high=length.high_s,
            target=target_s,
        )
        parts.append(markup(text, "hg-strong"))
        parts.append(_fit(found, target_s))
        parts.append(markup(script_language(script)))
    return f'<div class="hg-meta">{"".join(parts)}</div>'


def _fit(found: Fit, target_s: float) -> str:
    if abs(found.length.seconds - target_s) > _CLOSE * target_s:
        if count := found.cut_words:
            text = ngettext(
                "too long: cut {count} word", "too long: cut {count} words", count
            )
            return markup(text.format(count=count), "bad")
        if count := found.add_words:
            text = ngettext(
                "short: add {count} word", "short: add {count} words", count
            )
            return markup(text.format(count=count), "warn")
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
