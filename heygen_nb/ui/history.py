"""All renders, newest first: play them, post them, settle what is open."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft
from heygen_nb.posting import Posting
from heygen_nb.renderer.order import adopt, order_again
from heygen_nb.reports import HistoryLine, export_history, line_of
from heygen_nb.ui.base import Panel, column, make, row, shared_layout, show
from heygen_nb.ui.html import (
    clock,
    cut,
    failure_html,
    markup,
    period_options,
    picture_html,
    relative,
)
from heygen_nb.ui.jobs import video_of
from heygen_nb.ui.widgets import Player

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from heygen_nb.renderer.account import Account

ROWS = 7


class HistoryPanel(Panel):
    """The renders of this home folder, a page at a time."""

    on_draft: Callable[[str], None] | None = None
    """Called with the id of a draft that was made from an old one."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.line: HistoryLine | None = None
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
        return (row(main, self._build_details(), css="hg-columns"),)

    def _build_details(self) -> widgets.VBox:
        self.player = Player()
        self._facts = make(widgets.HTML)
        place = self.place()

        def button(words: Callable[[], str], work: Any) -> widgets.Button:
            return self.button(words, work, at=place)

        self._caption = ""
        self.t_caption = self.field(
            widgets.Textarea, lambda: _("Caption (Telegram)"), rows=3
        )
        self.t_video_id = self.field(widgets.Text, lambda: _("Video id at HeyGen"))
        self.actions = {
            "send": button(
                lambda: _("📱 Send to Telegram"), partial(self._post, again=False)
            ),
            "again": button(
                lambda: _("📱 Send again"), partial(self._post, again=True)
            ),
            "is there": button(lambda: _("✓ It is in the chat"), self._mark_sent),
            "not there": button(lambda: _("📱 It is not there: send"), self._resend),
            "adopt": button(lambda: _("This is the video"), self._adopt),
            "pay": button(lambda: _("There is none: pay again"), self._pay_again),
            "reuse": button(lambda: _("✎ New draft from this"), self.new_draft),
        }
        self.details = column(
            self.player,
            self._facts,
            self.t_video_id,
            self.t_caption,
            row(*self.actions.values()),
            place,
            css="hg-side",
        )
        show(self.details, when=False)
        return self.details

    # The list

    async def _begin(self) -> None:
        await self.load_first()

    def _heard(self, topic: str) -> None:
        if topic in ("jobs", "language"):
            self.spawn(self._load)
        if topic == "drafts" and self.t_caption.value == self._caption:
            self.spawn(self._show_caption)

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
        page = await self._read(ROWS + 1)
        lines = [line for line, _title in page]
        self._lines = lines[:ROWS]
        for entry, found in zip_longest(self.rows, page[:ROWS]):
            entry.draw(found)
        show(self.empty, when=not lines)
        self.empty.value = markup(self._empty_words(), "hg-hint")
        self.newer_button.disabled = len(self._starts) == 1
        self.older_button.disabled = len(lines) <= ROWS
        if self.line:
            fresh = (x for x in lines if x.render_id == self.line.render_id)
            self._show_details(next(fresh, self.line))

    async def _read(self, limit: int) -> list[tuple[HistoryLine, str]]:
        """Return the renders of this page, each with what its draft was called."""
        ledger, videos = await self.shared.ledger(), self.shared.settings.videos_path
        chosen, before = self.d_status.value or None, self._starts[-1]
        filters: dict[str, Any] = {"words": self.t_search.value}
        if chosen in _SENT:
            filters["sent"] = _SENT[chosen]
        else:
            filters["status"] = chosen
        if days := self.d_days.value:
            filters["since"] = datetime.now(UTC) - timedelta(days=days)

        def read() -> list[tuple[HistoryLine, str]]:
            last = ledger.render(before) if before else None
            found = ledger.history.page(**filters, before=last, limit=limit)
            posts = ledger.posts.of_renders([one.id for one in found])
            return [
                (line_of(one, posts.get(one.id, ()), videos), one.title or one.script)
                for one in found
            ]

        return await asyncio.to_thread(read)

    def _empty_words(self) -> str:
        if self.t_search.value or self.d_status.value or self.d_days.value:
            return _("None fits: change the search or the filter.")
        return _("Nothing was rendered yet.")

    async def choose(self, number: int) -> None:
        """Show the details of a row of this page."""
        self.player.play(self._lines[number].path)
        self._show_details(self._lines[number])
        await self._show_caption()

    # One render

    def _show_details(self, line: HistoryLine) -> None:
        self.line = line
        show(self.details, when=True)
        self._facts.value = _facts(line)
        has_file, unsure = line.path is not None, line.sent == "unsure"
        unknown = line.status == "unknown"
        show(self.t_video_id, when=unknown)
        show(self.t_caption, when=has_file and not unsure)
        for name, offered in {
            "send": has_file and line.sent is False,
            "again": has_file and line.sent is True,
            "is there": unsure,
            "not there": unsure,
            "adopt": unknown,
            "pay": unknown,
        }.items():
            show(self.actions[name], when=offered)

    async def _show_caption(self) -> None:
        """Show the caption that a post would have: the draft's of now."""
        if line := self.line:
            kept = await self.shared.drafts.get(line.draft_id)
            draft = kept.draft if kept else await self._draft_of(line)
            self._caption = self.t_caption.value = draft.caption

    async def _post(self, *, again: bool) -> None:
        line = self.line
        question = _("It is in the chat already. Post it a second time?")
        if line is None or (again and not await self.ask(question, _("Send again"))):
            return
        caption = self.t_caption.value
        kept = await self.shared.drafts.get(line.draft_id)
        if kept and kept.draft.caption != caption:
            changed = kept.draft.model_copy(update={"caption": caption})
            await self.shared.drafts.save(changed, over=kept.version)
        await self._settle(
            lambda account: self._posting(account).send(
                video_of(line), caption, again=again
            )
        )

    async def _resend(self) -> None:
        if line := self.line:
            await self._settle(
                lambda account: self._posting(account).resend(line.post_id or 0)
            )

    async def _mark_sent(self) -> None:
        if line := self.line:
            await self._settle(
                lambda account: self._posting(account).mark_sent(line.post_id or 0)
            )

    async def _adopt(self) -> None:
        line, video_id = self.line, self.t_video_id.value.strip()
        if line and video_id:
            await self._settle(
                lambda account: adopt(account, line.render_id or "", video_id)
            )
            self.shared.jobs.take_up()

    async def _pay_again(self) -> None:
        question = _("Have you looked at HeyGen? A new render is paid again.")
        line = self.line  # another one may be chosen before the answer
        if line and await self.ask(question, _("Pay for another")):
            settings, render_id = self.shared.settings, line.render_id or ""
            await self._settle(
                lambda account: order_again(account, render_id, settings)
            )
            self.shared.jobs.take_up()

    async def _settle(
        self, work: Callable[[Account], Coroutine[Any, Any, object]]
    ) -> None:
        self.tell(lambda: _("One moment…"))
        try:
            async with self.shared.account() as account:
                await work(account)
        finally:
            await self._load()
        self.tell(lambda: _("Done."))

    async def _draft_of(self, line: HistoryLine) -> Draft:
        """Return what was rendered, as it was then."""
        ledger = await self.shared.ledger()
        found = await asyncio.to_thread(ledger.render, line.render_id or "")
        return Draft.of(found)

    def _posting(self, account: Account) -> Posting:
        return Posting(self.shared.settings, account)

    async def new_draft(self) -> None:
        """Make a draft of what was rendered, to be changed."""
        if self.line:
            old = await self._draft_of(self.line)
            draft = old.model_copy(update={"id": secrets.token_hex(4)})
            await self.shared.drafts.save(draft, over=0)
            self.tell(lambda: _("Draft #{id} was made.").format(id=draft.id))
            if self.on_draft:
                self.on_draft(draft.id)

    async def _export(self) -> None:
        settings = self.shared.settings
        file = settings.home / "history.csv"
        ledger = await self.shared.ledger()
        await asyncio.to_thread(
            export_history, ledger, settings.videos_path, file, "csv"
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

    def draw(self, found: tuple[HistoryLine, str] | None) -> None:
        """Show a render and its title; None hides the line."""
        show(self, when=found is not None)
        if found is None:
            return
        line, title = found
        name = cut(title)
        when = f"{line.created_at.astimezone():%d.%m. %H:%M}"
        self.html.value = (
            f"{picture_html(line.thumbnail, name)}<div>{markup(name, tag='b')} "
            f"{markup(f'#{line.draft_id} · {when}', 'hg-hint')}"
            f'<div class="hg-meta">{"".join(_row_facts(line))}</div></div>'
        )
        self.open_button.tooltip = _("Open {name}").format(name=name)


def _row_facts(line: HistoryLine) -> list[str]:
    facts = [markup(_state(line), _COLOURS.get(line.status, ""))]
    if line.duration_s:
        facts.append(markup(_("{seconds:.1f} s").format(seconds=line.duration_s)))
    if line.submitted_at and line.completed_at:
        took = (line.completed_at - line.submitted_at).total_seconds()
        facts.append(markup(_("made in {time}").format(time=clock(took))))
    if line.cost:
        cost = _("cost {amount:.2f}").format(amount=line.cost)
        facts.append(markup(f"≈{cost}"))  # computed from the rates
    if line.sent:
        unsure = line.sent == "unsure"
        text = _("⚠️ unsure") if unsure else _("📱 sent")
        facts.append(markup(text, "warn" if unsure else "ok"))
    return facts


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


def _filters() -> tuple[tuple[str, str], ...]:
    sent = ((_("📱 sent"), "sent"), (_("not sent"), "unsent"))
    return (*_statuses(), *sent)


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


_SENT = {"sent": True, "unsent": False}
_COLOURS = {"completed": "ok", "failed": "bad", "rejected": "bad", "unknown": "warn"}
