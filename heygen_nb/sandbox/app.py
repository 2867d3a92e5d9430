"""The stand-in's server: HeyGen v3 and Telegram on one port of this machine.

What HeyGen leaves unsaid is decided the way that is harder for a client.
"""

import contextlib
import hmac
import logging
import os
import secrets
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import psutil
import uvicorn
from filelock import FileLock, Timeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygen_nb.errors import SandboxError
from heygen_nb.sandbox import api, catalogue
from heygen_nb.sandbox.files import Files
from heygen_nb.sandbox.process import SERVER_FILE, TOKEN_HEADER, SandboxHandle
from heygen_nb.sandbox.state import SandboxClock, SandboxOptions, State
from heygen_nb.sandbox.telegram import CHAT_ID, Telegram
from heygen_nb.sandbox.videos import JobQueue, Videos

_TICKS = 10  # a second, of uvicorn's
_STEERED = ("clock", "balance", "owners", "session")
_EMPTY = (
    *("avatars", "templates", "webhooks/endpoints"),
    *("webhooks/events", "webhooks/event-types"),
)
_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Sandbox:
    """Everything behind the routes; ``app.state.sandbox`` in tests.

    Attributes:
        owners: Processes that use it.
        closing: Nobody is taken in any more.
        requests: How often each route was asked.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.owners: set[psutil.Process] = set()
        self.closing = False
        self.requests: Counter[str] = Counter()
        key = f"sandbox_{secrets.token_hex(16)}"
        self.api_key = state.options.api_key or state.fact("api_key", key)
        self.control_token = state.fact("control_token", secrets.token_hex(16))
        self.account = state.fact("account", f"sandbox-{secrets.token_hex(4)}")
        self.files = Files(state)
        self.jobs = JobQueue(state, self.files)
        self.telegram = Telegram(state)
        self.file_requests_with_key = 0
        self.routes = self.telegram.routes()
        for name, endpoint in self._endpoints().items():
            method, path = name.split()
            self.routes.append(Route(path, endpoint, methods=[method]))

    def _endpoints(self) -> dict[str, api.Endpoint]:
        state, files = self.state, self.files
        videos = Videos(state, files, self.jobs)
        return {
            "POST /v3/videos": api.keyed(state, videos.create),
            "GET /v3/videos": videos.list,
            "GET /v3/videos/statuses": videos.statuses,
            "POST /v3/videos/batches": api.keyed(state, videos.create_batch),
            "GET /v3/videos/batches/{id}": videos.get_batch,
            "GET /v3/videos/{id}": videos.get,
            "DELETE /v3/videos/{id}": videos.delete,
            "GET /v3/voices": catalogue.list_voices,
            "POST /v3/voices/speech": files.say,
            "GET /v3/voices/{id}": catalogue.get_voice,
            "GET /v3/avatars/looks": catalogue.list_looks,
            "GET /v3/avatars/looks/{id}": catalogue.get_look,
            "GET /v3/users/me": self._me,
            "POST /v3/assets": files.upload,
            "GET /v3/assets/{id}": files.get_asset,
            "GET /files/looks/{id}.jpg": catalogue.get_picture,
            "GET /files/voices/{id}.wav": files.sample,
            "GET /files/{place:path}": files.serve,
            "GET /_sandbox/ledger": self._ledger,
            **{f"POST /_sandbox/{name}": self._steer for name in _STEERED},
            # groups: no client of ours asks
            **{f"GET /v3/{name}": _empty for name in _EMPTY},
        }

    def admit(self, request: Request) -> None:
        """Refuse a stranger; let time pass for others, and count what they ask.

        A web page asks by a name of its own or from its own origin; one whose name is
        pointed at this machine (DNS rebinding) shows by ``Host``. HeyGen's routes want
        a key or a session, our own ones our token.
        """
        scope, headers = request.scope, request.headers
        ours = [f"{host}:{scope['server'][1]}" for host in _HOSTS]
        origin = headers.get("origin", f"http://{ours[0]}").removeprefix("http://")
        if headers.get("host") not in ours or origin not in ours:
            message = "Only programs of this machine may ask, by its own address"
            raise api.Refusal(403, "forbidden", message)
        self.jobs.settle()
        room = scope["path"].split("/")[1]
        if room == "_sandbox":
            if not _same(headers.get(TOKEN_HEADER, ""), self.control_token):
                raise api.Refusal(403, "forbidden", f"{TOKEN_HEADER} is not right")
            return
        fits = (r.path for r in self.routes if r.matches(scope)[0] == Match.FULL)
        self.requests[f"{request.method} {next(fits, 'unknown')}"] += 1
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        key = headers.get("x-api-key", "")
        if room == "files":  # a client that sends its key here gives it to a stranger
            self.file_requests_with_key += bool(key or bearer)
        elif room == "v3":
            request.state.purse = "wallet" if key or not bearer else "plan"
            ends = self.state.facts.get(f"session {bearer}")
            if key or not ends:
                if not _same(key, self.api_key):
                    raise api.Refusal(401, "unauthorized", "The key is not right")
            elif float(ends["value"]) <= self.state.clock.now():
                raise api.Refusal(401, "unauthorized", "The access token has expired")

    async def _me(self, request: Request) -> Response:
        purse, told = request.state.purse, catalogue.CATALOGUE["account"]
        left = round(self.state.balance(purse), 4)
        kind = "subscription" if purse == "plan" else self.state.options.billing_type
        premium = {"remaining": int(left), "resets_at": None}
        balance: dict[str, dict[str, Any]] = {
            "wallet": {"remaining_balance": left},
            "subscription": {
                "credits": {"premium_credits": premium, "add_on_credits": None}
            },
            "usage_based": {"remaining_credits": left},
        }
        # the blocks of the other ways of billing are null
        blocks = {n: told[n] | b if n == kind else None for n, b in balance.items()}
        return api.data(
            **told | blocks,
            username=self.account,
            email=f"{self.account}@example.com",
            billing_type=kind,
        )

    async def _ledger(self, _request: Request) -> Response:
        state = self.state
        told = {
            "account": self.account,
            "fast": state.options.fast,
            "balance": round(state.balance("wallet"), 6),
            "plan_credits": round(state.balance("plan"), 6),
            "jobs": [job.model_dump(exclude={"body"}) for job in state.jobs.values()],
            "charges": [*state.charges.values()],
            "posts": [*state.posts.values()],
            "requests": dict(self.requests),
            "file_requests_with_key": self.file_requests_with_key,
        }
        return JSONResponse(told)

    async def _steer(self, request: Request) -> Response:
        """Answer ``POST /_sandbox/…``: the clock, a purse, a session, an owner."""
        name, state = request.url.path.rpartition("/")[2], self.state
        asked = api.parse(name, await api.json_body(request))
        told = {"ok": True, "pid": os.getpid(), "account": self.account}
        match name:
            case "clock":
                state.clock.offset_s += asked["advance_s"]
                state.put("Fact", "clock_offset_s", {"value": state.clock.offset_s})
            case "balance":
                paid_in = f"{asked['purse']}_in"
                spent = float(state.fact(paid_in)) - state.balance(asked["purse"])
                state.put("Fact", paid_in, {"value": asked["balance"] + spent})
            case "session":
                token = f"session_{secrets.token_hex(16)}"
                ends = state.clock.now() + state.options.session_life_s
                state.put("Fact", f"session {token}", {"value": ends})
                told = {"access_token": token, "expires_at": ends}
            case "owners":
                self.take_in(asked["pid"])
        return JSONResponse(told)

    def take_in(self, pid: int) -> None:
        """Let one more process use the sandbox, or refuse if it is ending."""
        if self.closing:
            raise api.Refusal(503, "closing", "The sandbox is about to end")
        with contextlib.suppress(psutil.NoSuchProcess):
            # Holds the start time too: a reused pid is another process.
            self.owners.add(psutil.Process(pid))


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


async def _empty(request: Request) -> Response:
    """Answer a list of what the stand-in does not have."""
    return JSONResponse(api.page(request, [], default=10))


def gate(app: ASGIApp, sandbox: Sandbox) -> ASGIApp:
    """Admit requests to an application, and date its answers (middleware)."""
    state = sandbox.state

    async def gated(scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.flush()
                date = formatdate(state.clock.now(), usegmt=True)
                number = secrets.token_hex(8)
                ours = [(b"date", date.encode()), (b"x-request-id", number.encode())]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        answer = app
        if scope["type"] == "http":
            request = Request(scope, receive)
            try:
                sandbox.admit(request)
            except api.Refusal as refusal:
                answer = api.refuse(request, refusal)
        await answer(scope, receive, dated)
        state.flush()  # an answer that is lost leaves records behind, too

    return gated


def create_app(
    state_dir: Path,
    options: SandboxOptions | None = None,
    *,
    clock: SandboxClock | None = None,
) -> Starlette:
    """Make the application; a later one on the same folder goes on from there."""
    state = State(state_dir, options or SandboxOptions(), clock or SandboxClock())
    sandbox = Sandbox(state)
    state.flush()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sandbox.jobs.resume()
        state.flush()
        try:
            yield
        finally:
            sandbox.jobs.close()
            state.close()

    app = Starlette(
        routes=sandbox.routes,
        middleware=[Middleware(gate, sandbox=sandbox)],
        exception_handlers={api.Refusal: api.refuse, HTTPException: api.refuse},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app


class SandboxServer(uvicorn.Server):
    """Ends when told to, or when its last owner has died."""

    async def on_tick(self, counter: int) -> bool:
        """End with the owners (uvicorn calls this ten times a second)."""
        sandbox: Sandbox = self.config.app.state.sandbox  # type: ignore[union-attr]
        if counter % _TICKS == 0:
            # From then on nobody is taken in.
            sandbox.closing = not any(map(_lives, sandbox.owners))
        return sandbox.closing or await super().on_tick(counter)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Open the port of a server; 0 takes a free one.

    Raises:
        SandboxError: The port is taken, or not allowed.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as exc:
        problem = f"The sandbox cannot listen on {host}:{port}: {exc.strerror}"
        raise SandboxError(problem) from exc
    # Connections inherit it; without it an answer takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(
    port: int,
    *,
    state_dir: Path,
    options: SandboxOptions | None = None,
    owner: int | None = None,
    on_ready: Callable[[SandboxHandle], Any] | None = None,
) -> None:
    """Serve this machine until interrupted, or until the last owner has died.

    ``<state_dir>/server.json`` tells other processes where it is; ``owner`` is a
    process id, ``on_ready`` gets the handle once the port (0: a free one) is open.

    Raises:
        SandboxError: Another sandbox has this folder, or the port is taken.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(state_dir / "server.lock").acquire(timeout=0)
    except Timeout:
        raise SandboxError(f"Another sandbox is serving {state_dir} already.") from None
    with held, listen("127.0.0.1", port) as listener:
        app = create_app(state_dir, options)
        app.state.sandbox.take_in(owner or os.getpid())
        config = uvicorn.Config(
            app,
            http="h11",
            log_config=None,
            access_log=False,
            lifespan="on",
            date_header=False,  # ours comes from the sandbox's clock
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        handle = handle_of(app.state.sandbox, listener)
        handle.write(state_dir)
        try:
            if on_ready is not None:
                on_ready(handle)
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down
                SandboxServer(config).run([listener])
        finally:
            (state_dir / SERVER_FILE).unlink(missing_ok=True)


def handle_of(sandbox: Sandbox, listener: socket.socket) -> SandboxHandle:
    """Return what tells others of a sandbox that listens in this process."""
    base_url = "http://{}:{}".format(*listener.getsockname()[:2])
    return SandboxHandle(
        base_url=base_url,
        api_key=sandbox.api_key,
        control_token=sandbox.control_token,
        telegram_base_url=f"{base_url}/bot",
        bot_token=sandbox.telegram.bot_token,
        chat_id=CHAT_ID,
        chat_url=f"{base_url}/chat",
        pid=os.getpid(),
        account=sandbox.account,
    )


def main(state_dir: str, owner: str, options: str) -> None:
    """Run the process behind ``start_sandbox``."""
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=line)
    chosen = SandboxOptions.model_validate_json(options)
    try:
        serve(0, state_dir=Path(state_dir), options=chosen, owner=int(owner))
    except SandboxError as exc:
        # Losing the race for the folder is no failure: the winner serves.
        logging.getLogger("heygen_nb.sandbox").info("%s", exc)


if __name__ == "__main__":
    main(*sys.argv[1:])
