"""MP4 files: write one, look into one, take its pictures and its sound."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from av.filter import Graph
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.files import put_in_place
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.drawing import Planes
from heygen_nb.preview.voice import Narration, Word

Picture = av.VideoFrame

# Of a scaled picture: the filter does not hear what colours a film's numbers mean.
KEEP = "flags=bicubic:in_color_matrix=bt709:out_color_matrix=bt709"
_BT709 = 1
_STUDIO_RANGE = 1
# One quantiser for all: pictures this plain need no rate control, and x264 then
# skips the half-size copies it would decide from (a quarter less CPU).
_QP = "22"
_KEYFRAME_EVERY = 120  # pictures: players seek badly over longer gaps
_AAC_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
THREADS = 2


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a folder beside a video; what is made in it is put in place as a whole.

    Raises:
        PreviewError: The disk or the codecs refused; what was there stays.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that what is finished is only renamed.
        with TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as new:
            yield Path(new)
            for file in Path(new).iterdir():
                put_in_place(file, target.with_name(file.name))
    except (OSError, av.FFmpegError) as exc:
        message = _("The video {name} could not be written: {reason}")
        advice = _("Make room there or allow writing, then try again.")
        raise PreviewError(
            message.format(name=target.name, reason=exc.strerror or exc),
            hint=advice if isinstance(exc, OSError) else "",
        ) from exc


def new_mp4(path: Path) -> av.container.OutputContainer:
    """Open a new MP4 that begins to play before it is loaded."""
    return av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})


def write_mp4(
    path: Path,
    pictures: Iterable[Picture],
    size: tuple[int, int],
    rate: int,
    speech: Narration,
) -> None:
    """Write pictures that are shown until the next one, with the speech beside them.

    Args:
        path: Written as it goes.
        pictures: Each with its number on the grid.
        size: Width and height, even.
        rate: Frames a second: the grid on which pictures stand.
        speech: What is heard.
    """
    sound = av.AudioFrame.from_ndarray(speech.samples[None], "fltp", "mono")
    sound.sample_rate, sound.pts = speech.sample_rate, 0
    with new_mp4(path) as container:
        video = add_picture(container, size, rate, Fraction(1, rate))
        video.options = {"preset": "ultrafast", "qp": _QP}
        known = speech.sample_rate in _AAC_RATES  # else PyAV resamples on the way
        sound_rate = speech.sample_rate if known else 44_100
        audio = add_sound(container, sound_rate, "mono", 64_000)
        mux(container, encoded(video, pictures), encoded(audio, [sound]))


def encoded(
    stream: av.VideoStream | av.AudioStream, frames: Iterable[Any]
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of a new file's stream."""
    for frame in chain(frames, [None]):
        if isinstance(frame, av.VideoFrame):
            frame.pict_type = 0  # as the encoder likes it, not as it was read
        yield from stream.encode(frame)


def mux(
    container: av.container.OutputContainer, *tracks: Iterator[av.Packet[Any]]
) -> None:
    """Write packets side by side, as they are seen and heard."""
    for packet in heapq.merge(*tracks, key=lambda p: (p.dts or 0) * p.time_base):
        container.mux(packet)


def blank(size: tuple[int, int]) -> tuple[Picture, Planes]:
    """Return a picture for :func:`write_mp4`, and its planes to be painted on."""
    picture = av.VideoFrame(*size, "yuv420p")
    picture.duration = 1  # the muxer stretches all but the last
    return picture, planes_of(picture)


def add_picture(
    container: av.container.OutputContainer,
    size: tuple[int, int],
    rate: Fraction | int,
    grid: Fraction,
) -> av.VideoStream:
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
    container: av.container.OutputContainer, rate: int, layout: str, bits: int
) -> av.AudioStream:
    """Add AAC to a new file."""
    # This coder is five times as fast and, for speech, nearer the original.
    return container.add_stream(
        "aac", rate=rate, layout=layout, bit_rate=bits, options={"aac_coder": "fast"}
    )


def planes_of(picture: Picture) -> Planes:
    """Return Y, U and V of a picture, to be written to."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            :, : plane.width
        ]
        for plane in picture.planes
    )
    return y, u, v


# Telegram: a JPEG of at most 320 px and 200 kB (core.telegram.org/bots/api).
_THUMBNAIL_PX = 320
_THUMBNAIL_BYTES = 200_000
_FAR_S = 5.0  # over less, decoding on is as fast as seeking


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
        frame = next(video_frames(container))
        length_s = (container.duration or 0) / av.time_base
        size = (frame.width, frame.height)[:: -1 if frame.rotation % 180 else 1]
        channels = [sound.channels for sound in container.streams.audio]
        return VideoFacts(length_s, *size, *channels[:1])


def check_film(path: Path) -> None:
    """Refuse what is no video, and a part of an MP4.

    One whose index comes first can be opened, and plays to where it was cut off.

    Raises:
        PreviewError: It is not the whole of a video.
    """
    probe_video(path)
    reached, size = 0, path.stat().st_size
    with path.open("rb") as film:
        while reached < size:
            film.seek(reached)
            head = film.read(16)
            if not reached and head[4:8] != b"ftyp":
                return  # another kind of file
            length = int.from_bytes(head[:4])
            length = int.from_bytes(head[8:]) if length == 1 else length
            reached += max(length, 8) if length else size  # 0: to the end
    if reached > size and length:
        problem = _("{got} of {expected} bytes came")
        raise PreviewError(problem, got=size, expected=reached)


def make_thumbnail(path: Path, output: Path) -> Path:
    """Save an early picture of a video as JPEG.

    Raises:
        PreviewError: It is not a video.
    """
    # The first picture is often a fade-in; one second later somebody speaks.
    [image] = pictures_at(path, [1.0])
    image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS)
    output.write_bytes(small_jpeg(image))
    return output


def pictures_at(
    path: Path, times_s: Iterable[float], *, rough: bool = False
) -> list[Image.Image]:
    """Return what is shown at these rising times; after the end the last picture.

    Args:
        path: The video.
        times_s: From its beginning.
        rough: Whether the key picture before will do: much faster.

    Raises:
        PreviewError: It is not a video.
    """
    found = []
    with open_video(path) as container:
        if rough and container.streams.video:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
        frames = video_frames(container)
        frame: av.VideoFrame = next(frames)
        following: av.VideoFrame | None = frame
        for time_s in times_s:
            if time_s > (frame.time or 0) + _FAR_S:
                container.seek(round(time_s * av.time_base))  # the key picture before
                frames = video_frames(container)
                following = next(frames)
            while following and (following.time or 0) <= time_s:
                frame, following = following, next(frames, None)
            image = Image.fromarray(frame.to_ndarray(format="rgb24"))
            found.append(image.rotate(frame.rotation, expand=True))
    return found


def small_jpeg(image: Image.Image, max_bytes: int = _THUMBNAIL_BYTES) -> bytes:
    """Return as good a JPEG as the size allows."""
    for quality in (88, 75, 60, 40, 20):
        data = BytesIO()
        image.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= max_bytes:
            break
    return data.getvalue()


def open_video(path: Path) -> av.container.InputContainer:
    """Open a file for reading.

    Raises:
        PreviewError: It is missing or no video.
    """
    try:
        return av.open(str(path))
    except (OSError, av.FFmpegError) as exc:
        raise _not_a_video(path) from exc


def _not_a_video(path: Path) -> PreviewError:
    return PreviewError(_("{name} is not a playable video."), name=path.name)


def video_frames(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """Yield at least one picture, and what more can be decoded."""
    try:
        decoded = container.decode(video=0)
        yield next(decoded)
    except (StopIteration, IndexError, OSError, av.FFmpegError) as exc:
        raise _not_a_video(Path(container.name)) from exc
    with suppress(av.FFmpegError):
        yield from decoded


def filtered(
    frames: Iterable[Any],
    like: av.AudioStream | av.VideoStream,
    *steps: tuple[str, str],
) -> Iterator[Any]:
    """Yield what becomes of the frames of a stream in filters, one after the other."""
    graph = Graph()
    if isinstance(like, av.VideoStream):
        source, sink = graph.add_buffer(template=like), graph.add("buffersink")
    else:
        source, sink = graph.add_abuffer(template=like), graph.add("abuffersink")
    middle = [graph.add(name, settings) for name, settings in steps]
    graph.link_nodes(source, *middle, sink).configure()
    for frame in chain(frames, [None]):
        graph.push(frame)
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                yield graph.pull()


def looped(path: Path, size: tuple[int, int], rate: int) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a video again and again, cut to fill a canvas.

    Raises:
        PreviewError: It is not a video.
    """
    width, height = size
    filling = f"{width}:{height}:force_original_aspect_ratio=increase"
    while True:
        with open_video(path) as container:
            yield from filtered(
                video_frames(container),
                container.streams.video[0],
                ("fps", f"{rate}"),
                ("scale", f"{filling}:{KEEP}"),
                ("crop", f"{width}:{height}"),
                ("format", "yuv420p"),
            )


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


def stretched(sound: Narration, seconds: float) -> Narration:
    """Return the same speech in so many seconds, at its own pitch."""
    by = seconds / sound.duration_s
    with av.open(BytesIO(sound.to_wav()), "r") as container:
        stream = container.streams.audio[0]
        steps = ("atempo", f"{1 / by}"), ("aformat", "sample_fmts=flt")
        parts = filtered(container.decode(stream), stream, *steps)
        samples = np.concatenate([part.to_ndarray()[0] for part in parts])
    # The filter misses by some ms.
    samples.resize(round(seconds * sound.sample_rate), refcheck=False)
    words = [Word(w.text, w.start_s * by, w.end_s * by) for w in sound.words]
    return Narration(samples, sound.sample_rate, tuple(words))
