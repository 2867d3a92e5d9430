"""The loudness of a speech, and the bars that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from heygen_nb.preview.planes import Patch, to_patch

if TYPE_CHECKING:
    from heygen_nb.preview.background import Colour
    from heygen_nb.preview.layout import Box
    from heygen_nb.preview.planes import Plane
    from heygen_nb.preview.speech import Speech

BARS = 23
_HEIGHTS = 16


def loudness(speech: Speech, step_s: float, steps: int) -> list[float]:
    """Return 0 to 1 for each step, relative to how loud this voice is."""
    size = round(speech.sample_rate * step_s)
    padded = np.zeros(steps * size, np.float32)
    kept = min(len(speech.samples), len(padded))
    padded[:kept] = speech.samples[:kept]
    power = np.sqrt(np.mean(padded.reshape(steps, size) ** 2, axis=1))
    top = float(np.percentile(power, 95)) or 1.0
    level: list[float] = (np.clip(power / top, 0, 1) ** 0.7).tolist()
    return level


def swell(levels: list[float], *, release: float = 0.82) -> list[float]:
    """Follow the loudness up at once and down slowly, as a calm eye would."""
    followed, now = [], 0.0
    for level in levels:
        now = max(level, now * release)
        followed.append(now)
    return followed


class Meter:
    """Bars that run from the middle outwards: now, a moment ago, earlier."""

    def __init__(self, picture: Image.Image, box: Box, ink: Colour) -> None:
        self._pitch = box.width // BARS // 2 * 2
        width = self._pitch * BARS
        self._x, self._y = box.x + (box.width - width) // 4 * 2, box.y
        behind = picture.crop((self._x, self._y, self._x + width, box.y + box.height))
        drawn = [
            _bars(behind, self._pitch, height / (_HEIGHTS - 1), ink).planes
            for height in range(_HEIGHTS)
        ]
        # For each plane: height of the bar, row, bar, column within the bar.
        self._sets = [
            np.stack(planes).reshape(_HEIGHTS, len(planes[0]), BARS, -1)
            for planes in zip(*drawn, strict=True)
        ]
        self._bars = np.arange(BARS)
        self._ago = [abs(bar - BARS // 2) for bar in range(BARS)]
        self._fade = [1 - (ago / (BARS / 2 + 1)) ** 2 for ago in self._ago]
        self._shown: list[int] = []

    def paint(self, recent: list[float], planes: tuple[Plane, Plane, Plane]) -> bool:
        """Put the bars, if any changed; ``recent`` begins with now."""
        known = recent + [0.0] * BARS
        heights = [
            round(known[ago] * fade * (_HEIGHTS - 1))
            for ago, fade in zip(self._ago, self._fade, strict=True)
        ]
        if heights == self._shown:
            return False
        y, u, v = (
            # Bar, row, column of the chosen heights, set side by side.
            drawn[heights, :, self._bars].transpose(1, 0, 2).reshape(drawn.shape[1], -1)
            for drawn in self._sets
        )
        Patch(self._x, self._y, (y, u, v)).put_on(planes)
        self._shown = heights
        return True


def _bars(behind: Image.Image, pitch: int, length: float, ink: Colour) -> Patch:
    """Draw all bars at one height: upright, with round ends."""
    thick = max(pitch * 0.5, 2)
    x = np.arange(pitch) - (pitch - 1) / 2
    y = np.arange(behind.height) - (behind.height - 1) / 2
    straight = (behind.height - thick) * length / 2
    far = np.hypot(x[None, :], np.maximum(np.abs(y) - straight, 0)[:, None])
    cover = np.clip(thick / 2 - far + 0.5, 0, 1) * 255
    mask = Image.fromarray(np.tile(cover.astype(np.uint8), (1, BARS)))
    picture = behind.copy()
    picture.paste(ink, mask=mask)
    return to_patch(picture)
