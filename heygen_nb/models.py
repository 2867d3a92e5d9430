"""The frozen models that all layers share."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, InstanceOf, ValidationError, model_validator

from heygen_nb import errors
from heygen_nb.errors import ConfigError, DraftError, HeygenNbError
from heygen_nb.i18n import gettext as _, later

ProgressStatus = Literal["pending", "processing", "completed", "failed", "unknown"]
Backend = Literal["heygen", "sandbox"]
AspectRatio = Literal["9:16", "16:9", "1:1", "4:5", "5:4"]
ASPECT_RATIOS: tuple[str, ...] = get_args(AspectRatio)
# What scripts are written in, as HeyGen and prompts call it; those of the panels
# are another list: i18n.LANGUAGES.
SCRIPT_LANGUAGES = {"en": "English", "ru": "Russian"}
NO_AVATAR = "none"  # the engine of films made here, of HeyGen's speech
MIN_DURATION_S, MAX_DURATION_S, DEFAULT_DURATION_S = 15, 60, 30


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: a render belongs to one payer, and only that one touches it.

    Attributes:
        backend: HeyGen or the local stand-in.
        base_url: Where requests go; ``sandbox`` for the embedded one, whose port
            changes.
        fingerprint: Tells keys apart without holding one.
    """

    backend: Backend
    base_url: str
    fingerprint: str

    @classmethod
    def of_key(cls, backend: Backend, base_url: str, api_key: str) -> Payer:
        """Make the account that an API key stands for."""
        digest = hashlib.sha256(f"heygen_nb\0{api_key}".encode()).hexdigest()
        return cls(backend, base_url, digest[:20])


def check_address(url: str) -> str:
    """Return the address if a secret may be sent there.

    Raises:
        ConfigError: It is not https (http is fine on this machine only), holds a
            name or password, which would be shown, or is no address at all.
    """
    fits = False
    with suppress(ValueError):
        parts = urlsplit(url)
        fits = bool(parts.hostname) and parts.port != 0 and parts.username is None
    if not fits or not url.isprintable() or " " in url:
        # not shown: it may be a key that was pasted into the wrong line
        text = _("The address of the server is not a web address.")
        raise ConfigError(text, hint=_("It looks like https://api.example.com."))
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        text = _("{host} is not safe: a key is only sent over https.")
        hint = _("Plain http is for this machine only (127.0.0.1).")
        raise ConfigError(text, hint=hint, host=parts.hostname)
    return url


# Also where an address is none: one that was written wrongly holds it as well.
_PASSWORD = re.compile(r"((?:^|://)[^:/@\s]*):(?!//).*@")
_PASSWORD_KEY = re.compile(r"(?i)(\b(?:password|passwd|pwd|sslpassword)\s*=)[^&]+")


def masked(url: Any) -> Any:
    """Return an address with ``***`` for a password in it; what is no text as it is."""
    if not isinstance(url, str):
        return url
    return _PASSWORD_KEY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def is_loopback(url: str) -> bool:
    """Tell whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def short_id(text: str) -> str:
    """Return 8 hex digits that always are the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class _Frozen(BaseModel):
    model_config = {"frozen": True, "extra": "forbid"}


NO_BACKGROUND = "none"


class Draft(_Frozen):
    """A script to be spoken and the text of its post.

    This is the list of draft fields: files, tables, the ledger and the editor
    follow it, see ``drafts/fields.py``. A field's ``title`` is its name for people.

    ``voice``, ``avatar``, ``background`` and ``duration`` overrule the settings for
    this draft; the background ``none`` means that it has none.
    A draft without an id gets one from its script, so that running a notebook
    cell twice means the same draft and pays once.

    Raises:
        DraftError: A value does not fit; names the field and what is allowed.
    """

    id: str = Field(
        default="", title=later("Id"), pattern=r"^([A-Za-z0-9_\-.]{1,64})?$"
    )
    title: str = Field(default="", title=later("Title"))
    caption: str = Field(default="", title=later("Caption"))
    voice: str | None = Field(default=None, title=later("Voice"))
    avatar: str | None = Field(default=None, title=later("Avatar"))
    background: str | None = Field(default=None, title=later("Background"))
    duration: int | None = Field(
        default=None, title=later("Seconds"), ge=MIN_DURATION_S, le=MAX_DURATION_S
    )
    script: str = Field(title=later("Script"))

    if not TYPE_CHECKING:  # checkers know the fields

        def __init__(self, *given: object, **fields: object) -> None:
            if given:
                raise unexpected(given[0], Draft)
            super().__init__(**fields)

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, check: Callable[[Any], Draft]) -> Draft:
        if isinstance(data, dict) and not data.get("id"):
            data = {**data, "id": short_id(str(data.get("script", "")))}
        try:
            return check(data)
        except ValidationError as exc:
            raise _unfit(exc.errors(include_url=False)[0]) from None

    @classmethod
    def of(cls, row: Any, **changes: object) -> Draft:
        """Return the draft that a row holds, a draft's or a render's, changed.

        Older versions kept any length: it is brought into what is allowed.
        """
        values = {name: getattr(row, name, None) for name in cls.model_fields}
        if hasattr(type(row), "inputs"):  # a render's
            said = row.inputs.get("draft") or {  # older orders tell what was used
                "voice": row.inputs.get("voice"),
                "avatar": row.inputs.get("avatar_id"),
                "background": row.inputs.get("background_url"),
                "duration": row.inputs.get("duration"),
            }
            # of a file the content is known, not where it lay
            own = {k: v for k, v in said.items() if not str(v).startswith("sha256:")}
            values |= {"id": row.draft_id, **own}
        values |= changes
        if (seconds := values["duration"]) is not None:
            values["duration"] = min(max(seconds, MIN_DURATION_S), MAX_DURATION_S)
        return cls.model_validate(values)


def _unfit(error: Mapping[str, Any]) -> DraftError:
    name, known = str(error["loc"][0]) if error["loc"] else "", Draft.model_fields
    if name not in known:
        text, hint = _("A draft has no field “{name}”."), _("Allowed keys: {keys}.")
        return DraftError(text, hint=hint, name=name, keys=", ".join(known))
    if error["type"] == "missing":
        hint = _("Write what the avatar should say.")
        return DraftError(_("The draft has no script."), hint=hint)
    return DraftError(
        _("{key} has a value that does not fit: {value}."),
        hint=_("Allowed: {allowed}."),
        key=name,
        value=f"{error['input']!r:.60}",
        allowed=allowed_values(Draft, name),
    )


def allowed_values(model: type[BaseModel], key: str) -> str:
    """Say in words what the field ``key`` of a model may be."""
    schema = model.model_json_schema()["properties"][key]
    [schema] = [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "boolean":
        return "true, false"
    if schema.get("type") in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        text = _("a number from {low} to {high}")
        return text.format(low=low, high=schema["maximum"])
    return _("1 to 64 of the signs A-Z a-z 0-9 _ - .") if key == "id" else _("a text")


class Progress(_Frozen):
    """How far a render is.

    Attributes:
        status: The phase; an unknown word of HeyGen's is ``unknown``.
        elapsed_s: Seconds since the video was submitted.
        fraction: 0 to 1, learned from earlier renders; 1 only when completed.
        eta_s: Expected seconds to go; None when nothing can be said.
        eta_range_s: Seconds to go that 8 of 10 such renders keep within.
        note: A word on the remaining time, when it takes longer than usual.
        message: The log line, in the user's language, without the time stamp.
    """

    status: ProgressStatus
    elapsed_s: float
    fraction: float | None = None
    eta_s: float | None = None
    eta_range_s: tuple[float, float] | None = None
    note: str = ""
    message: str = ""


class Quote(_Frozen):
    """What a render is expected to cost.

    Attributes:
        amount: Expected cost in ``currency``; an estimate from the rates table.
        at_most: What is set aside for it: the upper end of the estimate.
        currency: ``usd`` or ``credits``.
        seconds: Expected length of the video.
        rate: Cost of a second.
        speech: What of it goes for speech that is made beforehand (exact length).
        engine: The engine the rate is for.
        source: Where the rate comes from.
    """

    amount: float
    at_most: float = 0.0
    currency: str
    seconds: float
    rate: float
    speech: float = 0.0
    engine: str
    source: str = ""


class _Film(_Frozen):
    """What a finished video and a line of ``--json`` both tell."""

    draft_id: str = ""
    render_id: str | None = None
    revision: str | None = None
    video_id: str | None = None
    backend: str = "heygen"
    status: str
    path: Path | None = None
    subtitles: Path | None = None
    thumbnail: Path | None = None
    duration_s: float | None = None
    target_s: float | None = None
    cost: float | None = None


class Video(_Film):
    """A video at HeyGen (or in the sandbox), and its files once downloaded.

    ``video_url``, ``subtitle_url`` and ``thumbnail_url`` are signed and expire;
    they are kept out of the repr. ``cost`` is computed from the rates.
    """

    video_id: str
    status: ProgressStatus
    backend: Backend = "heygen"
    render_id: str = ""
    revision: str = ""
    title: str = ""
    video_url: str | None = Field(default=None, repr=False)
    subtitle_url: str | None = Field(default=None, repr=False)
    thumbnail_url: str | None = Field(default=None, repr=False)
    elapsed_s: float = 0.0
    failure_code: str | None = None
    failure_message: str | None = None


class Voice(_Frozen):
    """A voice of HeyGen's, to choose from.

    Attributes:
        id: What a draft's ``voice`` takes; a name that is the only one does too.
        language: HeyGen's word, such as ``English``.
        own: It belongs to the account.
        exact: It can make a video of exact length (HeyGen's starfish engine).
        pauses: It heeds ``<break>`` pauses.
        sample_url: A spoken sample; may have expired.
    """

    id: str
    name: str
    language: str = ""
    gender: str = ""
    own: bool = False
    exact: bool = False
    pauses: bool = False
    sample_url: str | None = Field(default=None, repr=False)


class Avatar(_Frozen):
    """An avatar look of HeyGen's, to choose from.

    Attributes:
        id: What a draft's ``avatar`` takes.
        number: Which of the looks with this name it is, from 1.
        own: It belongs to the account.
        kind: ``studio_avatar``, ``photo_avatar`` or ``digital_twin``.
        orientation: ``portrait``, ``landscape``, ``square`` or empty.
        engines: HeyGen's engines that take it.
        default_voice_id: The voice it usually speaks with.
        picture_url: How it looks; may have expired.
        ready: False while HeyGen still makes it, or waits for consent.
    """

    id: str
    name: str
    number: int = 1
    own: bool = False
    kind: str = ""
    gender: str = ""
    orientation: str = ""
    engines: tuple[str, ...] = ()
    default_voice_id: str | None = None
    picture_url: str | None = Field(default=None, repr=False)
    ready: bool = True

    @property
    def label(self) -> str:
        """The name, with its number where several looks bear it."""
        return self.name if self.number == 1 else f"{self.name} #{self.number}"


class Post(_Frozen):
    """A post in a Telegram chat.

    Attributes:
        id: Number in the ledger, for ``resend`` and ``mark-sent``.
        status: ``unsure`` when Telegram's answer was lost.
        message_ids: Telegram's ids of the video message and what followed it.
    """

    id: int
    video_id: str
    chat_id: str
    status: Literal["planned", "sending", "sent", "failed", "unsure"]
    message_ids: tuple[int, ...] = ()
    sent_at: datetime | None = None


Status = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown", "timed_out"
]
"""The first two stand in the history only: a command waits until they are over."""


class Failure(_Frozen):
    """An error as data; ``charged`` is null when it is not known.

    The texts are kept as they are given: a panel says them again in another language.
    """

    code: str
    message: InstanceOf[str]
    hint: InstanceOf[str]
    charged: bool | None

    @classmethod
    def of(cls, error: HeygenNbError) -> Failure:
        """Make it of an error."""
        return cls(
            code=error.code or type(error).__name__,
            message=error.message,
            hint=error.hint,
            charged=error.charged,
        )


class Outcome(_Film):
    """One line of ``render --json``; paths are absolute or null."""

    status: Status
    sent: bool | Literal["unsure"] = False
    post_id: int | None = None
    error: Failure | None = None
    exit_code: int = Field(default=0, exclude=True)

    @classmethod
    def of_video(cls, video: Video) -> Outcome:
        """Make it of a finished video."""
        same = video.model_dump(include=_Film.model_fields.keys() - {"status"})
        return cls(**same, status="completed")

    @classmethod
    def of_error(
        cls, draft_id: str, backend: str, error: HeygenNbError, row: Any = None
    ) -> Outcome:
        """Make it of what stopped the render; ``row`` is what the ledger has."""
        sent = isinstance(error, errors.ApiError | errors.LedgerError)
        unclear = sent and error.charged is not False
        return cls(
            draft_id=draft_id,
            backend=backend,
            video_id=error.video_id or (row.video_id if row else None),
            render_id=row.id if row else error.render_id,
            revision=row.revision if row else None,
            status=cast("Status", "unknown" if unclear else error.render_state),
            error=Failure.of(error),
            exit_code=error.exit_code,
        )

    def posted(self, post: Post) -> Outcome:
        """Return it with the post that was made; what went wrong before is over."""
        sent = {"sent": True, "post_id": post.id, "error": None, "exit_code": 0}
        return self.model_copy(update=sent)

    def not_posted(self, error: HeygenNbError) -> Outcome:
        """Return it with why there is no post, or perhaps one."""
        told = {"error": Failure.of(error), "exit_code": error.exit_code}
        told |= {"sent": error.code == "unsure" and "unsure", "post_id": error.post_id}
        return self.model_copy(update=told)


def unexpected(
    given: object, kind: type, *, many: bool = False
) -> errors.ArgumentError:
    """Return the words for what is no draft, no video or no id of one."""
    told = _("The id of a video is expected, not {given}.")
    hint = _("It stands in video.video_id.")
    if kind is Draft:
        told = _("A Draft is expected, not {given}.")
        hint = _("hg.Draft(script='text') makes one.")
    elif kind is Video:
        told = _("A Video is expected, not {given}.")
        hint = _("await hg.render_video(draft) gives one.")
    if many:
        told = _("A list of drafts is expected, not {given}.")
        hint = _("Put it into brackets: [draft].") if isinstance(given, kind) else hint
    if isinstance(given, Coroutine):
        given.close()  # Python would warn that it never ran
        hint = _("It has not run yet: put await before it.")
    return errors.ArgumentError(told, hint=hint, given=f"{given!r:.60}")
