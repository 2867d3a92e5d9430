"""The outermost layer: counts requests, applies scripted faults, dates answers."""

from __future__ import annotations

import asyncio
import json
import secrets
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from heygen_nb.sandbox.app import Sandbox
    from heygen_nb.sandbox.faults import Fault

_CODES = {
    400: "invalid_parameter",
    401: "unauthorized",
    402: "insufficient_credit",
    403: "forbidden",
    404: "not_found",
    409: "request_in_progress",
    413: "payload_too_large",
    429: "rate_limit_exceeded",
    504: "gateway_timeout",
}
_HTML = "<!doctype html><title>Bad gateway</title><h1>{status}: try again later</h1>"
_OF_THE_ANSWER = ("truncated", "unknown_status", "cut", "stall")


class SpoilingMiddleware:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._sandbox.jobs.settle()
        send, faults, fault = self._dated(send), self._sandbox.faults, None
        if not scope["path"].startswith("/_sandbox/"):
            faults.counts[self._sandbox.route_of(scope)] += 1
            body = await Request(scope, receive).body()
            receive = _replay(body, receive)
            fault = faults.take(scope["method"], scope["path"], body)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._spoil(fault, scope, receive, send)
        self._sandbox.state.flush()  # a dropped answer leaves records behind, too

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._sandbox.state.flush()
                date = formatdate(self._sandbox.state.clock.now(), usegmt=True)
                number = secrets.token_hex(8)
                ours = [(b"date", date.encode()), (b"x-request-id", number.encode())]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        return dated

    async def _spoil(
        self, fault: Fault, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.kind == "slow" and not fault.after:
            if self._keyed(scope):  # a repeat sees the key in progress
                scope["state"]["delay_s"] = fault.delay_s
            else:
                await asyncio.sleep(fault.delay_s)
            await self._app(scope, receive, send)
            return
        real = Response()
        if fault.after or fault.kind in _OF_THE_ANSWER:
            real = await self._answer(scope, receive)
        match fault.kind:
            case "drop":
                scope["state"]["transport"].abort()
            case "cut" | "stall":
                await _in_halves(fault, real, scope, send)
            case _:
                answer = await _spoilt(fault, scope["path"], real)
                await answer(scope, receive, send)

    def _keyed(self, scope: Scope) -> bool:
        keyed = any(name == b"idempotency-key" for name, _ in scope["headers"])
        return keyed and scope["path"] in self._sandbox.state.options.keyed_routes

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        """Run the real handler and keep its answer."""
        response, body = Response(), bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.raw_headers = list(message["headers"])
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        response.body = bytes(body)
        return response


def _replay(body: bytes, receive: Receive) -> Receive:
    unread: list[Message] = [{"type": "http.request", "body": body}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


async def _in_halves(fault: Fault, real: Response, scope: Scope, send: Send) -> None:
    """Send half of the promised bytes; then break off, or go on after a pause."""
    body, half = bytes(real.body), len(real.body) // 2
    start = {"type": "http.response.start", "status": real.status_code}
    part = {"type": "http.response.body", "body": body[:half], "more_body": True}
    await send(start | {"headers": real.raw_headers})
    await send(part)
    if fault.kind == "cut":
        scope["state"]["transport"].close()
        return
    await asyncio.sleep(fault.delay_s)
    await send(part | {"body": body[half:], "more_body": False})


async def _spoilt(fault: Fault, path: str, real: Response) -> Response:
    content = bytes(real.body)
    match fault.kind:
        case "status":
            return _refusal(fault, path)
        case "html":
            return HTMLResponse(_HTML.format(status=200))
        case "error_in_200":
            return JSONResponse({"data": None, **_error(fault, 500)})
        case "empty":
            return Response(b"")
        case "slow":
            await asyncio.sleep(fault.delay_s)
        case "truncated":
            content = content[: len(content) // 2]
        case "unknown_status":
            changed = json.loads(content, object_hook=lambda o: _with_word(o, fault))
            content = json.dumps(changed).encode()
    kind = real.headers.get("content-type")
    return Response(content, real.status_code, media_type=kind)


def _refusal(fault: Fault, path: str) -> Response:
    seconds, status = fault.retry_after_s, fault.status
    headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
    if fault.html:
        return HTMLResponse(_HTML.format(status=status), status, headers)
    if not path.startswith("/bot"):
        return JSONResponse(_error(fault, status), status, headers)
    wait = {} if seconds is None else {"parameters": {"retry_after": int(seconds)}}
    error = {"ok": False, "error_code": status, "description": fault.message}
    return JSONResponse(error | wait, status)


def _error(fault: Fault, status: int) -> dict[str, Any]:
    code = fault.code or _CODES.get(status, "internal_error")
    return {"error": {"code": code, "message": fault.message}}


def _with_word(value: dict[str, Any], fault: Fault) -> dict[str, Any]:
    return value | {"status": fault.word} if "status" in value else value
