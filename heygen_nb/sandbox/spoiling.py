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
        self._sandbox.videos.settle()
        send, faults, fault = self._dated(send), self._sandbox.faults, None
        if not scope["path"].startswith("/_sandbox/"):
            faults.counts[self._sandbox.route_of(scope)] += 1
            receive, body = await self._peek(scope, receive)
            fault = faults.take(scope["method"], scope["path"], body)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await _spoil(fault, self._app, scope, receive, send)
        self._sandbox.state.flush()  # a dropped answer leaves records behind, too

    async def _peek(self, scope: Scope, receive: Receive) -> tuple[Receive, bytes]:
        if not self._sandbox.faults.read_bodies:
            return receive, b""
        body = await Request(scope, receive).body()
        unread: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        return replay, body

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._sandbox.state.flush()
                now = self._sandbox.state.clock.now()
                date = formatdate(now, usegmt=True).encode()
                extra = (
                    (b"date", date),
                    (b"x-request-id", secrets.token_hex(8).encode()),
                )
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        return dated


class Connection:
    """The socket under a request, which the server's protocol hands over."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    async def end(self, receive: Receive, *, at_once: bool) -> None:
        """Close it, after what was written has gone out unless ``at_once``."""
        (self._transport.abort if at_once else self._transport.close)()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _spoil(
    fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    match fault.kind:
        case "cut" | "stall":
            await app(scope, receive, _halving(fault, scope, receive, send))
        case "slow" if not fault.after:
            # A keyed create waits inside, under its key, so a repeat sees the 409.
            if any(name == b"idempotency-key" for name, _ in scope["headers"]):
                scope.setdefault("state", {})["delay_s"] = fault.delay_s
            else:
                await asyncio.sleep(fault.delay_s)
            await app(scope, receive, send)
        case "drop":
            if fault.after:
                await _answer(app, scope, receive)
            else:
                await Request(scope, receive).body()  # else the client sees a reset
            connection: Connection = scope["extensions"]["sandbox.connection"]
            await connection.end(receive, at_once=True)
        case _:
            real = Response()
            if fault.after or fault.kind in ("truncated", "unknown_status"):
                real = await _answer(app, scope, receive)
            if fault.kind == "slow":
                await asyncio.sleep(fault.delay_s)
            await _spoilt(fault, scope["path"], real)(scope, receive, send)


def _halving(fault: Fault, scope: Scope, receive: Receive, send: Send) -> Send:
    """Pass on half of the promised bytes; then break off, or go on after a pause."""
    left, broken = 0, False

    async def halving(message: Message) -> None:
        nonlocal left, broken
        if message["type"] == "http.response.start":
            headers = {bytes(name).lower(): n for name, n in message["headers"]}
            left = int(headers.get(b"content-length", b"0")) // 2
        elif left:
            body = message.get("body", b"")
            part, message["body"] = body[:left], body[left:]
            left -= len(part)
            await send({"type": message["type"], "body": part, "more_body": True})
            if left:
                return
            if broken := fault.kind == "cut":
                connection: Connection = scope["extensions"]["sandbox.connection"]
                await connection.end(receive, at_once=False)
            else:
                await asyncio.sleep(fault.delay_s)
        if not broken:
            await send(message)

    return halving


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """Run the real handler and keep its answer."""
    response, body = Response(), bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code = message["status"]
            response.raw_headers = list(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    response.body = bytes(body)
    return response


def _spoilt(fault: Fault, path: str, real: Response) -> Response:
    content = bytes(real.body)
    match fault.kind:
        case "status":
            return _refusal(fault, path)
        case "html":
            return HTMLResponse(_HTML.format(status=200))
        case "error_in_200":
            return JSONResponse({"data": None, **_error(fault, 500)})
        case "truncated":
            content = content[: len(content) // 2]
        case "unknown_status":
            changed = _with_word(json.loads(content or b"null"), fault.word)
            content = json.dumps(changed).encode()
        case "empty":
            return Response(b"")
    kind = real.headers.get("content-type")
    return Response(content, real.status_code, media_type=kind)


def _refusal(fault: Fault, path: str) -> Response:
    seconds, status = fault.retry_after_s, fault.status
    headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
    if fault.html:
        return HTMLResponse(_HTML.format(status=status), status, headers)
    if not path.startswith("/bot"):
        return JSONResponse(_error(fault, status), status, headers)
    error: dict[str, Any] = {"ok": False, "error_code": status}
    error["description"] = fault.message
    if seconds is not None:
        error["parameters"] = {"retry_after": int(seconds)}
    return JSONResponse(error, status)


def _error(fault: Fault, status: int) -> dict[str, Any]:
    code = fault.code or _CODES.get(status, "internal_error")
    return {"error": {"code": code, "message": fault.message}}


def _with_word(value: Any, word: str) -> Any:
    if isinstance(value, dict):
        return {
            k: word if k == "status" and isinstance(v, str) else _with_word(v, word)
            for k, v in value.items()
        }
    return [_with_word(v, word) for v in value] if isinstance(value, list) else value
