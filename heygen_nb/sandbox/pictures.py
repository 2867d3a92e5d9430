"""Pictures of the looks: drawn people, cheap and the same every time."""

from __future__ import annotations

import io
import random
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from heygen_nb.sandbox.catalogue import looks

if TYPE_CHECKING:
    from heygen_nb.sandbox.catalogue import Look

Box = tuple[float, float, float, float]
_SKIN = ("#f3cdb2", "#e8b894", "#d39c74", "#b57b55", "#8c5a3c", "#6b432d")
_HAIR = ("#2b2320", "#4a3226", "#7a5230", "#b98b4e", "#93402b", "#8d8a88")
_CLOTHES = ("#2f4b6e", "#7d3c4a", "#3f6b58", "#5b4a7a", "#b0703a", "#37474f")
_WALLS = (
    ("#e9eef5", "#b9c7da"),
    ("#f6ebe0", "#dcbfa3"),
    ("#e6f0ea", "#a9c7b6"),
    ("#ece8f5", "#b7aed3"),
    ("#f7f1d9", "#d9c88f"),
    ("#e4eef0", "#9fbcc4"),
)
_SMOOTH = 2


@lru_cache(maxsize=64)
def look_picture(look_id: str) -> bytes:
    """Return a JPEG of the look.

    Raises:
        KeyError: No such look.
    """
    look = looks()[look_id]
    width, height = (side * _SMOOTH for side in look.size)
    dice = random.Random(look.group_id)  # noqa: S311 - one face for all looks of a group
    image = _wall(width, height, look.number)
    unit = min(width, height) / 10
    _draw_person(ImageDraw.Draw(image), (width / 2, height), unit, look, dice)
    image = image.resize(look.size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _wall(width: int, height: int, number: int) -> Image.Image:
    light, dark = _WALLS[number % len(_WALLS)]
    fade = Image.linear_gradient("L").resize((width, height))
    wall = Image.composite(
        Image.new("RGB", (width, height), dark),
        Image.new("RGB", (width, height), light),
        fade,
    )
    glow = Image.new("L", (width, height))
    ImageDraw.Draw(glow).ellipse(
        _around(width * 0.32, height * 0.3, min(width, height) * 0.3), fill=90
    )
    glow = glow.resize((width // 16, height // 16)).filter(ImageFilter.GaussianBlur(5))
    wall.paste("#ffffff", (0, 0), glow.resize((width, height)))
    return wall


def _draw_person(
    draw: ImageDraw.ImageDraw,
    foot: tuple[float, float],
    unit: float,
    look: Look,
    dice: random.Random,
) -> None:
    skin, hair = dice.choice(_SKIN), dice.choice(_HAIR)
    clothes = _CLOTHES[(look.number + dice.randrange(6)) % len(_CLOTHES)]
    x, bottom = foot
    y = bottom - unit * 5.3
    long_hair = look.gender == "female" and dice.random() < 0.75  # noqa: PLR2004 - three in four
    if long_hair:
        back = (x - unit * 1.75, y - unit * 1.9, x + unit * 1.75, y + unit * 2.4)
        draw.rounded_rectangle(back, unit * 1.7, fill=hair)
    shoulders = (x - unit * 3.4, bottom - unit * 2.9, x + unit * 3.4, bottom + unit * 4)
    draw.rounded_rectangle(shoulders, unit * 2.2, fill=clothes)
    neck = (x - unit * 0.62, y, x + unit * 0.62, bottom - unit * 2.4)
    draw.rounded_rectangle(neck, unit * 0.6, fill=_darker(skin))
    draw.ellipse((x - unit, bottom - unit * 3.3, x + unit, bottom - unit * 2.1), skin)
    draw.ellipse(
        (x - unit * 1.35, y - unit * 1.7, x + unit * 1.35, y + unit * 1.75), skin
    )
    cap = (x - unit * 1.5, y - unit * 2.1, x + unit * 1.5, y + unit * 1.1)
    draw.chord(cap, 188, 352, fill=hair)
    _draw_face(draw, x, y, unit, hair)


def _draw_face(
    draw: ImageDraw.ImageDraw, x: float, y: float, unit: float, hair: str
) -> None:
    for side in (-1, 1):
        eye = x + side * unit * 0.52
        draw.ellipse(_around(eye, y + unit * 0.12, unit * 0.13), fill="#2a2523")
        brow = (eye - unit * 0.26, y - unit * 0.3, eye + unit * 0.26, y - unit * 0.06)
        draw.arc(brow, 200, 340, fill=hair, width=max(2, round(unit * 0.09)))
    mouth = (x - unit * 0.45, y + unit * 0.45, x + unit * 0.45, y + unit * 1.0)
    draw.chord(mouth, 15, 165, fill="#b5524d")


def _around(x: float, y: float, radius: float) -> Box:
    return (x - radius, y - radius, x + radius, y + radius)


def _darker(color: str) -> str:
    shades = (int(color[i : i + 2], 16) * 88 // 100 for i in (1, 3, 5))
    return "#" + "".join(f"{shade:02x}" for shade in shades)
