"""The one text that is said, and what keeps a text from being said or posted.

A script is Markdown with remarks for people. What :func:`what_is_said` leaves of it
goes to HeyGen, into captions, previews, lengths and quotes alike.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from heygen_nb.config import FILE_KEYS, SECRETS, VIDEO_KEYS
from heygen_nb.drafts.fields import FIELDS, WORDS, field_of
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from heygen_nb.models import Draft

MAX_SCRIPT_CHARS = 5000  # HeyGen's usage limits
MAX_FILE_CHARS = 100_000  # with all that is not said
_PASSES = 5  # marks may stand within marks
_PAUSE = re.compile(r"<break\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Speakable:
    """What is said of a script.

    Attributes:
        text: Without Markdown, remarks, labels, directions, hashtags and addresses;
            a script without any of them is left as it is.
        left_out: The words that are not said.
    """

    text: str
    left_out: tuple[str, ...] = ()


_FOUND = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text("utf-8"))
_LABELS, _SHOWN = (
    "|".join(re.escape(word).replace(r"\ ", r"[ \t-]?") for word in WORDS[key])
    for key in ("labels", "shown")
)
_PARTS = {**_FOUND["parts"], "directions": "|".join(WORDS["directions"])}
_GAP = "\ue002"  # of private use: stands where words were taken out


def _regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    for name, part in (*_PARTS.items(), ("labels", _LABELS), ("shown", _SHOWN)):
        pattern = pattern.replace(f"<{name}>", part)
    return re.compile(pattern, re.IGNORECASE | flags)


_UNSAID = [(_regex(rule, re.MULTILINE), told) for rule, told in _FOUND["unsaid"]]
_AROUND = [(_regex(rule, re.MULTILINE), put) for rule, put in _FOUND["around"]]


@lru_cache(maxsize=512)
def what_is_said(script: str) -> Speakable:
    """Return what is said of a script."""
    text, left_out = script, list[str]()
    for _pass in range(_PASSES):
        before = text
        for pattern, is_told in _UNSAID:
            text = pattern.sub(partial(_take_out, left_out, is_told), text)
        if text == before:
            break
        for pattern, instead in _AROUND:
            text = pattern.sub(instead, text)
        text = text.strip()
    return Speakable(text, tuple(dict.fromkeys(left_out)))


def _take_out(left_out: list[str], is_told: bool, match: re.Match[str]) -> str:  # noqa: FBT001
    kept = next((text for name, text in match.groupdict().items() if text), "")
    if kept or not is_told:
        return kept
    left_out.append(" ".join(match[0].split())[:60])
    return _GAP


def left_out_text(script: str) -> str:
    """Return the sentence that tells what of a script is not said; "" if all is."""
    if not (parts := what_is_said(script).left_out):
        return ""
    shown = ", ".join(f"“{part}”" for part in parts[:5])
    more = " …" if len(parts) > 5 else ""  # noqa: PLR2004
    return _("Not said: {parts}.").format(parts=shown + more)


_CONTROL, _SHEET_ERROR, _PLACEHOLDER, _ENTITY, _HTML = (
    _regex(_FOUND[name])
    for name in ("control", "sheet error", "placeholder", "entity", "html")
)


def problem_of(text: str) -> str:
    """Return why a text can neither be said nor posted; "" if it can."""
    if found := _CONTROL.search(text):
        return _("the invisible sign {code} at {at}: delete it").format(
            code=f"U+{ord(found[0]):04X}", at=found.start() + 1
        )
    if found := _SHEET_ERROR.search(text):
        return _("“{text}” is an error of the spreadsheet").format(text=found[0])
    if found := _PLACEHOLDER.search(text):
        return _("the placeholder “{text}” is not filled").format(text=found[0])
    for found in _ENTITY.finditer(text):
        if (sign := html.unescape(found[0])) != found[0]:
            return _("“{text}” is HTML: write “{sign}”").format(
                text=found[0], sign=sign
            )
    if found := _HTML.search(text):
        return _("the HTML “{tag}” would be read out: delete it").format(
            tag=found[0][:40]
        )
    return ""


_SETTING = re.compile(
    r"""[\s>*_"'`|#+;/•–—-]*(?P<key>[^\W\d][\w .-]{0,40}?)["'*_`]*"""
    r"""[ \t]*[:=]>?[ \t]*\S"""
)
_VARIABLE = re.compile(r"\s*(?:export\s+)?[A-Z][A-Z0-9]*_[A-Z0-9_]*=\S")
_LOWER = re.compile(r"\s*[a-z][\w-]*[ \t]*[:=][ \t]*\S")
_KEYS = {*FIELDS, *FILE_KEYS, *VIDEO_KEYS, *SECRETS}


def setting_line(script: str) -> int:
    """Return the line, from 1, that looks like a setting and no speech; 0 if none."""
    lines = script.splitlines()
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    paragraph = takewhile(lambda n: lines[n].strip(), range(first, len(lines)))
    head = [number for number in paragraph if lines[number].strip(" \t-+=*;~")]
    for number, line in enumerate(lines):
        found = _SETTING.match(line)
        key = found["key"].strip().casefold() if found else ""
        heading = field_of(key) if key and number in head else ""
        if heading == "script" or re.fullmatch(_LABELS, key):
            continue
        if heading or key.replace(" ", "_") in _KEYS or _VARIABLE.match(line):
            return number + 1
    # title, author and date of somebody else's front matter
    if len(head) > 1 and all(_LOWER.match(lines[n]) for n in head):
        return head[0] + 1
    return 0


_OTHER: dict[str, re.Pattern[str]] = {
    name: _regex(rule) for name, rule in _FOUND["other kinds"].items()
}


def other_kind(text: str) -> str:
    """Return what a text is that is no script but data, markup or code; else ""."""
    for name, pattern in _OTHER.items():
        if pattern.match(text):
            return name
    cells = re.split(r"[,;\t]", text.strip().partition("\n")[0])
    is_table = len(cells) > 1 and all(field_of(cell.strip(" \"'")) for cell in cells)
    return "CSV" if is_table else ""


def check_draft(draft: Draft) -> None:
    """Refuse a draft that cannot be said or posted, before anything is sent.

    Raises:
        DraftError: The script is empty, too long, has nothing to say, or is no
            script; or a text of the draft has what nobody should hear or read.
    """
    where = _("Draft #{id}").format(id=draft.id)
    if not _PAUSE.sub(" ", draft.script).strip():
        raise _refused(
            where, _("the script is empty"), _("Write what the avatar should say.")
        )
    if len(draft.script) > MAX_FILE_CHARS:
        raise _too_long(where, draft.script)
    for name in ("script", "caption", "title"):
        if problem := problem_of(getattr(draft, name)):
            raise _refused(where, f"{name}: {problem}", _("Correct that text."))
    check_script(draft.script, where)
    text = _PAUSE.sub(" ", what_is_said(draft.script).text)
    if len(text) > MAX_SCRIPT_CHARS:
        raise _too_long(where, text)
    if not any(character.isalnum() for character in text):
        raise _refused(
            where,
            _("the script has no words"),
            left_out_text(draft.script)
            or _("Emoji and signs are not spoken: write at least one word."),
        )


def check_script(script: str, where: str, first_line: int = 1) -> None:
    """Refuse a script that is something else: settings, data, markup, code.

    Args:
        script: The text.
        where: What to say where it stands.
        first_line: Of the file at which it begins.

    Raises:
        DraftError: It is; names the line.
    """
    if kind := other_kind(script):
        raise _refused(
            where,
            _("this is {kind}, no script").format(kind=kind),
            _("A script is the text that is spoken."),
        )
    if line := setting_line(script):
        text = script.splitlines()[line - 1].strip()[:60]
        problem = _("line {line} looks like a setting and would be spoken: “{text}”")
        raise _refused(
            where,
            problem.format(line=line + first_line - 1, text=text),
            _("Settings stand at the very top, between two lines of “---”."),
        )


def _too_long(where: str, text: str) -> DraftError:
    hint = _("HeyGen takes at most {limit}: shorten it or split it.")
    return _refused(
        where,
        _("the script has {count} characters").format(count=len(text)),
        hint.format(limit=MAX_SCRIPT_CHARS),
    )


def _refused(where: str, problem: str, hint: str) -> DraftError:
    text = _("{where}: {problem}.").format(where=where, problem=problem)
    return DraftError(text, hint=hint)
