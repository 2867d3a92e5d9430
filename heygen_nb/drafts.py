"""Draft files: Markdown with front matter, YAML, or CSV (a row a draft)."""

from __future__ import annotations

import csv
import difflib
import logging
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from heygen_nb.config import check_duration
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("heygen_nb.drafts")

MAX_SCRIPT_CHARS = 5000  # HeyGen's usage limits
MAX_FILE_BYTES = 10_000_000
FIELDS = (
    "id",
    "title",
    "caption",
    "voice",
    "avatar",
    "background",
    "duration",
    "script",
)
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE
)
_PAUSE = re.compile(r"<break[^>]*>", re.IGNORECASE)


def read_drafts(path: str | Path, home: Path) -> list[Draft]:
    """Read the drafts of a file.

    Args:
        path: ``.md`` (front matter, then the script), ``.yaml``/``.yml`` (one map
            or a list of them) or ``.csv`` (a header, then a row a draft).
        home: Folder that ids of files without one are made relative to.

    Raises:
        DraftError: The file cannot be read; names file, line and key.
    """
    file = Path(path)
    text = _read_text(file)
    readers = {".csv": _csv_rows, ".yaml": _yaml_rows, ".yml": _yaml_rows}
    rows = list(readers.get(file.suffix.lower(), _markdown_rows)(text, file))
    if not rows:
        raise DraftError(
            _("{file} holds no draft.").format(file=file),
            hint=_("Write a script into it."),
        )
    name = _relative(file, home)
    return [
        _draft(values, where, short_id(name if len(rows) == 1 else f"{name}:{number}"))
        for number, (where, values) in enumerate(rows, 1)
    ]


def check_draft(draft: Draft) -> None:
    """Refuse a script that cannot be spoken, before anything is sent.

    Raises:
        DraftError: The script is empty, too long, or has nothing to say.
    """
    spoken = _PAUSE.sub(" ", draft.script)
    if not spoken.strip():
        raise DraftError(
            _("Draft #{id}: the script is empty.").format(id=draft.id),
            hint=_("Write what the avatar should say."),
        )
    if len(draft.script) > MAX_SCRIPT_CHARS:
        raise DraftError(
            _("Draft #{id}: the script has {count} characters.").format(
                id=draft.id, count=len(draft.script)
            ),
            hint=_("HeyGen takes at most {limit}: shorten it or split it.").format(
                limit=MAX_SCRIPT_CHARS
            ),
        )
    if not any(character.isalnum() for character in spoken):
        raise DraftError(
            _("Draft #{id}: the script has no words.").format(id=draft.id),
            hint=_("Emoji and signs are not spoken: write at least one word."),
        )


def _read_text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise DraftError(
                _("{file} is larger than {limit} MB.").format(
                    file=file, limit=MAX_FILE_BYTES // 1_000_000
                ),
                hint=_("A draft file is a short text."),
            )
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise DraftError(
            _("{file} is not UTF-8 text (byte {position}).").format(
                file=file, position=exc.start
            ),
            hint=_("Save it with the encoding UTF-8 and try again."),
        ) from None
    except OSError as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("Name an existing draft file (.md, .yaml or .csv)."),
        ) from None


def _relative(file: Path, home: Path) -> str:
    absolute = file.absolute()
    if absolute.is_relative_to(home.absolute()):
        absolute = absolute.relative_to(home.absolute())
    return absolute.as_posix()


_Row = tuple[str, dict[str, str]]


def _markdown_rows(text: str, file: Path) -> Iterator[_Row]:
    match = _FRONT_MATTER.match(text)
    if text.startswith("---") and not match:
        raise DraftError(
            _("{file}, line 1: the front matter is not closed.").format(file=file),
            hint=_("Put a line of three dashes, “---”, after the keys."),
        )
    values = {"script": text[match.end() :] if match else text}
    if match:
        # "\n" stands for the dashes, so that line numbers are those of the file
        for where, found in _yaml_rows("\n" + match[1], file):
            if "script" in found:
                raise DraftError(
                    _("{where}: the script stands below the front matter.").format(
                        where=where
                    ),
                    hint=_("Take the key “script” out."),
                )
            values |= found
    yield str(file), values


def _yaml_rows(text: str, file: Path) -> Iterator[_Row]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        raise DraftError(
            _("{file}, line {line}: {problem}.").format(
                file=file, line=mark.line + 1 if mark else "?", problem=exc.problem
            ),
            hint=_('Put texts with a colon or quotes into straight quotes: "…".'),
        ) from None
    except yaml.YAMLError as exc:  # control characters
        reason = str(exc).splitlines()[0]
        raise DraftError(f"{file}: {reason}") from None
    if node is None:
        return
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for item in nodes:
        where = _("{file}, line {line}").format(
            file=file, line=item.start_mark.line + 1
        )
        if not isinstance(item, yaml.MappingNode):
            raise DraftError(
                _("{where}: expected “key: value” lines.").format(where=where),
                hint=_("Allowed keys: {keys}.").format(keys=", ".join(FIELDS)),
            )
        yield where, dict(_yaml_pair(key, value, file) for key, value in item.value)


def _yaml_pair(key: yaml.Node, value: yaml.Node, file: Path) -> tuple[str, str]:
    # Scalars are taken as written: an id such as 00123456 or 1e5 is a text.
    if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
        raise DraftError(
            _("{file}, line {line}: a text belongs here, not a list or a map.").format(
                file=file, line=value.start_mark.line + 1
            ),
            hint=_('Put it into straight quotes: "…".'),
        )
    null = value.tag == "tag:yaml.org,2002:null"
    return str(key.value), "" if null else str(value.value)


def _csv_rows(text: str, file: Path) -> Iterator[_Row]:
    try:
        dialect = csv.Sniffer().sniff(text.partition("\n")[0], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel  # a single column
    reader = csv.DictReader(StringIO(text, newline=""), dialect=dialect)
    if "script" not in (reader.fieldnames or []):
        raise DraftError(
            _("{file}, line 1: there is no column “script”.").format(file=file),
            hint=_("The first line names the columns: {keys}.").format(
                keys=", ".join(FIELDS)
            ),
        )
    for row in reader:
        where = _("{file}, line {line}").format(file=file, line=reader.line_num)
        if None in row:
            raise DraftError(
                _("{where}: more cells than columns.").format(where=where),
                hint=_('Put texts with a comma into straight quotes: "…".'),
            )
        yield where, {key: value or "" for key, value in row.items()}


def _draft(values: dict[str, str], where: str, default_id: str) -> Draft:
    for key in values:
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, n=1)
            raise DraftError(
                _("{where}: unknown key “{key}”.").format(where=where, key=key),
                hint=_("Did you mean “{near}”?").format(near=near[0])
                if near
                else _("Allowed keys: {keys}.").format(keys=", ".join(FIELDS)),
            )
    draft_id = values.get("id", "").strip().removeprefix("#") or default_id
    if not re.fullmatch(r"[A-Za-z0-9_\-.]{1,64}", draft_id):
        raise DraftError(
            _("{where}: the id “{id}” has other signs than A-Z 0-9 _ - .").format(
                where=where, id=draft_id[:80]
            ),
            hint=_("Leave the id out to have one made."),
        )
    return Draft(
        id=draft_id,
        script=values.get("script", "").strip(),
        caption=values.get("caption", "").strip(),
        title=" ".join(values.get("title", "").split()),
        voice=values.get("voice", "").strip() or None,
        avatar=values.get("avatar", "").strip() or None,
        background=values.get("background", "").strip() or None,
        duration=_duration(values.get("duration", "").strip(), where),
    )


def _duration(value: str, where: str) -> int | None:
    if not value:
        return None
    seconds, reason = check_duration(value)
    if reason:
        log.warning("%s: duration: %s", where, reason)
    return seconds
