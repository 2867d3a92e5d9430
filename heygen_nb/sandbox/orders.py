"""From a validated body to what is rendered, how long it gets, what it costs."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox.bodies import AvatarVideo, ImageVideo, StudioVideo
from heygen_nb.sandbox.catalogue import Look, Voice, looks, voices
from heygen_nb.sandbox.envelope import Refusal, found, invalid
from heygen_nb.sandbox.rendering import Order, Part, Ratio, length_s

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.bodies import Background, Source, Speech, VideoBody
    from heygen_nb.sandbox.files import Files

# The sandbox's own prices: USD a second of finished video. HeyGen's are not
# published for all of these, so nothing may be learned from them.
RATES = {
    "avatar_iv": 0.05,
    "avatar_v": 0.0667,
    "avatar_iii": 0.02,
    "image": 0.05,
    "still": 0.01,
    "speech": 0.000667,
}
_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES: dict[str, Ratio] = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}


@dataclass(frozen=True, slots=True)
class Plan:
    """An order with its price.

    Attributes:
        duration_s: As modelled; what comes out of a real voice differs.
        cost: Of ``duration_s``.
    """

    order: Order
    engine: str
    duration_s: float
    cost: float


def find_voice(voice_id: str, param: str = "voice_id") -> Voice:
    """Return the voice, or refuse with 404."""
    return found(voices(), voice_id, "voice", param)


class Planner:
    """Resolves what a body refers to."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def plan(self, body: VideoBody) -> Plan:
        """Return what is to be made.

        Raises:
            Refusal: Something the body refers to is missing or does not fit.
        """
        look: Look | None = None
        picture: dict[str, Any]
        match body:
            case AvatarVideo():
                look = _ready_look(body.avatar_id)
                engine = _engine(body, look)
                parts = [self._part(body, look.default_voice_id)]
                picture = {"look_id": look.id}
                picture["background"] = self._background(body.background)
            case ImageVideo():
                engine, parts = "image", [self._part(body, None)]
                picture = {"avatar_image": self._source(body.image, "image")}
                picture["background"] = self._background(body.background)
            case StudioVideo():
                engine, parts, pictures = "still", [], []
                for number, scene in enumerate(body.scenes):
                    at = f"scenes.{number}."
                    pictures.append(self._source(scene.source, f"{at}source"))
                    silent = Part(duration_s=scene.duration or 0)
                    spoken = scene.duration is None
                    parts.append(self._part(scene, None, at) if spoken else silent)
                picture = {"background": pictures[0]}
        order = Order(
            parts=tuple(parts),
            ratio=_ratio(body.aspect_ratio, look),
            short_side_px=_SHORT_SIDE[body.resolution or "1080p"],
            # Without a style HeyGen makes the SRT alone; one render cannot do both.
            captions=body.caption is not None,
            **picture,
        )
        duration_s = sum(length_s(part) for part in parts)
        return Plan(order, engine, duration_s, round(duration_s * RATES[engine], 6))

    def _part(self, body: Speech, default: str | None, at: str = "") -> Part:
        if body.audio_asset_id is not None:
            param = f"{at}audio_asset_id"
            return self._files.sound(
                self._files.asset(body.audio_asset_id, "audio", param)
            )
        if body.audio_url is not None:
            link = self._files.linked(body.audio_url, f"{at}audio_url")
            return self._files.sound(link)
        voice_id = body.voice_id or default
        if voice_id is None:
            raise invalid(f"{at}voice_id", "is required with a script")
        voice = find_voice(voice_id, f"{at}voice_id")
        speed = body.voice_settings.speed if body.voice_settings else 1.0
        return Part(body.script or "", voice, speed)

    def _source(self, source: Source | Background, at: str) -> str | Path | bytes:
        if source.url is not None:
            return self._files.linked(source.url, f"{at}.url")
        if source.asset_id is not None:
            return self._files.asset(source.asset_id, "image", f"{at}.asset_id")
        try:
            return base64.b64decode(getattr(source, "data", None) or "", validate=True)
        except binascii.Error:
            raise invalid(f"{at}.data", "is not base64") from None

    def _background(self, background: Background | None) -> str | Path | bytes | None:
        if background is None:
            return None
        if background.type == "color":
            return background.value
        return self._source(background, "background")


def _ready_look(look_id: str) -> Look:
    look = found(looks(), look_id, "avatar", "avatar_id")
    if look.status == "processing":
        message = f"Avatar {look_id} is still being processed"
        raise Refusal(409, "resource_not_ready", message, param="avatar_id")
    return look


def _engine(body: AvatarVideo, look: Look) -> str:
    engine = body.engine.type if body.engine else "avatar_iv"
    if engine not in look.supported_api_engines:
        raise invalid(
            "engine.type", f"this look supports {', '.join(look.supported_api_engines)}"
        )
    return engine


def _ratio(asked: str | None, look: Look | None) -> Ratio:
    if asked == "auto":
        return _SHAPES[look.preferred_orientation] if look else "16:9"
    return asked or "16:9"  # type: ignore[return-value] # "auto" is gone
