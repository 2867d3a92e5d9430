"""A table and a template become drafts: one is rendered first, then the others."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.api import next_unpaid
from heygen_nb.drafts import (
    FIELDS,
    DraftTemplate,
    Table,
    fill,
    label,
    read_table,
    repeated_text,
)
from heygen_nb.errors import DraftError, TableError
from heygen_nb.files import packaged
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.ui.base import make, row, shared_layout, show
from heygen_nb.ui.html import bar_html, markup
from heygen_nb.ui.paying import render_if_agreed, render_unpaid_if_agreed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from pathlib import Path

    from heygen_nb.models import Draft
    from heygen_nb.ui.base import Panel, Words, Work
    from heygen_nb.ui.jobs import Job

FOLDER = "templates"
_COLUMNS, _TYPED = "", "typed"
_BUSY = bar_html(None)
_SHOWN = 10
_SHOWN_COLUMNS = 40


class TableCard(widgets.VBox):
    """Makes drafts of a table's rows; nothing is rendered that was not asked for.

    Args:
        panel: Whose card it is.
        done: Called with the id of the first draft when the drafts were added.

    Attributes:
        table: What was uploaded.
        drafts: Those of the table; empty while something is wrong with it.
    """

    def __init__(
        self, panel: Panel, done: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._done = panel, done
        self.table: Table | None = None
        self._templates: dict[str, Path] = {}
        self._added = self._working = False
        self._left = 0
        self.drafts: tuple[Draft, ...] = ()
        self.u_table = panel.upload(
            lambda: _("📋 Choose a table"), self._upload, ".csv,.tsv,.txt,.yaml,.yml"
        )
        self.d_template = panel.field(widgets.Dropdown, lambda: _("Template"))
        self.t_template = panel.field(
            widgets.Textarea,
            lambda: _("Text with placeholders such as {{ name }}"),
            rows=5,
            continuous_update=False,
        )
        self.columns = make(widgets.VBox)
        for widget in (self.d_template, self.t_template):
            widget.observe(lambda _c: self._panel.spawn(self.fill), "value")
        self.result = make(widgets.HTML, "hg-table")
        self.state = make(widgets.HTML)
        self._place = panel.place()
        self.b_add = self._button(self._add_words, self.add, "hg-primary")
        self.b_sample = self._button(lambda: _("🎬 Render one sample"), self.sample)
        self.b_rest = self._button(self._rest_words, self.rest)
        buttons = row(self.b_add, self.b_sample, self.b_rest)
        inputs = (row(self.u_table), self.d_template, self.columns, self.t_template)
        super().__init__(
            (*inputs, self.result, buttons, self._place, self.state),
            layout=shared_layout(),
        )
        self.add_class("hg-card")
        self.list_templates()
        self._show()

    def _button(self, words: Words, work: Work, css: str = "") -> widgets.Button:
        return self._panel.button(
            words, partial(self._alone, work), css, at=self._place
        )

    # Table and template

    def templates(self) -> list[Path]:
        """Return the templates of home, then those that come with the package."""
        own = sorted((self._panel.shared.settings.home / FOLDER).glob("*.md"))
        return [*own, *sorted((packaged("examples") / FOLDER).glob("*.md"))]

    def list_templates(self) -> None:
        """Look for templates again; the chosen one stays chosen."""
        self._templates = {str(path): path for path in self.templates()}
        options = (
            (_("The columns are those of a draft"), _COLUMNS),
            *((path.stem, key) for key, path in self._templates.items()),
            (_("✏️ Type one here"), _TYPED),
        )
        if self.d_template.options != options:
            chosen = self.d_template.value
            self.d_template.options = options
            known = chosen in (*self._templates, _TYPED)
            self.d_template.value = chosen if known else _COLUMNS

    async def _upload(self) -> None:
        for name, content in self._panel.take_files(self.u_table):
            self.table, self.drafts = None, ()
            self._panel.hush()
            self._show()
            table = await asyncio.to_thread(read_table, name, content)
            self.table = table
            self.list_templates()
            self._list_columns(table)
            is_script = "script" in table.fields().values()
            if self.d_template.value == _COLUMNS and not is_script:
                self.d_template.value = _TYPED
            await self.fill()

    def _list_columns(self, table: Table) -> None:
        """Let each column be given the field of a draft that it means."""
        fields = table.fields()
        options = [(_("not used"), ""), *((label(name), name) for name in FIELDS)]
        self.columns.children = [
            make(
                widgets.Dropdown,
                description=column,
                options=options,
                value=fields.get(key, ""),
            )
            for key, column in list(table.columns.items())[:_SHOWN_COLUMNS]
        ]
        for widget in self.columns.children:
            widget.observe(lambda _c: self._panel.spawn(self.fill), "value")

    def _meanings(self) -> dict[str, str]:
        return {widget.description: widget.value for widget in self.columns.children}

    async def fill(self) -> None:
        """Fill the template for every row; show the first, or what is wrong."""
        show(self.t_template, when=self.d_template.value == _TYPED)
        show(self.columns, when=self.d_template.value == _COLUMNS)
        asked = table, template = self.table, self._template()
        self.drafts, self._added = (), False
        if table is None or template == "":
            self._show()
            return
        home = self._panel.shared.settings.home
        filled, told = None, ""
        try:
            chosen = None if template is None else DraftTemplate.of(template, home)
            columns = self._meanings() if chosen is None else None
            filled = await asyncio.to_thread(fill, table, chosen, columns)
        except TableError as error:
            told = _problems_html(error.problems, error.hint)
        except DraftError as error:
            told = _problems_html((error.message,), error.hint)
        if asked == (self.table, self._template()):
            if filled:
                self.drafts = tuple(await self._panel.shared.voiced(filled.drafts))
                told = _first_row_html(filled.drafts[0], filled.repeated)
            self._show(told)

    def _template(self) -> Path | str | None:
        if self.d_template.value == _TYPED:
            return str(self.t_template.value).strip()
        return self._templates.get(self.d_template.value)

    def _show(self, found: str = "") -> None:
        head = _placeholders_html(self.table.columns) if self.table else ""
        self.result.value = head + found
        self.state.value = ""
        self._show_buttons()

    def _show_buttons(self) -> None:
        self.b_add.description = self._add_words()
        show(self.b_add, when=bool(self.drafts) and not self._added)
        show(self.b_sample, when=self._added)
        show(self.b_rest, when=False)

    def _add_words(self) -> str:
        count = len(self.drafts)
        words = ngettext("Add {count} draft", "Add {count} drafts", count)
        return words.format(count=count)

    def _rest_words(self) -> str:
        return _("🎬 Render the other {count}").format(count=self._left)

    # Drafts

    async def add(self) -> None:
        """Put the drafts into the list; ask before another text is written over."""
        store, drafts = self._panel.shared.drafts, self.drafts
        if not drafts:
            return
        self.state.value = _BUSY + markup(_("Adding the drafts…"))
        new, others = await store.add(drafts)
        if others and await self._replaces(len(others)):
            await store.add([d for d in drafts if d.id in others], replace=True)
        self._added = drafts is self.drafts
        self._show_buttons()
        text = _("{new} of {found} drafts are new.")
        self._say(text.format(new=new, found=len(drafts)))
        await self._done(drafts[0].id)

    async def _replaces(self, count: int) -> bool:
        question = ngettext(
            "{count} draft in the list has another text than the table.",
            "{count} drafts in the list have another text than the table.",
            count,
        ).format(count=count)
        yes, no = _("Take the table's text"), _("Keep what is there")
        return bool(await self._panel.ask(question, yes, no))

    # Renders

    async def sample(self) -> None:
        """Render the first row that is not rendered yet; then offer the others."""
        self.state.value = _BUSY + markup(_("Looking up voice and avatar…"))
        added, drafts = self.drafts, await self._kept()
        shared = self._panel.shared
        async with shared.account() as account:
            plan = await next_unpaid(account, drafts, shared.settings)
        if plan is None:
            self._say(_("All of them are rendered already."))
            return
        chosen = [draft for draft in drafts if draft.id == plan.new.draft_id]
        question = _("Render this one row?")
        jobs = await render_if_agreed(self._panel, chosen, [plan], question)
        if jobs is None:
            return
        self.state.value = _BUSY + markup(_("Rendering the sample…"))
        if not await _ended(jobs):
            self._say(_("The sample is not done; see the log."), "bad")
        elif added is self.drafts:
            self._left = len(await self._panel.shared.quote(drafts))
            self.b_rest.description = self._rest_words()
            show(self.b_rest, when=self._left > 0)
            words = _("✅ #{id} is rendered: watch it before the others.")
            self._say(words.format(id=plan.new.draft_id))

    async def rest(self) -> None:
        """Render all that is not rendered yet, after saying what it costs."""
        self.state.value = _BUSY + markup(_("Looking up voice and avatar…"))
        if await render_unpaid_if_agreed(self._panel, await self._kept()):
            show(self.b_rest, when=False)

    async def _kept(self) -> list[Draft]:
        """Return the drafts as they are in the list, where they may be edited."""
        return await self._panel.shared.drafts.these([d.id for d in self.drafts])

    async def _alone(self, work: Work) -> None:
        """Do what a button is for, unless one was clicked already."""
        if self._working:
            return
        self._working = True
        buttons = (self.b_add, self.b_sample, self.b_rest)
        for button in buttons:
            button.disabled = True
        try:
            await work()
        finally:
            self._working = False
            for button in buttons:
                button.disabled = False
            if self.state.value.startswith(_BUSY):
                self.state.value = ""

    def _say(self, text: str, css: str = "ok") -> None:
        self.state.value = markup(text, css, "div", role="status")


async def _ended(jobs: Sequence[Job]) -> bool:
    """Wait until renders are over; tell whether all have a video."""
    await asyncio.wait([job.task for job in jobs if job.task])
    return all(job.outcome and job.outcome.path for job in jobs)


def _placeholders_html(columns: Iterable[str]) -> str:
    """Return the columns as they are written in a template."""
    chips = " ".join(
        markup("{{ " + name + " }}", "hg-placeholder", "code")
        for name in list(columns)[:_SHOWN_COLUMNS]
    )
    label = markup(_("Placeholders:"), "hg-hint")
    return f"<div>{label} {chips}</div>"


def _problems_html(problems: Sequence[str], hint: str) -> str:
    """Return what is wrong with a table, and what to do."""
    pieces = [markup(f"❌ {text}", "bad", "div") for text in problems[:_SHOWN]]
    if more := len(problems[_SHOWN:]):
        text = ngettext("… and {n} more", "… and {n} more", more).format(n=more)
        pieces.append(markup(text, "bad", "div"))
    if hint:
        pieces.append(markup(f"👉 {hint}", tag="div"))
    return f'<div role="alert">{"".join(pieces)}</div>'


def _first_row_html(draft: Draft, repeated: int) -> str:
    """Return the draft of the first row, and how many rows say the same."""
    texts = (draft.title, draft.script, draft.caption)
    parts = [markup(text, "hg-ask", "div") for text in texts if text]
    head = markup(_("The first row:"), "hg-hint", "div")
    told = markup(repeated_text(repeated), "hg-hint", "div") if repeated else ""
    return f'{told}{head}<div class="hg-filled">{"".join(parts)}</div>'
