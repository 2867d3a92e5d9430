"""How long a text takes to speak, and how far a render is; both are learned.

Rows to learn from are handed in; nothing here reads the ledger or needs more than
Python.

A speech's length is letters, sentence ends and commas, each with the seconds it
costs. For a new voice these are the defaults of its language; every finished video
moves them, the more the less is known yet (a Kalman filter over three numbers). All
voices of a language together move what the next unknown voice starts from. HeyGen's
``speed`` moves some voices fully and others hardly at all (FACTS of autumn 2026: 2 %).
How far a voice follows is learned from films of different speed.

HeyGen tells no percentage of a render, so it is learned from earlier ones. The
logarithm of the seconds a render takes is a level that drifts, and what engine,
resolution, length and hour of the day add. How wrong that was for each earlier render,
told from those before it, gives the interval. The same is learned once more of the
part after the queue: from when it begins, only that counts.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from statistics import NormalDist, fmean
from typing import Any, NamedTuple

from heygen_nb.models import NO_AVATAR
from heygen_nb.readings import spoken

Three = tuple[float, float, float]
_WORD = re.compile(r"[^\W\d_]+")
_BREAK = re.compile(
    r"<break\s+time=[\"']?(\d+(?:\.\d+)?)(m?s)[\"']?\s*/?>", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'»”)\]]|$)|\n\s*\n")
_COMMA = re.compile(r"[,;:](?=\s)|\s[-—–](?=\s)")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTERS_A_WIDE_SIGN = 3  # a syllable, and more


@dataclass(frozen=True, slots=True)
class Language:
    """What is known of a language before anything was rendered.

    Attributes:
        vowels: A match is about a syllable.
        syllable: What a syllable counts in letters, over the letters in it.
        word: What a word counts in letters over its own.
        usual: Letters so counted, sentence ends and commas of a usual word.
        seconds: Of a letter, a sentence end and a comma, at speed 1.
    """

    vowels: re.Pattern[str]
    syllable: float
    word: float
    usual: Three
    seconds: Three


# About 155 words a minute in English, 125 in Russian, whose words are longer.
LANGUAGES = {
    "en": Language(
        vowels=re.compile(r"[aeiouy]+", re.IGNORECASE),
        syllable=0.9,
        word=0.8,
        usual=(6.4, 0.1, 0.07),
        seconds=(0.045, 0.35, 0.22),
    ),
    "ru": Language(
        vowels=re.compile(r"[аеёиоуыэюя]", re.IGNORECASE),
        syllable=0.3,
        word=0.7,
        usual=(6.7, 0.13, 0.12),
        seconds=(0.053, 0.35, 0.22),
    ),
}


def script_language(script: str) -> str:
    """Return ``ru`` when most letters are Cyrillic, else ``en``."""
    letters = [c for c in script if c.isalpha()]
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in letters)
    return "ru" if cyrillic * 2 > len(letters) else "en"


@lru_cache(maxsize=2048)
def measure(script: str, language: str) -> tuple[Three, float]:
    """Return letters, sentence ends and commas as spoken, and seconds of breaks."""
    known = LANGUAGES[language]
    breaks_s = sum(
        float(number) / (1000 if unit.lower() == "ms" else 1)
        for number, unit in _BREAK.findall(script)
    )
    text = spoken(_TAG.sub(" ", script), language)
    words = _WORD.findall(text)
    letters = float(sum(map(len, words)))
    letters += known.syllable * len(known.vowels.findall(text))
    letters += known.word * len(words)
    letters += (_LETTERS_A_WIDE_SIGN - 1) * len(_WIDE.findall(text))
    ends = float(len(_SENTENCE_END.findall(text)))
    return (letters, ends, float(len(_COMMA.findall(text)))), breaks_s


MIN_SPEED, MAX_SPEED = 0.9, 1.15  # outside of it a voice stops sounding natural

_DOUBTS: Three = (0.12, 0.5, 0.5)  # share by which voices differ from the default
_NOISE = 0.03  # share by which a text differs from what its letters promise
_LEAST_S = 0.01
_SHORT_S = 10  # seconds of a text that differs by 1.4 times that share
_NOISE_ROWS = 4  # rows that weigh as much as this first guess
_VOICES = 2  # known voices that weigh as much as a language's default
_TYPICAL: Three = (550, 5, 7)  # half a minute
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
    """What is believed of one voice: three costs, how sure, and the noise left.

    Args:
        language: Of :data:`LANGUAGES`, where it starts from.
        factor: How much slower than that.
        rows: What it said, newest first.

    Attributes:
        follow: Seconds shrink by speed to this power.
        follow_doubt: One standard deviation of that.
        usual: The middle of the logarithms of the speeds it was heard at.
    """

    def __init__(
        self, language: str, factor: float = 1.0, rows: Sequence[Spoken] = ()
    ) -> None:
        default = LANGUAGES[language].seconds
        self._seconds = [factor * cost for cost in default]
        self._doubt = [[0.0] * 3 for _ in default]
        for i, share in enumerate(_DOUBTS):
            self._doubt[i][i] = (share * self._seconds[i]) ** 2
        said = [measure(row.script, language) for row in rows]
        # a regression, drawn towards 1 by what an unheard voice is worth: of films
        # of one speed alone nothing can be told
        speeds = [math.log(row.speed) for row in rows]
        self.usual = fmean(speeds) if rows else 0.0
        slower = [speed - self.usual for speed in speeds]
        lengths = [
            math.log(row.duration_s / (_dot(default, counts) + breaks_s))
            for row, (counts, breaks_s) in zip(rows, said, strict=True)
        ]
        noise, prior = _NOISE**2, _FOLLOW_DOUBT**-2
        weight = _dot(slower, slower) / noise + prior
        follow = (prior - _dot(slower, lengths) / noise) / weight
        self.follow, self.follow_doubt = min(max(follow, 0.0), 1.2), weight**-0.5
        variance, rows_known = noise, _NOISE_ROWS
        for row, (counts, breaks_s) in reversed([*zip(rows, said, strict=True)]):
            seconds = row.duration_s * row.speed**self.follow - breaks_s
            share = self._learn(counts, max(seconds, _LEAST_S))
            rows_known += 1
            variance += (share * noise - variance) / rows_known
        self._noise = math.sqrt(variance)

    def expect(self, counts: Three) -> tuple[float, float]:
        """Return the mean and the variance of a length at speed 1."""
        mean, _toward, unsure = self._known(counts)
        return mean, unsure + _variance(self._noise, mean)

    def _known(self, counts: Three) -> tuple[float, list[float], float]:
        """Return the mean, the gain direction and the variance of what we know."""
        toward = [_dot(row, counts) for row in self._doubt]
        return _dot(self._seconds, counts), toward, _dot(toward, counts)

    def _learn(self, counts: Three, heard_s: float) -> float:
        """Move towards a length that was heard; a far-off one counts little.

        Returns:
            The square of the error over that of the expected one.
        """
        mean, toward, unsure = self._known(counts)
        spread = unsure + _variance(_NOISE, mean)
        limit = _FAR * math.sqrt(spread)
        error = heard_s - mean
        if abs(error) > limit:
            error = limit * limit / error
        for i, gain in enumerate(toward):
            self._seconds[i] = max(self._seconds[i] + gain * error / spread, 1e-4)
            for j, other in enumerate(toward):
                self._doubt[i][j] -= gain * other / spread
        return error**2 / spread


def _dot(one: Iterable[float], other: Iterable[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


def _variance(noise: float, mean_s: float) -> float:
    return noise**2 * mean_s * (mean_s + _SHORT_S)


class SpeechModel:
    """Estimates lengths from the letters, and from what was rendered before.

    Args:
        past: Finished speeches, newest first; the order matters little.
    """

    def __init__(self, past: Iterable[Spoken] = ()) -> None:
        heard: dict[str, dict[str, list[Spoken]]] = {
            name: defaultdict(list) for name in LANGUAGES
        }
        for row in past:
            language = _known(row.language, row.script)
            counts, breaks_s = measure(row.script, language)
            if counts[0] and row.speed > 0 and row.duration_s * row.speed > breaks_s:
                heard[language][row.voice_id].append(row)
        self._unknown: dict[str, _Voice] = {}
        self._voices: dict[tuple[str, str], _Voice] = {}
        for language, voices in heard.items():
            # how much slower its voices are, together, than its default
            default = _Voice(language).expect(_TYPICAL)[0]
            weight, total = float(_VOICES), 0.0
            for rows in voices.values():
                share = len(rows) / (len(rows) + 2)
                seconds = _Voice(language, rows=rows).expect(_TYPICAL)[0]
                weight += share
                total += share * math.log(seconds / default)
            factor = math.exp(total / weight)
            self._unknown[language] = _Voice(language, factor)
            for voice_id, rows in voices.items():
                self._voices[language, voice_id] = _Voice(language, factor, rows)

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
        counts, breaks_s = measure(script, language)
        mean, variance = voice.expect(counts)
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
        word_s, _ = self._voice(language, voice_id).expect(LANGUAGES[language].usual)
        return max(round(target_s / word_s), 1)

    def _voice(self, language: str, voice_id: str) -> _Voice:
        return self._voices.get((language, voice_id)) or self._unknown[language]


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
_FIRST_ROWS = 8  # rows that weigh as much as this first guess
_SLOWEST_GAIN = 0.02  # a level follows a slow change within forty renders
_TREND, _FASTEST_GAIN = 1.0, 0.5  # and a sudden one once errors agree on it
_MEMORY = 100  # renders that the noise is an average of
_GROUP_ROWS = 20  # rows that weigh as much as believing in no difference
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
        rows = list(islice(usable, _ROWS))[::-1]
        whole = [(row, row.render_s) for row in rows]
        seen = [(row, row.processing_s or 0.0) for row in rows]
        part = [(row, seconds) for row, seconds in seen if seconds > _LEAST_S]
        self._whole = _Durations(whole, math.log(usual_s), _WHOLE_NOISE)
        level = self._whole.level + math.log(_PROCESSING)
        self._processing = _Durations(part, level, _PART_NOISE)

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
        return RenderClock(self._whole.of(video), self._processing.of(video))


class _Durations:
    """What is learned of one kind of duration.

    Args:
        past: Renders and the seconds each took, oldest first.
        level: The logarithm of what is expected at first.
        noise: How far single ones are expected to be off at first.
    """

    def __init__(
        self, past: Sequence[tuple[PastRender, float]], level: float, noise: float
    ) -> None:
        self.level = level
        self._extra: dict[tuple[str, object], float] = defaultdict(float)
        counts: Counter[tuple[str, object]] = Counter()
        known = (noise / _DOUBT) ** 2  # rows that the first guess is worth
        variance, trend = noise**2, 0.0
        for count, (row, seconds) in enumerate(past):
            unsure = _unsure(known)
            sigma = math.sqrt(variance) * unsure
            error = math.log(seconds) - self._expected(row)
            error = min(max(error, -_FAR_OFF * sigma), _FAR_OFF * sigma)
            rows = min(count, _MEMORY) + _FIRST_ROWS
            variance += ((error / unsure) ** 2 - variance) / rows
            trend += 0.3 * (error / sigma - trend)
            turn = min(max(abs(trend) - _TREND, 0.0), 1.0) * _FASTEST_GAIN
            known += 1
            self.level += max(1 / known, _SLOWEST_GAIN, turn) * error
            for group in _groups_of(row):
                counts[group] += 1
                self._extra[group] += error / (counts[group] + _GROUP_ROWS)
        self._sigma = math.sqrt(variance) * _unsure(known)

    def of(self, video: PastRender) -> NormalDist:
        """Return how the logarithm of a video's seconds is distributed."""
        return NormalDist(self._expected(video), self._sigma)

    def _expected(self, row: PastRender) -> float:
        return self.level + sum(self._extra.get(g, 0.0) for g in _groups_of(row))


def _unsure(known: float) -> float:
    """Return by which factor a level learned from few rows is off more than noise."""
    return math.sqrt(1 + max(1 / known, _SLOWEST_GAIN / 2))


def _groups_of(row: PastRender) -> Iterator[tuple[str, object]]:
    yield "kind", (row.engine, row.resolution)
    yield "length", round(math.log2(max(row.video_s, 5.0)))
    if row.hour is not None:
        yield "hour", row.hour // 4


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
        return None if self._is_beyond(elapsed_s) else self._left(elapsed_s, 0.5)

    def interval_s(self, elapsed_s: float) -> tuple[float, float] | None:
        """Return the seconds to go that 8 of 10 such renders keep within."""
        if self._is_beyond(elapsed_s):
            return None
        return self._left(elapsed_s, 0.1), self._left(elapsed_s, 0.9)

    def _is_beyond(self, elapsed_s: float) -> bool:
        return elapsed_s - self._queued_s > self._at(0.97)

    def _left(self, elapsed_s: float, part: float) -> float:
        """Return the seconds to go by which that part of the late ones are done."""
        spent_s = max(elapsed_s - self._queued_s, 0.0)
        passed = self._times.cdf(math.log(spent_s)) if spent_s else 0.0
        whole_s = self._at(passed + part * (1 - passed))
        return max(whole_s - spent_s, 0.02 * spent_s, 1.0)

    def _at(self, part: float) -> float:
        return math.exp(self._times.inv_cdf(min(part, 1 - 1e-9)))
