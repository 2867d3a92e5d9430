"""One open connection for a command or a panel: render drafts and post them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from heygen_nb.errors import (
    HeygenNbError,
    NotAuthorizedError,
    PaymentRequiredError,
)
from heygen_nb.renderer import (
    draft_settings,
    effective_settings,
    lines,
    open_renderer,
)
from heygen_nb.renderer.report import Report
from heygen_nb.workflow.outcome import Outcome
from heygen_nb.workflow.posting import open_chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.models import Draft, Post, Video
    from heygen_nb.renderer import Plan, ProgressCallback, Renderer

_STOPS_ALL = (NotAuthorizedError, PaymentRequiredError)


class Session:
    """Joins renderer and chat; failures become outcomes, one a draft.

    Args:
        settings: Of the home folder.
        renderer: For the account of these settings.
    """

    def __init__(self, settings: Settings, renderer: Renderer) -> None:
        self.settings = settings
        self.renderer = renderer

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
        stopped: list[HeygenNbError] = []
        turn = asyncio.Semaphore(self.settings.max_concurrent_renders)

        async def one(draft: Draft) -> Outcome:
            async with turn:
                if stopped:
                    return self._failed(draft, stopped[0])
                callback = progress(draft) if progress else None
                try:
                    video = await self.renderer.render(
                        draft,
                        self.settings_for(draft),
                        again=again,
                        progress=callback,
                    )
                except HeygenNbError as error:
                    if isinstance(error, _STOPS_ALL):
                        stopped.append(error)
                    return self._failed(draft, error)
                return await self._finish(draft, video, callback, send=send)

        return await asyncio.gather(*(one(draft) for draft in drafts))

    async def quote_all(
        self, drafts: Sequence[Draft], *, again: bool = False
    ) -> list[Plan]:
        """Return what will be used and paid, without the drafts that cost nothing."""
        plans = [
            await self.renderer.quote(draft, self.settings_for(draft), again=again)
            for draft in drafts
        ]
        return [plan for plan in plans if plan]

    def settings_for(self, draft: Draft) -> Settings:
        """Return the settings with VIDEO_CONFIG and the draft's own wishes."""
        return draft_settings(draft, effective_settings(self.settings))

    async def send(
        self,
        video: Video,
        caption: str,
        *,
        again: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Post:
        """Post a video, downloading it first if needed; see :meth:`Chat.send`."""
        if video.path is None:
            video = await self.renderer.archive.keep(video)
        sandbox = self.renderer.connection.sandbox
        async with open_chat(self.settings, self.renderer.ledger, sandbox) as chat:
            post = await chat.send(video, caption, again=again)
        await Report(progress, video.draft_id)("completed", lines.sent())
        return post

    async def _finish(
        self,
        draft: Draft,
        video: Video,
        callback: ProgressCallback | None,
        *,
        send: bool,
    ) -> Outcome:
        outcome = Outcome.of_video(video)
        if not send:
            return outcome
        try:
            post = await self.send(video, draft.caption, progress=callback)
        except HeygenNbError as error:
            return outcome.not_posted(error)
        return outcome.posted(post)

    def _failed(self, draft: Draft, error: HeygenNbError) -> Outcome:
        return Outcome.of_error(draft, self.renderer.account.backend, error)


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[Session]:
    """Open everything for one account, and close it at the end."""
    async with open_renderer(settings) as renderer:
        yield Session(settings, renderer)
