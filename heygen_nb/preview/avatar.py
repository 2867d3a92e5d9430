"""Who speaks: a picture in a circle, or a drawn person, alive with the loudness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageOps

from heygen_nb.preview.background import open_image
from heygen_nb.preview.planes import Patch, to_patch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from heygen_nb.preview.background import Colour
    from heygen_nb.preview.layout import Box

    Point = tuple[float, float]

LEVELS = 8  # steps of loudness, 0 is silence
_FACE = 1000  # the drawn person's own units
_OVERSIZE = 2  # drawn larger and reduced: Pillow's shapes have no smooth edges
_HALO = 0.15  # how far the ring swells beyond the circle, of its radius

_SKIN, _SKIN_SHADE = (246, 203, 172), (226, 168, 138)
_HAIR, _HAIR_SHINE = (58, 38, 56), (92, 62, 82)
_COAT, _COAT_SHADE = (255, 122, 105), (226, 92, 82)
_INK, _LIPS, _TONGUE = (44, 30, 48), (128, 36, 52), (232, 104, 110)
_BACK_TOP, _BACK_BOTTOM = (196, 210, 255), (118, 132, 238)

_SHOULDERS = [(90, 1040), (120, 880), (270, 790), (420, 745), (580, 745), (730, 790)]
_SHOULDERS += [(880, 880), (910, 1040)]
_HEAD = [(500, 205), (622, 245), (672, 370), (660, 520), (596, 640), (500, 686)]
_HEAD += [(404, 640), (340, 520), (328, 370), (378, 245)]
_HAIR_BACK = [(500, 140), (650, 180), (735, 330), (748, 520), (736, 690), (640, 720)]
_HAIR_BACK += [(360, 720), (264, 690), (252, 520), (265, 330), (350, 180)]
_FRINGE = [(318, 470), (300, 350), (352, 220), (455, 152), (560, 150), (660, 222)]
_FRINGE += [(700, 350), (682, 470), (652, 392), (600, 330), (520, 296), (436, 278)]
_FRINGE += [(424, 318), (374, 380)]
_SHINE = [(396, 232), (470, 190), (556, 186), (480, 214), (420, 250)]
_MOUTH, _EYES = (400, 560, 600, 680), (370, 400, 630, 490)


@dataclass(frozen=True, slots=True)
class Avatar:
    """The avatar's pictures, ready to be patched in.

    Attributes:
        levels: One for each step of loudness.
        blink: The closed eyes, for a drawn person.
    """

    levels: tuple[Patch, ...]
    blink: Patch | None


def make_avatar(
    picture: Path | bytes | None, behind: Image.Image, box: Box, accent: Colour
) -> Avatar:
    """Draw the avatar in all its states.

    Args:
        picture: The look's picture; None draws a person.
        behind: The background under ``box``.
        box: Where the avatar and its ring stand.
        accent: Colour of the ring.

    Raises:
        PreviewError: The picture cannot be read.
    """
    side = box.width
    radius = side / 2 / (1 + _HALO)
    far = _distances(side)
    inner = round(radius * 2)
    circle = (side - inner) // 2
    if picture is None:
        face = _draw_person()
        mouths = [_with_mouth(face, level / (LEVELS - 1)) for level in range(LEVELS)]
    else:
        mouths = [open_image(picture)]
    portraits = [_fit(mouth, inner) for mouth in mouths] * (LEVELS // len(mouths))
    states = []
    for level, portrait in enumerate(portraits):
        state = _ringed(behind, far, radius, level / (LEVELS - 1), accent)
        whole = state.copy()
        whole.paste(portrait, (circle, circle))
        state.paste(whole, mask=_disc(far, radius * 0.985))
        states.append(to_patch(state, box.x, box.y))
    blink = None
    if picture is None:
        asleep = _fit(_with_closed_eyes(face), inner)
        blink = _eyes_patch(asleep, inner, (box.x + circle, box.y + circle))
    return Avatar(tuple(states), blink)


def _distances(side: int) -> NDArray[np.float32]:
    line = np.arange(side, dtype=np.float32) - (side - 1) / 2
    far: NDArray[np.float32] = np.hypot(line[:, None], line[None, :])
    return far


def _disc(far: NDArray[np.float32], radius: float, opacity: float = 1) -> Image.Image:
    inside = np.clip(radius - far + 0.5, 0, 1)
    return Image.fromarray((inside * (255 * opacity)).astype(np.uint8))


def _ringed(
    behind: Image.Image,
    far: NDArray[np.float32],
    radius: float,
    loudness: float,
    accent: Colour,
) -> Image.Image:
    """Return the background with two soft discs that swell, and a white rim."""
    state = behind.copy()
    for reach, opacity in ((_HALO, 0.22), (_HALO * 0.55, 0.38)):
        swollen = radius * (1.012 + (reach - 0.02) * loudness)
        state.paste(accent, mask=_disc(far, swollen, opacity))
    state.paste((255, 255, 255), mask=_disc(far, radius))
    return state


def _fit(picture: Image.Image, side: int) -> Image.Image:
    """Cut to a square with the face in it: a little above the middle of a photo."""
    return ImageOps.fit(
        picture, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.2)
    )


def _eyes_patch(asleep: Image.Image, side: int, corner: tuple[int, int]) -> Patch:
    x0, y0, x1, y1 = (value * side // _FACE for value in _EYES)
    left, top = (corner[0] + x0) // 2 * 2, (corner[1] + y0) // 2 * 2
    width, height = (x1 - x0) // 2 * 2, (y1 - y0) // 2 * 2
    x, y = left - corner[0], top - corner[1]
    return to_patch(asleep.crop((x, y, x + width, y + height)), left, top)


class _Pen:
    """Draws in the person's units on a larger picture."""

    def __init__(self, image: Image.Image) -> None:
        self._scale = image.width / _FACE
        self._draw = ImageDraw.Draw(image)

    def _at(self, *values: float) -> list[float]:
        return [value * self._scale for value in values]

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self._draw.ellipse(self._at(x - rx, y - ry, x + rx, y + ry), fill)

    def box(self, corners: Sequence[float], radius: float, fill: Colour) -> None:
        self._draw.rounded_rectangle(self._at(*corners), radius * self._scale, fill)

    def arc(
        self, corners: Sequence[float], span: Point, fill: Colour, width: float
    ) -> None:
        self._draw.arc(self._at(*corners), *span, fill, round(width * self._scale))

    def blob(self, points: Sequence[Point], fill: Colour) -> None:
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


def _draw_person() -> Image.Image:
    size = (_FACE * _OVERSIZE // 2,) * 2
    down = Image.linear_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, _BACK_BOTTOM), Image.new("RGB", size, _BACK_TOP), down
    )
    pen = _Pen(image)
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
    return image


def _with_mouth(face: Image.Image, loudness: float) -> Image.Image:
    """Open the mouth as wide as the voice is loud; a smile in silence."""
    image = face.copy()
    pen = _Pen(image)
    if loudness == 0:
        pen.arc((440, 540, 560, 622), (28, 152), _LIPS, 11)
        return image
    height, width = 9 + 33 * loudness, 58 - 8 * loudness
    y = 606
    pen.ellipse(500, y, width, height, _LIPS)
    # Teeth and tongue are cut to the shape of the mouth.
    inside = Image.new("L", image.size)
    _Pen(inside).ellipse(500, y, width - 7, height - 6, 255)  # type: ignore[arg-type]  # a mask
    full = Image.new("RGB", image.size, (92, 22, 38))
    _Pen(full).ellipse(500, y + height, width * 0.8, height * 0.8, _TONGUE)
    _Pen(full).box((430, y - height - 8, 570, y - height * 0.45), 8, (255, 252, 248))
    image.paste(full, mask=ImageChops.multiply(inside, inside))
    return image


def _with_closed_eyes(face: Image.Image) -> Image.Image:
    image = face.copy()
    pen = _Pen(image)
    for x in (424, 576):
        pen.ellipse(x, 452, 27, 33, _SKIN)
        pen.arc((x - 30, 430, x + 30, 472), (20, 160), _INK, 9)
    return image
