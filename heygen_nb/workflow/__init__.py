"""The one place that joins the services: render, post and preview drafts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.config import load_settings
from heygen_nb.renderer import draft_settings, effective_settings
from heygen_nb.workflow.figures import analytics
from heygen_nb.workflow.history import HistoryLine, export_history, history_lines
from heygen_nb.workflow.outcome import Failure, Outcome
from heygen_nb.workflow.resumption import Resumption, adopt, pay_again
from heygen_nb.workflow.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from heygen_nb.config import Settings
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Draft, Post, Video
    from heygen_nb.renderer import ProgressCallback

__all__ = [
    "Failure",
    "HistoryLine",
    "Outcome",
    "Resumption",
    "Session",
    "adopt",
    "analytics",
    "export_history",
    "history_lines",
    "open_session",
    "pay_again",
    "preview_batch",
    "preview_draft",
    "resume",
    "send_video",
]


async def send_video(
    video: Video,
    caption: str = "",
    *,
    again: bool = False,
    settings: Settings | None = None,
) -> Post:
    """Post a video to the Telegram chat of the settings.

    A sandbox video goes to the sandbox's chat only. What is in the chat already is
    not posted again.

    Args:
        video: It is downloaded first if needed.
        caption: Plain text; over 1,024 characters it goes on in a second message.
        again: Post even if it is in the chat already, or may be.
        settings: By default read from home.

    Raises:
        DeliveryError: It is surely not in the chat.
        DeliveryUnsureError: Telegram's answer was lost: it may be there.
    """
    async with open_session(settings or load_settings()) as session:
        return await session.posting.send(video, caption, again=again)


async def resume(
    progress_callback: ProgressCallback | None = None,
    *,
    settings: Settings | None = None,
) -> list[Outcome]:
    """Take up every render and post of this account that is not finished.

    Lost answers are settled, renders waited for, files downloaded, and posts sent
    that were asked for within a day. Nothing is paid or posted twice, however often
    and from however many places it is called.

    Args:
        progress_callback: Gets the lines of all renders.
        settings: By default read from home.

    Returns:
        An outcome for each; ``unknown`` and ``unsure`` are left to a person.
    """
    async with open_session(settings or load_settings()) as session:
        callback = progress_callback
        found = Resumption(session, (lambda _draft: callback) if callback else None)
        return await found.run()


async def preview_draft(
    draft: Draft,
    output: str | Path | None = None,
    *,
    settings: Settings | None = None,
) -> Path:
    """Make a local animatic of a draft, free and in seconds.

    Args:
        draft: What is said.
        output: The MP4, by default ``previews/<id>.mp4`` in home; SRT and JPEG are
            put beside it.
        settings: By default read from home.

    Returns:
        The MP4.

    Raises:
        DraftError: The script cannot be spoken.
        PreviewError: The video could not be made.
    """
    settings = settings or load_settings()
    from heygen_nb.renderer import animatic  # noqa: PLC0415 - 40 MB of codecs

    target = Path(
        output or settings.home / animatic.PREVIEWS / f"{draft.id}.mp4"
    ).absolute()
    chosen = draft_settings(draft, effective_settings(settings))
    return (await animatic.preview(draft, chosen, target)).path


async def preview_batch(
    drafts: Sequence[Draft],
    executor: Executor | None = None,
    *,
    settings: Settings | None = None,
) -> list[Path | HeygenNbError]:
    """Make local animatics of many drafts side by side.

    Args:
        drafts: What is said.
        executor: Where they are rendered: any executor that shares this disk, such
            as Dask's ``client.get_executor()``; by default a process for each core.
        settings: By default read from home.

    Returns:
        The MP4 in ``previews/`` or the error of each draft, in their order.
    """
    from heygen_nb.renderer import animatic  # noqa: PLC0415 - 40 MB of codecs

    settings = settings or load_settings()
    folder = (settings.home / animatic.PREVIEWS).absolute()
    return await animatic.preview_many(drafts, settings, folder, executor)
