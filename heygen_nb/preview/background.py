"""What is behind everything: a gradient, a colour or a picture."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageStat

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _

Colour = tuple[int, int, int]

_COLOURS = re.compile(r"#([0-9a-f]{6})(?:-#([0-9a-f]{6}))?", re.IGNORECASE)
_HOUSE: tuple[Colour, Colour] = ((16, 20, 48), (88, 42, 122))
_GLOW: Colour = (96, 108, 220)
_COARSE = 4
_MAX_PIXELS = 50_000_000
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
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        if image.width * image.height > _MAX_PIXELS:
            message = _("The picture {name} has more than 50 million pixels.")
            raise PreviewError(message.format(name=name))
        image.draft("RGB", (2160, 2160))  # big JPEGs are read at a fraction
        return _flat(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        message = _("The picture {name} cannot be read.")
        raise PreviewError(message.format(name=name)) from exc


def paint_background(
    source: str | Path | bytes | None,
    width: int,
    height: int,
    *,
    carries_text: bool = True,
) -> Image.Image:
    """Paint the whole picture; a photo that carries text is darkened for it.

    Raises:
        PreviewError: Neither a colour nor a readable picture.
    """
    if source is None:
        return _gradient(*_HOUSE, width, height, _GLOW)
    if isinstance(source, str):
        colours = _COLOURS.fullmatch(source.strip())
        if colours:
            top = _colour(colours[1])
            return _gradient(top, _colour(colours[2] or colours[1]), width, height)
        source = Path(source)
    photo = ImageOps.fit(open_image(source), (width, height), Image.Resampling.BICUBIC)
    return _scrim(photo) if carries_text else photo


def palette_for(image: Image.Image, box: tuple[int, int, int, int]) -> Palette:
    """Choose the colours that read well on that part of the picture."""
    grey = ImageStat.Stat(image.crop(box).convert("L")).mean[0]
    return ON_LIGHT if grey > _BRIGHT else ON_DARK


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _colour(digits: str) -> Colour:
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _gradient(
    top: Colour, bottom: Colour, width: int, height: int, glow: Colour | None = None
) -> Image.Image:
    """Blend from top to bottom; the glow is a soft light behind the avatar."""
    # Computed small and enlarged: nothing in it is sharp.
    down = np.linspace(0, 1, height // _COARSE, dtype=np.float32)[:, None]
    across = np.linspace(-0.5, 0.5, width // _COARSE, dtype=np.float32)[None, :]
    blend = np.clip(down + across * (0.25 if glow else 0), 0, 1)[:, :, None]
    picture = np.array(top) + (np.array(bottom) - top) * blend
    if glow:
        far = (across * width) ** 2 + ((down - 0.36) * height) ** 2
        light = 0.42 * np.exp(-far / (0.42 * min(width, height)) ** 2)
        picture += (np.array(glow) - picture) * light[:, :, None]
    small = Image.fromarray(np.rint(picture).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def _scrim(photo: Image.Image) -> Image.Image:
    """Darken a photo, more towards the captions, so that any of them carries text."""
    width, height = photo.size
    down = np.linspace(0, 1, height)
    dark = 0.28 + 0.34 * np.clip((down - 0.35) / 0.4, 0, 1)
    column = Image.fromarray((dark * 255).astype(np.uint8)[:, None])
    mask = column.resize((width, height))
    return Image.composite(Image.new("RGB", photo.size, (8, 9, 18)), photo, mask)
