"""Pictures and sounds by their address, which may come from a stranger's draft."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.network import certificates
from heygen_nb.preview.drawing import open_image

_UNTOLD = ("application/octet-stream", "binary/octet-stream")  # as file hosts say
_MAX_REDIRECTS = 5
_MAX_SOUND_BYTES = 5_000_000


async def fetch_image(
    url: str, *, allow_private: bool = False, **options: Any
) -> bytes:
    """Fetch a picture by its http(s) address; each redirect is judged again.

    Args:
        url: Its address.
        allow_private: Whether this machine may be asked; others of its network
            never are: drafts come from strangers too.
        **options: Bounds, and what tests put in, as :class:`_Fetcher` has them.

    Raises:
        PreviewError: Not reachable, not public, too big, or not a picture.
    """
    fetcher = _Fetcher("image/", ("http", "https"), allow_private, **options)
    refusal = _("The background picture was not fetched: {reason}.")
    content = await fetcher.fetch(url, refusal)
    await asyncio.to_thread(open_image, content)
    return content


async def fetch_sound(
    url: str, *, allow_private: bool = False, **options: Any
) -> bytes:
    """Fetch a sound by its address, like :func:`fetch_image`; https unless private.

    Raises:
        PreviewError: Not reachable, not public, too big, or not a sound.
    """
    schemes = ("http", "https") if allow_private else ("https",)
    options = {"max_bytes": _MAX_SOUND_BYTES} | options
    fetcher = _Fetcher("audio/", schemes, allow_private, **options)
    return await fetcher.fetch(url, _("The sound was not fetched: {reason}."))


class _RefusedError(Exception):
    """Why something was not fetched."""


async def _resolve(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_rest, address in found]


@dataclass(frozen=True, slots=True)
class _Fetcher:
    """Asks only whom a stranger's draft may name.

    Attributes:
        kind: The media type's beginning.
        schemes: Of the addresses that are fetched.
        allow_private: Whether this machine may be asked.
        max_bytes: More is refused as soon as it is noticed.
        timeout_s: For everything together.
        transport: For tests.
        resolve: Host to addresses; for tests.
    """

    kind: str
    schemes: tuple[str, ...]
    allow_private: bool
    max_bytes: int = 20_000_000
    timeout_s: float = 20.0
    transport: httpx.AsyncBaseTransport | None = None
    resolve: Callable[[str], Awaitable[list[str]]] = _resolve

    async def fetch(self, url: str, refusal: str) -> bytes:
        try:
            # No proxy: it would be asked for names that were not judged.
            client = httpx.AsyncClient(
                transport=self.transport, trust_env=False, verify=certificates()
            )
            async with asyncio.timeout(self.timeout_s), client:
                for _hop in range(_MAX_REDIRECTS + 1):
                    request = await self._request(client, httpx.URL(url))
                    async with aclosing(await client.send(request, stream=True)) as got:
                        if not got.has_redirect_location:
                            return await self._content(got)
                        url = urljoin(url, got.headers["Location"])
            reason = _("it redirects too often")
        except TimeoutError:
            reason = _("it took longer than {n} s").format(n=self.timeout_s)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            reason = _("its host cannot be reached")
        except _RefusedError as exc:
            reason = str(exc)
        # Without the address: it may carry a signature.
        raise PreviewError(refusal.format(reason=reason))

    async def _request(
        self, client: httpx.AsyncClient, url: httpx.URL
    ) -> httpx.Request:
        """Address the request to a judged number, under the host's own name."""
        if url.scheme not in self.schemes or not url.host:
            message = _("only {schemes} addresses are fetched")
            raise _RefusedError(message.format(schemes=", ".join(self.schemes)))
        addresses = await self.resolve(url.host)
        if not all(map(self._may_be_asked, addresses)):
            raise _RefusedError(_("its host is not public"))
        return client.build_request(
            "GET",
            url.copy_with(host=addresses[0], username=None, password=None),
            headers={"Host": url.netloc.decode(), "Accept": f"{self.kind}*"},
            extensions={"sni_hostname": url.host},
        )

    def _may_be_asked(self, address: str) -> bool:
        number = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(number, ipaddress.IPv6Address):
            number = number.ipv4_mapped or number
        if self.allow_private and number.is_loopback:
            return True
        return number.is_global and not number.is_multicast

    async def _content(self, reply: httpx.Response) -> bytes:
        if not reply.is_success:
            raise _RefusedError(_("its host answers {n}").format(n=reply.status_code))
        kind = reply.headers.get("Content-Type", self.kind).partition(";")[0]
        if not kind.startswith((self.kind, *_UNTOLD)):
            image = self.kind == "image/"
            raise _RefusedError(
                _("it is not a picture") if image else _("it is not a sound")
            )
        content = bytearray()
        async for part in reply.aiter_bytes():
            content += part
            if len(content) > self.max_bytes:
                size = self.max_bytes // 1_000_000
                raise _RefusedError(_("it is larger than {n} MB").format(n=size))
        return bytes(content)
