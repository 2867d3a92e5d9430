"""Renders that go on in the background of a notebook, and what they said so far."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Video
from heygen_nb.workflow.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from heygen_nb.models import Draft, Progress
    from heygen_nb.workflow.outcome import Failure
    from heygen_nb.workflow.session import Session

LOG_LINES = 50


class Job:
    """One draft on its way to a video.

    Attributes:
        draft: What is rendered.
        send: Whether the video is posted when it is there.
        progress: The latest news; None before the first.
        outcome: What became of it; None as long as it is under way.
        stopped: Waiting was stopped; the render at HeyGen goes on.
        sending: Its video is being posted right now.
    """

    def __init__(self, draft: Draft, *, send: bool) -> None:
        self.draft = draft
        self.send = send
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
        self._jobs: dict[str, Job] = {}
        self.log: deque[str] = deque(maxlen=LOG_LINES)

    @property
    def all(self) -> list[Job]:
        """The jobs, newest first; one a draft."""
        return list(reversed(self._jobs.values()))

    @property
    def running(self) -> int:
        """How many are under way."""
        return sum(job.running for job in self._jobs.values())

    def say(self, text: str) -> None:
        """Add a line to the log, with its time."""
        self.log.append(f"[{datetime.now().astimezone():%H:%M:%S}] {text}")
        self._tell("log")

    def start(self, draft: Draft, *, send: bool, again: bool = False) -> Job:
        """Render a draft in the background; one that is under way is not doubled."""
        job = self._jobs.pop(draft.id, None)
        if job is None or not job.running:
            job = Job(draft, send=send)
            work = self._run(job, again=again)
            job.task = asyncio.get_running_loop().create_task(work)
        self._jobs[draft.id] = job
        self._tell("jobs")
        return job

    def stop(self, job: Job) -> None:
        """Stop waiting; what is paid goes on at HeyGen and can be taken up again."""
        if job.task:
            job.task.cancel()

    def forget(self, job: Job) -> None:
        """Take an ended job off the list."""
        if not job.running:
            self._jobs.pop(job.draft.id, None)
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
                post = await session.send(video, caption, again=again, progress=hear)
            job.outcome = outcome.posted(post)
        except HeygenNbError as error:
            job.outcome = outcome.not_posted(error)
            self._say_failure(job.outcome.error)
        finally:
            job.sending = False
            self._tell("jobs")

    async def close(self) -> None:
        """Stop waiting for all of them."""
        tasks = [job.task for job in self._jobs.values() if job.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Job, *, again: bool) -> None:
        try:
            async with self._sessions() as session:
                (job.outcome,) = await session.render_all(
                    [job.draft],
                    send=job.send,
                    again=again,
                    progress=lambda _draft: partial(self._hear, job),
                )
        except HeygenNbError as error:  # the session itself did not open
            job.outcome = Outcome.of_error(job.draft, "", error)
        except asyncio.CancelledError:
            job.stopped = True
            self.say(_("✋ Stopped waiting for #{id}").format(id=job.draft.id))
            raise
        finally:
            if job.outcome:
                self._say_failure(job.outcome.error)
            self._tell("jobs")

    def _hear(self, job: Job, progress: Progress) -> None:
        job.hear(progress)
        several = self.running > 1 and f"#{job.draft.id}" not in progress.message
        self.say(f"#{job.draft.id} {progress.message}" if several else progress.message)

    def _say_failure(self, failure: Failure | None) -> None:
        if failure:
            self.say(f"❌ {failure.message}")


def video_of(outcome: Outcome) -> Video:
    """Return the finished video that an outcome tells of."""
    known = outcome.model_dump(include=set(Video.model_fields), exclude={"status"})
    texts = {key: known[key] or "" for key in ("video_id", "render_id", "revision")}
    return Video.model_validate({**known, **texts, "status": "completed"})
