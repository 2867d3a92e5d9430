"""A narrated film without an avatar: a voice, a background, and the words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heygen_nb.finishing import Finish, heard_words
from heygen_nb.preview import Scene, Word, read_sound, render_scene

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.models import AspectRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrated:
    """What a narrated film shows.

    Attributes:
        script: What is said; captions spell it as it is written here.
        words: When each word is said, if that is known.
        subtitles: SRT, for a sound without ``words``; else the times are found in it.
        background: A colour (``#rrggbb``) or a picture; None is the house gradient.
        aspect_ratio: Of the canvas.
        short_side_px: Of the canvas.
        captions: Whether the words are shown.
        bars: Whether the voice's loudness is shown.
    """

    script: str
    words: tuple[Word, ...] = ()
    subtitles: str = ""
    background: str | Path | None = None
    aspect_ratio: AspectRatio = "9:16"
    short_side_px: int = 1080
    captions: bool = True
    bars: bool = True


def make_film(sound: Path, target: Path, wish: Narrated) -> Path:
    """Make a film exactly as long as its sound.

    Args:
        sound: The voice, in any form FFmpeg reads.
        target: The MP4; an older one stays until this one is whole.
        wish: What is shown.

    Raises:
        PreviewError: Sound or background cannot be read, or the film not be written.
    """
    said = read_sound(sound)
    finishing = Finish(script=wish.script, words=wish.words, subtitles=wish.subtitles)
    scene = Scene(
        script=wish.script,
        aspect_ratio=wish.aspect_ratio,
        short_side_px=wish.short_side_px,
        background=wish.background,
        use_avatar=False,
        captions=wish.captions,
        bars=wish.bars,
        badge="",
    )
    speech = replace(said, words=heard_words(finishing, said))
    return render_scene(scene, target, speech=speech).path
