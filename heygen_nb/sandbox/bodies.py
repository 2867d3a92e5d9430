# ruff: noqa: D101 - the classes are the objects of HeyGen's requests, named alike
"""What a request may say: validation of our own that names the field at fault.

Of the kinds of video there are ``avatar`` and ``studio`` with scenes of pictures: the
ones the product asks for. Callback fields are accepted and nothing is sent to them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from heygen_nb.sandbox.api import invalid
from heygen_nb.sandbox.state import Purse  # noqa: TC001 - pydantic resolves it

B = TypeVar("B", bound=BaseModel)
Script = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


def _wrong(param: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("field", message, {"param": param})


Ratio = Literal["16:9", "9:16", "4:5", "5:4", "1:1"]


class _Body(BaseModel):
    # HeyGen refuses what it does not know: "Extra inputs are not permitted".
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SourceBody(_Body):
    type: Literal["url", "asset_id", "base64"]
    url: Url | None = None
    asset_id: str | None = None
    media_type: str | None = None
    data: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = "data" if self.type == "base64" else self.type
        if getattr(self, needed) is None:
            raise _wrong(needed, f"is required with the type {self.type}")
        return self


class BackgroundBody(_Body):
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
    choices: ClassVar = ["script", "audio_url", "audio_asset_id"]

    script: Script | None = None
    voice_id: str | None = None
    voice_settings: VoiceSettingsBody = VoiceSettingsBody.model_validate({})
    audio_url: Url | None = None
    audio_asset_id: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.choices) != 1:
            raise _wrong("script", f"give exactly one of {', '.join(self.choices)}")
        return self


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
    type: Literal["avatar"]
    avatar_id: str
    engine: EngineBody = EngineBody()
    background: BackgroundBody | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    output_format: Literal["mp4"] = "mp4"  # no webm here


class SceneBody(SpokenBody):
    choices: ClassVar = [*SpokenBody.choices, "duration"]

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


def parse(model: type[B], value: Any, at: str = "") -> B:
    """Validate a body, or refuse with a 400 naming the first wrong field.

    ``at`` is where it stands in a larger one, such as ``videos.1.``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        place = [*map(str, error["loc"])]
        if error["type"] == "field":
            place.append(error["ctx"]["param"])
        raise invalid(at + ".".join(place) or "body", error["msg"]) from None


def parse_video(value: Any, at: str = "") -> AvatarVideoBody | StudioVideoBody:
    """Validate the body of ``POST /v3/videos``, see :func:`parse`."""
    match value:
        case {"type": "avatar"}:
            return parse(AvatarVideoBody, value, at)
        case {"type": "studio"}:
            return parse(StudioVideoBody, value, at)
    raise invalid(f"{at}type", "must be one of avatar, studio")
