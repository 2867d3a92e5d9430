"""An answer that is no success becomes one of our errors, here and nowhere else.

Which one, and what it says, stands in ``problems.yaml``.
"""

from typing import Any

from heygen_nb import errors
from heygen_nb.files import shipped
from heygen_nb.i18n import gettext as _

_MAX_TEXT = 300
_TOLD = shipped("heygen/problems.yaml")
_PROBLEMS: dict[str, dict[str, Any]] = _TOLD["problems"]
_BY_STATUS, _BY_CODE = (
    {value: name for name, told in _PROBLEMS.items() for value in told.get(by, ())}
    for by in ("statuses", "codes")
)
_HINTS = {code: told["hint"] for told in _TOLD["codes"] for code in told["codes"]}


def means_credit(code: str | None) -> bool:
    """Tell whether a code of a refusal or a failed video means an empty purse."""
    return any(part in (code or "").casefold() for part in _TOLD["credit"]["parts"])


def refusal(
    status: int, content: Any, *, hide: str = "", session: bool = False, **facts: Any
) -> errors.ApiError:
    """Name what an answer means that is not a readable success.

    Args:
        status: HTTP status.
        content: The parsed JSON; anything else than HeyGen's error object (None for
            HTML or an empty body) leaves the status alone to decide.
        hide: The key: it is taken out of whatever the server wrote.
        session: It is the token of a session, not a key.
        **facts: ``request_id``, which HeyGen's support asks for, and
            ``retry_after_s``, seconds HeyGen asked to wait.
    """
    told = content if isinstance(content, dict) else {}
    # gateways and old versions put the error object elsewhere
    error = told.get("error") or told
    error = error if isinstance(error, dict) else {"message": error}
    code, param, text = (
        _clean(error.get(name), hide) for name in ("code", "param", "message")
    )
    name = _name(status, code)
    kind: type[errors.ApiError] = getattr(errors, name)
    ended = session and kind is errors.NotAuthorizedError
    problem = _PROBLEMS["session" if ended else name]
    message, hint = problem["message"], problem["hint"]
    details = (text and text.rstrip("."), param, code, f"HTTP {status}")
    return kind(
        _(message).format(detail=", ".join(d for d in details if d)),
        status=status,
        code=code,
        param=param,
        hint=hint_for(code) or _(hint),
        charged=None if problem.get("unsettled") else False,
        **facts,
    )


def _clean(value: Any, hide: str) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    text = "".join(filter(str.isprintable, " ".join(str(value).split())))
    return (text.replace(hide, "***") if hide else text)[:_MAX_TEXT] or None


def _name(status: int, code: str | None) -> str:
    """Return the name of the error that a status and a code mean."""
    match status // 100:
        case 4:
            poor = means_credit(code) and "PaymentRequiredError"
            by_status = _BY_STATUS.get(status, "InvalidRequestError")
            return _BY_CODE.get(code) or poor or by_status
        case 5:
            return "ServerError"
    return "BadReplyError"


def hint_for(code: str | None) -> str:
    """Return what to do about a code of HeyGen's; empty for one we do not know."""
    credit = means_credit(code)
    hint = _TOLD["credit"]["hint"] if credit else _HINTS.get((code or "").casefold())
    return _(hint) if hint else ""
