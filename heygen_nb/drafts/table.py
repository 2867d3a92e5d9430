"""Tables of any kind as rows of texts, each knowing where it stands."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygen_nb.drafts.read import (
    check_columns,
    csv_records,
    decode,
    read_bytes,
    too_many_cells,
    yaml_maps,
)
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_COLUMNS = 1000
MAX_CELLS = 2_000_000  # an alias in a small YAML file can stand for any number
MAX_NUMBER_DIGITS = 15  # beyond, a float shows its rounding: 0.30000000000000004
_SIGNS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        number: From 1 on; the header and blank lines do not count.
        line: Of the file, if it has one.
        cells: Text by the column's key; see :func:`key_of`.
    """

    number: int
    line: int | None
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts.

    Attributes:
        name: The file's, for messages.
        columns: Name of each column by its key.
        rows: In their order.
    """

    name: str
    columns: Mapping[str, str]
    rows: tuple[Row, ...]

    def place(self, row: Row, column: str = "") -> str:
        """Return where a row or one of its cells stands, for messages."""
        where = _("row {row}").format(row=row.number)
        if row.line:
            where = _("{file}, line {line} (row {row})").format(
                file=self.name, line=row.line, row=row.number
            )
        if not column:
            return where
        name = self.columns.get(column, column)
        return _("{where}, column “{column}”").format(where=where, column=name)


def key_of(column: str) -> str:
    """Return a column's name as it is written in a placeholder.

    Other signs than letters and digits become ``_``: “First name” is
    ``{{ First_name }}``.
    """
    key = _SIGNS.sub("_", column.strip()).strip("_") or column
    return f"_{key}" if key[:1].isdigit() else key


def table_of(source: object) -> Table:
    """Return the table that a path, a list of dicts or a DataFrame holds.

    Args:
        source: Path of a CSV or YAML file, or maps, or whatever has
            ``to_dict("records")``.

    Raises:
        DraftError: It is none of these, or is broken; names file and line.
    """
    if isinstance(source, str | Path):
        file = Path(source)
        return read_table(str(file), read_bytes(file))
    if hasattr(source, "to_dict"):
        source = source.to_dict("records")
    if not isinstance(source, Iterable) or isinstance(source, bytes | Mapping):
        raise DraftError(
            _("A {kind} is no table.").format(kind=type(source).__name__),
            hint=_("Give a CSV or YAML file, a list of dicts or a DataFrame."),
        )
    return _collect(_("the table"), _records(source))


def read_table(name: str, content: bytes) -> Table:
    """Return the table that the bytes of a file hold.

    Args:
        name: The file's name; its ending tells the form.
        content: Its bytes.

    Raises:
        DraftError: It is broken; names file and line.
    """
    readers = {".yaml": _yaml, ".yml": _yaml}
    readers |= dict.fromkeys((".csv", ".tsv", ".txt"), _csv)
    read = readers.get(Path(name).suffix.lower())
    if read is None:
        raise DraftError(
            _("{file} is no table.").format(file=name),
            hint=_("Tables are CSV (.csv, .tsv, .txt) or YAML (.yaml, .yml) files."),
        )
    return _collect(name, read(decode(content, name), name))


_Record = tuple[int | None, Mapping[str, str]]


def _collect(name: str, records: Iterator[_Record]) -> Table:
    columns: dict[str, None] = {}
    rows, cells = [], 0
    for number, (line, values) in enumerate(records, 1):
        columns |= dict.fromkeys(values)
        cells += len(values)
        if len(columns) > MAX_COLUMNS or cells > MAX_CELLS:
            raise _too_wide(name)
        rows.append((number, line, values))
    if not rows:
        raise DraftError(
            _("{file} has no rows.").format(file=name),
            hint=_("The first line names the columns, each further one is a video."),
        )
    keys = {column: key_of(column) for column in columns}
    check_columns(list(keys.values()), name)
    blank = dict.fromkeys(keys.values(), "")
    return Table(
        name,
        {key: column for column, key in keys.items()},
        tuple(
            Row(number, line, {**blank, **{keys[c]: v for c, v in values.items()}})
            for number, line, values in rows
        ),
    )


def _too_wide(name: str) -> DraftError:
    return DraftError(
        _("{file} has more than {columns} columns, or {cells} cells.").format(
            file=name, columns=MAX_COLUMNS, cells=MAX_CELLS
        ),
        hint=_("Keep the columns that the template needs, and split the table."),
    )


def _csv(text: str, name: str) -> Iterator[_Record]:
    records = csv_records(text, name)
    line, header = next(records, (1, []))
    if len(header) > MAX_COLUMNS:
        raise _too_wide(name)
    columns = [column.strip() for column in header]
    if columns:
        check_columns(columns, _("{file}, line {line}").format(file=name, line=line))
    for line, cells in records:
        where = _("{file}, line {line}").format(file=name, line=line)
        if len(cells) > len(columns):
            raise too_many_cells(where)
        if len(cells) < len(columns):
            raise DraftError(
                _("{where}: {found} cells, but {wanted} columns.").format(
                    where=where, found=len(cells), wanted=len(columns)
                ),
                hint=_("Is a separator missing, or a quote not closed?"),
            )
        yield line, dict(zip(columns, cells, strict=True))


def _yaml(text: str, name: str) -> Iterator[_Record]:
    return yaml_maps(text, name, _("A table is a list of maps."))


def _records(source: Iterable[Any]) -> Iterator[_Record]:
    for number, record in enumerate(source, 1):
        where = _("row {row}").format(row=number)
        if not isinstance(record, Mapping):
            raise DraftError(
                _("{where}: a {kind} is no map of columns to values.").format(
                    where=where, kind=type(record).__name__
                ),
                hint=_("Give a list of dicts."),
            )
        yield None, {str(k): _text(v, where, k) for k, v in record.items()}


def _text(value: Any, where: str, column: object) -> str:
    """Return a value as somebody would write it into a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict | set | bytes):
        raise DraftError(
            _("{where}, column “{column}”: a {kind} is no text.").format(
                where=where, column=column, kind=type(value).__name__
            ),
            hint=_("Write it out as one text."),
        )
    if value is False or _missing(value):
        return ""  # so that {% if vip %} means what it says
    if isinstance(value, float):
        return f"{value:.{MAX_NUMBER_DIGITS}g}" if value % 1 else f"{value:.0f}"
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return f"{value:%Y-%m-%d}" if midnight else f"{value:%Y-%m-%d %H:%M}"
    return f"{value:%H:%M}" if isinstance(value, dt.time) else str(value)


def _missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - NaN and NaT
    except (TypeError, ValueError):  # pandas' NA has no truth
        return True
