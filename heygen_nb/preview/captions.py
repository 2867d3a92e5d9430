"""Captions: words become lines and pages with times, and the same pages an SRT.

Nothing is drawn here; widths come from a function.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from heygen_nb.preview.layout import (
    Layer,
    Layout,
    Palette,
    Plane,
    draw_text,
    rounded_mask,
    text_width,
)
from heygen_nb.preview.text import STRESS, clean_script, script_words
from heygen_nb.preview.voice import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Measure = Callable[[str], float]
    Shown = tuple["CaptionPage | None", Word | None]

_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_CLOSERS = "\"'»”’)]"
# A page goes a little after its last word when nothing follows.
_LINGER_S = 0.6
_PAUSE_S = 0.7
_BREATH_S = 0.1  # the least pause after a sentence
_SHORT_FORM = 5  # characters: "Prof."
_SMALLEST = 0.7  # of the letters' size


@dataclass(frozen=True, slots=True)
class CaptionPage:
    """What is on the screen at one time.

    Attributes:
        lines: Each line's words.
        start_s: Shown from.
        end_s: Shown until.
    """

    lines: tuple[tuple[Word, ...], ...]
    start_s: float
    end_s: float

    @property
    def words(self) -> tuple[Word, ...]:
        """Return the words of all lines in reading order."""
        return tuple(word for line in self.lines for word in line)

    @property
    def text(self) -> str:
        """Return the page as an SRT shows it."""
        return "\n".join(" ".join(w.text for w in line) for line in self.lines)


def lay_out_pages(
    words: Sequence[Word],
    *,
    measure: Measure,
    width: float,
    max_lines: int,
    duration_s: float,
) -> tuple[CaptionPage, ...]:
    """Set the words into pages that end with sentences and pauses.

    Args:
        words: In the order they are said.
        measure: How wide a text is drawn.
        width: Room for a line, in the unit of ``measure``.
        max_lines: Lines a page has at most.
        duration_s: Length of the speech; no page is shown longer.
    """
    pieces = [piece for word in words for piece in _pieces(word, measure, width)]
    groups = [
        lines
        for sentence in _sentences(pieces)
        for lines in _even_pages(sentence, measure, width, max_lines)
    ]
    return _timed(groups, duration_s) if groups else ()


def set_pages(
    layout: Layout, words: Sequence[Word], duration_s: float
) -> tuple[Layout, tuple[CaptionPage, ...]]:
    """Set the words where the captions stand.

    The letters become a little smaller if that saves a word from being broken.
    """
    longest = max((text_width(w.text, layout.font_px) for w in words), default=1)
    if _SMALLEST <= layout.text_width / longest < 1:
        smaller = int(layout.font_px * layout.text_width / longest)
        layout = replace(layout, font_px=smaller)

    def width(text: str) -> float:
        return layout.space_px if text == " " else text_width(text, layout.font_px)

    return layout, lay_out_pages(
        words,
        measure=width,
        width=layout.text_width,
        max_lines=layout.max_lines,
        duration_s=duration_s,
    )


def to_srt(pages: Iterable[CaptionPage]) -> str:
    """Return the pages in SubRip form."""
    return "".join(
        f"{number}\n{_stamp(page.start_s)} --> {_stamp(page.end_s)}\n{page.text}\n\n"
        for number, page in enumerate(pages, 1)
    )


def _stamp(seconds: float) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{ms:03}"


def said_as_written(script: str, heard: Sequence[Word]) -> tuple[Word, ...]:
    """Give the script's own spelling the times of the words that were heard.

    What was heard may be spelled otherwise: numbers in words, emoji left out.
    """
    texts = script_words(script)
    matcher = SequenceMatcher(
        None, [_key(t) for t in texts], [_key(w.text) for w in heard], autojunk=False
    )
    words: list[Word] = []
    reached = 0.0
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(texts[i:j], heard[k:m], strict=True)
            words += [Word(text, word.start_s, word.end_s) for text, word in pairs]
        elif k < m:
            words += shared(texts[i:j], heard[k].start_s, heard[m - 1].end_s)
        else:
            words += [Word(text, reached, reached) for text in texts[i:j]]
        reached = words[-1].end_s if words else 0.0
    return tuple(words)


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def shared(texts: Sequence[str], start_s: float, end_s: float) -> Iterable[Word]:
    """Yield words with their letters' share of a time."""
    weights = [sum(map(str.isalnum, text)) for text in texts]
    # With nothing to say in it, such as a lone emoji, the time belongs to nobody.
    each = (end_s - start_s) / (sum(weights) or 1)
    for text, weight in zip(texts, weights, strict=True):
        yield Word(text, start_s, start_s + weight * each)
        start_s += weight * each


def _pieces(word: Word, measure: Measure, width: float) -> Iterable[Word]:
    """Break what is longer than a line; each piece gets its share of the time."""
    # Russian stress marks are for the voice only.
    text = " ".join(clean_script(word.text).replace(STRESS, "").split())
    done, length = 0, len(text)
    while done < length:
        end = _fitting(text, done, measure, width)
        span = word.end_s - word.start_s
        start_s = word.start_s + span * done / length
        yield Word(text[done:end], start_s, word.start_s + span * end / length)
        done = end


def _fitting(text: str, start: int, measure: Measure, width: float) -> int:
    """Return where to break: as late as fits, never between a letter and its mark."""
    end, used = start + 1, measure(text[start])
    while end < len(text) and (used := used + measure(text[end])) <= width:
        end += 1
    while end > start + 1 and measure(text[start:end]) > width:
        end -= 1
    if end == len(text):
        return end
    # An address or a compound is best broken where it is joined.
    joint = max(text.rfind(sign, start + (end - start) // 2, end) for sign in "-/_.,")
    if joint > start:
        return joint + 1
    whole = end
    while whole > start + 1 and (
        unicodedata.category(text[whole]) in ("Mn", "Me", "Cf", "Sk")
        or text[whole - 1] == "\u200d"
    ):
        whole -= 1
    return whole if whole > start + 1 else end


def _sentences(words: Sequence[Word]) -> Iterable[list[Word]]:
    """Yield the words up to the end of a sentence or a pause.

    An emoji after the full stop still belongs to the sentence.
    """
    current: list[Word] = []
    last: Word | None = None
    for word in words:
        spoken = word.end_s > word.start_s
        if last and spoken:
            gap_s, text = word.start_s - last.end_s, last.text.rstrip(_CLOSERS)
            # Dr. Smith, J. Doe
            short = text.endswith(".") and len(text) <= _SHORT_FORM
            ended = text.endswith(_SENTENCE_ENDS) or gap_s > _PAUSE_S
            if ended and not (short and gap_s < _BREATH_S):
                yield current
                current = []
        current.append(word)
        last = word if spoken else last
    if current:
        yield current


def _wrap(words: Sequence[Word], measure: Measure, width: float) -> list[list[Word]]:
    lines: list[list[Word]] = []
    used = 0.0
    space = measure(" ")
    for word in words:
        needed = measure(word.text)
        if not lines or used + space + needed > width:
            lines.append([])
            used = -space
        lines[-1].append(word)
        used += space + needed
    return lines


def _even_pages(
    words: list[Word], measure: Measure, width: float, max_lines: int
) -> Iterable[list[list[Word]]]:
    """Share a sentence out so that no page is left with a lonely word."""
    count = -(-len(_wrap(words, measure, width)) // max_lines)
    while words:
        total = sum(measure(word.text) for word in words)
        reached, taken = 0.0, 0
        for taken, word in enumerate(words, 1):  # noqa: B007 - used after the loop
            reached += measure(word.text)
            if reached >= total / max(count, 1):
                break
        while taken > 1 and len(_wrap(words[:taken], measure, width)) > max_lines:
            taken -= 1
        yield _balanced(words[:taken], measure, width)
        words = words[taken:]
        count -= 1


def _balanced(
    words: Sequence[Word], measure: Measure, width: float
) -> list[list[Word]]:
    """Wrap into the same number of lines, but as even as it goes."""
    best = _wrap(words, measure, width)
    low, high = width / 3, width
    for _ in range(6):
        middle = (low + high) / 2
        lines = _wrap(words, measure, middle)
        if len(lines) > len(best):
            low = middle
        else:
            best, high = lines, middle
    return best


def _timed(
    groups: list[list[list[Word]]], duration_s: float
) -> tuple[CaptionPage, ...]:
    pages = []
    starts = [lines[0][0].start_s for lines in groups[1:]] + [duration_s]
    for lines, following in zip(groups, starts, strict=True):
        start = lines[0][0].start_s
        quiet = lines[-1][-1].end_s + _LINGER_S
        end = following if following < quiet + _LINGER_S else quiet
        shown = tuple(tuple(line) for line in lines)
        pages.append(CaptionPage(shown, start, min(max(end, start), duration_s)))
    return tuple(pages)


_LET_GO_S = 0.35  # a word stays lit over shorter gaps


class Subtitles:
    """The captions of a film or a scene; times come in order.

    Args:
        pages: What is shown when.
        layout: Where.
        palette: The colours that read well there.
        lit: Whether the word being said is lit.
    """

    def __init__(
        self,
        pages: tuple[CaptionPage, ...],
        layout: Layout,
        palette: Palette,
        *,
        lit: bool = True,
    ) -> None:
        self._pages = pages
        self._layout = layout
        self._palette = palette
        self._lit = lit
        self._places: dict[int, tuple[int, int]] = {}
        self._shown: Shown = None, None
        self._letters: Layer | None = None
        self._pill: Layer | None = None

    def state(self, now: float) -> Shown:
        """Return the page and the word being said at a time, if that is lit.

        Silent words (emoji, dashes) never light up.
        """
        page = next((p for p in self._pages if p.start_s <= now < p.end_s), None)
        words = page.words if page and self._lit else ()
        begun = [w for w in words if w.start_s <= now and w.end_s > w.start_s]
        lit = bool(begun) and now < begun[-1].end_s + _LET_GO_S
        return page, begun[-1] if lit else None

    def put_on(self, planes: tuple[Plane, Plane, Plane], now: float) -> Shown:
        """Lay over a picture what is shown at a time, and return that."""
        page, word = shown = self.state(now)
        if page is not self._shown[0]:
            box = self._layout.captions
            self._letters = Layer(self.page(page), box.x, box.y) if page else None
        if shown != self._shown:
            self._pill = self._lit_word(word) if word else None
        self._shown = shown
        for layer in filter(None, (self._letters, self._pill)):
            layer.put_on(planes)
        return shown

    def page(self, page: CaptionPage) -> Image.Image:
        """Return the letters with a soft shadow, as large as the captions' box."""
        size = self._layout.font_px
        letters = self._mask(page)
        blur = ImageFilter.BoxBlur(size * 0.09)
        shade = (
            letters.filter(blur)
            .filter(blur)
            .point(lambda opacity: min(opacity * 3 // 2, 220))
        )
        below = Image.new("L", letters.size)
        below.paste(shade, (0, size // 24))
        layer = Image.new("RGBA", letters.size, self._palette.shade)
        layer.putalpha(below)
        ink = Image.new("RGBA", letters.size, self._palette.ink)
        ink.putalpha(letters)
        return Image.alpha_composite(layer, ink)

    def _lit_word(self, word: Word) -> Layer:
        """Draw the lit word of the page drawn last."""
        size, box = self._layout.font_px, self._layout.captions
        x, base = self._places[id(word)]
        across = size * 0.15
        right = x + text_width(word.text, size) + across
        # Outwards to even pixels, but not over the edge.
        left, top = max(int(x - across) & ~1, 0), max(int(base - size * 0.92) & ~1, 0)
        right = min(int(right + 2) & ~1, box.width)
        bottom = min(int(base + size * 0.32 + 2) & ~1, box.height)
        mask = rounded_mask((int(right) - left, bottom - top), size * 0.2)
        layer = Image.new("RGBA", mask.size, self._palette.accent)
        at = (x - left, base - top)
        draw_text(ImageDraw.Draw(layer), at, word.text, size, self._palette.accent_ink)
        layer.putalpha(mask)
        return Layer(layer, box.x + left, box.y + top)

    def _mask(self, page: CaptionPage) -> Image.Image:
        """Draw the page as a mask; remember where each word stands."""
        size, box = self._layout.font_px, self._layout.captions
        letters = Image.new("L", (box.width, box.height))
        draw = ImageDraw.Draw(letters)
        top = (box.height - len(page.lines) * self._layout.line_px) / 2
        for number, words in enumerate(page.lines):
            sides = {unicodedata.bidirectional(char) for char in words[0].text}
            line = words[::-1] if sides & {"R", "AL"} else words
            widths = [text_width(word.text, size) for word in line]
            gaps = self._layout.space_px * (len(line) - 1)
            x = (box.width - sum(widths) - gaps) / 2
            y = round(top + self._layout.line_px * (number + 0.5) + size * 0.36)
            for word, width in zip(line, widths, strict=True):
                self._places[id(word)] = (round(x), y)
                draw_text(draw, (round(x), y), word.text, size, 255)
                x += width + self._layout.space_px
        return letters
