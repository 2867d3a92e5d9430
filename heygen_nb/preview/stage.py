"""The moving picture: what is drawn once, and what changes from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from heygen_nb.preview.avatar import LEVELS, Avatar, make_avatar
from heygen_nb.preview.background import paint_background, palette_for
from heygen_nb.preview.captions import Page, lay_out_pages
from heygen_nb.preview.layout import lay_out
from heygen_nb.preview.lettering import draw_text, text_width
from heygen_nb.preview.planes import Patch, to_patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from heygen_nb.preview.background import Palette
    from heygen_nb.preview.layout import Box, Layout
    from heygen_nb.preview.planes import Plane
    from heygen_nb.preview.scene import Scene
    from heygen_nb.preview.speech import Speech, Word

FRAMES_PER_S = 25
_STEP = 2  # frames: the face and the bars move at 12.5 a second
_BARS = 23
_LET_GO_S = 0.35  # a word stays lit over shorter gaps
_BLINKS = (31, 76, 108, 163)  # steps within one round of blinking
_BLINK_ROUND = 190


class Stage:
    """A scene with its speech, frame by frame.

    Attributes:
        pages: The captions, for the SRT too; empty when they are off.
        frame_count: Frames at ``FRAMES_PER_S``.
    """

    def __init__(self, scene: Scene, speech: Speech) -> None:
        width, height = scene.size
        self.frame_count = max(round(speech.duration_s * FRAMES_PER_S), 1)
        layout = lay_out(width, height, with_avatar=scene.use_avatar)
        picture = paint_background(scene.background, width, height)
        palette = palette_for(picture, layout.captions.corners)
        self.pages: tuple[Page, ...] = ()
        if scene.captions:
            self.pages = lay_out_pages(
                speech.words,
                measure=lambda text: text_width(text, layout.font_px),
                width=layout.text_width,
                max_lines=layout.max_lines,
                duration_s=speech.duration_s,
            )
        _draw_badge(picture, layout, scene.badge)
        self._avatar: Avatar | None = None
        if scene.use_avatar:
            behind = picture.crop(layout.avatar.corners)
            self._avatar = make_avatar(
                scene.avatar_image, behind, layout.avatar, palette.accent
            )
        self._meter = _Meter(picture, layout.meter, palette)
        self._captions = _Captions(picture, layout, palette, self.pages)
        self._loudness = _loudness(speech, self.frame_count)
        self._base = to_patch(picture)
        self._moved: tuple[object, ...] = ()

    def paint(self, frame: int, planes: tuple[Plane, Plane, Plane]) -> bool:
        """Bring the planes to what frame ``frame`` shows; False if nothing changed.

        Frames come in order, on the same planes, beginning with 0.
        """
        if frame == 0:
            self._base.put_on(planes)
        spoken = self._captions.paint(frame / FRAMES_PER_S, planes)
        if frame % _STEP:
            return spoken
        return self._move(frame // _STEP, planes) or spoken or frame == 0

    def _move(self, step: int, planes: tuple[Plane, Plane, Plane]) -> bool:
        recent = self._loudness[max(step - _BARS // 2, 0) : step + 1][::-1]
        blinking = step % _BLINK_ROUND in _BLINKS
        level = round(float(recent[0]) * (LEVELS - 1))
        bars = self._meter.heights(recent)
        state = (level, blinking, bars)
        if state == self._moved:
            return False
        if self._avatar and state[:2] != self._moved[:2]:
            self._avatar.levels[level].put_on(planes)
            if blinking and self._avatar.blink:
                self._avatar.blink.put_on(planes)
        self._meter.patch(bars).put_on(planes)
        self._moved = state
        return True


def _loudness(speech: Speech, frame_count: int) -> NDArray[np.float32]:
    """Return 0 to 1 for each step, relative to how loud this voice is."""
    size = speech.sample_rate * _STEP // FRAMES_PER_S
    steps = frame_count // _STEP + 1
    padded = np.zeros(steps * size, np.float32)
    kept = min(len(speech.samples), len(padded))
    padded[:kept] = speech.samples[:kept]
    power = np.sqrt(np.mean(padded.reshape(steps, size) ** 2, axis=1))
    top = float(np.percentile(power, 95)) or 1.0
    loudness: NDArray[np.float32] = np.clip(power / top, 0, 1) ** np.float32(0.7)
    return loudness


class _Meter:
    """Bars that run from the middle outwards: now, a moment ago, earlier."""

    def __init__(self, picture: Image.Image, box: Box, palette: Palette) -> None:
        self._box = box
        self._behind = to_patch(picture.crop(box.corners)).planes
        ink = to_patch(Image.new("RGB", (2, 2), palette.accent)).planes
        self._ink = tuple(int(plane[0, 0]) for plane in ink)
        pitch = box.width // _BARS // 2 * 2
        self._left = (box.width - pitch * _BARS) // 4 * 2
        thick = max(pitch * 0.5, 2)
        self._shapes = [
            _bar(pitch, box.height, thick, thick + (box.height - thick) * n / 15)
            for n in range(16)
        ]
        reach = np.abs(np.arange(_BARS) - _BARS // 2)
        self._order = reach.tolist()
        self._fade = (1 - (reach / (_BARS / 2 + 1)) ** 2).tolist()

    def heights(self, recent: NDArray[np.float32]) -> tuple[int, ...]:
        """Return each bar's height, 0 to 15."""
        known = recent.tolist() + [0.0] * _BARS
        return tuple(
            round(known[ago] * fade * 15)
            for ago, fade in zip(self._order, self._fade, strict=True)
        )

    def patch(self, heights: tuple[int, ...]) -> Patch:
        """Blend the bars into the background; blending may as well be done in YUV."""
        opacity = np.zeros((self._box.height, self._box.width), np.int32)
        bars = np.hstack([self._shapes[height] for height in heights])
        opacity[:, self._left : self._left + bars.shape[1]] = bars
        rows, columns = opacity.shape
        small = opacity.reshape(rows // 2, 2, columns // 2, 2).sum((1, 3)) // 4
        planes = (
            (plane + ((ink - plane.astype(np.int32)) * cover >> 8)).astype(np.uint8)
            for plane, ink, cover in zip(
                self._behind, self._ink, (opacity, small, small), strict=True
            )
        )
        y, u, v = planes
        return Patch(self._box.x, self._box.y, (y, u, v))


def _bar(width: int, height: int, thick: float, length: float) -> NDArray[np.int32]:
    """Return the opacity, 0 to 256, of an upright bar with round ends."""
    x = np.arange(width) - (width - 1) / 2
    y = np.arange(height) - (height - 1) / 2
    straight = max(length - thick, 0) / 2
    far = np.hypot(x[None, :], np.maximum(np.abs(y) - straight, 0)[:, None])
    cover: NDArray[np.int32] = (np.clip(thick / 2 - far + 0.5, 0, 1) * 256).astype(
        np.int32
    )
    return cover


class _Captions:
    """Draws a page when it comes, and the spoken word's pill on it."""

    def __init__(
        self,
        picture: Image.Image,
        layout: Layout,
        palette: Palette,
        pages: tuple[Page, ...],
    ) -> None:
        self._layout = layout
        self._palette = palette
        self._behind = picture.crop(layout.captions.corners)
        self._empty = to_patch(self._behind, layout.captions.x, layout.captions.y)
        self._pages = pages
        self._turn = 0
        self._shown: Page | None = None
        self._lit: Word | None = None
        self._image = self._behind
        self._plain = self._empty
        self._places: dict[Word, tuple[int, int]] = {}

    def paint(self, time_s: float, planes: tuple[Plane, Plane, Plane]) -> bool:
        # Half a frame early is as near as late: rounding to the nearest frame.
        now = time_s + 0.5 / FRAMES_PER_S
        while self._turn < len(self._pages) and self._pages[self._turn].end_s <= now:
            self._turn += 1
        page = self._pages[self._turn] if self._turn < len(self._pages) else None
        if page and page.start_s > now:
            page = None
        word = _lit_word(page, now) if page else None
        if page is self._shown and word is self._lit:
            return False
        if page is not self._shown:
            self._turn_to(page)
        self._plain.put_on(planes)
        if word:
            self._pill(word).put_on(planes)
        self._shown, self._lit = page, word
        return True

    def _turn_to(self, page: Page | None) -> None:
        if page is None:
            self._image, self._plain = self._behind, self._empty
            return
        size, box = self._layout.font_px, self._layout.captions
        shade = Image.new("L", self._behind.size)
        letters = Image.new("L", self._behind.size)
        self._places = {}
        top = (box.height - len(page.lines) * self._layout.line_px) / 2
        space = text_width(" ", size)
        for number, line in enumerate(page.lines):
            widths = [text_width(word.text, size) for word in line]
            x = (box.width - sum(widths) - space * (len(line) - 1)) / 2
            y = round(top + self._layout.line_px * (number + 0.5) + size * 0.36)
            for word, width in zip(line, widths, strict=True):
                self._places[word] = (round(x), y)
                draw_text(ImageDraw.Draw(letters), (round(x), y), word.text, size, 255)
                x += width + space
        shade = letters.filter(ImageFilter.BoxBlur(size * 0.09))
        shade = shade.filter(ImageFilter.BoxBlur(size * 0.09)).point(
            lambda value: min(value * 1.5, 220)
        )
        image = self._behind.copy()
        image.paste(self._palette.shade, (0, max(size // 24, 1)), shade)
        image.paste(self._palette.ink, mask=letters)
        self._image, self._plain = image, to_patch(image, box.x, box.y)

    def _pill(self, word: Word) -> Patch:
        size, box = self._layout.font_px, self._layout.captions
        x, base = self._places[word]
        width = text_width(word.text, size)
        across, up, down = size * 0.16, size * 0.92, size * 0.32
        left, top = max(int(x - across) // 2 * 2, 0), int(base - up) // 2 * 2
        right = min(-int(-(x + width + across) // 2) * 2, box.width)
        bottom = min(-int(-(base + down) // 2) * 2, box.height)
        part = self._image.crop((left, top, right, bottom))
        big = Image.new("L", (part.width * 3, part.height * 3))
        ImageDraw.Draw(big).rounded_rectangle(
            (0, 0, big.width - 1, big.height - 1), size * 0.6, 255
        )
        part.paste(self._palette.accent, mask=big.reduce(3))
        draw_text(
            ImageDraw.Draw(part),
            (x - left, base - top),
            word.text,
            size,
            self._palette.accent_ink,
        )
        return to_patch(part, box.x + left, box.y + top)


def _lit_word(page: Page, now: float) -> Word | None:
    """Return the word being said; silent ones (emoji, dashes) never light up."""
    lit = None
    for word in page.words:
        if word.start_s <= now and word.end_s > word.start_s:
            lit = word
    return lit if lit and now < lit.end_s + _LET_GO_S else None


def _draw_badge(picture: Image.Image, layout: Layout, text: str) -> None:
    if not text:
        return
    size = max(round(layout.unit * 0.026), 10)
    spaced = "\u200a".join(text)
    width = round(text_width(spaced, size) + size * 2.7)
    height = round(size * 2)
    x, y = layout.badge_at
    big = Image.new("L", (width * 3, height * 3))
    ImageDraw.Draw(big).rounded_rectangle(
        (0, 0, big.width - 1, big.height - 1), height * 1.5, 150
    )
    picture.paste((10, 11, 22), (x, y), big.reduce(3))
    draw = ImageDraw.Draw(picture)
    centre, dot = y + height / 2, size * 0.26
    left = x + size * 0.95
    draw.ellipse((left - dot, centre - dot, left + dot, centre + dot), (255, 204, 64))
    at = (x + size * 1.65, round(centre + size * 0.36))
    draw_text(draw, at, spaced, size, (255, 255, 255))
