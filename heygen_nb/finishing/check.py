"""A look at a film before thousands see it: what is not as it was asked for.

The limits were measured on 200 films of the sandbox; benchmarks/check.py repeats it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from heygen_nb.finishing.film import Finish, caption_pages, crop_to
from heygen_nb.preview.captions import CaptionPage, Subtitles
from heygen_nb.preview.drawing import ON_DARK, Layout, open_image
from heygen_nb.preview.video import pictures_at, probe_video, read_sound, small_jpeg
from heygen_nb.timing import estimate_s

Kind = Literal[
    "size", "mute", "silent", "cut", "black", "frozen", "background", "captions"
]

_SAMPLES = 12
_LEAST_PX = 200  # smaller ones, the sandbox's quick films, have no good picture
_ROUNDING_PX = 3
_QUIET = 0.003  # of full scale: below any voice, above the noise of a codec
_LEAST_OF_SCRIPT = 0.58  # of the time the script needs: nobody says it faster
_DARK = 30  # grey
_STILL = 1.2  # grey, of the block that changed most
_STILL_SAMPLES = 4
_OTHER_COLOUR, _OTHER_PICTURE = 40.0, 20.0  # a good film has 2
_PALE = 25  # grey between letters and what is behind them
_BLOCK = 8


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


def check_film(
    film: Path,
    wish: Finish,
    frames: Path,
    *,
    ratio: str,
    speed: float = 1.0,
    background: str | Path | None = None,
) -> list[Finding]:
    """Look at and listen to a finished film; very small ones are only listened to.

    Args:
        film: An MP4.
        wish: How it was finished.
        frames: A folder for the pictures of what is found; made if need be.
        ratio: The canvas it was bought in.
        speed: How fast it is said.
        background: A colour (``#rrggbb``), or a picture's path; None is not checked.

    Raises:
        PreviewError: It is not a video.
    """
    facts = probe_video(film)
    size, begin_s, end_s = (facts.width, facts.height), 0.0, facts.duration_s
    found: list[tuple[Kind, float]] = []
    layout, pages = caption_pages(wish, size, facts.duration_s, None)
    moves = wish.with_avatar or bool(pages)
    if min(size) < _LEAST_PX:
        background, pages, moves = None, (), True
    else:
        across, down = map(int, (wish.aspect_ratio or ratio).split(":"))
        if abs(size[0] * down / across - size[1]) > _ROUNDING_PX:
            found.append(("size", 0.0))
    loud: Sequence[int] = ()
    if facts.channels:
        loud = np.flatnonzero(read_sound(film).power(1 / 50) > _QUIET).tolist()
    if not loud:
        found.append(("silent" if facts.channels else "mute", 0.0))
    else:
        begin_s, end_s = loud[0] / 50, (loud[-1] + 1) / 50
        if end_s - begin_s < _LEAST_OF_SCRIPT * estimate_s(wish.script, speed=speed):
            found.append(("cut", end_s))
    times = np.linspace(begin_s, end_s, _SAMPLES + 2)[1:-1].tolist()
    pictures = pictures_at(film, times)
    found += _seen(times, pictures, background, moves=moves)
    middle = len(pictures) // 2
    if background is not None and _differs(pictures[middle], background, wish, ratio):
        found.append(("background", times[middle]))
    found += _captions(film, layout, pages)
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
    times: Sequence[float],
    pictures: Sequence[Image.Image],
    background: str | Path | None,
    *,
    moves: bool,
) -> Iterator[tuple[Kind, float]]:
    small = [picture.convert("L").reduce(_BLOCK) for picture in pictures]
    greys = np.array([np.asarray(picture, np.int16) for picture in small])
    # On a background that is black itself only letters and a face are bright.
    colour = background[:7] if isinstance(background, str) else "white"
    wanted_dark = Image.new("RGB", (1, 1), colour).convert("L").tobytes()[0] < _DARK
    dark = np.percentile(greys, 100 if wanted_dark else 98, axis=(1, 2)) < _DARK
    if moves or not wanted_dark:
        yield from (("black", times[start]) for start in _runs(dark, 2)[:1])
    if moves and not dark.all():
        apart = np.abs(np.diff(greys, axis=0)).astype(np.uint8)
        blocks = np.array([Image.fromarray(change).reduce(2) for change in apart])
        starts = _runs(blocks.max(axis=(1, 2)) < _STILL, _STILL_SAMPLES - 1)
        yield from (("frozen", times[start]) for start in starts[:1])


def _runs(flags: NDArray[np.bool_], length: int) -> list[int]:
    """Return where so many in a row begin to be true."""
    together = np.convolve(flags, np.ones(length), "valid")
    return np.flatnonzero(together == length).tolist()


def _differs(
    picture: Image.Image, background: str | Path, wish: Finish, ratio: str
) -> bool:
    """Tell whether the edges are not the background's, but for its brightness."""
    if isinstance(background, str):
        image = Image.new("RGB", picture.size, background[:7])
        darkest, limit = 0.95, _OTHER_COLOUR
    else:
        # It fills the canvas that was bought, and of that the one it was cut to.
        across, down = map(int, ratio.split(":"))
        image = ImageOps.fit(open_image(background), (across * 90, down * 90))
        crop, _size = crop_to(image.size, wish.aspect_ratio or ratio, wish.focus)
        image = image.crop(crop).resize(picture.size)
        darkest, limit = 0.3, _OTHER_PICTURE  # photos are darkened under letters
    seen, wanted = _edges(picture), _edges(image)
    brightness = float((seen * wanted).sum() / max((wanted**2).sum(), 1))
    wanted *= np.clip(brightness, darkest, 1.05)
    return float(np.abs(seen - wanted).mean()) > limit


def _edges(picture: Image.Image) -> NDArray[np.float64]:
    """Return the mean colours of patches in the upper corners and at the sides."""
    width, height = picture.size
    side = max(min(width, height) // 24, 2)
    rows = (0, height // 8, height // 4)
    places = [(x, y) for x in (0, width - side) for y in rows]
    patches = [picture.crop((x, y, x + side, y + side)) for x, y in places]
    return np.array([np.asarray(p, np.float64).mean(axis=(0, 1)) for p in patches])


def _captions(
    film: Path, layout: Layout, pages: Sequence[CaptionPage]
) -> Iterator[tuple[Kind, float]]:
    """Look whether letters stand where and when they should."""
    pages = pages[:: max(len(pages) // 4, 1)]
    times = [(page.start_s + page.end_s) / 2 for page in pages]
    pale = []
    for page, picture in zip(pages, pictures_at(film, times), strict=True):
        layer = np.asarray(Subtitles((), layout, ON_DARK).page(page))
        letters = (layer[:, :, 3] > 240) & (layer[:, :, 0] > 240)  # noqa: PLR2004
        around = (layer[:, :, 3] > 100) & ~letters & (layer[:, :, 0] < 60)  # noqa: PLR2004
        box = picture.crop(layout.captions.corners)
        grey = np.asarray(box.convert("L"), np.float32)
        pale.append(abs(grey[letters].mean() - grey[around].mean()) < _PALE)
    if sum(pale) * 2 > len(pale):
        yield "captions", times[pale.index(True)]
