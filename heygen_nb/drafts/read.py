"""Files as records: Markdown with front matter, YAML, CSV and TSV.

Drafts and tables are read by the same readers: a record is the line at which it
begins and its texts by key.
"""

import csv
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import zip_longest
from pathlib import Path

from heygen_nb import files
from heygen_nb.drafts.fields import FIELDS, by_field, field_of, make_draft, wrong
from heygen_nb.drafts.spoken import check_script
from heygen_nb.errors import DraftError
from heygen_nb.files import MAX_YAML_BYTES, YamlReader, YamlText
from heygen_nb.i18n import at_line, gettext as _, problem_at
from heygen_nb.models import Draft, short_id

Record = tuple[int, Mapping[str, str]]
Reader = Callable[[str, str], Iterator[Record]]

log = logging.getLogger("heygen_nb.drafts")

# 10 MB of table are some 100,000 videos: more is always the wrong file.
MAX_TABLE_BYTES = 10_000_000
MAX_COLUMNS = 1000
MAX_CELLS = 2_000_000  # an alias in a small YAML file can stand for any number
_PROSE = ("title", "caption", "script")


def text_of(name: str, content: bytes | None = None) -> str:
    """Return the text of a file that may be a draft or a table.

    Args:
        name: Its path.
        content: Its bytes, if they are here already.

    Raises:
        DraftError: It cannot be read, is no text, or too large.
    """
    is_table = Path(name).suffix.lower() in (".csv", ".tsv", ".txt")
    limit_bytes = MAX_TABLE_BYTES if is_table else MAX_YAML_BYTES
    try:
        if content is None:
            content = files.read_bytes(Path(name), limit_bytes)
        return files.decode(files.within(content, limit_bytes))
    except OSError as error:
        problem = "unfit" if isinstance(error, files.UnfitFileError) else "unreadable"
        raise wrong(problem, file=name, reason=error.strerror or error) from None


def yaml_records(text: str, name: str) -> Iterator[Record]:
    """Yield one map, or each map of a list.

    Raises:
        DraftError: It is no YAML, or more than maps of texts.
    """
    return YamlReader(
        name,
        _("It holds one “key: value” a line, or a list of such maps."),
        words=lambda key: field_of(key) != "duration",
        prose=lambda key: field_of(key) in _PROSE,
    ).maps(text)


_QUOTED = re.compile(r'"[^"]*"')
_SEPARATOR = re.compile(r'\s*"?sep=(.)"?[,;\t ]*(?:\n|$)', re.IGNORECASE)


def csv_records(text: str, name: str) -> Iterator[Record]:
    """Yield each row that is not blank; what a sheet pads with is dropped.

    Raises:
        DraftError: A quote is wrong, a cell is longer than 131,072 signs, columns
            cannot be told apart, or a row has more cells than there are columns.
    """
    rows = _csv_rows(text, name)
    header_line, header = next(rows, (1, []))
    where = at_line(name, header_line)
    columns = [column.strip() for column in header]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise too_wide(name)
    check_columns([column for column in columns if column], where)
    for line, cells in rows:
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise wrong("too_many_cells", at_line(name, line))
        found = list(zip_longest(columns, cells[: len(columns)], fillvalue=""))
        if any(cell.strip() for column, cell in found if not column):
            check_columns(columns, where)
        yield line, {column: cell for column, cell in found if column}


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    if said := _SEPARATOR.match(text):
        separator = said[1]
        text = "\n" * said[0].count("\n") + text[said.end() :]  # lines stay the file's
    else:
        # a name with a comma is quoted; one column has no separator at all
        first = _QUOTED.sub("", text.lstrip().partition("\n")[0])
        separator = max(",;\t|", key=first.count)
        separator = separator if separator in first else "\x1f"
    blanks, lines = separator != "\t", StringIO(text, newline="")
    reader = csv.reader(
        lines, delimiter=separator, skipinitialspace=blanks, strict=True
    )
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as exc:
        hint = _("Is a quote not closed, or not doubled inside of a quoted text?")
        raise DraftError(problem_at(at_line(name, line), str(exc)), hint=hint) from None


def check_columns(columns: Sequence[str], where: str) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        DraftError: One has no name, or two have the same.
    """
    if "" in columns:
        raise wrong("no_name", where, number=columns.index("") + 1)
    for column, times in Counter(columns).most_common(1):
        if times > 1:
            raise wrong("column_twice", where, column=column)


def too_wide(name: str) -> DraftError:
    """Return the error for a table that cannot be one."""
    return wrong("too_wide", file=name, columns=MAX_COLUMNS, cells=MAX_CELLS)


def front_matter(text: str, name: str) -> tuple[dict[str, YamlText], str, int]:
    """Return the keys above the script, the script, and the line it begins at.

    Raises:
        DraftError: The front matter is not closed, or no YAML.
    """
    keys, script, first_line = files.front_matter(text, name)
    values: dict[str, YamlText] = {}
    for line, found in yaml_records(keys, name):
        if "script" in found:
            raise wrong("script_above", at_line(name, line))
        values |= found  # type: ignore[arg-type]
    return values, script, first_line


def markdown_records(text: str, name: str) -> Iterator[Record]:
    """Yield the one draft of a Markdown file.

    Raises:
        DraftError: Its front matter is broken, or it is no script at all.
    """
    values, script, line = front_matter(text, name)
    check_script(script, name, line)
    yield 1, {"script": script, **values}


_TABLES: dict[str, Reader] = {
    **dict.fromkeys((".yaml", ".yml"), yaml_records),
    **dict.fromkeys((".csv", ".tsv", ".txt"), csv_records),
}
_DRAFTS = _TABLES | dict.fromkeys((".md", ".markdown", ".txt"), markdown_records)


def table_records(name: str, content: bytes | None = None) -> Iterator[Record]:
    """Yield the rows of a table; see :func:`text_of`.

    Raises:
        DraftError: It is no table, or broken; names file and line.
    """
    read = _TABLES.get(Path(name).suffix.lower())
    if read is None:
        raise wrong("no_table_file", file=name)
    return read(text_of(name, content), name)


def read_drafts(path: str | Path, home: Path) -> list[Draft]:
    """Read the drafts of a file.

    Args:
        path: ``.md`` or ``.txt`` (front matter, then the script), ``.yaml`` or
            ``.yml`` (one map or a list of them), ``.csv`` or ``.tsv`` (a header,
            then a row a draft).
        home: Folder that ids of files without one are made relative to.

    Raises:
        DraftError: The file cannot be read; names file, line and key.
    """
    file = Path(path)
    target = file.resolve()
    _reader_of(target.name, str(file))
    if file.is_symlink() and not target.is_relative_to(home.resolve()):
        text = _("A file from outside this folder is a draft: {file}")
        log.warning("%s", text.format(file=target))
    return drafts_in(None, str(file), relative(file, home))


def _reader_of(name: str, shown: str) -> Reader:
    read = _DRAFTS.get(Path(name).suffix.lower())
    if read is None:
        raise wrong("no_draft_file", file=shown)
    return read


def drafts_in(content: bytes | None, name: str, place: str = "") -> list[Draft]:
    """Return the drafts that a file holds.

    Args:
        content: Its bytes; None to read them.
        name: The file's, for messages; its ending tells the form.
        place: What ids are made of where the file has none; by default the name.

    Raises:
        DraftError: It cannot be read; names file, line and key.
    """
    read, place, drafts = _reader_of(name, name), place or name, list[Draft]()
    records = list(read(text_of(name, content), name))
    for number, (line, values) in enumerate(records, 1):
        where = name if read is markdown_records else at_line(name, line)
        # the names of columns stand above all rows
        named = at_line(name, 1) if read is csv_records else where
        if read is csv_records and "script" not in map(field_of, values):
            raise wrong("no_script_column", named, keys=", ".join(FIELDS))
        own = place if len(records) == 1 else f"{place}:{number}"
        drafts.append(make_draft(by_field(values, named), where, short_id(own)))
    if not drafts:
        raise wrong("no_draft", file=name)
    return drafts


def relative(file: Path, home: Path) -> str:
    """Return the path as seen from home, if it is in there."""
    absolute = file.absolute()
    if absolute.is_relative_to(home.absolute()):
        absolute = absolute.relative_to(home.absolute())
    return absolute.as_posix()
