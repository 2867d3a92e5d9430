"""Renders under way: how far they are, their log, and the finished video."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ui.base import Actions, Panel, Part, Work, column, focus, make, row, show
from heygen_nb.ui.html import amount_text, bar_html, clock, cut, left_text, markup
from heygen_nb.ui.video import VideoView, ending_html
from heygen_nb.ui.widgets import LogView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heygen_nb.ui.jobs import Job

CARDS = 6
TICK_S = 1.0
_NEARLY = 0.99  # the bar is full when the video is there, not before
_VIEW_S = 0.4  # until a browser has drawn what was just made


class GenerationPanel(Panel):
    """The renders of this notebook, newest first, with their common log."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.cards: dict[Job, RenderCard] = {}
        self.ticking = False
        self._first = 0
        self._seen: set[Job] = set()
        self._list = column(css="hg-cards")
        self._empty = self.hint(
            _("Nothing is being rendered. Create a video from a draft.")
        )
        self.log_view = LogView(
            lambda: self.shared.jobs.log, self._loop, _("Log"), also=self._draw_running
        )
        self.view = VideoView(self)
        main = column(self._empty, self._build_batch(), self._list, css="hg-grow")
        # what is looked for comes before the log, however narrow the page is
        return (row(main, self.view, css="hg-columns"), self.log_view)

    def _build_batch(self) -> widgets.VBox:
        place = self.place()
        self.batch_text = make(widgets.HTML)
        self.pages = Actions(
            self,
            {
                "retry": (_("↻ Try all that failed again"), self._retry_failed),
                "clear": (_("✕ Clear what is done"), self._clear_done),
                "newer": (_("‹ Newer"), partial(self._turn, -1)),
                "older": (_("Older ›"), partial(self._turn, 1)),
            },
            at=place,
        )
        self.batch = column(self.batch_text, self.pages, place, css="hg-card")
        return self.batch

    async def _begin(self) -> None:
        self._draw()
        self.shared.jobs.take_up()

    def _heard(self, topic: str) -> None:
        if topic == "log":
            self.log_view.refresh()
        elif topic in ("jobs", "language"):
            self._draw()
        if topic in ("language", "drafts"):
            self.spawn(self.view.refresh)

    def close(self) -> None:
        """Stop the timer; renders go on."""
        self.log_view.close()
        super().close()

    async def reveal(self) -> None:
        """Bring the newest render into view: its button was far down the page."""
        self._first = 0
        self._draw()
        await asyncio.sleep(_VIEW_S)
        for job in self.shared.jobs.all[:1]:
            focus(self.cards[job])

    def _draw(self) -> None:
        jobs = self.shared.jobs.all
        self._first = min(self._first, max(len(jobs) - 1, 0) // CARDS * CARDS)
        page = jobs[self._first : self._first + CARDS]
        self.cards = {job: self.cards.get(job) or RenderCard(self, job) for job in page}
        cards = tuple(self.cards.values())
        for card in cards:
            card.draw()
        if self._list.children != cards:
            self._list.children = cards
        show(self._empty, when=not jobs)
        self._draw_batch(jobs)
        self._show_newest(jobs)
        if self.shared.jobs.running and not self.ticking:
            self.spawn(self._tick)

    def _draw_batch(self, jobs: Sequence[Job]) -> None:
        show(self.batch, when=len(jobs) > 1)
        last = min(self._first + CARDS, len(jobs))
        names = ["clear"] if len(jobs) > 1 else []
        names += ["retry"] if any(job.failed for job in jobs) else []
        names += ["newer"] if self._first else []
        names += ["older"] if last < len(jobs) else []
        self.pages.offer(*names)
        where = _("{first}–{last} of {count}").format(
            first=self._first + 1, last=last, count=len(jobs)
        )
        shown_now = markup(where, "hg-hint") if len(jobs) > CARDS else ""
        self.batch_text.value = _batch_html(jobs) + shown_now

    async def _turn(self, step: int) -> None:
        self._first = max(self._first + step * CARDS, 0)
        self._draw()

    async def _retry_failed(self) -> None:
        failed = [job for job in self.shared.jobs.all if job.failed]
        plans = await self.shared.quote([job.draft for job in failed])
        question = ngettext(
            "Try {count} render again?", "Try {count} renders again?", len(failed)
        ).format(count=len(failed))
        yes = _("Try again")
        if cost := sum(plan.quote.amount for plan in plans):
            amount = amount_text(cost, plans[0].quote.currency)
            yes = _("Render for {amount}").format(amount=amount)
        if await self.ask(question, yes):
            for job in failed:
                self.shared.jobs.go_on(job)

    async def _clear_done(self) -> None:
        for job in self.shared.jobs.all:
            if job.outcome and not job.failed:
                self.shared.jobs.forget(job)

    def _show_newest(self, jobs: list[Job]) -> None:
        done = [job for job in jobs if job.outcome and job.outcome.path]
        fresh = [job for job in done if job not in self._seen]
        self._seen = set(done)
        # in a batch, what is looked at is not taken away by what is done next
        if fresh and not (self.view.line and self.shared.jobs.running):
            self.spawn(partial(self.view.look_at, fresh[0].render_id or ""))
        show(self.view, when=bool(self.view.line and done))

    def _draw_running(self) -> None:
        for job, card in self.cards.items():
            if job.running:
                card.draw()

    async def _tick(self) -> None:
        if self.ticking:
            return
        self.ticking = True
        try:
            while self.shared.jobs.running:
                self._draw_running()
                self.batch_text.value = _batch_html(self.shared.jobs.all)
                await asyncio.sleep(TICK_S)
        finally:
            self.ticking = False


class RenderCard(Part):
    """One render: what, how far, and what can be done about it.

    Between two looks at HeyGen the bar moves on with the clock; neither it nor the
    time left ever goes back.

    Args:
        panel: Whose card it is.
        job: The render.
    """

    def __init__(self, panel: GenerationPanel, job: Job) -> None:
        self._panel, self._job = panel, job
        self._fraction: float | None = None
        self._left_s: float | None = None
        self.html = make(widgets.HTML)
        jobs = panel.shared.jobs
        self.actions = Actions(
            panel,
            {
                "play": (_("▶ Play"), self._play),
                "stop": (_("Stop waiting"), self._doing(jobs.stop)),
                "wait": (_("▶ Wait on"), self._doing(jobs.go_on)),
                "retry": (_("↻ Try again"), self._doing(jobs.go_on)),
                "clear": (_("✕ Clear"), self._doing(jobs.forget)),
            },
        )
        super().__init__(self.html, self.actions, css="hg-card")
        if self.has_trait("tabbable"):  # not in ipywidgets 7
            self.tabbable = True

    async def _play(self) -> None:
        await self._panel.view.look_at(self._job.render_id or "")

    def _doing(self, work: Callable[[Job], None]) -> Work:
        async def do() -> None:
            work(self._job)

        return do

    def draw(self) -> None:
        """Show how far it is."""
        job = self._job
        name = cut(job.draft.title or job.draft.script)
        parts = [markup(name, tag="h3"), markup(f"#{job.draft.id}", "hg-hint")]
        if job.outcome:
            parts.append(ending_html(job.outcome))
        else:
            self._move()
            parts += [bar_html(self._fraction), self._meta()]
        if job.running and _is_submitted(job):
            hint = _("The render is paid and goes on; waiting can be taken up again.")
            parts.append(markup(hint, "hg-hint", "div"))
        self.html.value = "".join(parts)
        self._offer()

    def _move(self) -> None:
        """Go on with the clock; a new estimate takes nothing back."""
        job = self._job
        known = job.progress.fraction if job.progress else None
        left_s = job.eta_s
        if known is not None and left_s is not None and job.elapsed_s:
            known = max(known, job.elapsed_s / (job.elapsed_s + left_s))
        if known is not None:
            self._fraction = max(self._fraction or 0.0, min(known, _NEARLY))
        if left_s is not None:
            usual = left_s if self._left_s is None else self._left_s
            self._left_s = min(usual, left_s)

    def _meta(self) -> str:
        job, progress = self._job, self._job.progress
        status = progress.status if progress else "pending"
        state = _("waiting stopped") if job.stopped else _STATES[status]()
        parts = [markup(state, "hg-strong"), markup(f"⏱️ {clock(job.elapsed_s)}")]
        if progress and self._fraction is not None and job.running:
            share = f"{round(100 * self._fraction)} %"
            if progress.note:
                share += f" · {progress.note}"
            elif self._left_s is not None:
                share += f" · {left_text(self._left_s, progress.eta_range_s)}"
            parts.append(markup(share))
        told = ""
        if progress and status == "unknown" and job.running:
            told = markup(progress.message, "warn", "div", role="status")
        return f'<div class="hg-meta">{"".join(parts)}</div>{told}'

    def _offer(self) -> None:
        job, outcome = self._job, self._job.outcome
        waits = job.stopped or bool(outcome and outcome.status == "timed_out")
        offers = {
            "play": bool(outcome and outcome.path),
            "stop": job.running and _is_submitted(job),
            "wait": waits,
            "retry": job.failed,
            "clear": not job.running,
        }
        self.actions.offer(*(name for name, offered in offers.items() if offered))


def _is_submitted(job: Job) -> bool:
    # Before that, stopping would leave a create without its answer.
    return bool(job.progress and job.progress.elapsed_s)


def _batch_html(jobs: Sequence[Job]) -> str:
    """Return how far all of them are together."""
    done = sum(bool(job.outcome and job.outcome.path) for job in jobs)
    text = _("{done} of {count}").format(done=done, count=len(jobs))
    if failed := sum(job.failed for job in jobs):
        text += " · " + ngettext("{count} failed", "{count} failed", failed).format(
            count=failed
        )
    left = [job.eta_s for job in jobs if job.running]
    known = [seconds for seconds in left if seconds is not None]
    if known and len(known) == len(left):
        text += f" · {left_text(max(known))}"
    ended = sum(not job.running for job in jobs)
    return (
        markup(_("All renders"), tag="h3")
        + bar_html(ended / max(len(jobs), 1))
        + markup(text, "hg-strong", "div", role="status")
    )


_STATES = {
    "pending": lambda: "⏳ " + _("queued"),
    "processing": lambda: "🎬 " + _("rendering"),
    "completed": lambda: "✅ " + _("downloading"),
    "failed": lambda: "❌ " + _("failed"),
    "unknown": lambda: "🔄 " + _("in progress"),
}
