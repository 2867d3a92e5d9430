"""Pictures of the looks: drawn people, cheap and the same every time."""

from __future__ import annotations

import io
import random
from functools import lru_cache

from PIL import Image, ImageDraw

from heygen_nb.sandbox.catalogue import Look, looks

_SKIN = ("#f3cdb2", "#e8b894", "#d39c74", "#b57b55", "#8c5a3c", "#6b432d")
_HAIR = ("#2b2320", "#4a3226", "#7a5230", "#b98b4e", "#93402b", "#8d8a88")
_CLOTHES = ("#2f4b6e", "#7d3c4a", "#3f6b58", "#5b4a7a", "#b0703a", "#37474f")
_WALLS = ("#8fa8c8", "#cfa588", "#86b39b", "#9c90c4", "#c9b26c", "#7fa6b0")
_SMOOTH = 2  # drawn larger and reduced: Pillow's shapes have no smooth edges


@lru_cache(maxsize=64)
def look_picture(look_id: str) -> bytes:
    """Return a JPEG of the look.

    Raises:
        KeyError: No such look.
    """
    look = looks()[look_id]
    width, height = (side * _SMOOTH for side in look.size)
    wall = Image.new("RGB", (width, height), _WALLS[look.number % len(_WALLS)])
    light = Image.linear_gradient("L").rotate(180).resize((width, height))
    image = Image.composite(Image.new("RGB", wall.size, "#f8f5f0"), wall, light)
    _draw_person(image, look)
    buffer = io.BytesIO()
    image.resize(look.size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _draw_person(image: Image.Image, look: Look) -> None:
    dice = random.Random(look.group_id)  # noqa: S311 - one face for a group's looks
    skin, hair = dice.choice(_SKIN), dice.choice(_HAIR)
    clothes = _CLOTHES[(look.number + dice.randrange(6)) % len(_CLOTHES)]
    draw = ImageDraw.Draw(image)
    unit = min(image.size) / 7.6
    middle, chin = image.width / 2, image.height - unit * 3.3

    def box(left: float, top: float, right: float, bottom: float) -> list[float]:
        """Place a box given in heads, from the middle of the chin."""
        sides = ((left, middle), (top, chin), (right, middle), (bottom, chin))
        return [at * unit + start for at, start in sides]

    if look.gender == "female":
        length = dice.choice((0.1, 0.9, 1.6))
        draw.rounded_rectangle(box(-1.62, -3.7, 1.62, length), unit * 1.5, fill=hair)
    draw.rounded_rectangle(box(-3.2, 0.55, 3.2, 6), unit * 1.9, fill=clothes)
    draw.rounded_rectangle(box(-0.62, -1, 0.62, 1), unit * 0.6, fill=skin)
    draw.ellipse(box(-1, 0.2, 1, 1.2), fill=skin)
    draw.ellipse(box(-1.3, -3.3, 1.3, 0), fill=skin)
    draw.chord(box(-1.42, -3.75, 1.42, -0.6), 195, 345, fill=hair)
    for side in (-0.52, 0.52):
        draw.ellipse(box(side - 0.13, -1.7, side + 0.13, -1.44), fill="#2a2523")
        brow = box(side - 0.28, -2.1, side + 0.28, -1.8)
        draw.arc(brow, 200, 340, hair, round(unit * 0.09))
    draw.chord(box(-0.45, -1.2, 0.45, -0.55), 15, 165, fill="#b5524d")
