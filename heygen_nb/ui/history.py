"""All renders, newest first: find them, and open one, or choose several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.reports import HistoryLine, export_history, history_lines
from heygen_nb.ui.base import Actions, Panel, column, make, row, shared_layout, show
from heygen_nb.ui.html import cut, markup, period_options, picture_html
from heygen_nb.ui.surface import relative
from heygen_nb.ui.video import (
    VideoView,
    check,
    delete,
    do_each,
    facts_html,
    finish_anew,
    post_all,
    status_options,
)

ROWS = 7
_FOR_CHOSEN = "post", "check", "finish", "delete", "none"
MANY = 200  # what is chosen at once


class HistoryPanel(Panel):
    """The renders of this home folder, a page at a time."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._lines: list[HistoryLine] = []
        self.chosen: dict[str, HistoryLine] = {}
        self._starts: list[str | None] = [None]
        on = self.load_first
        filters = (
            self.field(widgets.Text, _("🔎 Title or id"), on=on, placeholder="…"),
            self.field(widgets.Dropdown, _("Show"), options=status_options, on=on),
            self.field(
                widgets.Dropdown, _("Period"), options=partial(period_options, 0), on=on
            ),
            self.field(widgets.Dropdown, _("Sort"), options=_orders, on=on),
        )
        self.t_search, self.d_status, self.d_days, self.d_sort = filters
        self.rows: list[HistoryEntry] = []
        self._list = column()
        self.empty = self.hint(self._empty_words)
        place = self.place()
        self.back_button = self.button(_("‹ Back"), self._back)
        self.on_button = self.button(_("Next ›"), self._on)
        self.export_button = self.button(_("⇩ Export as CSV"), self._export, at=place)
        pages = row(self.back_button, self.on_button, self.export_button)
        main = column(
            row(*filters, css="hg-row-fields"),
            *(self._build_bar(), self.empty, self._list, pages, place),
            css="hg-grow",
        )
        self.view = VideoView(self)
        return (row(main, self.view, css="hg-columns"),)

    def _build_bar(self) -> widgets.VBox:
        place = self.place()
        self._count = make(widgets.HTML)
        self.works = Actions(
            self,
            {
                "all": (_("Choose all"), self._choose_all),
                "post": (_("📱 Send"), self._post),
                "check": (_("🔍 Check"), self._check),
                "finish": (_("✨ Finish anew"), self._finish),
                "delete": (_("🗑 Delete"), self._delete),
                "none": (_("Choose none"), self._choose_none),
            },
            at=place,
            more=(self._count,),
        )
        return column(self.works, place)

    async def _begin(self) -> None:
        await self.load_first()

    def _heard(self, topic: str) -> None:
        if topic in ("jobs", "language"):
            self.spawn(self._load)
        if topic in ("jobs", "language", "drafts"):
            self.spawn(self.view.refresh)

    def relabel(self) -> None:
        """Put all words into the present language."""
        super().relabel()
        self._show_chosen()

    async def load_first(self) -> None:
        """Show the newest renders."""
        self._starts = [None]
        await self._load()

    async def _back(self) -> None:
        self._starts = self._starts[:-1] or [None]
        await self._load()

    async def _on(self) -> None:
        self._starts.append(self._lines[-1].render_id)
        await self._load()

    async def _load(self) -> None:
        videos, wishes = self.shared.settings.videos_path, self._wishes()
        start = self._starts[-1]
        page = await self.shared.read(
            lambda ledger: history_lines(
                ledger, videos, **wishes, before=start, limit=ROWS + 1
            )
        )
        self._lines = page[:ROWS]
        for number in range(len(self.rows), len(self._lines)):
            self.rows.append(HistoryEntry(self, number))
        self._list.children = tuple(self.rows)
        for entry, line in zip_longest(self.rows, self._lines):
            entry.draw(line)
        show(self.empty, when=not page)
        self.empty.value = markup(self._empty_words(), "hg-hint")
        self.back_button.disabled = len(self._starts) == 1
        self.on_button.disabled = len(page) <= ROWS
        known = {line.render_id or "": line for line in page}
        self.chosen |= {key: known[key] for key in self.chosen.keys() & known.keys()}
        self._show_chosen()

    def _wishes(self) -> dict[str, Any]:
        """Return which renders are asked for."""
        days = self.d_days.value
        return {
            "words": self.t_search.value,
            "status": self.d_status.value or None,
            "oldest": bool(self.d_sort.value),
            "since": datetime.now(UTC) - timedelta(days=days) if days else None,
        }

    def _empty_words(self) -> str:
        if self.t_search.value or self.d_status.value or self.d_days.value:
            return _("None fits: change the search or the filter.")
        return _("Nothing was rendered yet.")

    async def choose(self, number: int) -> None:
        """Show the details of a row of this page."""
        await self.view.look_at(self._lines[number].render_id or "")

    # Several of them

    def choose_also(self, number: int, *, chosen: bool) -> None:
        """Choose a row of this page too, or no longer."""
        line = self._lines[number]
        if chosen:
            self.chosen[line.render_id or ""] = line
        else:
            self.chosen.pop(line.render_id or "", None)
        self._show_chosen()

    async def _choose_all(self) -> None:
        videos, wishes = self.shared.settings.videos_path, self._wishes()
        lines = await self.shared.read(
            lambda ledger: history_lines(ledger, videos, **wishes, limit=MANY)
        )
        self.chosen = {line.render_id or "": line for line in lines}
        self._show_chosen()

    async def _choose_none(self) -> None:
        self.chosen.clear()
        self._show_chosen()

    def _show_chosen(self) -> None:
        for entry, line in zip(self.rows, self._lines, strict=False):
            entry.mark(chosen=line.render_id in self.chosen)
        count = len(self.chosen)
        text = ngettext("{count} chosen", "{count} chosen", count).format(count=count)
        self._count.value = markup(text, "hg-strong")
        show(self._count, when=bool(count))
        several = _FOR_CHOSEN if count else ()
        self.works.offer(*(["all"] if self._lines else []), *several)

    async def _post(self) -> None:
        await post_all(self, self.chosen.values())

    async def _check(self) -> None:
        await do_each(self, self.chosen.values(), check)

    async def _finish(self) -> None:
        await do_each(self, self.chosen.values(), finish_anew)

    async def _delete(self) -> None:
        question = _(
            "Delete the files of {count} videos? As long as HeyGen keeps a video,"
            " its file can be fetched again, and nothing is paid again."
        )
        await do_each(self, self.chosen.values(), delete, question, _("Delete"))

    async def _export(self) -> None:
        settings = self.shared.settings
        file, videos = settings.home / "history.csv", settings.videos_path
        await self.shared.read(
            lambda ledger: export_history(ledger, videos, file, "csv")
        )
        self.tell(lambda: _("Written: {file}").format(file=relative(file)))


class HistoryEntry(widgets.HBox):
    """A line of the list with the button that opens it.

    Args:
        panel: Whose line it is.
        number: Its place on the page.
    """

    def __init__(self, panel: HistoryPanel, number: int) -> None:
        self.html = make(widgets.HTML, "hg-grow")
        self.open_button = panel.button(_("▶ Open"), partial(panel.choose, number))
        self.check = panel.field(widgets.Checkbox, _("Choose"), "hg-only", value=False)
        self.check.observe(
            lambda change: panel.choose_also(number, chosen=change["new"]), "value"
        )
        super().__init__(
            (self.check, self.html, self.open_button), layout=shared_layout()
        )
        self.add_class("hg-row")

    def mark(self, *, chosen: bool) -> None:
        """Show whether it is chosen."""
        self.check.value = chosen

    def draw(self, line: HistoryLine | None) -> None:
        """Show a render; None hides the line."""
        show(self, when=line is not None)
        if line is None:
            return
        name = cut(line.name)
        when = f"{line.created_at.astimezone():%d.%m. %H:%M}"
        self.html.value = (
            f"{picture_html(line.thumbnail, name)}<div>{markup(name, tag='b')} "
            f"{markup(f'#{line.draft_id} · {when}', 'hg-hint')}"
            f"{facts_html(line)}</div>"
        )
        self.open_button.tooltip = _("Open {name}").format(name=name)


def _orders() -> tuple[tuple[str, bool], ...]:
    return ((_("newest first"), False), (_("oldest first"), True))
