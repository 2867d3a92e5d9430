"""All renders, newest first: find them, and open one, or choose several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.reports import export_history, history_lines
from heygen_nb.ui.base import Panel, column, make, row, shared_layout, show
from heygen_nb.ui.html import cut, markup, period_options, picture_html, relative
from heygen_nb.ui.video import VideoView, facts_html, status_options

if TYPE_CHECKING:
    from heygen_nb.reports import HistoryLine

ROWS = 7


class HistoryPanel(Panel):
    """The renders of this home folder, a page at a time."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._lines: list[HistoryLine] = []
        self._starts: list[str | None] = [None]
        self.t_search = self.field(
            widgets.Text, lambda: _("🔎 Title or id"), placeholder="…"
        )
        self.d_status = self.field(
            widgets.Dropdown, lambda: _("Show"), options=_filters()
        )
        self.d_days = self.field(
            widgets.Dropdown, lambda: _("Period"), options=period_options(0)
        )
        filters = (self.t_search, self.d_status, self.d_days)
        for field in filters:
            field.observe(lambda _change: self.spawn(self.load_first), "value")
        self.rows = [HistoryEntry(self, number) for number in range(ROWS)]
        self.empty = self.hint(self._empty_words)
        place = self.place()
        self.newer_button = self.button(lambda: _("‹ Newer"), self._back)
        self.older_button = self.button(lambda: _("Older ›"), self._on)
        self.export_button = self.button(
            lambda: _("⇩ Export as CSV"), self._export, at=place
        )
        pages = row(self.newer_button, self.older_button, self.export_button)
        main = column(
            row(*filters, css="hg-row-fields"),
            *(self.empty, *self.rows, pages, place),
            css="hg-grow",
        )
        self.view = VideoView(self)
        return (row(main, self.view, css="hg-columns"),)

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
        chosen = self.d_status.value, self.d_days.value
        self.d_status.options, self.d_days.options = _filters(), period_options(0)
        self.d_status.value, self.d_days.value = chosen

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
        page = await self.shared.read(
            lambda ledger: history_lines(ledger, videos, **wishes, limit=ROWS + 1)
        )
        self._lines = page[:ROWS]
        for entry, line in zip_longest(self.rows, self._lines):
            entry.draw(line)
        show(self.empty, when=not page)
        self.empty.value = markup(self._empty_words(), "hg-hint")
        self.newer_button.disabled = len(self._starts) == 1
        self.older_button.disabled = len(page) <= ROWS

    def _wishes(self) -> dict[str, Any]:
        """Return which renders are asked for."""
        wishes: dict[str, Any] = {"words": self.t_search.value}
        chosen = self.d_status.value or None
        if chosen in _SENT:
            wishes["sent"] = _SENT[chosen]
        else:
            wishes["status"] = chosen
        if days := self.d_days.value:
            wishes["since"] = datetime.now(UTC) - timedelta(days=days)
        return wishes | {"before": self._starts[-1]}

    def _empty_words(self) -> str:
        if self.t_search.value or self.d_status.value or self.d_days.value:
            return _("None fits: change the search or the filter.")
        return _("Nothing was rendered yet.")

    async def choose(self, number: int) -> None:
        """Show the details of a row of this page."""
        await self.view.look_at(self._lines[number].render_id or "")

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
        self.open_button = panel.button(
            lambda: _("▶ Open"), partial(panel.choose, number)
        )
        super().__init__((self.html, self.open_button), layout=shared_layout())
        self.add_class("hg-row")

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


def _filters() -> tuple[tuple[str, str], ...]:
    sent = ((_("📱 sent"), "sent"), (_("not sent"), "unsent"))
    return ((_("all"), ""), *status_options(), *sent)


_SENT = {"sent": True, "unsent": False}
