"""Captions: words become lines and pages with times, and the same pages an SRT.

Nothing is drawn here; widths come from a function.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.preview.speech import Word
from heygen_nb.preview.stress import STRESS
from heygen_nb.preview.text import clean_script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Measure = Callable[[str], float]

_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_CLOSERS = "\"'»”’)]"
# A page goes a little after its last word when nothing follows.
_LINGER_S = 0.6
_PAUSE_S = 0.7
_BREATH_S = 0.1  # the least pause after a sentence
_SHORT_FORM = 5  # characters: "Prof."


@dataclass(frozen=True, slots=True)
class Page:
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
) -> tuple[Page, ...]:
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


def to_srt(pages: Iterable[Page]) -> str:
    """Return the pages in SubRip form."""
    return "".join(
        f"{number}\n{_stamp(page.start_s)} --> {_stamp(page.end_s)}\n{page.text}\n\n"
        for number, page in enumerate(pages, 1)
    )


def _stamp(seconds: float) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{ms:03}"


def _shown(text: str) -> str:
    """Return the word without what is meant for the voice: Russian stress marks."""
    return "".join(clean_script(text).replace(STRESS, "").split())


def _pieces(word: Word, measure: Measure, width: float) -> Iterable[Word]:
    """Break what is longer than a line; each piece gets its share of the time."""
    text = _shown(word.text)
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
    while whole > start + 1 and _clings(text, whole):
        whole -= 1
    return whole if whole > start + 1 else end


def _clings(text: str, index: int) -> bool:
    """Tell whether the character belongs to the one before it."""
    kind = unicodedata.category(text[index])
    return kind in ("Mn", "Me", "Cf", "Sk") or text[index - 1] == "\u200d"


def _sentences(words: Sequence[Word]) -> Iterable[list[Word]]:
    """Yield the words up to the end of a sentence or a pause.

    An emoji after the full stop still belongs to the sentence.
    """
    current: list[Word] = []
    last: Word | None = None
    for word in words:
        spoken = word.end_s > word.start_s
        if last and spoken and _is_apart(last, word):
            yield current
            current = []
        current.append(word)
        last = word if spoken else last
    if current:
        yield current


def _is_apart(word: Word, following: Word) -> bool:
    """Tell whether a page ends between two words."""
    gap_s = following.start_s - word.end_s
    text = word.text.rstrip(_CLOSERS)
    if text.endswith(".") and len(text) <= _SHORT_FORM and gap_s < _BREATH_S:
        return False  # Dr. Smith, J. Doe
    return gap_s > _PAUSE_S or text.endswith(_SENTENCE_ENDS)


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


def _timed(groups: list[list[list[Word]]], duration_s: float) -> tuple[Page, ...]:
    pages = []
    starts = [lines[0][0].start_s for lines in groups[1:]] + [duration_s]
    for lines, following in zip(groups, starts, strict=True):
        start = lines[0][0].start_s
        quiet = lines[-1][-1].end_s + _LINGER_S
        end = following if following < quiet + _LINGER_S else quiet
        shown = tuple(tuple(line) for line in lines)
        pages.append(Page(shown, start, min(max(end, start), duration_s)))
    return tuple(pages)
