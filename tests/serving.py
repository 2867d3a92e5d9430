"""A sandbox in a thread of the test, with what goes wrong written down beforehand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import uvicorn
from pydantic import BaseModel, ConfigDict
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from heygen_nb.sandbox.app import create_app, handle_of, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from heygen_nb.sandbox.app import Sandbox

_START_S = 60
# Switches off, one by one, how the live service is odd; and nothing takes any time.
INSTANT = {"fast": True, "pending_s": 0.0, "processing_s": 0.0}
CALM = {
    "look_engines": False,
    "matting": False,
    "bars": False,
    "asset_s": 0.0,
    "captions_s": 0.0,
    "early_404_s": 0.0,
    "credit_told": "create",
}
# All of it on, in times that a test can wait for.
ODD = {
    "look_engines": True,
    "matting": True,
    "bars": True,
    "asset_s": 0.3,
    "captions_s": 0.3,
    "early_404_s": 0.3,
    "credit_told": "poll",
}
# A video is made, and the create says that there is none (seen in September 2026).
LOST_CREATE: dict[str, Any] = {
    "kind": "status",
    "path": "/v3/videos",
    "method": "POST",
    "after": True,
    "status": 404,
    "code": "resource_not_found",
}
FaultKind = Literal[
    "drop",
    "status",
    "empty",
    "not_listed",
    "html",
    "error_in_200",
    "truncated",
    "cut",
    "stall",
    "slow",
    "unknown_status",
    "failed_render",
]


class Fault(BaseModel):
    """A rule; of several that fit a request the first one counts.

    Attributes:
        kind: ``drop`` closes the connection without an answer; ``status``
            answers ``status``; ``empty`` a 200 of 0 bytes; ``not_listed`` a list of
            nothing; ``html`` a page with status 200; ``error_in_200`` a 200 with a
            top-level error;
            ``truncated`` a whole HTTP answer with half the body; ``cut`` breaks
            the connection in the middle of the body, ``stall`` waits ``delay_s``
            there; ``slow`` waits ``delay_s`` before (or ``after``) the handler;
            ``unknown_status`` changes every status word to ``word``;
            ``failed_render`` lets a video be accepted, then fail with ``code``.
        after: Let the real handler run first: the job is accepted, the post
            made, and only the answer is spoilt.
        method: HTTP method, ``*`` for any.
        path: Shell pattern for the path, such as ``/v3/videos/*``.
        match: Text that must stand in the request's body, such as a title (for
            ``failed_render``: in the video's title).
        skip: Let this many fitting requests pass first.
        times: How many requests it hits; None for all.
        probability: Chance of each fitting request, from ``seed``.
        html: For ``status``: a gateway's page instead of an envelope.
        retry_after_s: ``Retry-After``, or Telegram's ``parameters.retry_after``.
        message: The error's words.
        seen: Requests that fitted so far.
        hits: Requests hit so far.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    after: bool = False
    method: str = "*"
    path: str = "*"
    match: str = ""
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    status: int = 500
    html: bool = False
    code: str | None = None
    message: str = "A scripted fault of the sandbox."
    retry_after_s: float | None = None
    delay_s: float = 1.0
    word: str = "reticulating"
    seen: int = 0
    hits: int = 0

    def fits(self, method: str, path: str, body: bytes) -> bool:
        """Tell whether the request is one this rule is about."""
        return (
            self.kind != "failed_render"
            and self.method in ("*", method)
            and fnmatchcase(path, self.path)
            and self.match.encode() in body
        )

    def strikes(self) -> bool:
        """Count a fitting request; tell whether it is hit."""
        self.seen += 1
        chance = random.Random(f"{self.seed}:{self.seen}").random()
        spent = self.times is not None and self.hits >= self.times
        hit = self.seen > self.skip and not spent and chance < self.probability
        self.hits += hit
        return hit


class Faults:
    """The rules in force, in order of precedence."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, kind: FaultKind, path: str = "*", **rule: Any) -> None:
        """Let something go wrong from now on."""
        self.rules.append(Fault(kind=kind, path=path, **rule))

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """Return the fault that hits this request."""
        fitting = (rule for rule in self.rules if rule.fits(method, path, body))
        return next((rule for rule in fitting if rule.strikes()), None)

    def doomed(self, title: str) -> str | None:
        """Return the failure code in store for a video of that title."""
        for rule in self.rules:
            if rule.kind == "failed_render" and rule.match in title and rule.strikes():
                return rule.code or "rendering_failed"
        return None


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


class FaultsMiddleware:
    """Stands between the sandbox's gate, which counts requests, and its routes."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, faults: Faults) -> None:
        self._app = app
        self._sandbox = sandbox
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
            await self._app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        receive = _replay(body, receive)
        fault = self._faults.take(scope["method"], scope["path"], body)
        if fault is not None:
            await self._spoil(fault, scope, receive, send)
        elif any(rule.kind == "failed_render" for rule in self._faults.rules):
            answer = await self._answer(scope, receive)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _spoil(
        self, fault: Fault, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.kind == "slow" and not fault.after:
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

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        """Run the real handler and keep its answer."""
        response, body = Response(), bytearray()
        state = self._sandbox.state
        known = len(state.jobs)

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.raw_headers = list(message["headers"])
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        response.body = bytes(body)
        for job in [*state.jobs.values()][known:]:
            if code := self._faults.doomed(job.title or ""):
                job.failure_code = code
                state.put("Job", job.id, job)
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
        case "not_listed":
            nothing = {"data": [], "has_more": False, "next_token": None}
            return JSONResponse(nothing)
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


class _Protocol(H11Protocol):
    """Hands the connection to the application, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Ends at once: uvicorn's own looks ten times a second, and waits then."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _turn in range(3):  # of the loop, until they are closed
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)  # somebody is still being answered
        else:
            await self.lifespan.shutdown()

    def end(self) -> None:
        """Stop serving, from another thread."""
        self._loop.call_soon_threadsafe(self._ended.set)


@contextlib.contextmanager
def run_in_thread(app: Starlette) -> Iterator[socket.socket]:
    """Serve an application on a free port; yield what listens there."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        log_config=None,
        date_header=False,  # the sandbox's comes from its own clock
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert server.ready.wait(_START_S), "it did not start"
        try:
            yield listener
        finally:
            server.end()
            thread.join()


class LiveSandbox:
    """A sandbox that serves in a thread: where it is, what it is, what goes wrong."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self.inside: Sandbox = app.state.sandbox
        self.handle = handle_of(self.inside, listener)
        self.faults: Faults = app.state.faults


@contextlib.contextmanager
def sandbox_in_thread(folder: Path, *args: Any, **kwargs: Any) -> Iterator[LiveSandbox]:
    """Serve a sandbox, made as ``create_app`` makes it."""
    app = create_app(folder, *args, **kwargs)
    app.state.faults = faults = Faults()
    more = {"sandbox": app.state.sandbox, "faults": faults}
    app.user_middleware.append(Middleware(FaultsMiddleware, **more))
    with run_in_thread(app) as listener:
        yield LiveSandbox(app, listener)
