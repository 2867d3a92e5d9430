"""From the body of a request to what is made of it, and at what rate.

Looks behave as they were seen to on the live service from July to October 2026.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from heygen_nb.sandbox.api import Refusal, found, invalid
from heygen_nb.sandbox.bodies import (
    AvatarVideoBody,
    BackgroundBody,
    Ratio,
    SceneBody,
    SourceBody,
    StudioVideoBody,
)
from heygen_nb.sandbox.looks import looks
from heygen_nb.sandbox.rendering import FilmOrder, SoundPart
from heygen_nb.sandbox.voices import model, voices

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.bodies import SpokenBody
    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.looks import SandboxLook

# USD a second, told alike by three users from August to October 2026: by engine for
# photo, twin and studio looks, then for 4K of a photo and of any other.
_RATES = {
    "avatar_iii": (0.0433, 0.0167, 0.0167, 0.02, 0.02),
    "avatar_iv": (0.05, 0.0667, 0.0667, 0.0667, 0.0833),
    "avatar_v": (0.05, 0.0667, 0.0667, 0.0667, 0.0833),
}
_TYPES = ("photo_avatar", "digital_twin", "studio_avatar")
_STILL_RATE = 0.01  # HeyGen's is not published
_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES: dict[str, Ratio] = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}
_SPOKEN = {"avatar_iii": "Avatar III", "avatar_iv": "Avatar IV", "avatar_v": "Avatar V"}


def order_of(body: AvatarVideoBody | StudioVideoBody, files: Files) -> FilmOrder:
    """Return what is to be made; refuse what is missing or does not fit."""
    if isinstance(body, AvatarVideoBody):
        return _avatar_order(body, files)
    parts, pictures = [], []
    for number, scene in enumerate(body.scenes):
        pictures.append(_picture(scene.source, files, f"scenes.{number}.source"))
        parts.append(_part(scene, files, f"scenes.{number}."))
    return FilmOrder(
        parts=tuple(parts),
        engine="still",
        ratio="16:9" if body.aspect_ratio == "auto" else body.aspect_ratio,
        short_side_px=_SHORT_SIDE[body.resolution],
        background=pictures[0],
        rate=_STILL_RATE,
        styled=body.styled,
    )


def _avatar_order(body: AvatarVideoBody, files: Files) -> FilmOrder:
    look = _usable(body, found(_looks(files), body.avatar_id, "avatar", "avatar_id"))
    shape, background = _SHAPES[look.preferred_orientation], None
    ratio = shape if body.aspect_ratio == "auto" else body.aspect_ratio
    asked, barred = _picture(body.background, files, "background"), None
    if asked is not None and _honours(body, look, files):
        background = asked
    elif files.options.bars and _leaves_bars(body, look, ratio):
        barred = look.image_width, look.image_height
    column = _TYPES.index(look.avatar_type)
    if body.resolution == "4k":
        column = 3 + (column > 0)
    return FilmOrder(
        parts=(_part(body, files, default=look.default_voice_id),),
        engine=body.engine.type,
        ratio=ratio,
        short_side_px=_SHORT_SIDE[body.resolution],
        background=background,
        rate=_RATES[body.engine.type][column],
        barred=barred,
        styled=body.styled and look.captioned,
    )


def _looks(files: Files) -> dict[str, SandboxLook]:
    return looks(narrow=files.options.look_engines)


def _usable(body: AvatarVideoBody, look: SandboxLook) -> SandboxLook:
    if look.status == "processing":
        message = f"Avatar {look.id} is still being processed"
        raise Refusal(409, "resource_not_ready", message, param="avatar_id")
    if look.status == "pending_consent":
        message = f"Avatar {look.id} has no consent yet"
        raise Refusal(409, "avatar_consent_required", message, param="avatar_id")
    if body.engine.type not in look.engines:
        engine = _SPOKEN[body.engine.type]
        raise invalid(
            "engine.type", f"This avatar does not support {engine} video generation"
        )
    return look


def _honours(body: AvatarVideoBody, look: SandboxLook, files: Files) -> bool:
    """Tell whether the asked background will be seen; refuse an untrained look."""
    if look.avatar_type == "studio_avatar" or not files.options.matting:
        return True
    if body.remove_background and look.matting == "untrained":
        raise invalid(
            "remove_background",
            "This avatar does not support background removal. "
            "Use an avatar that was trained for matting.",
        )
    return bool(body.remove_background) and look.matting == "trained"


def _leaves_bars(body: AvatarVideoBody, look: SandboxLook, ratio: Ratio) -> bool:
    wide, high = (int(part) for part in ratio.split(":"))
    if wide * look.image_height == high * look.image_width or body.fit == "cover":
        return False
    shape = "square" if wide == high else "landscape" if wide > high else "portrait"
    return body.fit == "contain" or shape != look.preferred_orientation


def _part(
    body: SpokenBody, files: Files, at: str = "", *, default: str | None = None
) -> SoundPart:
    if isinstance(body, SceneBody) and body.duration is not None:
        return SoundPart(body.duration)
    if body.audio_asset_id is not None:
        param = f"{at}audio_asset_id"
        return files.sound(files.asset(body.audio_asset_id, "audio", param))
    if body.audio_url is not None:
        return files.sound(files.linked(body.audio_url, f"{at}audio_url"))
    voice_id = body.voice_id or default
    if voice_id is None:
        raise invalid(f"{at}voice_id", "is required with a script")
    known = voices(odd=files.options.odd_voices)
    voice = found(known, voice_id, "voice", f"{at}voice_id")
    script, speed = body.script or "", body.voice_settings.speed
    return SoundPart(model(voice, script, speed).duration_s, script, voice, speed)


def _picture(
    source: SourceBody | BackgroundBody | None, files: Files, at: str
) -> str | Path | bytes | None:
    match source:
        case BackgroundBody(value=str(colour)):
            return colour
        case SourceBody(url=str(url)) | BackgroundBody(url=str(url)):
            return files.linked(url, f"{at}.url")
        case SourceBody(asset_id=str(known)) | BackgroundBody(asset_id=str(known)):
            return files.asset(known, "image", f"{at}.asset_id")
        case SourceBody(data=str(text)):
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise invalid(f"{at}.data", "is not base64") from None
    return None
