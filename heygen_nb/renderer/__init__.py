"""Rendering drafts: ``create_video``, ``wait_video``, ``download_video`` and all three.

A call opens what it needs and closes it again; to share one connection, as panels
and commands do, use :func:`open_renderer`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from heygen_nb.config import Settings, load_settings
from heygen_nb.errors import HeygenNbError
from heygen_nb.models import Video
from heygen_nb.renderer.account import Connection, connect, open_renderer
from heygen_nb.renderer.advance import Renderer
from heygen_nb.renderer.order import Job, Many
from heygen_nb.renderer.request import Plan, draft_settings
from heygen_nb.renderer.tell import ProgressCallback
from heygen_nb.renderer.video_config import (
    VIDEO_CONFIG,
    effective_settings,
    reset_video_config,
    update_video_config,
)
from heygen_nb.renderer.wait import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heygen_nb.models import Backend, Draft

__all__ = [
    "VIDEO_CONFIG",
    "Connection",
    "Job",
    "Many",
    "Pace",
    "Plan",
    "ProgressCallback",
    "Renderer",
    "connect",
    "create_video",
    "download_video",
    "draft_settings",
    "effective_settings",
    "open_renderer",
    "render_batch",
    "render_video",
    "reset_video_config",
    "update_video_config",
    "wait_video",
]


async def create_video(
    draft: Draft,
    *,
    config: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    again: bool = False,
    progress_callback: ProgressCallback | None = None,
) -> str:
    """Have HeyGen (or the sandbox) start rendering a draft.

    An unchanged draft that is rendered or on its way is not paid again.

    Args:
        draft: What to render.
        config: Laid over :data:`VIDEO_CONFIG` for this call.
        settings: By default read from home.
        again: Pay for another video of the same draft.
        progress_callback: Gets every log line as a Progress.

    Returns:
        The video id, for :func:`wait_video`.

    Raises:
        DraftError: The script cannot be spoken.
        ConfigError: A setting does not fit; nothing was sent.
        ApiError: HeyGen refused; ``charged`` tells whether it may cost.
        OutcomeUnknownError: HeyGen's answer was lost; a person has to look.
    """
    settings = settings or load_settings()
    async with open_renderer(settings) as renderer:
        row = await renderer.create(
            draft,
            _for_draft(draft, settings, config),
            again=again,
            progress=progress_callback,
        )
        return row.video_id or ""


async def wait_video(
    video_id: str,
    progress_callback: ProgressCallback | None = None,
    *,
    poll_interval_s: float | None = None,
    timeout_s: float | None = None,
    settings: Settings | None = None,
) -> Video:
    """Wait until a video is rendered.

    Args:
        video_id: From :func:`create_video`, or any of the account.
        progress_callback: Called after every look with a Progress; plain or async.
            What it raises is logged and stops nothing.
        poll_interval_s: Seconds between two looks, by default 10.
        timeout_s: Seconds after which waiting (not the render) stops, counted anew
            after the computer slept for more than ten minutes; by default
            900, from now.
        settings: By default read from home.

    Returns:
        The completed video, with links that expire; see :func:`download_video`.

    Raises:
        RenderFailedError: HeyGen could not render it.
        WaitTimeoutError: The time is up; the id is in the message.
    """
    settings = settings or load_settings()
    async with open_renderer(settings) as renderer:
        return await renderer.wait(
            video_id,
            progress=progress_callback,
            interval_s=poll_interval_s or settings.poll_interval_s,
            timeout_s=timeout_s or settings.wait_timeout_s,
        )


async def download_video(video: Video, *, settings: Settings | None = None) -> Video:
    """Bring the files of a completed video into the archive.

    Returns:
        The video with ``path``, ``subtitles`` and ``thumbnail``.

    Raises:
        DownloadError: Not everything could be fetched or stored; the video stays
            at HeyGen and can be fetched later.
    """
    async with open_renderer(settings or load_settings()) as renderer:
        return await renderer.download(video)


async def render_video(
    draft: Draft,
    progress_callback: ProgressCallback | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    again: bool = False,
) -> Video:
    """Create a video, wait for it and download it; it is never posted.

    See :func:`create_video`, :func:`wait_video` and :func:`download_video` for the
    arguments and for what is raised.
    """
    settings = settings or load_settings()
    async with open_renderer(settings) as renderer:
        return await renderer.render(
            draft,
            _for_draft(draft, settings, config),
            again=again,
            progress=progress_callback,
        )


async def render_batch(
    drafts: Sequence[Draft],
    progress_callback: ProgressCallback | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    again: bool = False,
) -> list[Video]:
    """Render many drafts; up to 100 go to HeyGen in one request.

    Args:
        drafts: What to render; an unchanged one that is rendered costs nothing.
        progress_callback: Gets the lines of all drafts, each with its ``#id``.
        config: Laid over :data:`VIDEO_CONFIG` for this call.
        settings: By default read from home.
        again: Pay for new videos of unchanged drafts.

    Returns:
        A video a draft, in their order. One that failed has the status ``failed``,
        or ``unknown`` when it may still come, and says why in ``failure_message``.
    """
    settings = settings or load_settings()

    jobs = [
        Job(
            draft,
            _for_draft(draft, settings, config),
            _with_id(draft, progress_callback),
        )
        for draft in drafts
    ]
    async with open_renderer(settings) as renderer:
        many = Many(renderer)
        rows = await many.plan(jobs, again=again)
        results = await asyncio.gather(
            *(
                many.finish(row, Pace.of(job.settings), job.progress)
                for job, row in zip(jobs, rows, strict=True)
            )
        )
        return [
            _not_made(draft, renderer.account.backend, result)
            if isinstance(result, HeygenNbError)
            else result
            for draft, result in zip(drafts, results, strict=True)
        ]


def _with_id(
    draft: Draft, callback: ProgressCallback | None
) -> ProgressCallback | None:
    if callback is None:
        return None
    return lambda progress: callback(
        progress.model_copy(update={"message": f"#{draft.id} {progress.message}"})
    )


def _not_made(draft: Draft, backend: Backend, error: HeygenNbError) -> Video:
    return Video(
        video_id=getattr(error, "video_id", ""),
        status="unknown" if error.charged is None else "failed",
        backend=backend,
        draft_id=draft.id,
        failure_code=error.code or type(error).__name__,
        failure_message=str(error),
    )


def _for_draft(
    draft: Draft, settings: Settings, config: Mapping[str, Any] | None
) -> Settings:
    return draft_settings(draft, effective_settings(settings, config))
