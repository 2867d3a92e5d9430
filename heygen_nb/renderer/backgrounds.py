"""What stands behind the avatar, or instead of it: a colour, a link or a file.

Files are uploaded once, whoever needs them; this is what requests say about them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING

from heygen_nb.heygen import (
    AssetSource,
    ColorBackground,
    ImageBackground,
    InlineSource,
    UrlSource,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import ENDED_UNPAID
from heygen_nb.renderer import lines
from heygen_nb.renderer.pictures import media_type
from heygen_nb.renderer.turns import turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.ledger import Ledger, Render
    from heygen_nb.models import Account
    from heygen_nb.renderer.pictures import Picture
    from heygen_nb.renderer.report import Report

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
PLAIN_COLOR = "#1b2440"  # background-only video when no background is given
NOT_UPLOADED = "not-uploaded"  # in a quote: nothing is sent for one
_SIDES = {"720p": 720, "1080p": 1080, "4k": 2160}


class Uploads:
    """Brings pictures to one account, each once, whoever needs it.

    Args:
        account: Whose assets they become.
        client: HeyGen; uploading is free.
        ledger: Knows what was uploaded before.
    """

    def __init__(self, account: Account, client: HeyGenClient, ledger: Ledger) -> None:
        self._account = account
        self._client = client
        self._assets = ledger.assets

    async def asset_id(self, picture: Picture, report: Report) -> str:
        """Return the asset of a picture; it is uploaded unless it is there.

        Raises:
            ConfigError: The file was changed since it was checked.
            ApiError: HeyGen did not take it.
        """
        account, digest = self._account, picture.sha256
        async with turn("asset", account, digest):
            known = await asyncio.to_thread(self._assets.find, account, digest)
            if known:
                return known
            await report("pending", lines.uploading(picture.path.name))
            content = await asyncio.to_thread(picture.read)
            kind = media_type(content)
            # HeyGen judges a file by its extension too; its own name tells nothing
            name = f"{digest[:12]}.{kind.removeprefix('image/')}"
            reply = await self._client.upload_asset(name, content, kind)
            return await asyncio.to_thread(
                self._assets.keep,
                account,
                digest,
                reply.asset_id,
                name=picture.path.name,
                size=len(content),
            )


async def forget_assets(ledger: Ledger, row: Render) -> None:
    """Drop the pictures of an attempt that ended because HeyGen lacks something.

    The next attempt then uploads them again, which is free: so it does not matter
    that ``resource_not_found`` may be about the voice.
    """
    if row.state in ENDED_UNPAID and "not_found" in (row.error_code or ""):
        gone = assets_in(row.body)
        await asyncio.to_thread(ledger.assets.forget, row.account, gone)


def assets_in(body: str) -> set[str]:
    """Return the assets that a stored request shows."""
    content = json.loads(body)
    scenes = content.get("scenes", ())
    places = (content.get("background"), *(scene.get("source") for scene in scenes))
    return {place["asset_id"] for place in places if place and "asset_id" in place}


def behind_avatar(
    settings: Settings, asset_id: str
) -> ColorBackground | ImageBackground | None:
    """Return what a request says to stand behind the avatar.

    Args:
        settings: Effective settings.
        asset_id: Of the picture, if it is a file; else empty.
    """
    value = settings.heygen_background_url
    if asset_id:
        return ImageBackground(asset_id=asset_id)
    if COLOR.fullmatch(value):
        return ColorBackground(value=value)
    return ImageBackground(url=value) if value else None


def whole_picture(
    settings: Settings, asset_id: str
) -> AssetSource | UrlSource | InlineSource:
    """Return the picture of a video without an avatar; see :func:`behind_avatar`.

    v3 has no scene of a plain colour without an avatar: it gets a picture.
    """
    value = settings.heygen_background_url
    if asset_id:
        return AssetSource(asset_id=asset_id)
    if value and not COLOR.fullmatch(value):
        return UrlSource(url=value)
    data = _plain_png(value or PLAIN_COLOR, settings)
    return InlineSource(media_type="image/png", data=data)


def _plain_png(color: str, settings: Settings) -> str:
    from PIL import Image  # noqa: PLC0415 - 50 ms, only for this kind of video

    wide, high = (int(part) for part in settings.aspect_ratio.split(":"))
    unit = _SIDES[settings.resolution] / min(wide, high)
    palette = Image.new("P", (round(wide * unit), round(high * unit)))
    palette.putpalette(bytes.fromhex(color[1:]))
    stream = BytesIO()
    palette.save(stream, "PNG", optimize=True, bits=1)
    return base64.b64encode(stream.getvalue()).decode()


def foreign(picture: Picture | None, home: Path) -> Iterator[str]:
    """Name a file from elsewhere: a stranger's table may have asked for it."""
    if picture and not picture.path.resolve().is_relative_to(home.resolve()):
        text = _("A file from outside this folder goes to HeyGen as background: {file}")
        yield text.format(file=picture.path)
