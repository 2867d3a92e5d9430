"""The formats: those of this package, and the user's own in ``templates``.

A format is Markdown with YAML front matter; ``label`` is what makes a file of the
user's folder a format and not a template for tables.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

Change = Literal["shorten", "lengthen", "another", "translate"]
TextCallback = Callable[[str, str, str], None]
Measure = Callable[[str], float]

TOLERANCE = 0.15  # share of the length that nobody minds


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """A script somebody wants.

    Attributes:
        topic: What it is about; after a colon, or on lines of their own, points
            such as ``Coffee: warm the cup; grind late``.
        format: A ready format such as ``horoscope``; empty leaves it to the writer.
        tone: Such as ``warm``; the ready formats have their own.
        language: ``en`` or ``ru``.
        target_s: Wished length in seconds.
        seed: The same seed gives the same offline text; None gives any.
        words: About how many words that is; 0 has them counted from the length.
        offline: Leave the model alone even if there is one.
    """

    topic: str
    format: str = ""
    tone: str = ""
    language: str = "en"
    target_s: float = 30
    seed: int | None = None
    words: int = 0
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text: what is said, its title and the text of its post."""

    title: str
    script: str
    caption: str


def misses(seconds: float, target_s: float) -> bool:
    """Tell whether a length is further from the wished one than anybody likes."""
    return abs(seconds - target_s) > TOLERANCE * target_s


log = logging.getLogger("heygen_nb.scripts")

TEMPLATES = "templates"
SHIPPED = Path(__file__).parent / "formats"
KEYS = ("name", "label", "language", "title", "caption", "needs")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of script that is written without a model.

    Attributes:
        name: What it is ordered by.
        label: What a person calls it.
        language: ``en`` or ``ru``.
        where: Its file, for messages.
        title: Template of the title.
        caption: Template of the post's text.
        body: Template of the script.
        line: Of the file at which the body begins.
        needs: ``points`` when it has nothing to say without them.
    """

    name: str
    label: str
    language: str
    where: str
    title: str
    caption: str
    body: str
    line: int
    needs: str = ""


def formats(home: Path, language: str) -> list[Format]:
    """Return the formats of a language; the user's own replace ours by name.

    A file that cannot be read is left out with a line in the log.
    """
    found: dict[str, Format] = {}
    for file in _files(home, language):
        try:
            format_ = read_format(file)
        except DraftError as error:
            log.warning("%s", error)
            continue
        if format_ and format_.language == language:
            found[format_.name] = format_
    return sorted(found.values(), key=lambda format_: format_.label)


def format_named(name: str, home: Path, language: str) -> Format:
    """Return a format by its name.

    Raises:
        DraftError: There is none, or its file cannot be read.
    """
    own = home / TEMPLATES / f"{name}.md"
    there = bool(re.fullmatch(r"[\w-]{1,64}", name)) and own.exists()
    if there:
        read_format(own)  # what is wrong with it is told, not passed over
    if language not in SCRIPT_LANGUAGES:
        raise DraftError(
            _("Without a language model there are no scripts in “{language}”.").format(
                language=language[:40]
            ),
            hint=_("There are: {names}.").format(names=", ".join(SCRIPT_LANGUAGES)),
        )
    known = formats(home, language)
    for format_ in known:
        if format_.name == name:
            return format_
    if there and not read_format(own):
        raise DraftError(
            _("{file} is no format: it has no label.").format(file=own.name),
            hint=_("Put label and language on top, between lines of dashes, “---”."),
        )
    raise DraftError(
        _("There is no format “{name}” in this language.").format(name=name[:40]),
        hint=_("There are: {names}. Your own go into {folder}.").format(
            names=", ".join(format_.name for format_ in known), folder=home / TEMPLATES
        ),
    )


def _files(home: Path, language: str) -> Iterator[Path]:
    yield from sorted((SHIPPED / language).glob("*.md"))
    yield from sorted((home / TEMPLATES).glob("*.md"))


def read_format(file: Path) -> Format | None:
    """Read a format; None when the file is a template of another kind.

    Raises:
        DraftError: It cannot be read; names file and line.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(file=file.name, reason=exc),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None
    match = _FRONT.match(text)
    if text.startswith("---") and not match:
        raise DraftError(
            _("{file}, line 1: the front matter is not closed.").format(file=file.name),
            hint=_("Put a line of three dashes, “---”, after the keys."),
        )
    values = _front_matter(match[1], file) if match else {}
    if not match or "label" not in values:
        return None
    return _checked(values, file, text[match.end() :], text.count("\n", 0, match.end()))


def _front_matter(text: str, file: Path) -> dict[str, str]:
    try:
        # the line break stands for the dashes: lines are counted as in the file
        values = yaml.load("\n" + text, Loader=yaml.BaseLoader)  # noqa: S506 - texts
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        raise DraftError(
            _("{file}, line {line}: {problem}.").format(
                file=file.name,
                line=mark.line + 1 if mark else "?",
                problem=exc.problem,
            ),
            hint=_('Put texts with a colon or quotes into straight quotes: "…".'),
        ) from None
    except yaml.YAMLError as exc:  # control characters
        raise DraftError(f"{file.name}: {str(exc).splitlines()[0]}") from None
    return values if isinstance(values, dict) else {}


def _checked(values: dict[str, str], file: Path, body: str, line: int) -> Format:
    unknown = [key for key in values if key not in KEYS]
    texts = all(isinstance(value, str) for value in values.values())
    if unknown or not texts or values.get("language") not in SCRIPT_LANGUAGES:
        raise DraftError(
            _("{file}: the front matter of a format does not fit.").format(
                file=file.name
            ),
            hint=_(
                "It has the keys {keys}, each with a text; language is en or ru."
            ).format(keys=", ".join(KEYS)),
        )
    return Format(
        name=values.get("name") or file.stem,
        label=values["label"],
        language=values["language"],
        where=file.name,
        title=values.get("title") or "{{ subject }}",
        caption=values.get("caption", ""),
        body=body,
        line=line + 1,
        needs=values.get("needs", ""),
    )
