"""Making speech and the films of a video: in a worker process, or canned."""

import asyncio
import hashlib
import io
import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from heygen_nb.errors import PreviewError
from heygen_nb.preview import Scene, render_scene
from heygen_nb.preview.captions import CaptionPage, to_srt
from heygen_nb.preview.drawing import paint_background, to_patch
from heygen_nb.preview.fetch import fetch_image
from heygen_nb.preview.video import Picture, blank, stretched, write_mp4
from heygen_nb.preview.voice import EspeakVoice, Narration, Word
from heygen_nb.readings import spoken
from heygen_nb.sandbox.catalogue import SandboxVoice
from heygen_nb.sandbox.state import SandboxOptions

Background = str | Path | bytes | None

_SMALL_PX = 144  # the short side of canned pictures
_CANNED_FPS, _LEAST_FRAMES = 4, 24
_BREAK = re.compile(r'<break\s+time="([\d.]+)s"\s*/>')
_TAG = re.compile(r"<[^>]*>")
_NOISE = 0.03
# Of its length at the slowest and the fastest speed a stiff voice changes 2 %.
_STIFFNESS = 0.04
_SILENT_RATE = 8000  # samples a second of what nobody listens to


@dataclass(frozen=True, slots=True)
class SoundPart:
    """A stretch of sound, how long it should get, and what is said in it."""

    duration_s: float
    make: Callable[[], Narration]
    script: str = ""


@dataclass(frozen=True, slots=True)
class FilmOrder:
    """Everything a worker needs to make a video's files.

    Several scenes are one picture here, the first one's, under all their sound.

    Attributes:
        background: None is the look's own scene.
        barred: The size of a look that leaves bars on this canvas.
        styled: Captions were asked for: a second film gets them.
        rate: USD a second.
    """

    parts: tuple[SoundPart, ...]
    engine: str
    ratio: Any  # in the words of the request
    short_side_px: int
    background: Background
    rate: float
    barred: tuple[int, int] | None = None
    styled: bool = False

    @property
    def duration_s(self) -> float:
        """Return how long it should get; exact in fast mode."""
        return sum(part.duration_s for part in self.parts)


def render(order: FilmOrder, folder: Path) -> float:
    """Make the films in a worker, with ``.srt`` and ``.jpg``; return their length.

    Raises:
        ConnectionError: The picture a request points to cannot be had.
    """
    background = order.background
    if isinstance(background, str) and not background.startswith("#"):
        try:
            background = asyncio.run(fetch_image(background, allow_private=True))
        except PreviewError as exc:
            raise ConnectionError(str(exc)) from exc
    speech = joined([part.make() for part in order.parts])
    scene = Scene(
        script=" ".join(word.text for word in speech.words),
        aspect_ratio=order.ratio,
        short_side_px=order.short_side_px,
        background=background,
        use_avatar=order.engine != "still",
        captions=False,
        badge="SANDBOX",
    )
    if order.barred:
        buffer = io.BytesIO()
        _with_bars(background, order.barred, scene.size).save(buffer, "PNG")
        scene = replace(scene, background=buffer.getvalue())
    if order.styled:
        worded = replace(scene, captions=True)
        render_scene(worded, folder / "captioned.mp4", speech=speech)
    return render_scene(scene, folder / "video.mp4", speech=speech).duration_s


def _with_bars(
    background: Background, look: tuple[int, int], canvas: tuple[int, int]
) -> Image.Image:
    return ImageOps.pad(paint_background(background, *look, carries_text=False), canvas)


@lru_cache(maxsize=128)
def _canned(
    background: Background,
    barred: tuple[int, int] | None,
    size: tuple[int, int],
    length_s: float,
) -> tuple[bytes, bytes]:
    """Return a film that moves and hums for so long, and a JPEG."""
    try:
        picture = _with_bars(background, barred or size, size)
    except PreviewError:  # what is not on this machine is not fetched
        picture = _with_bars(None, barred or size, size)
    thumbnail = io.BytesIO()
    picture.save(thumbnail, "JPEG")
    rate, band = max(_CANNED_FPS, math.ceil(_LEAST_FRAMES / length_s)), size[1] // 2

    def pictures() -> Iterator[Picture]:
        frame, planes = blank(size)
        to_patch(picture).put_on(planes)
        for number in range(round(length_s * rate)):
            # no two looks at it are alike
            planes[0][band : band + 16] = 60 + number * 37 % 120
            frame.pts = number
            yield frame

    with TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        write_mp4(film, pictures(), size, rate, hum(140, length_s))
        return film.read_bytes(), thumbnail.getvalue()


def make_canned(
    order: FilmOrder, folder: Path, mark: str, options: SandboxOptions
) -> float:
    """Write tiny valid films at once, with their company, and return their length.

    ``mark`` keeps any two from having the same bytes; up to ``file_bytes`` they are
    padded without using memory for it.
    """
    wide, high = (int(n) for n in order.ratio.split(":"))
    size = wide * _SMALL_PX // min(wide, high), high * _SMALL_PX // min(wide, high)
    length_s = order.duration_s
    halves = math.ceil(length_s * 2)  # so few that they can be kept
    movie, thumbnail = _canned(order.background, order.barred, size, halves / 2)
    for name in ("video.mp4", "captioned.mp4")[: 1 + order.styled]:
        # made at the same time, both are the same file
        note = (f"{mark} {name}" if options.captions_s else mark).encode()
        free = max(options.file_bytes - len(movie), 8 + len(note))
        with (folder / name).open("wb") as file:
            # A "free" box is skipped by every player.
            file.write(movie + struct.pack(">I4s", free, b"free") + note)
            file.truncate(len(movie) + free)
    text = " ".join(part.script for part in order.parts)
    page = CaptionPage(((Word(text, 0.0, length_s),),), 0.0, length_s)
    srt = to_srt([page] if text.strip() else [])
    (folder / "video.srt").write_text(srt, encoding="utf-8")
    (folder / "video.jpg").write_bytes(thumbnail)
    return length_s


def _pace(voice: SandboxVoice, text: str, speed: float) -> float:
    """Return how long a voice takes for a text, as a part of its usual time."""
    digest = hashlib.sha256(f"{voice.voice_id}\0{text}".encode()).digest()
    noise = (digest[0] / 127.5 - 1) * _NOISE
    return (1 + noise) / (1 + (speed - 1) * (_STIFFNESS if voice.stiff else 1))


def model(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak silently: word times from the voice's hidden rate, no sound."""
    pace, at, words = _pace(voice, text, speed), 0.0, []
    for word in _TAG.sub(" ", text).split():
        letters = len(spoken(word, voice.code))  # "77" is two words to say
        length_s = 60 / voice.words_per_minute * (0.33 + 0.1 * letters)
        words.append(Word(word, at * pace, (at + length_s) * pace))
        pause_s = voice.pause_s * (0.4 if word[-1] in ",;:" else word[-1] in ".!?…")
        at += length_s + pause_s
    if voice.support_pause:
        at += sum(map(float, _BREAK.findall(text)))
    return silence(max(at, 0.3) * pace, tuple(words))


def speak(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak aloud, with word times as measured."""
    usual = _pace(voice, text, 1)
    faster = usual / _pace(voice, text, speed)
    espeak = EspeakVoice(
        voice.code,
        words_per_minute=round(voice.words_per_minute / usual),
        pitch=voice.pitch,
        variant=voice.variant,
        sentence_pause_s=voice.pause_s,
    )
    if not voice.support_pause:
        text = _BREAK.sub(" ", text)
    speech = espeak.speak(text)
    if faster != 1 and speech.duration_s:
        # espeak's own rate is not quite linear and never under 80 words a minute.
        length_s = speech.duration_s / faster
        speech = stretched(espeak.speak(text, speed=faster), length_s)
    # A script of emoji alone says nothing; a video still needs a length.
    return speech if speech.duration_s else speech.padded(1.0)


def hum(hz: float, length_s: float = 0.4) -> Narration:
    """Return a tone: heard, and made in no time."""
    at = np.arange(round(length_s * _SILENT_RATE)) / _SILENT_RATE
    samples = 0.2 * np.sin(2 * np.pi * hz * at)
    return Narration(samples.astype(np.float32), _SILENT_RATE, ())


def silence(duration_s: float, words: tuple[Word, ...] = ()) -> Narration:
    """Return that many seconds without a sound."""
    count = round(duration_s * _SILENT_RATE)
    return Narration(np.zeros(count, np.float32), _SILENT_RATE, words)


def joined(parts: list[Narration]) -> Narration:
    """Return the parts one after the other, at the finest of their rates."""
    rate = max(part.sample_rate for part in parts)
    samples, words, at = [], [], 0.0
    for part in parts:
        old = np.arange(len(part.samples))
        new = np.linspace(0, max(len(old) - 1, 0), round(part.duration_s * rate))
        samples.append(np.interp(new, old, part.samples).astype(np.float32))
        words += [Word(w.text, at + w.start_s, at + w.end_s) for w in part.words]
        at += part.duration_s
    return Narration(np.concatenate(samples), rate, tuple(words))
