"""What HeyGen v3 answers.

Replies ignore unknown fields and require only what nothing works without; the links
in them are signed, so they stay out of every repr.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from heygen_nb.models import AspectRatio, ProgressStatus

MAX_SCRIPT_CHARS = 5_000  # developers.heygen.com/docs/usage-limits


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    one_of: ClassVar[tuple[str, ...]] = ()  # exactly one of these is needed

    def to_json(self) -> str:
        """Return the one JSON text of this request: sorted keys, no nulls."""
        return json.dumps(
            self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what stands in it."""
        return self.model_dump(mode="json", exclude_none=True)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in self.one_of if getattr(self, name) is not None]
        if self.one_of and len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(self.one_of)} is needed")
        return self


Script = Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT_CHARS)]
Id = Annotated[str, Field(min_length=1)]


class VoiceSettings(_Request):
    """How fast the voice speaks; 1 is what it does by itself."""

    speed: float = Field(default=1, ge=0.5, le=1.5)


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

    one_of = ("url", "asset_id")

    type: Literal["image"] = "image"
    url: str | None = None
    asset_id: str | None = None


class Engine(_Request):
    """The engine that moves the avatar; HeyGen's own default is ``avatar_iv``."""

    type: str = Field(pattern=r"^[a-z0-9_]{1,40}$")


class Caption(_Request):
    """Subtitles as a file; with a style they are burnt into the video as well."""

    file_format: Literal["srt"] = "srt"
    style: Literal["default"] | None = None


class _Spoken(_Request):
    one_of: ClassVar[tuple[str, ...]] = ("script", "audio_url", "audio_asset_id")

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


class AvatarVideo(_Spoken, _VideoRequest):
    """One avatar look that says one script (or one sound file)."""

    type: Literal["avatar"] = "avatar"
    avatar_id: Id
    background: ColorBackground | ImageBackground | None = None
    remove_background: bool | None = None
    fit: Literal["contain", "cover"] | None = None
    engine: Engine | None = None


class ImageScene(_Spoken):
    """A still picture, narrated or silent for ``duration`` seconds."""

    one_of = (*_Spoken.one_of, "duration")

    type: Literal["image"] = "image"
    source: UrlSource | AssetSource | InlineSource = Field(discriminator="type")
    duration: float | None = Field(default=None, gt=0, le=300)


class StudioVideo(_VideoRequest):
    """Scenes one after the other: the way to a video without an avatar."""

    type: Literal["studio"] = "studio"
    scenes: tuple[ImageScene, ...] = Field(min_length=1, max_length=50)


class SpeechRequest(_Request):
    """Text to be spoken by a voice of the starfish engine."""

    text: Script
    voice_id: Id
    speed: float = Field(default=1, ge=0.5, le=2)


_PHASES: dict[str, ProgressStatus] = {
    "waiting": "pending",
    "queued": "pending",
    "pending": "pending",
    "processing": "processing",
    "running": "processing",
    "completed": "completed",
    "complete": "completed",
    "done": "completed",
    "failed": "failed",
}


def phase(word: str) -> ProgressStatus:
    """Bring any status word of HeyGen's into ours.

    A word we do not know is ``unknown``, which means "still running". So is
    ``not_found`` of the bulk statuses: what it means is for the caller to say.
    """
    return _PHASES.get(word.strip().casefold(), "unknown")


def shape_of(width: int, height: int) -> str:
    """Return the shape of a picture or a canvas, in HeyGen's words."""
    return ("portrait", "square", "landscape")[1 + (width > height) - (width < height)]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _printable(cls, data: Any) -> Any:
        """Take out what could move a terminal's cursor or break a log line."""
        if not isinstance(data, dict):
            return data
        return {k: _plain(v) if isinstance(v, str) else v for k, v in data.items()}


def _plain(text: str) -> str:
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def _inside(*path: str) -> Any:
    return Field(default=None, validation_alias=AliasPath(*path))


class CreatedVideo(_Reply):
    """HeyGen took the render."""

    video_id: Id


class VideoReply(_Reply):
    """One video; neither progress nor cost is told. Links expire.

    ``duration_s`` is in seconds, times are aware UTC.
    """

    id: Id
    status: str
    title: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    duration_s: float | None = Field(default=None, alias="duration")
    video_url: str | None = Field(default=None, repr=False)
    captioned_video_url: str | None = Field(default=None, repr=False)
    subtitle_url: str | None = Field(default=None, repr=False)
    thumbnail_url: str | None = Field(default=None, repr=False)
    failure_code: str | None = None
    failure_message: str | None = None


class StatusRow(_Reply):
    """One line of the bulk statuses; ``video_id`` is null while a batch queues it."""

    status: str
    video_id: str | None = None
    error: dict[str, Any] | None = None  # no field of it is promised


class BatchItem(StatusRow):
    """One video of a batch; ``item_index`` counts the request's videos from 0."""

    item_index: int


class BatchReply(_Reply):
    """A batch with all its items.

    Count the items instead of trusting ``status``: whether ``completed`` may hide
    failed items is not documented.
    """

    batch_id: str
    status: str
    items: tuple[BatchItem, ...] = ()


class SpokenWord(_Reply):
    """When a word sounds, in seconds from the start."""

    word: str
    start: float
    end: float


class SpeechReply(_Reply):
    """A spoken text; ``audio_url`` expires."""

    audio_url: str = Field(min_length=1, repr=False)
    duration_s: float = Field(alias="duration")
    word_timestamps: tuple[SpokenWord, ...] | None = None


class VoiceReply(_Reply):
    """A voice; ``language`` is a word such as ``English``."""

    voice_id: Id
    name: str = ""
    language: str | None = None
    gender: str | None = None
    type: str = "public"
    preview_audio_url: str | None = Field(default=None, repr=False)
    support_pause: bool = False


class LookReply(_Reply):
    """An avatar look; its ``id`` is what a video's ``avatar_id`` wants."""

    id: Id
    name: str = ""
    avatar_type: str = ""
    gender: str | None = None
    status: str | None = None
    default_voice_id: str | None = None
    supported_api_engines: tuple[str, ...] = ()
    preferred_orientation: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    preview_image_url: str | None = Field(default=None, repr=False)

    @property
    def shape(self) -> str:
        """``portrait``, ``landscape`` or ``square``; empty when not told."""
        width, height = self.image_width or 0, self.image_height or 0
        told = self.preferred_orientation or ""
        return told or (shape_of(width, height) if width and height else "")


class AccountReply(_Reply):
    """Whose key it is, and what is left to spend.

    The balance is told in one of three blocks, by the way the account is billed.
    """

    username: str
    wallet_balance: float | None = _inside("wallet", "remaining_balance")
    wallet_unit: str | None = _inside("wallet", "currency")
    usage_credits: float | None = _inside("usage_based", "remaining_credits")
    plan_credits: float | None = _inside(
        "subscription", "credits", "premium_credits", "remaining"
    )
    bought_credits: float | None = _inside(
        "subscription", "credits", "add_on_credits", "remaining"
    )

    @property
    def balance(self) -> tuple[float, str] | None:
        """What is left and its unit, ``usd`` or ``credits``; None when not told."""
        if self.wallet_balance is not None:
            return self.wallet_balance, self.wallet_unit or "usd"
        pools = (self.usage_credits, self.plan_credits, self.bought_credits)
        left = [credit for credit in pools if credit is not None]
        return (sum(left), "credits") if left else None


class AssetReply(_Reply):
    """An uploaded file; its id has another name where it is looked up."""

    asset_id: Id = Field(validation_alias=AliasChoices("asset_id", "id"))
    url: str | None = Field(default=None, repr=False)


class BatchCreated(_Reply):
    """The answer to a batch; its exact body is not documented, only its siblings'."""

    batch_id: Id = Field(validation_alias=AliasChoices("batch_id", "id"))
