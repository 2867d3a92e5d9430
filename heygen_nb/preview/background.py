"""What is behind everything: a gradient, a colour or a picture."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx
import numpy as np
from PIL import Image, ImageOps, ImageStat

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Resolve = Callable[[str], Awaitable[list[str]]]

Colour = tuple[int, int, int]

_COLOURS = re.compile(r"#([0-9a-f]{6})(?:-#([0-9a-f]{6}))?", re.IGNORECASE)
_HOUSE: tuple[Colour, Colour] = ((16, 20, 48), (88, 42, 122))
_GLOW: Colour = (96, 108, 220)
_COARSE = 4
_MAX_PIXELS = 50_000_000
_BRIGHT = 140  # mean grey from which dark letters read better


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that read well on a background.

    Attributes:
        ink: Letters.
        shade: The soft shadow behind them.
        accent: The spoken word's pill, the ring and the bars.
        accent_ink: Letters on the pill.
    """

    ink: Colour
    shade: Colour
    accent: Colour
    accent_ink: Colour


ON_DARK = Palette((255, 255, 255), (6, 8, 24), (255, 204, 64), (24, 20, 36))
ON_LIGHT = Palette((26, 27, 46), (255, 255, 255), (84, 70, 232), (255, 255, 255))


def open_image(source: Path | bytes) -> Image.Image:
    """Open a picture upright and in RGB.

    Raises:
        PreviewError: It is missing, not a picture, or too big to be one.
    """
    name = str(source) if isinstance(source, Path) else _("(the picture)")
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        if image.width * image.height > _MAX_PIXELS:
            message = _("The picture {name} has more than 50 million pixels.")
            raise PreviewError(message.format(name=name))
        image.draft("RGB", (2160, 2160))  # big JPEGs are read at a fraction
        return _flat(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        message = _("The picture {name} cannot be read.")
        raise PreviewError(message.format(name=name)) from exc


def paint_background(
    source: str | Path | bytes | None, width: int, height: int
) -> Image.Image:
    """Paint the whole picture; what is a photo is darkened where captions stand.

    Raises:
        PreviewError: Neither a colour nor a readable picture.
    """
    if source is None:
        return _gradient(*_HOUSE, width, height, _GLOW)
    if isinstance(source, str):
        colours = _COLOURS.fullmatch(source.strip())
        if colours:
            top = _colour(colours[1])
            return _gradient(top, _colour(colours[2] or colours[1]), width, height)
        source = Path(source)
    photo = ImageOps.fit(open_image(source), (width, height), Image.Resampling.BICUBIC)
    return _scrim(photo)


def palette_for(image: Image.Image, box: tuple[int, int, int, int]) -> Palette:
    """Choose the colours that read well on that part of the picture."""
    grey = ImageStat.Stat(image.crop(box).convert("L")).mean[0]
    return ON_LIGHT if grey > _BRIGHT else ON_DARK


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _colour(digits: str) -> Colour:
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _gradient(
    top: Colour, bottom: Colour, width: int, height: int, glow: Colour | None = None
) -> Image.Image:
    """Blend from top to bottom; the glow is a soft light behind the avatar."""
    # Computed small and enlarged: nothing in it is sharp.
    down = np.linspace(0, 1, height // _COARSE, dtype=np.float32)[:, None]
    across = np.linspace(-0.5, 0.5, width // _COARSE, dtype=np.float32)[None, :]
    blend = np.clip(down + across * (0.25 if glow else 0), 0, 1)[:, :, None]
    picture = np.array(top) + (np.array(bottom) - top) * blend
    if glow:
        far = (across * width) ** 2 + ((down - 0.36) * height) ** 2
        light = 0.42 * np.exp(-far / (0.42 * min(width, height)) ** 2)
        picture += (np.array(glow) - picture) * light[:, :, None]
    small = Image.fromarray(np.rint(picture).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def _scrim(photo: Image.Image) -> Image.Image:
    """Darken a photo, more towards the captions, so that any of them carries text."""
    width, height = photo.size
    down = np.linspace(0, 1, height)
    dark = 0.28 + 0.34 * np.clip((down - 0.35) / 0.4, 0, 1)
    column = Image.fromarray((dark * 255).astype(np.uint8)[:, None])
    mask = column.resize((width, height))
    return Image.composite(Image.new("RGB", photo.size, (8, 9, 18)), photo, mask)


_MAX_SOUND_BYTES = 5_000_000
_UNTOLD = ("application/octet-stream", "binary/octet-stream")  # as file hosts say
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
        allow_private: Whether this machine may be asked; others of its network
            never are: drafts come from strangers too.
        max_bytes: More is refused as soon as it is noticed.
        timeout_s: For everything together.
        transport: For tests.
        resolve: Host to addresses; for tests.

    Raises:
        PreviewError: Not reachable, not public, too big, or not a picture.
    """
    fetcher = _Fetcher("image/", allow_private, max_bytes, resolve or _resolve)
    try:
        content = await _within(timeout_s, fetcher, transport, url)
    except _RefusedError as refusal:
        # Without the address: it may carry a signature.
        message = _("The background picture was not fetched: {reason}.")
        raise PreviewError(message.format(reason=refusal)) from None
    await asyncio.to_thread(open_image, content)
    return content


async def fetch_sound(
    url: str,
    *,
    allow_private: bool = False,
    max_bytes: int = _MAX_SOUND_BYTES,
    timeout_s: float = _TIMEOUT_S,
    transport: httpx.AsyncBaseTransport | None = None,
    resolve: Resolve | None = None,
) -> bytes:
    """Fetch a sound by its address, like :func:`fetch_image`; https unless private.

    Raises:
        PreviewError: Not reachable, not public, too big, or not a sound.
    """
    schemes = ("http", "https") if allow_private else ("https",)
    fetcher = _Fetcher("audio/", allow_private, max_bytes, resolve or _resolve, schemes)
    try:
        return await _within(timeout_s, fetcher, transport, url)
    except _RefusedError as refusal:
        message = _("The sound was not fetched: {reason}.")
        raise PreviewError(message.format(reason=refusal)) from None


async def _within(
    timeout_s: float,
    fetcher: _Fetcher,
    transport: httpx.AsyncBaseTransport | None,
    url: str,
) -> bytes:
    try:
        async with (
            asyncio.timeout(timeout_s),
            # No proxy: it would be asked for names that were not judged.
            httpx.AsyncClient(transport=transport, trust_env=False) as client,
        ):
            return await fetcher.follow(client, url)
    except TimeoutError as exc:
        reason = _("it took longer than {n} s").format(n=timeout_s)
        raise _RefusedError(reason) from exc
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
        raise _RefusedError(_("its host cannot be reached")) from exc


class _RefusedError(Exception):
    """Why it was not fetched; the caller says what."""


class _Fetcher:
    def __init__(
        self,
        kind: str,
        allow_private: bool,  # noqa: FBT001 - private
        max_bytes: int,
        resolve: Resolve,
        schemes: tuple[str, ...] = ("http", "https"),
    ) -> None:
        self._kind = kind
        self._schemes = schemes
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
        raise _RefusedError(_("it redirects too often"))

    async def _request(
        self, client: httpx.AsyncClient, url: httpx.URL
    ) -> httpx.Request:
        """Address the request to a judged number, under the host's own name."""
        if url.scheme not in self._schemes or not url.host:
            raise _RefusedError(
                _("only {schemes} addresses are fetched").format(
                    schemes=", ".join(self._schemes)
                )
            )
        addresses = await self._resolve(url.host)
        if not addresses:
            raise _RefusedError(_("its host cannot be reached"))
        if not all(map(self._may_be_asked, addresses)):
            raise _RefusedError(_("its host is not public"))
        return client.build_request(
            "GET",
            url.copy_with(host=addresses[0], username=None, password=None),
            headers={"Host": url.netloc.decode(), "Accept": f"{self._kind}*"},
            extensions={"sni_hostname": url.host},
        )

    def _may_be_asked(self, address: str) -> bool:
        number = _number(address)
        if self._allow_private and number.is_loopback:
            return True
        return number.is_global and not number.is_multicast

    async def _content(self, reply: httpx.Response) -> bytes:
        if not reply.is_success:
            raise _RefusedError(_("its host answers {n}").format(n=reply.status_code))
        kind = reply.headers.get("Content-Type", self._kind).partition(";")[0]
        if not kind.startswith((self._kind, *_UNTOLD)):
            image = self._kind == "image/"
            raise _RefusedError(
                _("it is not a picture") if image else _("it is not a sound")
            )
        content = bytearray()
        async for part in reply.aiter_bytes():
            content += part
            if len(content) > self._max_bytes:
                size = self._max_bytes // 1_000_000
                raise _RefusedError(_("it is larger than {n} MB").format(n=size))
        return bytes(content)


async def _resolve(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_rest, address in found]


def _number(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    number = ipaddress.ip_address(address.partition("%")[0])
    mapped = isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped
    return mapped or number
