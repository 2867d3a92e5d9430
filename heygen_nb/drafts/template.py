"""A draft with placeholders: the same text for every row of a table."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from heygen_nb.config import Settings, find_home
from heygen_nb.drafts.fields import by_field, field_of, id_of, make_draft, near
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
        self.parts: dict[str, Template] = {}
        for key, part in {**by_field(values, self.name), "script": script}.items():
            source = _MARK.sub(lambda mark: tags[int(mark[1])], part)
            at = lines.get(key, line)
            self.parts[key] = Template(source, where=self.name, line=at)
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

    def check(self, table: Table) -> None:
        """Refuse a table without a column that is needed.

        Raises:
            TableError: Has a sentence for each of them.
        """
        missing: dict[str, int] = {}
        for part in self.parts.values():
            for name in part.names - table.columns.keys():
                missing.setdefault(name, part.lines[name])
        columns = ", ".join(list(table.columns)[:20])
        its = _("Its columns: {columns}.").format(columns=columns)
        problem = _("the table has no column “{column}”. {near}")
        told = []
        for name, line in sorted(missing.items(), key=lambda item: item[::-1]):
            text = problem.format(column=name, near=near(name, table.columns) or its)
            told.append(f"{at_line(self.name, line)}: {text}")
        _refuse(table, told)

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
    )


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
    if template:
        template.check(table)
    else:
        by_field(table.columns, table.name)
    filling = _Filling(table, template)
    drafts = filling.drafts()
    _refuse(table, [text for _row, text in sorted(filling.problems)], filling.hint)
    return drafts


@dataclass
class _Filling:
    """The rows of one table on their way, and what is wrong with them."""

    table: Table
    template: DraftTemplate | None
    problems: list[tuple[int, str]] = field(default_factory=list)
    hint: str = ""

    def drafts(self) -> list[Draft]:
        """Make the drafts, and note those that cannot be spoken or share an id."""
        rows = list(self._rows())
        taken = {id_of(texts) for _row, texts, _digest in rows}
        ids: dict[str, str] = {}
        # which of two that begin alike keeps 8 digits is no matter of the rows' order
        for digest in sorted({d for _row, texts, d in rows if not id_of(texts)}):
            ids[digest] = digest[:8] if digest[:8] not in taken else digest[:16]
            taken.add(ids[digest])
        made: dict[str, tuple[Row, Draft]] = {}
        for row, texts, digest in rows:
            where = self.table.place(row)
            try:
                draft = make_draft(texts, where, ids.get(digest, ""))
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

    def _rows(self) -> Iterator[tuple[Row, dict[str, str], str]]:
        """Yield the texts of each row, and what tells its content from others'."""
        table, template, left = self.table, self.template, dict[str, str]()
        used, identity = set(table.columns), ""
        if template:
            used, identity = set(template.names), template.identity
            left = template.left(table)
            used |= {"id"} & (table.columns.keys() - template.parts.keys())
        for row in table.rows:
            own = {name: row.cells[name] for name in sorted(used)}
            faults = {n: problem_of(cell, is_cell=True) for n, cell in own.items()}
            for name in filter(faults.get, faults):
                self._note(row, faults[name], name)
            if any(faults.values()):
                continue
            # an empty cell counts for nothing: a new optional column changes no id
            content = identity, [cell for cell in own.items() if cell[1]]
            digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode())
            if template:
                try:
                    texts = template.fill(row.cells)
                except DraftError as error:
                    name = getattr(error, "name", "")
                    self._note(row, error.message, name, error.hint)
                    continue
                texts |= {field: row.cells[key] for field, key in left.items()}
                own = {name: own[name] for name in ("id",) if name in own} | texts
            yield row, own, digest.hexdigest()

    def _note(self, row: Row, problem: str, column: str = "", hint: str = "") -> None:
        where = self.table.place(row, column)
        self.problems.append((row.number, f"{where}: {problem}"))
        self.hint = self.hint or hint


def _refuse(table: Table, problems: list[str], hint: str = "") -> None:
    if not problems:
        return
    lines = [f"• {problem}" for problem in problems[:SHOWN]]
    if more := len(problems[SHOWN:]):
        lines.append(ngettext("… and {count} more", "… and {count} more", more))
    count = ngettext("{count} problem", "{count} problems", len(problems))
    head = _("{table}: {problems}; no draft was made.").format(
        table=table.name, problems=count
    )
    raise TableError("\n".join((head, *lines)), problems=tuple(problems), hint=hint)
