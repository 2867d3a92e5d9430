"""MP4 files: write one, look into one, take its pictures and its sound."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self, cast

import av
import numpy as np
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.voice import Narration, Word, filters, pulled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from heygen_nb.preview.layout import Plane

_BT709 = 1
_STUDIO_RANGE = 1
# One quantiser for all: pictures this plain need no rate control, and x264 then
# skips the half-size copies it would decide from (a quarter less CPU).
_QP = "22"
_KEYFRAME_EVERY = 120  # pictures: players seek badly over longer gaps
_AAC_FRAME = 1024
_AAC_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
THREADS = 2


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a folder beside a video for the new one; nothing half-written stays.

    Raises:
        PreviewError: The disk or the codecs refused.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that what is finished is only renamed.
        with TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as new:
            yield Path(new)
    except (OSError, av.FFmpegError) as exc:
        message = _("The video {name} could not be written: {reason}")
        advice = _("Make room there or allow writing, then try again.")
        raise PreviewError(
            message.format(name=target.name, reason=exc.strerror or exc),
            hint=advice if isinstance(exc, OSError) else "",
        ) from exc


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
        self, path: Path, size: tuple[int, int], rate: int, speech: Narration
    ) -> None:
        self._container = av.open(
            str(path), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._rate = rate
        self._speech = speech
        self._said = 0
        self._video = add_picture(self._container, size, rate, Fraction(1, rate))
        self._video.options = {"preset": "ultrafast", "qp": _QP}
        known = speech.sample_rate in _AAC_RATES  # else PyAV resamples on the way
        sound_rate = speech.sample_rate if known else 44_100
        self._audio = add_sound(self._container, sound_rate, "mono", 64_000)
        self._frame = av.VideoFrame(*size, "yuv420p")
        self.planes = planes_of(self._frame)

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


def add_picture(
    container: OutputContainer,
    size: tuple[int, int],
    rate: Fraction | int,
    grid: Fraction,
) -> VideoStream:
    """Add H.264 to a new file, with the colours that its numbers mean.

    Args:
        container: The file.
        size: Width and height, even.
        rate: Pictures a second, about.
        grid: The time base on which they stand.
    """
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = grid
    context.thread_count = THREADS
    context.gop_size = _KEYFRAME_EVERY
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _STUDIO_RANGE
    return stream


def add_sound(
    container: OutputContainer, rate: int, layout: str, bits: int
) -> AudioStream:
    """Add AAC to a new file."""
    stream = container.add_stream("aac", rate=rate)
    stream.layout = layout
    stream.bit_rate = bits
    # Five times as fast as the default and, for speech, nearer the original.
    stream.options = {"aac_coder": "fast"}
    return stream


def planes_of(frame: VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Return Y, U and V of a picture, to be written to."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            :, : plane.width
        ]
        for plane in frame.planes
    )
    return y, u, v


# Telegram: a JPEG of at most 320 px and 200 kB (core.telegram.org/bots/api).
THUMBNAIL_PX = 320
THUMBNAIL_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video file is.

    Attributes:
        duration_s: Its length.
        width: In pixels, as it is shown.
        height: In pixels.
        channels: Of its sound; 0 is none.
    """

    duration_s: float
    width: int
    height: int
    channels: int = 0


def probe_video(path: Path) -> VideoFacts:
    """Open a video and decode its first picture.

    Raises:
        PreviewError: It is missing, not a video, or has no picture.
    """
    with open_video(path) as container:
        frame = next(video_frames(container, path))
        stream = container.streams.video[0]
        length = container.duration / av.time_base if container.duration else 0.0
        if not length and stream.duration and stream.time_base:
            length = float(stream.duration * stream.time_base)
        width, height = frame.width, frame.height
        if frame.rotation % 180:
            width, height = height, width
        channels = [sound.channels for sound in container.streams.audio]
        return VideoFacts(length, width, height, *channels[:1])


def make_thumbnail(
    path: Path,
    output: Path,
    *,
    max_side_px: int = THUMBNAIL_PX,
    max_bytes: int = THUMBNAIL_BYTES,
) -> Path:
    """Save an early picture of a video as JPEG.

    Raises:
        PreviewError: It is not a video.
    """
    # The first picture is often a fade-in; one second later somebody speaks.
    (image,) = pictures_at(path, [1.0])
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    save_jpeg(image, output, max_bytes=max_bytes)
    return output


def pictures_at(
    path: Path, times_s: Iterable[float], *, part: int = 1, rough: bool = False
) -> list[Image.Image]:
    """Return what is shown at these rising times; after the end the last picture.

    Args:
        path: The video.
        times_s: From its beginning.
        part: Of its width and height the pictures have; 2 is a half.
        rough: Whether the key picture before will do: much faster.

    Raises:
        PreviewError: It is not a video.
    """
    found = []
    keys_s = _key_times(path)
    with open_video(path) as container:
        if rough and container.streams.video:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
        frames = video_frames(container, path)
        frame = next(frames)
        following: VideoFrame | None = frame
        for time_s in times_s:
            near_s = max((key for key in keys_s if key <= time_s), default=0.0)
            if near_s > (frame.time or 0) + 1:  # else decoding on is as fast
                container.seek(round(near_s * av.time_base))
                frames = video_frames(container, path)
                following = next(frames)
            while following and (following.time or 0) <= time_s:
                frame, following = following, next(frames, None)
            small = frame.reformat(frame.width // part, frame.height // part, "rgb24")
            image = Image.fromarray(small.to_ndarray())
            found.append(image.rotate(frame.rotation, expand=True))
    return found


def _key_times(path: Path) -> list[float]:
    """Return where a decoder may begin; found without decoding anything."""
    with open_video(path) as container:
        return [
            float(packet.pts * packet.time_base)
            for packet in container.demux(container.streams.video[:1])
            if packet.is_keyframe and packet.pts is not None
        ]


def save_jpeg(
    image: Image.Image, path: Path, *, max_bytes: int = THUMBNAIL_BYTES
) -> None:
    """Save as good a JPEG as the size allows."""
    for quality in (88, 75, 60, 40, 20):
        data = BytesIO()
        image.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= max_bytes:
            break
    path.write_bytes(data.getvalue())


def open_video(path: Path) -> InputContainer:
    """Open a file for reading.

    Raises:
        PreviewError: It is missing or no video.
    """
    try:
        return av.open(str(path))
    except (OSError, av.FFmpegError) as exc:
        raise _not_a_video(path) from exc


def _not_a_video(path: Path) -> PreviewError:
    return PreviewError(_("{name} is not a playable video.").format(name=path.name))


def video_frames(container: InputContainer, path: Path) -> Iterator[VideoFrame]:
    """Yield at least one picture, and what more can be decoded."""
    try:
        decoded = container.decode(video=0)
        yield next(decoded)
    except (StopIteration, IndexError, OSError, av.FFmpegError) as exc:
        raise _not_a_video(path) from exc
    with suppress(av.FFmpegError):
        yield from decoded


def looped(path: Path, size: tuple[int, int], rate: int) -> Iterator[VideoFrame]:
    """Yield the pictures of a video again and again, cut to fill a canvas.

    Raises:
        PreviewError: It is not a video.
    """
    width, height = size
    filling = f"{width}:{height}:force_original_aspect_ratio=increase"
    while True:
        with open_video(path) as container:
            graph = filters(
                container.streams.video[0],
                ("fps", f"{rate}"),
                ("scale", filling),
                ("crop", f"{width}:{height}"),
                ("format", "yuv420p"),
            )
            for frame in chain(video_frames(container, path), [None]):
                graph.push(frame)
                yield from cast("Iterator[VideoFrame]", pulled(graph))


def read_sound(path: Path, words: tuple[Word, ...] = ()) -> Narration:
    """Return the sound of a file, mixed to one channel.

    Raises:
        PreviewError: It has no sound.
    """
    chunks = [np.zeros(0, np.float32)]
    with open_video(path) as container:
        if not container.streams.audio:
            raise PreviewError(_("{name} has no sound.").format(name=path.name))
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", stream.rate)
        with suppress(av.FFmpegError):  # what is cut off is heard as far as it goes
            for frame in [*container.decode(stream), None]:
                chunks += [f.to_ndarray()[0] for f in resampler.resample(frame)]
        return Narration(np.concatenate(chunks), stream.rate, words)
