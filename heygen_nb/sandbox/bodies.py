# ruff: noqa: D101 - the classes are the fields of HeyGen's objects, named alike
"""What a request may say. Validation of our own, with the field that is wrong.

Unknown fields are refused, more strictly than HeyGen is known to: a stand-in
should notice a misspelt field. Callback fields are accepted and nothing is
sent to them: no client of ours uses webhooks.
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
_PLAINER = {"missing": "is required", "extra_forbidden": "no such field"}
Script = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


def _by_type(value: Any) -> str:
    # The mark lets _param() tell a tag in an error's place from a field.
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", "")
    return f"~{kind}"


def _union(words: str) -> Any:
    return Discriminator(
        _by_type,
        custom_error_type="union",
        custom_error_message=f"must be one of {words}",
        custom_error_context={"param": "type"},
    )


def _wrong(param: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("field", message, {"param": param})


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UrlSource(_Body):
    type: Literal["url"]
    url: Url


class AssetSource(_Body):
    type: Literal["asset_id"]
    asset_id: str


class Base64Source(_Body):
    type: Literal["base64"]
    media_type: Literal["image/png", "image/jpeg"]
    data: str


Source = Annotated[
    Annotated[UrlSource, Tag("~url")]
    | Annotated[AssetSource, Tag("~asset_id")]
    | Annotated[Base64Source, Tag("~base64")],
    _union("url, asset_id, base64"),
]


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
    def _one_picture(self) -> Self:
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

    def spoken(self) -> int:
        """Return how many kinds of speech are given."""
        return sum(
            given is not None
            for given in (self.script, self.audio_url, self.audio_asset_id)
        )

    @model_validator(mode="after")
    def _one_speech(self) -> Self:
        if self.spoken() != 1:
            raise _wrong(
                "script", "give exactly one of script, audio_url, audio_asset_id"
            )
        return self


class _Animated(Speech):
    motion_prompt: str | None = None
    expressiveness: Literal["high", "medium", "low"] | None = None


class _Common(_Body):
    title: str | None = None
    resolution: Literal["4k", "1080p", "720p"] | None = None
    aspect_ratio: Ratio | None = "16:9"
    caption: Caption | None = None
    callback_url: Url | None = None
    callback_id: str | None = None
    watermark: dict[str, Any] | None = None


class _Single(_Common, _Animated):
    background: Background | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    output_format: Literal["mp4", "webm"] = "mp4"

    @model_validator(mode="after")
    def _opaque(self) -> Self:
        if self.output_format == "webm":
            raise _wrong("output_format", "the sandbox makes mp4 only")
        return self


class AvatarVideo(_Single):
    type: Literal["avatar"]
    avatar_id: str
    engine: Engine | None = None


class ImageVideo(_Single):
    type: Literal["image"]
    image: Source


class CinematicVideo(_Body):
    type: Literal["cinematic_avatar"]
    prompt: str = Field(min_length=1)
    avatar_id: list[str] = Field(min_length=1, max_length=3)
    duration: int | None = Field(None, ge=4, le=15)
    auto_duration: bool = False
    enhance_prompt: bool = False
    references: list[Source] | None = None
    resolution: Literal["720p", "1080p"] = "720p"
    aspect_ratio: Ratio = "16:9"
    title: str | None = None


class Color(_Body):
    type: Literal["color"]
    color: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")


class AvatarInput(_Animated):
    type: Literal["avatar"]
    avatar_id: str
    background: Color | None = None
    engine: Engine | None = None


class ImageInput(_Animated):
    type: Literal["image"]
    image: Source


class AvatarScene(_Body):
    type: Literal["avatar_video"]
    input: Annotated[
        Annotated[AvatarInput, Tag("~avatar")] | Annotated[ImageInput, Tag("~image")],
        _union("avatar, image"),
    ]


class ImageScene(Speech):
    """A still picture: narrated, or silent for ``duration`` seconds."""

    type: Literal["image"]
    source: Source
    duration: float | None = Field(None, gt=0, le=300)

    @model_validator(mode="after")
    def _one_speech(self) -> Self:
        if self.spoken() + (self.duration is not None) != 1:
            raise _wrong(
                "script",
                "give exactly one of script, audio_url, audio_asset_id, duration",
            )
        return self


class StudioVideo(_Common):
    """Scenes in a row; the sandbox has no clips, so no ``video`` scenes."""

    type: Literal["studio"]
    scenes: list[
        Annotated[
            Annotated[AvatarScene, Tag("~avatar_video")]
            | Annotated[ImageScene, Tag("~image")],
            _union("avatar_video, image (the sandbox plays no video scenes)"),
        ]
    ] = Field(min_length=1, max_length=50)


VideoBody = AvatarVideo | ImageVideo | StudioVideo | CinematicVideo
_Video = Annotated[
    Annotated[AvatarVideo, Tag("~avatar")]
    | Annotated[ImageVideo, Tag("~image")]
    | Annotated[StudioVideo, Tag("~studio")]
    | Annotated[CinematicVideo, Tag("~cinematic_avatar")],
    _union("avatar, image, studio, cinematic_avatar"),
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
        return model.model_validate(value, strict=False)
    except ValidationError as exc:
        raise _refusal(exc) from None


def parse_video(value: Any) -> VideoBody:
    """Validate the body of ``POST /v3/videos``.

    Raises:
        Refusal: 400 naming the first wrong field in ``param``.
    """
    return parse(VideoRequest, {"video": value}).video


def _refusal(exc: ValidationError) -> Refusal:
    error = exc.errors(include_url=False)[0]
    place = [str(p) for p in error["loc"] if not str(p).startswith("~")]
    if "param" in error.get("ctx", {}):
        place.append(error["ctx"]["param"])
    param = ".".join(place).removeprefix("video.")
    message = _PLAINER.get(error["type"], error["msg"])
    return invalid(param or "body", message)
