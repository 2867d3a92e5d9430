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
from typing import Literal

from heygen_nb.errors import DraftError
from heygen_nb.files import YamlReader, read_text
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES

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
MAX_TEXT_BYTES = 200_000
KEYS = ("name", "label", "language", "title", "caption", "needs")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of script that is written without a model.

    Attributes:
        name: What it is ordered by.
        label: What a person calls it.
        language: One of ``SCRIPT_LANGUAGES``.
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


def format_named(name: str, home: Path, language: str) -> Format:
    """Return a format by its name.

    Raises:
        DraftError: There is none, or its file cannot be read.
    """
    own = home / TEMPLATES / f"{name}.md"
    # what is wrong with a file of the user's own is told, not passed over
    there = bool(re.fullmatch(r"[\w-]{1,64}", name)) and own.exists()
    unlabelled = there and read_format(own) is None
    known = {format_.name: format_ for format_ in formats(home, language)}
    if name in known:
        return known[name]
    if unlabelled:
        raise DraftError(
            _("{file} is no format: it has no label.").format(file=own.name),
            hint=_("Put label and language on top, between lines of dashes, “---”."),
        )
    if not known:
        raise DraftError(
            _("Without a language model there are no scripts in “{language}”.").format(
                language=language[:40]
            ),
            hint=_("There are: {names}.").format(names=", ".join(SCRIPT_LANGUAGES)),
        )
    raise DraftError(
        _("There is no format “{name}” in this language.").format(name=name[:40]),
        hint=_("There are: {names}. Your own go into {folder}.").format(
            names=", ".join(known), folder=home / TEMPLATES
        ),
    )


def text_of(file: Path) -> str:
    """Return the text of a format or a prompt.

    Raises:
        DraftError: It cannot be read.
    """
    try:
        return read_text(file, MAX_TEXT_BYTES)
    except OSError as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(file=file.name, reason=exc),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None


def read_format(file: Path) -> Format | None:
    """Read a format; None when the file is a template of another kind.

    Raises:
        DraftError: It cannot be read; names file and line.
    """
    text = text_of(file)
    match = _FRONT.match(text)
    if not match:
        if text.startswith("---"):
            problem = _("{file}, line 1: the front matter is not closed.")
            hint = _("Put a line of three dashes, “---”, after the keys.")
            raise DraftError(problem.format(file=file.name), hint=hint)
        return None
    keys = _("It has the keys {keys}, each with a text; language is {languages}.")
    keys = keys.format(keys=", ".join(KEYS), languages=", ".join(SCRIPT_LANGUAGES))
    reader = YamlReader(file.name, keys, words=lambda key: key in ("title", "caption"))
    # the line break stands for the dashes: lines are counted as in the file
    values = next((found for _line, found in reader.maps(f"\n{match[1]}")), {})
    if "label" not in values:
        return None
    if not values.keys() <= set(KEYS) or values.get("language") not in SCRIPT_LANGUAGES:
        problem = _("{file}: the front matter of a format does not fit.")
        raise DraftError(problem.format(file=file.name), hint=keys)
    texts = {key: str(value) for key, value in values.items() if value}
    line = text.count("\n", 0, match.end()) + 1
    body, texts = text[match.end() :], {"name": file.stem, **texts}
    return Format(**texts, where=file.name, line=line, body=body)
