"""Renders that go on in the background of a notebook, and what they said so far."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Video
from heygen_nb.workflow.outcome import Outcome
from heygen_nb.workflow.resumption import Resumption

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from heygen_nb.ledger import RenderRow
    from heygen_nb.models import Progress
    from heygen_nb.workflow.session import Session

LOG_LINES = 50


class Job:
    """One draft on its way to a video.

    Attributes:
        draft: What is rendered.
        revision: Tells one draft's renders apart.
        send: Whether the video is posted when it is there.
        unlimited: Somebody agreed to spend more than the limits say.
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
        unlimited: bool = False,
    ) -> None:
        self.draft = draft
        self.revision = revision
        self.send = send
        self.unlimited = unlimited
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
        sessions: Opens a session, or joins the open one.
        tell: Called with ``jobs`` or ``log`` when there is something to show.
    """

    def __init__(
        self,
        sessions: Callable[[], AbstractAsyncContextManager[Session]],
        tell: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self._tell = tell
        self._jobs: dict[tuple[str, str], Job] = {}
        self._taking_up: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[Any]] = set()
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
        self, draft: Draft, revision: str, *, send: bool, unlimited: bool = False
    ) -> Job:
        """Render a draft in the background; one that is under way is not doubled."""
        known = self._jobs.get((draft.id, revision))
        if known and known.running:
            return known
        job = Job(draft, revision, send=send, unlimited=unlimited)
        return self._run(job, self._render)

    def start_all(
        self, drafts: Sequence[tuple[Draft, str]], *, send: bool, unlimited: bool
    ) -> list[Job]:
        """Render drafts with their revisions together, as few requests as can be."""
        jobs = [
            Job(draft, revision, send=send, unlimited=unlimited)
            for draft, revision in drafts
            if not ((known := self._jobs.get((draft.id, revision))) and known.running)
        ]
        beginning = self._begin_all(jobs, send=send, unlimited=unlimited)
        sending = asyncio.get_running_loop().create_task(beginning)
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

        async def finish(job: Job, _session: Session) -> Outcome:
            waits = await asyncio.shield(sending)
            return await waits[job]()

        return [self._run(job, finish) for job in jobs]

    async def _begin_all(
        self, jobs: Sequence[Job], *, send: bool, unlimited: bool
    ) -> dict[Job, Callable[[], Awaitable[Outcome]]]:
        by_draft = {job.draft.id: job for job in jobs}
        async with self._sessions() as session:
            if unlimited:
                session.lift_limits()
            waits = await session.begin_all(
                [job.draft for job in jobs],
                send=send,
                progress=lambda draft: partial(self._hear, by_draft[draft.id]),
            )
        return dict(zip(jobs, waits, strict=True))

    def go_on(self, job: Job) -> None:
        """Wait again for a job that was stopped, or try it again."""
        if not job.running:
            self._run(Job(job.draft, job.revision, send=job.send), self._render)

    def take_up(self) -> None:
        """Go on with all that the ledger knows to be unfinished."""
        if self._taking_up is None or self._taking_up.done():
            loop = asyncio.get_running_loop()
            self._taking_up = loop.create_task(self._take_up())

    def _run(self, job: Job, work: Callable[[Job, Session], Awaitable[Outcome]]) -> Job:
        self._jobs.pop((job.draft.id, job.revision), None)
        self._jobs[job.draft.id, job.revision] = job
        running = self._guarded(job, work)
        job.task = asyncio.get_running_loop().create_task(running)
        self._tell("jobs")
        return job

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
            async with self._sessions() as session:
                hear = partial(self._hear, job)
                video = video_of(outcome)
                post = await session.posting.send(
                    video, caption, again=again, progress=hear
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
        jobs = (job.task for job in self._jobs.values() if job.task)
        tasks: list[asyncio.Task[Any]] = [*self._sending, *jobs]
        tasks += [self._taking_up] if self._taking_up else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(
        self, job: Job, work: Callable[[Job, Session], Awaitable[Outcome]]
    ) -> None:
        try:
            async with self._sessions() as session:
                job.outcome = await work(job, session)
        except HeygenNbError as error:  # the session itself did not open
            job.outcome = Outcome.of_error(job.draft.id, "", error)
        except asyncio.CancelledError:
            job.stopped = True
            self.say(_("✋ Stopped waiting for #{id}").format(id=job.draft.id))
            raise
        finally:
            if job.outcome and job.outcome.error:
                self.say(f"❌ {job.outcome.error.message}")
            self._tell("jobs")

    async def _render(self, job: Job, session: Session) -> Outcome:
        hear = partial(self._hear, job)
        if job.unlimited:
            session.lift_limits()
        (outcome,) = await session.render_all(
            [job.draft], send=job.send, progress=lambda _draft: hear
        )
        return outcome

    async def _take_up(self) -> None:
        try:
            async with self._sessions() as session:
                renderer = session.renderer
                rows = await asyncio.to_thread(
                    renderer.ledger.history.unfinished, renderer.account
                )
                jobs = [job for row in rows if (job := self._resume(row))]
                tasks = [job.task for job in jobs if job.task]
                await asyncio.gather(*tasks, return_exceptions=True)
                handled = {job.outcome.post_id for job in jobs if job.outcome}
                await Resumption(session).posts(handled)
        except HeygenNbError as error:
            self.say(f"❌ {error.message}")

    def _resume(self, row: RenderRow) -> Job | None:
        known = self._jobs.get((row.draft_id, row.revision))
        if known and known.running:
            return None
        draft = Draft(
            id=row.draft_id, script=row.script, caption=row.caption, title=row.title
        )
        job = Job(draft, row.revision, send=row.send_to is not None)

        async def finish(job: Job, session: Session) -> Outcome:
            hear = partial(self._hear, job)
            return await Resumption(session, lambda _draft: hear).finish(row)

        return self._run(job, finish)

    def _hear(self, job: Job, progress: Progress) -> None:
        job.hear(progress)
        several = self.running > 1 and f"#{job.draft.id}" not in progress.message
        self.say(f"#{job.draft.id} {progress.message}" if several else progress.message)


def video_of(outcome: Outcome) -> Video:
    """Return the finished video that an outcome tells of."""
    known = outcome.model_dump(include=set(Video.model_fields), exclude={"status"})
    texts = {key: known[key] or "" for key in ("video_id", "render_id", "revision")}
    return Video.model_validate({**known, **texts, "status": "completed"})
