"""The local archive: a folder a video, ``<date>-<draft>-<revision>/``.

In it lie the MP4, subtitles and a small picture, and ``render.json`` with all that
made it.
"""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from heygen_nb import finishing, preview
from heygen_nb.errors import ApiError, DownloadError, PreviewError
from heygen_nb.files import file_stem, write_whole
from heygen_nb.heygen.wire import VideoReply
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Hold, RenderRow
from heygen_nb.log import Report
from heygen_nb.models import ProgressStatus, Video
from heygen_nb.renderer.account import Account, turn
from heygen_nb.renderer.finish import DONE, SOURCE, WORDS
from heygen_nb.renderer.speech import kept_sound, words_beside
from heygen_nb.renderer.submit import record

ABOUT = "render.json"
_TOLD = ("draft_id", "video_id", "backend", "caption", "duration_s", "target_s")
_KNOWN = ("draft_id", "revision", "title", "target_s", "cost")
_TRIES_OF_EXTRAS = 3
# HeyGen's captioned film comes after the plain one, for some avatars never (seen
# live, July to October 2026).
CAPTIONED_LOOKS, CAPTIONED_PAUSE_S = 18, 5.0


def kept(account: Account, row: RenderRow) -> Video | None:
    """Return the video of a render whose file is here, without asking HeyGen."""
    here = row.state == "downloaded" and (account.videos / str(row.path)).exists()
    return video_of(account, row) if here else None


def video_of(
    account: Account,
    row: RenderRow,
    video: Video | None = None,
    status: ProgressStatus = "completed",
) -> Video:
    """Return the video of a render, with what the ledger knows about it."""
    if video is None:
        video_id, backend = row.video_id or "", account.payer.backend
        video = Video(video_id=video_id, status=status, backend=backend)
    known = {name: getattr(row, name) for name in _KNOWN}
    for name in ("path", "subtitles", "thumbnail"):
        if value := getattr(row, name):
            known[name] = account.videos / value
    known |= {"duration_s": row.duration_s or video.duration_s, "render_id": row.id}
    return video.model_copy(update=known)


async def keep(
    account: Account,
    video: Video,
    report: Report,
    hold: Hold | None = None,
    *,
    make: Callable[[Path], Awaitable[dict[str, Path]]] | None = None,
) -> Video:
    """Bring a completed video's files into the archive.

    Args:
        account: Whose video it is.
        video: A completed video.
        report: Told what could not be had besides the film.
        hold: Of its render; None for a video the ledger does not know.
        make: Makes the files in a folder; by default they are downloaded.

    Returns:
        The video with ``path``, ``subtitles`` and ``thumbnail``.

    Raises:
        DownloadError: The film could not be fetched or stored; it stays at HeyGen.
        TakenOverError: Another process goes on with it.
    """
    # Two cells may ask for one video at once.
    async with turn("keep", video.video_id):
        row = None
        if hold:
            row = await asyncio.to_thread(account.ledger.render, str(hold.id))
        if row and row.inputs.get("captions"):
            video = await _captioned(account, row, video, report)
        folder = await asyncio.to_thread(_folder, account, row, video)
        try:
            await asyncio.to_thread(_prepare, account, folder, row)
            async with account.downloads:
                if hold:  # two writers would spoil one file
                    hold.check()
                if make:
                    files = await make(folder)
                else:
                    files = await _fetch_files(account, row, video, folder, report)
        except OSError as error:
            problem = _("Video {id} is ready, but {folder} cannot be used: {reason}.")
            hint = _("Make room or allow writing, then render again for free.")
            told = {"id": video.video_id, "reason": error.strerror or error}
            raise DownloadError(
                problem, hint=hint, video_id=video.video_id, folder=folder, **told
            ) from None
        if hold is None:
            return video.model_copy(update=files)
        home = account.videos
        told = {name: path.relative_to(home).as_posix() for name, path in files.items()}
        row = await record(account, hold, "downloaded", state="downloaded", **told)
        return video_of(account, row, video)


async def _captioned(
    account: Account, row: RenderRow, video: Video, report: Report
) -> Video:
    """Look for the film with HeyGen's captions for a while; else say it has none."""
    for _look in range(CAPTIONED_LOOKS):
        reply = await account.client.get_video(video.video_id)
        if reply.captioned_video_url:
            return video.model_copy(update=links(reply, row))
        await account.clock.sleep(CAPTIONED_PAUSE_S)
    told = _("HeyGen has burned no captions into this film: here it is without them.")
    await report("completed", f"⚠️ {told}")
    return video


def _folder(account: Account, row: RenderRow | None, video: Video) -> Path:
    if row is None:
        return account.videos / f"{account.clock.now():%Y-%m-%d}-{video.video_id}"
    attempt = f"-{row.attempt}" if row.attempt > 1 else ""
    day = f"{row.created_at.astimezone():%Y-%m-%d}"
    folder = account.videos / f"{day}-{row.draft_id}-{row.revision[:8]}{attempt}"
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        ours = about["video_id"] == video.video_id
    except OSError:
        return folder  # free, or unusable: then _prepare says so
    except (ValueError, TypeError, LookupError):
        ours = False
    # The same draft may have been rendered with another key or in the sandbox.
    return folder if ours else folder.with_name(f"{folder.name}-{row.id}")


async def _fetch_files(
    account: Account, row: RenderRow | None, video: Video, folder: Path, report: Report
) -> dict[str, Path]:
    name = file_stem(video.draft_id or video.video_id)
    mp4, srt, jpg = (folder / f"{name}.{ending}" for ending in ("mp4", "srt", "jpg"))
    fetch = partial(account.downloader.fetch, video_id=video.video_id)
    known = dict(video)

    async def link(field: str, fresh: bool) -> str:  # noqa: FBT001 - Downloader's way
        if fresh or not known[field]:  # reading the video again renews its links
            known.update(links(await account.client.get_video(video.video_id), row))
        return known[field] or ""

    await fetch(partial(link, "video_url"), mp4, check=preview.check_film)
    files: dict[str, Path] = {"path": mp4}
    # The film is paid for: whatever comes with it may be missing.
    try:
        if video.subtitle_url:
            text_link = partial(link, "subtitle_url")
            await fetch(text_link, srt, check=_check_text, tries=_TRIES_OF_EXTRAS)
            files["subtitles"] = srt
            if row and row.inputs.get("said"):  # HeyGen spells words as they are said
                text = finishing.respelled(srt.read_text("utf-8"), row.script)
                await asyncio.to_thread(write_whole, srt, text)
    except (DownloadError, ApiError, OSError) as error:
        srt.with_name(f"{srt.name}.part").unlink(missing_ok=True)
        await report("completed", f"⚠️ {error}")
    try:
        # Telegram wants a small JPEG; HeyGen's own picture may be of any size.
        files["thumbnail"] = await asyncio.to_thread(preview.make_thumbnail, mp4, jpg)
    except (PreviewError, OSError) as error:
        await report("completed", f"⚠️ {error}")
    return files


def links(reply: VideoReply, row: RenderRow | None) -> dict[str, Any]:
    """Return the file links of a reply; the captioned film only if it was asked for.

    HeyGen gives its link although no style was asked.
    """
    wished = row is None or row.inputs.get("captions", True)
    captioned = reply.captioned_video_url if wished else None
    other = {name: getattr(reply, name) for name in ("subtitle_url", "thumbnail_url")}
    return {"video_url": captioned or reply.video_url, **other}


def _prepare(account: Account, folder: Path, row: RenderRow | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SOURCE, DONE):  # of an earlier film here
        (folder / name).unlink(missing_ok=True)
    if row is None:
        return
    if sound := row.inputs.get("sound"):
        with suppress(FileNotFoundError):
            shutil.copyfile(words_beside(kept_sound(account, sound)), folder / WORDS)
    about = {name: getattr(row, name) for name in _TOLD} | {
        "render_id": row.id,
        "settings": row.inputs,
        "voice": row.voice_name,
        "request": json.loads(row.body),
        "created_at": row.created_at.isoformat(),
    }
    write_whole(folder / ABOUT, json.dumps(about, ensure_ascii=False, indent=2))


def _check_text(path: Path) -> None:
    with suppress(UnicodeDecodeError):
        text = path.read_text("utf-8").strip()
        if text and not text.startswith("<"):
            return
    raise PreviewError(_("This is no file of subtitles."))
