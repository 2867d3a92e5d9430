"""Renders that go on in the background of a notebook, and what they said so far."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from heygen_nb.api import (
    finish,
    finish_row,
    settings_for,
    take_up_posts,
    without_limits,
)
from heygen_nb.clock import Pace
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Video
from heygen_nb.posting import Posting
from heygen_nb.renderer.order import ToRender, order_all
from heygen_nb.reports import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from contextlib import AbstractAsyncContextManager

    from heygen_nb.config import Settings
    from heygen_nb.ledger import RenderRow
    from heygen_nb.models import Progress
    from heygen_nb.renderer.account import Account

LOG_LINES = 50
T = TypeVar("T")


class Job:
    """One draft on its way to a video.

    Attributes:
        draft: What is rendered.
        revision: Tells one draft's renders apart.
        send: Whether the video is posted when it is there.
        render_id: Which render; None until it is ordered.
        progress: The latest news; None before the first.
        outcome: What became of it; None as long as it is under way.
        stopped: Waiting was stopped; the render at HeyGen goes on.
        sending: Its video is being posted right now.
    """

    def __init__(
        self,
        draft: Draft,
        revision: str,
        *,
        send: bool = False,
        render_id: str | None = None,
    ) -> None:
        self.draft = draft
        self.revision = revision
        self.send = send
        self.render_id = render_id
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self.stopped = False
        self.sending = False
        self.task: asyncio.Task[None] | None = None
        self._begun = self._heard = time.monotonic()

    @property
    def running(self) -> bool:
        """Tell whether it is still under way."""
        return self.outcome is None and not self.stopped

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
        accounts: Opens the account, or joins the open one.
        settings: Gives what holds now.
        tell: Called with ``jobs`` or ``log`` when there is something to show.
    """

    def __init__(
        self,
        accounts: Callable[[], AbstractAsyncContextManager[Account]],
        settings: Callable[[], Settings],
        tell: Callable[[str], None],
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._tell = tell
        self._jobs: dict[tuple[str, str], Job] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._taking_up: asyncio.Task[None] | None = None
        self.log: deque[str] = deque(maxlen=LOG_LINES)

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
        self._tell("log")

    def start(
        self,
        drafts: Sequence[tuple[Draft, str]],
        *,
        send: bool,
        unlimited: bool = False,
    ) -> list[Job]:
        """Order drafts (paid) and render them; what is under way is not doubled.

        Args:
            drafts: Each with its revision.
            send: Post each finished video.
            unlimited: Somebody agreed to spend more than the limits say.
        """
        jobs = [
            Job(draft, revision, send=send)
            for draft, revision in drafts
            if not ((known := self._jobs.get((draft.id, revision))) and known.running)
        ]
        settings = without_limits(self._settings()) if unlimited else self._settings()
        ordering = self._task(self._order(jobs, settings))
        for job in jobs:
            self._run(job, ordering)
        return [self._jobs[draft.id, revision] for draft, revision in drafts]

    async def _order(
        self, jobs: Sequence[Job], settings: Settings
    ) -> dict[Job, str | HeygenNbError]:
        wanted = [
            ToRender(job.draft, settings_for(job.draft, settings), self._hearing(job))
            for job in jobs
        ]
        async with self._accounts() as account:
            chat_id = Posting(settings, account).chat_id or None
            send = any(job.send for job in jobs)
            ordered = await order_all(
                account, wanted, send_to=chat_id if send else None
            )
        for job, item in zip(jobs, ordered, strict=True):
            job.render_id = item if isinstance(item, str) else None
        return dict(zip(jobs, ordered, strict=True))

    def go_on(self, job: Job) -> None:
        """Wait again for a job that was stopped; try one again that ended unpaid."""
        if job.running:
            return
        ended = job.outcome is not None and job.outcome.status in ("failed", "rejected")
        if job.render_id is None or ended:
            self.start([(job.draft, job.revision)], send=job.send)
            return
        self._run(Job(job.draft, job.revision, send=job.send, render_id=job.render_id))

    def take_up(self) -> None:
        """Go on with all that the ledger knows to be unfinished."""
        if self._taking_up is None or self._taking_up.done():
            self._taking_up = self._task(self._take_up())

    def _run(
        self,
        job: Job,
        ordering: asyncio.Task[dict[Job, str | HeygenNbError]] | None = None,
    ) -> None:
        self._jobs.pop((job.draft.id, job.revision), None)
        self._jobs[job.draft.id, job.revision] = job
        job.task = self._task(self._finish(job, ordering))
        self._tell("jobs")

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
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
            self._tell("jobs")

    async def send(self, job: Job, caption: str, *, again: bool = False) -> None:
        """Post the finished video of a job.

        Raises:
            DeliveryError: It is not in the chat, or may be.
        """
        outcome = job.outcome
        if outcome is None or outcome.path is None or job.sending:
            return
        job.sending = True
        self._tell("jobs")
        try:
            async with self._accounts() as account:
                post = await Posting(self._settings(), account).send(
                    video_of(outcome), caption, again=again, progress=self._hearing(job)
                )
            job.outcome = outcome.posted(post)
        except HeygenNbError as error:
            job.outcome = outcome.not_posted(error)
            self.say(f"❌ {error.message}")
        finally:
            job.sending = False
            self._tell("jobs")

    async def close(self) -> None:
        """Stop waiting for all of them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(
        self, job: Job, ordering: asyncio.Task[dict[Job, str | HeygenNbError]] | None
    ) -> None:
        try:
            async with self._accounts() as account:
                if ordering:
                    ordered = (await asyncio.shield(ordering))[job]
                    job.outcome = await self._finish_ordered(account, job, ordered)
                else:
                    row = await asyncio.to_thread(
                        account.ledger.render, str(job.render_id)
                    )
                    posting = Posting(self._settings(), account)
                    job.outcome = await finish_row(
                        account, row, posting, self._hearing(job)
                    )
        except HeygenNbError as error:  # the account itself did not open
            job.outcome = Outcome.of_error(job.draft.id, "", error)
        except asyncio.CancelledError:
            job.stopped = True
            self.say(_("✋ Stopped waiting for #{id}").format(id=job.draft.id))
            raise
        finally:
            if job.outcome and job.outcome.error:
                self.say(f"❌ {job.outcome.error.message}")
            self._tell("jobs")

    async def _finish_ordered(
        self, account: Account, job: Job, ordered: str | HeygenNbError
    ) -> Outcome:
        settings, hear = self._settings(), self._hearing(job)
        post = partial(
            Posting(settings, account).send, caption=job.draft.caption, progress=hear
        )
        pace = Pace.of(settings)
        return await finish(
            account, ordered, job.draft.id, pace, hear, post=post if job.send else None
        )

    async def _take_up(self) -> None:
        try:
            async with self._accounts() as account:
                rows = await asyncio.to_thread(
                    account.ledger.history.unfinished, account.payer
                )
                jobs = [job for row in rows if (job := self._resume(row))]
                tasks = [job.task for job in jobs if job.task]
                await asyncio.gather(*tasks, return_exceptions=True)
                handled = {job.outcome.post_id for job in jobs if job.outcome}
                posting = Posting(self._settings(), account)
                await take_up_posts(account, posting, handled)
        except HeygenNbError as error:
            self.say(f"❌ {error.message}")

    def _resume(self, row: RenderRow) -> Job | None:
        known = self._jobs.get((row.draft_id, row.revision))
        if known and known.running:
            return None
        job = Job(
            Draft.of(row), row.revision, send=row.send_to is not None, render_id=row.id
        )
        self._run(job)
        return job

    def _hearing(self, job: Job) -> Callable[[Progress], None]:
        return partial(self._hear, job)

    def _hear(self, job: Job, progress: Progress) -> None:
        job.hear(progress)
        several = self.running > 1 and f"#{job.draft.id}" not in progress.message
        self.say(f"#{job.draft.id} {progress.message}" if several else progress.message)


def video_of(outcome: Outcome) -> Video:
    """Return the finished video that an outcome tells of."""
    known = outcome.model_dump(include=set(Video.model_fields), exclude={"status"})
    texts = {key: known[key] or "" for key in ("video_id", "render_id", "revision")}
    return Video.model_validate({**known, **texts, "status": "completed"})
