"""What HeyGen v3 answers.

Replies ignore unknown fields and require only what nothing works without; the links
in them are signed, so they stay out of every repr.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from heygen_nb.models import ProgressStatus

Id = Annotated[str, Field(min_length=1)]

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


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _inside(*path: str) -> Any:
    return Field(default=None, validation_alias=AliasPath(*path))


class CreatedVideo(_Reply):
    """HeyGen took the render; its first status is mostly ``waiting``."""

    video_id: Id
    status: str


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
    batch_id: str | None = None
    item_index: int | None = None
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
    title: str | None = None
    total_items: int = 0
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
    request_id: str | None = None


class VoiceReply(_Reply):
    """A voice; ``language`` is a word such as ``English``."""

    voice_id: Id
    name: str = ""
    language: str | None = None
    gender: str | None = None
    type: str = "public"
    preview_audio_url: str | None = Field(default=None, repr=False)
    support_pause: bool = False
    support_locale: bool = False


class VoiceDetails(_Reply):
    """What one voice's own address tells that is of use; not whose voice it is."""

    voice_id: Id
    preview_audio_url: str | None = Field(default=None, repr=False)


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
    preview_video_url: str | None = Field(default=None, repr=False)


class AccountReply(_Reply):
    """Whose key it is, and what is left to spend.

    The balance is told in one of three blocks, by the way the account is billed.
    """

    username: str
    email: str | None = None
    billing_type: str | None = None
    wallet_balance: float | None = _inside("wallet", "remaining_balance")
    wallet_unit: str | None = _inside("wallet", "currency")
    usage_credits: float | None = _inside("usage_based", "remaining_credits")
    plan: str | None = _inside("subscription", "plan")
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
    """An uploaded file."""

    asset_id: Id
    url: str | None = Field(default=None, repr=False)
    mime_type: str | None = None
    size_bytes: int | None = None


class BatchCreated(_Reply):
    """The answer to a batch; its exact body is not documented, only its siblings'."""

    batch_id: Id = Field(validation_alias=AliasChoices("batch_id", "id"))
