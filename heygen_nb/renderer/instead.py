"""What HeyGen may take instead of what it refused, and files it has lost.

The stored body goes out byte for byte; another form of it goes out under another key,
and only where nothing was made of the refused one.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from heygen_nb.errors import ApiError, InvalidRequestError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import ENDED_UNPAID, RenderRow
from heygen_nb.renderer.speech import asset_of_sound

if TYPE_CHECKING:
    from heygen_nb.renderer.account import Account

FALLBACK_ENGINE = "avatar_iii"  # the only one that most public looks take
# what HeyGen's refusals of a background and of an engine say (seen live, 2026)
_MATTING = re.compile(r"matting|background.removal|remove_back")
_ENGINE = re.compile(r"engine|does.not.support.avatar")


async def other_form(
    account: Account, row: RenderRow, error: ApiError
) -> dict[str, Any]:
    """Return the columns of a request that HeyGen may take instead of a refused one.

    A file that HeyGen still does not know is named by its link, a sound whose link
    has expired by its asset. Nothing was made of the refused one.
    """
    sound = row.inputs.get("sound")
    body = row.body
    if error.code == "asset_not_found":
        body = _by_links(row.body, account.asset_links)
    elif error.code == "download_failed" and sound and '"audio_url"' in body:
        asset_id = await asset_of_sound(account, sound)
        body = _by_asset(row.body, asset_id)
    return _without(row, error) if body == row.body else {"body": body}


def _without(row: RenderRow, error: ApiError) -> dict[str, Any]:
    """Return the columns of a request without what the look does not take.

    A background cannot be taken away from a look that was not trained for matting,
    and some looks list no engine and take one only. Both are a 400, which costs
    nothing (seen live, July to October 2026).
    """
    told = f"{error.param} {error.message}".casefold()
    if not isinstance(error, InvalidRequestError):
        return {}
    body = json.loads(row.body)
    if _MATTING.search(told) and body.pop("remove_background", False):
        words = _("This avatar keeps its own background.")
        inputs = {**row.inputs, "scene": "own"}
        return {"body": _text(body), "error_message": words, "inputs": inputs}
    if _ENGINE.search(told):
        engine = body.get("engine", {}).get("type", FALLBACK_ENGINE)
        if row.inputs.get("engine") == "auto" and engine != FALLBACK_ENGINE:
            body["engine"]["type"] = FALLBACK_ENGINE
            words = _("This avatar does not take {engine}: {other} is used.")
            words = words.format(engine=engine, other=FALLBACK_ENGINE)
            other = {"engine": FALLBACK_ENGINE, "error_message": words}
            return {"body": _text(body), **other}
    return {}


def _by_links(body: str, links: dict[str, str]) -> str:
    """Return a request that names its files by their links, each of them once."""

    def linked(part: dict[str, Any]) -> dict[str, Any]:
        for name, link in (("asset_id", "url"), ("audio_asset_id", "audio_url")):
            if part.get(name) in links:
                part[link] = links.pop(part.pop(name))
                if part.get("type") == name:
                    part["type"] = link
        return part

    return _text(json.loads(body, object_hook=linked))


def _by_asset(body: str, asset_id: str) -> str:
    """Return a request whose sound is an asset, not HeyGen's link that has expired."""

    def kept(part: dict[str, Any]) -> dict[str, Any]:
        if part.pop("audio_url", None):
            part["audio_asset_id"] = asset_id
        return part

    return _text(json.loads(body, object_hook=kept))


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


async def forget_what_failed(account: Account, row: RenderRow) -> None:
    """Drop what is known of the look and the files of an attempt that ended unpaid.

    The look may have changed since it was told of. Files are uploaded again, which
    is free: so it does not matter that ``resource_not_found`` may be about the voice.
    """
    if row.state not in ENDED_UNPAID:
        return
    if row.avatar_id:
        account.catalogue.used(row.inputs.get("avatar_id", "")).forget()
    if "not_found" in (row.error_code or ""):
        gone, ledger = assets_in(row.body), account.ledger
        await asyncio.to_thread(ledger.assets.forget, row.account, gone)
        await asyncio.to_thread(ledger.speech.forget, row.account, gone)


def assets_in(body: str) -> set[str]:
    """Return the assets that a stored request shows and plays."""
    content = json.loads(body)
    scenes = content.get("scenes", ())
    places = (content.get("background"), *(scene.get("source") for scene in scenes))
    shown = {place["asset_id"] for place in places if place and "asset_id" in place}
    spoken = (part.get("audio_asset_id") for part in (content, *scenes))
    return shown | set(filter(None, spoken))
