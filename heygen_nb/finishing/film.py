"""A film becomes a video: captions, another canvas, loudness, labels, fewer bytes.

One pass over it: what is asked for is made anew, the rest is copied. And a film that
is made of a sound alone.
"""

from __future__ import annotations

import math
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.files import put_in_place
from heygen_nb.i18n import gettext as _
from heygen_nb.preview import (
    EspeakVoice,
    Narration,
    Rendered,
    Scene,
    VideoFacts,
    Word,
    probe_video,
    read_sound,
    render_scene,
)
from heygen_nb.preview.captions import (
    CaptionPage,
    Subtitles,
    said_as_written,
    set_pages,
    shared,
    to_srt,
)
from heygen_nb.preview.drawing import Layout, Palette, lay_out, palette_for
from heygen_nb.preview.video import (
    THREADS,
    add_picture,
    add_sound,
    open_video,
    pictures_at,
    planes_of,
    whole,
)
from heygen_nb.preview.voice import filters, pulled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from heygen_nb.models import AspectRatio

    # Takes a packet of the film, the last one empty, and gives those of the new one.
    Track = Callable[[Packet[Any]], Iterator[Packet[Any]]]

LOUDNESS_LUFS = -14.0  # what phones' feeds play at
_NEAR_LU = 0.5
_SAMPLED = (0.2, 0.5, 0.8)  # of the length: where the captions' colours are chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What is done to a film.

    Attributes:
        script: What is said; captions spell it as it is written here.
        said: The script as it is pronounced, if that differs.
        captions: Whether the words are shown.
        lit: Whether the word being said is lit.
        words: When each word is said, if HeyGen told it.
        subtitles: HeyGen's SRT, for a film without ``words``; with neither the
            times are found in the sound.
        with_avatar: As in the animatic, whose captions stand at the same place.
        aspect_ratio: Another canvas; None keeps the film's.
        focus: What a crop keeps in sight, from left and top, 0 to 1.
        loudness_lufs: How loud; None keeps the sound as it is.
        title: Written into the file.
        label: Written into the file, such as that an AI made it.
    """

    script: str = ""
    said: str = ""
    captions: bool = True
    lit: bool = True
    words: tuple[Word, ...] = ()
    subtitles: str = ""
    with_avatar: bool = True
    aspect_ratio: AspectRatio | None = None
    focus: tuple[float, float] = (0.5, 0.5)
    loudness_lufs: float | None = LOUDNESS_LUFS
    title: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished film.

    Attributes:
        path: The MP4.
        facts: Its length and size.
        layout: Where the captions stand.
        pages: The captions that are burned in.
        gain_db: By how much the sound was made louder; 0 left it as it was.
    """

    path: Path
    facts: VideoFacts
    layout: Layout
    pages: tuple[CaptionPage, ...]
    gain_db: float


def finish(source: Path, target: Path, wish: Finish) -> Finished:
    """Finish a film: what needs no new encoding is copied.

    Args:
        source: The film as it was bought; never changed.
        target: The MP4; an older one stays until this one is whole.
        wish: What is done.

    Raises:
        PreviewError: The film cannot be read, or the new one not be written.
    """
    facts = probe_video(source)
    sound = read_sound(source) if facts.channels else None
    # H.264 as players know it has even sides only.
    crop, size = None, (facts.width // 2 * 2, facts.height // 2 * 2)
    if wish.aspect_ratio:
        crop, size = crop_to(size, wish.aspect_ratio, wish.focus)
    layout, pages = caption_pages(wish, size, facts.duration_s, sound)
    overlay, gain_db = None, 0.0
    if pages:
        palette = _palette(source, facts, crop, layout)
        overlay = Subtitles(pages, layout, palette, lit=wish.lit)
    if sound and wish.loudness_lufs is not None:
        heard = loudness_lufs(sound.samples, sound.sample_rate, facts.channels)
        near = abs(wish.loudness_lufs - heard) <= _NEAR_LU
        gain_db = 0.0 if near or heard <= SILENT_LUFS else wish.loudness_lufs - heard
    rewrite(
        source,
        target,
        picture=PictureWork(size, crop, overlay) if crop or overlay else None,
        gain_db=gain_db or None,
        tags={"title": wish.title, "comment": wish.label},
    )
    return Finished(target, probe_video(target), layout, pages, gain_db)


def caption_pages(
    wish: Finish, size: tuple[int, int], duration_s: float, sound: Narration | None
) -> tuple[Layout, tuple[CaptionPage, ...]]:
    """Return where the captions stand, and what they show when; none if unwanted."""
    layout = lay_out(*size, with_avatar=wish.with_avatar, with_captions=wish.captions)
    words = heard_words(wish, sound) if wish.captions else ()
    return set_pages(layout, words, duration_s) if words else (layout, ())


def heard_words(wish: Finish, sound: Narration | None) -> tuple[Word, ...]:
    """Return the script's words with the times at which they are said."""
    heard = wish.words or words_of_srt(wish.subtitles)
    if not heard and sound:
        heard = timed_by_ear(wish.said or wish.script, sound)
    return said_as_written(wish.script, heard) if wish.script and heard else heard


_CUE = re.compile(
    r"(\d+:\d\d:\d\d[,.]\d{3}) *--> *(\d+:\d\d:\d\d[,.]\d{3}).*\n"
    r"((?:.+(?:\n|$))*)"
)


def words_of_srt(text: str) -> tuple[Word, ...]:
    """Return the words of subtitles; within a cue each gets its letters' share."""
    cues = (shared(said, start_s, end_s) for start_s, end_s, said in _cues(text))
    return tuple(chain.from_iterable(cues))


def respelled(subtitles: str, script: str) -> str:
    """Return subtitles with the words as a script spells them, cue by cue."""
    words = said_as_written(script, words_of_srt(subtitles))
    pages = []
    for start_s, end_s, _said in _cues(subtitles):
        line = tuple(word for word in words if start_s <= word.start_s < end_s)
        pages += [CaptionPage((line,), start_s, end_s)] if line else []
    return to_srt(pages)


def _cues(text: str) -> Iterator[tuple[float, float, list[str]]]:
    for *times, said in _CUE.findall(text.replace("\r\n", "\n")):
        start_s, end_s = (
            int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
            for hours, minutes, seconds in (time.split(":") for time in times)
        )
        yield start_s, end_s, said.split()


def timed_by_ear(script: str, sound: Narration) -> tuple[Word, ...]:
    """Return when the words are probably said, from where the sound is not silent.

    The local voice says the script; the share of speaking it has done until a word
    is the share the sound has done until then. Pauses fall out on both sides.
    """
    model = EspeakVoice().speak(script)
    spoken, heard = _voiced(model), _voiced(sound)
    if not len(heard) or not len(spoken):
        return ()
    pauses, pauses_heard = _pauses(spoken), _pauses(heard)

    def at(seconds: float, last: int) -> float:
        done = np.searchsorted(spoken, seconds)
        index = min(int(done / len(spoken) * len(heard)), len(heard))
        # beside a pause a step too far is a pause too far: they are paired
        near = pauses_heard[np.abs(pauses_heard - index) <= _NEAR]
        if len(near) and np.any(np.abs(pauses - done) <= _NEAR):
            index = near[np.abs(near - index).argmin()]
        index = min(max(index - last, 0), len(heard) - 1)
        return float(heard[index]) + last * _STEP_S

    # A word ends with the last sound before its end, and not after a pause.
    words = []
    for word in model.words:
        start_s = end_s = at(word.start_s, 0)
        if word.end_s > word.start_s:
            end_s = max(at(word.end_s, 1), start_s)
        words.append(Word(word.text, start_s, end_s))
    return tuple(words)


_STEP_S = 0.02
_QUIET = 0.06  # of how loud the voice is at its loudest
_PAUSE_S = 0.1
_NEAR = 10  # steps


def _voiced(sound: Narration) -> NDArray[np.floating]:
    """Return the times at which somebody speaks."""
    loud = sound.power(_STEP_S)
    floor = _QUIET * float(np.percentile(loud, 95)) if len(loud) else 0.0
    return np.flatnonzero(loud > max(floor, 1e-4)) * _STEP_S


def _pauses(times: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the numbers of those before which nobody spoke for a while."""
    return np.flatnonzero(np.diff(times) > _PAUSE_S) + 1


def _palette(
    source: Path, facts: VideoFacts, crop: Crop | None, layout: Layout
) -> Palette:
    """Choose colours that read well on the film where the captions stand."""
    left, top, width, height = crop or (0, 0, facts.width, facts.height)
    times = [facts.duration_s * part for part in _SAMPLED]
    box = layout.captions
    seen = Image.new("RGB", (box.width, box.height * len(times)))
    for number, picture in enumerate(pictures_at(source, times, part=4, rough=True)):
        across, down = picture.width / facts.width, picture.height / facts.height
        right = min((left + width) * across, picture.width)
        bottom = min((top + height) * down, picture.height)
        part = left * across, top * down, right, bottom
        shown = picture.resize((layout.width, layout.height), box=part)
        seen.paste(shown.crop(box.corners), (0, number * box.height))
    return palette_for(seen, (0, 0, *seen.size))


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


def rewrite(
    source: Path,
    target: Path,
    *,
    picture: PictureWork | None = None,
    gain_db: float | None = None,
    sound_bits: int = _AUDIO_BITS,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write the film anew; an older ``target`` stays until this one is whole.

    Args:
        source: The film; never changed.
        target: An MP4, on any disk.
        picture: What happens to the picture; None copies it as it is.
        gain_db: By how much the sound gets louder; None copies it as it is.
        sound_bits: A second, of a sound that is made anew.
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
            video = read.streams.video[0]
            tracks = {
                video.index: _Pictures(video, written, picture).take
                if picture
                else _copied(video, written)
            }
            for audio in read.streams.audio[:1]:
                tracks[audio.index] = (
                    _copied(audio, written)
                    if gain_db is None
                    else _louder(audio, written, gain_db, sound_bits)
                )
            written.start_encoding()  # here: not by two threads at once
            for packet in read.demux([read.streams[index] for index in tracks]):
                for made in tracks[packet.stream.index](packet):
                    written.mux(made)
        put_in_place(part, target)


def _copied(stream: VideoStream | AudioStream, written: OutputContainer) -> Track:
    copy = written.add_stream_from_template(stream)

    def take(packet: Packet[Any]) -> Iterator[Packet[Any]]:
        if packet.dts is not None:
            packet.stream = copy
            yield packet

    return take


def _louder(
    stream: AudioStream, written: OutputContainer, gain_db: float, bits: int
) -> Track:
    """Return what makes the sound louder; peaks are held below −1 dB."""
    made = add_sound(written, stream.rate, stream.layout.name, bits)
    graph = filters(
        stream,
        ("volume", f"{gain_db:.2f}dB"),
        ("alimiter", "limit=0.89:level=0:latency=1"),
    )

    def take(packet: Packet[Any]) -> Iterator[Packet[Any]]:
        last = [] if packet.size else [None]
        for frame in [*packet.decode(), *last]:
            graph.push(frame)
            for louder in [*pulled(graph), *([] if frame else last)]:
                yield from made.encode(cast("AudioFrame | None", louder))

    return take


class _Pictures:
    """Decodes, cuts, letters and encodes the pictures of a film."""

    def __init__(
        self, stream: VideoStream, written: OutputContainer, work: PictureWork
    ) -> None:
        self._overlay = work.overlay
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
        steps = []
        if work.crop:
            left, top, width, height = work.crop
            steps.append(("crop", f"{width}:{height}:{left}:{top}"))
        if work.crop or work.size != (stream.width, stream.height):
            steps.append(("scale", "{}:{}:flags=bicubic".format(*work.size)))
            steps.append(("format", "yuv420p"))
        self._graph = filters(stream, *steps) if steps else None
        # One thread encodes a picture while the next is read, cut and lettered.
        self._encoder = ThreadPoolExecutor(1)
        self._made: Future[Iterable[Packet[Any]]] = Future()
        self._made.set_result(())
        self._held: VideoFrame | None = None
        self._ticks = 0  # the length of the picture before, for the last one

    def take(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        for frame in packet.decode():
            if self._held is not None:
                self._ticks = (frame.pts or 0) - (self._held.pts or 0)
                yield from self._show(self._held, self._ticks)
            self._held = frame
        if not packet.size:
            if self._held is not None:
                yield from self._show(self._held, self._held.duration or self._ticks)
            yield from self._encoded(None)
            yield from self._made.result()
            self._encoder.shutdown()

    def _show(self, frame: VideoFrame, ticks: int) -> Iterator[Packet[Any]]:
        """Encode a picture, again where the captions change while it stands."""
        at, overlay = frame.pts or 0, self._overlay
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

    def _encoded(self, frame: VideoFrame | None) -> Iterator[Packet[Any]]:
        """Give a picture to the encoder; return what it has made of the one before."""
        yield from self._made.result()
        self._made = self._encoder.submit(self._stream.encode, frame)


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
                source, part, picture=picture, gain_db=0, sound_bits=_LEAST_AUDIO_BITS
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


def make_film(
    sound: Path,
    target: Path,
    scene: Scene,
    *,
    words: tuple[Word, ...] = (),
    length_s: float = 0.0,
) -> tuple[Rendered, Narration]:
    """Make a film of a voice without an avatar; captions are laid over it afterwards.

    Args:
        sound: The voice, in any form FFmpeg reads.
        target: The MP4; an older one stays until this one is whole.
        scene: What is shown; subtitles spell as its script does.
        words: When each word is said, if that is known; else it is found in the sound.
        length_s: What silence at the end brings it to.

    Returns:
        The film, and the voice with its words.

    Raises:
        PreviewError: Sound or background cannot be read, or the film not be written.
    """
    said = read_sound(sound)
    words = heard_words(Finish(script=scene.script, words=words), said)
    said = replace(said, words=words)
    scene = replace(
        scene,
        use_avatar=False,
        captions="later",
        badge="",
        tail_s=length_s - said.duration_s,
    )
    return render_scene(scene, target, speech=said), said
