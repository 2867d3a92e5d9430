"""Making the files of a video: in a worker process, or canned in fast mode."""

from __future__ import annotations

import asyncio
import contextlib
import io
import multiprocessing
import os
import struct
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import av
import httpx
import numpy as np
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.preview import Scene, render_scene
from heygen_nb.preview.speech import Speech, Word
from heygen_nb.sandbox import speech as sound
from heygen_nb.sandbox.pictures import look_picture

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.catalogue import Voice

Ratio = Literal["16:9", "9:16", "1:1", "4:5", "5:4"]
_FETCH_BYTES = 50_000_000  # HeyGen's limit for pictures and sounds
_NICE = 10


class FetchError(Exception):
    """A picture or sound the request points to cannot be had."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of sound: a script, a sound file or link, or silence."""

    script: str = ""
    voice: Voice | None = None
    speed: float = 1.0
    sound: Path | str | None = None
    words: tuple[Word, ...] = ()
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """Everything a worker needs to make a video's files.

    Several scenes are one picture here, the first one's, under all their sound.

    Attributes:
        background: Colour, file, link or bytes; None for the preview's own.
        look_id: The look whose picture speaks.
        avatar_image: Another picture that speaks (``image`` videos).
    """

    parts: tuple[Part, ...]
    ratio: Ratio
    short_side_px: int
    background: str | Path | bytes | None = None
    look_id: str | None = None
    avatar_image: str | Path | bytes | None = None
    captions: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A finished file: its length and hash."""

    duration_s: float
    sha256: str


def render(order: Order, output: Path) -> Made:
    """Make ``output`` with its ``.srt`` and ``.jpg`` (runs in a worker).

    Raises:
        FetchError: A link could not be fetched.
        PreviewError: It could not be rendered.
    """
    speech = sound.joined([_heard(part) for part in order.parts])
    avatar = order.avatar_image
    if avatar is None and order.look_id:
        avatar = look_picture(order.look_id)
    scene = Scene(
        script=" ".join(word.text for word in speech.words),
        aspect_ratio=order.ratio,
        short_side_px=order.short_side_px,
        background=_fetched(order.background),
        use_avatar=avatar is not None,
        avatar_image=_fetched(avatar),  # type: ignore[arg-type] # a link is bytes by now
        captions=order.captions,
        badge="SANDBOX",
    )
    made = render_scene(scene, output, speech=speech)
    return Made(made.duration_s, sound.sound_id(output))


def _heard(part: Part) -> Speech:
    if part.voice is not None:
        return sound.speak(part.voice, part.script, part.speed)
    if part.sound is None:
        return sound.silence(part.duration_s)
    source = _fetched(part.sound)
    try:
        return decode(source, part.words)
    except av.FFmpegError as exc:
        raise FetchError("the audio cannot be read") from exc


def decode(source: str | Path | bytes | None, words: tuple[Word, ...]) -> Speech:
    """Read a sound file as mono.

    Raises:
        av.FFmpegError: It is not one.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    chunks = []
    with av.open(file, "r") as container:
        stream = container.streams.audio[0]
        rate = stream.rate or 44_100
        resampler = av.AudioResampler("flt", "mono", rate)
        for frame in [*container.decode(stream), None]:
            chunks += [f.to_ndarray()[0] for f in resampler.resample(frame)]
    return Speech(np.concatenate(chunks).astype(np.float32), rate, words)


def _fetched(source: str | Path | bytes | None) -> str | Path | bytes | None:
    if not isinstance(source, str) or source.startswith("#"):
        return source
    try:
        with httpx.stream("GET", source, follow_redirects=True, timeout=20) as reply:
            if reply.status_code != httpx.codes.OK:
                raise FetchError(f"a link answered {reply.status_code}")
            content = bytearray()
            for chunk in reply.iter_bytes():
                content += chunk
                if len(content) > _FETCH_BYTES:
                    raise FetchError("a file behind a link is over 50 MB")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise FetchError("a link could not be fetched") from exc
    return bytes(content)


class Renderer:
    """A small pool of worker processes, started with the first video."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self.slots = asyncio.Semaphore(workers)

    async def render(self, order: Order, output: Path) -> Made:
        """Render in a worker; hold a slot while doing so."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, multiprocessing.get_context("spawn"), _settle_in
            )
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, render, order, output)
        except BrokenExecutor as exc:  # a worker was killed
            self._pool = None
            raise PreviewError("A render process ended unexpectedly.") from exc

    def close(self) -> None:
        """End the workers now, half-done renders too: a restart takes them up."""
        if self._pool is not None:
            processes = list(self._pool._processes.values())  # noqa: SLF001 - public as kill_workers() from Python 3.14
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()


def _settle_in() -> None:
    """Yield to everything else, and never outlive the server."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    with contextlib.suppress(OSError):
        parent.join()
    os._exit(0)


@cache
def _canned(width: int, height: int) -> tuple[bytes, bytes]:
    """Return a valid MP4 of one second and a JPEG."""
    buffer, picture = io.BytesIO(), np.full((height, width, 3), (32, 48, 64), np.uint8)
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    thumbnail = io.BytesIO()
    Image.fromarray(picture).save(thumbnail, "JPEG")
    return buffer.getvalue(), thumbnail.getvalue()


def make_canned(order: Order, output: Path, mark: str, at_least: int) -> Made:
    """Write a tiny valid MP4 at once, different for each mark, with its company.

    Args:
        order: Its words become the subtitles; nothing of it is drawn.
        output: The MP4; ``.srt`` and ``.jpg`` stand beside it.
        mark: Kept in the file, so that no two videos have the same bytes.
        at_least: Bytes the file is padded to, without using memory for it.
    """
    wide, high = (int(n) for n in order.ratio.split(":"))
    (movie, thumbnail), note = _canned(wide * 16, high * 16), mark.encode()
    free = max(at_least - len(movie), 8 + len(note))
    with output.open("wb") as file:
        # A "free" box is skipped by every player.
        file.write(movie + struct.pack(">I4s", free, b"free") + note)
        file.truncate(len(movie) + free)
    text = " ".join(part.script for part in order.parts)
    srt = f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n"
    output.with_suffix(".srt").write_text(srt, encoding="utf-8")
    output.with_suffix(".jpg").write_bytes(thumbnail)
    duration_s = sum(length_s(part) for part in order.parts)
    return Made(duration_s, sound.sound_id(output))


def length_s(part: Part) -> float:
    """Return how long a part is expected to be; exact in fast mode."""
    if part.voice is not None:
        return sound.model(part.voice, part.script, part.speed).duration_s
    return part.duration_s
