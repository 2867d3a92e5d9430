"""Renders that go on in the background of a notebook, and what they said so far."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from heygen_nb.api import finish_row, take_up_posts, without_limits
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Outcome, Progress
from heygen_nb.posting import Posting
from heygen_nb.renderer import settings_for
from heygen_nb.renderer.order import ToRender, order_all
from heygen_nb.renderer.resolve import picture_and_sound, revision_of
from heygen_nb.reports import line_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.ui.state import SharedState

LOG_LINES = 50


class Job:
    """One draft on its way to a video.

    Attributes:
        draft: What is rendered.
        revision: Tells one draft's renders apart.
        render_id: Which render; None until it is ordered.
        progress: The latest news; None before the first.
        outcome: What became of it; None as long as it is under way.
        stopped: Waiting was stopped; the render at HeyGen goes on.
    """

    def __init__(
        self, draft: Draft, revision: str, render_id: str | None = None
    ) -> None:
        self.draft = draft
        self.revision = revision
        self.render_id = render_id
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self.stopped = False
        self.task: asyncio.Task[None] | None = None
        self._begun = self._heard = time.monotonic()

    @property
    def running(self) -> bool:
        """Tell whether it is still under way."""
        return self.outcome is None and not self.stopped

    @property
    def failed(self) -> bool:
        """Tell whether there is no video, and another try may bring one."""
        outcome = self.outcome
        return outcome is not None and (
            outcome.status in ("failed", "rejected")
            or (outcome.status == "completed" and not outcome.path)
        )

    @property
    def elapsed_s(self) -> float:
        """Seconds since the video was submitted, as far as known; never a request."""
        if self.progress and self.progress.elapsed_s:
            return self.progress.elapsed_s + self._silence_s
        return time.monotonic() - self._begun

    @property
    def eta_s(self) -> float | None:
        """Expected seconds to go."""
        if self.progress is None or self.progress.eta_s is None:
            return None
        return max(0.0, self.progress.eta_s - self._silence_s)

    @property
    def _silence_s(self) -> float:
        return time.monotonic() - self._heard if self.running else 0.0

    def hear(self, progress: Progress) -> None:
        """Take the latest news."""
        self.progress, self._heard = progress, time.monotonic()


class Jobs:
    """All renders that a notebook waits for, and their common log.

    Args:
        shared: Gives settings and account, and is told what there is to show.
    """

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._jobs: dict[tuple[str, str], Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking_up: asyncio.Task[None] | None = None
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.readers: set[Callable[[], object]] = set()
        """Called after every new line."""

    @property
    def all(self) -> list[Job]:
        """The jobs, newest first; one for each revision of a draft."""
        return list(reversed(self._jobs.values()))

    @property
    def running(self) -> int:
        """How many are under way."""
        return sum(job.running for job in self._jobs.values())

    async def busy(self, most_s: float) -> bool:
        """Tell whether something is under way, after a while or the last one's end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=most_s)
        return bool(self._tasks)

    def say(self, text: str) -> None:
        """Add a line to the log, with its time."""
        self.log.append(f"[{datetime.now().astimezone():%H:%M:%S}] {text}")
        for read in tuple(self.readers):
            read()

    def start(self, drafts: Sequence[Draft], *, unlimited: bool = False) -> list[Job]:
        """Order drafts (paid) and render them; what is under way is not doubled.

        Args:
            drafts: As they are saved.
            unlimited: Somebody agreed to spend more than the limits say.
        """
        settings = self._shared.settings
        chosen = {draft.id: settings_for(draft, settings) for draft in drafts}
        wanted = [Job(draft, _revision(draft, chosen[draft.id])) for draft in drafts]
        keys = [(job.draft.id, job.revision) for job in wanted]
        new = [
            job
            for key, job in zip(keys, wanted, strict=True)
            if not (key in self._jobs and self._jobs[key].running)
        ]
        if unlimited:
            chosen = {key: without_limits(one) for key, one in chosen.items()}
        ordering = self._task(self._order(new, chosen))
        for job in new:
            self._run(job, ordering)
        return [self._jobs[key] for key in keys]

    async def _order(self, jobs: Sequence[Job], chosen: dict[str, Settings]) -> None:
        settings = self._shared.settings
        wanted = [
            ToRender(job.draft, chosen[job.draft.id], partial(self._hear, job))
            for job in jobs
        ]
        async with self._shared.account() as account:
            send = settings.telegram_auto_send
            chat_id = Posting(settings, account).chat_id if send else None
            ordered = await order_all(account, wanted, send_to=chat_id or None)
            for job, item in zip(jobs, ordered, strict=True):
                if isinstance(item, str):
                    job.render_id = item
                else:
                    backend = account.payer.backend
                    job.outcome = Outcome.of_error(job.draft.id, backend, item)
        self._shared.tell("renders")

    def go_on(self, job: Job) -> None:
        """Wait again for a job that was stopped; try one again that ended unpaid."""
        if job.running:
            return
        ended = job.outcome is not None and job.outcome.status in ("failed", "rejected")
        if job.render_id is None or ended:
            self._jobs.pop((job.draft.id, job.revision), None)
            self.start([job.draft])
        else:
            self._run(Job(job.draft, job.revision, job.render_id))

    def take_up(self) -> None:
        """Go on with all that the ledger knows to be unfinished."""
        if self._taking_up is None or self._taking_up.done():
            self._taking_up = self._task(self._take_up())

    def _run(self, job: Job, ordering: asyncio.Task[None] | None = None) -> None:
        self._jobs.pop((job.draft.id, job.revision), None)
        self._jobs[job.draft.id, job.revision] = job
        job.task = self._task(self._finish(job, ordering))
        self._shared.tell("jobs")

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self, job: Job) -> None:
        """Stop waiting; what is paid goes on at HeyGen and can be taken up again."""
        if job.task:
            job.task.cancel()

    def forget(self, job: Job) -> None:
        """Take an ended job off the list."""
        if not job.running:
            self._jobs.pop((job.draft.id, job.revision), None)
            self._shared.tell("jobs")

    def update(self, outcome: Outcome) -> None:
        """Take in what was done with a video since its render had ended."""
        for job in self._jobs.values():
            if job.render_id == outcome.render_id and job.outcome:
                job.outcome = outcome
        self._shared.tell("jobs")
        self._shared.tell("renders")

    async def close(self) -> None:
        """Stop waiting for all of them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(self, job: Job, ordering: asyncio.Task[None] | None) -> None:
        try:
            if ordering:
                await asyncio.shield(ordering)
            if job.outcome is None:
                await self._finish_ordered(job, asked_now=ordering is not None)
        except HeygenNbError as error:  # the account itself did not open
            job.outcome = Outcome.of_error(job.draft.id, "", error)
        except asyncio.CancelledError:
            job.stopped = True
            self.say(_("✋ Stopped waiting for #{id}").format(id=job.draft.id))
            raise
        finally:
            if job.outcome and job.outcome.error:
                self.say(f"❌ {job.outcome.error.message}")
            self._shared.tell("jobs")
            self._shared.tell("renders")

    async def _finish_ordered(self, job: Job, *, asked_now: bool) -> None:
        async with self._shared.account() as account:
            row = await asyncio.to_thread(account.ledger.render, str(job.render_id))
            settings, hear = self._shared.settings, partial(self._hear, job)
            posting = Posting(settings, account) if row.send_to else None
            at = None if asked_now else row.created_at
            ended = await finish_row(account, row, settings, posting, hear, asked_at=at)
            videos = account.videos
            line = await asyncio.to_thread(line_by_id, account.ledger, videos, row.id)
        # only now: whoever sees it may close everything, and this is closed before
        job.outcome = line.model_copy(update=dict(ended))

    async def _take_up(self) -> None:
        try:
            async with self._shared.account() as account:
                rows = await asyncio.to_thread(
                    account.ledger.history.unfinished, account.payer
                )
                for row in rows:
                    known = self._jobs.get((row.draft_id, row.revision))
                    if not (known and known.running):
                        self._run(Job(Draft.of(row), row.revision, row.id))
                jobs = [job for job in self.all if job.running]
                tasks = [job.task for job in jobs if job.task]
                await asyncio.gather(*tasks, return_exceptions=True)
                handled = {job.outcome.post_id for job in jobs if job.outcome}
                posting = Posting(self._shared.settings, account)
                await take_up_posts(account, posting, handled)
        except HeygenNbError as error:
            self.say(f"❌ {error.message}")

    def _hear(self, job: Job, progress: Progress) -> None:
        job.hear(progress)
        several = self.running > 1 and f"#{job.draft.id}" not in progress.message
        self.say(f"#{job.draft.id} {progress.message}" if several else progress.message)


def _revision(draft: Draft, settings: Settings) -> str:
    return revision_of(picture_and_sound(draft, settings))
