# ruff: noqa: D101 - the classes are the objects of HeyGen's requests, named alike
"""What a request may say, what is to be made of it, and at what rate.

The validation names the field at fault. Looks behave as they were seen to on the live
service from July to October 2026. Of the kinds of video there are ``avatar`` and
``studio`` with scenes of pictures: the ones the product asks for. Callback fields are
accepted and nothing is sent to them.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from heygen_nb.sandbox.api import Refusal, found, invalid, parse
from heygen_nb.sandbox.catalogue import CATALOGUE, SandboxLook, looks, voices
from heygen_nb.sandbox.rendering import FilmOrder, Ratio, SoundPart, model
from heygen_nb.sandbox.state import Purse

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.files import Files

_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES: dict[str, Ratio] = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}
_UNREADY = {
    "processing": ("resource_not_ready", "is still being processed"),
    "pending_consent": ("avatar_consent_required", "has no consent yet"),
}
_SPEECH = ["script", "audio_url", "audio_asset_id"]

Script = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class _Body(BaseModel):
    # HeyGen refuses what it does not know: "Extra inputs are not permitted".
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    # By the type of the body: of these exactly one is needed.
    needed: ClassVar[dict[str, list[str]]] = {}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = self.needed.get(getattr(self, "type", ""), [])
        if names and sum(getattr(self, name) is not None for name in names) != 1:
            message = f"exactly one of {', '.join(names)} is required"
            raise PydanticCustomError("field", message, {"param": names[0]})
        return self


class SourceBody(_Body):
    needed = {"url": ["url"], "asset_id": ["asset_id"], "base64": ["data"]}

    type: Literal["url", "asset_id", "base64"]
    url: Url | None = None
    asset_id: str | None = None
    media_type: str | None = None
    data: str | None = None


class BackgroundBody(_Body):
    needed = {"color": ["value"], "image": ["url", "asset_id"]}

    type: Literal["color", "image"]
    value: str | None = Field(None, pattern=r"^#[0-9a-fA-F]{6}$")
    url: Url | None = None
    asset_id: str | None = None


class VoiceSettingsBody(_Body):
    speed: float = Field(1, ge=0.5, le=1.5)
    pitch: float = Field(0, ge=-50, le=50)
    volume: float = Field(1, ge=0, le=1)
    locale: str | None = None


class CaptionBody(_Body):
    file_format: Literal["srt"] = "srt"
    style: Literal["default"] | None = None


class EngineBody(_Body):
    type: Literal["avatar_iv", "avatar_v", "avatar_iii"] = "avatar_iv"


class SpokenBody(_Body):
    script: Script | None = None
    voice_id: str | None = None
    voice_settings: VoiceSettingsBody = VoiceSettingsBody.model_validate({})
    audio_url: Url | None = None
    audio_asset_id: str | None = None


class _VideoBody(_Body):
    title: str | None = None
    resolution: Literal["4k", "1080p", "720p"] = "1080p"
    aspect_ratio: Literal[Ratio, "auto"] = "16:9"
    caption: CaptionBody | None = None
    callback_url: Url | None = None
    callback_id: str | None = None

    @property
    def styled(self) -> bool:
        """Tell whether captions are to be burned into a second film."""
        return self.caption is not None and self.caption.style is not None


class AvatarVideoBody(_VideoBody, SpokenBody):
    needed = {"avatar": _SPEECH}

    type: Literal["avatar"]
    avatar_id: str
    engine: EngineBody = EngineBody()
    background: BackgroundBody | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    output_format: Literal["mp4"] = "mp4"  # no webm here


class SceneBody(SpokenBody):
    needed = {"image": [*_SPEECH, "duration"]}

    type: Literal["image"]
    source: SourceBody
    duration: float | None = Field(None, gt=0, le=300)


class StudioVideoBody(_VideoBody):
    type: Literal["studio"]
    scenes: list[SceneBody] = Field(min_length=1, max_length=50)


class BatchBody(_Body):
    videos: list[dict[str, Any]] = Field(min_length=1, max_length=100)
    title: str | None = None
    callback_url: Url | None = None


class SpeechBody(_Body):
    text: Script
    voice_id: str
    speed: float = Field(1, ge=0.5, le=2)
    input_type: Literal["text", "ssml"] = "text"
    language: str | None = None
    locale: str | None = None


class AdvanceBody(_Body):
    advance_s: float = Field(ge=0, le=10 * 366 * 86400)


class BalanceBody(_Body):
    balance: float = Field(ge=0, le=1e12)
    purse: Purse = "wallet"


class OwnerBody(_Body):
    pid: int = Field(gt=0)


def parse_video(value: Any, at: str = "") -> AvatarVideoBody | StudioVideoBody:
    """Validate the body of ``POST /v3/videos``, see :func:`parse`."""
    match value:
        case {"type": "avatar"}:
            return parse(AvatarVideoBody, value, at)
        case {"type": "studio"}:
            return parse(StudioVideoBody, value, at)
    raise invalid(f"{at}type", "must be one of avatar, studio")


def order_of(body: AvatarVideoBody | StudioVideoBody, files: Files) -> FilmOrder:
    """Return what is to be made; refuse what is missing or does not fit."""
    short_side_px = _SHORT_SIDE[body.resolution]
    if isinstance(body, AvatarVideoBody):
        known = looks(narrow=files.options.look_engines)
        look = found(known, body.avatar_id, "avatar", "avatar_id")
        return _avatar_order(body, look, files, short_side_px)
    parts, pictures = [], []
    for number, scene in enumerate(body.scenes):
        pictures.append(_picture(scene.source, files, f"scenes.{number}.source"))
        parts.append(_part(scene, files, f"scenes.{number}."))
    return FilmOrder(
        parts=tuple(parts),
        engine="still",
        ratio="16:9" if body.aspect_ratio == "auto" else body.aspect_ratio,
        short_side_px=short_side_px,
        background=pictures[0],
        rate=CATALOGUE["rates"]["still"],
        styled=body.styled,
    )


def _avatar_order(
    body: AvatarVideoBody, look: SandboxLook, files: Files, short_side_px: int
) -> FilmOrder:
    engine, kind, rates = body.engine.type, look.avatar_type, CATALOGUE["rates"]
    if look.status in _UNREADY:
        code, problem = _UNREADY[look.status]
        raise Refusal(409, code, f"Avatar {look.id} {problem}", param="avatar_id")
    # one that lists no engine takes one all the same
    if engine not in (look.supported_api_engines or ("avatar_iii",)):
        name = CATALOGUE["engines"][engine]
        problem = f"This avatar does not support {name} video generation"
        raise invalid("engine.type", problem)
    shape, barred = _SHAPES[look.preferred_orientation], None
    ratio = shape if body.aspect_ratio == "auto" else body.aspect_ratio
    background = _picture(body.background, files, "background")
    if background is None or not _honours(body, look, files):
        background = None
        if files.options.bars and _leaves_bars(body, look, ratio):
            barred = look.image_width, look.image_height
    if body.resolution == "4k":
        kind = f"4k {kind}" if f"4k {kind}" in rates[engine] else "4k"
    return FilmOrder(
        parts=(_part(body, files, default=look.default_voice_id),),
        engine=engine,
        ratio=ratio,
        short_side_px=short_side_px,
        background=background,
        rate=rates[engine][kind],
        barred=barred,
        styled=body.styled and look.captioned,
    )


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
    voice = found(voices(), voice_id, "voice", f"{at}voice_id")
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
