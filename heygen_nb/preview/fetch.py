"""Fetching a background picture: bounded in size, type and time, public hosts only.

A host is resolved and judged here and then connected to by its number, so that a
name cannot mean a public host when judged and a private one when asked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.background import open_image

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Resolve = Callable[[str], Awaitable[list[str]]]

_MAX_BYTES = 20_000_000
_TIMEOUT_S = 20.0
_MAX_REDIRECTS = 5


async def fetch_image(
    url: str,
    *,
    allow_private: bool = False,
    max_bytes: int = _MAX_BYTES,
    timeout_s: float = _TIMEOUT_S,
    transport: httpx.AsyncBaseTransport | None = None,
    resolve: Resolve | None = None,
) -> bytes:
    """Fetch a picture by its http(s) address; each redirect is judged again.

    Args:
        url: Its address.
        allow_private: Whether hosts of this machine and network may be asked.
        max_bytes: More is refused as soon as it is noticed.
        timeout_s: For everything together.
        transport: For tests.
        resolve: Host to addresses; for tests.

    Raises:
        PreviewError: Not reachable, not public, too big, or not a picture.
    """
    fetcher = _Fetcher(allow_private, max_bytes, resolve or _resolve)
    try:
        async with (
            asyncio.timeout(timeout_s),
            # No proxy: it would be asked for names that were not judged.
            httpx.AsyncClient(transport=transport, trust_env=False) as client,
        ):
            content = await fetcher.follow(client, url)
    except TimeoutError as exc:
        raise _refusal(_("it took longer than {n} s").format(n=timeout_s)) from exc
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
        raise _refusal(_("its host cannot be reached")) from exc
    await asyncio.to_thread(open_image, content)
    return content


class _Fetcher:
    def __init__(self, allow_private: bool, max_bytes: int, resolve: Resolve) -> None:  # noqa: FBT001 - private
        self._allow_private = allow_private
        self._max_bytes = max_bytes
        self._resolve = resolve

    async def follow(self, client: httpx.AsyncClient, url: str) -> bytes:
        for _hop in range(_MAX_REDIRECTS + 1):
            request = await self._request(client, httpx.URL(url))
            reply = await client.send(request, stream=True)
            try:
                if not reply.has_redirect_location:
                    return await self._content(reply)
                url = urljoin(url, reply.headers["Location"])
            finally:
                await reply.aclose()
        raise _refusal(_("it redirects too often"))

    async def _request(
        self, client: httpx.AsyncClient, url: httpx.URL
    ) -> httpx.Request:
        """Address the request to a judged number, under the host's own name."""
        if url.scheme not in ("http", "https") or not url.host:
            raise _refusal(_("only http and https addresses are fetched"))
        addresses = await self._resolve(url.host)
        if not addresses:
            raise _refusal(_("its host cannot be reached"))
        if not self._allow_private and not all(map(_is_public, addresses)):
            raise _refusal(_("its host is not public"))
        return client.build_request(
            "GET",
            url.copy_with(host=addresses[0], username=None, password=None),
            headers={"Host": url.netloc.decode(), "Accept": "image/*"},
            extensions={"sni_hostname": url.host},
        )

    async def _content(self, reply: httpx.Response) -> bytes:
        if not reply.is_success:
            raise _refusal(_("its host answers {n}").format(n=reply.status_code))
        kind = reply.headers.get("Content-Type", "image/").partition(";")[0]
        if not kind.startswith(("image/", "application/octet-stream")):
            raise _refusal(_("it is not a picture"))
        content = bytearray()
        async for part in reply.aiter_bytes():
            content += part
            if len(content) > self._max_bytes:
                size = self._max_bytes // 1_000_000
                raise _refusal(_("it is larger than {n} MB").format(n=size))
        return bytes(content)


async def _resolve(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_rest, address in found]


def _is_public(address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped:
        number = number.ipv4_mapped
    return number.is_global and not number.is_multicast


def _refusal(reason: str) -> PreviewError:
    # Without the address: it may carry a signature.
    message = _("The background picture was not fetched: {reason}.")
    return PreviewError(message.format(reason=reason))
