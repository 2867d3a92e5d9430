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
    "request_in_progress": RequestInProgressError,
    "rate_limit_exceeded": RateLimitedError,
    "quota_exceeded": QuotaExceededError,
    "trial_video_limit_exceeded": QuotaExceededError,
    "service_unavailable": ServerError,
}
# Parts of codes that all mean "no credit", in replies and in the failure_code of a
# failed video, as the live service sent them (July to October 2026).
_CREDIT = (
    "insufficient_credit",
    "movio_payment",
    "plan_upgrade_required",
    "quota",
    "subscription_required",
    "trial_limit",
    "trial_video_limit",
)


def means_credit(code: str | None) -> bool:
    """Tell whether a code of a refusal or a failed video means an empty purse."""
    return any(part in (code or "").casefold() for part in _CREDIT)


def refusal(
    status: int,
    content: Any,
    *,
    request_id: str | None = None,
    retry_after_s: float | None = None,
    hide: str = "",
    session: bool = False,
) -> ApiError:
    """Name what an answer means that is not a readable success.

    Args:
        status: HTTP status.
        content: The parsed JSON; anything else than HeyGen's error object (None for
            HTML or an empty body) leaves the status alone to decide.
        request_id: What HeyGen's support asks for.
        retry_after_s: Seconds HeyGen asked to wait.
        hide: The key: it is taken out of whatever the server wrote.
        session: It is the token of a session, not a key.
    """
    told = _told(content)
    code, param, text = (_clean(told.get(k), hide) for k in _FIELDS)
    kind = _kind(status, code)
    says, hint = _words(kind)
    if session and kind is NotAuthorizedError:
        says = _("HeyGen does not accept the session: {detail}.")
        hint = _("It has ended: `heygen auth login` renews it.")
    details = (text and text.rstrip("."), param, code, f"HTTP {status}")
    # a wrong key says nothing of what another one has bought
    unsettled = issubclass(
        kind, ConflictError | ServerError | BadReplyError | NotAuthorizedError
    )
    return kind(
        says.format(detail=", ".join(d for d in details if d)),
        status=status,
        code=code,
        param=param,
        request_id=request_id,
        retry_after_s=retry_after_s,
        hint=hint_for(code) or hint,
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
    text = "".join(filter(str.isprintable, " ".join(str(value).split())))
    return (text.replace(hide, "***") if hide else text)[:_MAX_TEXT] or None


def _kind(status: int, code: str | None) -> type[ApiError]:
    match status // 100:
        case 4:
            by_status = _BY_STATUS.get(status, InvalidRequestError)
            if code in _BY_CODE:
                return _BY_CODE[code]
            return PaymentRequiredError if means_credit(code) else by_status
        case 5:
            return ServerError
    return BadReplyError


def _words(kind: type[ApiError]) -> tuple[str, str]:
    """Return what is wrong (with a place for the detail) and what to do next."""
    limited = _("HeyGen takes no more for now: {detail}.")
    return {
        NotAuthorizedError: (
            _("HeyGen does not accept the key: {detail}."),
            _("Check HEYGEN_API_KEY; `heygen-nb doctor` tries it."),
        ),
        PaymentRequiredError: (
            _("The HeyGen balance or plan is not enough: {detail}."),
            _top_up(),
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
    }.get(
        kind,
        (
            _("HeyGen refuses the request: {detail}."),
            _("Change what it complains about; nothing was made."),
        ),
    )


def _top_up() -> str:
    return _("Top up the API balance at HeyGen or change the plan, then go on.")


def hint_for(code: str | None) -> str:
    """Return what to do about a code of HeyGen's; empty for one we do not know.

    The same codes come in error replies and as ``failure_code`` of a failed video.
    """
    code = (code or "").casefold()
    if means_credit(code):
        return _top_up()
    about_voice = _(
        "Choose another voice; `heygen-nb voices --refresh` lists those there are."
    )
    about_avatar = _(
        "Choose another avatar; `heygen-nb avatars --refresh` lists those there are."
    )
    about_text = _("Change the script; nothing was made.")
    later = _("Try again in a few minutes.")
    return {
        "ai_vendor_access_restricted": about_voice,
        "asset_not_found": _("Render the draft again: its files are uploaded anew."),
        "avatar_consent_required": _("Give the consent that HeyGen asks for first."),
        "avatar_expired": about_avatar,
        "avatar_not_found": about_avatar,
        "avatar_not_usable": about_avatar,
        "content_policy_violation": about_text,
        "download_failed": _("Links must be public and lead to the file itself."),
        "ephemeral_upload_disabled": _("Give the background as a link instead."),
        "gateway_timeout": later,
        "internal_error": later,
        "payload_too_large": _("Take a smaller file."),
        "phone_verification_required": _(
            "HeyGen wants the account's phone number confirmed: do it on its page."
        ),
        "rendering_failed": later,
        "resource_limit_reached": _("Delete at HeyGen what is not needed any more."),
        "resource_not_ready": _("HeyGen is still preparing it. Try again later."),
        "script_too_short": _("Write a longer script; nothing was made."),
        "service_unavailable": later,
        "tts_text_invalid": about_text,
        "voice_not_found": about_voice,
        "voice_not_usable": about_voice,
        "voice_provider_error": later,
        "voice_unavailable": about_voice,
    }.get(code, "")
