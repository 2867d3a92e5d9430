"""The one text that is said, how, and what keeps a text from being said or posted.

A script is Markdown with remarks for people. What :func:`what_is_said` leaves of it
goes to HeyGen, into captions, previews, lengths and quotes alike. Words that are said
otherwise than they are written stand in home's ``pronounce.yaml``:

    HeyGen: hey jen
    замок: за́мок

or, for one language only, as a list of ``word``, ``said`` and ``language``. Previews,
speech and videos follow it, captions never do.
"""

import html
import re
from functools import lru_cache
from io import StringIO
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from heygen_nb.config import FILE_KEYS, SECRETS, VIDEO_KEYS
from heygen_nb.drafts.fields import FIELDS, WORDS, field_of, wrong
from heygen_nb.errors import ConfigError
from heygen_nb.files import YamlReader, os_errors_as, read_text, shipped, write_whole
from heygen_nb.i18n import at_line, gettext as _, problem_at
from heygen_nb.models import SCRIPT_LANGUAGES, Draft

PRONOUNCE_NAME = "pronounce.yaml"
_MAX_BYTES = 1_000_000
_EDGE = "[\\w\u0301]"  # a stress mark belongs to its word
MAX_SCRIPT_CHARS = 5000  # HeyGen's usage limits
MAX_FILE_CHARS = 100_000  # with all that is not said
_PASSES = 5  # marks may stand within marks
_TOLD = 5  # of what is not said
_PAUSE = re.compile(r"<break\b[^<>]*>", re.IGNORECASE)


class Speakable(NamedTuple):
    """What is said of a script.

    Attributes:
        text: Without Markdown, remarks, labels, directions, hashtags and addresses;
            a script without any of them is left as it is.
        left_out: The words that are not said.
    """

    text: str
    left_out: tuple[str, ...] = ()


_FOUND = shipped("drafts/rules.yaml")
_PARTS = {**_FOUND["parts"], "directions": "|".join(WORDS["directions"])}
for _name in ("labels", "shown"):
    _words = (re.escape(word).replace(r"\ ", r"[ \t-]?") for word in WORDS[_name])
    _PARTS[_name] = "|".join(_words)
_GAP = "\ue002"  # of private use: stands where words were taken out


def _regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    for name, part in _PARTS.items():
        pattern = pattern.replace(f"<{name}>", part)
    return re.compile(pattern, re.IGNORECASE | flags)


_UNSAID = [(_regex(rule, re.MULTILINE), told) for rule, told in _FOUND["unsaid"]]
_AROUND = [(_regex(rule, re.MULTILINE), put) for rule, put in _FOUND["around"]]


@lru_cache(maxsize=512)
def what_is_said(script: str) -> Speakable:
    """Return what is said of a script."""
    text, left_out = script, dict[str, None]()

    def take_out(match: re.Match[str]) -> str:
        kept = next(filter(None, match.groupdict().values()), "")
        if kept or not is_told:
            return kept
        left_out[" ".join(match[0].split())[:60]] = None
        return _GAP

    for _pass in range(_PASSES):
        before = text
        for pattern, is_told in _UNSAID:  # noqa: B007 - take_out() asks
            text = pattern.sub(take_out, text)
        if text == before:
            break
        for pattern, instead in _AROUND:
            text = pattern.sub(instead, text)
        text = text.strip()
    return Speakable(text, tuple(left_out))


def left_out_text(script: str) -> str:
    """Return the sentence that tells what of a script is not said; "" if all is."""
    if not (parts := what_is_said(script).left_out):
        return ""
    shown = ", ".join(f"“{part}”" for part in parts[:_TOLD])
    shown += " …" if len(parts) > _TOLD else ""
    return _("Not said: {parts}.").format(parts=shown)


_FAULTS, _CELL_FAULTS = (
    [(_regex(fault["pattern"]), fault["message"]) for fault in _FOUND[name]]
    for name in ("faults", "faults of cells")
)


def problem_of(text: str, *, is_cell: bool = False) -> str:
    """Return why a text, or a cell of a table, can neither be said nor posted.

    It is empty if it can.
    """
    for pattern, problem in (_CELL_FAULTS + _FAULTS) if is_cell else _FAULTS:
        for found in pattern.finditer(text):
            sign, code = html.unescape(found[0]), f"U+{ord(found[0][0]):04X}"
            # “&so;” only looks like HTML
            if sign != found[0] or found[0][0] + found[0][-1] != "&;":
                facts = {"text": found[0], "tag": found[0][:40], "count": len(text)}
                at = found.start() + 1
                return _(problem).format(code=code, at=at, sign=sign, **facts)
    return ""


_SETTING = re.compile(
    r"""[\s>*_"'`|#+;/•–—-]*(?P<key>[^\W\d][\w .-]{0,40}?)["'*_`]*"""
    r"""[ \t]*[:=]>?[ \t]*\S"""
)
_VARIABLE = re.compile(r"\s*(?:export\s+)?[A-Z][A-Z0-9]*_[A-Z0-9_]*=\S")
_LOWER = re.compile(r"\s*[a-z][\w-]*[ \t]*[:=][ \t]*\S")
_KEYS = {*FIELDS, *FILE_KEYS, *VIDEO_KEYS, *SECRETS}


def _setting_line(script: str) -> int:
    """Return the line, from 1, that looks like a setting and no speech; 0 if none."""
    lines = script.splitlines()
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    paragraph = takewhile(lambda n: lines[n].strip(), range(first, len(lines)))
    head = [number for number in paragraph if lines[number].strip(" \t-+=*;~")]
    for number, line in enumerate(lines):
        found = _SETTING.match(line)
        key = found["key"].strip().casefold() if found else ""
        heading = field_of(key) if key and number in head else ""
        if heading == "script" or re.fullmatch(_PARTS["labels"], key):
            continue
        if heading or key.replace(" ", "_") in _KEYS or _VARIABLE.match(line):
            return number + 1
    # title, author and date of somebody else's front matter
    if len(head) > 1 and all(_LOWER.match(lines[n]) for n in head):
        return head[0] + 1
    return 0


_OTHER = {name: _regex(rule) for name, rule in _FOUND["other kinds"].items()}


def check_draft(draft: Draft) -> None:
    """Refuse a draft that cannot be said or posted, before anything is sent.

    Raises:
        DraftError: The script is empty, too long, has nothing to say, or is no
            script; or a text of the draft has what nobody should hear or read.
    """
    where = f"#{draft.id}"
    if not _PAUSE.sub(" ", draft.script).strip():
        raise wrong("empty", where)
    _check_length(draft.script, where, MAX_FILE_CHARS)
    for name in ("script", "caption", "title"):
        if problem := problem_of(getattr(draft, name)):
            raise wrong("faulty", where, field=name, problem=problem)
    check_script(draft.script, where)
    text = _PAUSE.sub(" ", what_is_said(draft.script).text)
    _check_length(text, where, MAX_SCRIPT_CHARS)
    if not any(character.isalnum() for character in text):
        raise wrong("no_words", where, left_out_text(draft.script))


def _check_length(text: str, where: str, most: int) -> None:
    if (count := len(text)) > most:
        raise wrong("too_long", where, count=count, limit=MAX_SCRIPT_CHARS)


def check_script(script: str, where: str, first_line: int = 1) -> None:
    """Refuse a script that is something else: settings, data, markup, code.

    Args:
        script: The text.
        where: What to say where it stands.
        first_line: Of the file at which it begins.

    Raises:
        DraftError: It is; names the line.
    """
    kinds = [name for name, pattern in _OTHER.items() if pattern.match(script)]
    cells = re.split(r"[,;\t]", script.strip().partition("\n")[0])
    if len(cells) > 1 and all(field_of(cell.strip(" \"'")) for cell in cells):
        kinds.append("CSV")
    if kinds:
        raise wrong("other_kind", where, kind=kinds[0])
    if line := _setting_line(script):
        text = script.splitlines()[line - 1].strip()[:60]
        raise wrong("setting", where, line=line + first_line - 1, text=text)


class Rule(NamedTuple):
    """How a word or phrase is said; without a language in texts of any."""

    word: str
    said: str = ""
    language: str = ""


def pronounced(text: str, home: Path, language: str) -> str:
    """Return a text as it is to be said; the very same one if no rule applies.

    Raises:
        ConfigError: The file cannot be read; names it and the line.
    """
    said = {
        " ".join(rule.word.casefold().split()): rule.said
        for rule in rules_of(home)
        if rule.language in ("", language)
    }
    if not said:
        return text
    words = sorted(said, key=len, reverse=True)  # a phrase goes before its words
    pattern = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)

    def instead(match: re.Match[str]) -> str:
        return said.get(" ".join(match[0].casefold().split()), match[0])

    # The time of a <break> is no word.
    whole = rf"<[^<>]*>|(?<!{_EDGE})(?:{pattern})(?!{_EDGE})"
    return re.sub(whole, instead, text, flags=re.IGNORECASE)


def rules_of(home: Path) -> tuple[Rule, ...]:
    """Return the rules of a home folder; none if it has no file of them.

    Raises:
        ConfigError: The file cannot be read; names it and the line.
    """
    file = home / PRONOUNCE_NAME
    try:
        found = file.stat()
    except OSError:
        return ()
    return _rules(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _rules(file: Path, _changed: int, _size: int) -> tuple[Rule, ...]:
    hint = _("It holds “word: how it is said” lines.")
    reader = YamlReader(str(file), hint, words=lambda _key: True, error=ConfigError)
    rules: list[Rule] = []
    with os_errors_as(ConfigError, _("{file} cannot be used: {reason}."), file=file):
        text = read_text(file, _MAX_BYTES)
    for line, texts in reader.maps(text):
        is_rule = "word" in texts and texts.keys() <= set(Rule._fields)
        found = [Rule(**texts)] if is_rule else [Rule(*pair) for pair in texts.items()]
        for word, said, language in found:
            known = language in ("", *SCRIPT_LANGUAGES)
            if not (word.strip() and said.strip() and known):
                problem = _("a word, how it is said, and perhaps en or ru belong here")
                told = problem_at(at_line(file.name, line), problem)
                raise ConfigError(told, hint=hint)
        rules += found
    return tuple(rules)


def save_rule(home: Path, word: str, said: str) -> None:
    """Set how a word is said; nothing takes its rule out. Comments stay.

    Raises:
        ConfigError: The file is broken, or cannot be written.
    """
    file = home / PRONOUNCE_NAME
    rules_of(home)
    editor, text = YAML(), StringIO()
    with os_errors_as(ConfigError, _("{file} cannot be used: {reason}."), file=file):
        data = editor.load(read_text(file, _MAX_BYTES)) if file.exists() else None
        if isinstance(data, list):
            data[:] = [item for item in data if item.get("word") != word]
            if said:
                data.append({"word": word, "said": said})
        else:
            data = data or {}
            data.pop(word, None)
            if said:
                data[word] = said
        editor.dump(data, text)
        write_whole(file, text.getvalue() if data else "")
