"""Draw heygen_nb/preview/person.png: who speaks when no look has a picture.

    python benchmarks/looks/draw_person.py [OUT.png]

The sheet holds the face, 1000 by 1000; below it, five a row, the mouth in seven
steps of loudness, and last the closed eyes. ``preview/scene.py`` cuts it up.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from heygen_nb.preview.scene import EYES, FACE, MOUTH, MOUTHS, tile_at

OVERSIZE = 3  # drawn larger and reduced: Pillow's shapes have hard edges
if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SKIN, _SKIN_SHADE = (246, 203, 172), (226, 168, 138)
_HAIR, _HAIR_SHINE = (58, 38, 56), (92, 62, 82)
_COAT, _COAT_SHADE = (255, 122, 105), (226, 92, 82)
_INK, _LIPS, _TONGUE = (44, 30, 48), (128, 36, 52), (232, 104, 110)
_BACK_TOP, _BACK_BOTTOM = (196, 210, 255), (118, 132, 238)

_SHOULDERS = [(90, 1040), (120, 880), (270, 790), (420, 745), (580, 745), (730, 790)]
_SHOULDERS += [(880, 880), (910, 1040)]
_HEAD = [(500, 205), (622, 245), (672, 370), (660, 520), (604, 632), (550, 676)]
_HEAD += [(500, 688), (450, 676), (396, 632), (340, 520), (328, 370), (378, 245)]
_HAIR_BACK = [(500, 140), (650, 180), (735, 330), (748, 520), (736, 690), (640, 720)]
_HAIR_BACK += [(360, 720), (264, 690), (252, 520), (265, 330), (350, 180)]
_FRINGE = [(318, 470), (300, 350), (352, 220), (455, 152), (560, 150), (660, 222)]
_FRINGE += [(700, 350), (682, 470), (652, 392), (600, 330), (520, 296), (436, 278)]
_FRINGE += [(424, 318), (374, 380)]
_SHINE = [(396, 232), (470, 190), (556, 186), (480, 214), (420, 250)]


class DraftWriting:
    """Draws in the person's units on a larger picture."""

    def __init__(self, image: Image.Image) -> None:
        self._scale = image.width / FACE
        self._draw = ImageDraw.Draw(image)

    def _at(self, *values: float) -> list[float]:
        return [value * self._scale for value in values]

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill an ellipse by its middle and radii."""
        self._draw.ellipse(self._at(x - rx, y - ry, x + rx, y + ry), fill)

    def box(self, corners: Sequence[float], radius: float, fill: Colour) -> None:
        """Fill a box with round corners."""
        self._draw.rounded_rectangle(self._at(*corners), radius * self._scale, fill)

    def arc(
        self, corners: Sequence[float], span: Point, fill: Colour, width: float
    ) -> None:
        """Draw a part of an ellipse's line."""
        self._draw.arc(self._at(*corners), *span, fill, round(width * self._scale))

    def blob(self, points: Sequence[Point], fill: Colour | int) -> None:
        """Fill a smooth closed curve through the points (Catmull-Rom)."""
        knots = np.array(points, np.float64) * self._scale
        before, after, beyond = (np.roll(knots, shift, 0) for shift in (1, -1, -2))
        t = np.linspace(0, 1, 12, endpoint=False)[:, None, None]
        curve = 0.5 * (
            2 * knots
            + (after - before) * t
            + (2 * before - 5 * knots + 4 * after - beyond) * t**2
            + (3 * knots - before - 3 * after + beyond) * t**3
        )
        around = curve.transpose(1, 0, 2).reshape(-1, 2)
        self._draw.polygon([tuple(point) for point in around.tolist()], fill)


def draw_person() -> Image.Image:
    size = (FACE * OVERSIZE, FACE * OVERSIZE)
    down = Image.linear_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, _BACK_BOTTOM), Image.new("RGB", size, _BACK_TOP), down
    )
    pen = DraftWriting(image)
    pen.blob(_HAIR_BACK, _HAIR)
    pen.blob(_SHOULDERS, _COAT)
    pen.ellipse(500, 760, 112, 52, _COAT_SHADE)
    pen.box((426, 600, 574, 790), 70, _SKIN_SHADE)
    for x in (330, 670):
        pen.ellipse(x, 470, 34, 50, _SKIN_SHADE)
    pen.blob(_HEAD, _SKIN)
    for x in (402, 598):
        pen.ellipse(x, 548, 44, 27, (248, 180, 158))
    pen.blob(_FRINGE, _HAIR)
    pen.blob(_SHINE, _HAIR_SHINE)
    for x in (424, 576):
        pen.arc((x - 44, 372, x + 44, 430), (205, 335), _HAIR, 13)
        pen.ellipse(x, 452, 21, 27, _INK)
        pen.ellipse(x + 7, 443, 7, 8, (255, 255, 255))
    pen.arc((478, 490, 522, 530), (25, 155), _SKIN_SHADE, 9)
    pen.arc((440, 540, 560, 622), (28, 152), _LIPS, 11)
    return image


def with_mouth(face: Image.Image, loudness: float) -> Image.Image:
    """Open the mouth as wide as the voice is loud; a smile in silence."""
    image = face.copy()
    if loudness == 0:
        return image
    DraftWriting(image).ellipse(500, 610, 80, 22, _SKIN)
    wide, up, down = 56 - 6 * loudness, 2 + 14 * loudness, 12 + 46 * loudness
    lips = [(-wide, -8), (0, -up), (wide, -8), (wide * 0.62, down * 0.7), (0, down)]
    lips = [(500 + x, 596 + y) for x, y in [*lips, (-wide * 0.62, down * 0.7)]]
    # Teeth and tongue are cut to the shape of the mouth.
    inside = Image.new("L", image.size)
    DraftWriting(inside).blob(
        [(x + (500 - x) * 0.12, y + (606 - y) * 0.16) for x, y in lips], 255
    )
    within = Image.new("RGB", image.size, (92, 22, 38))
    DraftWriting(within).ellipse(500, 596 + down, wide * 0.7, down * 0.55, _TONGUE)
    DraftWriting(within).box((430, 560, 570, 594 + down * 0.16), 6, (255, 252, 248))
    DraftWriting(image).blob(lips, _LIPS)
    image.paste(within, mask=inside)
    return image


def with_closed_eyes(face: Image.Image) -> Image.Image:
    image = face.copy()
    pen = DraftWriting(image)
    for x in (424, 576):
        pen.ellipse(x, 452, 27, 33, _SKIN)
        pen.arc((x - 30, 430, x + 30, 472), (20, 160), _INK, 9)
    return image


def main() -> None:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "heygen_nb/preview/person.png")
    face = draw_person()
    mouths = [with_mouth(face, n / (MOUTHS - 1)) for n in range(1, MOUTHS)]
    tiles = [mouth.reduce(OVERSIZE).crop(MOUTH) for mouth in mouths]
    tiles.append(with_closed_eyes(face).reduce(OVERSIZE).crop(EYES))
    sheet = Image.new("RGB", (FACE, tile_at(len(tiles) - 1)[1] + tiles[0].height))
    sheet.paste(face.reduce(OVERSIZE))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, tile_at(number))
    sheet.save(output, optimize=True)
    print(f"{output}: {output.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
