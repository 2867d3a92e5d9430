"""A film is finished or made of a sound: captions, canvas, loudness, a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from heygen_nb.finishing.encode import (
    SILENT_LUFS,
    Crop,
    PictureWork,
    SoundWork,
    crop_to,
    loudness_lufs,
    rewrite,
)
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
from heygen_nb.preview.layout import Layout, Palette, lay_out, palette_for
from heygen_nb.preview.video import pictures_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from heygen_nb.models import AspectRatio

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
    crop, size = None, (facts.width, facts.height)
    if wish.aspect_ratio:
        crop, size = crop_to(size, wish.aspect_ratio, wish.focus)
    layout, pages = caption_pages(wish, size, facts.duration_s, sound)
    overlay = None
    if pages:
        palette = _palette(source, facts, crop, layout)
        overlay = Subtitles(pages, layout, palette, lit=wish.lit)
    gain_db = _gain_db(sound, facts.channels, wish.loudness_lufs)
    rewrite(
        source,
        target,
        picture=PictureWork(size, crop, overlay) if crop or overlay else None,
        sound=SoundWork(gain_db) if gain_db else None,
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
    r"(\d+):(\d\d):(\d\d)[,.](\d{3}) *--> *(\d+):(\d\d):(\d\d)[,.](\d{3}).*\n"
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
    for cue in _CUE.finditer(text.replace("\r\n", "\n")):
        hours, minutes, seconds, ms, *end, said = cue.groups()
        yield _seconds(hours, minutes, seconds, ms), _seconds(*end), said.split()


def _seconds(hours: str, minutes: str, seconds: str, ms: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(ms) / 1000


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
    words = []
    for word in model.words:
        start_s = end_s = at(word.start_s, 0)
        if word.end_s > word.start_s:
            end_s = max(at(word.end_s, 1), start_s)
        words.append(Word(word.text, start_s, end_s))
    return tuple(words)


_STEP_S = 0.02
_QUIET = 0.06  # of how loud the voice is at its loudest


def _voiced(sound: Narration) -> NDArray[np.floating]:
    """Return the times at which somebody speaks."""
    loud = sound.power(_STEP_S)
    floor = _QUIET * float(np.percentile(loud, 95)) if len(loud) else 0.0
    return np.flatnonzero(loud > max(floor, 1e-4)) * _STEP_S


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


def _gain_db(sound: Narration | None, channels: int, wish: float | None) -> float:
    """Return what brings the sound to the wished loudness; 0 if it is near enough."""
    if sound is None or wish is None:
        return 0.0
    heard = loudness_lufs(sound.samples, sound.sample_rate, channels)
    near = abs(wish - heard) <= _NEAR_LU or heard <= SILENT_LUFS
    return 0.0 if near else wish - heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrated:
    """A film without an avatar; captions are laid over it afterwards.

    Attributes:
        script: What is said; subtitles spell it as it is written here.
        words: When each word is said, if that is known; else it is found in the sound.
        background: A colour (``#rrggbb``), a picture, or an MP4 that is shown again
            and again; None is the house gradient.
        aspect_ratio: Of the canvas.
        short_side_px: Of the canvas.
        bars: Whether the voice's loudness is shown; never over a moving background.
        length_s: What silence at the end brings it to.
    """

    script: str
    words: tuple[Word, ...] = ()
    background: str | Path | bytes | None = None
    aspect_ratio: AspectRatio = "9:16"
    short_side_px: int = 1080
    bars: bool = True
    length_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Made:
    """A film that was made, how long its voice spoke, and when it says each word."""

    film: Rendered
    said_s: float
    words: tuple[Word, ...]


def make_film(sound: Path, target: Path, wish: Narrated) -> Made:
    """Make a film of a voice.

    Args:
        sound: The voice, in any form FFmpeg reads.
        target: The MP4; an older one stays until this one is whole.
        wish: What is shown.

    Raises:
        PreviewError: Sound or background cannot be read, or the film not be written.
    """
    said = read_sound(sound)
    told = Finish(script=wish.script, words=wish.words)
    said = replace(said, words=heard_words(told, said))
    scene = Scene(
        script=wish.script,
        aspect_ratio=wish.aspect_ratio,
        short_side_px=wish.short_side_px,
        background=wish.background,
        use_avatar=False,
        captions="later",
        bars=wish.bars,
        badge="",
        tail_s=wish.length_s - said.duration_s,
    )
    made = render_scene(scene, target, speech=said)
    return Made(made, said.duration_s, said.words)
