"""Draft files: Markdown with front matter, YAML, or CSV (a row a draft)."""

from __future__ import annotations

import csv
import re
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from heygen_nb import files
from heygen_nb.drafts.fields import FIELDS, allowed_keys, check_keys, make_draft
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# A draft is a short text, and 10 MB of table are some 100,000 videos: more is
# always the wrong file.
MAX_FILE_BYTES = 10_000_000


def read_text(file: Path) -> str:
    """Return the text of a file; see :func:`heygen_nb.files.decode`.

    Raises:
        DraftError: It cannot be read, is too large or no text.
    """
    return decode(read_bytes(file), str(file))


def read_bytes(file: Path) -> bytes:
    """Return the content of a file that may be a draft or a table.

    Raises:
        DraftError: It cannot be read, or is too large.
    """
    try:
        return files.read_bytes(file, MAX_FILE_BYTES)
    except files.UnfitFileError as exc:
        raise _unfit(str(file), exc) from None
    except OSError as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("Name an existing draft file (.md, .yaml or .csv)."),
        ) from None


def decode(content: bytes, name: str) -> str:
    """Return the bytes of a file as text.

    Raises:
        DraftError: It is no text, or too large.
    """
    try:
        return files.decode(files.within(content, MAX_FILE_BYTES))
    except files.UnfitFileError as exc:
        raise _unfit(name, exc) from None


def _unfit(name: str, error: files.UnfitFileError) -> DraftError:
    return DraftError(
        _("{file} cannot be read: {reason}.").format(file=name, reason=error),
        hint=_(
            "A draft or table is a text of up to 10 MB. Save it with the encoding"
            " UTF-8 (in Excel: “CSV UTF-8”) and try again."
        ),
    )


_NULL = "tag:yaml.org,2002:null"
_BLOCKS = ("|", ">")


class YamlText(str):
    """A scalar as it was written: an id such as 00123456 or 1e5 is a text.

    Attributes:
        line: Of the file at which the text begins.
    """

    __slots__ = ("line",)

    line: int


def yaml_maps(
    text: str, name: str, expected: str
) -> Iterator[tuple[int, dict[str, YamlText]]]:
    """Yield the line and the texts of one map, or of each map of a list.

    Args:
        text: The YAML.
        name: The file's, for messages.
        expected: What to say when there is no map.

    Raises:
        DraftError: It is no YAML, or more than maps of texts.
    """
    node = _composed(text, name)
    if node is None:
        return
    for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode):
            raise DraftError(
                _("{where}: expected “key: value” lines.").format(
                    where=_("{file}, line {line}").format(file=name, line=line)
                ),
                hint=expected,
            )
        yield line, _texts(item, name)


def _composed(text: str, name: str) -> yaml.Node | None:
    try:
        # CSafeLoader is quicker, and a crash of the process when nested too deeply
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        raise DraftError(
            _("{file}, line {line}: {problem}.").format(
                file=name, line=mark.line + 1 if mark else "?", problem=exc.problem
            ),
            hint=_('Put texts with a colon or quotes into straight quotes: "…".'),
        ) from None
    except yaml.YAMLError as exc:  # control characters
        reason = str(exc).splitlines()[0]
        raise DraftError(f"{name}: {reason}") from None
    except RecursionError:
        raise DraftError(
            _("{file}: lists and maps are nested too deeply.").format(file=name)
        ) from None


def _texts(node: yaml.MappingNode, name: str) -> dict[str, YamlText]:
    texts: dict[str, YamlText] = {}
    for key, value in node.value:
        where = _("{file}, line {line}").format(
            file=name, line=value.start_mark.line + 1
        )
        if not isinstance(key, yaml.ScalarNode) or not isinstance(
            value, yaml.ScalarNode
        ):
            raise DraftError(
                _("{where}: a text belongs here, not a list or a map.").format(
                    where=where
                ),
                hint=_('Put it into straight quotes: "…".'),
            )
        if key.value in texts:
            raise DraftError(
                _("{where}: the key “{key}” stands there twice.").format(
                    where=where, key=key.value
                )
            )
        text = YamlText("" if value.tag == _NULL else value.value)
        text.line = value.start_mark.line + 1 + (value.style in _BLOCKS)
        texts[str(key.value)] = text
    return texts


_QUOTED = re.compile(r'"[^"]*"')


def csv_records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line of each record that is not blank, and its cells.

    Raises:
        DraftError: A quote is wrong, or a cell is longer than 131,072 signs.
    """
    first = _QUOTED.sub("", text.partition("\n")[0])
    separator = max(",;\t", key=first.count)
    reader = csv.reader(
        StringIO(text, newline=""),
        delimiter=separator,
        skipinitialspace=True,
        strict=True,
    )
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as exc:
        raise DraftError(
            _("{file}, line {line}: {problem}.").format(
                file=name, line=line, problem=exc
            ),
            hint=_("Is a quote not closed, or not doubled inside of a quoted text?"),
        ) from None


def check_columns(columns: Sequence[str], where: str) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        DraftError: One has no name, or two have the same.
    """
    if "" in columns:
        raise DraftError(
            _("{where}: column {number} has no name.").format(
                where=where, number=columns.index("") + 1
            ),
            hint=_("The first line names the columns; delete empty ones."),
        )
    [(column, times)] = Counter(columns).most_common(1)
    if times > 1:
        raise DraftError(
            _("{where}: two columns are called “{column}”.").format(
                where=where, column=column
            ),
            hint=_("Give each column a name of its own."),
        )


def too_many_cells(where: str) -> DraftError:
    """Return the error for a record with more cells than there are columns."""
    return DraftError(
        _("{where}: more cells than columns.").format(where=where),
        hint=_('Put texts with a comma into straight quotes: "…".'),
    )


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
    for line, found in yaml_maps("\n" + match[1], name, allowed_keys()):
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


_Row = tuple[str, "Mapping[str, str]"]


def _markdown_rows(text: str, name: str) -> Iterator[_Row]:
    values, script, _line = front_matter(text, name)
    yield name, {"script": script, **values}


def _yaml_rows(text: str, name: str) -> Iterator[_Row]:
    for line, values in yaml_maps(text, name, allowed_keys()):
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
