"""Who speaks: a picture in a circle, or a drawn person, alive with the loudness."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from heygen_nb.preview.layout import Box, Colour, Patch, Plane, open_image, to_patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from heygen_nb.preview.voice import Narration

BARS = 23
_HEIGHTS = 16


def loudness(speech: Narration, step_s: float, steps: int) -> list[float]:
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


RINGS = 5  # steps of loudness, 0 is silence
MOUTHS = 8
_HALO = 0.15  # how far the ring swells beyond the circle, of its radius
# The drawn person's sheet, made by benchmarks/looks/draw_person.py, and where the mouth
# and the eyes are in the face.
_SHEET = Path(__file__).parent / "person.png"
FACE = 1000
MOUTH, EYES = (410, 550, 590, 670), (370, 400, 630, 490)


class DrawnAvatar:
    """The avatar's pictures, ready to be patched in.

    Args:
        rings: The whole avatar in its ring, one for each step of loudness.
        mouths: A drawn person's mouth, one for each step; a photo has none.
        blink: A drawn person's closed eyes.
    """

    def __init__(
        self,
        rings: Sequence[Patch],
        mouths: Sequence[Patch] = (),
        blink: Patch | None = None,
    ) -> None:
        self._rings = rings
        self._mouths = mouths
        self._blink = blink
        self._shown: tuple[int, int, bool] | None = None

    def paint(
        self,
        ring: int,
        mouth: int,
        planes: tuple[Plane, Plane, Plane],
        *,
        blinking: bool,
    ) -> bool:
        """Bring ring, mouth and eyes to these steps; False if they are already."""
        drawn = bool(self._mouths)
        state = (ring, mouth if drawn else 0, blinking and drawn)
        if state == self._shown:
            return False
        if not self._shown or (ring, state[2]) != self._shown[::2]:
            self._rings[ring].put_on(planes)
            if state[2] and self._blink:
                self._blink.put_on(planes)
        if drawn:
            self._mouths[mouth].put_on(planes)
        self._shown = state
        return True


def make_avatar(
    picture: Path | bytes | None, behind: Image.Image, box: Box, accent: Colour
) -> DrawnAvatar:
    """Draw the avatar in all its states.

    Args:
        picture: The look's picture; None draws a person.
        behind: The background under ``box``.
        box: Where the avatar and its ring stand.
        accent: Colour of the ring.

    Raises:
        PreviewError: The picture cannot be read.
    """
    side = round(box.width / (1 + _HALO))
    sheet = open_image(_SHEET if picture is None else picture)
    face = sheet.crop((0, 0, FACE, FACE)) if picture is None else sheet
    # The face is a little above the middle of most photos.
    portrait = ImageOps.fit(
        face, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.2)
    )
    rings = _rings(portrait, behind, box, accent)
    if picture is not None:
        return DrawnAvatar(rings)
    inset = (box.width - side) // 2
    corner = box.x + inset, box.y + inset
    mouths = [_part(face, MOUTH, side, corner)]
    for number in range(MOUTHS - 1):
        speaking = _with_tile(face, sheet, number, MOUTH)
        mouths.append(_part(speaking, MOUTH, side, corner))
    asleep = _with_tile(face, sheet, MOUTHS - 1, EYES)
    return DrawnAvatar(rings, mouths, _part(asleep, EYES, side, corner))


def tile_at(number: int) -> tuple[int, int]:
    """Return where the person's sheet holds a tile: mouths, then closed eyes."""
    width, height = MOUTH[2] - MOUTH[0], MOUTH[3] - MOUTH[1]
    return number % 5 * width, FACE + number // 5 * height


def _with_tile(
    face: Image.Image, sheet: Image.Image, number: int, area: tuple[int, int, int, int]
) -> Image.Image:
    """Return the face with a tile of the sheet in its place."""
    x, y = tile_at(number)
    tile = sheet.crop((x, y, x + area[2] - area[0], y + area[3] - area[1]))
    changed = face.copy()
    changed.paste(tile, area[:2])
    return changed


def _rings(
    portrait: Image.Image, behind: Image.Image, box: Box, accent: Colour
) -> list[Patch]:
    """Draw the portrait with a white rim and, behind it, a halo that swells."""
    radius = box.width / 2 / (1 + _HALO)
    inset = (box.width - portrait.width) // 2
    line = np.arange(box.width, dtype=np.float32) - (box.width - 1) / 2
    far = np.hypot(line[:, None], line[None, :])
    whole = Image.new("RGB", behind.size)
    whole.paste(portrait, (inset, inset))
    rimmed = Image.new("RGB", behind.size, "white")
    rimmed.paste(whole, mask=_disc(far, radius * 0.982))
    circle = _disc(far, radius)
    rings = []
    for step in range(RINGS):
        reach = radius * (1 + _HALO * step / (RINGS - 1))
        state = behind.copy()
        # Two soft discs, the smaller half as far out.
        for edge, opacity in ((reach, 0.22), ((reach + radius) / 2, 0.38)):
            disc = _disc(far, edge * 0.99 + radius * 0.012, opacity)
            state.paste(accent, mask=disc)
        state.paste(rimmed, mask=circle)
        rings.append(to_patch(state, box.x, box.y))
    return rings


def _part(
    face: Image.Image, area: Sequence[int], side: int, corner: tuple[int, int]
) -> Patch:
    """Reduce a part of the face to its place in the picture, on even pixels."""
    x0, y0, x1, y1 = (value * side / FACE for value in area)
    left, top = (int(corner[0] + x0) // 2 * 2, int(corner[1] + y0) // 2 * 2)
    size = int(x1 - x0) // 2 * 2, int(y1 - y0) // 2 * 2
    x, y = left - corner[0], top - corner[1]
    scale = FACE / side
    source = (x * scale, y * scale, (x + size[0]) * scale, (y + size[1]) * scale)
    part = face.resize(size, Image.Resampling.LANCZOS, source)
    return to_patch(part, left, top)


def _disc(far: NDArray[np.float32], radius: float, opacity: float = 1) -> Image.Image:
    inside = np.clip(radius - far + 0.5, 0, 1)
    return Image.fromarray((inside * (255 * opacity)).astype(np.uint8))
