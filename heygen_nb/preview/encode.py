"""MP4 writing: H.264 and AAC by PyAV, muxed side by side, ready for streaming."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import av
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

    from heygen_nb.preview.voice import Speech

# ITU-R BT.709, studio range: Y 16..235, Cb and Cr 16..240. Pillow's matrices.
_R, _B = 0.2126, 0.0722
_G = 1 - _R - _B
_LUMA = (_R * 219 / 255, _G * 219 / 255, _B * 219 / 255, 16)
_IN_BLUE, _IN_RED = 112 / 255 / (1 - _B), 112 / 255 / (1 - _R)
_CB = (-_R * _IN_BLUE, -_G * _IN_BLUE, 112 / 255, 128)
_CR = (112 / 255, -_G * _IN_RED, -_B * _IN_RED, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A rectangle of a picture; its place and size are even.

    Attributes:
        x: Left edge in the whole picture.
        y: Upper edge.
        planes: Y, and U and V of half the size.
    """

    x: int
    y: int
    planes: tuple[Plane, Plane, Plane]

    def put_on(self, frame: tuple[Plane, Plane, Plane]) -> None:
        """Copy the patch into the planes of a whole picture."""
        for plane, part, shift in zip(frame, self.planes, (0, 1, 1), strict=True):
            height, width = part.shape
            x, y = self.x >> shift, self.y >> shift
            plane[y : y + height, x : x + width] = part


def to_patch(image: Image.Image, x: int = 0, y: int = 0) -> Patch:
    """Turn an RGB image into a patch; each 2x2 pixels share their mean colour."""
    small = image.reduce(2)
    luma, blue, red = (
        np.asarray(source.convert("L", matrix))
        for source, matrix in ((image, _LUMA), (small, _CB), (small, _CR))
    )
    return Patch(x, y, (luma, blue, red))


_BT709 = 1
_STUDIO_RANGE = 1
# One quantiser for all: pictures this plain need no rate control, and x264 then
# skips the half-size copies it would decide from (a quarter less CPU).
_QP = "22"
_KEYFRAME_EVERY = 120  # written frames, about 8 s
_AAC_FRAME = 1024
_AAC_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_THREADS = 2


class Mp4Writer:
    """Writes frames that are shown until the next one, with the speech beside them.

    Args:
        path: Written as it goes; the caller renames or removes it.
        size: Width and height, even.
        rate: Frames a second: the grid on which frames stand.
        speech: What is heard.

    Attributes:
        planes: Y, U and V of the picture that the next ``show`` writes.
    """

    def __init__(
        self, path: Path, *, size: tuple[int, int], rate: int, speech: Speech
    ) -> None:
        self._container = av.open(
            str(path), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._rate = rate
        self._speech = speech
        self._said = 0
        self._video = self._add_video(size)
        self._audio = self._add_audio()
        self._frame = av.VideoFrame(*size, "yuv420p")
        self.planes = _views(self._frame)

    def show(self, number: int) -> None:
        """Write the planes as the picture from frame ``number`` on."""
        self._say_until(number / self._rate)
        self._frame.pts = number
        self._frame.duration = 1  # the muxer stretches all but the last
        self._container.mux(self._video.encode(self._frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the rest and the index; after an error only let go of the file."""
        if kind is None:
            self._say_until(self._speech.duration_s)
            for stream in (self._video, self._audio):
                self._container.mux(stream.encode(None))
            self._container.close()
            return
        with suppress(av.FFmpegError):
            self._container.close()

    def picture(self, max_side_px: int) -> Image.Image:
        """Return what the planes show now, reduced to fit a square."""
        width, height = self._frame.width, self._frame.height
        scale = min(max_side_px / max(width, height), 1)
        small = self._frame.reformat(
            width=round(width * scale),
            height=round(height * scale),
            format="rgb24",
            src_colorspace="ITU709",
        )
        return Image.fromarray(small.to_ndarray())

    def _say_until(self, time_s: float) -> None:
        """Encode sound up to there, so that sound and picture lie side by side."""
        samples = self._speech.samples
        until = min(round(time_s * self._speech.sample_rate), len(samples))
        while self._said < until:
            part = samples[self._said : self._said + _AAC_FRAME]
            frame = av.AudioFrame.from_ndarray(part[None, :], "fltp", "mono")
            frame.sample_rate = self._speech.sample_rate
            frame.pts = self._said
            self._said += len(part)
            self._container.mux(self._audio.encode(frame))

    def _add_video(self, size: tuple[int, int]) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "qp": _QP}
        context = stream.codec_context
        context.time_base = Fraction(1, self._rate)
        context.thread_count = _THREADS
        context.gop_size = _KEYFRAME_EVERY
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _STUDIO_RANGE
        return stream

    def _add_audio(self) -> AudioStream:
        rate = self._speech.sample_rate
        known = rate in _AAC_RATES  # else PyAV resamples on the way
        stream = self._container.add_stream("aac", rate=rate if known else 44_100)
        stream.layout = "mono"
        stream.bit_rate = 64_000
        # Five times as fast as the default and, for speech, nearer the original.
        stream.options = {"aac_coder": "fast"}
        return stream


def _views(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            :, : plane.width
        ]
        for plane in frame.planes
    )
    return y, u, v
