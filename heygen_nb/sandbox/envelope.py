"""HeyGen's envelopes: one object, a page of a list, an error."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request

T = TypeVar("T")


class Refusal(Exception):  # noqa: N818 - an answer of the stand-in, not a failure
    """An error answer in HeyGen's envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = headers

    @property
    def error(self) -> dict[str, Any]:
        """Return what stands under ``error``."""
        error = {"code": self.code, "message": self.message, "param": self.param}
        return {name: value for name, value in error.items() if value is not None}


def refuse(_request: Request, exc: Exception) -> JSONResponse:
    """Turn a refusal into its answer (Starlette's exception handler)."""
    assert isinstance(exc, Refusal)  # noqa: S101 - registered for this class only
    return JSONResponse({"error": exc.error}, exc.status, exc.headers)


def data(value: Any, status: int = 200) -> JSONResponse:
    """Answer with one object."""
    return JSONResponse({"data": value}, status)


def invalid(param: str, message: str) -> Refusal:
    """Return the 400 that names the field at fault."""
    return Refusal(400, "invalid_parameter", f"{param}: {message}", param=param)


def found(
    things: Mapping[str, T], thing_id: str, kind: str, param: str | None = None
) -> T:
    """Return a thing by its id, or refuse with a 404 ``<kind>_not_found``."""
    if thing_id not in things:
        message = f"{kind.capitalize()} {thing_id} not found"
        raise Refusal(404, f"{kind}_not_found", message, param=param)
    return things[thing_id]


def choice(query: Mapping[str, str], name: str, allowed: set[str]) -> str | None:
    """Return a query parameter that has a closed set of values.

    Raises:
        Refusal: 400 for any other value.
    """
    value = query.get(name) or None
    if value is not None and value not in allowed:
        raise invalid(name, f"must be one of {', '.join(sorted(allowed))}")
    return value


def page(
    items: Iterable[T],
    query: Mapping[str, str],
    position: Callable[[T], int],
    *,
    default: int,
    maximum: int = 100,
) -> tuple[list[T], dict[str, Any]]:
    """Cut a page out of items whose position grows.

    The cursor holds the last position served, so what is added or deleted
    between two pages never makes an item appear twice or go missing.

    Raises:
        Refusal: 400 for a bad ``limit`` or ``token``.
    """
    limit, after = _limit(query, default, maximum), _position(query.get("token"))
    rest = (item for item in items if after is None or position(item) > after)
    taken = [item for item, _ in zip(rest, range(limit + 1), strict=False)]
    more = len(taken) > limit
    taken = taken[:limit]
    token = _cursor(position(taken[-1])) if more else None
    return taken, {"has_more": more, "next_token": token}


def _limit(query: Mapping[str, str], default: int, maximum: int) -> int:
    text = query.get("limit") or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= maximum:
        raise invalid("limit", f"must be a number from 1 to {maximum}")
    return int(text)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"after:{position}".encode()).decode()


def _position(token: str | None) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token).removeprefix(b"after:"))
    except (binascii.Error, ValueError):
        raise invalid("token", "is not a cursor of this listing") from None
