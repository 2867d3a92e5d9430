"""A draft with placeholders: the same text for every row of a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.drafts.checks import check_keys, near
from heygen_nb.drafts.files import front_matter, relative
from heygen_nb.drafts.texts import read_text
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heygen_nb.drafts.tables import Table
    from heygen_nb.templates import Template

_MARK = re.compile("\ue000(\\d+)\ue001")  # of private use
_TAG = re.compile(r"\{[{%#](?:(?!\{[{%#]).)*?[}%#]\}|" + _MARK.pattern)


class DraftTemplate:
    """A draft file with placeholders in its front matter and its script.

    Every value of the table that it names must be a column. A cell may be empty as
    long as nothing of it is put into a text: ``{% if company %}``, ``or`` and
    ``default`` make a value optional.

    Args:
        text: Front matter, if any, and the script.
        name: The file's, for messages.
        identity: Tells this template from others in the ids of drafts; a changed
            text may keep it.

    Raises:
        DraftError: A placeholder or the front matter is wrong; names the line.

    Attributes:
        names: The columns that it needs.
    """

    def __init__(self, text: str, name: str, *, identity: str) -> None:
        self.name = name
        self.identity = identity
        tags: list[str] = []

        def mask(match: re.Match[str]) -> str:
            # “title: {{ name }}” would be a map to YAML, and quotes in it an end
            tags.append(match[0])
            return f"\ue000{len(tags) - 1}\ue001"

        masked = _TAG.sub(mask, text)
        values, script, line = front_matter(masked, name)
        check_keys(values, name)
        lines = {key: value.line for key, value in values.items()}
        parts = {**values, "script": script}
        self._fields = {
            key: self._compiled(
                _MARK.sub(lambda mark: tags[int(mark[1])], part), lines.get(key, line)
            )
            for key, part in parts.items()
        }
        self.names = frozenset().union(*(t.names for t in self._fields.values()))

    @classmethod
    def of(cls, template: str | Path, home: Path) -> DraftTemplate:
        """Read a template.

        Args:
            template: Path of a ``.md`` file, or the text itself.
            home: Folder that the file's identity is made relative to; outside of it
                the name alone counts, so that another machine gives the same ids.

        Raises:
            DraftError: It cannot be read or is wrong.
        """
        if isinstance(template, str) and not _is_path(template):
            return cls(template, _("the template"), identity=f"text:{template}")
        file = Path(template)
        place = relative(file, home)
        identity = file.name if Path(place).is_absolute() else place
        return cls(read_text(file), str(file), identity=identity)

    def _compiled(self, text: str, line: int) -> Template:
        from heygen_nb.templates import Template  # noqa: PLC0415 - Jinja is not small

        return Template(text, where=self.name, line=line)

    @property
    def gives_id(self) -> bool:
        """Tell whether its front matter has an id."""
        return "id" in self._fields

    def check(self, table: Table) -> list[str]:
        """Return a sentence for each column that is not there."""
        missing: dict[str, int] = {}
        for part in self._fields.values():
            for name in part.names - table.columns.keys():
                missing.setdefault(name, part.lines[name])
        return [
            _("{file}, line {line}: the table has no column “{column}”. {near}").format(
                file=self.name,
                line=line,
                column=name,
                near=near(name, table.columns)
                or _("Its columns: {columns}.").format(
                    columns=", ".join(list(table.columns)[:20])
                ),
            )
            for name, line in sorted(missing.items(), key=lambda item: item[::-1])
        ]

    def fill(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Return the texts of a draft for a row.

        Raises:
            EmptyValueError: A cell that is needed is empty.
            DraftError: The template does what it may not.
        """
        from heygen_nb.templates import Empty  # noqa: PLC0415

        values = {n: cells[n] if cells[n].strip() else Empty(n) for n in self.names}
        return {key: part.render(values) for key, part in self._fields.items()}


def _is_path(text: str) -> bool:
    return text.lower().endswith(".md") and "\n" not in text and "{{" not in text
