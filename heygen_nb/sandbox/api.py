"""The manners of HeyGen's API: envelopes, errors, pages and idempotency keys."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.state import KeyState, Purse, State

Endpoint = Callable[[Request], Awaitable[Response]]
Create = Callable[[Any, str | None, Request], Awaitable[Response]]
T = TypeVar("T")
B = TypeVar("B", bound=BaseModel)
_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
_UNKNOWN = {404: "not_found", 405: "method_not_allowed"}


@dataclass
class Refusal(Exception):  # noqa: N818 - an answer of the stand-in, not a failure
    """An error answer."""

    status: int
    code: str
    message: str
    param: str | None = None
    headers: Mapping[str, str] | None = None

    @property
    def error(self) -> dict[str, str]:
        """Return what stands under that name."""
        error = {"code": self.code, "message": self.message}
        return error | ({"param": self.param} if self.param else {})


def refuse(request: Request, exc: Exception) -> JSONResponse:
    """Turn a refusal, or Starlette's own, into its answer (exception handler)."""
    if isinstance(exc, HTTPException):
        code = _UNKNOWN.get(exc.status_code, "invalid_parameter")
        message = f"{request.method} {request.url.path}: {exc.detail}"
        exc = Refusal(exc.status_code, code, message, headers=exc.headers)
    assert isinstance(exc, Refusal)  # noqa: S101 - registered for these two only
    return JSONResponse({"error": exc.error}, exc.status, exc.headers)


def data(code: int = 200, /, **fields: Any) -> JSONResponse:
    """Answer with one object."""
    return JSONResponse({"data": fields}, code)


def invalid(param: str, message: str) -> Refusal:
    """Return the 400 that names the field at fault."""
    return Refusal(400, "invalid_parameter", f"{param}: {message}", param=param)


def parse(model: type[B], value: Any, at: str = "") -> B:
    """Validate a body, or refuse with a 400 naming the first wrong field.

    ``at`` is where it stands in a larger one, such as ``videos.1.``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        place = [*map(str, error["loc"])]
        if error["type"] == "field":
            place.append(error["ctx"]["param"])
        raise invalid(at + ".".join(place) or "body", error["msg"]) from None


def found(
    things: Mapping[str, T], thing_id: str, kind: str, param: str | None = None
) -> T:
    """Return a thing by its id, or refuse with a 404 ``<kind>_not_found``."""
    if thing_id not in things:
        message = f"{kind.capitalize()} {thing_id} not found"
        raise Refusal(404, f"{kind}_not_found", message, param=param)
    return things[thing_id]


class ListQuery(BaseModel):
    """What may stand behind the question mark of a list.

    ``token`` is the last position served, so what is added or deleted between two
    pages never makes an item appear twice or go missing.
    """

    limit: int = Field(0, ge=1)
    token: int | None = None
    type: Literal["public", "private"] = "public"
    ownership: Literal["public", "private"] | None = None
    engine: str = ""
    language: str = ""
    gender: str = ""
    avatar_type: str = ""
    group_id: str = ""
    title: str = ""
    video_ids: str = ""
    batch_ids: str = ""

    @classmethod
    def of(cls, request: Request) -> ListQuery:
        """Return that of a request, or refuse it."""
        return parse(cls, {k: v for k, v in request.query_params.items() if v})

    def page(
        self,
        items: Iterable[tuple[int, Any]],
        view: Callable[[Any], Any] = lambda item: item,
        *,
        default: int,
        maximum: int = 100,
    ) -> dict[str, Any]:
        """Return a page of items whose positions grow, as ``view`` shows them."""
        limit, after = self.limit or default, self.token
        if limit > maximum:
            raise invalid("limit", f"must be at most {maximum}")
        if after is not None:
            items = (item for item in items if item[0] > after)
        taken = list(islice(items, limit + 1))
        more = len(taken) > limit
        return {
            "data": [view(item) for _, item in taken[:limit]],
            "has_more": more,
            "next_token": str(taken[limit - 1][0]) if more else None,
        }


async def json_body(request: Request) -> Any:
    """Return the body; only what calls itself JSON is read.

    A web page may send a body of any other type to a port of this machine
    without asking first.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind.casefold() != "application/json":
        message = "Content-Type must be application/json"
        raise Refusal(415, "unsupported_media_type", message)
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise invalid("body", "is not JSON") from None


def require(state: State, purse: Purse, amount: float) -> None:
    """Check that the money is there, or refuse with 402."""
    if not state.has(purse, amount):
        message = f"This needs {amount:.2f}, more than is left"
        raise Refusal(402, "insufficient_credit", message)


def keyed(state: State, create: Create, *, heeded: bool = True) -> Endpoint:
    """Return the endpoint of a paid POST, which heeds its ``Idempotency-Key``.

    An answer is given again for 24 hours, a refusal is not. ``create`` gets the JSON
    body and the key. It does not wait between its first record and its return, so
    that job and key are written together. Of speech nothing is known: a key is not
    ``heeded``, a repeat costs twice.
    """
    in_progress: set[str] = set()

    async def endpoint(request: Request) -> Response:
        body, key = await json_body(request), request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise invalid("Idempotency-Key", f"must match ^{_KEY.pattern}$")
        if key is None or not heeded:
            return await create(body, None, request)
        name, now = f"{request.url.path}|{key}", state.clock.now()
        first = state.keys.get(name)
        if first and now - first.created_at < state.options.key_life_s:
            return Response(first.body, first.status, media_type="application/json")
        if key in in_progress:
            message = "The first request with this key is still in progress"
            raise Refusal(409, "request_in_progress", message)
        in_progress.add(key)
        try:
            await asyncio.sleep(state.options.create_s)
            answer = await create(body, key, request)
        finally:
            in_progress.discard(key)
        now, said = state.clock.now(), bytes(answer.body).decode()
        status = answer.status_code
        state.put(KeyState(id=name, created_at=now, status=status, body=said))
        return answer

    return endpoint
