"""The list of drafts: search, filter, and one entry for each in two lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.drafts import what_is_said
from heygen_nb.i18n import again, gettext as _, ngettext
from heygen_nb.timing import estimate_s
from heygen_nb.ui.base import Panel, Part, make, row
from heygen_nb.ui.html import markup, two_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from heygen_nb.ui.state import KeptDraft

LISTED = 200


class DraftList(Part):
    """Drafts to choose one or several from, the newest first.

    Args:
        panel: Whose list it is.
        choose: Started with the id of the only entry that is chosen.
        several: Called when more than one is chosen, and when no longer.
        below: What stands under the list.
    """

    def __init__(
        self,
        panel: Panel,
        choose: Callable[[str], Coroutine[Any, Any, object]],
        several: Callable[[], object],
        below: Sequence[widgets.Widget] = (),
    ) -> None:
        self._drafts = panel.shared.drafts
        self._several = several
        self._status: dict[str, str] = {}
        self._filling, self._asked = False, 0
        self.chosen: tuple[str, ...] = ()
        """The ids of the entries that are chosen, in the order of the list."""
        self.t_search = panel.field(
            widgets.Text, _("🔎 Search"), on=self.refresh, placeholder="…"
        )
        self.d_status = panel.field(
            widgets.Dropdown, _("Show"), options=_STATUSES, on=self.refresh
        )
        self.s_drafts = panel.field(
            widgets.SelectMultiple, _("Drafts"), "hg-list", rows=9
        )
        self.d_sort = panel.field(
            widgets.Dropdown, _("Sort"), options=_ORDERS, on=self.refresh
        )
        tip = _("Ctrl or Shift and a click choose several")
        panel.say(self.s_drafts, "tooltip", tip)
        self.count = make(widgets.HTML)
        search = row(self.t_search, self.d_status, self.d_sort, css="hg-row-fields")
        super().__init__(search, self.s_drafts, self.count, *below, css="hg-left")

        def on_choice(change: dict[str, Sequence[str]]) -> None:
            self.chosen = tuple(change["new"])
            if not self._filling:
                several()
                if len(change["new"]) == 1:
                    panel.spawn(partial(choose, change["new"][0]))

        self.s_drafts.observe(on_choice, "value")

    @property
    def statuses(self) -> set[str]:
        """What became of the drafts that are chosen."""
        return {self._status[key] for key in self.chosen if key in self._status}

    def choose_all(self) -> None:
        """Choose every entry of the list."""
        self.s_drafts.value = tuple(key for _label, key in self.s_drafts.options)

    async def refresh(self, chosen: str | None = None) -> str | None:
        """Ask for the drafts again; ``chosen`` is the one to be marked.

        Returns:
            The id of the first one that was found, also when a later question is
            answered already and this answer is not shown.
        """
        self._asked = turn = self._asked + 1
        words, status = self.t_search.value, self.d_status.value or ""
        rows, total = await self._drafts.search(
            words, limit=LISTED, status=status, by=self.d_sort.value
        )
        first = rows[0].draft.id if rows else None
        if turn != self._asked:
            return first  # a later question may have been answered first
        several = self.chosen if len(self.chosen) > 1 else ()
        self._status = {kept.draft.id: kept.status for kept in rows}
        options = tuple((_entry(kept), kept.draft.id) for kept in rows)
        marked = several or ((chosen,) if chosen else self.chosen)
        if self.s_drafts.options != options:
            self._filling = True
            self.s_drafts.options = options
            self._filling = False
        self.mark(*marked)
        text = _count_words(total, filtered=bool(words or status))
        self.count.value = markup(text, "hg-hint") + _keys_html()
        return first

    def mark(self, *draft_ids: str) -> None:
        """Mark entries without opening one."""
        listed = {key for _label, key in self.s_drafts.options}
        self._filling = True
        self.s_drafts.value = tuple(key for key in draft_ids if key in listed)
        self._filling = False
        self._several()


def _keys_html() -> str:
    """Return the list of the keys, which opens by a click or by Alt and ?."""
    keys = _(
        "Alt+C create · Alt+P preview · Alt+S save · Alt+N new ·"
        " Alt+↓ next · Alt+↑ previous · Alt+? this list"
    )
    label = _("Keys")
    summary = f'<summary aria-label="{label}">?</summary>'
    return f'<details class="hg-keys">{summary}{markup(keys, "hg-hint")}</details>'


def _count_words(total: int, *, filtered: bool) -> str:
    if not total:
        if filtered:
            return _("None fits: change the search or the filter.")
        return _("Nothing yet: type a script, have one written, or bring a table.")
    text = ngettext("{count} draft", "{count} drafts", total).format(count=total)
    if total > LISTED:
        text += " · " + _("the newest {count} are listed").format(count=LISTED)
    return text


def _entry(kept: KeptDraft) -> str:
    title = kept.draft.title or kept.draft.script or _("(empty)")
    said = what_is_said(kept.draft.script).text
    seconds = _("{seconds:.0f} s").format(seconds=estimate_s(said))
    return two_lines(
        title, f"#{kept.draft.id} · {again(_MARKS[kept.status])} · {seconds}"
    )


_MARKS = {
    "draft": _("new"),
    "rendering": _("🎬 rendering"),
    "rendered": _("✅ rendered"),
    "sent": _("📱 sent"),
    "failed": _("❌ failed"),
    "unknown": _("⚠️ to be settled"),
}
_STATUSES = ((_("all"), ""), *((words, key) for key, words in _MARKS.items()))
_ORDERS = (
    (_("newest first"), ""),
    (_("oldest first"), "oldest"),
    (_("by title"), "title"),
    (_("shortest first"), "length"),
)
