"""An answer that is no success becomes one of our errors, here and nowhere else."""

from __future__ import annotations

from typing import Any

from heygen_nb.errors import (
    ApiError,
    BadReplyError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotAuthorizedError,
    NotFoundError,
    PaymentRequiredError,
    QuotaExceededError,
    RateLimitedError,
    RequestInProgressError,
    ServerError,
)
from heygen_nb.i18n import gettext as _

_MAX_TEXT = 300
_FIELDS = ("code", "param", "message")

_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotAuthorizedError,
    402: PaymentRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    408: ServerError,  # a gateway gave up; how far the request came is not known
    409: ConflictError,
    429: RateLimitedError,
}
# a known code says more than the status: not all pairs of the two are documented
_BY_CODE: dict[str, type[ApiError]] = {
    "unauthorized": NotAuthorizedError,
    "authentication_failed": NotAuthorizedError,
    "insufficient_credit": PaymentRequiredError,
    "trial_limit_exceeded": PaymentRequiredError,
    "plan_upgrade_required": PaymentRequiredError,
    "request_in_progress": RequestInProgressError,
    "rate_limit_exceeded": RateLimitedError,
    "quota_exceeded": QuotaExceededError,
    "trial_video_limit_exceeded": QuotaExceededError,
}


def refusal(
    status: int,
    content: Any,
    *,
    request_id: str | None = None,
    retry_after_s: float | None = None,
    hide: str = "",
) -> ApiError:
    """Name what an answer means that is not a readable success.

    Args:
        status: HTTP status.
        content: The parsed JSON; anything else than HeyGen's error object (None for
            HTML or an empty body) leaves the status alone to decide.
        request_id: What HeyGen's support asks for.
        retry_after_s: Seconds HeyGen asked to wait.
        hide: The key: it is taken out of whatever the server wrote.
    """
    told = _told(content)
    code, param, text = (_clean(told.get(k), hide) for k in _FIELDS)
    kind = _kind(status, code)
    says, hint = _words(kind, code)
    details = (text and text.rstrip("."), param, code, f"HTTP {status}")
    unsettled = issubclass(kind, ConflictError | ServerError | BadReplyError)
    return kind(
        says.format(detail=", ".join(d for d in details if d)),
        status=status,
        code=code,
        param=param,
        request_id=request_id,
        retry_after_s=retry_after_s,
        hint=hint,
        charged=None if unsettled else False,
    )


def _told(content: Any) -> dict[str, Any]:
    """Find the error object; gateways and old versions put it elsewhere."""
    if not isinstance(content, dict):
        return {}
    error = content.get("error") or content
    return error if isinstance(error, dict) else {"message": error}


def _clean(value: Any, hide: str) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    text = " ".join(str(value).split())
    return (text.replace(hide, "***") if hide else text)[:_MAX_TEXT] or None


def _kind(status: int, code: str | None) -> type[ApiError]:
    match status // 100:
        case 4:
            by_status = _BY_STATUS.get(status, InvalidRequestError)
            return _BY_CODE.get(code or "", by_status)
        case 5:
            return ServerError
    return BadReplyError


def _words(kind: type[ApiError], code: str | None) -> tuple[str, str]:
    """Return what is wrong (with a place for the detail) and what to do next."""
    refused = (
        _("HeyGen refuses the request: {detail}."),
        _("Change what it complains about; nothing was made."),
    )
    limited = _("HeyGen takes no more for now: {detail}.")
    says, hint = {
        NotAuthorizedError: (
            _("HeyGen does not accept the key: {detail}."),
            _("Check HEYGEN_API_KEY; `heygen-nb doctor` tries it."),
        ),
        PaymentRequiredError: (
            _("The HeyGen balance or plan is not enough: {detail}."),
            _("Top up the API balance at HeyGen or change the plan, then go on."),
        ),
        ForbiddenError: (
            _("HeyGen does not allow this: {detail}."),
            _("This account may not use it: choose another voice or avatar."),
        ),
        NotFoundError: (
            _("HeyGen does not have this: {detail}."),
            _("Check the id; the key may belong to another account."),
        ),
        RequestInProgressError: (
            _("HeyGen is still at the first request of this kind: {detail}."),
            _("Wait; the same request is asked for again."),
        ),
        RateLimitedError: (limited, _("Wait a little; nothing was made.")),
        QuotaExceededError: (
            limited,
            _("A quota is used up: wait for the next day or change the plan."),
        ),
        ServerError: (
            _("HeyGen has a fault: {detail}."),
            _("Try again in a few minutes."),
        ),
        BadReplyError: (
            _("HeyGen's answer cannot be read: {detail}."),
            _("Perhaps a proxy or a sign-in page answered. Try again later."),
        ),
    }.get(kind, refused)
    return says, _hint_for(code) or hint


def _hint_for(code: str | None) -> str | None:
    another_voice = _("`heygen-nb voices --refresh` lists those there are now.")
    return {
        "avatar_not_found": _("`heygen-nb avatars --refresh` lists those there are."),
        "voice_not_found": another_voice,
        "asset_not_found": _("Render the draft again: its files are uploaded anew."),
        "voice_not_usable": another_voice,
        "content_policy_violation": _("Change the script; nothing was made."),
        "download_failed": _("Links must be public and lead to the file itself."),
    }.get(code or "")
