"""``/_sandbox/…``: what tests and the launcher steer and read, on loopback only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygen_nb.sandbox.envelope import Refusal, invalid
from heygen_nb.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from heygen_nb.sandbox.app import Sandbox

_LOOPBACK = ("127.0.0.1", "::1")
_RULES: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


class Control:
    """The control endpoints; they need no key and are never spoilt."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the routes."""
        endpoints: tuple[tuple[str, str, Callable[[Request], Awaitable[Any]]], ...] = (
            ("GET", "health", self._health),
            ("GET", "ledger", self._ledger),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._add_faults),
            ("DELETE", "faults", self._clear_faults),
            ("POST", "clock", self._advance),
            ("POST", "balance", self._set_balance),
            ("POST", "owners", self._add_owner),
        )
        return [
            Route(f"/_sandbox/{name}", _local(answer), methods=[method])
            for method, name, answer in endpoints
        ]

    async def _health(self, _request: Request) -> Any:
        return {
            "ok": True,
            "pid": os.getpid(),
            "account": self._sandbox.account,
            "fast": self._sandbox.state.options.fast,
        }

    async def _ledger(self, _request: Request) -> Any:
        return self._sandbox.ledger()

    async def _faults(self, _request: Request) -> Any:
        return [rule.model_dump() for rule in self._sandbox.faults.rules]

    async def _add_faults(self, request: Request) -> Any:
        body = await request.json()
        try:
            rules = _RULES.validate_python(body if isinstance(body, list) else [body])
        except ValidationError as exc:
            raise invalid("fault", str(exc)) from None
        self._sandbox.faults.rules += rules
        return await self._faults(request)

    async def _clear_faults(self, _request: Request) -> Any:
        self._sandbox.faults.rules.clear()
        return []

    async def _advance(self, request: Request) -> Any:
        clock = self._sandbox.state.clock
        clock.offset_s += float((await request.json())["advance_s"])
        self._sandbox.state.set_fact("clock_offset_s", str(clock.offset_s))
        return {"now": clock.now()}

    async def _set_balance(self, request: Request) -> Any:
        self._sandbox.wallet.set_balance(float((await request.json())["balance"]))
        return {"balance": self._sandbox.wallet.balance}

    async def _add_owner(self, request: Request) -> Any:
        if not self._sandbox.owners.add(int((await request.json())["pid"])):
            raise Refusal(503, "closing", "The sandbox is about to end")
        return {"ok": True}


def _local(
    answer: Callable[[Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.client is None or request.client.host not in _LOOPBACK:
            raise Refusal(403, "forbidden", "Only from this machine")
        return JSONResponse(await answer(request))

    return endpoint
