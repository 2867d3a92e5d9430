"""A table and a template become drafts: one is rendered first, then the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb import drafts as reading
from heygen_nb.errors import DraftError
from heygen_nb.files import packaged
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ui.base import Actions, Options, Part, Words, Work, make, row, show
from heygen_nb.ui.html import markup
from heygen_nb.ui.paying import render_if_agreed

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.models import Draft
    from heygen_nb.ui.drafts import DraftsPanel

FOLDER = "templates"
_COLUMNS, _TYPED = "", "typed"
_SHOWN_COLUMNS = 40


class TableCard(Part):
    """Makes drafts of a table's rows; nothing is rendered that was not asked for.

    Args:
        panel: Whose card it is; opens the first draft when they were added.

    Attributes:
        table: What was uploaded.
        drafts: Those of the table; empty while something is wrong with it.
    """

    def __init__(self, panel: DraftsPanel) -> None:
        self._panel: DraftsPanel = panel
        self.table: reading.Table | None = None
        self._left = 0
        self.drafts: tuple[Draft, ...] = ()
        self.place = place = panel.place()
        self.u_table = panel.upload(
            _("📋 Choose a table"), self._upload, ".csv,.tsv,.txt,.yaml,.yml", at=place
        )
        self.d_template = panel.field(
            widgets.Dropdown, _("Template"), options=self._templates, on=self.fill
        )
        text = _("Text with placeholders such as {{ name }}")
        self.t_template = panel.field(
            widgets.Textarea, text, rows=5, continuous_update=False, on=self.fill
        )
        self.columns, self.result = make(widgets.VBox), make(widgets.HTML, "hg-table")
        works: dict[str, tuple[Words, Work]] = {
            "add": (self._add_words, self.add),
            "sample": (_("🎬 Render one sample"), self.sample),
            "rest": (self._rest_words, self.rest),
        }
        self.actions = Actions(panel, works, at=place, primary="add")
        super().__init__(
            *(row(self.u_table), self.d_template, self.columns, self.t_template),
            *(self.result, self.actions, place),
            css="hg-card",
        )
        self._show()

    # Table and template

    def templates(self) -> list[Path]:
        """Return the templates of home, then those that come with the package."""
        homes = self._panel.shared.settings.home, packaged("examples")
        return [p for home in homes for p in sorted((home / FOLDER).glob("*.md"))]

    def _templates(self) -> Options:
        return (
            (_("The columns are those of a draft"), _COLUMNS),
            *((path.stem, path) for path in self.templates()),
            (_("✏️ Type one here"), _TYPED),
        )

    async def _upload(self, name: str, content: bytes) -> None:
        self.table, self.drafts = None, ()
        self._show()
        table = self.table = await asyncio.to_thread(reading.read_table, name, content)
        self._panel.relabel()  # there may be other templates by now
        # each column can be given the field of a draft that it means
        names = ((reading.label(name), name) for name in reading.FIELDS)
        fields, options = table.fields(), ((_("not used"), ""), *names)
        self.columns.children = [
            self._panel.field(
                widgets.Dropdown,
                column,
                options=options,
                value=fields.get(key, ""),
                on=self.fill,
            )
            for key, column in list(table.columns.items())[:_SHOWN_COLUMNS]
        ]
        if self.d_template.value == _COLUMNS and "script" not in fields.values():
            self.d_template.value = _TYPED
        await self.fill()

    async def fill(self) -> None:
        """Fill the template for every row; show the first, or what is wrong."""
        show(self.t_template, when=self.d_template.value == _TYPED)
        show(self.columns, when=self.d_template.value == _COLUMNS)
        asked = table, template = self.table, self._template()
        self.drafts = ()
        if table is None or template == "":
            self._show()
            return
        columns = {one.description: one.value for one in self.columns.children}
        chosen, home = None, self._panel.shared.settings.home
        filled: DraftError | list[Draft]
        try:
            if template:
                chosen, columns = reading.DraftTemplate(template, home), {}
            filled = await asyncio.to_thread(reading.fill, table, chosen, columns)
        except DraftError as error:
            filled = error
        if asked != (self.table, self._template()):
            return
        if isinstance(filled, DraftError):
            self._show()
            self.place.tell(filled)
        else:
            self.drafts = tuple(await self._panel.shared.voiced(filled))
            self._show(_first_row_html(filled[0], len(table.rows) - len(filled)))

    def _template(self) -> Path | str | None:
        chosen: Path | str = self.d_template.value
        typed = str(self.t_template.value).strip()
        return typed if chosen == _TYPED else chosen or None

    def _show(self, found: str = "") -> None:
        head = ""
        if self.table:
            names = list(self.table.columns)[:_SHOWN_COLUMNS]
            label = markup(_("Placeholders:"), "hg-hint")
            chips = (
                markup("{{ " + name + " }}", "hg-placeholder", "code") for name in names
            )
            head = f"<div>{label} {' '.join(chips)}</div>"
        self.result.value = head + found
        self.place.clear()
        self.actions.offer(self.drafts and "add")

    # Drafts

    def _add_words(self) -> str:
        return ngettext("Add {count} draft", "Add {count} drafts", len(self.drafts))

    async def add(self) -> None:
        """Put the drafts into the list; ask before another text is written over."""
        store, drafts = self._panel.shared.drafts, self.drafts
        if not drafts:
            return
        self._panel.tell_busy(_("Adding the drafts…"))
        new, others = await store.add(drafts)
        question = ngettext(
            "{count} draft in the list has another text than the table.",
            "{count} drafts in the list have another text than the table.",
            len(others),
        )
        yes, no = _("Take the table's text"), _("Keep what is there")
        if others and await self._panel.ask(question, yes, no):
            await store.add([d for d in drafts if d.id in others], replace=True)
        if drafts is self.drafts:
            self.actions.offer("sample")
        text = _("{new} of {found} drafts are new.")
        self._panel.tell(text.format(new=new, found=len(drafts)))
        await self._panel.open_draft(drafts[0].id)

    # Renders

    async def sample(self) -> None:
        """Render the first row that is not rendered yet; then offer the others."""
        panel, shared, added = self._panel, self._panel.shared, self.drafts
        panel.tell_busy(_("Looking up voice and avatar…"))
        drafts = await self._kept()
        for first in drafts:
            if await shared.quote([first]):
                break
        else:
            panel.tell(_("All of them are rendered already."))
            return
        jobs = await render_if_agreed(panel, [first], _("Render this one row?"))
        if not jobs:
            return
        panel.tell_busy(_("Rendering the sample…"))
        await asyncio.wait([job.task for job in jobs if job.task])
        if not all(job.outcome and job.outcome.path for job in jobs):
            panel.tell(_("The sample is not done; see the log."), "bad")
        elif added is self.drafts:
            self._left = len(await shared.quote(drafts))
            self.actions.offer("sample", self._left and "rest")
            words = _("✅ #{id} is rendered: watch it before the others.")
            panel.tell(words.format(id=first.id))

    def _rest_words(self) -> str:
        return _("🎬 Render the other {count}").format(count=self._left)

    async def rest(self) -> None:
        """Render all that is not rendered yet, after saying what it costs."""
        self._panel.tell_busy(_("Looking up voice and avatar…"))
        if await render_if_agreed(self._panel, await self._kept()):
            self.actions.offer("sample")

    async def _kept(self) -> list[Draft]:
        """Return the drafts as they are in the list, where they may be edited."""
        ids = [draft.id for draft in self.drafts]
        return await self._panel.shared.drafts.these(ids)


def _first_row_html(draft: Draft, repeated: int) -> str:
    """Return the draft of the first row, and how many rows say the same."""
    texts = (draft.title, draft.script, draft.caption)
    parts = [markup(text, "hg-ask", "div") for text in texts if text]
    head = markup(_("The first row:"), "hg-hint", "div")
    told = markup(reading.repeated_text(repeated), "hg-hint", "div") if repeated else ""
    return f'{told}{head}<div class="hg-filled">{"".join(parts)}</div>'
