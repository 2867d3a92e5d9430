"""Tables of any kind as rows of texts, each knowing where it stands."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from heygen_nb.drafts import read
from heygen_nb.drafts.fields import field_of, wrong
from heygen_nb.i18n import gettext as _

MAX_NUMBER_DIGITS = 15  # beyond, a float shows its rounding: 0.30000000000000004
_SIGNS = re.compile(r"\W+")
_MISSING = ("nan", "NaN", "NaT", "<NA>", "NULL")  # a DataFrame's, in a CSV file
_NAMELESS = re.compile(r"(?:Unnamed: \d+)?")  # what pandas calls a blank heading


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        number: From 1 on; the header and blank lines do not count.
        line: Of the file, if it has one.
        cells: Text by the column's key; see :func:`key_of`.
    """

    number: int
    line: int | None
    cells: Mapping[str, str]


class Table(NamedTuple):
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
        read.check_columns(list(kept.values()), self.name)
        columns = {field: self.columns[key] for key, field in kept.items()}
        rows = list[Row]()
        for row in self.rows:
            cells = {field: row.cells.get(key, "") for key, field in kept.items()}
            rows.append(row._replace(cells=cells))
        return Table(self.name, columns, tuple(rows))

    def fields(self) -> dict[str, str]:
        """Return the field that each column means by its heading, if any does."""
        found = {key: field_of(name) for key, name in self.columns.items()}
        return {key: field for key, field in found.items() if field}

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


def table_of(source: Any) -> Table:
    """Return the table that a path, a list of dicts or a DataFrame holds.

    Args:
        source: Path of a CSV or YAML file, or maps, or whatever has
            ``to_dict("records")``.

    Raises:
        DraftError: It is none of these, or is broken; names file and line.
    """
    if isinstance(source, str | Path):
        return read_table(str(Path(source)))
    if hasattr(source, "to_dict"):  # of pandas or polars
        # maps would lose all but one of the columns of one name
        names = [str(name) for name in getattr(source, "columns", ())]
        read.check_columns(names, _("the table"))
        is_polars = hasattr(source, "to_dicts")
        rows = source.to_dicts() if is_polars else source.to_dict("records")
        source = [r for r in rows if len(r) == 1 or not all(map(_missing, r.values()))]
    if not isinstance(source, Iterable) or isinstance(source, bytes | Mapping):
        raise wrong("no_table", kind=type(source).__name__)
    records = (_record(number, one) for number, one in enumerate(source, 1))
    return _collect(_("the table"), records)


def read_table(name: str, content: bytes | None = None) -> Table:
    """Return the table that a file holds.

    Args:
        name: The file's name; its ending tells the form.
        content: Its bytes, if they are here already.

    Raises:
        DraftError: It is broken; names file and line.
    """
    return _collect(name, read.table_records(name, content))


def _collect(
    name: str, records: Iterable[tuple[int | None, Mapping[str, str]]]
) -> Table:
    keys: dict[str, str] = {}
    rows, count = list[Row](), 0
    for number, (line, record) in enumerate(records, 1):
        cells: dict[str, str] = {}
        for column, text in record.items():
            if text or not _NAMELESS.fullmatch(column):
                key = keys.get(column) or keys.setdefault(column, key_of(column))
                cells[key] = "" if text.strip() in _MISSING else text
        count += len(cells)
        if len(keys) > read.MAX_COLUMNS or count > read.MAX_CELLS:
            raise read.too_wide(name)
        rows.append(Row(number, line, cells))
    if not rows:
        raise wrong("no_rows", file=name)
    read.check_columns(list(keys.values()), name)
    columns = {key: column for column, key in keys.items()}
    return Table(name, columns, tuple(rows)).renamed({})  # which fills the gaps


def _record(number: int, record: object) -> tuple[None, Mapping[str, str]]:
    where = _("row {row}").format(row=number)
    if not isinstance(record, Mapping):
        raise wrong("no_map", where, kind=type(record).__name__)
    return None, {str(k): _text(v, where, k) for k, v in record.items()}


def _text(value: Any, where: str, column: object) -> str:
    """Return a value as somebody would write it into a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict | set | bytes):
        where = _("{where}, column “{column}”").format(where=where, column=column)
        raise wrong("no_text", where, kind=type(value).__name__)
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
