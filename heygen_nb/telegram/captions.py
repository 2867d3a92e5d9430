"""Long captions are cut as a person would cut them."""

from __future__ import annotations

import re
from itertools import accumulate, takewhile

MAX_CAPTION, MAX_MESSAGE = 1_024, 4_096  # UTF-16 code units

_PARAGRAPH = re.compile(r"(?=\n\s*\n)")
_SENTENCE = re.compile(r"[.!?…][»”\"')\]]*(?=\s)|(?=\n)")
_WORD = re.compile(r"(?=\s)")


def split_caption(text: str) -> list[str]:
    """Cut a text into a caption and the messages that follow it.

    Cuts fall between paragraphs, else sentences, else words; only the white space
    there is dropped. Lengths are counted in UTF-16 code units, as Telegram does.
    """
    parts: list[str] = []
    rest, limit = text.strip(), MAX_CAPTION
    while True:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest, limit = rest[cut:].lstrip(), MAX_MESSAGE
        if not rest:
            return parts


def _cut(text: str, limit: int) -> int:
    units = accumulate(1 + (sign > "\uffff") for sign in text)
    fits = sum(1 for _unit in takewhile(limit.__ge__, units))
    if fits == len(text):
        return fits
    # a tidy cut that wastes more than half of the room is worse than a plain one
    for pattern, least in ((_PARAGRAPH, fits // 2), (_SENTENCE, fits // 2), (_WORD, 1)):
        found = (m.end() for m in pattern.finditer(text, 0, fits + 2))
        if cuts := [end for end in found if least <= end <= fits]:
            return cuts[-1]
    return fits
