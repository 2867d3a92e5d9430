"""Captions: words become lines and pages with times, and the same pages an SRT."""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import accumulate

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from heygen_nb.preview import drawing
from heygen_nb.preview.drawing import text_width
from heygen_nb.preview.text import STRESS, clean_script, script_words
from heygen_nb.preview.voice import Word

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
_LONGEST_LINE = 64  # characters
_LET_GO_S = 0.35  # a word stays lit over shorter gaps


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


def set_pages(
    layout: drawing.Layout, words: Sequence[Word], duration_s: float
) -> tuple[drawing.Layout, tuple[CaptionPage, ...]]:
    """Set the words where the captions stand.

    The letters become a little smaller if that saves a word from being broken.
    """
    longest = max((text_width(w.text, layout.font_px) for w in words), default=1)
    if _SMALLEST <= layout.text_width / longest < 1:
        smaller = int(layout.font_px * layout.text_width / longest)
        layout = replace(layout, font_px=smaller)

    def width(text: str) -> float:
        return layout.space_px if text == " " else text_width(text, layout.font_px)

    pages = lay_out_pages(words, width, layout.text_width, layout.max_lines, duration_s)
    return layout, pages


def lay_out_pages(
    words: Sequence[Word],
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
    pages = []
    starts = [lines[0][0].start_s for lines in groups] + [duration_s]
    for lines, start, following in zip(groups, starts, starts[1:], strict=False):
        quiet = lines[-1][-1].end_s + _LINGER_S
        end = following if following < quiet + _LINGER_S else quiet
        shown = tuple(map(tuple, lines))
        pages.append(CaptionPage(shown, start, min(max(end, start), duration_s)))
    return tuple(pages)


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
    written, said = (
        ["".join(filter(str.isalnum, text.casefold())) for text in spelled]
        for spelled in (texts, [word.text for word in heard])
    )
    words: list[Word] = []
    reached = 0.0
    matcher = SequenceMatcher(None, written, said, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(texts[i:j], heard[k:m], strict=True)
            words += [replace(word, text=text) for text, word in pairs]
        elif k < m:
            words += shared(texts[i:j], heard[k].start_s, heard[m - 1].end_s)
        else:
            words += [Word(text, reached, reached) for text in texts[i:j]]
        reached = words[-1].end_s if words else 0.0
    return tuple(words)


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
    done, length, span = 0, len(text), word.end_s - word.start_s
    while done < length:
        end = done + _fitting(text[done:], measure, width)
        start_s = word.start_s + span * done / length
        yield Word(text[done:end], start_s, word.start_s + span * end / length)
        done = end


def _fitting(text: str, measure: Measure, width: float) -> int:
    """Return where to break: as late as fits, never between a letter and its mark."""
    lengths = range(1, min(len(text), _LONGEST_LINE) + 1)
    end = bisect_right(lengths, width, key=lambda length: measure(text[:length])) or 1
    if end == len(text):
        return end
    # An address or a compound is best broken where it is joined.
    joint = max(text.rfind(sign, end // 2, end) for sign in "-/_.,")
    if joint > 0:
        return joint + 1
    whole = end
    while whole > 1 and (
        unicodedata.category(text[whole]) in ("Mn", "Me", "Cf", "Sk")
        or text[whole - 1] == "\u200d"
    ):
        whole -= 1
    return whole if whole > 1 else end


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
        reached = [*accumulate(measure(word.text) for word in words)]
        share = reached[-1] / max(count, 1)
        taken = next(n for n, reach in enumerate(reached, 1) if reach >= share)
        while taken > 1 and len(_wrap(words[:taken], measure, width)) > max_lines:
            taken -= 1
        # In the same number of lines, but as even as it goes.
        widths = (width * part / 50 for part in range(50, 16, -1))
        wrapped = [_wrap(words[:taken], measure, wide) for wide in widths]
        yield [lines for lines in wrapped if len(lines) == len(wrapped[0])][-1]
        words = words[taken:]
        count -= 1


@dataclass
class Subtitles:
    """The captions of a film or a scene; times come in order.

    Attributes:
        pages: What is shown when.
        layout: Where.
        palette: The colours that read well there.
        lit: Whether the word being said is lit.
        shown: What was put on a picture last.
    """

    pages: tuple[CaptionPage, ...]
    layout: drawing.Layout
    palette: drawing.Palette
    lit: bool = True
    _places: dict[int, tuple[int, int]] = field(default_factory=dict)
    shown: Shown = None, None
    _letters: drawing.Patch | None = None
    _pill: drawing.Patch | None = None

    def state(self, now: float) -> Shown:
        """Return the page and the word being said at a time, if that is lit.

        Silent words (emoji, dashes) never light up.
        """
        page = next((p for p in self.pages if p.start_s <= now < p.end_s), None)
        words = page.words if page and self.lit else ()
        begun = [w for w in words if w.start_s <= now and w.end_s > w.start_s]
        lit = bool(begun) and now < begun[-1].end_s + _LET_GO_S
        return page, begun[-1] if lit else None

    def put_on(self, planes: drawing.Planes, now: float) -> None:
        """Lay over a picture what is shown at a time."""
        page, word = shown = self.state(now)
        if page is not self.shown[0]:
            x, y, *_ = self.layout.captions.corners
            self._letters = drawing.to_patch(self.page(page), x, y) if page else None
        if shown != self.shown:
            self._pill = self._lit_word(word) if word else None
        self.shown = shown
        for patch in filter(None, (self._letters, self._pill)):
            patch.put_on(planes)

    def page(self, page: CaptionPage) -> Image.Image:
        """Return the letters with a soft shadow, as large as the captions' box."""
        size, box = self.layout.font_px, self.layout.captions
        letters = Image.new("L", (box.width, box.height))
        draw = ImageDraw.Draw(letters)
        top = (box.height - len(page.lines) * self.layout.line_px) / 2
        for number, words in enumerate(page.lines):
            sides = {unicodedata.bidirectional(char) for char in words[0].text}
            line = words[::-1] if sides & {"R", "AL"} else words
            widths = [text_width(word.text, size) for word in line]
            gaps = self.layout.space_px * (len(line) - 1)
            x = (box.width - sum(widths) - gaps) / 2
            y = round(top + self.layout.line_px * (number + 0.5) + size * 0.36)
            for word, width in zip(line, widths, strict=True):
                self._places[id(word)] = (round(x), y)
                drawing.draw_text(draw, (round(x), y), word.text, size, 255)
                x += width + self.layout.space_px
        blur = ImageFilter.BoxBlur(size * 0.09)
        soft = letters.filter(blur).filter(blur)
        soft = soft.point(lambda cover: min(cover * 3 // 2, 220))
        shade = Image.new("RGBA", letters.size, self.palette.shade)
        shade.putalpha(ImageChops.offset(soft, 0, size // 24))
        ink = Image.new("RGBA", letters.size, self.palette.ink)
        ink.putalpha(letters)
        return Image.alpha_composite(shade, ink)

    def _lit_word(self, word: Word) -> drawing.Patch:
        """Draw the lit word of the page drawn last."""
        size, box = self.layout.font_px, self.layout.captions
        x, base = self._places[id(word)]
        wide = round(text_width(word.text, size) + size * 0.32)
        mask = drawing.rounded_mask((wide, round(size * 1.24)), size * 0.2)
        pill = Image.new("RGBA", (box.width, box.height), (*self.palette.accent, 0))
        place = round(x - size * 0.15), round(base - size * 0.92)
        pill.paste(self.palette.accent, place, mask)
        draw, ink = ImageDraw.Draw(pill), self.palette.accent_ink
        drawing.draw_text(draw, (x, base), word.text, size, ink)
        return drawing.to_patch(pill, box.x, box.y)
