"""Downloads from the file host: gone on with, bounded, opened before they count."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from heygen_nb.errors import DownloadError, PreviewError
from heygen_nb.files import put_in_place
from heygen_nb.i18n import gettext as _
from heygen_nb.log import log
from heygen_nb.network import make_client, trust_hint

ATTEMPTS = 5
MAX_BYTES, LIMIT_S = 2_000_000_000, 1800.0  # of one file, with all its tries
_TIMEOUT = httpx.Timeout(30, connect=15)
_OK, _PARTIAL, _RANGE_OVER = 200, 206, 416
_EXPIRED = (401, 403, 404, 410)


@dataclass(kw_only=True)
class Downloader:
    """Downloads from the file host; HeyGen's key is never sent there.

    Attributes:
        transport: For tests; by default real connections.
        sleep: Waits between tries.
        limit_s: How long one file may take, with all its tries.
        max_bytes: How large one may be.
        local: The files are on this machine, at the sandbox.
    """

    transport: httpx.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    limit_s: float = LIMIT_S
    max_bytes: int = MAX_BYTES
    local: bool = False

    def __post_init__(self) -> None:
        """Open the connections; bytes are counted, so none come compressed."""
        self._http = make_client(
            httpx.AsyncClient,
            local=self.local,
            transport=self.transport,
            timeout=_TIMEOUT,
            follow_redirects=True,
            headers={"accept-encoding": "identity"},
        )

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
        tries: int = ATTEMPTS,
    ) -> Path:
        """Bring one file to ``target``; go on where an earlier try stopped.

        Args:
            link: Gives the address; called with True for a fresh one when the
                present one has expired.
            target: Where the whole file ends up; ``.part`` beside it meanwhile.
            video_id: For messages.
            check: Opens the file; raises PreviewError when it is not what it
                should be.
            tries: How often it is asked for.

        Raises:
            DownloadError: Not all of it could be fetched.
            OSError: It could not be stored.
        """
        part, failure = target.with_name(target.name + ".part"), DownloadError("")
        try:
            async with asyncio.timeout(self.limit_s):
                for attempt in range(tries):
                    if attempt:
                        await self.sleep(min(2.0**attempt, 30))
                    try:
                        await self._fetch_rest(await link(failure.expired), part)
                        await asyncio.to_thread(check, part)
                        return put_in_place(part, target)
                    except DownloadError as error:
                        failure = error
                    except PreviewError as error:
                        part.unlink(missing_ok=True)
                        failure = DownloadError(error.message, expired=True)
                    except OSError:
                        part.unlink(missing_ok=True)
                        raise
                    log.warning(_("Download of %s: %s"), target.name, failure)
        except TimeoutError:
            failure = DownloadError(_("it took too long"))
        problem = _("{name} of video {id} could not be downloaded: {reason}.")
        hint = _("The video is safe at HeyGen: render the draft again for free.")
        told: dict[str, Any] = {"name": target.name, "reason": failure.message}
        told |= {"id": video_id, "video_id": video_id, "expired": failure.expired}
        raise DownloadError(problem, hint=hint, **told)

    async def _fetch_rest(self, url: str, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            async with self._http.stream("GET", url, headers=headers) as reply:
                await self._store(reply, part, have)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = type(error).__name__  # its text may hold the signed address
            if trust_hint(error):
                reason = _("its host's certificate is not trusted here")
            raise DownloadError(reason) from None

    async def _store(self, reply: httpx.Response, part: Path, have: int) -> None:
        status, place = reply.status_code, reply.headers.get("content-range", "")
        if status == _RANGE_OVER and place == f"bytes */{have}":
            return  # an earlier run got all of it and then ended
        goes_on = status == _PARTIAL and place.startswith(f"bytes {have}-")
        if status in (_PARTIAL, _RANGE_OVER) and not goes_on:
            part.unlink(missing_ok=True)  # it would be sewn together wrongly
            raise DownloadError(_("the file changed"))
        if status not in (_OK, _PARTIAL):
            reason = f"HTTP {status}"
            raise DownloadError(reason, expired=status in _EXPIRED)
        if reply.headers.get("content-type", "").startswith("text/html"):
            raise DownloadError(_("a web page came instead of the file"), expired=True)
        got = have if goes_on else 0
        expected = got + int(reply.headers.get("content-length", 0))
        with part.open("ab" if goes_on else "wb") as stream:
            async for chunk in reply.aiter_bytes():
                stream.write(chunk)
                got += len(chunk)
                if max(got, expected) > self.max_bytes:
                    break
        if max(got, expected) > self.max_bytes:
            part.unlink()
            raise DownloadError(_("it is too large"))
        if got == 0:
            raise DownloadError(_("an empty file came"), expired=True)
        if got < expected:
            problem = _("{got} of {expected} bytes came")
            raise DownloadError(problem, got=got, expected=expected)
