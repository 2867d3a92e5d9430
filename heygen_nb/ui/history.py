"""All renders, newest first: find them, and open one, or choose several."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.reports import HistoryLine, export_history, history_lines
from heygen_nb.ui import display, draft_list, video
from heygen_nb.ui.base import Actions, Work, column, make, put, row, show
from heygen_nb.ui.html import PERIODS, data_url, markup, picture_bytes, two_lines

ROWS = 10
MANY = 200  # what is chosen at once
_FIRST: tuple[str | None, ...] = (None,)
_LETTERS = 48  # of a title


class HistoryPanel(video.FilmPanel):
    """The renders of this home folder, a page at a time.

    Attributes:
        lines: Those of the page.
        chosen: Those that are chosen, on whatever page, by their ids.
    """

    hears = "renders", "language", "drafts"

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.lines: list[HistoryLine] = []
        self.chosen: dict[str, HistoryLine] = {}
        self._starts, self._more, self._asked = _FIRST, False, 0
        on = self.load_first
        filters = (
            self.field(widgets.Text, _("🔎 Title or id"), on=on, placeholder="…"),
            self.field(widgets.Dropdown, _("Show"), options=video.STATUSES, on=on),
            self.field(widgets.Dropdown, _("Period"), options=PERIODS, on=on),
            self.field(widgets.Dropdown, _("Sort"), options=draft_list.ORDERS, on=on),
        )
        self.t_search, self.d_status, self.d_days, self.d_sort = filters
        self.s_videos = self.field(
            widgets.SelectMultiple, _("Videos"), "hg-list hg-films", rows=ROWS
        )
        self.say(self.s_videos, "tooltip", draft_list.CHOOSE_SEVERAL)
        self.s_videos.observe(self._on_choice, "value")
        self.pictures = make(widgets.HTML, "hg-off")
        self.empty, self._count = make(widgets.HTML), make(widgets.HTML)
        place = self.place()
        self.works = Actions(self, self._works(), at=place, more=(self._count,))
        main = column(
            row(*filters, css="hg-row-fields"),
            *(self.empty, self.pictures, self.s_videos, self.works, place),
            css="hg-grow",
        )
        self.columns = row(main, css="hg-columns")
        return (self.columns,)

    def _works(self) -> dict[str, tuple[str, Work]]:
        def each(work: video.OneWork, *question: str) -> Work:
            return lambda: video.do_each(self, self.chosen.values(), work, *question)

        gone = _(
            "Delete the files of {count} videos? As long as HeyGen keeps a video,"
            " its file can be fetched again, and nothing is paid again."
        )
        return {
            "back": (_("‹ Back"), lambda: self._load(self._starts[:-1])),
            "on": (
                _("Next ›"),
                lambda: self._load((*self._starts, self.lines[-1].render_id)),
            ),
            "all": (_("☑ All"), self._choose_all),
            "post": (_("📱 Send"), lambda: video.post_all(self, self.chosen.values())),
            "check": (_("🔍 Check"), each(video.check)),
            "finish": (_("✨ Finish anew"), each(video.finish_anew)),
            "delete": (_("🗑 Delete"), each(video.delete, gone, _("Delete"))),
            "export": (_("⇩ Export as CSV"), self._export),
        }

    def _heard(self, topic: str) -> None:
        if topic != "drafts":
            self.spawn(self._load)
        if self.looked_at:
            self.spawn(self.view.refresh)

    async def load_first(self) -> None:
        """Show the newest renders."""
        await self._load(_FIRST)

    _begin = load_first

    async def _load(self, starts: tuple[str | None, ...] = ()) -> None:
        """Show a page, by default the same again, and who is chosen of it.

        Args:
            starts: The renders that the pages up to it come after.
        """
        self._starts = starts or self._starts
        self._asked = turn = self._asked + 1
        page = await self._read(before=self._starts[-1], limit=ROWS + 1)
        if turn != self._asked:
            return  # a later question may have been answered first
        self.lines, self._more = page[:ROWS], len(page) > ROWS
        options = tuple((_entry(line), line.render_id) for line in self.lines)
        if self.s_videos.options != options:
            self.pictures.value = _pictures(self.lines)
            put(self.s_videos, self._on_choice, options=options)
        words = _("Nothing was rendered yet.")
        if self.t_search.value or self.d_status.value or self.d_days.value:
            words = _("None fits: change the search or the filter.")
        self.empty.value = markup(words, "hg-hint")
        show(self.empty, when=not page)
        show(self.s_videos, when=bool(page))
        known = {line.render_id: line for line in page}
        self.chosen |= {key: known[key] for key in self.chosen.keys() & known.keys()}
        self._show_chosen()

    async def _read(self, **more: Any) -> list[HistoryLine]:
        videos, days = self.shared.settings.videos_path, self.d_days.value
        wishes = {
            "words": self.t_search.value,
            "status": self.d_status.value or None,
            "by": self.d_sort.value,
            "since": datetime.now(UTC) - timedelta(days=days) if days else None,
        }
        return await self.shared.read(
            lambda ledger: history_lines(ledger, videos, **wishes, **more)
        )

    # Several of them

    def _on_choice(self, change: dict[str, Any]) -> None:
        self._choose(line for line in self.lines if line.render_id in change["new"])
        if len(self.chosen) == 1:
            self.spawn(partial(self.look_at, *self.chosen))

    async def _choose_all(self) -> None:
        self._choose(await self._read(limit=MANY))

    def _choose(self, lines: Iterable[HistoryLine]) -> None:
        self.chosen = {line.render_id: line for line in lines}
        self._show_chosen()

    def _show_chosen(self) -> None:
        listed = [line.render_id for line in self.lines]
        here = tuple(key for key in listed if key in self.chosen)
        put(self.s_videos, self._on_choice, value=here)
        count = len(self.chosen)
        text = ngettext("{count} chosen", "{count} chosen", count)
        self._count.value = markup(text, "hg-strong") if count else ""
        self.works.offer(
            len(self._starts) > 1 and "back",
            self._more and "on",
            *(("all", "export") if listed else ()),
            *(("post", "check", "finish", "delete") if count > 1 else ()),
        )

    async def _export(self) -> None:
        settings = self.shared.settings
        file, videos = settings.home / "history.csv", settings.videos_path
        await self.shared.read(
            lambda ledger: export_history(ledger, videos, file, "csv")
        )
        self.tell(_("Written: {file}").format(file=display.relative(file)))


def _entry(line: HistoryLine) -> str:
    """Return a render as the two lines of a list's entry."""
    when = f"{line.created_at.astimezone():%d.%m. %H:%M}"
    facts = " · ".join(text for text, _colour in video.facts_of(line))
    return two_lines(line.name, f"#{line.draft_id} · {when} · {facts}", _LETTERS)


def _pictures(lines: list[HistoryLine]) -> str:
    """Return the style that gives each entry of the list its picture."""
    rules = (
        f".hg-films option:nth-child({place}){{--picture:url({data_url(jpeg)})}}"
        for place, line in enumerate(lines, 1)
        if (jpeg := picture_bytes(line.thumbnail))
    )
    return f"<style>{''.join(rules)}</style>"
