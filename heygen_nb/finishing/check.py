"""A look at a film before thousands see it: what is not as it was asked for.

The limits were measured on 200 films of the sandbox; benchmarks/check.py repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps

from heygen_nb.finishing.film import crop_to
from heygen_nb.preview.captions import CaptionPage, Subtitles
from heygen_nb.preview.drawing import ON_DARK, Layout, open_image
from heygen_nb.preview.video import pictures_at, probe_video, read_sound, small_jpeg
from heygen_nb.timing import estimate_s

Kind = Literal[
    "size", "mute", "silent", "cut", "black", "frozen", "background", "captions"
]

_SAMPLES = 12
_PART = 2  # pictures are looked at in half their size
_QUIET = 0.003  # of full scale: below any voice, above the noise of a codec
_LEAST_OF_SCRIPT = 0.58  # of the time the script needs: nobody says it faster
_DARK = 30  # grey
_LUMA = (0.299, 0.587, 0.114)
_STILL = 1.2  # grey, of the block that changed most
_STILL_SAMPLES = 4
_OTHER_COLOUR, _OTHER_PICTURE = 40.0, 20.0  # a good film has 2
_PALE = 25  # grey between letters and what is behind them
_BLOCK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a film should be; what is left out is not checked.

    Attributes:
        script: What is said in it.
        speed: How fast.
        size: Width and height.
        background: A colour (``#rrggbb``), or a picture.
        bought_size: Before it was cut to another canvas: there the picture fills it.
        layout: Where captions stand that were burned in here.
        pages: What they show when.
        moves: Whether something moves while somebody speaks.
    """

    script: str = ""
    speed: float = 1.0
    size: tuple[int, int] | None = None
    background: str | Path | bytes | None = None
    bought_size: tuple[int, int] | None = None
    layout: Layout | None = None
    pages: tuple[CaptionPage, ...] = ()
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was asked for.

    Attributes:
        kind: What it is; the words are the caller's.
        second: When it is seen or heard.
        frame: What is shown then, as JPEG.
    """

    kind: Kind
    second: float
    frame: Path | None = None


def check_film(film: Path, expected: Expectation, frames: Path) -> list[Finding]:
    """Look at and listen to a film.

    Args:
        film: An MP4.
        expected: What it should be.
        frames: A folder for the pictures of what is found; made if need be.

    Raises:
        PreviewError: It is not a video.
    """
    facts = probe_video(film)
    begin_s, end_s = 0.0, facts.duration_s
    found: list[tuple[Kind, float]] = []
    if expected.size and (facts.width, facts.height) != expected.size:
        found.append(("size", 0.0))
    loud: Sequence[int] = ()
    if facts.channels:
        loud = np.flatnonzero(read_sound(film).power(1 / 50) > _QUIET).tolist()
    if not loud:
        found.append(("silent" if facts.channels else "mute", 0.0))
    else:
        begin_s, end_s = loud[0] / 50, (loud[-1] + 1) / 50
        needed_s = estimate_s(expected.script, speed=expected.speed)
        if end_s - begin_s < _LEAST_OF_SCRIPT * needed_s:
            found.append(("cut", end_s))
    times = np.linspace(begin_s, end_s, _SAMPLES + 2)[1:-1].tolist()
    found += _seen(times, pictures_at(film, times, part=_PART), expected)
    found += _captions(film, expected)
    findings = []
    for kind, second in found:
        frames.mkdir(parents=True, exist_ok=True)
        frame = frames / f"{film.stem}-{kind}.jpg"
        [picture] = pictures_at(film, [second])
        picture.thumbnail((640, 640))
        frame.write_bytes(small_jpeg(picture))
        findings.append(Finding(kind, second, frame))
    return findings


def _seen(
    times: Sequence[float], pictures: Sequence[Image.Image], expected: Expectation
) -> Iterator[tuple[Kind, float]]:
    small = [picture.convert("L").reduce(_BLOCK // 2) for picture in pictures]
    greys = np.array([np.asarray(picture, np.int16) for picture in small])
    colour = expected.background if isinstance(expected.background, str) else ""
    # On a background that is black itself only letters and a face are bright.
    plain = colour.startswith("#")
    wanted_dark = plain and np.dot(ImageColor.getrgb(colour[:7]), _LUMA) < _DARK
    share = 100 if wanted_dark else 98
    dark = np.percentile(greys, share, axis=(1, 2)) < _DARK
    if expected.moves or not wanted_dark:
        yield from (("black", times[start]) for start in _runs(dark, 2)[:1])
    if expected.moves and not dark.all():
        apart = np.abs(np.diff(greys, axis=0)).astype(np.uint8)
        blocks = np.array([Image.fromarray(change).reduce(2) for change in apart])
        starts = _runs(blocks.max(axis=(1, 2)) < _STILL, _STILL_SAMPLES - 1)
        yield from (("frozen", times[start]) for start in starts[:1])
    if expected.background is not None:
        middle = len(pictures) // 2
        limit = _OTHER_COLOUR if plain else _OTHER_PICTURE
        if _apart(pictures[middle], expected) > limit:
            yield "background", times[middle]


def _runs(flags: NDArray[np.bool_], length: int) -> list[int]:
    """Return where so many in a row begin to be true."""
    together = np.convolve(flags, np.ones(length), "valid")
    return np.flatnonzero(together == length).tolist()


def _apart(picture: Image.Image, expected: Expectation) -> float:
    """Return how far the edges are from the background's, but for its brightness."""
    seen, background = _edges(picture), expected.background or ""
    darkest = 0.3  # photos are darkened under letters
    if isinstance(background, str) and background.startswith("#"):
        wanted = _edges(Image.new("RGB", picture.size, background[:7]))
        darkest = 0.95
    else:
        content = Path(background) if isinstance(background, str) else background
        size = expected.bought_size or picture.size
        image = ImageOps.fit(open_image(content), size)
        crop, _size = crop_to(size, f"{picture.width}:{picture.height}")
        if crop:
            left, top, width, height = crop
            image = image.crop((left, top, left + width, top + height))
        wanted = _edges(image.resize(picture.size))
    brightness = float((seen * wanted).sum() / max((wanted**2).sum(), 1))
    return float(np.abs(seen - np.clip(brightness, darkest, 1.05) * wanted).mean())


def _edges(picture: Image.Image) -> NDArray[np.float64]:
    """Return the mean colours of patches in the upper corners and at the sides."""
    width, height = picture.size
    side = max(min(width, height) // 24, 2)
    rows = (0, height // 8, height // 4)
    places = [(x, y) for x in (0, width - side) for y in rows]
    patches = [picture.crop((x, y, x + side, y + side)) for x, y in places]
    return np.array([np.asarray(p, np.float64).mean(axis=(0, 1)) for p in patches])


def _captions(film: Path, expected: Expectation) -> Iterator[tuple[Kind, float]]:
    """Look whether letters stand where and when they should."""
    layout, pages = expected.layout, expected.pages[:: max(len(expected.pages) // 4, 1)]
    if layout is None or not pages:
        return
    lettering = Subtitles((), layout, ON_DARK)
    times = [(page.start_s + page.end_s) / 2 for page in pages]
    pictures = pictures_at(film, times)
    pale = []
    for page, picture in zip(pages, pictures, strict=True):
        if picture.size != (layout.width, layout.height):
            return  # told already
        layer = np.asarray(lettering.page(page))
        letters = (layer[:, :, 3] > 240) & (layer[:, :, 0] > 240)  # noqa: PLR2004
        around = (layer[:, :, 3] > 100) & ~letters & (layer[:, :, 0] < 60)  # noqa: PLR2004
        box = picture.crop(layout.captions.corners)
        grey = np.asarray(box.convert("L"), np.float32)
        pale.append(abs(grey[letters].mean() - grey[around].mean()) < _PALE)
    if sum(pale) * 2 > len(pale):
        yield "captions", times[pale.index(True)]
