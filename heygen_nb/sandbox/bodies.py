"""What is to be made of a video's body, and at what rate.

Looks behave as they were seen to on the live service from July to October 2026.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox.api import Refusal, found, invalid, parse
from heygen_nb.sandbox.catalogue import CATALOGUE, looks, voices
from heygen_nb.sandbox.rendering import FilmOrder, SoundPart, model, silence, speak

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.files import Files

_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}
_UNREADY = {
    "processing": "resource_not_ready",
    "pending_consent": "avatar_consent_required",
}


def parse_video(body: Any) -> Any:
    """Check the body of ``POST /v3/videos``, see :func:`parse`."""
    kind = body.get("type") if isinstance(body, dict) else None
    if kind not in ("avatar", "studio"):
        raise invalid("type", "must be one of avatar, studio")
    return parse(kind, body)


def order_of(body: dict[str, Any], files: Files) -> FilmOrder:
    """Return what is to be made; refuse what is missing or does not fit."""
    if body["type"] == "avatar":
        return _avatar_order(body, files)
    parts, pictures, ratio = [], [], body["aspect_ratio"]
    for number, scene in enumerate(body["scenes"]):
        pictures.append(_picture(scene["source"], files, f"scenes.{number}.source"))
        parts.append(_part(scene, files, f"scenes.{number}."))
    return FilmOrder(
        parts=tuple(parts),
        engine="still",
        ratio="16:9" if ratio == "auto" else ratio,
        short_side_px=_SHORT_SIDE[body["resolution"]],
        background=pictures[0],
        rate=CATALOGUE["rates"]["still"],
        styled=_styled(body),
    )


def _styled(body: dict[str, Any]) -> bool:
    """Tell whether captions are to be burned into a second film."""
    return body.get("caption", {}).get("style") is not None


def _avatar_order(body: dict[str, Any], files: Files) -> FilmOrder:
    look = found(looks(), body["avatar_id"], "avatar", "avatar_id")
    engine, rates = body["engine"]["type"], CATALOGUE["rates"]
    if code := _UNREADY.get(look["status"]):
        problem = f"The avatar's status is {look['status']}"
        raise Refusal(409, code, problem, param="avatar_id")
    # one that lists no engine takes one all the same
    able = look["supported_api_engines"] or ["avatar_iii"]
    if files.options.look_engines and engine not in able:
        name = CATALOGUE["engines"][engine]
        problem = f"This avatar does not support {name} video generation"
        raise invalid("engine.type", problem)
    shape, barred = _SHAPES[look["preferred_orientation"]], None
    ratio = shape if body["aspect_ratio"] == "auto" else body["aspect_ratio"]
    background = _picture(body.get("background", {}), files, "background")
    if background is None or not _honours(body, look, files):
        background = None
        if files.options.bars and _leaves_bars(body, look, ratio):
            barred = look["image_width"], look["image_height"]
    kind = look["avatar_type"]
    if body["resolution"] == "4k":
        kind = f"4k {kind}" if f"4k {kind}" in rates[engine] else "4k"
    return FilmOrder(
        parts=(_part(body, files, default=look["default_voice_id"]),),
        engine=engine,
        ratio=ratio,
        short_side_px=_SHORT_SIDE[body["resolution"]],
        background=background,
        rate=rates[engine][kind],
        barred=barred,
        styled=_styled(body) and look["captioned"],
    )


def _honours(body: dict[str, Any], look: dict[str, Any], files: Files) -> bool:
    """Tell whether the asked background will be seen; refuse an untrained look."""
    if look["avatar_type"] == "studio_avatar" or not files.options.matting:
        return True
    matted = bool(body.get("remove_background"))
    if matted and look["matting"] == "untrained":
        problem = "This avatar does not support background removal. Use an avatar that"
        raise invalid("remove_background", f"{problem} was trained for matting.")
    return matted and look["matting"] == "trained"


def _leaves_bars(body: dict[str, Any], look: dict[str, Any], ratio: str) -> bool:
    wide, high = map(int, ratio.split(":"))
    fit = body.get("fit")
    if wide * look["image_height"] == high * look["image_width"] or fit == "cover":
        return False
    shape = "square" if wide == high else "landscape" if wide > high else "portrait"
    return fit == "contain" or shape != look["preferred_orientation"]


def _part(
    body: dict[str, Any], files: Files, at: str = "", *, default: str | None = None
) -> SoundPart:
    match body:
        case {"duration": length_s}:
            return SoundPart(length_s, partial(silence, length_s))
        case {"audio_asset_id": known}:
            return files.sound(files.asset(known, "audio", f"{at}audio_asset_id"))
        case {"audio_url": url}:
            return files.sound(files.linked(url, f"{at}audio_url"))
    voice_id = body.get("voice_id", default)
    if voice_id is None:
        raise invalid(f"{at}voice_id", "is required with a script")
    voice = found(voices(), voice_id, "voice", f"{at}voice_id")
    script, speed = body["script"], body["voice_settings"]["speed"]
    length_s = model(voice, script, speed).duration_s
    return SoundPart(length_s, partial(speak, voice, script, speed), script)


def _picture(
    source: dict[str, Any], files: Files, at: str
) -> str | Path | bytes | None:
    match source:
        case {"value": str(colour)}:
            return colour
        case {"url": url}:
            return files.linked(url, f"{at}.url")
        case {"asset_id": known}:
            return files.asset(known, "image", f"{at}.asset_id")
        case {"data": text}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise invalid(f"{at}.data", "is not base64") from None
    return None
