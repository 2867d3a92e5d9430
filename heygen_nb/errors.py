"""Every error this package raises on purpose.

    HeygenNbError
    ├── ArgumentError               not what the function expects
    ├── UnknownNameError            no public name of this package
    ├── ConfigError                 settings: file, key, line
    ├── DraftError                  a draft, a table of drafts or a template
    │   └── TableError              several rows; ``problems`` has them all
    ├── LimitError                  dearer than what the user allowed
    ├── ApiError                    HeyGen: status, code, param, request_id
    │   ├── InvalidRequestError     400, 413, 422
    │   ├── NotAuthorizedError      401
    │   ├── PaymentRequiredError    402
    │   ├── ForbiddenError          403
    │   ├── NotFoundError           404
    │   ├── ConflictError           409
    │   │   └── RequestInProgressError
    │   ├── RateLimitedError        429
    │   │   └── QuotaExceededError
    │   ├── ServerError             5xx
    │   ├── BadReplyError           HTML, half a JSON, an error inside a 200
    │   └── NetworkError
    │       ├── NotSentError        no connection: HeyGen saw nothing
    │       └── ReplyLostError      sent, and no answer came
    ├── RenderFailedError           HeyGen could not render it
    ├── OutcomeUnknownError         a person has to decide
    ├── WaitTimeoutError            stopped waiting; the video goes on
    ├── DownloadError               the file host
    ├── DeliveryError               Telegram
    │   ├── DeliveryRefusedError
    │   ├── FaultyVideoError        the check failed; a person may post it
    │   └── DeliveryUnsureError     it may or may not have arrived
    ├── LedgerError                 the database
    │   └── TakenOverError          another process goes on with it
    ├── PreviewError                local rendering
    ├── SandboxError                the local stand-in did not start
    └── ScriptError                 a language model did not write
        └── ScriptNotAuthorizedError

The message says what is wrong, ``hint`` what to do next; both are already in
the user's language. ``exit_code`` is what a command ends with.
"""

import traceback
from pathlib import Path
from typing import Any, ClassVar


class HeygenNbError(Exception):
    """Base of all errors of this package.

    Args:
        message: What is wrong and where, in the user's language.
        hint: What to do next.
        **facts: Values of the attributes that its class names; all others fill
            the places in message and hint.

    Attributes:
        charged: True if money was taken, False if surely not, None if not known
            or not a question.
        code: What a program can tell it by.
        exit_code: What a command ends with.
        render_state: What its render counts as, unless HeyGen's answer was unclear.
        render_id: Of the render it is about.
        video_id: Of the video it is about.
        post_id: Of the post it is about.
    """

    exit_code: ClassVar[int] = 1
    render_state: ClassVar[str] = "rejected"
    code: str | None = None
    charged: bool | None = None
    render_id: str | None = None
    video_id: str = ""
    post_id: int | None = None

    def __init__(self, message: str, *, hint: str = "", **facts: Any) -> None:
        values = {k: v for k, v in facts.items() if not hasattr(type(self), k)}
        for name, value in facts.items():
            if name not in values:
                setattr(self, name, value)
            elif f"{{{name}" not in message + hint:
                raise TypeError(f"{type(self).__name__} has no {name!r}")
        self.message = message.format(**values) if values else message
        self.hint = hint.format(**values) if values else hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the caller's lines, and not ours."""
        package, found = str(Path(__file__).parent), []
        for frame in traceback.extract_tb(self.__traceback__):
            if frame.filename.startswith(package):
                break
            if "site-packages" not in frame.filename:
                found.append(f"→ {frame.lineno}: {frame.line}")
        hint = [f"👉 {self.hint}"] if self.hint else []
        return [*found, f"❌ {type(self).__name__}: {self.message}", *hint]


class ArgumentError(HeygenNbError, TypeError):
    """A function was given something else than it expects; nothing was done."""

    exit_code = 2
    code = "argument"


class UnknownNameError(HeygenNbError, AttributeError):
    """No public name of this package; Python asks for such names as well."""


class ConfigError(HeygenNbError):
    """A setting is wrong or missing; nothing was changed."""

    exit_code = 2
    code = "config"


class DraftError(HeygenNbError):
    """A draft cannot be read or used as it is; nothing was sent."""

    exit_code = 2
    code = "draft"


class TableError(DraftError):
    """Rows of a table that do not fit; nothing was made.

    Attributes:
        problems: All of them, each naming row and column.
    """

    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".strip()  # the problems are lines


class LimitError(HeygenNbError):
    """The quote is above what the user allowed; nothing was sent."""

    exit_code = 2
    code = "limit"


class ApiError(HeygenNbError):
    """HeyGen refused, or could not be reached or understood.

    Attributes:
        status: HTTP status; None when no answer came.
        code: HeyGen's machine-readable code, such as ``invalid_parameter``.
        param: The field HeyGen complains about.
        request_id: What HeyGen's support asks for.
        retry_after_s: Seconds HeyGen asked to wait.
    """

    status: int | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None


class InvalidRequestError(ApiError):
    """HeyGen does not accept this input (400, 413, 422); never repeated."""


class NotAuthorizedError(ApiError):
    """The key is missing or wrong (401)."""

    exit_code = 3


class PaymentRequiredError(ApiError):
    """The balance or the plan is not enough (402)."""


class ForbiddenError(ApiError):
    """This account may not do this (403)."""


class NotFoundError(ApiError):
    """No such thing (404). ``code`` tells a missing video from a missing route."""


class ConflictError(ApiError):
    """The state does not allow this now (409)."""


class RequestInProgressError(ConflictError):
    """The first request under this key is still running: wait, repeat the key."""


class RateLimitedError(ApiError):
    """Too many at once (429); nothing was made."""


class QuotaExceededError(RateLimitedError):
    """A quota that a short wait does not refill (429); nothing was made."""


class ServerError(ApiError):
    """HeyGen failed (5xx); whether a create was accepted is not known."""


class BadReplyError(ApiError):
    """An answer that cannot be read; whether a create was accepted is not known."""


class NetworkError(ApiError):
    """The connection failed."""


class NotSentError(NetworkError):
    """No connection was made, so HeyGen surely saw nothing."""


class ReplyLostError(NetworkError):
    """The request went out and no whole answer came back."""


UNCLEAR = (ServerError, BadReplyError, ReplyLostError, RequestInProgressError)
"""After these whether a request was accepted, and so paid, is not known."""
STOPS_ALL = (NotAuthorizedError, PaymentRequiredError)
"""After these whatever else is asked for would fail as well."""


class RenderFailedError(HeygenNbError):
    """HeyGen ended a render as failed; HeyGen says failed renders cost nothing."""

    code = "rendering_failed"
    render_state = "failed"
    charged = False


class OutcomeUnknownError(HeygenNbError):
    """Whether HeyGen accepted a render cannot be settled by machine."""

    exit_code = 5
    render_state = code = "unknown"


class WaitTimeoutError(HeygenNbError):
    """Waiting stopped; the render goes on and ``video_id`` finds it again."""

    exit_code = 4
    render_state = code = "timed_out"


class DownloadError(HeygenNbError):
    """The finished video could not be fetched or kept; it is still at HeyGen.

    ``expired``: even a fresh link did not lead to it.
    """

    render_state = "completed"
    code = "download"
    charged = True
    expired: bool = False


class DeliveryError(HeygenNbError):
    """A Telegram post was not made; the video is untouched."""

    code = "telegram"
    retry_after_s: float | None = None


class DeliveryRefusedError(DeliveryError):
    """Telegram refuses the bot: wrong token or no rights."""

    exit_code = 3


class FaultyVideoError(DeliveryError):
    """A video is not as it was ordered; nobody is to see it before a person has."""

    exit_code = 5
    code = "faulty"


class DeliveryUnsureError(DeliveryError):
    """A post went out and no answer came: it may be in the chat."""

    exit_code = 5
    code = "unsure"


class LedgerError(HeygenNbError):
    """The ledger cannot be opened, read or written."""

    code = "ledger"


class TakenOverError(LedgerError):
    """Another process has taken over what this one was working on."""

    code = "taken_over"


class PreviewError(HeygenNbError):
    """A local video could not be made."""

    code = "preview"


class SandboxError(HeygenNbError):
    """The local stand-in could not be started or reached."""

    code = "sandbox"


class ScriptError(HeygenNbError):
    """A language model could not be reached, refused, or wrote nothing usable."""

    code = "script"


class ScriptNotAuthorizedError(ScriptError):
    """The language model's server refuses the key."""

    exit_code = 3
