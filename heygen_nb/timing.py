"""How long a text takes to speak, and how far a render is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_SPEED, MAX_SPEED = 0.9, 1.15  # outside of it a voice stops sounding natural

_SYLLABLES_PER_S = {"en": 4.3, "ru": 5.1}
_VOWELS = {
    "en": re.compile(r"[aeiouy]+", re.IGNORECASE),
    "ru": re.compile(r"[аеёиоуыэюя]", re.IGNORECASE),
}
_SENTENCE_PAUSE_S, _COMMA_PAUSE_S = 0.45, 0.2
_SYLLABLES_PER_DIGIT = 1.7
_BREAK = re.compile(r"<break\s+time=[\"']?([\d.]+)(m?s)[\"']?\s*/?>", re.IGNORECASE)


def script_language(script: str) -> str:
    """Return ``ru`` when most letters are Cyrillic, else ``en``."""
    letters = [c for c in script if c.isalpha()]
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in letters)
    return "ru" if cyrillic * 2 > len(letters) else "en"


def estimate_s(
    script: str, language: str | None = None, *, speed: float = 1.0
) -> float:
    """Estimate the seconds a voice takes to speak a script.

    Args:
        script: Text, with ``<break time="1s"/>`` pauses if any.
        language: ``en`` or ``ru``; by default from the letters.
        speed: 0.5 to 1.5, as HeyGen's ``voice_settings.speed``.
    """
    language = language if language in _VOWELS else script_language(script)
    pauses = sum(
        float(number) / (1000 if unit.lower() == "ms" else 1)
        for number, unit in _BREAK.findall(script)
    )
    text = _BREAK.sub(" ", script)
    vowels = _VOWELS[language]
    syllables: float = sum(
        max(1, len(vowels.findall(word))) for word in re.findall(r"[^\W\d_]+", text)
    )
    syllables += _SYLLABLES_PER_DIGIT * len(re.findall(r"\d", text))
    pauses += _SENTENCE_PAUSE_S * len(re.findall(r"[.!?…]+(?=\s|$)", text))
    pauses += _COMMA_PAUSE_S * len(re.findall(r"[,;:—–](?=\s)", text))
    return (syllables / _SYLLABLES_PER_S[language] + pauses) / speed


def speed_for(script: str, target_s: float, language: str | None = None) -> float:
    """Return the natural speed that brings a script nearest to a length."""
    wished = estimate_s(script, language) / target_s
    return round(min(MAX_SPEED, max(MIN_SPEED, wished)), 2)


@dataclass(frozen=True, slots=True)
class PastRender:
    """One finished render to learn from: video seconds and seconds it took."""

    video_s: float
    render_s: float


class RenderClock:
    """Tells how far a render is, from how long earlier ones took.

    The fraction follows the share of the expected time that has passed; past the
    expected time it slows down and never reaches 1 by itself.

    Args:
        history: Earlier renders, newest first.
        video_s: Expected length of this video.
    """

    _PRIOR = PastRender(video_s=30, render_s=240)  # HeyGen: 5 to 15 min is usual

    def __init__(self, history: Sequence[PastRender], video_s: float) -> None:
        rows = [row for row in history if row.video_s > 0 and row.render_s > 0][:50]
        rate = median(r.render_s / r.video_s for r in rows or [self._PRIOR])
        self.expected_s = max(1.0, rate * max(video_s, 5))
        self._shown = 0.0

    def fraction(self, elapsed_s: float) -> float:
        """Return 0 to 0.99; it never falls from one call to the next."""
        part = max(0.0, elapsed_s) / self.expected_s
        value = part * 0.8 if part < 1 else 0.99 - 0.19 * math.exp(1 - part)
        self._shown = max(self._shown, value)
        return self._shown

    def eta_s(self, elapsed_s: float) -> float | None:
        """Return the expected seconds to go; None once it is past the estimate."""
        left = self.expected_s - elapsed_s
        return left if left > 0 else None
