"""The list of drafts: search, filter, and one entry for each in two lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.drafts import what_is_said
from heygen_nb.i18n import again, gettext as _, ngettext
from heygen_nb.timing import estimate_s
from heygen_nb.ui.base import Part, make, put, row
from heygen_nb.ui.html import markup, two_lines

if TYPE_CHECKING:
    from heygen_nb.ui.drafts import DraftsPanel
    from heygen_nb.ui.state import KeptDraft

LISTED = 200
ORDERS = (
    (_("newest first"), ""),
    (_("oldest first"), "oldest"),
    (_("by title"), "title"),
)
CHOOSE_SEVERAL = _("Ctrl or Shift and a click choose several")


class DraftList(Part):
    """Drafts to choose one or several from, the newest first.

    Args:
        panel: Whose list it is; follows what is chosen.

    Attributes:
        chosen: The ids of the entries that are chosen, in the order of the list.
    """

    def __init__(self, panel: DraftsPanel) -> None:
        self._panel: DraftsPanel = panel
        self._status: dict[str, str] = {}
        self._asked = 0
        self.chosen: tuple[str, ...] = ()
        on, orders = self.refresh, (*ORDERS, (_("shortest first"), "length"))
        filters = (
            panel.field(widgets.Text, _("🔎 Search"), on=on, placeholder="…"),
            panel.field(widgets.Dropdown, _("Show"), options=_STATUSES, on=on),
            panel.field(widgets.Dropdown, _("Sort"), options=orders, on=on),
        )
        self.t_search, self.d_status, self.d_sort = filters
        self.s_drafts = panel.field(
            widgets.SelectMultiple, _("Drafts"), "hg-list", rows=9
        )
        panel.say(self.s_drafts, "tooltip", CHOOSE_SEVERAL)
        self.s_drafts.observe(self._on_choice, "value")
        self.count = make(widgets.HTML)
        search = row(*filters, css="hg-row-fields")
        super().__init__(search, self.s_drafts, self.count, css="hg-left")

    def _on_choice(self, _change: object) -> None:
        self.chosen = self.s_drafts.value
        self._panel.show_chosen()
        if len(self.chosen) == 1:
            self._panel.spawn(partial(self._panel.open_draft, *self.chosen))

    @property
    def several(self) -> tuple[str, ...]:
        """The ids of what is chosen, if it is more than one draft."""
        return self.chosen if len(self.chosen) > 1 else ()

    @property
    def statuses(self) -> set[str]:
        """What became of the drafts that are chosen."""
        return {self._status[key] for key in self.chosen}

    async def choose_all(self) -> None:
        """Choose every entry of the list."""
        self.s_drafts.value = tuple(self._status)

    async def refresh(self, chosen: str | None = None) -> str | None:
        """Ask for the drafts again; ``chosen`` is the one to be marked.

        Returns:
            The id of the first one that was found, also when a later question is
            answered already and this answer is not shown.
        """
        self._asked = turn = self._asked + 1
        words, status = self.t_search.value, self.d_status.value
        search = partial(self._panel.shared.drafts.search, words, limit=LISTED)
        rows, total = await search(status=status, by=self.d_sort.value)
        first = rows[0].draft.id if rows else None
        if turn != self._asked:
            return first  # a later question may have been answered first
        self._status = {kept.draft.id: kept.status for kept in rows}
        options = tuple((_entry(kept), kept.draft.id) for kept in rows)
        marked = self.several or ((chosen,) if chosen else self.chosen)
        put(self.s_drafts, self._on_choice, options=options)
        self.mark(*marked)
        text = ngettext("{count} draft", "{count} drafts", total)
        if total > LISTED:
            text += " · " + _("the newest {count} are listed").format(count=LISTED)
        if not total:
            text = _("Nothing yet: type a script, have one written, or bring a table.")
        if not total and (words or status):
            text = _("None fits: change the search or the filter.")
        self.count.value = markup(text, "hg-hint") + _keys_html()
        return first

    def mark(self, *draft_ids: str) -> None:
        """Mark entries without opening one."""
        self.chosen = tuple(key for key in draft_ids if key in self._status)
        put(self.s_drafts, self._on_choice, value=self.chosen)
        self._panel.show_chosen()


def _keys_html() -> str:
    """Return the list of the keys, which opens by a click or by Alt and ?."""
    keys = _(
        "Alt+C create · Alt+P preview · Alt+S save · Alt+N new ·"
        " Alt+↓ next · Alt+↑ previous · Alt+? this list"
    )
    label = _("Keys")
    summary = f'<summary aria-label="{label}">?</summary>'
    return f'<details class="hg-keys">{summary}{markup(keys, "hg-hint")}</details>'


def _entry(kept: KeptDraft) -> str:
    title = kept.draft.title or kept.draft.script or _("(empty)")
    said = what_is_said(kept.draft.script).text
    seconds = _("{seconds:.0f} s").format(seconds=estimate_s(said))
    facts = f"#{kept.draft.id}", again(_MARKS[kept.status]), seconds
    return two_lines(title, " · ".join(facts))


_MARKS = {
    "draft": _("new"),
    "rendering": _("🎬 rendering"),
    "rendered": _("✅ rendered"),
    "sent": _("📱 sent"),
    "failed": _("❌ failed"),
    "unknown": _("⚠️ to be settled"),
}
_STATUSES = ((_("all"), ""), *((words, key) for key, words in _MARKS.items()))
