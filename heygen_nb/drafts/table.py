"""Tables of any kind as rows of texts, each knowing where it stands."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from heygen_nb.drafts.fields import field_of, wrong
from heygen_nb.drafts.read import (
    MAX_CELLS,
    MAX_COLUMNS,
    check_columns,
    table_records,
    too_wide,
)
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

MAX_NUMBER_DIGITS = 15  # beyond, a float shows its rounding: 0.30000000000000004
_SIGNS = re.compile(r"\W+")
_MISSING = ("nan", "NaN", "NaT", "<NA>", "NULL")  # a DataFrame's, in a CSV file
_NAMELESS = re.compile(r"(?:Unnamed: \d+)?")  # what pandas calls a blank heading


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

    def renamed(self, fields: Mapping[str, str]) -> Table:
        """Return the table with columns named by the field of a draft they mean.

        Args:
            fields: Field by the column's key; "" leaves a column out.

        Raises:
            DraftError: Two columns mean one field.
        """
        found = {key: fields.get(key, key) for key in self.columns}
        kept = {key: field for key, field in found.items() if field}
        check_columns(list(kept.values()), self.name)
        rows = (
            Row(
                row.number, row.line, {f: row.cells.get(k, "") for k, f in kept.items()}
            )
            for row in self.rows
        )
        columns = {field: self.columns[key] for key, field in kept.items()}
        return Table(self.name, columns, tuple(rows))

    def fields(self) -> dict[str, str]:
        """Return the field that each column means by its heading, if any does."""
        found = ((key, field_of(name)) for key, name in self.columns.items())
        return {key: field for key, field in found if field}

    def place(self, row: Row, column: str = "") -> str:
        """Return where a row or one of its cells stands, for messages."""
        where = _("row {row}").format(row=row.number)
        if row.line:
            where = _("{file}, line {line} (row {row})")
            where = where.format(file=self.name, line=row.line, row=row.number)
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
        return read_table(str(Path(source)))
    if hasattr(source, "to_dict"):
        source = _frame_records(source)
    if not isinstance(source, Iterable) or isinstance(source, bytes | Mapping):
        raise DraftError(
            _("A {kind} is no table.").format(kind=type(source).__name__),
            hint=_("Give a CSV or YAML file, a list of dicts or a DataFrame."),
        )
    return _collect(_("the table"), _records(source))


def read_table(name: str, content: bytes | None = None) -> Table:
    """Return the table that a file holds.

    Args:
        name: The file's name; its ending tells the form.
        content: Its bytes, if they are here already.

    Raises:
        DraftError: It is broken; names file and line.
    """
    return _collect(name, table_records(name, content))


def _collect(
    name: str, records: Iterable[tuple[int | None, Mapping[str, str]]]
) -> Table:
    columns: dict[str, str] = {}
    rows, count = list[Row](), 0
    for number, (line, record) in enumerate(records, 1):
        cells = {
            column: "" if text.strip() in _MISSING else text
            for column, text in record.items()
            if text or not _NAMELESS.fullmatch(column)
        }
        columns |= {column: column for column in cells}
        count += len(cells)
        if len(columns) > MAX_COLUMNS or count > MAX_CELLS:
            raise too_wide(name)
        rows.append(Row(number, line, cells))
    if not rows:
        raise DraftError(
            _("{file} has no rows.").format(file=name),
            hint=_("The first line names the columns, each further one is a video."),
        )
    check_columns(list(columns), name)
    keys = {column: key_of(column) for column in columns}
    return Table(name, columns, tuple(rows)).renamed(keys)


def _frame_records(frame: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a DataFrame (pandas, polars) without those that are blank."""
    # maps would lose all but one of the columns of one name
    check_columns([str(c) for c in getattr(frame, "columns", ())], _("the table"))
    is_polars = hasattr(frame, "to_dicts")
    records = frame.to_dicts() if is_polars else frame.to_dict("records")
    return [r for r in records if len(r) == 1 or not all(map(_missing, r.values()))]


def _records(source: Iterable[Any]) -> Iterator[tuple[None, Mapping[str, str]]]:
    for number, record in enumerate(source, 1):
        where = _("row {row}").format(row=number)
        if not isinstance(record, Mapping):
            problem = _("a {kind} is no map of columns to values")
            problem = problem.format(kind=type(record).__name__)
            raise wrong(where, problem, _("Give a list of dicts."))
        yield None, {str(k): _text(v, where, k) for k, v in record.items()}


def _text(value: Any, where: str, column: object) -> str:
    """Return a value as somebody would write it into a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict | set | bytes):
        at = _("{where}, column “{column}”").format(where=where, column=column)
        problem = _("a {kind} is no text").format(kind=type(value).__name__)
        raise wrong(at, problem, _("Write it out as one text."))
    if value is False or _missing(value):
        return ""  # so that {% if vip %} means what it says
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(f"{value:.{MAX_NUMBER_DIGITS}g}")
    if isinstance(value, Decimal):
        return f"{value:f}"  # 0.00001 and not 1e-05
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return f"{value:%Y-%m-%d}" if midnight else f"{value:%Y-%m-%d %H:%M}"
    return f"{value:%H:%M}" if isinstance(value, dt.time) else str(value)


def _missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - NaN and NaT
    except (TypeError, ValueError):  # pandas' NA has no truth
        return True
