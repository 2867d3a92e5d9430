"""Draft files: Markdown with front matter, YAML, or CSV (a row a draft)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.drafts.checks import FIELDS, check_keys, make_draft
from heygen_nb.drafts.csvs import check_columns, csv_records, too_many_cells
from heygen_nb.drafts.texts import read_text
from heygen_nb.drafts.yamls import YamlText, yaml_maps
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE
)


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
    text = read_text(file)
    readers = {".csv": _csv_rows, ".yaml": _yaml_rows, ".yml": _yaml_rows}
    rows = list(readers.get(file.suffix.lower(), _markdown_rows)(text, str(file)))
    if not rows:
        raise DraftError(
            _("{file} holds no draft.").format(file=file),
            hint=_("Write a script into it."),
        )
    name = relative(file, home)
    drafts = []
    for number, (where, values) in enumerate(rows, 1):
        check_keys(values, where)
        place = name if len(rows) == 1 else f"{name}:{number}"
        drafts.append(make_draft(values, where, short_id(place)))
    return drafts


def relative(file: Path, home: Path) -> str:
    """Return the path as seen from home, if it is in there."""
    absolute = file.absolute()
    if absolute.is_relative_to(home.absolute()):
        absolute = absolute.relative_to(home.absolute())
    return absolute.as_posix()


def front_matter(text: str, name: str) -> tuple[dict[str, YamlText], str, int]:
    """Return the keys above the script, the script, and the line it begins at.

    Raises:
        DraftError: The front matter is not closed, or no YAML.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        if text.startswith("---"):
            raise DraftError(
                _("{file}, line 1: the front matter is not closed.").format(file=name),
                hint=_("Put a line of three dashes, “---”, after the keys."),
            )
        return {}, text, 1
    values: dict[str, YamlText] = {}
    # "\n" stands for the dashes, so that line numbers are those of the file
    for line, found in yaml_maps("\n" + match[1], name, _allowed()):
        if "script" in found:
            where = _("{file}, line {line}").format(file=name, line=line)
            raise DraftError(
                _("{where}: the script stands below the front matter.").format(
                    where=where
                ),
                hint=_("Take the key “script” out."),
            )
        values |= found
    return values, text[match.end() :], match[0].count("\n") + 1


def _allowed() -> str:
    return _("Allowed keys: {keys}.").format(keys=", ".join(FIELDS))


_Row = tuple[str, "Mapping[str, str]"]


def _markdown_rows(text: str, name: str) -> Iterator[_Row]:
    values, script, _line = front_matter(text, name)
    yield name, {"script": script, **values}


def _yaml_rows(text: str, name: str) -> Iterator[_Row]:
    for line, values in yaml_maps(text, name, _allowed()):
        yield _("{file}, line {line}").format(file=name, line=line), values


def _csv_rows(text: str, name: str) -> Iterator[_Row]:
    records = csv_records(text, name)
    line, cells = next(records, (1, [""]))
    columns = [column.strip() for column in cells]
    where = _("{file}, line {line}").format(file=name, line=line)
    if "script" not in columns:
        raise DraftError(
            _("{where}: there is no column “script”.").format(where=where),
            hint=_("The first line names the columns: {keys}.").format(
                keys=", ".join(FIELDS)
            ),
        )
    check_columns(columns, where)
    for line, cells in records:
        where = _("{file}, line {line}").format(file=name, line=line)
        if len(cells) > len(columns):
            raise too_many_cells(where)
        yield where, dict(zip(columns, cells, strict=False))
