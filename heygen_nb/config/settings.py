"""What can be set, what is allowed, and the rule for the wished length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from heygen_nb.clock import Pace
from heygen_nb.i18n import LANGUAGES, gettext as _
from heygen_nb.models import (
    DEFAULT_DURATION_S,
    MAX_DURATION_S,
    MIN_DURATION_S,
    AspectRatio,
    Backend,
    masked,
)

_SANDBOX_LOOK_S = 1.0
_LANGUAGES = ("auto", *LANGUAGES)
SECRETS = {
    "heygen_api_key": "HEYGEN_API_KEY",
    "telegram_bot_token": "TELEGRAM_BOT_TOKEN",
    "script_api_key": "OPENAI_API_KEY",
}
ADDRESSES = {
    "heygen_base_url": "HEYGEN_BASE_URL",
    "telegram_base_url": "TELEGRAM_BASE_URL",
    "script_base_url": "HEYGEN_NB_SCRIPT_BASE_URL",
}


def _captions(value: object) -> object:
    """Read what stood here before: true or false."""
    old = {"true": "own", "yes": "own", "on": "own", "false": "off", "no": "off"}
    return old.get(str(value).lower(), value)


Captions = Annotated[Literal["own", "heygen", "off"], BeforeValidator(_captions)]


class Settings(BaseModel):
    """All settings of one home folder; change them with ``model_copy(update=…)``.

    Attributes:
        heygen_background_url: ``#rrggbb``, a link, or a PNG or JPEG file (absolute,
            from ``~`` or relative to home; without an avatar an MP4 too, which is
            shown again and again); empty for none.
        heygen_voice: A HeyGen voice id, a voice name, or a wish such as
            ``en-US-Neural2-F`` (any voice of that language).
        heygen_avatar_id: A look id; empty means the account's first own look,
            else the first public one.
        video_duration: Wished length in seconds, 15 to 60.
        no_avatar: Without an avatar, ``local`` buys HeyGen's speech alone and makes the
            film on this machine; ``heygen`` has HeyGen render a still scene.
        voice_bars: Whether such a film of ours shows how loud the voice is.
        fit: How the avatar fills the canvas: ``cover`` cuts, ``contain`` leaves bars,
            ``auto`` chooses by the shapes of both.
        length_mode: ``estimate``, or ``exact``: the speech is made first (paid, a
            hundredth of the video; a starfish voice) and that very sound rendered.
        min_speed: Slowest speech that still sounds natural; 1 is the voice's own.
        max_speed: Fastest one.
        captions: ``own`` are put on here, for nothing; ``heygen`` are burned in by
            HeyGen and part of what is paid for; ``off``. True and false, as it was
            before, are ``own`` and ``off``.
        loudness: Of the finished video, in LUFS; 0 leaves the sound as it is.
        max_cost_per_render: What one render may cost unasked; 0 is no limit.
        max_cost_per_day: The same for all renders since local midnight.
        poll_interval_s: Seconds between two looks at a render's status.
        wait_timeout_s: Seconds after which waiting (not the render) stops.
        telegram_chat_id: Number, ``@name`` or t.me link of the chat.
        telegram_thread_id: The topic of a forum; 0 is none.
        telegram_cover_s: Second whose picture is the post's cover; 0 leaves it.
        telegram_start_s: Second at which a post begins to play.
        ai_label: Where a video says that it was made with AI.
        ledger_url: SQLAlchemy address; empty means ``heygen_nb.db`` in home.
        script_model: Name of the language model that writes scripts; empty means
            none: only the ready formats do.
        script_base_url: Any server that speaks OpenAI's API.
        heygen_session: Access token of HeyGen's own command line tools; it spends the
            credits of the plan, and only where there is no key.
        heygen_source: Where key or session were found, for people to read.
        home: Folder of the ledger, the videos and the log.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        coerce_numbers_to_str=True,  # a chat id may be given as a number
    )

    language: Annotated[str, Field(pattern=f"^({'|'.join(_LANGUAGES)})$")] = Field(
        "auto", json_schema_extra={"enum": list(_LANGUAGES)}
    )
    backend: Literal["auto", "heygen", "sandbox"] = "auto"
    heygen_use_avatar: bool = True
    no_avatar: Literal["local", "heygen"] = "local"
    voice_bars: bool = True
    heygen_background_url: str = ""
    heygen_voice: str = "en-US-Neural2-F"
    heygen_avatar_id: str = ""
    avatar_engine: str = Field("auto", pattern=r"^[a-z0-9_]{1,40}$")
    video_duration: int = Field(
        DEFAULT_DURATION_S, ge=MIN_DURATION_S, le=MAX_DURATION_S
    )
    length_mode: Literal["estimate", "exact"] = "estimate"
    min_speed: float = Field(0.9, ge=0.5, le=1)
    max_speed: float = Field(1.15, ge=1, le=1.5)
    max_cost_per_render: float = Field(0, ge=0, allow_inf_nan=False)
    max_cost_per_day: float = Field(0, ge=0, allow_inf_nan=False)
    aspect_ratio: AspectRatio = "9:16"
    resolution: Literal["720p", "1080p", "4k"] = "1080p"
    fit: Literal["auto", "cover", "contain"] = "auto"
    captions: Captions = "own"
    loudness: float = Field(-14, ge=-30, le=0, allow_inf_nan=False)
    poll_interval_s: float = Field(10, ge=0.01, le=600)
    wait_timeout_s: float = Field(900, gt=0, le=86400)
    max_concurrent_renders: int = Field(10, ge=1, le=100)
    telegram_chat_id: str = ""
    telegram_auto_send: bool = False
    telegram_thread_id: int = Field(0, ge=0)
    telegram_cover_s: float = Field(0, ge=0, allow_inf_nan=False)
    telegram_start_s: int = Field(0, ge=0)
    ai_label: Literal["off", "caption", "metadata", "both"] = "off"
    videos_dir: str = Field("videos", min_length=1)
    ledger_url: str = ""
    log_file: str = Field("astro.log", min_length=1)
    script_model: str = ""

    heygen_api_key: SecretStr | None = None
    heygen_session: SecretStr | None = None
    heygen_source: str = ""
    telegram_bot_token: SecretStr | None = None
    script_api_key: SecretStr | None = None
    heygen_base_url: str = "https://api.heygen.com"
    telegram_base_url: str = ""
    script_base_url: str = "https://api.openai.com/v1"
    home: Path = Path()

    @model_serializer(mode="wrap")
    def _masked(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {k: _shown(value) for k, value in dump(self).items()}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for key, value in super().__repr_args__():
            yield key, _shown(value)

    @property
    def active_backend(self) -> Backend:
        """``sandbox`` when asked for, or when there is neither key nor session."""
        if self.backend == "auto":
            paid = self.heygen_api_key or self.heygen_session
            return "heygen" if paid else "sandbox"
        return self.backend

    @property
    def pace(self) -> Pace:
        """How often to look; the sandbox, on this machine and free, every second."""
        here = self.active_backend == "sandbox"
        interval_s = min(self.poll_interval_s, _SANDBOX_LOOK_S if here else math.inf)
        return Pace(interval_s, self.wait_timeout_s)

    @property
    def films_here(self) -> bool:
        """Whether the film is made on this machine, of HeyGen's speech."""
        return not self.heygen_use_avatar and self.no_avatar == "local"

    @property
    def videos_path(self) -> Path:
        """Absolute folder of the finished videos."""
        return (self.home / self.videos_dir).absolute()

    @property
    def log_path(self) -> Path:
        """Absolute path of the log file."""
        return (self.home / self.log_file).absolute()


def _shown(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


# The keys of hg.VIDEO_CONFIG and what they set.
VIDEO_KEYS = {
    "duration": "video_duration",
    "use_avatar": "heygen_use_avatar",
    "background_url": "heygen_background_url",
    "voice": "heygen_voice",
    "avatar_id": "heygen_avatar_id",
    "engine": "avatar_engine",
    "aspect_ratio": "aspect_ratio",
    "resolution": "resolution",
    "captions": "captions",
}
_INNER = {*SECRETS, *ADDRESSES, "heygen_session", "heygen_source", "home"}
FILE_KEYS = tuple(name for name in Settings.model_fields if name not in _INNER)


def check_duration(value: object) -> tuple[int, str]:
    """Bring a wished video length into what is allowed.

    Args:
        value: Whatever stands in the field: text, a number, nothing.

    Returns:
        Seconds from 15 to 60 (30 when the value is no number), and a word on why
        it differs from what was asked; empty if it does not.
    """
    try:
        asked = float(str(value).strip().replace(",", "."))
    except ValueError:
        asked = math.nan
    if math.isnan(asked):
        return DEFAULT_DURATION_S, _(
            "“{value}” is not a number: {seconds} s are used"
        ).format(value=value, seconds=DEFAULT_DURATION_S)
    if asked < MIN_DURATION_S:
        return MIN_DURATION_S, _("at least {seconds} s").format(seconds=MIN_DURATION_S)
    if asked > MAX_DURATION_S:
        return MAX_DURATION_S, _("at most {seconds} s").format(seconds=MAX_DURATION_S)
    seconds = math.floor(asked + 0.5)
    return seconds, "" if seconds == asked else _("rounded to whole seconds")
