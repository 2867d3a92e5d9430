"""All renders, newest first: play them, post them, settle what is open."""

from __future__ import annotations

import secrets
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import Panel, make, shared_layout, show
from heygen_nb.ui.markup import clock, failure_html, markup, picture_html, relative
from heygen_nb.ui.player import Player

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.workflow.history import HistoryLine
    from heygen_nb.workflow.past import PastRender

ROWS = 7


class HistoryPanel(Panel):
    """The renders of this home folder, a page at a time."""

    on_draft: Callable[[str], None] | None = None
    """Called with the id of a draft that was made from an old one."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._line: HistoryLine | None = None
        self._lines: list[HistoryLine] = []
        self._starts: list[str | None] = [None]
        self.d_status = self.field(
            widgets.Dropdown, lambda: _("Show"), "hg-short", options=_statuses()
        )
        self.d_status.observe(lambda _change: self.spawn(self._first), "value")
        self._rows = [HistoryRow(self, number) for number in range(ROWS)]
        self._empty = self.hint(lambda: _("Nothing was rendered yet."))
        self._newer = self.button(lambda: _("‹ Newer"), self._back)
        self._older = self.button(lambda: _("Older ›"), self._on)
        export = self.button(lambda: _("⇩ Export as CSV"), self._export)
        pages = make(
            widgets.HBox, "hg-buttons", children=(self._newer, self._older, export)
        )
        left = (self.d_status, self._empty, *self._rows, pages)
        main = make(widgets.VBox, "hg-grow", children=left)
        columns = (main, self._build_details())
        return (make(widgets.HBox, "hg-columns", children=columns),)

    def _build_details(self) -> widgets.VBox:
        self._player = Player()
        self._facts = make(widgets.HTML)
        self._send_it = self.button(
            lambda: _("📱 Send to Telegram"), partial(self._post, again=False)
        )
        self._send_again = self.button(
            lambda: _("📱 Send again"), partial(self._post, again=True)
        )
        self._is_there = self.button(lambda: _("✓ It is in the chat"), self._mark_sent)
        self._not_there = self.button(
            lambda: _("📱 It is not there: send"), self._resend
        )
        self.t_video_id = self.field(widgets.Text, lambda: _("Video id at HeyGen"))
        self._adopt_it = self.button(lambda: _("This is the video"), self._adopt)
        self._pay = self.button(lambda: _("There is none: pay again"), self._pay_again)
        self._reuse = self.button(lambda: _("✎ New draft from this"), self._new_draft)
        buttons = (
            self._send_it,
            self._send_again,
            self._is_there,
            self._not_there,
            self._adopt_it,
            self._pay,
            self._reuse,
        )
        row = make(widgets.HBox, "hg-buttons", children=buttons)
        parts = (self._player, self._facts, self.t_video_id, row)
        self._details = make(widgets.VBox, "hg-side", children=parts)
        show(self._details, when=False)
        return self._details

    # The list

    async def _begin(self) -> None:
        await self._first()

    def _heard(self, topic: str) -> None:
        if topic in ("jobs", "language"):
            self.spawn(self._load)

    def relabel(self) -> None:
        """Put all words into the present language."""
        super().relabel()
        chosen = self.d_status.value
        self.d_status.options = _statuses()
        self.d_status.value = chosen

    async def _first(self) -> None:
        self._starts = [None]
        await self._load()

    async def _back(self) -> None:
        self._starts = self._starts[:-1] or [None]
        await self._load()

    async def _on(self) -> None:
        self._starts.append(self._lines[-1].render_id)
        await self._load()

    async def _load(self) -> None:
        page = await self.desk.past.page(
            self.desk.settings.videos_path,
            status=self.d_status.value or None,
            before=self._starts[-1],
            limit=ROWS + 1,
        )
        lines = [past.line for past in page]
        self._lines = lines[:ROWS]
        for row, past in zip_longest(self._rows, page[:ROWS]):
            row.draw(past)
        show(self._empty, when=not lines)
        self._newer.disabled = len(self._starts) == 1
        self._older.disabled = len(lines) <= ROWS
        if self._line:
            fresh = (x for x in lines if x.render_id == self._line.render_id)
            self._show_details(next(fresh, self._line))

    async def choose(self, number: int) -> None:
        """Show the details of a row of this page."""
        self._player.play(self._lines[number].path)
        self._show_details(self._lines[number])

    # One render

    def _show_details(self, line: HistoryLine) -> None:
        self._line = line
        show(self._details, when=True)
        self._facts.value = _facts(line)
        has_file, unsure = line.path is not None, line.sent == "unsure"
        for widget, offered in (
            (self._send_it, has_file and line.sent is False),
            (self._send_again, has_file and line.sent is True),
            (self._is_there, unsure),
            (self._not_there, unsure),
            (self.t_video_id, line.status == "unknown"),
            (self._adopt_it, line.status == "unknown"),
            (self._pay, line.status == "unknown"),
        ):
            show(widget, when=offered)

    async def _post(self, *, again: bool) -> None:
        line = self._line
        question = _("It is in the chat already. Post it a second time?")
        if line is None or (again and not await self.ask(question, _("Send again"))):
            return
        await self._settle(self.desk.past.send(line, again=again))

    async def _resend(self) -> None:
        if self._line:
            await self._settle(self.desk.past.resend(self._line))

    async def _mark_sent(self) -> None:
        if self._line:
            await self._settle(self.desk.past.mark_sent(self._line))

    async def _adopt(self) -> None:
        if self._line and (video_id := self.t_video_id.value.strip()):
            await self._settle(self.desk.past.adopt(self._line, video_id))
            self.desk.take_up()

    async def _pay_again(self) -> None:
        question = _("Have you looked at HeyGen? A new render is paid again.")
        line = self._line  # another one may be chosen before the answer
        if line and await self.ask(question, _("Pay for another")):
            await self._settle(self.desk.past.pay_again(line))
            self.desk.take_up()

    async def _settle(self, work: Awaitable[None]) -> None:
        self.tell(_("One moment…"))
        try:
            await work
        finally:
            await self._load()
        self.tell(_("Done."))

    async def _new_draft(self) -> None:
        if self._line:
            old = await self.desk.past.draft_of(self._line)
            draft = old.model_copy(update={"id": secrets.token_hex(4)})
            await self.desk.book.save(draft, over=0)
            self.tell(_("Draft #{id} was made.").format(id=draft.id))
            if self.on_draft:
                self.on_draft(draft.id)

    async def _export(self) -> None:
        settings = self.desk.settings
        file = settings.home / "history.csv"
        await self.desk.past.export(settings.videos_path, file)
        self.tell(_("Written: {file}").format(file=relative(file)))


class HistoryRow(widgets.HBox):
    """A line of the table with the button that opens it.

    Args:
        panel: Whose row it is.
        number: Its place on the page.
    """

    def __init__(self, panel: HistoryPanel, number: int) -> None:
        self._html = make(widgets.HTML, "hg-grow")
        self._button = make(widgets.Button)
        work = partial(panel.choose, number)
        self._button.on_click(lambda _button: panel.spawn(work))
        super().__init__((self._html, self._button), layout=shared_layout())
        self.add_class("hg-row")

    def draw(self, past: PastRender | None) -> None:
        """Show a render; None hides the row."""
        show(self, when=past is not None)
        if past is None:
            return
        line = past.line
        name = past.title or f"#{line.draft_id}"
        when = f"{line.created_at.astimezone():%d.%m. %H:%M}"
        parts = [markup(_state(line), _COLOURS.get(line.status, ""))]
        if line.duration_s:
            length = _("{seconds:.1f} s").format(seconds=line.duration_s)
            parts.append(markup(length))
        if line.submitted_at and line.completed_at:
            took = (line.completed_at - line.submitted_at).total_seconds()
            parts.append(markup(_("made in {time}").format(time=clock(took))))
        if line.cost:
            about = "" if line.billed else "≈"  # computed, not read from the bill
            cost = _("cost {amount:.2f}").format(amount=line.cost)
            parts.append(markup(about + cost))
        if line.sent:
            unsure = line.sent == "unsure"
            text = _("⚠️ unsure") if unsure else _("📱 sent")
            parts.append(markup(text, "warn" if unsure else "ok"))
        self._html.value = (
            f"{picture_html(line.thumbnail, name)}<div>{markup(name, tag='b')} "
            f"{markup(f'#{line.draft_id} · {when}', 'hg-hint')}"
            f'<div class="hg-meta">{"".join(parts)}</div></div>'
        )
        self._button.description = _("▶ Open")
        self._button.tooltip = _("Open {name}").format(name=name)


def _facts(line: HistoryLine) -> str:
    parts = [markup(_state(line), _COLOURS.get(line.status, ""), "div")]
    if line.path:
        parts.append(markup(relative(line.path), "hg-hint", "div"))
    if line.error:
        error = line.error
        parts.append(
            failure_html(error.message or error.code, error.hint, error.charged)
        )
    return "".join(parts)


def _state(line: HistoryLine) -> str:
    return next(words for words, value in _statuses() if value == line.status)


def _statuses() -> tuple[tuple[str, str], ...]:
    return (
        (_("all"), ""),
        ("✅ " + _("completed"), "completed"),
        ("🎬 " + _("rendering"), "submitted"),
        ("⏳ " + _("planned"), "planned"),
        ("❌ " + _("failed"), "failed"),
        ("⛔ " + _("refused, not charged"), "rejected"),
        ("⚠️ " + _("to be settled"), "unknown"),
    )


_COLOURS = {
    "completed": "ok",
    "failed": "bad",
    "rejected": "bad",
    "unknown": "warn",
}
