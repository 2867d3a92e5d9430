"""From a validated body to what is rendered, how long it gets, what it costs."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.sandbox.bodies import (
    AssetSource,
    AvatarInput,
    AvatarScene,
    AvatarVideo,
    Base64Source,
    CinematicVideo,
    ImageScene,
    ImageVideo,
    Source,
    Speech,
    StudioVideo,
    UrlSource,
    VideoBody,
)
from heygen_nb.sandbox.catalogue import Look, Voice, looks, voices
from heygen_nb.sandbox.envelope import Refusal, invalid
from heygen_nb.sandbox.rendering import Order, Part, Ratio, length_s

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.bodies import Background
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
CINEMATIC_USD = 7.0
_CINEMATIC_S = 10
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


def find_look(look_id: str, param: str) -> Look:
    """Return the look.

    Raises:
        Refusal: 404, or 409 for one that is still in training.
    """
    look = looks().get(look_id)
    if look is None:
        message = f"Avatar {look_id} not found"
        raise Refusal(404, "avatar_not_found", message, param=param)
    if not look.ready:
        message = f"Avatar {look_id} is still being processed"
        raise Refusal(409, "resource_not_ready", message, param=param)
    return look


def find_voice(voice_id: str, param: str = "voice_id") -> Voice:
    """Return the voice.

    Raises:
        Refusal: 404.
    """
    voice = voices().get(voice_id)
    if voice is None:
        message = f"Voice {voice_id} not found"
        raise Refusal(404, "voice_not_found", message, param=param)
    return voice


class Planner:
    """Resolves what a body refers to."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def plan(self, body: VideoBody) -> Plan:
        """Return what is to be made.

        Raises:
            Refusal: Something the body refers to is missing or does not fit.
        """
        match body:
            case AvatarVideo():
                return self._avatar(body)
            case ImageVideo():
                return self._image(body)
            case StudioVideo():
                return self._studio(body)
            case CinematicVideo():
                return self._cinematic(body)

    def _avatar(self, body: AvatarVideo) -> Plan:
        look = find_look(body.avatar_id, "avatar_id")
        engine = _engine(body, look)
        part = self._speech(body, look.default_voice_id)
        ratio = _ratio(body.aspect_ratio, look)
        background = self._background(body.background)
        order = _order(body, (part,), ratio, background=background, look_id=look.id)
        return _priced(order, engine, [RATES[engine]])

    def _image(self, body: ImageVideo) -> Plan:
        picture = self._source(body.image, "image")
        order = _order(
            body,
            (self._speech(body, None),),
            _ratio(body.aspect_ratio, None),
            background=self._background(body.background),
            avatar_image=picture,
        )
        return _priced(order, "image", [RATES["image"]])

    def _cinematic(self, body: CinematicVideo) -> Plan:
        look, *_others = (find_look(look_id, "avatar_id") for look_id in body.avatar_id)
        part = Part(duration_s=float(body.duration or _CINEMATIC_S))
        order = Order(
            parts=(part,),
            ratio=_ratio(body.aspect_ratio, look),
            short_side_px=_SHORT_SIDE[body.resolution],
            look_id=look.id,
        )
        return Plan(order, "cinematic", part.duration_s, CINEMATIC_USD)

    def _studio(self, body: StudioVideo) -> Plan:
        rows = [
            self._scene(scene, f"scenes.{i}") for i, scene in enumerate(body.scenes)
        ]
        _part, kind, background, look = rows[0]
        order = _order(
            body,
            tuple(row[0] for row in rows),
            _ratio(body.aspect_ratio, look),
            background=background,
            look_id=look.id if look else None,
        )
        return _priced(order, kind, [RATES[row[1]] for row in rows])

    def _scene(
        self, scene: AvatarScene | ImageScene, param: str
    ) -> tuple[Part, str, str | Path | bytes | None, Look | None]:
        if isinstance(scene, ImageScene):
            picture = self._source(scene.source, f"{param}.source")
            if scene.duration is not None:
                return Part(duration_s=scene.duration), "still", picture, None
            return self._speech(scene, None, f"{param}."), "still", picture, None
        param = f"{param}.input."
        if isinstance(scene.input, AvatarInput):
            look = find_look(scene.input.avatar_id, f"{param}avatar_id")
            color = scene.input.background.color if scene.input.background else None
            part = self._speech(scene.input, look.default_voice_id, param)
            return part, _engine(scene.input, look, param), color, look
        picture = self._source(scene.input.image, f"{param}image")
        return self._speech(scene.input, None, param), "image", picture, None

    def _speech(self, body: Speech, default: str | None, at: str = "") -> Part:
        if body.audio_asset_id is not None:
            param = f"{at}audio_asset_id"
            return self._files.sound(
                self._files.asset(body.audio_asset_id, "audio", param)
            )
        if body.audio_url is not None:
            return self._files.sound(
                self._files.linked(body.audio_url, f"{at}audio_url")
            )
        voice_id = body.voice_id or default
        if voice_id is None:
            raise invalid(f"{at}voice_id", "is required with a script")
        voice = find_voice(voice_id, f"{at}voice_id")
        speed = body.voice_settings.speed if body.voice_settings else 1.0
        return Part(body.script or "", voice, speed)

    def _source(self, source: Source, param: str) -> str | Path | bytes:
        match source:
            case UrlSource():
                return self._files.linked(source.url, f"{param}.url")
            case AssetSource():
                return self._files.asset(source.asset_id, "image", f"{param}.asset_id")
            case Base64Source():
                try:
                    return base64.b64decode(source.data, validate=True)
                except binascii.Error:
                    raise invalid(f"{param}.data", "is not base64") from None

    def _background(self, background: Background | None) -> str | Path | bytes | None:
        if background is None:
            return None
        if background.type == "color":
            return background.value
        if background.asset_id:
            at = "background.asset_id"
            return self._files.asset(background.asset_id, "image", at)
        return self._files.linked(background.url or "", "background.url")


def _engine(body: AvatarVideo | AvatarInput, look: Look, at: str = "") -> str:
    engine = body.engine.type if body.engine else "avatar_iv"
    if engine not in look.engines:
        known = ", ".join(look.engines)
        raise invalid(f"{at}engine.type", f"this look supports {known}")
    return engine


def _ratio(asked: str | None, look: Look | None) -> Ratio:
    if asked == "auto":
        return _SHAPES[look.orientation] if look else "16:9"
    return asked or "16:9"  # type: ignore[return-value] # "auto" is gone


def _order(
    body: AvatarVideo | ImageVideo | StudioVideo,
    parts: tuple[Part, ...],
    ratio: Ratio,
    *,
    background: str | Path | bytes | None,
    look_id: str | None = None,
    avatar_image: str | Path | bytes | None = None,
) -> Order:
    return Order(
        parts=parts,
        ratio=ratio,
        short_side_px=_SHORT_SIDE[body.resolution or "1080p"],
        background=background,
        look_id=look_id,
        avatar_image=avatar_image,
        # Without a style HeyGen makes the SRT alone; one render cannot do both.
        captions=body.caption is not None,
    )


def _priced(order: Order, engine: str, rates: list[float]) -> Plan:
    lengths = [length_s(part) for part in order.parts]
    cost = sum(n * rate for n, rate in zip(lengths, rates, strict=True))
    return Plan(order, engine, sum(lengths), round(cost, 6))
