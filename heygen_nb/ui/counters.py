"""What stands under a text while it is written: words, seconds, characters."""

from __future__ import annotations

import re

from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.telegram import MAX_CAPTION
from heygen_nb.timing import (
    MAX_SPEED,
    MIN_SPEED,
    estimate_s,
    script_language,
    speed_for,
)
from heygen_nb.ui.markup import markup

_ROUGH = 0.1  # how far an estimate may well be off


def script_html(script: str, target_s: float) -> str:
    """Return words, expected seconds against the target, and language as HTML."""
    words = len(re.findall(r"\w+(?:[-’']\w+)*", script))
    parts = [
        markup(ngettext("{count} word", "{count} words", words).format(count=words))
    ]
    if words:
        language = script_language(script)
        plain_s = estimate_s(script, language)
        text = _("about {seconds:.0f} s ({low:.0f}–{high:.0f}) of {target:.0f}").format(
            seconds=plain_s,
            low=plain_s * (1 - _ROUGH),
            high=plain_s * (1 + _ROUGH),
            target=target_s,
        )
        parts.append(markup(text, "hg-strong"))
        parts.append(_fit(script, words, plain_s, target_s))
        parts.append(markup(language))
    return f'<div class="hg-meta">{"".join(parts)}</div>'


def _fit(script: str, words: int, plain_s: float, target_s: float) -> str:
    speed = speed_for(script, target_s)
    if plain_s > target_s * MAX_SPEED * 1.02:
        count = max(1, round(words * (1 - target_s * MAX_SPEED / plain_s)))
        text = ngettext(
            "too long: cut {count} word", "too long: cut {count} words", count
        )
        return markup(text.format(count=count), "bad")
    if plain_s < target_s * MIN_SPEED * 0.98:
        count = max(1, round(words * (target_s * MIN_SPEED / plain_s - 1)))
        text = ngettext("short: add {count} word", "short: add {count} words", count)
        return markup(text.format(count=count), "warn")
    return markup(_("fits at speed {speed:.2f}").format(speed=speed), "ok")


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
