"""``Idempotency-Key``: the first answer is given again for 24 hours."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from heygen_nb.sandbox.envelope import Refusal, invalid
from heygen_nb.sandbox.state import Key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from heygen_nb.sandbox.state import State

_ALLOWED = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
_ACCEPTED = range(200, 300)


class Keys:
    """Remembers answers by route and key; refusals are not remembered."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known = state.load(Key)
        self._in_progress: set[str] = set()

    def route(
        self, create: Callable[[Any, str | None, Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a paid POST.

        ``create`` gets the JSON body and the key. It does not wait between its
        first record and its return, so that job and key are written together.
        """

        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            key = self._key(request)
            if key is None:
                await self._take_time(request)
                return await create(_json(raw), None, request)
            name = f"{request.url.path}|{key}"
            return await self._once(
                name, request, lambda: create(_json(raw), key, request)
            )

        return endpoint

    def _key(self, request: Request) -> str | None:
        key = request.headers.get("idempotency-key")
        if key is not None and not _ALLOWED.fullmatch(key):
            allowed = f"must match ^{_ALLOWED.pattern}$"
            raise invalid("Idempotency-Key", allowed)
        return key if request.url.path in self._state.options.keyed_routes else None

    async def _once(
        self, name: str, request: Request, create: Callable[[], Awaitable[Response]]
    ) -> Response:
        known = self._known.get(name)
        now = self._state.clock.now()
        if known and now - known.created_at < self._state.options.key_life_s:
            return Response(known.body, known.status, media_type="application/json")
        if name in self._in_progress:
            message = "The first request with this key is still in progress"
            raise Refusal(409, "request_in_progress", message)
        self._in_progress.add(name)
        try:
            await self._take_time(request)
            response = await create()
        finally:
            self._in_progress.discard(name)
        if response.status_code in _ACCEPTED:
            body = bytes(response.body).decode()
            status, now = response.status_code, self._state.clock.now()
            self._known[name] = Key(id=name, created_at=now, status=status, body=body)
            self._state.save(self._known[name])
        return response

    @staticmethod
    async def _take_time(request: Request) -> None:
        # Where a scripted "slow" waits: the key is in progress meanwhile.
        await asyncio.sleep(getattr(request.state, "delay_s", 0))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise invalid("body", "is not JSON") from None
