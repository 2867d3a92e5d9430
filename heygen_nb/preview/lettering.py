"""Letters: the fonts that travel with the package, measured and drawn.

Each character comes from the first font that has it, so that Cyrillic, emoji and
arrows stand in one word.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

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
# Joiners and marks are drawn by the font of the character they follow.
_ATTACHED = ("\u200d", "\ufe0e", "\ufe0f", "\u20e3")


@lru_cache(maxsize=64)
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont | None:
    bundled = _FONTS / name
    try:
        font = ImageFont.truetype(bundled if name in _OURS else name, size_px)
    except OSError:
        return None
    if name in _OURS:
        font.set_variation_by_axes([_BOLD])
    return font


@lru_cache(maxsize=8)
def _missing(name: str) -> bytes:
    font = _font(name, _PROBE_PX)
    return bytes(font.getmask("\uffff")) if font else b""


@lru_cache(maxsize=4096)
def _font_of(char: str) -> str:
    """Return the first font with a picture of the character; else the main one."""
    for name in (*_OURS, *_SYSTEM):
        font = _font(name, _PROBE_PX)
        if font and bytes(font.getmask(char)) != _missing(name):
            return name
    return _OURS[0]


def _runs(text: str) -> list[tuple[str, str]]:
    """Split the text where the font changes."""
    names: list[str] = []
    for char in text:
        attached = names and (char in _ATTACHED or 0x1F3FB <= ord(char) <= 0x1F3FF)  # noqa: PLR2004 - skin tones
        names.append(names[-1] if attached else _font_of(char))
    paired = groupby(zip(text, names, strict=True), key=lambda pair: pair[1])
    return [(name, "".join(c for c, _ in group)) for name, group in paired]


def _sized(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    font = _font(name, size_px)
    if font is None:
        raise FileNotFoundError(_FONTS / name)
    return font


@lru_cache(maxsize=8192)
def text_width(text: str, size_px: int) -> float:
    """Return how wide the text is drawn, in pixels."""
    return sum(_sized(name, size_px).getlength(run) for name, run in _runs(text))


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
        font = _sized(name, size_px)
        draw.text((x, y), run, fill, font, anchor="ls")
        x += font.getlength(run)


def rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    """Return a rectangle with smooth round corners as a mask."""
    # Pillow's shapes have hard edges: drawn three times as large and reduced.
    big = Image.new("L", (size[0] * 3, size[1] * 3))
    corners = (0, 0, big.width - 1, big.height - 1)
    ImageDraw.Draw(big).rounded_rectangle(corners, radius * 3, 255)
    return big.reduce(3)
