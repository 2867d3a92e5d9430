"""A film becomes a video: captions, another canvas, loudness, labels, fewer bytes.

One pass over it: what is asked for is made anew, the rest is copied. And a film that
is made of a sound alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import AspectRatio
from heygen_nb.preview import captions, drawing, video
from heygen_nb.preview.captions import CaptionPage, Subtitles
from heygen_nb.preview.scene import Scene, render_scene
from heygen_nb.preview.voice import EspeakVoice, Narration, Word

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

Packets = Iterator[Any]  # of a new file, in rising time

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


def finish(source: Path, target: Path, wish: Finish) -> tuple[CaptionPage, ...]:
    """Finish a film: what needs no new encoding is copied.

    Args:
        source: The film as it was bought; never changed.
        target: The MP4; an older one stays until this one is whole.
        wish: What is done.

    Returns:
        The captions that are burned in.

    Raises:
        PreviewError: The film cannot be read, or the new one not be written.
    """
    facts = video.probe_video(source)
    sound = video.read_sound(source) if facts.channels else None
    # H.264 as players know it has even sides only.
    crop, size = None, (facts.width // 2 * 2, facts.height // 2 * 2)
    if wish.aspect_ratio:
        crop, size = crop_to(size, wish.aspect_ratio, wish.focus)
    layout, pages = caption_pages(wish, size, facts.duration_s, sound)
    overlay = gain_db = None
    if pages:
        times = [facts.duration_s * part for part in _SAMPLED]
        pictures = video.pictures_at(source, times, rough=True)
        small = [np.asarray(picture.crop(crop).reduce(4)) for picture in pictures]
        seen = Image.fromarray(np.mean(small, axis=0).astype(np.uint8)).resize(size)
        palette = drawing.palette_for(seen, layout.captions.corners)
        overlay = Subtitles(pages, layout, palette, lit=wish.lit)
    if sound and wish.loudness_lufs is not None:
        heard = loudness_lufs(sound.samples, sound.sample_rate, facts.channels)
        missing = wish.loudness_lufs - heard
        gain_db = missing if abs(missing) > _NEAR_LU and heard > SILENT_LUFS else None
    tags = {"title": wish.title, "comment": wish.label}
    changed = size if crop or overlay else None
    rewrite(
        source, target, changed, crop=crop, overlay=overlay, gain_db=gain_db, tags=tags
    )
    return pages


def caption_pages(
    wish: Finish, size: tuple[int, int], duration_s: float, sound: Narration | None
) -> tuple[drawing.Layout, tuple[CaptionPage, ...]]:
    """Return where the captions stand, and what they show when; none if unwanted."""
    layout = drawing.lay_out(
        *size, with_avatar=wish.with_avatar, with_captions=wish.captions
    )
    words = heard_words(wish, sound) if wish.captions else ()
    return captions.set_pages(layout, words, duration_s)


def heard_words(wish: Finish, sound: Narration | None) -> tuple[Word, ...]:
    """Return the script's words with the times at which they are said."""
    heard = wish.words or words_of_srt(wish.subtitles)
    if not heard and sound:
        heard = timed_by_ear(wish.said or wish.script, sound)
    spelled = wish.script and heard
    return captions.said_as_written(wish.script, heard) if spelled else heard


_CUE = re.compile(
    r"(\d+:\d\d:\d\d[,.]\d{3}) *--> *(\d+:\d\d:\d\d[,.]\d{3}).*\n"
    r"((?:.+(?:\n|$))*)"
)


def words_of_srt(text: str) -> tuple[Word, ...]:
    """Return the words of subtitles; within a cue each gets its letters' share."""
    cues = (captions.shared(said, *times) for *times, said in _cues(text))
    return tuple(chain.from_iterable(cues))


def respelled(subtitles: str, script: str) -> str:
    """Return subtitles with the words as a script spells them, cue by cue."""
    words = captions.said_as_written(script, words_of_srt(subtitles))
    pages = []
    for start_s, end_s, _said in _cues(subtitles):
        line = tuple(word for word in words if start_s <= word.start_s < end_s)
        pages += [CaptionPage((line,), start_s, end_s)] if line else []
    return captions.to_srt(pages)


def _cues(text: str) -> Iterator[tuple[float, float, list[str]]]:
    for *times, said in _CUE.findall(text.replace("\r\n", "\n")):
        start_s, end_s = (
            int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
            for hours, minutes, seconds in (time.split(":") for time in times)
        )
        yield start_s, end_s, said.split()


_STEP_S = 0.02
_QUIET = 0.06  # of how loud the voice is at its loudest
_PAUSE_STEPS, _NEAR_STEPS = 5, 10


def timed_by_ear(script: str, sound: Narration) -> tuple[Word, ...]:
    """Return when the words are probably said, from where the sound is not silent.

    The local voice says the script; the share of speaking it has done until a word
    is the share the sound has done until then. Pauses fall out on both sides.
    """
    model = EspeakVoice().speak(script)
    spoken, heard = _voiced(model), _voiced(sound)
    if not len(heard) or not len(spoken):
        return ()
    # The steps of speaking before which nobody spoke for a while.
    pauses, pauses_heard = (
        np.flatnonzero(np.diff(steps) > _PAUSE_STEPS) + 1 for steps in (spoken, heard)
    )

    def at(seconds: float, last: int) -> float:
        done = np.searchsorted(spoken, seconds / _STEP_S)
        index = min(int(done / len(spoken) * len(heard)), len(heard))
        # beside a pause a step too far is a pause too far: they are paired
        near = pauses_heard[np.abs(pauses_heard - index) <= _NEAR_STEPS]
        if len(near) and np.any(np.abs(pauses - done) <= _NEAR_STEPS):
            index = near[np.abs(near - index).argmin()]
        step = heard[min(max(index - last, 0), len(heard) - 1)]
        return float(step + last) * _STEP_S

    words = []
    for word in model.words:
        start_s = end_s = at(word.start_s, 0)
        # It ends with the last sound before its end, and not after a pause.
        if word.end_s > word.start_s:
            end_s = max(at(word.end_s, 1), start_s)
        words.append(Word(word.text, start_s, end_s))
    return tuple(words)


def _voiced(sound: Narration) -> NDArray[np.intp]:
    """Return the steps in which somebody speaks."""
    loud = sound.power(_STEP_S)
    floor = _QUIET * np.percentile(loud, 95) if len(loud) else 0
    return np.flatnonzero(loud > max(floor, 1e-4))


Crop = tuple[int, int, int, int]  # left, top, right, bottom; all even
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
_BITS, _FEW_BITS = 128_000, 96_000  # of the sound, a second


def rewrite(
    source: Path,
    target: Path,
    size: tuple[int, int] | None = None,
    *,
    crop: Crop | None = None,
    overlay: Subtitles | None = None,
    bits: int | None = None,
    gain_db: float | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write the film anew; an older ``target`` stays until this one is whole.

    Args:
        source: The film; never changed.
        target: An MP4, on any disk.
        size: Width and height it gets, both even; None copies the picture as it is.
        crop: The part of the film that is kept; None keeps all of it.
        overlay: The captions.
        bits: A second; None asks for a quality instead.
        gain_db: By how much the sound gets louder; None copies it as it is.
        tags: Written into the file, such as ``title`` and ``comment``.

    Raises:
        PreviewError: The film cannot be read, or the new one not be written.
    """
    with (
        video.whole(target) as folder,
        video.open_video(source) as seen,
        video.open_video(source) as heard,
        video.new_mp4(folder / target.name) as written,
    ):
        written.metadata.update(tags or {})
        picture = seen.streams.video[0]
        tracks = [
            _pictures(seen, written, size, crop=crop, overlay=overlay, bits=bits)
            if size
            else _copied(seen, picture, written)
        ]
        for stream in heard.streams.audio[:1]:
            if gain_db is None:
                tracks.append(_copied(heard, stream, written))
                continue
            rate = _FEW_BITS if bits else _BITS
            made = video.add_sound(written, stream.rate, stream.layout.name, rate)
            volume = ("volume", f"{gain_db:.2f}dB")
            limit = ("alimiter", "limit=0.89:level=0:latency=1")  # peaks: below −1 dB
            louder = video.filtered(heard.decode(stream), stream, volume, limit)
            tracks.append(video.encoded(made, louder))
        video.mux(written, *tracks)


def _copied(read: InputContainer, stream: Any, written: OutputContainer) -> Packets:
    copy = written.add_stream_from_template(stream)

    def packets() -> Packets:
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                yield packet

    return packets()


def _pictures(
    read: InputContainer,
    written: OutputContainer,
    size: tuple[int, int],
    *,
    crop: Crop | None,
    overlay: Subtitles | None,
    bits: int | None,
) -> Packets:
    """Decode, cut, letter and encode the pictures of a film."""
    stream = read.streams.video[0]
    # Pictures are decoded while others are encoded.
    stream.thread_type, stream.codec_context.thread_count = "AUTO", video.THREADS
    # Pictures may stand anywhere (ours do), so the grid is the source's own.
    grid = stream.time_base or Fraction(1, 90_000)
    made = video.add_picture(written, size, stream.average_rate or _GRID, grid)
    made.options = BY_QUALITY
    if bits:
        made.bit_rate = bits
        made.options = _BY_BITS | {"maxrate": str(bits), "bufsize": str(2 * bits)}
    steps = [("scale", f"{size[0]}:{size[1]}:{video.KEEP}"), ("format", "yuv420p")]
    if crop:
        left, top, right, bottom = crop
        steps.insert(0, ("crop", f"{right - left}:{bottom - top}:{left}:{top}"))
    frames = video.filtered(read.decode(stream), stream, *steps)
    return video.encoded(made, _lettered(frames, grid, overlay) if overlay else frames)


def _lettered(
    frames: Iterator[Any], grid: Fraction, overlay: Subtitles
) -> Iterator[av.VideoFrame]:
    """Yield pictures with captions, again where these change while one stands."""
    ticks = 0
    for frame, following in pairwise(chain(frames, [None])):
        at = frame.pts or 0
        # The last one lasts as long as the one before, if it does not say.
        ticks = (following.pts or 0) - at if following else frame.duration or ticks
        parts = max(round(ticks * grid * _GRID), 1)
        for part in range(parts):
            # Half a step ahead: rounds to the nearest picture instead of the next.
            now = float((at + ticks * (part + 0.5) / parts) * grid)
            if part and overlay.state(now) == overlay.shown:
                continue
            copy = frame
            if parts > 1:
                copy = av.VideoFrame.from_ndarray(frame.to_ndarray(), frame.format.name)
            copy.make_writable()
            overlay.put_on(video.planes_of(copy), now)
            copy.pts = at + ticks * part // parts
            yield copy


_LOWEST_BITS = 60_000
_SPARE = 0.94  # the container's own bytes, and what x264 misses its aim by


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
    facts = video.probe_video(source)
    sides = facts.width, facts.height
    bits = max_bytes * 8 * _SPARE / max(facts.duration_s, 0.1) - _FEW_BITS
    with video.whole(target) as folder:
        part = folder / target.name
        while bits >= _LOWEST_BITS:
            # Few bits look better on fewer pixels.
            long_px = (bits / 1_000_000) ** 0.5 * 1280
            scale = min(long_px / max(sides), short_px / min(sides), 1.0)
            width, height = (_even(side * scale) for side in sides)
            rewrite(source, part, (width, height), bits=round(bits), gain_db=0)
            if part.stat().st_size <= max_bytes:
                return target
            bits *= max_bytes / part.stat().st_size * 0.95
        message = _("The video {name} is too long to fit into {size} MB.")
        raise PreviewError(message, name=source.name, size=max_bytes // 1_000_000)


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
    across, down = map(int, ratio.split(":"))
    if abs(width * down - height * across) <= 2 * max(across, down):
        return None, size
    wide = _even(min(width, height * across / down))
    high = _even(min(height, width * down / across))
    left = int(min(max(width * focus[0] - wide / 2, 0), width - wide)) // 2 * 2
    top = int(min(max(height * focus[1] - high / 2, 0), height - high)) // 2 * 2
    scale = min(size) / min(across, down)
    corners = (left, top, left + wide, top + high)
    return corners, (_even(across * scale), _even(down * scale))


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
    hz = np.arange(size // 2 + 1) * rate / size
    s, middle = 1j * hz / _SHELF_HZ, _SHELF_GAIN**0.49967
    shelf = (_SHELF_GAIN * s**2 + middle * s / _SHELF_Q + 1) / (s**2 + s / _SHELF_Q + 1)
    s = 1j * hz / _PASS_HZ
    high = s**2 / (s**2 + s / _PASS_Q + 1)
    weight = np.abs(shelf * high) ** 2 * 2 / size**2 * channels
    power = np.array([np.abs(np.fft.rfft(part)) ** 2 @ weight for part in parts])
    blocks = np.convolve(power, np.full(4, 0.25), "valid")
    blocks = blocks[blocks > 10 ** ((SILENT_LUFS - _OFFSET) / 10)]
    if not len(blocks):
        return SILENT_LUFS
    loud = blocks[blocks > blocks.mean() / 10]  # not those 10 LU below the mean
    return float(_OFFSET + 10 * np.log10(loud.mean()))


def make_film(
    sound: Path,
    target: Path,
    scene: Scene,
    *,
    words: tuple[Word, ...] = (),
    length_s: float = 0.0,
) -> tuple[video.VideoFacts, Narration]:
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
    said = video.read_sound(sound)
    words = heard_words(Finish(script=scene.script, words=words), said)
    said = replace(said, words=words)
    scene = replace(scene, use_avatar=False, captions="later", badge="")
    speech = said.padded(length_s - said.duration_s)
    return render_scene(scene, target, speech=speech), said
