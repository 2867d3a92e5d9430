"""The list of drafts: search, count, and one entry for each in two lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.timing import estimate_s
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.markup import markup, two_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from heygen_nb.ui._base import Panel
    from heygen_nb.workflow.book import DraftRow

LISTED = 200


class DraftList(widgets.VBox):
    """Drafts to choose from, the newest first.

    Args:
        panel: Whose list it is.
        choose: Called with the id of the entry that was clicked.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._book = panel.desk.book
        self._filling = False
        self.t_search = panel.field(
            widgets.Text, lambda: _("🔎 Search"), placeholder="…"
        )
        self.s_drafts = panel.field(
            widgets.Select, lambda: _("Drafts"), "hg-list", rows=9
        )
        self._count = make(widgets.HTML)
        super().__init__(
            (self.t_search, self.s_drafts, self._count), layout=shared_layout()
        )
        self.t_search.observe(lambda _c: panel.spawn(self.refresh), "value")

        def on_choice(change: dict[str, str | None]) -> None:
            if change["new"] and not self._filling:
                panel.spawn(partial(choose, change["new"]))

        self.s_drafts.observe(on_choice, "value")

    @property
    def first(self) -> str | None:
        """The id of the newest draft in the list."""
        options = self.s_drafts.options
        return options[0][1] if options else None

    async def refresh(self, chosen: str | None = None) -> None:
        """Ask for the drafts again; ``chosen`` is the one to be marked."""
        chosen = chosen or self.s_drafts.value
        rows, total = await self._book.search(self.t_search.value, limit=LISTED)
        options = tuple((_entry(row), row.draft.id) for row in rows)
        if self.s_drafts.options != options:
            self._filling = True
            self.s_drafts.options = options
            self._filling = False
        self.mark(chosen)
        text = ngettext("{count} draft", "{count} drafts", total).format(count=total)
        if total > LISTED:
            text += " · " + _("the newest {count} are listed").format(count=LISTED)
        self._count.value = markup(text, "hg-hint")

    def mark(self, draft_id: str | None) -> None:
        """Mark an entry without choosing it."""
        listed = any(key == draft_id for _label, key in self.s_drafts.options)
        self._filling = True
        self.s_drafts.value = draft_id if listed else None
        self._filling = False


def _entry(row: DraftRow) -> str:
    title = row.draft.title or row.draft.script or _("(empty)")
    seconds = _("{seconds:.0f} s").format(seconds=estimate_s(row.draft.script))
    return two_lines(title, f"#{row.draft.id} · {_MARKS[row.status]()} · {seconds}")


_MARKS = {
    "draft": lambda: _("draft"),
    "rendering": lambda: "🎬 " + _("rendering"),
    "rendered": lambda: "✅ " + _("rendered"),
    "sent": lambda: "📱 " + _("sent"),
    "failed": lambda: "❌ " + _("failed"),
    "unknown": lambda: "⚠️ " + _("to be settled"),
}
