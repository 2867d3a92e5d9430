"""From a script as people write it to what a synthesiser can say.

Emoji, markup, numbers, addresses and abbreviations are rewritten, and for each
character of the result it is known which word of the script it comes from.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from heygen_nb.readings import TAG, URL, breaks, spoken

# A long silence would only make a big file; HeyGen's own pauses are short too.
_LONGEST_BREAK_S = 10.0
# Not after a single capital (an initial), not before a small letter.
_SENTENCE_END = re.compile(
    r"""(?:(?<=[.!?…])(?<!\b[^\W\d_]\.)["'»”’)\]]*\s+(?![a-zа-яё])|(?<=[。！？])|\n\s*\n)"""
)
_CONTROL = re.compile("[\0-\t\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD = re.compile("[^\\s\xa0\u202f]+(?:[\xa0\u202f]+[^\\s\xa0\u202f]+)*")
_CHUNK = re.compile(r"\S+\s*")
_INSIDE = re.compile(
    r"(?:(?<=\b\d)|(?<=\b\d\d)|(?<=\b\d\d\d)) (?=\d{3}(?!\d))"
    r"|(?<=\d) (?=[₽$€£%°]|(?:руб|тыс|млн|млрд|кг|км|см|мм)\b)"
    r"|(?<=№) (?=\d)|(?<=[$€£₽]) (?=\d)"
)
_UNSPOKEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Sk", "So"}
_MARKUP = frozenset("*_~^`|\\<>[]{}#\ufe0e\ufe0f")
_SPOKEN_SYMBOLS = frozenset("№°©®™")


# First word of a letter's Unicode name: espeak-ng's language.
_LANGUAGES = dict(
    pair.split(":")
    for pair in (  # noqa: SIM905 - a table
        "CYRILLIC:ru GREEK:el ARABIC:ar HEBREW:he DEVANAGARI:hi BENGALI:bn TAMIL:ta"
        " TELUGU:te HANGUL:ko HIRAGANA:ja KATAKANA:ja CJK:cmn GEORGIAN:ka ARMENIAN:hy"
    ).split()
)
# Languages that share their letters with the one that these are known for.
_ALSO_KNOWN = {"ru": ("uk", "be", "bg", "sr", "mk", "kk"), "cmn": ("ja",)}
_SIGNS = {"en": {".": " dot ", "/": " slash "}, "ru": {".": " точка ", "/": " слэш "}}


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch that is said in one go in one language.

    Attributes:
        text: What the synthesiser gets.
        tokens: For each character of ``text`` the word of the script it stands
            for; -1 for blanks.
        language: espeak-ng's code.
        pause_s: Silence after it, at normal speed, if it ends a sentence.
        break_s: Silence asked for by ``<break>``, whatever the speed.
    """

    text: str
    tokens: tuple[int, ...]
    language: str
    pause_s: float = 0.0
    break_s: float = 0.0


def clean_script(script: str) -> str:
    """Return the script composed (NFC), with controls and lone surrogates blank.

    A blank inside of an amount cannot be broken at: it is one word of the captions.
    """
    return _INSIDE.sub("\xa0", _CONTROL.sub(" ", unicodedata.normalize("NFC", script)))


def script_words(script: str) -> list[str]:
    """Return the words as captions show them: no tags, else the original spelling."""
    return _WORD.findall(TAG.sub(" ", clean_script(script)))


def detect_language(script: str) -> str:
    """Return the espeak-ng language of most of the words; ``en`` if in doubt."""
    words = re.findall(r"[^\W\d_]\w*", URL.sub(" ", script))
    counts = Counter(_language_of(word[0]) for word in words)
    language = counts.most_common(1)[0][0] if counts else None
    # Japanese is written with Chinese characters too, Chinese never with kana.
    kana = language == "cmn" and any(_language_of(char) == "ja" for char in script)
    return "ja" if kana else language or "en"


def plan_utterances(
    script: str, language: str | None = None, *, sentence_pause_s: float = 0.25
) -> list[Utterance]:
    """Split the script into what is said in one go.

    Args:
        script: As the user wrote it; its words are those of ``script_words``.
        language: espeak-ng's code; detected when None. Words in another alphabet
            are said in the language of that alphabet.
        sentence_pause_s: Silence after a sentence.
    """
    text = clean_script(script)
    main = language or detect_language(text)
    blanked = TAG.sub(lambda tag: " " * len(tag[0]), text)
    token_at = [-1] * len(text)
    for number, word in enumerate(_WORD.finditer(blanked)):
        token_at[word.start() : word.end()] = [number] * len(word[0])
    plan: list[Utterance] = []
    start = 0
    for tag, seconds in [*breaks(text), (None, 0.0)]:
        end = tag.start() if tag else len(text)
        chars, origins = _spoken_form(blanked[start:end], token_at[start:end], main)
        plan += _sentences(chars, origins, main, sentence_pause_s)
        if tag:
            plan.append(Utterance("", (), main, break_s=min(seconds, _LONGEST_BREAK_S)))
            start = tag.end()
    return plan


@lru_cache(maxsize=4096)
def _is_spoken(char: str) -> bool:
    if char in _SPOKEN_SYMBOLS or char == "\n":
        return True
    return char not in _MARKUP and unicodedata.category(char) not in _UNSPOKEN


@lru_cache(maxsize=4096)
def _language_of(char: str) -> str | None:
    """Return the language of the letter's alphabet; None for Latin and the rest."""
    return _LANGUAGES.get(unicodedata.name(char, "").split(" ")[0])


def _spoken_form(
    text: str, token_at: list[int], language: str
) -> tuple[str, list[int]]:
    """Return what is said, and for each character the word it stands for."""
    said, origins = text, token_at
    if signs := _SIGNS.get(language):  # other languages are left to their voice

        def address(match: re.Match[str]) -> str:
            """Say it as a person would: no scheme, no query, the dots spoken."""
            end = match[0][len(match[0].rstrip(".,;:!?")) :]
            bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0])
            bare = re.split(r"[?#]", bare.rstrip(".,;:!?)»”\"'"))[0].rstrip("/")
            return re.sub(r"[./]", lambda sign: signs[sign[0]], bare) + end

        said = spoken(URL.sub(address, text), language)
    if said != text:
        origins = _aligned(text, said, token_at)
    return "".join(c if _is_spoken(c) else " " for c in said), origins


def _aligned(text: str, said: str, token_at: Sequence[int]) -> list[int]:
    """Return the words of a text that the characters of its spoken form stand for.

    "1 000 000" is one number and three words of the caption: they share it.
    """
    old, new = ([*re.finditer(r"\S+", words)] for words in (text, said))
    pairs = SequenceMatcher(None, [w[0] for w in old], [w[0] for w in new], False)
    origins, last = [-1] * len(said), -1
    for tag, start, end, new_start, new_end in pairs.get_opcodes():
        words = new[new_start:new_end]
        tokens = [
            token_at[word.start()]
            for word in old[start:end]
            if tag == "equal" or any(map(str.isalnum, word[0]))  # a dash is not said
        ] or [last]
        if len(tokens) == len(words):
            tokens = [t for t, w in zip(tokens, words, strict=True) for _c in w[0]]
        places = [place for word in words for place in range(*word.span())]
        for number, place in enumerate(places):
            origins[place] = tokens[number * len(tokens) // len(places)]
        last = tokens[-1]
    return origins


def _sentences(
    text: str, origins: list[int], main: str, pause_s: float
) -> Iterator[Utterance]:
    """Yield each sentence, or its stretches of one language."""
    ends = [m.end() for m in _SENTENCE_END.finditer(text)]
    for start, end in pairwise([0, *ends, len(text)]):
        language = main
        runs: list[tuple[str, int, int]] = []
        for word in _CHUNK.finditer(text, start, end):
            if letter := next(filter(str.isalpha, word[0]), ""):
                # the main voice says a word if it knows the alphabet
                other = _language_of(letter) or main
                known = other == main or main[:2] in _ALSO_KNOWN.get(other, ())
                language = main if known else other
            # one without letters joins its neighbour
            begin = word.start()
            if runs and runs[-1][0] == language:
                begin = runs.pop()[1]
            runs.append((language, begin, word.end()))
        runs = [run for run in runs if any(map(str.isalnum, text[run[1] : run[2]]))]
        for run in runs:
            language, begin, until = run
            said, tokens = text[begin:until], tuple(origins[begin:until])
            yield Utterance(said, tokens, language, pause_s if run is runs[-1] else 0.0)


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

    def moved(match: re.Match[str]) -> str:
        """Return the word as phonemes; unmarked if its vowels cannot be told apart."""
        before, _mark, after = match[0].lower().partition(STRESS)
        plain = before + after.replace(STRESS, "")
        said = phonemes(plain)
        sounds = [*_SOUND.finditer(said)]
        if len(sounds) != sum(char in _VOWELS for char in plain):
            return plain
        stressed = sum(char in _VOWELS for char in before) - 1
        for number, sound in reversed([*enumerate(sounds)]):
            new = sound[1]
            if number == stressed:
                new = "'" + _STRESSED[before[-1]]
            elif sound[0].startswith("'"):
                new = _REDUCED.get(new, new)
            said = said[: sound.start()] + new + said[sound.end() :]
        return f"[[{said}]]"

    text = _MARKED.sub(moved, utterance.text)
    tokens = _aligned(utterance.text, text, utterance.tokens)
    return replace(utterance, text=text, tokens=tuple(tokens))
