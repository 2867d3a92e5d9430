"""Scripts from ready formats: no key, no internet, a few milliseconds.

The formats are those of this package, and the user's own in ``templates``. A format is
Markdown with YAML front matter; ``label`` is what makes a file of the user's folder a
format and not a template for tables.
"""

import logging
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from textwrap import shorten
from typing import Any, NamedTuple

from heygen_nb import files
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts import Measure, ScriptRequest, Written
from heygen_nb.templates import Template

log = logging.getLogger("heygen_nb.scripts")

wrong = partial(files.draft_error, "scripts/offline.yaml")
TEMPLATES = "templates"
SIGNS = "scripts/signs.yaml"
SHIPPED = Path(__file__).parent / "formats"
MAX_TEXT_BYTES = 200_000
KEYS = ("name", "label", "language", "title", "caption", "needs")
MAX_TOPIC_CHARS = 4000
_POINTS = re.compile(r"\s*(?:;|\n)\s*")
_BULLET = re.compile(r"^(?:[-•*–]|\d{1,2}[.)])\s+")
_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b|\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_HOROSCOPE = re.compile(r"\b(?:horoscope|гороскоп)", re.IGNORECASE)
_DAY = re.compile(r"\b(?:today|tomorrow|сегодня|завтра)\b", re.IGNORECASE)
_TOMORROW = re.compile(r"\b(?:tomorrow|завтра)\b", re.IGNORECASE)
_MARK = re.compile("\ue000(\\d+)\ue001")  # private signs: nobody types them
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_NEAR = 0.02  # share of the length at which looking for better stops
MAX_HEADLINE_CHARS = 60


class Format(NamedTuple):
    """A kind of script that is written without a model.

    Attributes:
        name: What it is ordered by.
        label: What a person calls it.
        language: One of ``SCRIPT_LANGUAGES``.
        where: Its file, for messages.
        body: Template of the script.
        line: Of the file at which the body begins.
        title: Template of the title.
        caption: Template of the post's text.
        needs: ``points`` when it has nothing to say without them.
    """

    name: str
    label: str
    language: str
    where: str
    body: str
    line: int
    title: str = "{{ subject }}"
    caption: str = ""
    needs: str = ""


def formats(home: Path, language: str) -> list[Format]:
    """Return the formats of a language; the user's own replace ours by name.

    A file that cannot be read is left out with a line in the log.
    """
    found: dict[str, Format] = {}
    for folder in (SHIPPED / language, home / TEMPLATES):
        for file in sorted(folder.glob("*.md")):
            try:
                format_ = read_format(file)
            except DraftError as error:
                log.warning("%s", error)
                continue
            if format_ and format_.language == language:
                found[format_.name] = format_
    return sorted(found.values(), key=lambda format_: format_.label)


def text_of(file: Path) -> str:
    """Return the text of a format or a prompt.

    Raises:
        DraftError: It cannot be read.
    """
    text = _("{file} cannot be read: {reason}.")
    hint = _("It has to be a readable UTF-8 text file.")
    with files.os_errors_as(DraftError, text, hint, file=file.name):
        return files.read_text(file, MAX_TEXT_BYTES)


def read_format(file: Path) -> Format | None:
    """Read a format; None when the file is a template of another kind.

    Raises:
        DraftError: It cannot be read; names file and line.
    """
    front, body, line = files.front_matter(text_of(file), file.name)
    facts = {"keys": ", ".join(KEYS), "languages": ", ".join(SCRIPT_LANGUAGES)}
    unfit = wrong("unfit", file=file.name, **facts)
    words = ("title", "caption")
    reader = files.YamlReader(file.name, unfit.hint, words=lambda key: key in words)
    values = next((found for _line, found in reader.maps(front)), {})
    if "label" not in values:
        return None
    if not values.keys() <= set(KEYS) or values.get("language") not in SCRIPT_LANGUAGES:
        raise unfit
    texts = {key: str(value) for key, value in values.items() if value}
    return Format(**{"name": file.stem, **texts}, where=file.name, line=line, body=body)


class Topic(NamedTuple):
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
        raise wrong("no_topic")
    if len(text) > MAX_TOPIC_CHARS:
        raise wrong("too_long", count=len(text), limit=MAX_TOPIC_CHARS)
    first, _line, rest = text.partition("\n")
    subject, colon, tail = first.partition(": ")
    if not colon and first.endswith(":"):
        subject = first[:-1]
    parts = [_BULLET.sub("", part) for part in _POINTS.split(f"{tail}\n{rest}")]
    if not colon and not rest:  # "one; two; three"
        subject, *parts = _POINTS.split(first)
    said = (" ".join(part.split()) for part in parts if part.strip())
    points = tuple(
        text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
        for text in said
    )
    return Topic(text, " ".join(subject.split()).rstrip(".;"), points)


def day_of(text: str, today: date) -> date:
    """Return the day a topic names (``2026-11-22``, ``22.11.2026``), else today.

    Raises:
        DraftError: There is no such day.
    """
    found = _DATE.search(text)
    if not found:
        return today + timedelta(days=bool(_TOMORROW.search(text)))
    numbers = found.groups()[:3] if found[1] else found.groups()[:2:-1]
    try:
        return date(*map(int, numbers))
    except ValueError:
        raise wrong("no_day", day=found[0]) from None


def is_horoscope(text: str) -> bool:
    """Tell whether a topic is a sign of the zodiac and nothing else.

    “Cancer research” is about something else.
    """
    text = re.sub(r"[\W_]+", " ", _DAY.sub(" ", _DATE.sub(" ", text))).strip()
    only = (re.fullmatch(s["match"], text, re.IGNORECASE) for s in files.shipped(SIGNS))
    return bool(_HOROSCOPE.search(text)) or any(only)


def sign_named(text: str, language: str) -> dict[str, Any]:
    """Return the sign of the zodiac that a text names, in either language.

    Raises:
        DraftError: It names none.
    """
    for sign in files.shipped(SIGNS):
        if re.search(rf"\b(?:{sign['match']})\b", text, re.IGNORECASE):
            return {"glyph": sign["glyph"], **sign[language]}
    signs = ", ".join(sign[language]["name"] for sign in files.shipped(SIGNS))
    raise wrong("no_sign", topic=text[:60], signs=signs)


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


_template = lru_cache(maxsize=64)(Template)


def write(
    request: ScriptRequest, home: Path, measure: Measure, today: date | None = None
) -> Written:
    """Write a script from a format; the same request gives the same text.

    Args:
        request: Without a format, a sign of the zodiac gets a horoscope, points a
            lesson, anything else a tip.
        home: Folder whose ``templates`` may hold formats.
        measure: Script to seconds.
        today: The day it is; for tests.

    Raises:
        DraftError: The topic or the format cannot be used.
    """
    topic = read_topic(request.topic)
    format_ = _format_of(request, topic, home)
    if format_.needs == "points" and not topic.points:
        raise wrong("no_points", label=format_.label)
    where = format_.where
    body = _template(format_.body, where=where, line=format_.line)
    title = _template(format_.title, where=f"{where}, title")
    caption = _template(format_.caption, where=f"{where}, caption")
    day = day_of(request.topic, today or datetime.now().astimezone().date())
    pool = Pool(f"{request.seed} {format_.name} {request.topic} {day}")
    values = _values(request, topic, day) | {"pick": pool.pick, "more": pool.more}
    if "sign" in body.names | title.names | caption.names:
        values["sign"] = sign_named(request.topic, request.language)
    script = pool.fill(body.render(values), request.target_s, measure)
    if not script:
        raise wrong("no_text", file=where)
    post = map(str.strip, caption.render(values).strip().splitlines())
    return Written(tidy(title.render(values)), script, "\n".join(post))


def _format_of(request: ScriptRequest, topic: Topic, home: Path) -> Format:
    """Return the format that is asked for, or the one that suits the topic."""
    name, own = request.format, home / TEMPLATES / f"{request.format}.md"
    # what is wrong with a file of the user's own is told, not passed over
    there = bool(re.fullmatch(r"[\w-]{1,64}", name)) and own.exists()
    unlabelled = there and read_format(own) is None
    known = {format_.name: format_ for format_ in formats(home, request.language)}
    if known and not name:
        likely = "lesson" if topic.points else "tip"
        likely = "horoscope" if is_horoscope(topic.text) else likely
        name = next(n for n in (likely, "tip", *known) if n in known)
    if name in known:
        return known[name]
    if unlabelled:
        raise wrong("no_label", file=own.name)
    names = ", ".join(known or SCRIPT_LANGUAGES)
    if known:
        raise wrong("no_format", name=name[:40], names=names, folder=home / TEMPLATES)
    raise wrong("no_language", language=request.language[:40], names=names)


def _values(request: ScriptRequest, topic: Topic, day: date) -> dict[str, Any]:
    from babel import Locale, dates  # noqa: PLC0415 - 50 ms, for two words

    locale = Locale.parse(request.language)
    headline = topic.subject[:1].upper() + topic.subject[1:]
    return {
        "topic": topic.text,
        "subject": topic.subject,
        "headline": shorten(headline, MAX_HEADLINE_CHARS, placeholder="…"),
        "points": topic.points,
        "tone": request.tone,
        "language": request.language,
        "date": dates.format_skeleton("MMMMd", day, locale=locale),
        "weekday": dates.format_date(day, "EEEE", locale),
    }
