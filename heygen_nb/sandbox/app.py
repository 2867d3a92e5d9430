"""The stand-in's application: HeyGen v3 and Telegram on one port of this machine.

What HeyGen leaves unsaid is decided the way that is harder for a client.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING, Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from heygen_nb.sandbox import catalogue
from heygen_nb.sandbox.api import Keys, Refusal, data, invalid, refuse
from heygen_nb.sandbox.faults import (
    Fault,
    Faults,
)
from heygen_nb.sandbox.files import Files
from heygen_nb.sandbox.jobs import Jobs, Wallet
from heygen_nb.sandbox.speech import Samples
from heygen_nb.sandbox.spoiling import SpoilingMiddleware
from heygen_nb.sandbox.state import Clock, Fact, State
from heygen_nb.sandbox.telegram import Telegram
from heygen_nb.sandbox.videos import Videos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Scope

    from heygen_nb.sandbox.api import Endpoint

KeyedRoute = Literal["/v3/videos", "/v3/videos/batches", "/v3/voices/speech"]


class SandboxOptions(BaseModel):
    """Knobs of the stand-in; the defaults suit a person trying the product.

    Attributes:
        fast: Finish renders by the clock with a canned file, never encode.
        api_key: None: one made for the state folder and kept there.
        balance: What the account starts with, in ``currency``.
        billing_type: Which block ``/v3/users/me`` shows the balance in.
        concurrency: Renders at a time before HeyGen answers 429.
        retry_after_s: What that 429 asks for.
        workers: Local render processes.
        pending_s: Seconds a render shows ``pending``.
        processing_s: Seconds of ``processing`` after that, in fast mode.
        list_lag_s: Seconds until a new video shows up in listings.
        link_life_s: Seconds a signed file link lives.
        key_life_s: Seconds an ``Idempotency-Key`` is remembered.
        keyed_routes: Where the key works. HeyGen documents it for videos only;
            for speech nothing is known, so repeating one costs twice here.
        file_bytes: Pad fast mode's files up to this size.
        faults: Scripted faults from the start.
    """

    model_config = ConfigDict(extra="forbid")

    fast: bool = False
    api_key: str | None = Field(default=None, repr=False)
    balance: float = 100.0
    currency: Literal["usd", "credits"] = "usd"
    billing_type: Literal["wallet", "subscription", "usage_based"] = "wallet"
    concurrency: int = 10
    retry_after_s: int = 5
    workers: int = 1
    pending_s: float = 1.5
    processing_s: float = 2.0
    list_lag_s: float = 0.0
    link_life_s: float = 3600.0
    key_life_s: float = 24 * 3600.0
    keyed_routes: tuple[KeyedRoute, ...] = ("/v3/videos", "/v3/videos/batches")
    file_bytes: int = 0
    faults: list[Fault] = []


_LOOPBACK = ("127.0.0.1", "::1")
_RULES: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


class Owners:
    """Processes that use the sandbox."""

    def __init__(self) -> None:
        self._processes: set[psutil.Process] = set()
        self.gone = False

    def add(self, pid: int) -> bool:
        """Let one more process use the sandbox; False if it is ending already."""
        if not self.gone:
            with contextlib.suppress(psutil.NoSuchProcess):
                # Holds the start time too: a reused pid is another process.
                self._processes.add(psutil.Process(pid))
        return not self.gone

    def look(self) -> bool:
        """Tell whether the last one has died; from then on nobody is taken in."""
        self.gone = not any(map(_lives, self._processes))
        return self.gone


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Sandbox:
    """Everything behind the routes; ``app.state.sandbox`` in tests."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.owners = Owners()
        self.faults = Faults(list(state.options.faults))
        key = f"sandbox_{secrets.token_hex(16)}"
        self.api_key = state.options.api_key or state.fact("api_key", key)
        self.account = state.fact("account", f"sandbox-{secrets.token_hex(4)}")
        self.wallet = Wallet(state)
        self.files = Files(state, self.wallet)
        self.jobs = Jobs(state, self.files, self.wallet, self.faults.doomed)
        self.telegram = Telegram(state)
        self.file_requests_with_key = 0
        self.routes = self._routes()

    def _routes(self) -> list[Route]:
        """Return all routes; requests are counted by them."""
        keyed = Keys(self.state).route
        videos = Videos(self.state, self.files, self.wallet, self.jobs)
        endpoints: dict[str, Callable[[Request], Awaitable[Any]]] = {
            "POST /v3/videos": keyed(videos.create),
            "GET /v3/videos": videos.list,
            "GET /v3/videos/statuses": videos.statuses,
            "POST /v3/videos/batches": keyed(videos.create_batch),
            "GET /v3/videos/batches/{id}": videos.get_batch,
            "GET /v3/videos/{id}": videos.get,
            "DELETE /v3/videos/{id}": videos.delete,
            "GET /v3/voices": catalogue.list_voices,
            "POST /v3/voices/speech": keyed(self.files.say),
            "GET /v3/voices/{id}": catalogue.get_voice,
            "GET /v3/avatars/looks": catalogue.list_looks,
            "GET /v3/avatars/looks/{id}": catalogue.get_look,
            "GET /v3/users/me": self._me,
            "POST /v3/assets": self.files.upload,
            "GET /files/looks/{id}.jpg": catalogue.get_picture,
            "GET /files/voices/{id}.wav": Samples(self.state).get,
            "GET /files/{place:path}": self.files.serve,
            "GET /_sandbox/health": self._health,
            "GET /_sandbox/ledger": self._ledger,
            "GET /_sandbox/faults": self._rules,
            "POST /_sandbox/faults": self._add_faults,
            "DELETE /_sandbox/faults": self._clear_faults,
            "POST /_sandbox/clock": self._advance,
            "POST /_sandbox/balance": self._set_balance,
            "POST /_sandbox/owners": self._add_owner,
        }
        routes = self.telegram.routes()
        for name, answer in endpoints.items():
            method, path = name.split()
            routes.append(Route(path, self._admitting(answer), methods=[method]))
        return routes

    def _admitting(self, answer: Callable[[Request], Awaitable[Any]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            self._admit(request)
            reply = await answer(request)
            return reply if isinstance(reply, Response) else JSONResponse(reply)

        return endpoint

    def _admit(self, request: Request) -> None:
        """Ask for the key where HeyGen does; let only this machine steer."""
        room, headers = request.url.path.split("/")[1], request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get("x-api-key") or bearer
        if room == "files":  # a client that sends its key here gives it to a stranger
            self.file_requests_with_key += bool(given)
        elif room == "v3":
            if not hmac.compare_digest(given.encode(), self.api_key.encode()):
                raise Refusal(401, "unauthorized", "The API key is missing or wrong")
        elif request.client is None or request.client.host not in _LOOPBACK:
            raise Refusal(403, "forbidden", "Only from this machine")

    async def _me(self, _request: Request) -> Response:
        name = {"first_name": "Sandbox", "last_name": "User"}
        mail = {"username": self.account, "email": f"{self.account}@example.com"}
        return data({**mail, **name, **self.wallet.view()})

    async def _health(self, _request: Request) -> Any:
        fast = self.state.options.fast
        return {"ok": True, "pid": os.getpid(), "account": self.account, "fast": fast}

    async def _ledger(self, _request: Request) -> Any:
        state = self.state
        return {
            "account": self.account,
            "balance": round(self.wallet.balance, 6),
            "jobs": [job.model_dump(exclude={"body"}) for job in state.jobs.values()],
            "charges": [charge.model_dump() for charge in state.charges.values()],
            "posts": [post.model_dump() for post in state.posts.values()],
            "requests": dict(self.faults.counts),
            "file_requests_with_key": self.file_requests_with_key,
        }

    async def _rules(self, _request: Request) -> Any:
        return [rule.model_dump() for rule in self.faults.rules]

    async def _add_faults(self, request: Request) -> Any:
        body = await request.json()
        try:
            rules = _RULES.validate_python(body if isinstance(body, list) else [body])
        except ValidationError as exc:
            raise invalid("fault", str(exc)) from None
        self.faults.rules += rules
        return await self._rules(request)

    async def _clear_faults(self, _request: Request) -> Any:
        self.faults.rules.clear()
        return []

    async def _advance(self, request: Request) -> Any:
        clock = self.state.clock
        clock.offset_s += float((await request.json())["advance_s"])
        self.state.put(Fact(id="clock_offset_s", value=str(clock.offset_s)))
        return {"now": clock.now()}

    async def _set_balance(self, request: Request) -> Any:
        self.wallet.balance = float((await request.json())["balance"])
        return {"balance": self.wallet.balance}

    async def _add_owner(self, request: Request) -> Any:
        if not self.owners.add(int((await request.json())["pid"])):
            raise Refusal(503, "closing", "The sandbox is about to end")
        return {"ok": True, "pid": os.getpid(), "account": self.account}

    def route_of(self, scope: Scope) -> str:
        """Return what a request is counted as, such as ``GET /v3/videos/{id}``."""
        fits = (r.path for r in self.routes if r.matches(scope)[0] == Match.FULL)
        return f"{scope['method']} {next(fits, 'unknown')}"


def create_app(
    state_dir: Path,
    options: SandboxOptions | None = None,
    *,
    clock: Clock | None = None,
) -> Starlette:
    """Make the application; a later one on the same folder goes on from there."""
    state = State(state_dir, options or SandboxOptions(), clock or Clock())
    sandbox = Sandbox(state)
    state.flush()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sandbox.jobs.resume()
        try:
            yield
        finally:
            await sandbox.jobs.close()
            state.close()

    app = Starlette(
        routes=sandbox.routes,
        middleware=[Middleware(SpoilingMiddleware, sandbox=sandbox)],
        exception_handlers={Refusal: refuse},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app
