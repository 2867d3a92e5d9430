"""What is sent to HeyGen v3: only the fields this product uses."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_SCRIPT_CHARS = 5_000  # developers.heygen.com/docs/usage-limits
MAX_BATCH_VIDEOS = 100


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> str:
        """Return the one JSON text of this request: sorted keys, no nulls."""
        content = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(
            content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )

    def _need_one_of(self, *names: str) -> None:
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"exactly one of {', '.join(names)} is needed")


Script = Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT_CHARS)]
Id = Annotated[str, Field(min_length=1)]
AspectRatio = Literal["16:9", "9:16", "4:5", "5:4", "1:1", "auto"]
EngineName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class VoiceSettings(_Request):
    """How the voice speaks; 1, 0 and 1 are what it does by itself."""

    speed: float = Field(default=1, ge=0.5, le=1.5)
    pitch: float = Field(default=0, ge=-50, le=50)
    volume: float = Field(default=1, ge=0, le=1)
    locale: str | None = None


class UrlSource(_Request):
    """A file HeyGen fetches by itself."""

    type: Literal["url"] = "url"
    url: str


class AssetSource(_Request):
    """A file uploaded before."""

    type: Literal["asset_id"] = "asset_id"
    asset_id: Id


class InlineSource(_Request):
    """A small file inside the request; ``data`` is base64."""

    type: Literal["base64"] = "base64"
    media_type: str
    data: str


class ColorBackground(_Request):
    """A plain background, as ``#rrggbb``."""

    type: Literal["color"] = "color"
    value: str = Field(pattern=r"^#[0-9A-Fa-f]{6}$")


class ImageBackground(_Request):
    """A picture behind the avatar: exactly one of link and asset."""

    type: Literal["image"] = "image"
    url: str | None = None
    asset_id: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        self._need_one_of("url", "asset_id")
        return self


class Engine(_Request):
    """The engine that moves the avatar; HeyGen's own default is ``avatar_iv``."""

    type: EngineName


class Caption(_Request):
    """Subtitles as a file; with a style they are burnt into the video as well."""

    file_format: Literal["srt"] = "srt"
    style: Literal["default"] | None = None


class _Spoken(_Request):
    script: Script | None = None
    audio_url: str | None = None
    audio_asset_id: str | None = None
    voice_id: str | None = None
    voice_settings: VoiceSettings | None = None


class _VideoRequest(_Request):
    title: str | None = None
    aspect_ratio: AspectRatio = "16:9"
    resolution: Literal["720p", "1080p", "4k"] | None = None
    caption: Caption | None = None
    callback_id: str | None = None


class AvatarVideo(_Spoken, _VideoRequest):
    """One avatar look that says one script (or one sound file)."""

    type: Literal["avatar"] = "avatar"
    avatar_id: Id
    background: ColorBackground | ImageBackground | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    engine: Engine | None = None

    @model_validator(mode="after")
    def _one_speech(self) -> Self:
        self._need_one_of("script", "audio_url", "audio_asset_id")
        return self


class ImageScene(_Spoken):
    """A still picture, narrated or silent for ``duration`` seconds."""

    type: Literal["image"] = "image"
    source: UrlSource | AssetSource | InlineSource = Field(discriminator="type")
    duration: float | None = Field(default=None, gt=0, le=300)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        self._need_one_of("script", "audio_url", "audio_asset_id", "duration")
        return self


class StudioVideo(_VideoRequest):
    """Scenes one after the other: the way to a video without an avatar."""

    type: Literal["studio"] = "studio"
    scenes: tuple[ImageScene, ...] = Field(min_length=1, max_length=50)


class VideoBatch(_Request):
    """Up to 100 videos in one request."""

    videos: tuple[
        Annotated[AvatarVideo | StudioVideo, Field(discriminator="type")], ...
    ] = Field(min_length=1, max_length=MAX_BATCH_VIDEOS)
    title: str | None = None


class SpeechRequest(_Request):
    """Text to be spoken by a voice of the starfish engine."""

    text: Script
    voice_id: Id
    speed: float = Field(default=1, ge=0.5, le=2)
    language: str | None = None
    locale: str | None = None
