# ruff: noqa: D101 - the classes are the objects of HeyGen's requests, named alike
"""What a request may say: validation of our own that names the field at fault.

Unknown fields are refused, more strictly than HeyGen is known to: a stand-in
should notice a misspelt field. Of the four kinds of video the cinematic one is
missing, and of a studio video's scenes all but pictures. Callback fields are
accepted and nothing is sent to them: no client of ours uses webhooks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from heygen_nb.sandbox.envelope import Refusal, invalid

B = TypeVar("B", bound=BaseModel)
Ratio = Literal["16:9", "9:16", "4:5", "5:4", "1:1", "auto"]
Script = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
_PLAINER = {"missing": "is required", "extra_forbidden": "no such field"}


def _wrong(param: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("field", message, {"param": param})


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Source(_Body):
    """A picture: where it is, or itself."""

    type: Literal["url", "asset_id", "base64"]
    url: Url | None = None
    asset_id: str | None = None
    media_type: Literal["image/png", "image/jpeg"] | None = None
    data: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"base64": ["media_type", "data"]}.get(self.type, [self.type])
        for name in needed:
            if getattr(self, name) is None:
                raise _wrong(name, f"is required with the type {self.type}")
        return self


class VoiceSettings(_Body):
    speed: float = Field(1, ge=0.5, le=1.5)
    pitch: float = Field(0, ge=-50, le=50)
    volume: float = Field(1, ge=0, le=1)
    locale: str | None = None
    engine_settings: dict[str, Any] | None = None


class Background(_Body):
    type: Literal["color", "image"]
    value: str | None = Field(None, pattern=r"^#[0-9a-fA-F]{6}$")
    url: Url | None = None
    asset_id: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "color" and not self.value:
            raise _wrong("value", "a colour such as #203040 is required")
        if self.type == "image" and bool(self.url) == bool(self.asset_id):
            raise _wrong("url", "give either url or asset_id for an image background")
        return self


class Caption(_Body):
    file_format: Literal["srt"] = "srt"
    style: Literal["default"] | None = None


class Engine(_Body):
    type: Literal["avatar_iv", "avatar_v", "avatar_iii"]
    reference_look_id: str | None = None


class Speech(_Body):
    """Exactly one of a script, a link and an asset is spoken."""

    script: Script | None = None
    voice_id: str | None = None
    voice_settings: VoiceSettings | None = None
    audio_url: Url | None = None
    audio_asset_id: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        names = ["script", "audio_url", "audio_asset_id"]
        names += ["duration"] * ("duration" in type(self).model_fields)
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise _wrong("script", f"give exactly one of {', '.join(names)}")
        return self


class _Common(_Body):
    title: str | None = None
    resolution: Literal["4k", "1080p", "720p"] | None = None
    aspect_ratio: Ratio | None = "16:9"
    caption: Caption | None = None
    callback_url: Url | None = None
    callback_id: str | None = None
    watermark: dict[str, Any] | None = None


class _Spoken(_Common, Speech):
    background: Background | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    output_format: Literal["mp4"] = "mp4"  # no webm here
    motion_prompt: str | None = None
    expressiveness: Literal["high", "medium", "low"] | None = None


class AvatarVideo(_Spoken):
    type: Literal["avatar"]
    avatar_id: str
    engine: Engine | None = None


class ImageVideo(_Spoken):
    type: Literal["image"]
    image: Source


class ImageScene(Speech):
    """A still picture: narrated, or silent for ``duration`` seconds."""

    type: Literal["image"]
    source: Source
    duration: float | None = Field(None, gt=0, le=300)


class StudioVideo(_Common):
    type: Literal["studio"]
    scenes: list[ImageScene] = Field(min_length=1, max_length=50)


def _tag(value: Any) -> str:
    # The mark lets _refusal() tell a tag in an error's place from a field.
    return f"~{value.get('type')}" if isinstance(value, dict) else "~"


VideoBody = AvatarVideo | ImageVideo | StudioVideo
_Video = Annotated[
    Annotated[AvatarVideo, Tag("~avatar")]
    | Annotated[ImageVideo, Tag("~image")]
    | Annotated[StudioVideo, Tag("~studio")],
    Discriminator(
        _tag,
        custom_error_type="union",
        custom_error_message="must be one of avatar, image, studio",
        custom_error_context={"param": "type"},
    ),
]


class VideoRequest(_Body):
    """Wraps the union so that it is validated like any other field."""

    video: _Video


class BatchRequest(_Body):
    videos: list[_Video] = Field(min_length=1, max_length=100)
    title: str | None = None
    callback_url: Url | None = None


class SpeechRequest(_Body):
    text: Script
    voice_id: str
    speed: float = Field(1, ge=0.5, le=2)
    input_type: Literal["text", "ssml"] = "text"
    language: str | None = None
    locale: str | None = None


def parse(model: type[B], value: Any) -> B:
    """Validate a body.

    Raises:
        Refusal: 400 naming the first wrong field in ``param``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise _refusal(exc) from None


def parse_video(value: Any) -> VideoBody:
    """Validate the body of ``POST /v3/videos``, see :func:`parse`."""
    return parse(VideoRequest, {"video": value}).video


def _refusal(exc: ValidationError) -> Refusal:
    error = exc.errors(include_url=False)[0]
    place = [str(p) for p in error["loc"] if not str(p).startswith("~")]
    if "param" in error.get("ctx", {}):
        place.append(error["ctx"]["param"])
    param = ".".join(place).removeprefix("video.")
    return invalid(param or "body", _PLAINER.get(error["type"], error["msg"]))
