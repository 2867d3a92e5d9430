"""Finding a voice or an avatar by what somebody types, quick enough for typing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from heygen_nb.i18n import current_language, gettext as _
from heygen_nb.models import Avatar, Voice

T = TypeVar("T", Voice, Avatar)

NEAREST = 5
_BEGINNING = 3
_ALIKE = 0.6  # of difflib's ratio: one letter wrong in five
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What fits, best first; or, ``near``, what is spelt alike because nothing does."""

    items: Sequence[T]
    near: bool = False


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    item: T
    name: str
    inside: str  # any part of it may be typed
    labels: str  # only beginnings of its words: "male" is no "female"


class SearchIndex(Generic[T]):
    """All items of one kind, prepared for search.

    Args:
        items: Voices or avatars, in the order they are shown while nothing is typed.
    """

    def __init__(self, items: Sequence[T]) -> None:
        self._entries: list[_Entry[T]] = [_entry(item) for item in items]
        words = (_WORD.findall(f"{e.name} {e.labels}") for e in self._entries)
        self._words = tuple(sorted({word for group in words for word in group}))

    def search(
        self, text: str, keep: Callable[[T], bool] = lambda _item: True
    ) -> Found[T]:
        """Return what has all the words, own ones first, then the best match.

        Args:
            text: Parts of name or id, words of language, gender or kind.
            keep: What else an item has to be.
        """
        entries = [entry for entry in self._entries if keep(entry.item)]
        words = text.casefold().split()
        hits = _fitting(entries, words)
        if hits or not entries:
            return Found(hits)
        alike = [
            word if _fitting(self._entries, [word]) else _closest(word, self._words)
            for word in words
        ]
        near = _fitting(entries, [word for word in alike if word])
        return Found(near[:NEAREST] if any(alike) else [], near=True)


@lru_cache(maxsize=64)
def _closest(word: str, words: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=_ALIKE)
    return close[0] if close else ""


def _fitting(entries: Sequence[_Entry[T]], words: Sequence[str]) -> list[T]:
    text = " ".join(words)
    ranked = [
        (not entry.item.own, _rank(entry, text), number)
        for number, entry in enumerate(entries)
        if all(word in entry.inside or f" {word}" in entry.labels for word in words)
    ]
    return [entries[number].item for *_place, number in sorted(ranked)]


def _rank(entry: _Entry[T], text: str) -> int:
    if entry.name == text or entry.item.id.casefold() == text:
        return 0
    if not text or entry.name.startswith(text):
        return 1
    if f" {text} " in f" {entry.name} {entry.labels} ":
        return 2
    return 3 if text in entry.name else 4


def _entry(item: T) -> _Entry[T]:
    name = " ".join(item.name.casefold().split())
    labels = (
        *language_words(item.language if isinstance(item, Voice) else ""),
        item.gender,
        *((item.kind, item.orientation) if isinstance(item, Avatar) else ()),
    )
    return _Entry(
        item=item,
        name=name,
        inside=f"{name} {item.id.casefold()}",
        labels=f" {' '.join(labels)} ".casefold(),
    )


def speaks(voice: Voice, wish: str) -> bool:
    """Tell whether a voice's language is meant: ``Russian``, ``ru``, ``русский``.

    A beginning of at least three letters is enough; an empty wish means any.
    """
    wish = wish.strip().casefold()
    names = [name.casefold() for name in language_words(voice.language)]
    return wish in ("", *names) or (
        len(wish) >= _BEGINNING and any(name.startswith(wish) for name in names)
    )


def is_of(gender: str, wish: str) -> bool:
    """Tell whether a gender is meant: ``female``, ``F``; an empty wish means any."""
    return gender.casefold().startswith(wish.strip().casefold())


def language_label(language: str) -> str:
    """Return HeyGen's word for a language in the language of the panels."""
    names = language_words(language)
    if current_language() == "en" or len(names) == 1:
        return language
    return names[-1][:1].upper() + names[-1][1:]


def word_label(word: str) -> str:
    """Return HeyGen's word for a gender, shape or kind in the user's language."""
    labels = {
        "female": _("female"),
        "male": _("male"),
        "portrait": _("portrait"),
        "landscape": _("landscape"),
        "square": _("square"),
        "studio_avatar": _("studio avatar"),
        "photo_avatar": _("photo avatar"),
        "digital_twin": _("digital twin"),
    }
    return labels.get(word.casefold(), word)


@lru_cache(maxsize=256)
def language_words(language: str) -> tuple[str, ...]:
    """Return what a language may be called: HeyGen's word, code, English, Russian."""
    code = _codes().get(language.partition("(")[0].strip().casefold())
    if not code:
        return (language,)
    from babel import Locale  # noqa: PLC0415 - 7 MB of names

    names = (Locale(at).languages.get(code, "") for at in ("en", "ru"))
    return (language, code, *filter(None, names))


@lru_cache
def _codes() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - 7 MB of names

    return {name.casefold(): code for code, name in Locale("en").languages.items()}


def voice_filter(language: str, gender: str) -> Callable[[Voice], bool]:
    """Return the test whether a voice is of a language and a gender."""
    return lambda voice: speaks(voice, language) and is_of(voice.gender, gender)
