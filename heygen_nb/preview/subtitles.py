"""Draws the captions: a page when it comes, and the spoken word's pill on it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from heygen_nb.preview.lettering import draw_text, rounded_mask, text_width
from heygen_nb.preview.planes import Patch, to_patch

if TYPE_CHECKING:
    from heygen_nb.preview.background import Palette
    from heygen_nb.preview.captions import Page
    from heygen_nb.preview.layout import Layout
    from heygen_nb.preview.planes import Plane
    from heygen_nb.preview.speech import Word

_LET_GO_S = 0.35  # a word stays lit over shorter gaps


class Subtitles:
    """The captions on the picture; times come in order."""

    def __init__(
        self,
        picture: Image.Image,
        layout: Layout,
        palette: Palette,
        pages: tuple[Page, ...],
    ) -> None:
        self._layout = layout
        self._palette = palette
        self._pages = pages
        self._behind = picture.crop(layout.captions.corners)
        self._empty = to_patch(self._behind, layout.captions.x, layout.captions.y)
        self._turn = 0
        self._page: Page | None = None
        self._lit: Word | None = None
        self._image, self._plain = self._behind, self._empty
        self._places: dict[int, tuple[int, int]] = {}

    def paint(self, now: float, planes: tuple[Plane, Plane, Plane]) -> bool:
        """Bring the captions to a time; False if they stay as they are."""
        while self._turn < len(self._pages) and self._pages[self._turn].end_s <= now:
            self._turn += 1
        page = self._pages[self._turn] if self._turn < len(self._pages) else None
        if page and page.start_s > now:
            page = None
        word = _spoken(page, now) if page else None
        if page is self._page and word is self._lit:
            return False
        if page is not self._page:
            self._turn_to(page)
        self._plain.put_on(planes)
        if word:
            self._pill(word).put_on(planes)
        self._page, self._lit = page, word
        return True

    def _turn_to(self, page: Page | None) -> None:
        self._image, self._plain = self._behind, self._empty
        if page:
            box = self._layout.captions
            self._image = self._with_letters(self._letters(page))
            self._plain = to_patch(self._image, box.x, box.y)

    def _letters(self, page: Page) -> Image.Image:
        """Draw the page as a mask; remember where each word stands."""
        size, box = self._layout.font_px, self._layout.captions
        letters = Image.new("L", self._behind.size)
        draw = ImageDraw.Draw(letters)
        top = (box.height - len(page.lines) * self._layout.line_px) / 2
        for number, words in enumerate(page.lines):
            line = words[::-1] if _right_to_left(words[0]) else words
            widths = [text_width(word.text, size) for word in line]
            gaps = self._layout.space_px * (len(line) - 1)
            x = (box.width - sum(widths) - gaps) / 2
            y = round(top + self._layout.line_px * (number + 0.5) + size * 0.36)
            for word, width in zip(line, widths, strict=True):
                self._places[id(word)] = (round(x), y)
                draw_text(draw, (round(x), y), word.text, size, 255)
                x += width + self._layout.space_px
        return letters

    def _with_letters(self, letters: Image.Image) -> Image.Image:
        """Put the letters on the background, with a soft shadow to stand out."""
        size = self._layout.font_px
        blur = ImageFilter.BoxBlur(size * 0.09)
        shade = letters.filter(blur).filter(blur).point(_strengthen)
        image = self._behind.copy()
        image.paste(self._palette.shade, (0, size // 24), shade)
        image.paste(self._palette.ink, mask=letters)
        return image

    def _pill(self, word: Word) -> Patch:
        size, box = self._layout.font_px, self._layout.captions
        x, base = self._places[id(word)]
        across = size * 0.15
        right = x + text_width(word.text, size) + across
        # Outwards to even pixels, but not over the edge.
        left, top = max(int(x - across) & ~1, 0), max(int(base - size * 0.92) & ~1, 0)
        right = min(int(right + 2) & ~1, box.width)
        bottom = min(int(base + size * 0.32 + 2) & ~1, box.height)
        part = self._image.crop((left, top, right, bottom))
        part.paste(self._palette.accent, mask=rounded_mask(part.size, size * 0.2))
        at = (x - left, base - top)
        draw_text(ImageDraw.Draw(part), at, word.text, size, self._palette.accent_ink)
        return to_patch(part, box.x + left, box.y + top)


def _right_to_left(word: Word) -> bool:
    return any(unicodedata.bidirectional(char) in ("R", "AL") for char in word.text)


def _strengthen(opacity: int) -> int:
    return min(opacity * 3 // 2, 220)


def _spoken(page: Page, now: float) -> Word | None:
    """Return the word being said; silent ones (emoji, dashes) never light up."""
    lit = None
    for word in page.words:
        if word.start_s <= now and word.end_s > word.start_s:
            lit = word
    return lit if lit and now < lit.end_s + _LET_GO_S else None
