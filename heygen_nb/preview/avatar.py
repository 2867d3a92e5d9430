"""Who speaks: a picture in a circle, or a drawn person, alive with the loudness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from heygen_nb.preview.background import open_image
from heygen_nb.preview.planes import to_patch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from heygen_nb.preview.background import Colour
    from heygen_nb.preview.layout import Box
    from heygen_nb.preview.planes import Patch, Plane

    Point = tuple[float, float]

RINGS = 5  # steps of loudness, 0 is silence
MOUTHS = 8
_FACE = 1000  # the drawn person's own units
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
_MOUTH, _EYES = (410, 550, 590, 670), (370, 400, 630, 490)


class Avatar:
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
    radius = box.width / 2 / (1 + _HALO)
    side = round(radius * 2)
    inset = (box.width - side) // 2
    far = _distances(box.width)
    face = _draw_person() if picture is None else open_image(picture)
    # The face is a little above the middle of most photos.
    portrait = ImageOps.fit(
        face, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.2)
    )
    whole = Image.new("RGB", behind.size)
    whole.paste(portrait, (inset, inset))
    rimmed = Image.new("RGB", behind.size, "white")
    rimmed.paste(whole, mask=_disc(far, radius * 0.982))
    circle = _disc(far, radius)
    rings = []
    for step in range(RINGS):
        state = _halo(behind, far, radius * (1 + _HALO * step / (RINGS - 1)), accent)
        state.paste(rimmed, mask=circle)
        rings.append(to_patch(state, box.x, box.y))
    if picture is not None:
        return Avatar(rings)
    corner = box.x + inset, box.y + inset
    mouths = [
        _part(_with_mouth(face, step / (MOUTHS - 1)), _MOUTH, side, corner)
        for step in range(MOUTHS)
    ]
    return Avatar(rings, mouths, _part(_with_closed_eyes(face), _EYES, side, corner))


def _halo(
    behind: Image.Image, far: NDArray[np.float32], reach: float, accent: Colour
) -> Image.Image:
    """Return the background with two soft discs, the smaller half as far out."""
    state = behind.copy()
    circle = behind.width / 2 / (1 + _HALO)
    for radius, opacity in ((reach, 0.22), ((reach + circle) / 2, 0.38)):
        state.paste(accent, mask=_disc(far, radius * 0.99 + circle * 0.012, opacity))
    return state


def _part(
    face: Image.Image, area: Sequence[int], side: int, corner: tuple[int, int]
) -> Patch:
    """Reduce a part of the face to its place in the picture, on even pixels."""
    x0, y0, x1, y1 = (value * side / _FACE for value in area)
    left, top = (int(corner[0] + x0) // 2 * 2, int(corner[1] + y0) // 2 * 2)
    size = int(x1 - x0) // 2 * 2, int(y1 - y0) // 2 * 2
    x, y = left - corner[0], top - corner[1]
    scale = face.width / side
    source = (x * scale, y * scale, (x + size[0]) * scale, (y + size[1]) * scale)
    part = face.resize(size, Image.Resampling.LANCZOS, source)
    return to_patch(part, left, top)


def _distances(side: int) -> NDArray[np.float32]:
    line = np.arange(side, dtype=np.float32) - (side - 1) / 2
    far: NDArray[np.float32] = np.hypot(line[:, None], line[None, :])
    return far


def _disc(far: NDArray[np.float32], radius: float, opacity: float = 1) -> Image.Image:
    inside = np.clip(radius - far + 0.5, 0, 1)
    return Image.fromarray((inside * (255 * opacity)).astype(np.uint8))


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


def _draw_person() -> Image.Image:
    # Larger than it is shown: Pillow's shapes have no smooth edges.
    size = (_FACE, _FACE)
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
    pen.arc((440, 540, 560, 622), (28, 152), _LIPS, 11)
    return image


def _with_mouth(face: Image.Image, loudness: float) -> Image.Image:
    """Open the mouth as wide as the voice is loud; a smile in silence."""
    image = face.copy()
    if loudness == 0:
        return image
    _Pen(image).ellipse(500, 610, 80, 22, _SKIN)
    wide, up, down = 56 - 6 * loudness, 2 + 14 * loudness, 12 + 46 * loudness
    lips = [(-wide, -8), (0, -up), (wide, -8), (wide * 0.62, down * 0.7), (0, down)]
    lips = [(500 + x, 596 + y) for x, y in [*lips, (-wide * 0.62, down * 0.7)]]
    # Teeth and tongue are cut to the shape of the mouth.
    inside = Image.new("L", image.size)
    _Pen(inside).blob(
        [(x + (500 - x) * 0.12, y + (606 - y) * 0.16) for x, y in lips], 255
    )
    within = Image.new("RGB", image.size, (92, 22, 38))
    _Pen(within).ellipse(500, 596 + down, wide * 0.7, down * 0.55, _TONGUE)
    _Pen(within).box((430, 560, 570, 594 + down * 0.16), 6, (255, 252, 248))
    _Pen(image).blob(lips, _LIPS)
    image.paste(within, mask=inside)
    return image


def _with_closed_eyes(face: Image.Image) -> Image.Image:
    image = face.copy()
    pen = _Pen(image)
    for x in (424, 576):
        pen.ellipse(x, 452, 27, 33, _SKIN)
        pen.arc((x - 30, 430, x + 30, 472), (20, 160), _INK, 9)
    return image
