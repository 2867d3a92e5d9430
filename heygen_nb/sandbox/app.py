"""The stand-in's application: HeyGen v3 and Telegram on one port of this machine.

What HeyGen leaves unsaid is decided the way that is harder for a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from heygen_nb.sandbox.batches import Batches
from heygen_nb.sandbox.chat_page import ChatPage
from heygen_nb.sandbox.control import Control
from heygen_nb.sandbox.envelope import Refusal, data, refuse
from heygen_nb.sandbox.faults import Faults
from heygen_nb.sandbox.files import Files
from heygen_nb.sandbox.keys import Keys
from heygen_nb.sandbox.listings import Listings
from heygen_nb.sandbox.options import SandboxOptions
from heygen_nb.sandbox.orders import Planner
from heygen_nb.sandbox.owners import Owners
from heygen_nb.sandbox.spoiling import SpoilingMiddleware
from heygen_nb.sandbox.state import Clock, State
from heygen_nb.sandbox.telegram import Telegram
from heygen_nb.sandbox.videos import Videos
from heygen_nb.sandbox.voiceover import Voiceover
from heygen_nb.sandbox.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Scope

    Endpoint = Callable[[Request], Awaitable[Response]]


class Sandbox:
    """Everything behind the routes; ``app.state.sandbox`` in tests."""

    def __init__(
        self,
        state_dir: Path,
        options: SandboxOptions | None = None,
        *,
        clock: Clock | None = None,
        owners: Owners | None = None,
    ) -> None:
        options = options or SandboxOptions()
        self.state = state = State(state_dir, options, clock or Clock())
        self.owners = owners or Owners()
        self.faults = Faults(list(options.faults))
        self.api_key = options.api_key or state.fact(
            "api_key", lambda: f"sandbox_{secrets.token_hex(16)}"
        )
        self.account = state.fact("account", lambda: f"sandbox-{secrets.token_hex(4)}")
        self.wallet = Wallet(state)
        self.files = Files(state)
        planner = Planner(self.files)
        self.videos = Videos(
            state,
            self.files,
            planner,
            self.wallet,
            doomed=self.faults.doomed,
        )
        self.batches = Batches(state, self.videos, planner, self.wallet)
        self.voiceover = Voiceover(state, self.files, self.wallet)
        self.telegram = Telegram(state)
        self.keys = Keys(state)
        self.routes = self._routes()

    def ledger(self) -> dict[str, Any]:
        """Return what was accepted, charged, asked and posted."""
        return {
            "account": self.account,
            "balance": round(self.wallet.balance, 6),
            "jobs": [
                job.model_dump(exclude={"body"}) for job in self.videos.jobs.values()
            ],
            "charges": [c.model_dump() for c in self.wallet.charges.values()],
            "posts": [p.model_dump() for p in self.telegram.posts.values()],
            "requests": dict(self.faults.counts),
            "file_requests_with_key": self.files.requests_with_key,
        }

    async def me(self, _request: Request) -> Response:
        """Answer ``GET /v3/users/me``."""
        name = {"first_name": "Sandbox", "last_name": "User"}
        mail = {"username": self.account, "email": f"{self.account}@example.com"}
        return data({**mail, **name, **self.wallet.view()})

    def route_of(self, scope: Scope) -> str:
        """Return what a request is counted as, such as ``GET /v3/videos/{id}``."""
        fits = (r.path for r in self.routes if r.matches(scope)[0] == Match.FULL)
        return f"{scope['method']} {next(fits, 'unknown')}"

    def _routes(self) -> list[Route]:
        """Return all routes; those under ``/v3`` need the key."""
        keyed, lists, files = self.keys.route, Listings(), self.files
        api: tuple[tuple[str, str, Endpoint], ...] = (
            ("POST", "/v3/videos", keyed(self.videos.create)),
            ("GET", "/v3/videos", self.videos.list),
            ("GET", "/v3/videos/statuses", self.videos.statuses),
            ("POST", "/v3/videos/batches", keyed(self.batches.create)),
            ("GET", "/v3/videos/batches/{id}", self.batches.get),
            ("GET", "/v3/videos/{id}", self.videos.get),
            ("DELETE", "/v3/videos/{id}", self.videos.delete),
            ("GET", "/v3/voices", lists.voices),
            ("POST", "/v3/voices/speech", keyed(self.voiceover.create)),
            ("GET", "/v3/voices/{id}", lists.voice),
            ("GET", "/v3/avatars", lists.groups),
            ("GET", "/v3/avatars/looks", lists.looks),
            ("GET", "/v3/avatars/looks/{id}", lists.look),
            ("GET", "/v3/users/me", self.me),
            ("POST", "/v3/assets", files.upload),
        )
        chat = ChatPage(self.telegram)
        return [
            *(Route(p, self._guarded(answer), methods=[m]) for m, p, answer in api),
            Route("/files/looks/{id}.jpg", files.picture),
            Route("/files/voices/{id}.wav", files.sample),
            Route("/files/{place:path}", files.serve),
            *(
                Route(f"/bot{{token}}/{m}", self.telegram.route(m), methods=_BOTH)
                for m in self.telegram.methods
            ),
            Route("/bot{token}/{method}", _no_method, methods=_BOTH),
            Route("/chat", chat.page),
            Route("/chat/{id}/{name}", chat.file),
            *Control(self).routes(),
        ]

    def _guarded(self, answer: Endpoint) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            given = request.headers.get("x-api-key") or bearer
            if not hmac.compare_digest(given.encode(), self.api_key.encode()):
                raise Refusal(401, "unauthorized", "The API key is missing or wrong")
            return await answer(request)

        return endpoint


_BOTH = ["GET", "POST"]


async def _no_method(_request: Request) -> Response:
    error = {"ok": False, "error_code": 404, "description": "Not Found"}
    return JSONResponse(error, 404)


def create_app(
    state_dir: Path,
    options: SandboxOptions | None = None,
    *,
    clock: Clock | None = None,
    owners: Owners | None = None,
    on_orphaned: Callable[[], None] | None = None,
) -> Starlette:
    """Make the application.

    Args:
        state_dir: Where it keeps everything; another app on the same folder
            later goes on from there.
        options: See :class:`SandboxOptions`.
        clock: Seconds since the epoch; tests hand in one they move.
        owners: Processes it serves.
        on_orphaned: Called when none of them lives any more.
    """
    sandbox = Sandbox(state_dir, options, clock=clock, owners=owners)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sandbox.videos.resume()
        watch = asyncio.create_task(_watch(sandbox.owners, on_orphaned))
        try:
            yield
        finally:
            watch.cancel()
            await sandbox.videos.close()
            sandbox.state.close()

    app = Starlette(
        routes=sandbox.routes,
        middleware=[Middleware(SpoilingMiddleware, sandbox=sandbox)],
        exception_handlers={Refusal: refuse},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app


async def _watch(owners: Owners, on_orphaned: Callable[[], None] | None) -> None:
    while on_orphaned is not None:
        if owners.gone():
            on_orphaned()
            return
        await asyncio.sleep(1)
