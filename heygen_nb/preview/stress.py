"""Stress marks in Russian: espeak-ng does not follow them, so it gets phonemes.

``за́мок`` becomes ``[[z'amVk]]``: espeak-ng's own reading with the stress moved.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.preview.text import Utterance

STRESS = "\u0301"
_VOWELS = "аеёиоуыэюя"
_MARKED = re.compile(rf"[а-яё]*[{_VOWELS}]{STRESS}[а-яё{STRESS}]*", re.IGNORECASE)
# espeak-ng's vowels (ru), each with the stress before it.
_SOUND = re.compile(r"""[',]*("u"|[aAVoOeEiIuUy8]#?)""")
_STRESSED = dict(
    zip(_VOWELS, ["a", "e", "o", "i", "o", "u", "y", "E", '"u"', "a"], strict=True)
)
_REDUCED = {"o": "V", "O": "V", "8": "V", "e": "i", "E": "i", "A": "a"}


def follow_stress(utterance: Utterance, phonemes: Callable[[str], str]) -> Utterance:
    """Replace the marked words by phonemes; a word keeps its place in the script.

    Args:
        utterance: In Russian.
        phonemes: How espeak-ng reads a word, in its own notation.
    """
    text, done = "", 0
    tokens: list[int] = []
    for marked in _MARKED.finditer(utterance.text):
        said = _moved(marked[0].lower(), phonemes)
        text += utterance.text[done : marked.start()] + said
        tokens += utterance.tokens[done : marked.start()]
        tokens += [utterance.tokens[marked.start()]] * len(said)
        done = marked.end()
    return replace(
        utterance,
        text=text + utterance.text[done:],
        tokens=(*tokens, *utterance.tokens[done:]),
    )


def _moved(word: str, phonemes: Callable[[str], str]) -> str:
    """Return the word as phonemes; unmarked if its vowels cannot be told apart."""
    before, after = word.split(STRESS, 1)
    plain = before + after.replace(STRESS, "")
    said = phonemes(plain)
    if len(_SOUND.findall(said)) != sum(char in _VOWELS for char in plain):
        return plain
    left = sum(char in _VOWELS for char in before)

    def sound(match: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        if left == 0:
            return "'" + _STRESSED[before[-1]]
        lost = match[0].startswith("'")
        return _REDUCED.get(match[1], match[1]) if lost else match[1]

    return f"[[{_SOUND.sub(sound, said)}]]"
