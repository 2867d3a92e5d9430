"""How long a text takes to speak, and how far a render is; both are learned.

Rows to learn from are handed in; nothing here reads the ledger or needs more than
Python.

A speech's length is letters, sentence ends and commas, each with the seconds it
costs in its language; a voice is so much slower or faster than that. Every finished
video moves it, the more the less is known yet. All voices of a language together move
what the next unknown voice starts from. HeyGen's ``speed`` moves some voices fully
and others hardly at all (FACTS of autumn 2026: 2 %). How far a voice follows is
learned from films of different speed.

HeyGen tells no percentage of a render, so it is learned from earlier ones. The next
one takes what others took, those above all that are recent and alike: of its engine,
its resolution, about its length and its hour of the day. How they differ gives the
interval. The same is learned once more of the part after the queue: from when it
begins, only that counts.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from statistics import NormalDist, fmean
from typing import Any, NamedTuple

from heygen_nb.models import NO_AVATAR
from heygen_nb.readings import TAG, breaks, spoken

_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'»”)\]]|$)|\n\s*\n")
_COMMA = re.compile(r"[,;:](?=\s)|\s[-—–](?=\s)")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTERS_A_WIDE_SIGN = 3  # a syllable, and more
_SENTENCE_END_S, _COMMA_S = 0.35, 0.22


@dataclass(frozen=True, slots=True)
class Language:
    """What is known of a language before anything was rendered.

    Attributes:
        vowels: A match is about a syllable.
        syllable: What a syllable counts in letters, over the letters in it.
        word: What a word counts in letters over its own.
        letter_s: What a letter takes at speed 1.
        word_s: What a usual word takes, with its share of the pauses.
    """

    vowels: re.Pattern[str]
    syllable: float
    word: float
    letter_s: float
    word_s: float


# About 155 words a minute in English, 125 in Russian, whose words are longer.
LANGUAGES = {
    "en": Language(re.compile("[aeiouy]+", re.IGNORECASE), 0.9, 0.8, 0.045, 0.338),
    "ru": Language(re.compile("[аеёиоуыэюя]", re.IGNORECASE), 0.3, 0.7, 0.053, 0.427),
}


def script_language(script: str) -> str:
    """Return ``ru`` when most letters are Cyrillic, else ``en``."""
    letters = [c for c in script if c.isalpha()]
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in letters)
    return "ru" if cyrillic * 2 > len(letters) else "en"


@lru_cache(maxsize=2048)
def measure(script: str, language: str) -> tuple[float, float]:
    """Return the seconds that speaking takes at first sight, and those of breaks."""
    known = LANGUAGES[language]
    text = spoken(TAG.sub(" ", script), language)
    words = _WORD.findall(text)
    letters = float(sum(map(len, words)))
    letters += known.syllable * len(known.vowels.findall(text))
    letters += known.word * len(words)
    letters += (_LETTERS_A_WIDE_SIGN - 1) * len(_WIDE.findall(text))
    pauses_s = _SENTENCE_END_S * len(_SENTENCE_END.findall(text))
    pauses_s += _COMMA_S * len(_COMMA.findall(text))
    speaking_s = known.letter_s * letters + pauses_s if letters else 0.0
    return speaking_s, sum(seconds for _tag, seconds in breaks(script))


MIN_SPEED, MAX_SPEED = 0.9, 1.15  # outside of it a voice stops sounding natural

# Logarithms: by how much voices differ, and texts from what their letters promise.
_VOICE_DOUBT, _NOISE = 0.12, 0.03
_LEAST_S = 0.01
_SHORT_S = 10  # seconds of a text that differs by 1.4 times that
_NOISE_ROWS = 4  # rows that weigh as much as the first guess of it
_VOICES = 2  # known voices that weigh as much as a language's default
_CLOSE = 0.02  # share of the words that nobody misses
_FOLLOW_DOUBT = 0.6  # how far from fully an unheard voice may follow its speed
_UNPROVEN = 0.45  # doubt above which a plan goes only half-way by speed
_LEAST_FOLLOW = 0.25  # of a voice that follows less, more speed is no use
_FAR = 4  # standard deviations beyond which a row tells of something else
_TENTH = 1.2816  # standard deviations to the 10th and 90th percentile


class Spoken(NamedTuple):
    """One finished speech to learn from; ``language`` is ``en``, ``ru`` or empty."""

    script: str
    voice_id: str
    speed: float
    duration_s: float
    language: str = ""


class Estimate(NamedTuple):
    """An expected length; 8 of 10 videos are from ``low_s`` to ``high_s`` long."""

    seconds: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Fit:
    """How near a script comes to a wished length.

    Attributes:
        speed: The natural speed that brings it nearest.
        length: What comes out at that speed.
        cut_words: Words too many even at that speed.
        add_words: Words missing even at that speed.
    """

    speed: float
    length: Estimate
    cut_words: int = 0
    add_words: int = 0


class _Voice:
    """What is believed of one voice.

    Args:
        language: Of :data:`LANGUAGES`.
        start: The logarithm of how much slower than that it is thought to be.
        rows: What it said.

    Attributes:
        slower: The same after what it said.
        doubt: The variance of that.
        noise: By how much a text differs from what it promises.
        follow: Seconds shrink by speed to this power.
        follow_doubt: One standard deviation of that.
        usual: The middle of the logarithms of the speeds it was heard at.
    """

    def __init__(
        self, language: str, start: float = 0.0, rows: Sequence[Spoken] = ()
    ) -> None:
        said = [(row, *measure(row.script, language)) for row in rows]
        # a regression, drawn towards 1 by what an unheard voice is worth: of films
        # of one speed alone nothing can be told
        speeds = [math.log(row.speed) for row in rows]
        self.usual = fmean(speeds) if rows else 0.0
        apart = [speed - self.usual for speed in speeds]
        lengths = [
            math.log(row.duration_s / (s + breaks_s)) for row, s, breaks_s in said
        ]
        prior = _FOLLOW_DOUBT**-2
        weight = _dot(apart, apart) / _NOISE**2 + prior
        follow = (prior - _dot(apart, lengths) / _NOISE**2) / weight
        self.follow, self.follow_doubt = min(max(follow, 0.0), 1.2), weight**-0.5
        limit, errors, weights = _FAR * math.hypot(_VOICE_DOUBT, _NOISE), [], []
        for row, speaking_s, breaks_s in said:
            seconds = row.duration_s * row.speed**self.follow - breaks_s
            error = math.log(max(seconds, _LEAST_S) / speaking_s) - start
            errors.append(min(max(error, -limit), limit))
            weights.append(speaking_s / (speaking_s + _SHORT_S))
        known = (_NOISE / _VOICE_DOUBT) ** 2 + sum(weights)
        moved = _dot(weights, errors) / known
        self.slower, self.doubt = start + moved, _NOISE**2 / known
        far = [min((error - moved) ** 2, (_FAR * _NOISE) ** 2) for error in errors]
        variance = _NOISE**2 * _NOISE_ROWS + _dot(weights, far)
        self.noise = math.sqrt(variance / (_NOISE_ROWS + len(rows)))


def _dot(one: Iterable[float], other: Iterable[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


class SpeechModel:
    """Estimates lengths from the letters, and from what was rendered before.

    Args:
        past: Finished speeches; the order does not matter.
    """

    def __init__(self, past: Iterable[Spoken] = ()) -> None:
        heard: dict[str, dict[str, list[Spoken]]] = {
            name: defaultdict(list) for name in LANGUAGES
        }
        for row in past:
            language = _known(row.language, row.script)
            speaking_s, breaks_s = measure(row.script, language)
            if speaking_s and row.speed > 0 and row.duration_s * row.speed > breaks_s:
                heard[language][row.voice_id].append(row)
        self._voices: dict[tuple[str, str], _Voice] = {}
        for language, voices in heard.items():
            # how much slower its voices are, together, than its default
            shares = [len(rows) / (len(rows) + 2) for rows in voices.values()]
            slower = [_Voice(language, 0.0, rows).slower for rows in voices.values()]
            start = _dot(shares, slower) / (_VOICES + sum(shares))
            for voice_id, rows in [*voices.items(), ("", [])]:
                self._voices[language, voice_id] = _Voice(language, start, rows)

    def estimate(
        self,
        script: str,
        *,
        voice_id: str = "",
        language: str | None = None,
        speed: float = 1.0,
    ) -> Estimate:
        """Return the seconds a voice takes, with an 80 % interval.

        Args:
            script: Text, with ``<break time="1s"/>`` pauses if any.
            voice_id: A voice that was heard before is known better.
            language: ``en`` or ``ru``; by default from the letters.
            speed: 0.5 to 1.5, as HeyGen's ``voice_settings.speed``.
        """
        language = _known(language, script)
        voice = self._voice(language, voice_id)
        speaking_s, breaks_s = measure(script, language)
        mean = math.exp(voice.slower) * speaking_s
        variance = voice.doubt * mean**2 + voice.noise**2 * mean * (mean + _SHORT_S)
        mean += breaks_s
        by_speed = voice.follow_doubt * (math.log(speed) - voice.usual) * mean
        spread = _TENTH * math.sqrt(variance + by_speed**2)
        faster = speed**voice.follow
        low, high = max(mean - spread, 0.0), mean + spread
        return Estimate(mean / faster, low / faster, high / faster)

    def fit(
        self,
        script: str,
        target_s: float,
        *,
        voice_id: str = "",
        language: str | None = None,
        slowest: float = MIN_SPEED,
        fastest: float = MAX_SPEED,
    ) -> Fit:
        """Return the speed that brings a script nearest to a length.

        Of a voice that was not heard at different speeds, only half of the way is
        left to its speed; words make up for the rest.

        Args:
            script: What is said.
            target_s: Wished seconds.
            voice_id: Who says it.
            language: ``en`` or ``ru``; by default from the letters.
            slowest: Lowest natural speed.
            fastest: Highest natural speed.
        """
        language = _known(language, script)
        voice = self._voice(language, voice_id)
        estimate = partial(self.estimate, script, voice_id=voice_id, language=language)
        wished, plain_s = slowest, estimate().seconds
        if plain_s:
            power = math.log(plain_s / target_s) / max(voice.follow, _LEAST_FOLLOW)
            if voice.follow_doubt > _UNPROVEN:
                power = (power + voice.usual) / 2
            wished = math.exp(power)
        speed = round(min(fastest, max(slowest, wished)), 2)
        length = estimate(speed=speed)
        words = len(script.split())
        off = words * (1 - target_s / length.seconds) if length.seconds else 0.0
        if abs(off) < max(1.0, _CLOSE * words):
            off = 0.0
        return Fit(speed, length, math.ceil(max(off, 0.0)), math.ceil(max(-off, 0.0)))

    def words_for(
        self, target_s: float, *, language: str = "en", voice_id: str = ""
    ) -> int:
        """Return about how many words a voice says in a time, at its own speed.

        Args:
            target_s: Wished seconds.
            language: ``en`` or ``ru``; any other counts as English.
            voice_id: A voice that was heard before is known better.
        """
        language = _known(language, "")
        slower = math.exp(self._voice(language, voice_id).slower)
        return max(round(target_s / (slower * LANGUAGES[language].word_s)), 1)

    def _voice(self, language: str, voice_id: str) -> _Voice:
        return self._voices.get((language, voice_id), self._voices[language, ""])


def _known(language: str | None, script: str) -> str:
    return language if language in LANGUAGES else script_language(script)


_DEFAULT = SpeechModel()


def estimate_s(
    script: str, language: str | None = None, *, speed: float = 1.0
) -> float:
    """Estimate the seconds any voice takes; see :meth:`SpeechModel.estimate`."""
    return _DEFAULT.estimate(script, language=language, speed=speed).seconds


_ROWS = 1000  # older ones tell nothing that these do not
# HeyGen, autumn 2026: 1 to 5 minutes whatever the length, up to 15 at peak hours
USUAL_S = 150.0
_PROCESSING = 0.7  # the part of a render that is no queue, until we know
_DOUBT = 0.5  # logarithms: how accounts differ, and below renders of one
# in a sum, what is long and what is short even out
_WHOLE_NOISE, _PART_NOISE = 0.42, 0.54
_FIRST_ROWS = 1.5  # rows that weigh as much as this first guess
_RECENT = 6  # renders after which one weighs half
_ANY_LENGTH, _OTHER_KIND = 0.25, 0.12  # what one weighs that is not alike
_FAR_OFF = 2.5  # standard deviations beyond which an error counts no more


@dataclass(frozen=True, slots=True)
class PastRender:
    """One finished render to learn from.

    Attributes:
        video_s: Length of the video.
        render_s: Seconds from submission to completion.
        engine: HeyGen's engine.
        resolution: Such as ``1080p``.
        hour: Hour of the day it was submitted at, UTC; None when not known.
        processing_s: Those of them after the queue; None when not known.
    """

    video_s: float
    render_s: float
    engine: str = ""
    resolution: str = ""
    hour: int | None = None
    processing_s: float | None = None


class RenderTimes:
    """Learns from past renders how long the next one takes.

    Args:
        history: Earlier renders, newest first.
        usual_s: Seconds that a video takes when nothing is known.
    """

    def __init__(
        self, history: Iterable[PastRender] = (), *, usual_s: float = USUAL_S
    ) -> None:
        usable = (r for r in history if r.video_s > _LEAST_S < r.render_s)
        self._past, self._usual_s = [*islice(usable, _ROWS)], usual_s

    @classmethod
    def of_rows(
        cls,
        rows: Iterable[tuple[Any, ...]],
        usual_s: float = USUAL_S,
        *,
        here: bool = False,
    ) -> RenderTimes:
        """Learn from past renders, as ``Ledger.facts.times`` gives them.

        Args:
            rows: Earlier renders, newest first.
            usual_s: Seconds that a video takes when nothing is known.
            here: Whether the films that are made on this machine are meant.
        """
        history = (
            PastRender(
                video_s=seconds,
                render_s=(completed - submitted).total_seconds(),
                engine=engine,
                resolution=resolution or "",
                hour=submitted.hour,
                processing_s=(completed - begun).total_seconds() if begun else None,
            )
            for seconds, submitted, begun, completed, engine, resolution in rows
            if (engine == NO_AVATAR) is here
        )
        return cls(history, usual_s=usual_s)

    def clock(self, video: PastRender) -> RenderClock:
        """Return a clock for a render; how long it took does not matter."""
        weights = [_weight(age, past, video) for age, past in enumerate(self._past)]
        whole = [past.render_s for past in self._past]
        times = _outlook(weights, whole, math.log(self._usual_s), _WHOLE_NOISE)
        part = [past.processing_s or 0.0 for past in self._past]
        level = times.mean + math.log(_PROCESSING)
        return RenderClock(times, _outlook(weights, part, level, _PART_NOISE))


def _weight(age: int, past: PastRender, video: PastRender) -> float:
    """Return what a render tells of another, so many renders later."""
    octaves = math.log2(max(past.video_s, 5.0) / max(video.video_s, 5.0))
    hours = 0
    if past.hour is not None and video.hour is not None:
        hours = abs((past.hour - video.hour + 12) % 24 - 12)
    alike = _ANY_LENGTH + math.exp(-2 * octaves**2 - (hours / 6) ** 2)
    if (past.engine, past.resolution) != (video.engine, video.resolution):
        alike *= _OTHER_KIND
    return alike / (1 + age / _RECENT)


def _outlook(
    weights: Sequence[float], took_s: Sequence[float], level: float, noise: float
) -> NormalDist:
    """Return how the logarithm of a duration is distributed.

    Args:
        weights: What each past render tells of it.
        took_s: What that took; 0 if nobody knows.
        level: The logarithm of what is expected at first.
        noise: How far single ones are expected to be off at first.
    """
    rows = [(w, math.log(s)) for w, s in zip(weights, took_s, strict=True) if s > 0]
    first, total = (noise / _DOUBT) ** 2, sum(weight for weight, _log in rows)
    mean = (first * level + sum(w * log for w, log in rows)) / (first + total)
    far = (_FAR_OFF * noise) ** 2
    errors = sum(w * min((log - mean) ** 2, far) for w, log in rows)
    variance = (noise**2 * _FIRST_ROWS + errors) / (_FIRST_ROWS + total)
    return NormalDist(mean, math.sqrt(variance * (1 + 1 / (first + total))))


class RenderClock:
    """Tells how far one render is.

    What is left is the middle of what past renders still took that had taken as
    long as this one has; it grows again, honestly, when one is late.

    Args:
        whole: Distribution of the logarithm of the seconds in all.
        processing: The same of the part after the queue.

    Attributes:
        late_s: Longer than 9 of 10 renders take.
    """

    def __init__(self, whole: NormalDist, processing: NormalDist) -> None:
        self._times, self._processing = whole, processing
        self._queued_s = self._shown = 0.0
        self.late_s = self._at(0.9)

    def leave_queue(self, elapsed_s: float) -> None:
        """Note that processing began; only the first time counts."""
        if self._times is not self._processing:
            self._times, self._queued_s = self._processing, max(elapsed_s, 0.0)

    def fraction(self, elapsed_s: float) -> float:
        """Return 0 to 0.99; it never falls from one call to the next."""
        elapsed_s = max(elapsed_s, 0.0)
        late_s = self._queued_s + self._at(0.9)
        within = min(elapsed_s, late_s)
        value = within / (within + self._left(within, 0.5))
        value += (0.99 - value) * (1 - math.exp((within - elapsed_s) / late_s))
        self._shown = max(self._shown, min(value, 0.99))
        return self._shown

    def eta_s(self, elapsed_s: float) -> float | None:
        """Return the expected seconds to go; None when nothing can be said."""
        beyond = elapsed_s - self._queued_s > self._at(0.97)
        return None if beyond else self._left(elapsed_s, 0.5)

    def interval_s(self, elapsed_s: float) -> tuple[float, float] | None:
        """Return the seconds to go that 8 of 10 such renders keep within."""
        if self.eta_s(elapsed_s) is None:
            return None
        return self._left(elapsed_s, 0.1), self._left(elapsed_s, 0.9)

    def _left(self, elapsed_s: float, part: float) -> float:
        """Return the seconds to go by which that part of the late ones are done."""
        spent_s = max(elapsed_s - self._queued_s, 0.0)
        passed = self._times.cdf(math.log(spent_s)) if spent_s else 0.0
        whole_s = self._at(passed + part * (1 - passed))
        return max(whole_s - spent_s, 0.02 * spent_s, 1.0)

    def _at(self, part: float) -> float:
        return math.exp(self._times.inv_cdf(min(part, 1 - 1e-9)))
