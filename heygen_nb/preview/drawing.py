"""Where everything stands, what is behind it, and how it is put there.

Phone apps lay buttons over a vertical video: the lowest fifth and the right edge
are kept free of captions, the top of anything but the badge.
"""

import io
import math
import re
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps, ImageStat, features

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _

Colour = tuple[int, int, int]
Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]  # Y, and U and V of half the size
_VERTICAL = 1.5  # from this ratio on it is a phone's full screen


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on even pixels, since colour is stored for 2x2 of them."""

    x: int
    y: int
    width: int
    height: int

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom as Pillow takes them."""
        return self.x, self.y, self.x + self.width, self.y + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a scene.

    Attributes:
        avatar: Square around the avatar and its ring.
        meter: The loudness bars.
        captions: All lines of a page with their shadow.
        badge_at: Left and top of the badge.
        font_px: Size of the captions.
        max_lines: Of a page.
        text_width: Room for a line.
    """

    avatar: Box
    meter: Box
    captions: Box
    badge_at: tuple[int, int]
    font_px: int
    max_lines: int
    text_width: int

    @property
    def line_px(self) -> int:
        """Return the distance of two base lines."""
        return round(self.font_px * 1.36)

    @property
    def space_px(self) -> float:
        """Return the gap of two words: wide, so that a pill touches neither."""
        return self.font_px * 0.34


def lay_out(
    width: int, height: int, *, with_avatar: bool = True, with_captions: bool = True
) -> Layout:
    """Place the parts: avatar above, loudness bars below it, captions lowest."""
    unit = min(width, height)
    vertical = height / width > _VERTICAL
    top, bottom, side = (0.08, 0.205, 0.10) if vertical else (0.06, 0.06, 0.08)
    font = round(unit * (0.068 if with_avatar else 0.086))
    lines = 3 if vertical or not with_avatar else 2
    room = round(font * (1.36 * lines + 0.7)) if with_captions else 2
    text_width = min(round(width * (1 - 2 * side)), round(unit * 1.25))
    caption_bottom = height * (1 - bottom)
    meter_height = unit * 0.075
    if with_avatar:
        head_room = caption_bottom - room - meter_height * 1.7 - height * top
        side_px = min(unit * 0.74, head_room)
        # What is left over is shared, so that the group stands in the middle.
        spare = (head_room - side_px) / 2
        avatar_y = height * top + spare
        meter_y = avatar_y + side_px + meter_height * 0.3
        captions_y = caption_bottom - room - spare * 0.55
    else:
        side_px = avatar_y = 0
        captions_y = (height - room) / 2 if vertical else height * 0.46 - room / 2
        meter_y = captions_y + room + meter_height
    wide = min(text_width + font * 1.2, width)
    meter_width = unit * 0.44
    return Layout(
        avatar=_even((width - side_px) / 2, avatar_y, side_px, side_px),
        meter=_even((width - meter_width) / 2, meter_y, meter_width, meter_height),
        captions=_even((width - wide) / 2, captions_y, wide, room),
        badge_at=(round(width * side * 0.55), round(height * top * 0.6)),
        font_px=font,
        max_lines=lines,
        text_width=text_width,
    )


def _even(x: float, y: float, width: float, height: float) -> Box:
    return Box(*(round(value / 2) * 2 for value in (x, y, width, height)))


_FONTS = Path(__file__).parent / "fonts"
_OURS = ("NotoSans.ttf", "NotoEmoji.ttf", "NotoSansSymbols.ttf")
# Tried by name, only for a character that none of ours has (Chinese, Arabic).
_SYSTEM = (
    "NotoSansCJK-Bold.ttc",
    "msyh.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans-Bold.ttf",
)
_BOLD = 700
_PROBE_PX = 24
# Hebrew to Burmese and Khmer: their letters change their shape or their order.
_JOINED = re.compile("[\u0590-\u109f\u1780-\u17ff]")
_ATTACHED = ("Cf", "Mc", "Me", "Mn")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")  # one picture: the digit is part of it


@lru_cache(maxsize=64)
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    ours = name in _OURS
    font = ImageFont.truetype(_FONTS / name if ours else name, size_px)
    if ours:
        font.set_variation_by_axes([_BOLD])
    return font


@lru_cache(maxsize=4096)
def _font_of(char: str) -> str | None:
    """Return the first font with a picture of the character; None if none has it."""
    for name in (*_OURS, *_SYSTEM):
        with suppress(OSError):  # the system has no such font
            mask, missing = (
                _font(name, _PROBE_PX).getmask(c) for c in (char, "\uffff")
            )
            if bytes(mask) != bytes(missing):
                return name
    return None


def undrawable(text: str) -> str:
    """Return the letters that cannot be drawn right here, each once.

    No font has them, or they have to be joined and nothing here can do it.
    """
    joins = features.check("raqm")  # Pillow's wheels look for FriBiDi at run time
    return "".join(
        char
        for char in dict.fromkeys(filter(str.isalpha, text))
        if not _font_of(char) or (not joins and _JOINED.match(char))
    )


def _runs(text: str) -> list[tuple[str, str]]:
    """Split the text where the font changes."""
    names: list[str] = []
    for char in text:
        # Joiners, marks and skin tones are drawn by the font of what they follow.
        skin_tone = 0x1F3FB <= ord(char) <= 0x1F3FF  # noqa: PLR2004 - their block
        attached = names and (category(char) in _ATTACHED or skin_tone)
        names.append(names[-1] if attached else _font_of(char) or _OURS[0])
    for keycap in _KEYCAP.finditer(text):
        names[keycap.start() : keycap.end()] = [_OURS[1]] * len(keycap[0])
    chars = iter(text)
    return [(name, "".join(islice(chars, len([*run])))) for name, run in groupby(names)]


@lru_cache(maxsize=8192)
def text_width(text: str, size_px: int) -> float:
    """Return how wide the text is drawn, in pixels."""
    return sum(_font(name, size_px).getlength(run) for name, run in _runs(text))


def draw_text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size_px: int,
    fill: str | int | tuple[int, ...],
) -> None:
    """Draw one line; ``at`` is the left end of its base line."""
    x, y = at
    for name, run in _runs(text):
        font = _font(name, size_px)
        draw.text((x, y), run, fill, font, anchor="ls")
        x += font.getlength(run)


def rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    """Return a rectangle with smooth round corners as a mask."""
    # Pillow's shapes have hard edges: drawn three times as large and reduced.
    big = Image.new("L", (size[0] * 3, size[1] * 3))
    corners = (0, 0, big.width - 1, big.height - 1)
    ImageDraw.Draw(big).rounded_rectangle(corners, radius * 3, 255)
    return big.reduce(3)


# ITU-R BT.709, studio range: Y 16..235, Cb and Cr 16..240. Pillow's matrices.
_R, _B = 0.2126, 0.0722
_G = 1 - _R - _B
_LUMA = (_R * 219 / 255, _G * 219 / 255, _B * 219 / 255, 16)
_IN_BLUE, _IN_RED = 112 / 255 / (1 - _B), 112 / 255 / (1 - _R)
_CB = (-_R * _IN_BLUE, -_G * _IN_BLUE, 112 / 255, 128)
_CR = (112 / 255, -_G * _IN_RED, -_B * _IN_RED, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A rectangle of a picture, ready to be laid over others; all about it is even.

    Attributes:
        x: Left edge in the whole picture.
        y: Upper edge.
        planes: Its own; of a see-through one, what is added to the picture's.
        kept: How much of the picture stays, 0 to 256; None is none of it.
    """

    x: int
    y: int
    planes: tuple[NDArray[Any], ...]
    kept: tuple[NDArray[np.uint16], ...] | None = None

    def put_on(self, frame: Planes, right: int = 0) -> None:
        """Lay it over the planes of a whole picture, so far right of its place."""
        shares = self.kept or (None, None, None)
        planes = zip(frame, self.planes, shares, (0, 1, 1), strict=True)
        for whole, part, kept, shift in planes:
            height, width = part.shape
            x, y = self.x + right >> shift, self.y >> shift
            place = whole[y : y + height, x : x + width]
            place[:] = part if kept is None else place * kept + part >> 8


def to_patch(image: Image.Image, x: int = 0, y: int = 0) -> Patch:
    """Turn an RGB or RGBA image into a patch; 2x2 pixels share their mean colour."""
    if image.mode == "RGBA":
        left, top, right, bottom = image.getchannel("A").getbbox() or (0, 0, 2, 2)
        left, top = left & ~1, top & ~1
        image = image.crop((left, top, (right + 1) & ~1, (bottom + 1) & ~1))
        opaque = to_patch(image.convert("RGB"), x + left, y + top)
        alpha = image.getchannel("A")
        covers = [np.asarray(a, np.uint16) for a in (alpha, *[alpha.reduce(2)] * 2)]
        covers = [cover + (cover >> 7) for cover in covers]  # 256: a shift divides
        pairs = zip(opaque.planes, covers, strict=True)
        added = tuple(plane * cover + 128 for plane, cover in pairs)
        kept = tuple(256 - cover for cover in covers)
        return replace(opaque, planes=added, kept=kept)
    small = image.reduce(2)
    matrices = ((image, _LUMA), (small, _CB), (small, _CR))
    return Patch(x, y, tuple(np.asarray(i.convert("L", m)) for i, m in matrices))


_COLOURS = re.compile(r"(#[0-9a-f]{6})(?:-(#[0-9a-f]{6}))?", re.IGNORECASE)
_HOUSE = "#101430", "#582a7a"
_GLOW: Colour = (96, 108, 220)
_MAX_PIXELS = 50_000_000
# whatever Pillow raises on a spoilt file
_BROKEN = OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError
_BRIGHT = 140  # mean grey from which dark letters read better


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that read well on a background.

    Attributes:
        ink: Letters.
        shade: The soft shadow behind them.
        accent: The spoken word's pill, the ring and the bars.
        accent_ink: Letters on the pill.
    """

    ink: Colour
    shade: Colour
    accent: Colour
    accent_ink: Colour


ON_DARK = Palette((255, 255, 255), (6, 8, 24), (255, 204, 64), (24, 20, 36))
ON_LIGHT = Palette((26, 27, 46), (255, 255, 255), (84, 70, 232), (255, 255, 255))


def open_image(source: Path | bytes) -> Image.Image:
    """Open a picture upright and in RGB.

    Raises:
        PreviewError: It is missing, not a picture, or too big to be one.
    """
    name = str(source) if isinstance(source, Path) else _("(the picture)")
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        image: Image.Image = Image.open(file)
        if image.width * image.height > _MAX_PIXELS:
            message = _("The picture {name} has more than 50 million pixels.")
            raise PreviewError(message.format(name=name))
        image.draft("RGB", (2160, 2160))  # big JPEGs are read at a fraction
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("RGB")
    except (*_BROKEN, struct.error, Image.DecompressionBombError) as exc:
        message = _("The picture {name} cannot be read.")
        raise PreviewError(message.format(name=name)) from exc


def paint_background(
    source: str | Path | bytes | Image.Image | None,
    width: int,
    height: int,
    *,
    carries_text: bool = True,
    contain: bool = False,
) -> Image.Image:
    """Paint the whole picture; a photo that carries text is darkened for it.

    ``contain`` shows a photo whole, with bars, instead of filling the canvas.

    Raises:
        PreviewError: Neither a colour nor a readable picture.
    """
    if source is None:
        return _house(width, height)
    if isinstance(source, str):
        colours = _COLOURS.fullmatch(source.strip())
        if colours:
            down = Image.linear_gradient("L").resize((width, height))
            return ImageOps.colorize(down, colours[1], colours[2] or colours[1])
        source = Path(source)
    fill = ImageOps.pad if contain else ImageOps.fit
    image = source if isinstance(source, Image.Image) else open_image(source)
    photo = fill(image, (width, height), Image.Resampling.BICUBIC)
    if not carries_text:
        return photo
    # darker towards the captions, so that any photo carries text
    down = Image.linear_gradient("L").resize(photo.size)
    dark = down.point([min(max(71, round(0.85 * y) - 5), 158) for y in range(256)])
    night = Image.new("RGB", photo.size, (8, 9, 18))
    return Image.composite(night, photo, dark)


def palette_for(image: Image.Image, box: tuple[int, int, int, int]) -> Palette:
    """Choose the colours that read well on that part of the picture."""
    grey = ImageStat.Stat(image.crop(box).convert("L")).mean[0]
    return ON_LIGHT if grey > _BRIGHT else ON_DARK


def _house(width: int, height: int) -> Image.Image:
    """Paint two colours, one into the other, and a soft light behind the avatar."""
    down, across = Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90)
    blend = Image.blend(down, across, 0.2).resize((width, height))
    picture = ImageOps.colorize(blend, *_HOUSE)
    side = round(min(width, height) * 2.1)
    fading = [round(107 * math.exp(-12.4 * (far / 255) ** 2)) for far in range(256)]
    light = Image.radial_gradient("L").resize((side, side)).point(fading)
    place = (width - side) // 2, round(height * 0.36) - side // 2
    picture.paste(_GLOW, place, light)
    return picture
