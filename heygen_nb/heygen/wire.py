"""What HeyGen v3 answers.

Replies ignore unknown fields and require only what nothing works without; the links
in them are signed, so they stay out of every repr.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, AliasPath, BaseModel, Field, model_validator

from heygen_nb.models import ProgressStatus

Id = Annotated[str, Field(min_length=1)]
_PHASES: dict[ProgressStatus, tuple[str, ...]] = {
    "pending": ("waiting", "queued", "pending"),
    "processing": ("processing", "running"),
    "completed": ("completed", "complete", "done"),
    "failed": ("failed",),
}


def phase(word: str) -> ProgressStatus:
    """Bring any status word of HeyGen's into ours.

    A word we do not know is ``unknown``, which means "still running". So is
    ``not_found`` of the bulk statuses: what it means is for the caller to say.
    """
    plain = word.strip().casefold()
    return next((ours for ours, words in _PHASES.items() if plain in words), "unknown")


def shape_of(width: int, height: int) -> str:
    """Return the shape of a picture or a canvas, in HeyGen's words."""
    return ("portrait", "square", "landscape")[1 + (width > height) - (width < height)]


class _Reply(BaseModel):
    model_config = {"frozen": True}

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
