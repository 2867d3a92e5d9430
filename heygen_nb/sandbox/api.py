"""The manners of HeyGen's API: envelopes, errors, pages and idempotency keys."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import fastjsonschema
import yaml
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.state import Purse, State

Endpoint = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")
_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
_UNKNOWN = {404: "not_found", 405: "method_not_allowed"}
_SCHEMAS = yaml.safe_load(Path(__file__).with_name("requests.yaml").read_text("utf-8"))


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


def refuse(request: Request, exc: Any) -> JSONResponse:
    """Turn a refusal, or Starlette's own, into its answer (exception handler)."""
    if isinstance(exc, HTTPException):
        code = _UNKNOWN.get(exc.status_code, "invalid_parameter")
        message = f"{request.method} {request.url.path}: {exc.detail}"
        exc = Refusal(exc.status_code, code, message, headers=exc.headers)
    return JSONResponse({"error": exc.error}, exc.status, exc.headers)


def data(code: int = 200, /, **fields: Any) -> JSONResponse:
    """Answer with one object."""
    return JSONResponse({"data": fields}, code)


def invalid(param: str, message: str) -> Refusal:
    """Return the 400 that names the field at fault."""
    return Refusal(400, "invalid_parameter", f"{param}: {message}", param=param)


@cache
def _check_of(name: str) -> Any:
    return fastjsonschema.compile(_SCHEMAS["bodies"][name])


def parse(name: str, value: Any, at: str = "") -> Any:
    """Check a body of that name in ``requests.yaml``, and fill in what it leaves out.

    The first wrong field is named by a 400; ``at`` is where the body stands in a
    larger one, such as ``videos.1.``.
    """
    try:
        return _check_of(name)(value)
    except fastjsonschema.JsonSchemaValueException as exc:
        place, problem = exc.path[1:], exc.message.partition(" ")[2]
        names: list[str] = []
        match exc.rule:
            case "oneOf":
                names = [choice["required"][0] for choice in exc.rule_definition]
                problem = f"exactly one of {', '.join(names)} is required"
            case "required":
                names = [name for name in exc.rule_definition if name not in exc.value]
                problem = "Field required"
            case "additionalProperties":
                names = [*exc.value.keys() - exc.definition["properties"].keys()]
                problem = "Extra inputs are not permitted"
        raise invalid(at + ".".join([*place, *names[:1]]) or "body", problem) from None


def found(
    things: Mapping[str, T], thing_id: str, kind: str, param: str | None = None
) -> T:
    """Return a thing by its id, or refuse with a 404 ``<kind>_not_found``."""
    if thing_id not in things:
        message = f"{kind.capitalize()} {thing_id} not found"
        raise Refusal(404, f"{kind}_not_found", message, param=param)
    return things[thing_id]


def page(
    request: Request,
    items: Iterable[tuple[int, Any]],
    *,
    default: int,
    maximum: int = 100,
) -> dict[str, Any]:
    """Return the asked page of items whose positions grow.

    ``token`` is the last position served, so what is added or deleted between two
    pages never makes an item appear twice or go missing.
    """
    asked = parse("query", {k: v for k, v in request.query_params.items() if v})
    limit = int(asked.get("limit", default))
    if limit > maximum:
        raise invalid("limit", f"must be at most {maximum}")
    if "token" in asked:
        items = (item for item in items if item[0] > int(asked["token"]))
    taken = list(islice(items, limit + 1))
    more = len(taken) > limit
    return {
        "data": [item for _, item in taken[:limit]],
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
        return from_json(await request.body(), allow_inf_nan=False)
    except ValueError:
        raise invalid("body", "is not JSON") from None


def require(state: State, purse: Purse, amount: float) -> None:
    """Check that the money is there, or refuse with 402."""
    if not state.has(purse, amount):
        message = f"This needs {amount:.2f}, more than is left"
        raise Refusal(402, "insufficient_credit", message)


def keyed(state: State, create: Endpoint) -> Endpoint:
    """Return the endpoint of a paid POST, which heeds its ``Idempotency-Key``.

    An answer is given again for 24 hours, a refusal is not. ``create`` does not wait
    between its first record and its return, so job and key are written together.
    """
    in_progress: set[str] = set()

    async def endpoint(request: Request) -> Response:
        key = request.headers.get("idempotency-key")
        if key is None:
            return await create(request)
        if not _KEY.fullmatch(key):
            raise invalid("Idempotency-Key", f"must match ^{_KEY.pattern}$")
        name, now = f"{request.url.path}|{key}", state.clock.now()
        first = state.keys.get(name)
        if first and now - first["created_at"] < state.options.key_life_s:
            kind = "application/json"
            return Response(first["body"], first["status"], media_type=kind)
        if key in in_progress:
            message = "The first request with this key is still in progress"
            raise Refusal(409, "request_in_progress", message)
        in_progress.add(key)
        try:
            await asyncio.sleep(state.options.create_s)
            answer = await create(request)
        finally:
            in_progress.discard(key)
        now, status = state.clock.now(), answer.status_code
        said = bytes(answer.body).decode()
        state.put("Key", name, {"created_at": now, "status": status, "body": said})
        return answer

    return endpoint
