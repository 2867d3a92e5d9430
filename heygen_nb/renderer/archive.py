"""The local archive: a folder a video, with all that made it."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from heygen_nb.errors import DownloadError, PreviewError
from heygen_nb.files import write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Video
from heygen_nb.renderer.holding import turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from heygen_nb.heygen import HeyGenClient, VideoReply
    from heygen_nb.ledger import Hold, Ledger, RenderRow

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

    def kept(self, row: RenderRow) -> Video | None:
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

    def describe(self, row: RenderRow, video: Video) -> Video:
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

    def _folder(self, row: RenderRow | None, video: Video) -> Path:
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


def _prepare(folder: Path, row: RenderRow | None) -> None:
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
        write_whole(folder / "render.json", text)


def _is_text(path: Path) -> None:
    path.read_text("utf-8")


log = logging.getLogger("heygen_nb.renderer")

ATTEMPTS = 5
_TIMEOUT = httpx.Timeout(30, connect=15)
_OK, _PARTIAL, _RANGE_OVER = 200, 206, 416
_EXPIRED = (401, 403, 404, 410)


class _Retry(Exception):  # noqa: N818 - not an error: try once more
    """This try did not get the whole file; ``expired``: with a fresh link."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        self.expired = expired


class Downloader:
    """Downloads from the file host; HeyGen's key is never sent there.

    Args:
        transport: For tests; by default real connections.
        sleep: Waits between tries.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=_TIMEOUT,
            follow_redirects=True,
            headers={"accept-encoding": "identity"},  # bytes are counted
        )
        self._sleep = sleep

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def fetch(
        self,
        link: Callable[[bool], Awaitable[str]],
        target: Path,
        *,
        video_id: str,
        check: Callable[[Path], object],
    ) -> Path:
        """Bring one file to ``target``; go on where an earlier try stopped.

        Args:
            link: Gives the address; called with True for a fresh one when the
                present one has expired.
            target: Where the whole file ends up; ``.part`` beside it meanwhile.
            video_id: For messages.
            check: Opens the file; raises PreviewError when it is not what it
                should be.

        Raises:
            DownloadError: Not all of it could be fetched or stored.
        """
        part = target.with_name(target.name + ".part")
        fresh, reason = False, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await self._sleep(min(2.0**attempt, 30))
            try:
                await self._fetch_rest(await link(fresh), part)
                await asyncio.to_thread(check, part)
                part.replace(target)
            except _Retry as retry:
                fresh, reason = retry.expired, str(retry)
            except PreviewError as error:
                part.unlink(missing_ok=True)
                fresh, reason = True, error.message
            except OSError as error:
                part.unlink(missing_ok=True)
                raise _not_stored(target, video_id, error) from None
            else:
                return target
            log.warning(_("Download of %s: %s"), target.name, reason)
        raise DownloadError(
            _("{name} of video {id} could not be downloaded: {reason}.").format(
                name=target.name, id=video_id, reason=reason
            ),
            video_id=video_id,
            hint=_("The video is safe at HeyGen: render the draft again for free."),
        )

    async def _fetch_rest(self, url: str, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            async with self._http.stream("GET", url, headers=headers) as reply:
                if reply.status_code == _RANGE_OVER:
                    if reply.headers.get("content-range") == f"bytes */{have}":
                        return  # an earlier run got all of it and then ended
                    part.unlink()
                    raise _Retry(_("the file changed"))
                if reply.status_code not in (_OK, _PARTIAL):
                    raise _Retry(
                        f"HTTP {reply.status_code}",
                        expired=reply.status_code in _EXPIRED,
                    )
                await self._store(reply, part, have)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # the text of httpx's errors may hold the signed address
            raise _Retry(type(error).__name__) from None

    async def _store(self, reply: httpx.Response, part: Path, have: int) -> None:
        if reply.headers.get("content-type", "").startswith("text/html"):
            raise _Retry(_("a web page came instead of the file"), expired=True)
        resumed = reply.status_code == _PARTIAL
        got = have if resumed else 0
        length = reply.headers.get("content-length")
        expected = got + int(length) if length else None
        with part.open("ab" if resumed else "wb") as stream:
            async for chunk in reply.aiter_bytes():
                stream.write(chunk)
                got += len(chunk)
        if got == 0:
            raise _Retry(_("an empty file came"), expired=True)
        if expected is not None and got < expected:
            raise _Retry(
                _("{got} of {expected} bytes came").format(got=got, expected=expected)
            )


def _not_stored(target: Path, video_id: str, error: OSError) -> DownloadError:
    return DownloadError(
        _("Video {id} is ready, but {folder} cannot be written: {reason}.").format(
            id=video_id, folder=target.parent, reason=error.strerror or error
        ),
        video_id=video_id,
        hint=_("Make room or allow writing, then render the draft again for free."),
    )
