"""Renders that go on in the background of a notebook, and what they said so far."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
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


@dataclass(eq=False)
class Job:
    """One draft on its way to a video.

    Attributes:
        draft: What is rendered.
        revision: Tells one draft's renders apart.
        render_id: Which render; None until it is ordered.
        progress: The latest news; None before the first.
        outcome: What became of it; None as long as it is under way.
        stopped: Waiting was stopped; the render at HeyGen goes on.
        begun_at: By the monotonic clock, as is ``heard_at``, the time of that news.
    """

    draft: Draft
    revision: str
    render_id: str | None = None
    progress: Progress | None = None
    outcome: Outcome | None = None
    stopped: bool = False
    task: asyncio.Task[None] | None = None
    begun_at: float = field(default_factory=time.monotonic)
    heard_at: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """What at most one job on the list has."""
        return self.draft.id, self.revision

    @property
    def running(self) -> bool:
        """Tell whether it is still under way."""
        return self.outcome is None and not self.stopped

    @property
    def failed(self) -> bool:
        """Tell whether there is no video, and another try may bring one."""
        outcome, ended = self.outcome, ("failed", "rejected", "completed")
        return outcome is not None and outcome.status in ended and not outcome.path

    @property
    def elapsed_s(self) -> float:
        """Seconds since the video was submitted, as far as known; never a request."""
        if self.progress and self.progress.elapsed_s:
            return self.progress.elapsed_s + self._silence_s
        return time.monotonic() - self.begun_at

    @property
    def eta_s(self) -> float | None:
        """Expected seconds to go."""
        if self.progress is None or self.progress.eta_s is None:
            return None
        return max(0.0, self.progress.eta_s - self._silence_s)

    @property
    def _silence_s(self) -> float:
        return time.monotonic() - self.heard_at if self.running else 0.0


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
        jobs, new = [], {}
        for draft in drafts:
            own = settings_for(draft, self._shared.settings)
            job = Job(draft, revision_of(picture_and_sound(draft, own)))
            known = self._jobs.get(job.key)
            if known and known.running:
                job = known
            else:
                new[job] = without_limits(own) if unlimited else own
            jobs.append(job)
        ordering = self._task(self._order(new))
        for job in new:
            self._run(job, ordering)
        return jobs

    async def _order(self, new: dict[Job, Settings]) -> None:
        settings = self._shared.settings
        wanted = [
            ToRender(job.draft, own, partial(self._hear, job))
            for job, own in new.items()
        ]
        async with self._shared.account() as account:
            send = settings.telegram_auto_send
            chat_id = Posting(settings, account).chat_id if send else None
            ordered = await order_all(account, wanted, send_to=chat_id or None)
            for job, item in zip(new, ordered, strict=True):
                if isinstance(item, str):
                    job.render_id = item
                else:
                    backend = account.payer.backend
                    job.outcome = Outcome.of_error(job.draft.id, backend, item)
        self._shared.tell("renders")

    async def go_on(self, job: Job) -> None:
        """Wait again for a job that was stopped; try one again that ended unpaid."""
        if job.running:
            return
        ended = job.outcome is not None and job.outcome.status in ("failed", "rejected")
        if job.render_id is None or ended:
            self._jobs.pop(job.key, None)
            self.start([job.draft])
        else:
            self._run(Job(job.draft, job.revision, job.render_id))

    def take_up(self) -> None:
        """Go on with all that the ledger knows to be unfinished."""
        if self._taking_up is None or self._taking_up.done():
            self._taking_up = self._task(self._take_up())

    def _run(self, job: Job, ordering: asyncio.Task[None] | None = None) -> None:
        self._jobs.pop(job.key, None)
        self._jobs[job.key] = job
        job.task = self._task(self._finish(job, ordering))
        self._shared.tell("jobs")

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self, job: Job) -> None:
        """Stop waiting; what is paid goes on at HeyGen and can be taken up again."""
        if job.task:
            job.task.cancel()

    async def forget(self, job: Job) -> None:
        """Take an ended job off the list."""
        if not job.running:
            self._jobs.pop(job.key, None)
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
        shared, hear = self._shared, partial(self._hear, job)
        try:
            if ordering:
                await asyncio.shield(ordering)
            if job.outcome is None:
                async with shared.account() as account:
                    ledger, videos = account.ledger, account.videos
                    row = await asyncio.to_thread(ledger.render, str(job.render_id))
                    posting = Posting(shared.settings, account) if row.send_to else None
                    at = None if ordering else row.created_at
                    ended = await finish_row(
                        account, row, shared.settings, posting, hear, asked_at=at
                    )
                    line = await asyncio.to_thread(line_by_id, ledger, videos, row.id)
                # only now: whoever sees it may close everything
                job.outcome = line.model_copy(update=dict(ended))
        except HeygenNbError as error:  # the account itself did not open
            job.outcome = Outcome.of_error(job.draft.id, "", error)
        except asyncio.CancelledError:
            job.stopped = True
            self.say(_("✋ Stopped waiting for #{id}").format(id=job.draft.id))
            raise
        finally:
            if job.outcome and job.outcome.error:
                self.say(f"❌ {job.outcome.error.message}")
            shared.tell("jobs")
            shared.tell("renders")

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
        job.progress, job.heard_at = progress, time.monotonic()
        several = self.running > 1 and f"#{job.draft.id}" not in progress.message
        self.say(f"#{job.draft.id} {progress.message}" if several else progress.message)
