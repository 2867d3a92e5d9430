"""Renders under way: log, bar, timer, and the finished video in place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.ui.base import Panel, column, make, row, shared_layout, show
from heygen_nb.ui.html import bar_html, clock, failure_html, markup, relative
from heygen_nb.ui.widgets import LogView, Player

if TYPE_CHECKING:
    from heygen_nb.outcome import Outcome
    from heygen_nb.ui.base import Work
    from heygen_nb.workflow.jobs import Job

MAX_CARDS = 6
TICK_S = 1.0


class GenerationPanel(Panel):
    """The renders of this notebook, newest first, with their common log."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.cards: dict[Job, RenderCard] = {}
        self.ticking = False
        self._showing: Job | None = None
        self._seen: set[Job] = set()
        self._list = make(widgets.VBox, "hg-cards")
        self._empty = self.hint(
            lambda: _("Nothing is being rendered. Create a video from a draft.")
        )
        self.log_view = LogView(
            lambda: self.shared.jobs.log, self._loop, _("Log"), also=self._draw_running
        )
        self.player = Player()
        self.send_button = self.button(
            lambda: _("📱 Send to Telegram"), self._send_shown, "hg-primary"
        )
        self._about = make(widgets.HTML)
        self.side = column(self.player, self._about, self.send_button, css="hg-side")
        main = column(self._empty, self._list, self.log_view, css="hg-grow")
        return (row(main, self.side, css="hg-columns"),)

    async def _begin(self) -> None:
        self._draw()
        self.shared.jobs.take_up()

    def _heard(self, topic: str) -> None:
        if topic == "log":
            self.log_view.refresh()
        elif topic in ("jobs", "language"):
            self._draw()

    def close(self) -> None:
        """Stop the timer; renders go on."""
        self.log_view.close()
        super().close()

    def _draw(self) -> None:
        jobs = self.shared.jobs.all
        for job in jobs[:MAX_CARDS]:
            card = self.cards.setdefault(job, RenderCard(self, job))
            card.draw()
        self.cards = {j: c for j, c in self.cards.items() if j in jobs[:MAX_CARDS]}
        cards = tuple(self.cards[job] for job in jobs[:MAX_CARDS])
        if self._list.children != cards:
            self._list.children = cards
        show(self._empty, when=not jobs)
        self._show_newest(jobs)
        if self.shared.jobs.running and not self.ticking:
            self.spawn(self._tick)

    def _show_newest(self, jobs: list[Job]) -> None:
        done = [job for job in jobs if job.outcome and job.outcome.path]
        if fresh := [job for job in done if job not in self._seen]:
            self._showing = fresh[0]
        elif self._showing not in done:
            self._showing = done[0] if done else None
        self._seen = set(done)
        self._draw_side()

    def show_video(self, job: Job) -> None:
        """Play the finished video of a job."""
        self._showing = job
        self._draw_side()

    def _draw_side(self) -> None:
        job = self._showing
        outcome = job.outcome if job else None
        show(self.side, when=bool(outcome and outcome.path))
        if job is None or outcome is None or outcome.path is None:
            return
        if self.player.path != outcome.path:
            self.player.play(outcome.path)
        length = _("{seconds:.1f} s, asked: {target:.0f} s").format(
            seconds=outcome.duration_s or 0, target=outcome.target_s or 0
        )
        title = job.draft.title or f"#{job.draft.id}"
        self._about.value = markup(f"{title} · {length}", "hg-hint")
        self.send_button.disabled = job.sending or outcome.sent is not False

    async def _send_shown(self) -> None:
        if self._showing:
            await self.shared.send(self._showing)

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
                await asyncio.sleep(TICK_S)
        finally:
            self.ticking = False


class RenderCard(widgets.VBox):
    """One render: what, how far, and what can be done about it.

    Args:
        panel: Whose card it is.
        job: The render.
    """

    def __init__(self, panel: GenerationPanel, job: Job) -> None:
        self._panel = panel
        self._job = job
        self.html = make(widgets.HTML)
        self.buttons = {
            name: self._button(work)
            for name, work in (
                ("play", self._play),
                ("stop", self._stop),
                ("go on", self._start_again),
                ("retry", self._start_again),
                ("clear", self._clear),
            )
        }
        super().__init__(
            (self.html, row(*self.buttons.values())), layout=shared_layout()
        )
        self.add_class("hg-card")

    def _button(self, work: Work) -> widgets.Button:
        button = make(widgets.Button)
        button.on_click(lambda _button: self._panel.spawn(work))
        return button

    def draw(self) -> None:
        """Show how far it is."""
        job = self._job
        name = f"#{job.draft.id} · {job.draft.title}".strip(" ·")
        parts = [markup(name, tag="h3")]
        if job.outcome is None:
            parts.append(bar_html(job.progress.fraction if job.progress else None))
            parts.append(_meta(job))
        if job.running:
            hint = _("The render is paid and goes on; waiting can be taken up again.")
            parts.append(markup(hint, "hg-hint", "div") if _is_submitted(job) else "")
        if job.outcome:
            parts.append(_ending(job.outcome))
        self.html.value = "".join(parts)
        self._offer()

    def _offer(self) -> None:
        job, outcome = self._job, self._job.outcome
        status = outcome.status if outcome else None
        has_file = bool(outcome and outcome.path)
        offers = {
            "play": (_("▶ Play"), has_file),
            "stop": (_("Stop waiting"), job.running and _is_submitted(job)),
            "go on": (_("▶ Wait on"), job.stopped or status == "timed_out"),
            "retry": (
                _("↻ Try again"),
                status in ("failed", "rejected")
                or (status == "completed" and not has_file),
            ),
            "clear": (_("✕ Clear"), not job.running),
        }
        for key, (words, offered) in offers.items():
            self.buttons[key].description = words
            show(self.buttons[key], when=offered)

    async def _play(self) -> None:
        self._panel.show_video(self._job)

    async def _stop(self) -> None:
        self._panel.shared.jobs.stop(self._job)

    async def _start_again(self) -> None:
        self._panel.shared.jobs.go_on(self._job)

    async def _clear(self) -> None:
        self._panel.shared.jobs.forget(self._job)


def _is_submitted(job: Job) -> bool:
    # Before that, stopping would leave a create without its answer.
    return bool(job.progress and job.progress.elapsed_s)


def _meta(job: Job) -> str:
    progress = job.progress
    state = _("waiting stopped") if job.stopped else _STATES[_status(job)]()
    parts = [markup(state, "hg-strong"), markup(f"⏱️ {clock(job.elapsed_s)}")]
    if progress and progress.fraction is not None and job.running:
        share = f"{round(100 * progress.fraction)} %"
        if progress.note:
            share += f" · {progress.note}"
        elif job.eta_s:
            share += " · " + _("about {time} left").format(time=clock(job.eta_s))
        parts.append(markup(share))
    return f'<div class="hg-meta">{"".join(parts)}</div>'


def _status(job: Job) -> str:
    return job.progress.status if job.progress else "pending"


def _ending(outcome: Outcome) -> str:
    parts = []
    if outcome.path:
        name = _("✅ Video created! ID: {id}").format(id=outcome.video_id)
        parts.append(markup(name, "ok", "div"))
        parts.append(markup(relative(outcome.path), "hg-hint", "div"))
    if outcome.sent is True:
        parts.append(markup(_("📱 Video sent to Telegram"), "ok", "div"))
    if outcome.error:
        error = outcome.error
        parts.append(failure_html(error.message, error.hint, error.charged))
    return "".join(parts)


_STATES = {
    "pending": lambda: "⏳ " + _("queued"),
    "processing": lambda: "🎬 " + _("rendering"),
    "completed": lambda: "✅ " + _("downloading"),
    "failed": lambda: "❌ " + _("failed"),
    "unknown": lambda: "🔄 " + _("in progress"),
}
