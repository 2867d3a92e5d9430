"""A table and a template become drafts: one is rendered first, then the others."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.errors import DraftError, TableError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.ui._base import make, shared_layout, show
from heygen_nb.ui.markup import bar_html, markup
from heygen_nb.ui.price import agreed
from heygen_nb.ui.tableview import (
    first_row_html,
    placeholders_html,
    problems_html,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from heygen_nb.drafts import Table
    from heygen_nb.models import Draft
    from heygen_nb.renderer import Plan
    from heygen_nb.ui._base import Panel, Words, Work
    from heygen_nb.workflow.jobs import Job

_COLUMNS, _TYPED = "", "typed"
_BUSY = bar_html(None)


class TableCard(widgets.VBox):
    """Makes drafts of a table's rows; nothing is rendered that was not asked for.

    Args:
        panel: Whose card it is.
        done: Called with the id of the first draft when the drafts were added.

    Attributes:
        drafts: Those of the table; empty while something is wrong with it.
    """

    def __init__(
        self, panel: Panel, done: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._done = panel, done
        self._tables = panel.desk.tables
        self._table: Table | None = None
        self._templates: dict[str, Path] = {}
        self._added = self._working = False
        self._left = 0
        self.drafts: tuple[Draft, ...] = ()
        top = make(widgets.HBox, "hg-buttons", children=(self._build_upload(),))
        self._build_template()
        self._shown = make(widgets.HTML, "hg-table")
        self._state = make(widgets.HTML)
        inputs = (top, self.d_template, self.t_template)
        results = (self._shown, self._build_buttons(), self._state)
        super().__init__((*inputs, *results), layout=shared_layout())
        self.add_class("hg-card")
        self.list_templates()
        self._show()

    def _build_upload(self) -> widgets.FileUpload:
        self.u_table = make(
            widgets.FileUpload, "hg-import", accept=".csv,.tsv,.txt,.yaml,.yml"
        )
        self._panel.say(self.u_table, "description", lambda: _("Table"))
        self._panel.say(self.u_table, "tooltip", lambda: _("📋 Choose a table"))
        self.u_table.observe(lambda _c: self._panel.spawn(self._upload), "value")
        return self.u_table

    def _build_template(self) -> None:
        self.d_template = self._panel.field(widgets.Dropdown, lambda: _("Template"))
        self.t_template = self._panel.field(
            widgets.Textarea,
            lambda: _("Text with placeholders such as {{ name }}"),
            rows=5,
            continuous_update=False,
        )
        for widget in (self.d_template, self.t_template):
            widget.observe(lambda _c: self._panel.spawn(self._fill), "value")

    def _build_buttons(self) -> widgets.HBox:
        def button(words: Words, work: Work, css: str = "") -> widgets.Button:
            return self._panel.button(words, partial(self._alone, work), css)

        self.b_add = button(self._add_words, self.add, "hg-primary")
        self.b_sample = button(lambda: _("🎬 Render one sample"), self.sample)
        self.b_rest = button(self._rest_words, self.rest)
        buttons = (self.b_add, self.b_sample, self.b_rest)
        return make(widgets.HBox, "hg-buttons", children=buttons)

    # Table and template

    def list_templates(self) -> None:
        """Look for templates again; the chosen one stays chosen."""
        self._templates = {str(path): path for path in self._tables.templates()}
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
        files, self.u_table.value = self.u_table.value, ()
        for file in files:
            self._table, self.drafts = None, ()
            self._panel.hush()
            self._show()
            table = await self._tables.read(file["name"], bytes(file["content"]))
            self._table = table
            self.list_templates()
            if self.d_template.value == _COLUMNS and "script" not in table.columns:
                self.d_template.value = _TYPED
            await self._fill()

    async def _fill(self) -> None:
        """Fill the template for every row; show the first, or what is wrong."""
        show(self.t_template, when=self.d_template.value == _TYPED)
        asked = table, template = self._table, self._template()
        self.drafts, self._added = (), False
        if table is None or template == "":
            self._show()
            return
        filled, told = None, ""
        try:
            filled = await self._tables.fill(table, template)
        except TableError as error:
            told = problems_html(error.problems, error.hint)
        except DraftError as error:
            told = problems_html((error.message,), error.hint)
        if asked == (self._table, self._template()):
            if filled:
                self.drafts = filled.drafts
                told = first_row_html(filled.drafts[0], filled.repeated)
            self._show(told)

    def _template(self) -> Path | str | None:
        if self.d_template.value == _TYPED:
            return str(self.t_template.value).strip()
        return self._templates.get(self.d_template.value)

    def _show(self, found: str = "") -> None:
        head = placeholders_html(self._table.columns) if self._table else ""
        self._shown.value = head + found
        self._state.value = ""
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
        book, drafts = self._panel.desk.book, self.drafts
        if not drafts:
            return
        self._state.value = _BUSY + markup(_("Adding the drafts…"))
        new, others = await book.add(drafts)
        if others and await self._replaces(len(others)):
            ids = {other.id for other in others}
            await book.add([d for d in drafts if d.id in ids], replace=True)
        self._added = drafts is self.drafts
        self._show_buttons()
        self._say(
            _("{new} of {found} drafts are new.").format(new=new, found=len(drafts))
        )
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
        self._state.value = _BUSY + markup(_("Looking up voice and avatar…"))
        added, drafts = self.drafts, await self._kept()
        plan = await self._tables.next_unpaid(drafts)
        if plan is None:
            self._say(_("All of them are rendered already."))
            return
        chosen = [draft for draft in drafts if draft.id == plan.new.draft_id]
        question = _("Render this one row?")
        if (jobs := await self._started(chosen, [plan], question)) is None:
            return
        self._state.value = _BUSY + markup(_("Rendering the sample…"))
        if not await _ended(jobs):
            self._say(_("The sample is not done; see the log."), "bad")
        elif added is self.drafts:
            self._left = len(await self._tables.quote(drafts))
            self.b_rest.description = self._rest_words()
            show(self.b_rest, when=self._left > 0)
            words = _("✅ #{id} is rendered: watch it before the others.")
            self._say(words.format(id=plan.new.draft_id))

    async def rest(self) -> None:
        """Render all that is not rendered yet, after saying what it costs."""
        self._state.value = _BUSY + markup(_("Looking up voice and avatar…"))
        drafts = await self._kept()
        plans = await self._tables.quote(drafts)
        if not plans:
            self._say(_("All of them are rendered already."))
            return
        count, ids = len(plans), {plan.new.draft_id for plan in plans}
        chosen = [draft for draft in drafts if draft.id in ids]
        question = ngettext(
            "Render the other {count}?", "Render the other {count}?", count
        ).format(count=count)
        if await self._started(chosen, plans, question) is None:
            return
        show(self.b_rest, when=False)
        text = ngettext(
            "{count} render has started.", "{count} renders have started.", count
        )
        self._say(text.format(count=count))

    async def _kept(self) -> list[Draft]:
        """Return the drafts as they are in the list, where they may be edited."""
        return await self._panel.desk.book.these([d.id for d in self.drafts])

    async def _started(
        self, drafts: Sequence[Draft], plans: Sequence[Plan], question: str
    ) -> list[Job] | None:
        """Render what is agreed to be paid; None if it is not."""
        before = self._panel.desk.video_settings
        over = await self._tables.over_limit(plans)
        quote, cost = plans[0].quote, sum(plan.quote.amount for plan in plans)
        lines, yes = [question], _("Render")
        if cost:
            amount = f"{cost:.2f} {quote.currency}"
            about = _("About {seconds:.0f} s, about {amount} (estimate, {source})")
            seconds = sum(plan.quote.seconds for plan in plans)
            lines.append(
                about.format(seconds=seconds, amount=amount, source=quote.source)
            )
            yes = _("Render for {amount}").format(amount=amount)
        warnings = sorted({text for plan in plans for text in plan.warnings})[:3]
        warnings += [over.message] if over else []
        lines += [f"⚠️ {warning}" for warning in warnings]
        if not await agreed(self._panel, before, "\n".join(lines), yes):
            return None
        return self._tables.render(drafts, unlimited=over is not None)

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
            if self._state.value.startswith(_BUSY):
                self._state.value = ""

    def _say(self, text: str, css: str = "ok") -> None:
        self._state.value = f'<div role="status">{markup(text, css)}</div>'


async def _ended(jobs: Sequence[Job]) -> bool:
    """Wait until renders are over; tell whether all have a video."""
    await asyncio.wait([job.task for job in jobs if job.task])
    return all(job.outcome and job.outcome.path for job in jobs)
