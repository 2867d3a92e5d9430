"""Scripts from ready formats: no key, no internet, a few milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from textwrap import shorten
from typing import Any

import yaml

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.scripts.formats import (
    Format,
    Measure,
    ScriptRequest,
    TextCallback,
    Written,
    format_named,
    formats,
)
from heygen_nb.templates import Template

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


_MARK = re.compile("\ue000(\\d+)\ue001")  # private signs: nobody types them
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_NEAR = 0.02  # share of the length at which looking for better stops


class Pool:
    """What a format may call: ``pick`` and ``more``.

    Args:
        seed: The same seed makes the same choices.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - variety, not security
        self._optional: list[str] = []

    def pick(self, *choices: str) -> str:
        """Return one of the choices."""
        if not choices:
            raise ValueError("pick() needs something to choose from")
        return str(self._random.choice(choices))

    def more(self, *choices: str) -> str:
        """Hold a place for one of the choices, to be said if there is time."""
        self._optional.append(self.pick(*choices))
        return f"\ue000{len(self._optional) - 1}\ue001"

    def fill(self, text: str, target_s: float, measure: Measure) -> str:
        """Return the text with so many optional sentences that it fits a length."""
        order = list(range(len(self._optional)))
        best = self._with(text, ())
        miss = abs(measure(best) - target_s)
        for _round in range(4):  # another order may come nearer
            self._random.shuffle(order)
            chosen: set[int] = set()
            for number in order:
                tried = self._with(text, {*chosen, number})
                over = measure(tried) - target_s
                if abs(over) < miss:
                    best, miss = tried, abs(over)
                if over <= 0:
                    chosen.add(number)
            if miss <= _NEAR * target_s:
                break
        return best

    def _with(self, text: str, chosen: Iterable[int]) -> str:
        kept = {str(number): self._optional[number] for number in chosen}
        return tidy(_MARK.sub(lambda mark: kept.get(mark[1], ""), text))


def tidy(text: str) -> str:
    """Return paragraphs on a line each, with single spaces."""
    paragraphs = re.split(r"\n\s*\n", _PRIVATE.sub("", text))
    return "\n".join(filter(None, (" ".join(p.split()) for p in paragraphs)))


MAX_HEADLINE_CHARS = 60


def _today() -> date:
    return datetime.now().astimezone().date()


class OfflineWriter:
    """Writes from the formats of this package and the user's own.

    Args:
        home: Folder whose ``templates`` may hold formats.
        measure: Script to seconds.
        today: The day it is.
    """

    def __init__(
        self, home: Path, measure: Measure, *, today: Callable[[], date] = _today
    ) -> None:
        self._home = home
        self._measure = measure
        self._today = today

    async def write(
        self, request: ScriptRequest, *, on_text: TextCallback | None = None
    ) -> Written:
        """Write one script; the same request gives the same text.

        Args:
            request: Without a format, a sign of the zodiac gets a horoscope, points a
                lesson, anything else a tip.
            on_text: Gets the finished text.

        Raises:
            DraftError: The topic or the format cannot be used.
        """
        topic = read_topic(request.topic)
        likely = "lesson" if topic.points else "tip"
        likely = "horoscope" if is_horoscope(request.topic) else likely
        name = request.format or likely
        known = [known.name for known in formats(self._home, request.language)]
        if not request.format and name not in known and known:
            name = "tip" if "tip" in known else known[0]
        format_ = format_named(name, self._home, request.language)
        if format_.needs == "points" and not topic.points:
            raise DraftError(
                _("“{label}” needs points to read out.").format(label=format_.label),
                hint=_("Write them after a colon: “subject: first; second; third”."),
            )
        written = self._written(format_, request, topic)
        if on_text:
            on_text(written.title, written.script, written.caption)
        return written

    def _written(
        self, format_: Format, request: ScriptRequest, topic: Topic
    ) -> Written:
        body = _template(format_.body, format_.where, format_.line)
        title = _template(format_.title, f"{format_.where}, title")
        caption = _template(format_.caption, f"{format_.where}, caption")
        day = day_of(request.topic, self._today())
        pool = Pool(f"{request.seed} {format_.name} {request.topic} {day}")
        names = body.names | title.names | caption.names
        values = _values(request, topic, day, names) | {
            "pick": pool.pick,
            "more": pool.more,
        }
        script = pool.fill(body.render(values), request.target_s, self._measure)
        if not script:
            raise DraftError(
                _("{file}: the format writes nothing.").format(file=format_.where),
                hint=_("Put sentences below its front matter."),
            )
        post = caption.render(values).strip().splitlines()
        return Written(
            tidy(title.render(values)), script, "\n".join(map(str.strip, post))
        )


@lru_cache(maxsize=64)
def _template(source: str, where: str, line: int = 1) -> Template:
    return Template(source, where=where, line=line)


def _values(
    request: ScriptRequest, topic: Topic, day: date, names: frozenset[str]
) -> dict[str, Any]:
    from babel import Locale  # noqa: PLC0415 - 50 ms, for two words
    from babel.dates import format_date, format_skeleton  # noqa: PLC0415 - the same

    locale = Locale.parse(request.language)
    headline = topic.subject[:1].upper() + topic.subject[1:]
    values: dict[str, Any] = {
        "topic": topic.text,
        "subject": topic.subject,
        "headline": shorten(headline, MAX_HEADLINE_CHARS, placeholder="…"),
        "points": topic.points,
        "tone": request.tone,
        "language": request.language,
        "date": format_skeleton("MMMMd", day, locale=locale),
        "weekday": format_date(day, "EEEE", locale),
    }
    if "sign" in names:
        values["sign"] = sign_named(request.topic, request.language)
    return values
