"""The local archive: a folder a video, with all that made it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from heygen_nb.errors import DownloadError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Video
from heygen_nb.renderer.turns import turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from heygen_nb.heygen import HeyGenClient, VideoReply
    from heygen_nb.ledger import Hold, Ledger, Render
    from heygen_nb.renderer.download import Downloader


_DOWNLOADS_AT_ONCE = 4


class Archive:
    """Keeps finished videos: ``<date>-<draft>-<revision>/`` with MP4, SRT and JPEG.

    Args:
        folder: The archive.
        client: Gives fresh links.
        ledger: Knows which draft a video is of.
        downloader: Fetches the files.
        now: The time, aware UTC.
    """

    def __init__(
        self,
        folder: Path,
        *,
        client: HeyGenClient,
        ledger: Ledger,
        downloader: Downloader,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._root = folder
        self._client = client
        self._ledger = ledger
        self._downloader = downloader
        self._now = now
        self._turns = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)

    def kept(self, row: Render) -> Video | None:
        """Return the video of a render whose file is here, without asking HeyGen."""
        if row.state != "downloaded" or not (self._root / str(row.path)).exists():
            return None
        video = Video(
            video_id=row.video_id or "",
            status="completed",
            backend="heygen" if row.backend == "heygen" else "sandbox",
        )
        return self.describe(row, video)

    async def keep(self, video: Video, hold: Hold | None = None) -> Video:
        """Bring a completed video's files into the archive.

        Args:
            video: A completed video.
            hold: Of its render; None for a video the ledger does not know.

        Returns:
            The video with ``path``, ``subtitles`` and ``thumbnail``.

        Raises:
            DownloadError: Not everything could be fetched or stored; the video
                stays at HeyGen.
            TakenOverError: Another process goes on with it.
        """
        # Two cells may ask for one video at once.
        async with turn("keep", video.video_id):
            return await self._keep(video, hold)

    async def _keep(self, video: Video, hold: Hold | None) -> Video:
        row = None
        if hold:
            row = await asyncio.to_thread(self._ledger.render, str(hold.id))
        folder = await asyncio.to_thread(self._folder, row, video)
        try:
            await asyncio.to_thread(_prepare, folder, row)
            async with self._turns:
                if hold:  # two writers would spoil one file
                    hold.check()
                files = await self._fetch_files(video, folder)
        except OSError as error:
            raise DownloadError(
                _("Video {id} is ready, but {folder} cannot be used: {reason}.").format(
                    id=video.video_id, folder=folder, reason=error.strerror
                ),
                video_id=video.video_id,
                hint=_("Make room or allow writing, then render again for free."),
            ) from None
        if hold is None:
            return video.model_copy(update=files)
        relative = {
            name: path.relative_to(self._root).as_posix() if path else None
            for name, path in files.items()
        }
        row = await asyncio.to_thread(
            self._ledger.record, hold, "downloaded", state="downloaded", **relative
        )
        return self.describe(row, video)

    def describe(self, row: Render, video: Video) -> Video:
        """Return the video with what the ledger knows about it."""
        stored = {
            name: self._root / value
            for name in ("path", "subtitles", "thumbnail")
            if (value := getattr(row, name))
        }
        return video.model_copy(
            update={
                "draft_id": row.draft_id,
                "render_id": row.id,
                "revision": row.revision,
                "title": row.title,
                "duration_s": row.duration_s or video.duration_s,
                "target_s": row.target_s,
                "cost": row.cost,
                "billed": row.billed,
                **stored,
            }
        )

    def _folder(self, row: Render | None, video: Video) -> Path:
        if row is None:
            return self._root / f"{self._now():%Y-%m-%d}-{video.video_id}"
        attempt = f"-{row.attempt}" if row.attempt > 1 else ""
        day = f"{row.created_at.astimezone():%Y-%m-%d}"
        folder = self._root / f"{day}-{row.draft_id}-{row.revision[:8]}{attempt}"
        # The same draft may have been rendered with another key or in the sandbox.
        if _is_of_another(folder, video.video_id):
            return folder.with_name(f"{folder.name}-{row.id}")
        return folder

    async def _fetch_files(self, video: Video, folder: Path) -> dict[str, Path | None]:
        from heygen_nb.preview import make_thumbnail, probe_video  # noqa: PLC0415 - 40 MB of codecs

        name = video.draft_id or video.video_id
        mp4, subtitles = folder / f"{name}.mp4", None
        fetch, video_id = self._downloader.fetch, video.video_id
        link = self._link(video, "video_url")
        await fetch(link, mp4, video_id=video_id, check=probe_video)
        if video.subtitle_url:
            subtitles = folder / f"{name}.srt"
            link = self._link(video, "subtitle_url")
            await fetch(link, subtitles, video_id=video_id, check=_is_text)
        # Telegram wants a small JPEG; HeyGen's own picture may be of any size.
        thumbnail = await asyncio.to_thread(make_thumbnail, mp4, folder / f"{name}.jpg")
        return {"path": mp4, "subtitles": subtitles, "thumbnail": thumbnail}

    def _link(self, video: Video, field: str) -> Callable[[bool], Awaitable[str]]:
        known = getattr(video, field)

        async def give(fresh: bool) -> str:  # noqa: FBT001 - Downloader's protocol
            nonlocal known
            if fresh or not known:  # reading the video again renews its links
                reply = await self._client.get_video(video.video_id)
                known = links(reply)[field]
            return known or ""

        return give


def links(reply: VideoReply) -> dict[str, Any]:
    """Return the file links of a reply; the captioned picture if there is one."""
    return {
        "video_url": reply.captioned_video_url or reply.video_url,
        "subtitle_url": reply.subtitle_url,
        "thumbnail_url": reply.thumbnail_url,
    }


def _is_of_another(folder: Path, video_id: str) -> bool:
    try:
        about = json.loads((folder / "render.json").read_text("utf-8"))
    except OSError:
        return False  # free, or unusable: then _prepare says so
    except ValueError:
        return True
    return bool(about["video_id"] != video_id)


def _prepare(folder: Path, row: Render | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if row:
        about = {
            "draft_id": row.draft_id,
            "render_id": row.id,
            "video_id": row.video_id,
            "backend": row.backend,
            "settings": row.inputs,
            "voice": row.voice_name,
            "request": json.loads(row.body),
            "caption": row.caption,
            "duration_s": row.duration_s,
            "target_s": row.target_s,
            "created_at": row.created_at.isoformat(),
        }
        text = json.dumps(about, ensure_ascii=False, indent=2)
        (folder / "render.json").write_text(text, "utf-8")


def _is_text(path: Path) -> None:
    path.read_text("utf-8")
