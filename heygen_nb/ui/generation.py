"""Renders under way: how far they are, their log, and the finished video."""

import asyncio
import math
from collections.abc import Sequence
from functools import cached_property, partial
from html import escape

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.money import amount_text
from heygen_nb.ui.base import Actions, Part, column, focus, make, row, show
from heygen_nb.ui.html import bar_html, clock, cut, dotted, left_text, markup
from heygen_nb.ui.jobs import Job
from heygen_nb.ui.video import FilmPanel, ending_html

CARDS = 6
TICK_S = 1.0
LOG_S = 0.2  # between two updates of the log
_NEARLY = 0.99  # the bar is full when the video is there, not before
_VIEW_S = 0.4  # until a browser has drawn what was just made


class GenerationPanel(FilmPanel):
    """The renders of this notebook, newest first, with their common log."""

    hears = "jobs", "language", "drafts"

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.cards: dict[Job, RenderCard] = {}
        self.timer: asyncio.TimerHandle | None = None
        self._first = 0
        self._seen: set[Job] = set()
        self._list = column(css="hg-cards")
        self._empty = self.hint(
            _("Nothing is being rendered. Create a video from a draft.")
        )
        self._main = column(self._empty, self._list, css="hg-grow")
        self.log_view = make(widgets.HTML, "hg-log")
        self.shared.jobs.readers.add(self._refresh_soon)
        # what is looked for comes before the log, however narrow the page is
        self.columns = row(self._main, css="hg-columns")
        return self.columns, self.log_view

    @cached_property
    def batch(self) -> widgets.VBox:
        """What is said of several renders together; made for the second one."""
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
        return column(self.batch_text, self.pages, place, css="hg-card")

    async def _begin(self) -> None:
        self._draw()
        self.shared.jobs.take_up()

    def _heard(self, topic: str) -> None:
        if topic != "drafts":
            self._draw()
        if topic != "jobs" and self.looked_at:
            self.spawn(self.view.refresh)

    def close(self) -> None:
        """Stop the timer; renders go on."""
        self.shared.jobs.readers.discard(self._refresh_soon)
        if self.timer:
            self.timer.cancel()
        super().close()

    async def reveal(self) -> None:
        """Bring the newest render into view: its button was far down the page."""
        if self._first:
            self._first = 0
            self._draw()
        await asyncio.sleep(_VIEW_S)
        for card in [*self.cards.values()][:1]:
            focus(card)

    def _draw(self) -> None:
        jobs = self.shared.jobs.all
        self._first = min(self._first, max(len(jobs) - 1, 0) // CARDS * CARDS)
        page = jobs[self._first : self._first + CARDS]
        self.cards = {job: self.cards.get(job) or RenderCard(self, job) for job in page}
        self._list.children = tuple(self.cards.values())
        show(self._empty, when=not jobs)
        self._show_newest(jobs)
        self._refresh(anew=True)

    def _draw_batch(self, jobs: Sequence[Job]) -> None:
        """Say how far all of them are together, if there are several."""
        several = (self.batch,) if len(jobs) > 1 else ()
        self._main.children = (self._empty, *several, self._list)
        if not several:
            return
        count, last = len(jobs), min(self._first + CARDS, len(jobs))
        failed = sum(job.failed for job in jobs)
        self.pages.offer(
            "clear",
            failed and "retry",
            self._first and "newer",
            last < count and "older",
        )
        done = sum(bool(job.outcome and job.outcome.path) for job in jobs)
        facts = [_("{done} of {count}").format(done=done, count=count)]
        if failed:
            facts.append(ngettext("{count} failed", "{count} failed", failed))
        left = [job.eta_s for job in jobs if job.running]
        known = [seconds for seconds in left if seconds is not None]
        if known and len(known) == len(left):
            facts.append(left_text(max(known)))
        where = _("{first}–{last} of {count}").format(
            first=self._first + 1, last=last, count=count
        )
        self.batch_text.value = (
            markup(_("All renders"), tag="h3")
            + bar_html(1 - len(left) / count)
            + markup(dotted(*facts), "hg-strong", "div", role="status")
            + (markup(where, "hg-hint") if count > CARDS else "")
        )

    async def _turn(self, step: int) -> None:
        self._first = max(self._first + step * CARDS, 0)
        self._draw()

    async def _retry_failed(self) -> None:
        failed = [job for job in self.shared.jobs.all if job.failed]
        plans = await self.shared.quote([job.draft for job in failed])
        question = ngettext(
            "Try {count} render again?", "Try {count} renders again?", len(failed)
        )
        yes = _("Try again")
        if cost := sum(plan.quote.amount for plan in plans):
            amount = amount_text(cost, plans[0].quote.currency)
            yes = _("Render for {amount}").format(amount=amount)
        if await self.ask(question, yes):
            for job in failed:
                await self.shared.jobs.go_on(job)

    async def _clear_done(self) -> None:
        for job in self.shared.jobs.all:
            if job.outcome and not job.failed:
                await self.shared.jobs.forget(job)

    def _show_newest(self, jobs: Sequence[Job]) -> None:
        done = [job for job in jobs if job.outcome and job.outcome.path]
        fresh = [job for job in done if job not in self._seen]
        self._seen = set(done)
        # in a batch, what is looked at is not taken away by what is done next
        if fresh and not (self.looked_at and self.shared.jobs.running):
            self.spawn(partial(self.look_at, fresh[0].render_id or ""))
        elif self.looked_at and not done:
            self.spawn(partial(self.look_at, ""))

    def _refresh_soon(self, within_s: float | None = None) -> None:
        """Show new lines of the log, many of them at once, and how far all is."""
        due = self._loop.time() + (within_s or LOG_S)
        if self.timer and self.timer.when() > due:
            self.timer.cancel()
            self.timer = None
        if self.timer is None:
            self.timer = self._loop.call_at(due, self._refresh)

    def _refresh(self, *, anew: bool = False) -> None:
        if self.timer:
            self.timer.cancel()
        self.timer, jobs = None, self.shared.jobs
        for job, card in self.cards.items():
            if anew or job.running:
                card.draw()
        listed, running = jobs.all, jobs.running
        self._draw_batch(listed)
        text, label = escape("\n".join(jobs.log)), escape(_("Log"))
        show(self.log_view, when=bool(text))
        log = f'<pre role="log" tabindex="0" aria-label="{label}">{text}</pre>'
        self.log_view.value = log
        if running and not self._closed:
            self._refresh_soon(TICK_S)


class RenderCard(Part):
    """One render: what, how far, and what can be done about it.

    Between two looks at HeyGen the bar moves on with the clock; neither it nor the
    time left ever goes back.

    Args:
        panel: Whose card it is.
        job: The render.
    """

    def __init__(self, panel: GenerationPanel, job: Job) -> None:
        self._job = job
        self._fraction: float | None = None
        self._left_s = math.inf
        self.html = make(widgets.HTML)
        jobs = panel.shared.jobs
        self.actions = Actions(
            panel,
            {
                "play": (_("▶ Play"), lambda: panel.look_at(job.render_id or "")),
                "stop": (_("Stop waiting"), partial(jobs.stop, job)),
                "wait": (_("▶ Wait on"), partial(jobs.go_on, job)),
                "retry": (_("↻ Try again"), partial(jobs.go_on, job)),
                "clear": (_("✕ Clear"), partial(jobs.forget, job)),
            },
        )
        super().__init__(self.html, self.actions, css="hg-card")
        if self.has_trait("tabbable"):  # not in ipywidgets 7
            self.tabbable = True

    def draw(self) -> None:
        """Show how far it is."""
        job, outcome, running = self._job, self._job.outcome, self._job.running
        # before that, stopping would leave a create without its answer
        submitted = running and bool(job.progress and job.progress.elapsed_s)
        name = cut(job.draft.title or job.draft.script)
        parts = [markup(name, tag="h3"), markup(f"#{job.draft.id}", "hg-hint")]
        parts += [ending_html(outcome)] if outcome else self._how_far()
        if submitted:
            hint = _("The render is paid and goes on; waiting can be taken up again.")
            parts.append(markup(hint, "hg-hint", "div"))
        self.html.value = "".join(parts)
        self.actions.offer(
            outcome and outcome.path and "play",
            submitted and "stop",
            (job.stopped or (outcome and outcome.status == "timed_out")) and "wait",
            outcome and job.failed and "retry",
            not running and "clear",
        )

    def _how_far(self) -> list[str]:
        """Go on with the clock; a new estimate takes nothing back."""
        job, progress = self._job, self._job.progress
        elapsed_s, left_s = job.elapsed_s, job.eta_s
        self._left_s = min(self._left_s, math.inf if left_s is None else left_s)
        known = progress.fraction if progress else None
        if known is not None:
            if left_s is not None and elapsed_s:
                known = max(known, elapsed_s / (elapsed_s + left_s))
            self._fraction = max(self._fraction or 0.0, min(known, _NEARLY))
        status, told = progress.status if progress else "pending", ""
        state = _("waiting stopped") if job.stopped else _STATES[status]()
        parts = [markup(state, "hg-strong"), markup(f"⏱️ {clock(elapsed_s)}")]
        if progress and job.running:
            if self._fraction is not None:
                left = progress.note
                if not left and self._left_s < math.inf:
                    left = left_text(self._left_s, progress.eta_range_s)
                parts.append(markup(dotted(f"{round(100 * self._fraction)} %", left)))
            if status == "unknown":
                told = markup(progress.message, "warn", "div", role="status")
        meta = f'<div class="hg-meta">{"".join(parts)}</div>{told}'
        return [bar_html(self._fraction), meta]


_STATES = {
    "pending": lambda: "⏳ " + _("queued"),
    "processing": lambda: "🎬 " + _("rendering"),
    "completed": lambda: "✅ " + _("downloading"),
    "failed": lambda: "❌ " + _("failed"),
    "unknown": lambda: "🔄 " + _("in progress"),
}
