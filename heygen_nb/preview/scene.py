"""What is to be shown and said, and what came out. Plain data, picklable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - dataclasses resolve it for readers
from typing import Literal

from heygen_nb.preview.voice import (
    EspeakVoice,
    Voice,
)

_VOICE = EspeakVoice()  # frozen, so one is enough

AspectRatio = Literal["9:16", "16:9", "1:1", "4:5", "5:4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A script and its looks.

    Attributes:
        script: What is said; ``<break time="1s"/>`` is a pause.
        voice: Who says it, unless the speech is handed in.
        speed: 0.5 to 1.5, as HeyGen takes it.
        aspect_ratio: Width to height.
        short_side_px: 720 is the profile ``fast``, 1080 is ``share``.
        background: ``#rrggbb``, ``#rrggbb-#rrggbb`` from top to bottom, a picture's
            path or its bytes; None is the house gradient.
        use_avatar: False shows the background and the captions only.
        avatar_image: The look's picture; None draws a person.
        captions: Whether the words are shown; the SRT is made in any case.
        badge: What stands in the corner; empty for none.
        tail_s: Silence after the speech.
    """

    script: str
    voice: Voice = _VOICE
    speed: float = 1.0
    aspect_ratio: AspectRatio = "9:16"
    short_side_px: int = 720
    background: str | Path | bytes | None = None
    use_avatar: bool = True
    avatar_image: Path | bytes | None = None
    captions: bool = True
    badge: str = "PREVIEW"
    tail_s: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels; both even, as H.264 wants them."""
        across, down = (int(part) for part in self.aspect_ratio.split(":"))
        scale = self.short_side_px / min(across, down)
        return round(across * scale / 2) * 2, round(down * scale / 2) * 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of a rendered scene.

    Attributes:
        path: The MP4.
        subtitles: SRT beside it, with the words that are on the screen.
        thumbnail: JPEG beside it, at most 320 px, as Telegram wants it.
        duration_s: Length of the MP4.
        width: In pixels.
        height: In pixels.
    """

    path: Path
    subtitles: Path
    thumbnail: Path
    duration_s: float
    width: int
    height: int
