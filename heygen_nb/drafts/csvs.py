"""CSV as spreadsheets write it: commas, semicolons or tabs, quotes, line breaks."""

from __future__ import annotations

import csv
import re
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
