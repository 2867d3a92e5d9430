"""Renders under way: how far they are, their log, and the finished video."""

from __future__ import annotations

import asyncio
from functools import cached_property, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.money import amount_text
from heygen_nb.ui.base import Actions, Part, Work, column, focus, make, show
from heygen_nb.ui.html import bar_html, clock, cut, left_text, markup
from heygen_nb.ui.video import FilmPanel, ending_html
from heygen_nb.ui.widgets import LogView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heygen_nb.ui.jobs import Job

CARDS = 6
TICK_S = 1.0
_NEARLY = 0.99  # the bar is full when the video is there, not before
_PLAY, _STOP, _WAIT = _("▶ Play"), _("Stop waiting"), _("▶ Wait on")
_RETRY, _CLEAR = _("↻ Try again"), _("✕ Clear")
_RETRY_ALL, _CLEAR_DONE = _("↻ Try all that failed again"), _("✕ Clear what is done")
_NEWER, _OLDER = _("‹ Newer"), _("Older ›")
_EMPTY = _("Nothing is being rendered. Create a video from a draft.")
_VIEW_S = 0.4  # until a browser has drawn what was just made


class GenerationPanel(FilmPanel):
    """The renders of this notebook, newest first, with their common log."""

    hears = "jobs", "language", "drafts"

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.cards: dict[Job, RenderCard] = {}
        self.ticking = False
        self._first = 0
        self._seen: set[Job] = set()
        self._list = column(css="hg-cards")
        self._empty = self.hint(_EMPTY)
        self.log_view = LogView(
            lambda: self.shared.jobs.log, self._loop, _("Log"), also=self._draw_running
        )
        self.shared.jobs.readers.add(self.log_view.refresh)
        self._main = column(self._empty, self._list, css="hg-grow")
        # what is looked for comes before the log, however narrow the page is
        return (self.beside(self._main), self.log_view)

    @cached_property
    def batch(self) -> widgets.VBox:
        """What is said of several renders together; made for the second one."""
        place = self.place()
        self.batch_text = make(widgets.HTML)
        self.pages = Actions(
            self,
            {
                "retry": (_RETRY_ALL, self._retry_failed),
                "clear": (_CLEAR_DONE, self._clear_done),
                "newer": (_NEWER, partial(self._turn, -1)),
                "older": (_OLDER, partial(self._turn, 1)),
            },
            at=place,
        )
        return column(self.batch_text, self.pages, place, css="hg-card")

    async def _begin(self) -> None:
        self._draw()
        self.shared.jobs.take_up()

    def _heard(self, topic: str) -> None:
        if topic in ("jobs", "language"):
            self._draw()
        if topic in ("language", "drafts") and self.looked_at:
            self.spawn(self.view.refresh)

    def close(self) -> None:
        """Stop the timer; renders go on."""
        self.shared.jobs.readers.discard(self.log_view.refresh)
        self.log_view.close()
        super().close()

    async def reveal(self) -> None:
        """Bring the newest render into view: its button was far down the page."""
        if self._first:
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
        several = (self.batch,) if len(jobs) > 1 else ()
        parts = (self._empty, *several, self._list)
        if self._main.children != parts:
            self._main.children = parts
        if not several:
            return
        last = min(self._first + CARDS, len(jobs))
        self.pages.offer(
            "clear",
            any(job.failed for job in jobs) and "retry",
            self._first and "newer",
            last < len(jobs) and "older",
        )
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
        if fresh and not (self.looked_at and self.shared.jobs.running):
            self.spawn(partial(self.look_at, fresh[0].render_id or ""))
        elif self.looked_at and not done:
            self.spawn(partial(self.look_at, ""))

    def _draw_running(self) -> None:
        for job, card in self.cards.items():
            if job.running:
                card.draw()

    async def _tick(self) -> None:
        if self.ticking:
            return
        self.ticking = True
        try:
            while await self.shared.jobs.busy(TICK_S):
                self._draw_running()
                self._draw_batch(self.shared.jobs.all)
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
                "play": (_PLAY, self._play),
                "stop": (_STOP, self._doing(jobs.stop)),
                "wait": (_WAIT, self._doing(jobs.go_on)),
                "retry": (_RETRY, self._doing(jobs.go_on)),
                "clear": (_CLEAR, self._doing(jobs.forget)),
            },
        )
        super().__init__(self.html, self.actions, css="hg-card")
        if self.has_trait("tabbable"):  # not in ipywidgets 7
            self.tabbable = True

    async def _play(self) -> None:
        await self._panel.look_at(self._job.render_id or "")

    def _doing(self, work: Callable[[Job], None]) -> Work:
        async def do() -> None:
            work(self._job)

        return do

    def draw(self) -> None:
        """Show how far it is."""
        job = self._job
        running, elapsed_s, left_s = job.running, job.elapsed_s, job.eta_s
        # before that, stopping would leave a create without its answer
        submitted = running and bool(job.progress and job.progress.elapsed_s)
        meta = "" if job.outcome else self._meta(elapsed_s, left_s, running=running)
        name = cut(job.draft.title or job.draft.script)
        parts = [markup(name, tag="h3"), markup(f"#{job.draft.id}", "hg-hint")]
        if job.outcome:
            parts.append(ending_html(job.outcome))
        else:
            parts += [bar_html(self._fraction), meta]
        if submitted:
            hint = _("The render is paid and goes on; waiting can be taken up again.")
            parts.append(markup(hint, "hg-hint", "div"))
        self.html.value = "".join(parts)
        timed_out = job.outcome and job.outcome.status == "timed_out"
        self.actions.offer(
            job.outcome and job.outcome.path and "play",
            submitted and "stop",
            (job.stopped or timed_out) and "wait",
            job.outcome and job.failed and "retry",
            not running and "clear",
        )

    def _move(self, elapsed_s: float, left_s: float | None) -> None:
        """Go on with the clock; a new estimate takes nothing back."""
        known = self._job.progress.fraction if self._job.progress else None
        if known is not None and left_s is not None and elapsed_s:
            known = max(known, elapsed_s / (elapsed_s + left_s))
        if known is not None:
            self._fraction = max(self._fraction or 0.0, min(known, _NEARLY))
        if left_s is not None:
            usual = left_s if self._left_s is None else self._left_s
            self._left_s = min(usual, left_s)

    def _meta(self, elapsed_s: float, left_s: float | None, *, running: bool) -> str:
        self._move(elapsed_s, left_s)
        job, progress = self._job, self._job.progress
        status = progress.status if progress else "pending"
        state = _("waiting stopped") if job.stopped else _STATES[status]()
        parts = [markup(state, "hg-strong"), markup(f"⏱️ {clock(elapsed_s)}")]
        if progress and self._fraction is not None and running:
            share = f"{round(100 * self._fraction)} %"
            if progress.note:
                share += f" · {progress.note}"
            elif self._left_s is not None:
                share += f" · {left_text(self._left_s, progress.eta_range_s)}"
            parts.append(markup(share))
        told = ""
        if progress and status == "unknown" and running:
            told = markup(progress.message, "warn", "div", role="status")
        return f'<div class="hg-meta">{"".join(parts)}</div>{told}'


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
