"""One open connection for a command or a panel: render drafts and post them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from heygen_nb.errors import ApiError, DownloadError, HeygenNbError, LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.money import Limits
from heygen_nb.posting import Posting
from heygen_nb.renderer import (
    Job,
    Many,
    Pace,
    draft_settings,
    effective_settings,
    open_renderer,
)
from heygen_nb.workflow.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.ledger import RenderRow
    from heygen_nb.models import Draft, Video
    from heygen_nb.renderer import Plan, ProgressCallback, Renderer


class Session:
    """Joins renderer and chat; failures become outcomes, one a draft.

    Args:
        settings: Of the home folder.
        renderer: For the account of these settings.
    """

    def __init__(self, settings: Settings, renderer: Renderer) -> None:
        self.settings = settings
        self.renderer = renderer
        self.posting = Posting(settings, renderer)

    async def render_all(
        self,
        drafts: Sequence[Draft],
        *,
        send: bool,
        again: bool = False,
        progress: Callable[[Draft], ProgressCallback] | None = None,
    ) -> list[Outcome]:
        """Render drafts side by side; a wrong key or an empty balance stops the rest.

        Args:
            drafts: What to render.
            send: Post each finished video.
            again: Pay for new videos of unchanged drafts.
            progress: Gives each draft its callback.

        Returns:
            An outcome a draft, in their order.
        """
        waits = await self.begin_all(drafts, send=send, again=again, progress=progress)
        return await asyncio.gather(*(wait() for wait in waits))

    async def begin_all(
        self,
        drafts: Sequence[Draft],
        *,
        send: bool,
        again: bool = False,
        progress: Callable[[Draft], ProgressCallback] | None = None,
    ) -> list[Callable[[], Awaitable[Outcome]]]:
        """Plan drafts, and send them if they go together; see :meth:`render_all`.

        Returns:
            For each draft what takes it the rest of the way.
        """
        many = Many(self.renderer)
        jobs = [
            Job(draft, self.settings_for(draft), progress(draft) if progress else None)
            for draft in drafts
        ]
        rows = await many.plan(
            jobs, again=again, send_to=self.posting.chat_id or None if send else None
        )

        async def one(job: Job, row: RenderRow | HeygenNbError) -> Outcome:
            made = await many.finish(row, Pace.of(job.settings), job.progress)
            if isinstance(made, HeygenNbError):
                known = None if isinstance(row, HeygenNbError) else row
                return self.failed(job.draft.id, made, known)
            if not send:
                return Outcome.of_video(made)
            return await self.posted(made, job.draft.caption, job.progress)

        return [partial(one, job, row) for job, row in zip(jobs, rows, strict=True)]

    async def quote_all(
        self, drafts: Sequence[Draft], *, again: bool = False
    ) -> list[Plan]:
        """Return what will be used and paid, without the drafts that cost nothing."""
        plans = [
            await self.renderer.planner.quote(
                draft, self.settings_for(draft), again=again
            )
            for draft in drafts
        ]
        return [plan for plan in plans if plan]

    async def speak(self, draft: Draft) -> Path:
        """Have a draft's speech made (paid, once); return the sound.

        With ``length_mode: exact`` the video is then made of that very sound.

        Raises:
            DownloadError: It lies at HeyGen, and its sound was deleted here.
            HeygenNbError: It could not be made, or would cost too much.
        """
        settings = self.settings_for(draft)
        path = (await self.renderer.planner.speak(draft, settings)).path
        if not path.exists():
            raise DownloadError(
                _(
                    "The sound {file} was deleted; the speech itself is not lost."
                ).format(file=path.name),
                video_id="",
                hint=_("Render the draft: what was paid for is used."),
            )
        return path

    async def next_unpaid(
        self, drafts: Sequence[Draft], *, again: bool = False
    ) -> Plan | None:
        """Return the plan of the first draft that is not rendered; None if all are."""
        for draft in drafts:
            if plans := await self.quote_all([draft], again=again):
                return plans[0]
        return None

    async def over_limit(self, plans: Sequence[Plan]) -> LimitError | None:
        """Return what rendering these would pass; None if it is within all limits."""
        spent = await self.renderer.planner.spent_today()
        for plan in plans:
            quote = plan.quote
            try:
                Limits.of(self.settings).check(quote.at_most, spent, quote.currency)
            except LimitError as error:
                return error
            spent += quote.at_most
        return None

    def lift_limits(self) -> None:
        """Spend what it takes from now on: a person was asked and agreed."""
        unlimited = {"max_cost_per_render": 0.0, "max_cost_per_day": 0.0}
        self.settings = self.settings.model_copy(update=unlimited)

    async def balance(self) -> tuple[float, str] | None:
        """Return what is left at HeyGen and its unit; None when it is not told."""
        try:
            return (await self.renderer.client.me()).balance
        except ApiError:
            return None  # a quote is worth showing without it

    def settings_for(self, draft: Draft) -> Settings:
        """Return the settings with VIDEO_CONFIG and the draft's own wishes."""
        return draft_settings(draft, effective_settings(self.settings))

    async def posted(
        self, video: Video, caption: str, progress: ProgressCallback | None = None
    ) -> Outcome:
        """Post a finished video; return both as one outcome."""
        outcome = Outcome.of_video(video)
        try:
            post = await self.posting.send(video, caption, progress=progress)
        except HeygenNbError as error:
            return outcome.not_posted(error)
        return outcome.posted(post)

    def failed(
        self, draft_id: str, error: HeygenNbError, row: RenderRow | None = None
    ) -> Outcome:
        """Return an error as an outcome."""
        return Outcome.of_error(draft_id, self.renderer.account.backend, error, row)


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[Session]:
    """Open everything for one account, and close it at the end."""
    async with open_renderer(settings) as renderer:
        yield Session(settings, renderer)
