"""Captions over a moving film: whose words, when they are said, and their pixels."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from heygen_nb.preview import EspeakVoice, Word
from heygen_nb.preview.captions import Lettering, shown_at
from heygen_nb.preview.layout import to_patch
from heygen_nb.preview.text import script_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray
    from PIL import Image

    from heygen_nb.preview import Narration
    from heygen_nb.preview.background import Palette
    from heygen_nb.preview.captions import CaptionPage
    from heygen_nb.preview.layout import Layout

    Shown = tuple[CaptionPage | None, Word | None]

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


class CaptionOverlay:
    """Puts the captions on the pictures of a film, whose times come in order.

    Args:
        pages: What is shown when.
        layout: Where.
        palette: The colours that read well on this film.
        lit: Whether the word being said is lit.
    """

    def __init__(
        self,
        pages: tuple[CaptionPage, ...],
        layout: Layout,
        palette: Palette,
        *,
        lit: bool = True,
    ) -> None:
        self._pages = pages
        self._box = layout.captions
        self._lettering = Lettering(layout, palette)
        self._lit = lit
        self._shown: Shown = None, None
        self._page: _Layer | None = None
        self._pill: _Layer | None = None

    def state(self, now: float) -> Shown:
        """Return the page and the lit word at a time."""
        page, word = shown_at(self._pages, now)
        return page, word if self._lit else None

    def put_on(self, frame: VideoFrame, now: float) -> Shown:
        """Draw into a writable picture what is shown at a time, and return it."""
        page, word = shown = self.state(now)
        if page is not self._shown[0]:
            self._page = self._layer(self._lettering.page(page)) if page else None
        if shown != self._shown:
            self._pill = self._layer(*self._lettering.pill(word)) if word else None
        self._shown = shown
        for layer in filter(None, (self._page, self._pill)):
            layer.put_on(frame)
        return shown

    def _layer(self, image: Image.Image, x: int = 0, y: int = 0) -> _Layer:
        return _Layer(image, self._box.x + x, self._box.y + y)


class _Layer:
    """A see-through picture in the film's colours, ready to be laid over."""

    def __init__(self, image: Image.Image, x: int, y: int) -> None:
        left, top, right, bottom = image.getchannel("A").getbbox() or (0, 0, 2, 2)
        left, top = left & ~1, top & ~1
        right, bottom = (right + 1) & ~1, (bottom + 1) & ~1
        image = image.crop((left, top, right, bottom))
        self._x, self._y = x + left, y + top
        alpha = image.getchannel("A")
        half = alpha.reduce(2)
        patch = to_patch(image.convert("RGB"))
        self._parts = []
        for plane, cover in zip(patch.planes, (alpha, half, half), strict=True):
            share = np.asarray(cover, np.uint16)
            share = share + (share >> 7)  # 0 to 256, so that a shift divides
            self._parts.append((plane * share + 128, 256 - share))

    def put_on(self, frame: VideoFrame) -> None:
        for plane, (added, kept), shift in zip(
            frame.planes, self._parts, (0, 1, 1), strict=True
        ):
            pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(
                -1, plane.line_size
            )
            height, width = kept.shape
            x, y = self._x >> shift, self._y >> shift
            part = pixels[y : y + height, x : x + width]
            mixed = part * kept
            mixed += added
            mixed >>= 8
            part[:] = mixed
