"""What of a script takes time: letters, sentence ends, commas and written breaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

Three = tuple[float, float, float]
_WORD = re.compile(r"[^\W\d_]+")
_BREAK = re.compile(
    r"<break\s+time=[\"']?(\d+(?:\.\d+)?)(m?s)[\"']?\s*/?>", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'»”)\]]|$)|\n\s*\n")
_COMMA = re.compile(r"[,;:](?=\s)|\s[-—–](?=\s)")
_DIGIT = re.compile(r"[1-9]")  # a zero is not said: 300
_SYMBOL = re.compile(r"[%$€£₽°№&+=@]")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTERS_A_SYMBOL = 8  # "percent", "dollars"
_LETTERS_A_WIDE_SIGN = 3  # a syllable, and more


@dataclass(frozen=True, slots=True)
class Language:
    """What is known of a language before anything was rendered.

    Attributes:
        vowels: A match is about a syllable.
        syllable: What a syllable counts in letters, over the letters in it.
        word: What a word counts in letters over its own.
        digit: Letters a digit has when it is read out, zeros apart.
        usual: Letters so counted, sentence ends and commas of a usual word.
        seconds: Of a letter, a sentence end and a comma, at speed 1.
    """

    vowels: re.Pattern[str]
    syllable: float
    word: float
    digit: float
    usual: Three
    seconds: Three


# About 155 words a minute in English, 125 in Russian, whose words are longer.
LANGUAGES = {
    "en": Language(
        vowels=re.compile(r"[aeiouy]+", re.IGNORECASE),
        syllable=0.9,
        word=0.8,
        digit=6.5,
        usual=(6.4, 0.1, 0.07),
        seconds=(0.045, 0.35, 0.22),
    ),
    "ru": Language(
        vowels=re.compile(r"[аеёиоуыэюя]", re.IGNORECASE),
        syllable=0.3,
        word=0.7,
        digit=11,
        usual=(6.7, 0.13, 0.12),
        seconds=(0.053, 0.35, 0.22),
    ),
}


def script_language(script: str) -> str:
    """Return ``ru`` when most letters are Cyrillic, else ``en``."""
    letters = [c for c in script if c.isalpha()]
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in letters)
    return "ru" if cyrillic * 2 > len(letters) else "en"


@lru_cache(maxsize=2048)
def measure(script: str, language: str) -> tuple[Three, float]:
    """Return letters, sentence ends and commas, and seconds of written breaks."""
    known = LANGUAGES[language]
    breaks_s = sum(
        float(number) / (1000 if unit.lower() == "ms" else 1)
        for number, unit in _BREAK.findall(script)
    )
    text = _TAG.sub(" ", script)
    words = _WORD.findall(text)
    letters = float(sum(map(len, words)))
    letters += known.syllable * len(known.vowels.findall(text))
    letters += known.word * len(words)
    letters += known.digit * len(_DIGIT.findall(text))
    letters += _LETTERS_A_SYMBOL * len(_SYMBOL.findall(text))
    letters += (_LETTERS_A_WIDE_SIGN - 1) * len(_WIDE.findall(text))
    ends = float(len(_SENTENCE_END.findall(text)))
    return (letters, ends, float(len(_COMMA.findall(text)))), breaks_s
