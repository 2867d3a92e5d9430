"""Downloads from the file host: gone on with, bounded, opened before they count."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx

from heygen_nb.errors import DownloadError, PreviewError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

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
