"""A draft with placeholders: the same text for every row of a table."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heygen_nb.config import Settings, find_home
from heygen_nb.drafts.fields import (
    by_field,
    check_keys,
    field_of,
    id_of,
    make_draft,
    near,
)
from heygen_nb.drafts.read import front_matter, relative, text_of
from heygen_nb.drafts.spoken import check_draft, problem_of
from heygen_nb.drafts.table import Row, Table, key_of, table_of
from heygen_nb.errors import DraftError, TableError
from heygen_nb.i18n import at_line, gettext as _, ngettext
from heygen_nb.models import Draft

_MARK = re.compile("\ue000(\\d+)\ue001")  # of private use
_TAG = re.compile(r"\{[{%#](?:(?!\{[{%#]).)*?[}%#]\}|" + _MARK.pattern)


class DraftTemplate:
    """A draft file with placeholders in its front matter and its script.

    Every value of the table that it names must be a column. A cell may be empty as
    long as nothing of it is put into a text: ``{% if company %}``, ``or`` and
    ``default`` make a value optional.

    Args:
        template: Path of a ``.md`` file, or the text itself: front matter, if any,
            and the script.
        home: Folder that the file's identity is made relative to; outside of it the
            name alone counts, so that another machine gives the same ids.

    Raises:
        DraftError: It cannot be read, or a placeholder or the front matter is wrong;
            names the line.

    Attributes:
        name: The file's, for messages.
        identity: Tells this template from others in the ids of drafts; a changed
            text of a file keeps it.
        names: The columns that it needs.
        parts: The templates of its front matter and script, by field.
    """

    def __init__(self, template: str | Path, home: Path) -> None:
        from heygen_nb.templates import Template  # noqa: PLC0415 - Jinja is not small

        text, ends = str(template), str(template).lower().endswith(".md")
        if isinstance(template, str) and (not ends or "\n" in text or "{{" in text):
            self.name, self.identity = _("the template"), f"text:{template}"
        else:
            file = Path(template)
            place = relative(file, home)
            self.name = str(file)
            self.identity = file.name if Path(place).is_absolute() else place
            text = text_of(self.name)
        tags: list[str] = []

        def mask(match: re.Match[str]) -> str:
            if match[0].startswith("{#"):
                return "\n" * match[0].count("\n")
            # “title: {{ name }}” would be a map to YAML, and quotes in it an end
            tags.append(match[0])
            return f"\ue000{len(tags) - 1}\ue001"

        values, script, line = front_matter(_TAG.sub(mask, text), self.name)
        lines = {field_of(key): value.line for key, value in values.items()}
        texts = by_field(values, self.name)
        check_keys(texts, self.name)
        self.parts = {
            key: Template(
                _MARK.sub(lambda mark: tags[int(mark[1])], part),
                where=self.name,
                line=lines.get(key, line),
            )
            for key, part in {**texts, "script": script}.items()
        }
        self.names = frozenset().union(*(t.names for t in self.parts.values()))

    def left(self, table: Table) -> dict[str, str]:
        """Return the columns, by field, that say what the template does not."""
        texts = ("title", "caption")  # may be both said and shown
        return {
            field: key
            for key, field in table.fields().items()
            if field not in ("id", *self.parts)
            and (field in texts or key not in self.names)
        }

    def check(self, table: Table) -> list[str]:
        """Return a sentence for each column that is not there."""
        missing: dict[str, int] = {}
        for part in self.parts.values():
            for name in part.names - table.columns.keys():
                missing.setdefault(name, part.lines[name])
        columns = ", ".join(list(table.columns)[:20])
        its = _("Its columns: {columns}.").format(columns=columns)
        problem = _("the table has no column “{column}”. {near}")
        told = []
        for name, line in sorted(missing.items(), key=lambda item: item[::-1]):
            hint = near(name, table.columns) or its
            text = problem.format(column=name, near=hint)
            told.append(f"{at_line(self.name, line)}: {text}")
        return told

    def fill(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Return the texts of a draft for a row.

        Raises:
            EmptyValueError: A cell that is needed is empty.
            DraftError: The template does what it may not.
        """
        from heygen_nb.templates import Empty  # noqa: PLC0415

        values = {n: cells[n].strip() or Empty(n) for n in self.names}
        return {key: part.render(values) for key, part in self.parts.items()}


log = logging.getLogger("heygen_nb.drafts")

SHOWN = 10
MAX_CELL_CHARS = 20_000
_TEMPLATE_SIGN = re.compile(r"\{[{%#]")
_SHORTENED = re.compile(r"-?\d([.,]\d+)?E\+\d+")


def drafts_from(
    table: object,
    template: str | Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> list[Draft]:
    """Make a draft of each row of a table.

    A row that was seen before gives the same id, wherever it stands by now, so that
    what is rendered already is not paid again. The id is that of the column ``id``,
    else 8 digits made of the template's name and the row's values that it uses.

    Args:
        table: Path of a CSV or YAML file, a list of dicts, or anything with
            ``to_dict("records")``.
        template: Path of a Markdown draft with placeholders such as ``{{ name }}``
            in its front matter or script, or the script's text itself. Without one
            the columns are those of a draft: script, caption, title, … or headings
            such as Topic, Сценарий, Подпись.
        columns: Which field of a draft a column means whose heading does not tell;
            "" leaves a column out.
        settings: Whose home folder template names are relative to.

    Raises:
        DraftError: A row, the table or the template does not fit; nothing is made.
    """
    home = settings.home if settings else find_home()
    found = table_of(table)
    chosen = None if template is None else DraftTemplate(template, home)
    drafts = fill(found, chosen, columns)
    if repeated := len(found.rows) - len(drafts):
        log.warning("%s: %s", found.name, repeated_text(repeated))
    return drafts


def repeated_text(count: int) -> str:
    """Return a sentence on rows that are there more than once."""
    return ngettext(
        "{count} row repeats an earlier one: both are one draft",
        "{count} rows repeat earlier ones: they are one draft each",
        count,
    ).format(count=count)


def fill(
    table: Table,
    template: DraftTemplate | None,
    columns: Mapping[str, str] | None = None,
) -> list[Draft]:
    """Make a draft of each row, once of those that say the same.

    See :func:`drafts_from`.

    Raises:
        TableError: Rows do not fit; has all their problems.
        DraftError: The columns do not fit.
    """
    named = {key_of(name): field for name, field in (columns or {}).items()}
    table = table.renamed(named if template else table.fields() | named)
    if template is None:
        check_keys(table.columns, table.name)
    elif missing := template.check(table):
        raise _refused(table, missing)
    used = set(table.columns if template is None else template.names)
    if "id" in table.columns and not (template and "id" in template.parts):
        used.add("id")
    left = template.left(table) if template else {}
    filling = _Filling(table, template, left, sorted(used))
    drafts = filling.drafts()
    if filling.problems:
        problems = [text for _row, text in sorted(filling.problems)]
        raise _refused(table, problems, filling.hint)
    return drafts


@dataclass
class _Filling:
    """The rows of one table on their way, and what is wrong with them."""

    table: Table
    template: DraftTemplate | None
    left: Mapping[str, str]
    used: Sequence[str]
    problems: list[tuple[int, str]] = field(default_factory=list)
    hint: str = ""

    def _texts(self, row: Row) -> dict[str, str]:
        """Return the texts of a row's draft; none if something is wrong with it."""
        wrong = [(c, p) for c in self.used if (p := _problem_of(row.cells[c]))]
        for column, problem in wrong:
            self._note(row, problem, column)
        if wrong:
            return {}
        own = {name: row.cells[name] for name in self.used}
        if self.template is None:
            return own
        try:
            found = self.template.fill(row.cells)
        except DraftError as error:
            self._note(row, error.message, getattr(error, "name", ""), error.hint)
            return {}
        found |= {field: row.cells[key] for field, key in self.left.items()}
        return {"id": own["id"], **found} if "id" in own else found

    def drafts(self) -> list[Draft]:
        """Make the drafts, and note those that cannot be spoken or share an id."""
        rows = [(row, texts) for row in self.table.rows if (texts := self._texts(row))]
        digests = [None if id_of(texts) else self._digest(row) for row, texts in rows]
        given = {id_of(texts) for _row, texts in rows}
        short = _short_ids({digest for digest in digests if digest}, given)
        made: dict[str, tuple[Row, Draft]] = {}
        for (row, texts), digest in zip(rows, digests, strict=True):
            where = self.table.place(row)
            try:
                draft = make_draft(texts, where, short[digest] if digest else "")
                check_draft(draft)
            except DraftError as error:
                problem = error.message.removeprefix(f"{where}: ")
                self._note(row, problem, hint=error.hint)
                continue
            first, same = made.setdefault(draft.id, (row, draft))
            if same != draft:
                problem = _("“{id}” is the id of row {row} too")
                self._note(row, problem.format(id=draft.id, row=first.number), "id")
        return [draft for _row, draft in made.values()]

    def _digest(self, row: Row) -> str:
        """Return what tells this row's content from others, wherever it stands."""
        identity = self.template.identity if self.template else ""
        # an empty cell counts for nothing: a new optional column changes no id
        cells = [(name, row.cells[name]) for name in self.used if row.cells[name]]
        content = json.dumps([identity, cells], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def _note(self, row: Row, problem: str, column: str = "", hint: str = "") -> None:
        where = self.table.place(row, column)
        self.problems.append((row.number, f"{where}: {problem}"))
        self.hint = self.hint or hint


def _short_ids(digests: set[str], taken: set[str]) -> dict[str, str]:
    """Return 8 digits for each digest, more where two would look the same.

    Which of the two keeps its 8 digits does not depend on the order of rows.
    """
    ids: dict[str, str] = {}
    for digest in sorted(digests):
        ids[digest] = digest[:8] if digest[:8] not in taken else digest[:16]
        taken.add(ids[digest])
    return ids


def _problem_of(cell: str) -> str:
    """Return why a cell cannot be part of a draft; "" if it can."""
    if (count := len(cell)) > MAX_CELL_CHARS:
        problem = _("{count} characters; at most {limit} fit")
        return problem.format(count=count, limit=MAX_CELL_CHARS)
    if found := _TEMPLATE_SIGN.search(cell):
        problem = _("“{signs}” belongs into the template, not into a table")
        return problem.format(signs=found[0])
    if cell.startswith("="):
        return _("a formula; put its result there, as a text")
    if _SHORTENED.fullmatch(cell.strip()):
        problem = _("“{cell}” is a number that the spreadsheet has shortened")
        return problem.format(cell=cell)
    return problem_of(cell)


def _refused(table: Table, problems: list[str], hint: str = "") -> TableError:
    lines = [f"• {problem}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        more = len(problems) - SHOWN
        lines.append(ngettext("… and {n} more", "… and {n} more", more).format(n=more))
    count = ngettext("{count} problem", "{count} problems", len(problems))
    head = _("{table}: {problems}; no draft was made.").format(
        table=table.name, problems=count.format(count=len(problems))
    )
    return TableError("\n".join((head, *lines)), problems=tuple(problems), hint=hint)
