"""Which words a film says, and when: told by HeyGen, or found in its sound."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from heygen_nb.preview import EspeakVoice, Word
from heygen_nb.preview.text import script_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from heygen_nb.preview import Narration

_CUE = re.compile(
    r"(\d+):(\d\d):(\d\d)[,.](\d{3}) *--> *(\d+):(\d\d):(\d\d)[,.](\d{3}).*\n"
    r"((?:.+(?:\n|$))*)"
)


def words_of_srt(text: str) -> tuple[Word, ...]:
    """Return the words of subtitles; within a cue each gets its letters' share."""
    words: list[Word] = []
    for cue in _CUE.finditer(text.replace("\r\n", "\n")):
        hours, minutes, seconds, ms, *end, said = cue.groups()
        start_s = _seconds(hours, minutes, seconds, ms)
        words += _shared(said.split(), start_s, _seconds(*end))
    return tuple(words)


def _seconds(hours: str, minutes: str, seconds: str, ms: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(ms) / 1000


def _shared(texts: Sequence[str], start_s: float, end_s: float) -> Iterable[Word]:
    weights = [_letters(text) for text in texts]
    # With nothing to say in it, such as a lone emoji, the time belongs to nobody.
    each = (end_s - start_s) / (sum(weights) or 1)
    for text, weight in zip(texts, weights, strict=True):
        yield Word(text, start_s, start_s + weight * each)
        start_s += weight * each


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def said_as_written(script: str, heard: Sequence[Word]) -> tuple[Word, ...]:
    """Give the script's own spelling the times of the words that were heard.

    What was heard may be spelled otherwise: numbers in words, emoji left out.
    """
    texts = script_words(script)
    matcher = SequenceMatcher(
        None, [_key(t) for t in texts], [_key(w.text) for w in heard], autojunk=False
    )
    words: list[Word] = []
    reached = 0.0
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(texts[i:j], heard[k:m], strict=True)
            words += [Word(text, word.start_s, word.end_s) for text, word in pairs]
        elif k < m:
            words += _shared(texts[i:j], heard[k].start_s, heard[m - 1].end_s)
        else:
            words += [Word(text, reached, reached) for text in texts[i:j]]
        reached = words[-1].end_s if words else 0.0
    return tuple(words)


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def timed_by_ear(script: str, sound: Narration) -> tuple[Word, ...]:
    """Return when the words are probably said, from where the sound is not silent.

    The local voice says the script; the share of speaking it has done until a word
    is the share the sound has done until then. Pauses fall out on both sides.
    """
    model = EspeakVoice().speak(script)
    spoken, heard = _voiced(model), _voiced(sound)
    if not len(heard) or not len(spoken):
        return ()

    def at(seconds: float, last: int) -> float:
        share = np.searchsorted(spoken, seconds) / len(spoken)
        index = min(int(share * len(heard)), len(heard)) - last
        return float(heard[min(max(index, 0), len(heard) - 1)]) + last * _STEP_S

    # A word ends with the last sound before its end, and not after a pause.
    return tuple(
        Word(w.text, at(w.start_s, 0), max(at(w.end_s, 1), at(w.start_s, 0)))
        if w.end_s > w.start_s
        else Word(w.text, at(w.start_s, 0), at(w.start_s, 0))
        for w in model.words
    )


_STEP_S = 0.02
_QUIET = 0.06  # of how loud the voice is at its loudest


def _voiced(sound: Narration) -> NDArray[np.floating]:
    """Return the times at which somebody speaks."""
    step = round(sound.sample_rate * _STEP_S)
    whole = sound.samples[: len(sound.samples) // step * step].reshape(-1, step)
    loud = np.sqrt(np.mean(whole**2, axis=1)) if len(whole) else np.zeros(0)
    floor = _QUIET * float(np.percentile(loud, 95)) if len(loud) else 0.0
    return np.flatnonzero(loud > max(floor, 1e-4)) * _STEP_S
