"""What a topic says: a subject, points, a day, a sign of the zodiac."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

MAX_TOPIC_CHARS = 4000
_POINTS = re.compile(r"\s*(?:;|\n)\s*")
_BULLET = re.compile(r"^(?:[-•*–]|\d{1,2}[.)])\s+")
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DOTTED = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_HOROSCOPE = re.compile(r"\b(?:horoscope|гороскоп)", re.IGNORECASE)
_DAY = re.compile(r"\b(?:today|tomorrow|сегодня|завтра)\b", re.IGNORECASE)
_TOMORROW = re.compile(r"\b(?:tomorrow|завтра)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject, and what is to be said of it, each point a sentence.

    Attributes:
        text: All of it as it was typed, without signs that cannot be seen.
    """

    text: str
    subject: str
    points: tuple[str, ...]


def read_topic(text: str) -> Topic:
    """Take a topic such as ``Coffee: warm the cup; grind late`` apart.

    Raises:
        DraftError: There is nothing in it, or far too much.
    """
    text = "".join(c for c in text if c.isprintable() or c.isspace()).strip()
    if not any(character.isalnum() for character in text):
        raise DraftError(
            _("There is no topic."),
            hint=_("Write in a few words what the script should be about."),
        )
    if len(text) > MAX_TOPIC_CHARS:
        raise DraftError(
            _("The topic has {count} characters.").format(count=len(text)),
            hint=_("At most {limit}: name the subject and a few points.").format(
                limit=MAX_TOPIC_CHARS
            ),
        )
    first, _line, rest = text.partition("\n")
    subject, colon, tail = first.partition(": ")
    if not colon and first.endswith(":"):
        subject = first[:-1]
    parts = [_BULLET.sub("", part) for part in _POINTS.split(f"{tail}\n{rest}")]
    if not colon and not rest:  # "one; two; three"
        subject, *parts = _POINTS.split(first)
    points = tuple(_sentence(part) for part in parts if part.strip())
    return Topic(text, " ".join(subject.split()).rstrip(".;"), points)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."


def day_of(text: str, today: date) -> date:
    """Return the day a topic names (``2026-11-22``, ``22.11.2026``), else today.

    Raises:
        DraftError: There is no such day.
    """
    iso, dotted = _ISO.search(text), _DOTTED.search(text)
    try:
        if iso:
            return date(*map(int, iso.groups()))
        if dotted:
            day, month, year = map(int, dotted.groups())
            return date(year, month, day)
    except ValueError:
        found = iso or dotted
        raise DraftError(
            _("There is no day {day}.").format(day=found[0] if found else text),
            hint=_("A day looks like 2026-11-22."),
        ) from None
    return today + timedelta(days=1) if _TOMORROW.search(text) else today


def is_horoscope(text: str) -> bool:
    """Tell whether a topic is a sign of the zodiac and nothing else.

    “Cancer research” is about something else.
    """
    if _HOROSCOPE.search(text):
        return True
    for noise in (_ISO, _DOTTED, _DAY):
        text = noise.sub(" ", text)
    text = re.sub(r"[\W_]+", " ", text).strip()
    return any(re.fullmatch(s["match"], text, re.IGNORECASE) for s in _signs())


def sign_named(text: str, language: str) -> dict[str, Any]:
    """Return the sign of the zodiac that a text names, in either language.

    Raises:
        DraftError: It names none.
    """
    for sign in _signs():
        if re.search(rf"\b(?:{sign['match']})\b", text, re.IGNORECASE):
            return {"glyph": sign["glyph"], **sign[language]}
    raise DraftError(
        _("“{topic}” names no sign of the zodiac.").format(topic=text[:60]),
        hint=_("The twelve: {signs}.").format(
            signs=", ".join(sign[language]["name"] for sign in _signs())
        ),
    )


@lru_cache(maxsize=1)
def _signs() -> list[dict[str, Any]]:
    text = Path(__file__).with_name("signs.yaml").read_text("utf-8")
    signs: list[dict[str, Any]] = yaml.safe_load(text)
    return signs
