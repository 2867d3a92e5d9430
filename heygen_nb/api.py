"""The awaitable functions of the public names, and what commands and panels share.

A call opens what it needs and closes it again; to share one account, as panels and
commands do, use :func:`heygen_nb.renderer.account.open_account`.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from heygen_nb import finishing, models, preview
from heygen_nb.clock import Pace
from heygen_nb.config import Settings, load_settings
from heygen_nb.errors import HeygenNbError, PreviewError
from heygen_nb.files import file_stem
from heygen_nb.ledger import NO_CREDIT, RenderRow
from heygen_nb.log import ProgressCallback
from heygen_nb.models import AspectRatio, Avatar, Draft, Outcome, Post, Video, Voice
from heygen_nb.posting import Posting
from heygen_nb.processes import Processes
from heygen_nb.renderer import animatic, finish, resolve, settings_for
from heygen_nb.renderer.account import Account, open_account
from heygen_nb.renderer.advance import advance, fetched, row_of, waited
from heygen_nb.renderer.order import ToRender, order, order_again, order_all


def _expect(given: Any, kind: type, *, many: bool = False) -> None:
    """Say in words what an argument has to be: a draft, a video, or the id of one."""
    if many and not isinstance(given, list | tuple):
        raise models.unexpected(given, kind, many=True)
    for one in given if many else [given]:
        if not isinstance(one, kind):
            raise models.unexpected(one, kind)


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
        config: Laid over ``VIDEO_CONFIG`` for this call.
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
    _expect(draft, Draft)
    settings = settings_for(draft, settings or load_settings(), config)
    async with open_account(settings) as account:
        render_id = await order(
            account, draft, settings, again=again, progress=progress_callback
        )
        video = await advance(
            account, render_id, settings.pace, progress_callback, until_submitted=True
        )
        return video.video_id


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
    _expect(video_id, str)
    settings = settings or load_settings()
    usual = settings.pace
    pace = Pace(poll_interval_s or usual.interval_s, timeout_s or usual.timeout_s)
    async with open_account(settings) as account:
        return await waited(account, video_id, pace, progress_callback)


async def download_video(video: Video, *, settings: Settings | None = None) -> Video:
    """Bring the files of a completed video into the archive.

    Returns:
        The video with ``path``, ``subtitles`` and ``thumbnail``.

    Raises:
        DownloadError: The film could not be fetched or stored; it stays at HeyGen
            and can be fetched later.
    """
    _expect(video, Video)
    async with open_account(settings or load_settings()) as account:
        return await fetched(account, video)


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
    _expect(draft, Draft)
    settings = settings_for(draft, settings or load_settings(), config)
    async with open_account(settings) as account:
        render_id = await order(
            account, draft, settings, again=again, progress=progress_callback
        )
        return await advance(account, render_id, settings.pace, progress_callback)


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
        config: Laid over ``VIDEO_CONFIG`` for this call.
        settings: By default read from home.
        again: Pay for new videos of unchanged drafts.

    Returns:
        A video a draft, in their order. One that failed has the status ``failed``,
        or ``unknown`` when it may still come, and says why in ``failure_message``.
    """
    _expect(drafts, Draft, many=True)
    settings = settings or load_settings()

    def told(draft: Draft) -> ProgressCallback | None:
        if progress_callback is None:
            return None
        return lambda progress: progress_callback(
            progress.model_copy(update={"message": f"#{draft.id} {progress.message}"})
        )

    wanted = [
        ToRender(draft, settings_for(draft, settings, config), told(draft))
        for draft in drafts
    ]
    async with open_account(settings) as account:
        ordered = await order_all(account, wanted, again=again)

        async def one(wish: ToRender, item: str | HeygenNbError) -> Video:
            try:
                if isinstance(item, HeygenNbError):
                    raise item
                return await advance(account, item, settings.pace, wish.progress)
            except HeygenNbError as error:
                return Video(
                    video_id=error.video_id,
                    status="unknown" if error.charged is None else "failed",
                    backend=account.payer.backend,
                    draft_id=wish.draft.id,
                    failure_code=error.code or type(error).__name__,
                    failure_message=str(error),
                )

        return await asyncio.gather(*map(one, wanted, ordered))


def without_limits(settings: Settings) -> Settings:
    """Return the settings of somebody who was asked and agreed to spend more."""
    none = {"max_cost_per_render": 0.0, "max_cost_per_day": 0.0}
    return settings.model_copy(update=none)


# Rendering and posting, as commands and panels do.


async def render_drafts(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    *,
    send: bool,
    again: bool = False,
    progress: Callable[[Draft], ProgressCallback] | None = None,
) -> list[Outcome]:
    """Render drafts side by side, and post them; an outcome a draft, in their order.

    A wrong key or an empty purse stops the rest.

    Args:
        account: Who pays.
        settings: Of the home folder.
        drafts: What to render.
        send: Post each finished video.
        again: Pay for new videos of unchanged drafts.
        progress: Gives each draft its callback.
    """
    posting = Posting(settings, account) if send else None
    wanted = [
        ToRender(draft, settings_for(draft, settings), progress and progress(draft))
        for draft in drafts
    ]
    send_to = (posting.chat_id or None) if posting else None
    ordered = await order_all(account, wanted, again=again, send_to=send_to)

    async def one(wish: ToRender, item: str | HeygenNbError) -> Outcome:
        if isinstance(item, HeygenNbError):
            return Outcome.of_error(wish.draft.id, account.payer.backend, item)
        row = await asyncio.to_thread(account.ledger.render, item)
        told, caption = wish.progress, wish.draft.caption
        return await finish_row(account, row, settings, posting, told, caption=caption)

    return await asyncio.gather(*map(one, wanted, ordered))


async def finish_row(
    account: Account,
    row: RenderRow,
    settings: Settings,
    posting: Posting | None,
    progress: ProgressCallback | None = None,
    *,
    caption: str | None = None,
    asked_at: datetime | None = None,
) -> Outcome:
    """Take a stored render as far as it goes, and post it if that is wished.

    One that failed for want of money is ordered anew: it was never paid.

    Args:
        account: Whose render it is.
        row: The render.
        settings: Of the home folder.
        posting: Posts the finished video; None to leave it.
        progress: Gets every log line.
        caption: By default what the draft has now.
        asked_at: When its post was asked for, if not now.
    """
    render_id, outcome = row.id, None
    try:
        if row.state == "failed" and row.error_code == NO_CREDIT:
            render_id = await order_again(account, row.id, settings)
        video = await advance(account, render_id, settings.pace, progress)
        outcome = Outcome.of_video(video)
        if posting:
            await finish.refuse_faulty(account, video)  # nobody looks at it before
            post = await posting.send(
                video, caption, asked_at=asked_at, progress=progress
            )
            outcome = outcome.posted(post)
    except HeygenNbError as error:
        if outcome:
            return outcome.not_posted(error)
        now = await asyncio.to_thread(account.ledger.render, render_id)
        return Outcome.of_error(row.draft_id, account.payer.backend, error, now)
    return outcome


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
    _expect(video, Video)
    settings = settings or load_settings()
    async with open_account(settings) as account:
        return await Posting(settings, account).send(video, caption, again=again)


async def finish_video(
    video: Video,
    *,
    captions: bool | Literal["plain"] | None = None,
    aspect_ratio: AspectRatio | None = None,
    loudness: float | None = None,
    settings: Settings | None = None,
) -> Video:
    """Finish a film that was bought anew: free, in seconds, as often as wished.

    The film as it was bought stays beside it, as ``source.mp4``.

    Args:
        video: Rendered; it is downloaded first if needed.
        captions: Whether ours are put on; ``plain`` lights no word up. By default
            as the settings say.
        aspect_ratio: Another canvas, such as ``9:16``; by default the film's own.
        loudness: In LUFS; 0 leaves the sound as it is. By default the settings'.
        settings: By default read from home.

    Returns:
        The video with the finished file in ``path``.
    """
    _expect(video, Video)
    settings = settings or load_settings()
    asked = {"captions": captions, "loudness": loudness, "aspect_ratio": aspect_ratio}
    wish = resolve.finish_of(settings)
    wish |= {name: value for name, value in asked.items() if value is not None}
    if captions is not None:
        wish |= {"captions": bool(captions), "lit": captions != "plain"}
    async with open_account(settings) as account:
        row = await _row_of(account, video)
        wished = row.caption, row.send_to, wish
        await asyncio.to_thread(account.ledger.wish, row.id, *wished)
        return await advance(account, row.id, settings.pace)


async def check_video(
    video: Video, *, settings: Settings | None = None
) -> list[finishing.Finding]:
    """Look at and listen to a video; return what is not as it was ordered.

    Args:
        video: Rendered; it is downloaded first if needed.
        settings: By default read from home.

    Returns:
        A finding for each, with its kind, second and picture; none if all is well.
    """
    _expect(video, Video)
    async with open_account(settings or load_settings()) as account:
        row = await _row_of(account, video)
        film = await advance(account, row.id)
        return await asyncio.to_thread(finish.check, account, row, film)


async def _row_of(account: Account, video: Video) -> RenderRow:
    """Return the render of a video.

    Raises:
        LedgerError: The ledger does not know it.
    """
    row = await row_of(account, video.video_id)
    if row is None:
        row = await asyncio.to_thread(account.ledger.render, video.render_id)
    return row


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
    settings = settings or load_settings()
    async with open_account(settings) as account:
        callback = progress_callback
        return await take_up(account, settings, callback and (lambda _draft: callback))


async def take_up(
    account: Account,
    settings: Settings,
    progress: Callable[[Draft], ProgressCallback] | None = None,
) -> list[Outcome]:
    """Go on with all that is not finished; see :func:`resume`.

    Args:
        account: Whose renders and posts.
        settings: Of the home folder.
        progress: Gives each draft its callback.
    """
    posting = Posting(settings, account)
    rows = await asyncio.to_thread(account.ledger.history.unfinished, account.payer)

    def one(row: RenderRow) -> Awaitable[Outcome]:
        told, at = progress and progress(Draft.of(row)), row.created_at
        own = posting if row.send_to else None
        return finish_row(account, row, settings, own, told, asked_at=at)

    outcomes = await asyncio.gather(*map(one, rows))
    handled = {outcome.post_id for outcome in outcomes}
    return outcomes + await take_up_posts(account, posting, handled)


async def take_up_posts(
    account: Account, posting: Posting, handled: Container[int | None]
) -> list[Outcome]:
    """Go on with stored posts, apart from those that were handled already."""
    outcomes = []
    for rows in await posting.unfinished():
        if any(row.id in handled for row in rows):
            continue
        outcome = None
        try:
            video = await posting.video_of(rows[0])
            outcome = Outcome.of_video(video)
            outcome = outcome.posted(await posting.take_up(rows[0], video))
        except HeygenNbError as error:
            no_video = Outcome.of_error("", account.payer.backend, error)
            outcome = outcome.not_posted(error) if outcome else no_video
        outcomes.append(outcome)
    return outcomes


async def preview_draft(
    draft: Draft, output: str | Path | None = None, *, settings: Settings | None = None
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
    _expect(draft, Draft)
    settings = settings or load_settings()
    name, chosen = f"{file_stem(draft.id)}.mp4", settings_for(draft, settings)
    target = Path(output or settings.home / animatic.PREVIEWS / name).absolute()
    await animatic.make_preview(draft, chosen, target)
    return target


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
    _expect(drafts, Draft, many=True)
    settings = settings or load_settings()
    folder = (settings.home / animatic.PREVIEWS).absolute()
    workers = executor or Processes(min(os.cpu_count() or 1, len(drafts) or 1))
    turns = asyncio.Lock()  # what several need is fetched by the first

    async def make(draft: Draft) -> Path | HeygenNbError:
        chosen, target = settings_for(draft, settings), f"{file_stem(draft.id)}.mp4"
        try:
            async with turns:
                scene = await animatic.scene_of(draft, chosen, animatic.FAST_PX)
            # Dask takes equal calls for one call; the token makes each its own.
            work = scene, folder / target, uuid.uuid4().hex
            job = workers.submit(preview.render_apart, *work)
            return await asyncio.wrap_future(job)
        except HeygenNbError as error:
            return error
        except BrokenExecutor as error:
            return PreviewError(str(error))

    try:
        return await asyncio.gather(*map(make, drafts))
    finally:
        if executor is None:
            workers.shutdown(wait=False, cancel_futures=True)


async def voices(
    text: str = "",
    *,
    language: str = "",
    gender: str = "",
    refresh: bool = False,
    settings: Settings | None = None,
) -> list[Voice]:
    """Return the voices that fit, own ones first, then the best match.

    The list is fetched once a day for each account.

    Args:
        text: Words that all have to be in name, language, gender or id.
        language: Such as ``Russian``, ``ru`` or ``русский``.
        gender: ``female`` or ``male``; a beginning is enough.
        refresh: List them anew.
        settings: By default read from home.

    Raises:
        ApiError: HeyGen refuses, or is out of reach and there is no list yet.
    """
    async with open_account(settings or load_settings()) as account:
        found = await account.catalogue.voices(refresh=refresh)
    hits = resolve.search(found, text, resolve.voice_filter(language, gender))
    return [] if hits.near else list(hits.items)


async def avatars(
    text: str = "", *, refresh: bool = False, settings: Settings | None = None
) -> list[Avatar]:
    """Return the avatar looks that fit, own ones first, then the best match.

    The list is fetched once a day for each account.

    Args:
        text: Words that all have to be in name, id, gender, kind or orientation.
        refresh: List them anew.
        settings: By default read from home.

    Raises:
        ApiError: HeyGen refuses, or is out of reach and there is no list yet.
    """
    async with open_account(settings or load_settings()) as account:
        found = await account.catalogue.avatars(refresh=refresh)
    hits = resolve.search(found, text)
    return [] if hits.near else list(hits.items)
