"""The embedded voice: espeak-ng, called in this process, with word times."""

from __future__ import annotations

import ctypes
import io
import threading
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview import text as texts


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the script and when it is heard.

    Attributes:
        text: As the script spells it, punctuation included.
        start_s: When it begins.
        end_s: When it ends; equal to ``start_s`` for what is not spoken (emoji).
    """

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Narration:
    """A spoken script.

    Attributes:
        samples: Mono, float32, -1 to 1.
        sample_rate: Samples a second.
        words: All words of the script in order.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    words: tuple[Word, ...]

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / self.sample_rate

    def power(self, step_s: float) -> NDArray[np.float32]:
        """Return how loud each step is: the root of its mean square."""
        size = round(self.sample_rate * step_s)
        steps = self.samples[: len(self.samples) // size * size].reshape(-1, size)
        power: NDArray[np.float32] = np.sqrt(np.mean(steps**2, axis=1))
        return power

    def padded(self, tail_s: float) -> Narration:
        """Return the same speech with ``tail_s`` seconds of silence after it."""
        tail = np.zeros(round(max(tail_s, 0.0) * self.sample_rate), np.float32)
        return replace(self, samples=np.concatenate([self.samples, tail]))

    def to_wav(self) -> bytes:
        """Return the sound as a WAV file."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as out:
            out.setparams((1, 2, self.sample_rate, 0, "NONE", ""))
            out.writeframes((self.samples * 32767).astype("<i2").tobytes())
        return buffer.getvalue()


# espeak-ng/speak_lib.h
_SYNCHRONOUS = 2
_UTF8 = 1
_PHONEMES = 0x100  # [[…]] are phonemes
_WORD_EVENT = 1
_RATE, _PITCH = 1, 3
_RATE_LIMITS = (80, 450)

_SILENCE = 0.012  # of full scale: below every spoken sound, above the noise floor
_STEP_S = 0.005


class _Event(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int) for name in ("type", "number", "text_position")),
        *((name, ctypes.c_int) for name in ("length", "audio_position", "sample")),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
# The library is one set of global variables: one script at a time.
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """espeak-ng from the wheel: plain to the ear, instant, offline, word times.

    Args:
        language: espeak-ng's code, such as ``en``, ``ru``, ``de``; None detects it
            for each script.
        words_per_minute: At speed 1; espeak-ng itself says 80 to 450.
        pitch: 0 to 99.
        variant: espeak-ng's voice variant, such as ``f2``.
        sentence_pause_s: Silence after a sentence, at speed 1.
    """

    language: str | None = None
    words_per_minute: int = 165
    pitch: int = 50
    variant: str | None = None
    sentence_pause_s: float = 0.25

    def speak(self, script: str, *, speed: float = 1.0) -> Narration:
        """Say the script; ``speed`` 0.5 to 1.5 means the same as HeyGen's.

        Raises:
            PreviewError: espeak-ng is missing or does not know the language.
        """
        per_minute = int(np.clip(round(self.words_per_minute * speed), *_RATE_LIMITS))
        parts = [np.zeros(0, np.float32)]
        spans: dict[int, tuple[int, int]] = {}
        pause_s = 0.0
        with _lock:
            library, rate = _library()
            for said in texts.plan_utterances(
                script, self.language, sentence_pause_s=self.sentence_pause_s
            ):
                if not said.text:
                    parts.append(np.zeros(round(said.break_s * rate), np.float32))
                    pause_s = 0.0
                    continue
                name = said.language + (f"+{self.variant}" if self.variant else "")
                if library.espeak_SetVoiceByName(name.encode()):
                    message = _("The local voice does not know the language “{name}”.")
                    raise PreviewError(message, name=name)
                library.espeak_SetParameter(_RATE, per_minute, 0)
                library.espeak_SetParameter(_PITCH, self.pitch, 0)
                samples, words = _say(said, rate)
                if len(samples):
                    parts.append(np.zeros(round(pause_s / speed * rate), np.float32))
                    at, pause_s = sum(map(len, parts)), said.pause_s
                    parts.append(samples)
                for token, start, end in words:
                    # It may go on in the next utterance: 世界。元気 has no blanks.
                    spans[token] = spans.get(token, (at + start, 0))[0], at + end
        timed, reached = [], 0
        for number, text in enumerate(texts.script_words(script)):
            start, end = spans.get(number, (reached, reached))
            start = max(start, reached)
            reached = max(end, start)
            timed.append(Word(text, start / rate, reached / rate))
        return Narration(np.concatenate(parts), rate, tuple(timed))


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Return the library, started, and its sample rate."""
    try:
        import espeakng_loader  # noqa: PLC0415 - no wheel for musl: the rest works

        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except (ImportError, OSError) as exc:
        message = _("The local voice (espeak-ng) could not be loaded: {reason}")
        raise PreviewError(message.format(reason=exc)) from exc
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    data = espeakng_loader.get_data_path().encode()
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
    if rate <= 0:
        raise PreviewError(_("The local voice (espeak-ng) could not be started."))
    return library, rate


def _phonemes(word: str) -> str:
    """Return how the voice that is set up reads a word, in its own notation."""
    text = ctypes.c_char_p(word.encode())
    said: bytes = _library()[0].espeak_TextToPhonemes(ctypes.byref(text), _UTF8, 0)
    return said.decode()


def _synthesise(text: str) -> tuple[NDArray[np.float32], list[tuple[int, int]]]:
    """Return the samples and (character, sample) of each word event."""
    library, _rate = _library()
    parts = [np.zeros(0, np.int16)]
    events: list[tuple[int, int]] = []

    def receive(samples: Sequence[int], count: int, event: Sequence[_Event]) -> int:
        if count > 0:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while event[index].type:
            if event[index].type == _WORD_EVENT:
                events.append((event[index].text_position - 1, event[index].sample))
            index += 1
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    data = text.encode()
    size = ctypes.c_size_t(len(data) + 1)
    library.espeak_Synth(data, size, 0, 1, 0, _UTF8 | _PHONEMES, None, None)
    return (np.concatenate(parts) / 32768).astype(np.float32), events


def _say(
    said: texts.Utterance, rate: int
) -> tuple[NDArray[np.float32], list[tuple[int, int, int]]]:
    """Return what the voice that is set up says, and where each word is in it."""
    if said.language == "ru" and texts.STRESS in said.text:
        said = texts.follow_stress(said, _phonemes)
    samples, events = _synthesise(said.text)
    step = round(_STEP_S * rate)
    whole = np.abs(samples[: len(samples) // step * step]).reshape(-1, step)
    # Where the steps begin in which something is heard.
    loud = np.flatnonzero(whole.max(axis=1) > _SILENCE) * step
    if not len(loud):
        return samples[:0], []
    first, last = int(loud[0]), min(int(loud[-1]) + 2 * step, len(samples))
    words = []
    for token, start, end in _spans(events, said, first, last):
        heard = loud[(loud > start - step) & (loud < end)]
        if len(heard):
            start, end = int(heard[0]), min(int(heard[-1]) + step, end)  # noqa: PLW2901
        words.append((token, start - first, end - first))
    return samples[first:last], words


def _spans(
    events: list[tuple[int, int]], said: texts.Utterance, first: int, last: int
) -> Iterator[tuple[int, int, int]]:
    """Yield each spoken word and its samples; words that share an event share its time.

    Numbers and addresses fire several events: the first counts.
    """
    onsets: dict[int, int] = {}
    for position, sample in events:
        token = next((t for t in said.tokens[max(position, 0) :] if t >= 0), -1)
        if token > max(onsets, default=-1):
            onsets[token] = sample
    spoken = zip(said.text, said.tokens, strict=True)
    letters = Counter(t for char, t in spoken if t >= 0 and char.isalnum())
    tokens = sorted(letters)
    reached = [*accumulate((letters[token] for token in tokens), initial=0)]
    begun = zip(tokens[1:], reached[1:], strict=False)
    known = {count: onsets[token] for token, count in begun if token in onsets}
    known = {0: first} | known | {reached[-1]: last}
    edges = np.interp(reached, [*known], [*known.values()])
    for token, (begin, until) in zip(tokens, pairwise(edges), strict=True):
        yield token, int(begin), int(until)
