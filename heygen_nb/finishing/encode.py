"""One pass over a film: what is asked for is made anew, the rest is copied.

Besides: which part of a film fills another canvas, and how loud a sound is.
"""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np

from heygen_nb.errors import PreviewError
from heygen_nb.files import put_in_place
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.video import (
    THREADS,
    add_picture,
    add_sound,
    open_video,
    planes_of,
    probe_video,
    whole,
)
from heygen_nb.preview.voice import filters, pulled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.filter import Graph
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from heygen_nb.preview.captions import Subtitles

    AnyPacket = Packet[Any]

Crop = tuple[int, int, int, int]  # left, top, width, height; all even
# Measured on films of 0.7 to 3 Mbit/s against ``veryfast`` at crf 20: as near to the
# film (SSIM 0.974 to 0.989) in as few bytes, at 0.4 to 0.6 of the CPU. One quantiser
# for all saves the looking ahead; arithmetic coding and the filter against blocks are
# what ``ultrafast`` leaves out at the wrong end.
BY_QUALITY: dict[str, object] = {
    "preset": "ultrafast",
    "qp": "22",
    "x264-params": "cabac=1:deblock=0,0",
}
# Where bits are few, more is thought about each. Few pictures are held at a time: the
# default looks 10 ahead and keeps 100 MB for it.
_BY_BITS: dict[str, object] = {
    "preset": "veryfast",
    "x264-params": "rc-lookahead=1:sync-lookahead=0:sliced-threads=1:bframes=0",
}
_GRID = 25  # a second: as fine as captions change in a film of few pictures
_AUDIO_BITS = 128_000
_LEAST_AUDIO_BITS = 96_000


@dataclass(frozen=True, slots=True)
class PictureWork:
    """How the picture is made anew.

    Attributes:
        size: Width and height it gets; both even.
        crop: The part of the film that is kept; None keeps all of it.
        overlay: The captions.
        bits: A second; None asks for a quality instead.
    """

    size: tuple[int, int]
    crop: Crop | None = None
    overlay: Subtitles | None = None
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class SoundWork:
    """How the sound is made anew.

    Attributes:
        gain_db: Made louder by; peaks are held below −1 dB.
        bits: A second.
    """

    gain_db: float = 0.0
    bits: int = _AUDIO_BITS


def rewrite(
    source: Path,
    target: Path,
    *,
    picture: PictureWork | None = None,
    sound: SoundWork | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write the film anew; an older ``target`` stays until this one is whole.

    Args:
        source: The film; never changed.
        target: An MP4, on any disk.
        picture: What happens to the picture; None copies it as it is.
        sound: What happens to the sound; None copies it as it is.
        tags: Written into the file, such as ``title`` and ``comment``.

    Raises:
        PreviewError: The film cannot be read, or the new one not be written.
    """
    with whole(target) as folder:
        part = folder / target.name
        with (
            open_video(source) as read,
            av.open(
                str(part), "w", format="mp4", options={"movflags": "+faststart"}
            ) as written,
        ):
            written.metadata.update(tags or {})
            tracks: dict[int, _Copy | _Picture | _Sound] = {}
            video = read.streams.video[0]
            tracks[video.index] = (
                _Picture(video, written, picture) if picture else _Copy(video, written)
            )
            for audio in read.streams.audio[:1]:
                tracks[audio.index] = (
                    _Sound(audio, written, sound) if sound else _Copy(audio, written)
                )
            written.start_encoding()  # here: not by two threads at once
            for packet in read.demux([read.streams[index] for index in tracks]):
                for made in tracks[packet.stream.index].take(packet):
                    written.mux(made)
            for track in tracks.values():
                for made in track.rest():
                    written.mux(made)
        put_in_place(part, target)


class _Copy:
    def __init__(
        self, stream: VideoStream | AudioStream, written: OutputContainer
    ) -> None:
        self._stream = written.add_stream_from_template(stream)

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        if packet.dts is not None:
            packet.stream = self._stream
            yield packet

    def rest(self) -> Iterator[AnyPacket]:
        return iter(())


class _Sound:
    def __init__(
        self, stream: AudioStream, written: OutputContainer, work: SoundWork
    ) -> None:
        layout = stream.layout.name
        self._stream = add_sound(written, stream.rate, layout, work.bits)
        self._graph = filters(
            stream,
            ("volume", f"{work.gain_db:.2f}dB"),
            ("alimiter", "limit=0.89:level=0:latency=1"),
        )

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        for frame in packet.decode():
            self._graph.push(frame)
            yield from self._encoded()

    def _encoded(self) -> Iterator[AnyPacket]:
        for frame in pulled(self._graph):
            yield from self._stream.encode(cast("AudioFrame", frame))

    def rest(self) -> Iterator[AnyPacket]:
        self._graph.push(None)
        yield from self._encoded()
        yield from self._stream.encode(None)


class _Picture:
    """Decodes, cuts, letters and encodes the pictures of a film."""

    def __init__(
        self, stream: VideoStream, written: OutputContainer, work: PictureWork
    ) -> None:
        self._work = work
        # Pictures are decoded while others are encoded.
        stream.thread_type, stream.codec_context.thread_count = "AUTO", THREADS
        # Pictures may stand anywhere (ours do), so the grid is the source's own.
        self._base = stream.time_base or Fraction(1, 90_000)
        rate = stream.average_rate or _GRID
        self._stream = add_picture(written, work.size, rate, self._base)
        self._stream.options = BY_QUALITY
        if work.bits:
            self._stream.bit_rate = work.bits
            limits = {"maxrate": str(work.bits), "bufsize": str(2 * work.bits)}
            self._stream.options = _BY_BITS | limits
        self._graph = _cutter(stream, work)
        # One thread encodes a picture while the next is read, cut and lettered.
        self._encoder = ThreadPoolExecutor(1)
        self._made: Future[Iterable[AnyPacket]] = Future()
        self._made.set_result(())
        self._held: VideoFrame | None = None
        self._step = 0  # the length of the picture before, for the last one

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        for frame in packet.decode():
            if self._held is not None:
                yield from self._show(
                    self._held, (frame.pts or 0) - (self._held.pts or 0)
                )
            self._held = frame

    def rest(self) -> Iterator[AnyPacket]:
        if self._held is not None:
            yield from self._show(self._held, self._held.duration or self._step)
        yield from self._encoded(None)
        yield from self._made.result()
        self._encoder.shutdown()

    def _show(self, frame: VideoFrame, ticks: int) -> Iterator[AnyPacket]:
        """Encode a picture, again where the captions change while it stands."""
        self._step = ticks
        at, overlay = frame.pts or 0, self._work.overlay
        if self._graph:
            self._graph.vpush(frame)
            frame = self._graph.vpull()
        parts = max(round(ticks * self._base * _GRID), 1) if overlay else 1
        shown: object = None
        for part in range(parts):
            # Half a step ahead: rounds to the nearest picture instead of the next.
            now = float((at + ticks * (part + 0.5) / parts) * self._base)
            if part and overlay and overlay.state(now) == shown:
                continue
            copy = frame
            if parts > 1:
                pixels = frame.to_ndarray()
                copy = av.VideoFrame.from_ndarray(pixels, frame.format.name)
            if overlay:
                copy.make_writable()
                shown = overlay.put_on(planes_of(copy), now)
            copy.pts = at + ticks * part // parts
            copy.pict_type = 0
            yield from self._encoded(copy)

    def _encoded(self, frame: VideoFrame | None) -> Iterator[AnyPacket]:
        """Give a picture to the encoder; return what it has made of the one before."""
        yield from self._made.result()
        self._made = self._encoder.submit(self._stream.encode, frame)


def _cutter(stream: VideoStream, work: PictureWork) -> Graph | None:
    """Return what cuts and scales the pictures; None when they stay as they are."""
    if not work.crop and work.size == (stream.width, stream.height):
        return None
    left, top, width, height = work.crop or (0, 0, stream.width, stream.height)
    return filters(
        stream,
        ("crop", f"{width}:{height}:{left}:{top}"),
        ("scale", "{}:{}:flags=bicubic".format(*work.size)),
        ("format", "yuv420p"),
    )


_LOWEST_BITS = 60_000
_SPARE = 0.94  # the container's own bytes, and what x264 misses its aim by
_TRIES = 3


def shrink_video(
    source: Path, target: Path, *, max_bytes: int, short_px: float = math.inf
) -> Path:
    """Encode a video again so that it fits; the source is untouched.

    Args:
        source: The video.
        target: Where the new one goes.
        max_bytes: What it may have at most.
        short_px: How long its shorter side may be.

    Raises:
        PreviewError: It is not a video, or cannot be made that small.
    """
    facts = probe_video(source)
    bits = max_bytes * 8 * _SPARE / max(facts.duration_s, 0.1) - _LEAST_AUDIO_BITS
    with whole(target) as folder:
        part = folder / target.name
        for _try in range(_TRIES):
            if bits < _LOWEST_BITS:
                break
            # Few bits look better on fewer pixels.
            scale = min(
                (bits / 1_000_000) ** 0.5 * 1280 / max(facts.width, facts.height),
                short_px / min(facts.width, facts.height),
                1.0,
            )
            size = _even(facts.width * scale), _even(facts.height * scale)
            picture = PictureWork(size, bits=round(bits))
            rewrite(
                source, part, picture=picture, sound=SoundWork(bits=_LEAST_AUDIO_BITS)
            )
            if part.stat().st_size <= max_bytes:
                return put_in_place(part, target)
            bits *= max_bytes / part.stat().st_size * 0.95
    message = _("The video {name} is too long to fit into {size} MB.")
    raise PreviewError(message.format(name=source.name, size=max_bytes // 1_000_000))


def _even(value: float) -> int:
    return max(round(value / 2) * 2, 2)


def crop_to(
    size: tuple[int, int], ratio: str, focus: tuple[float, float] = (0.5, 0.5)
) -> tuple[Crop | None, tuple[int, int]]:
    """Return the part of a picture that fills another canvas, and its new size.

    Args:
        size: Width and height of the film.
        ratio: The canvas, such as ``9:16``.
        focus: What stays in sight, from left and top, 0 to 1.

    Returns:
        The part, None if the film has that shape already; the short side keeps its
        length.
    """
    width, height = size
    across, down = (int(part) for part in ratio.split(":"))
    if abs(width * down - height * across) <= 2 * max(across, down):
        return None, size
    kept = (
        _even(min(width, height * across / down)),
        _even(min(height, width * down / across)),
    )
    left, top = (
        _even(min(max(whole * at - part / 2, 0), whole - part))
        for whole, part, at in zip(size, kept, focus, strict=True)
    )
    scale = min(size) / min(across, down)
    return (left, top, *kept), (_even(across * scale), _even(down * scale))


SILENT_LUFS = -70.0  # by ITU-R BS.1770-4
_SHELF_HZ, _SHELF_Q, _SHELF_GAIN = 1681.97, 0.70718, 1.58486  # 4 dB
_PASS_HZ, _PASS_Q = 38.1355, 0.50033
_OFFSET = -0.691


def loudness_lufs(samples: NDArray[np.float32], rate: int, channels: int) -> float:
    """Return the integrated loudness of a voice; −70 for silence.

    Args:
        samples: Mono, or the mean of channels that are the same.
        rate: Samples a second.
        channels: They are heard together, so two are 3 LU louder than one.
    """
    size = rate // 10
    parts = samples[: len(samples) // size * size].reshape(-1, size)
    if len(parts) < 4:  # noqa: PLR2004 - a block is 400 ms
        return SILENT_LUFS
    # The standard's filters weigh frequencies, so the spectrum is all that is needed.
    weight = _weight(np.arange(size // 2 + 1) * rate / size) * 2 / size**2 * channels
    power = np.array([np.abs(np.fft.rfft(part)) ** 2 @ weight for part in parts])
    blocks = np.convolve(power, np.full(4, 0.25), "valid")
    gate = 10 ** ((SILENT_LUFS - _OFFSET) / 10)
    for _gate in ("absolute", "relative"):
        blocks = blocks[blocks > gate]
        if not len(blocks):
            return SILENT_LUFS
        gate = blocks.mean() / 10  # 10 LU below the mean
    blocks = blocks[blocks > gate]
    return float(_OFFSET + 10 * np.log10(blocks.mean()))


def _weight(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the power of each frequency counts."""
    s = 1j * hz / _SHELF_HZ
    middle = _SHELF_GAIN**0.49967
    shelf = (_SHELF_GAIN * s**2 + middle * s / _SHELF_Q + 1) / (s**2 + s / _SHELF_Q + 1)
    s = 1j * hz / _PASS_HZ
    high = s**2 / (s**2 + s / _PASS_Q + 1)
    weight: NDArray[np.float64] = np.abs(shelf * high) ** 2
    return weight
