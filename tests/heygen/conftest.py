from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

from heygen_nb.heygen import HeyGenClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KEY = "sk_very_secret_key_0123456789"


@pytest.fixture
def key() -> str:
    return KEY


class Naps:
    """A sleep that only writes down how long it was asked for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class FakeHeyGen:
    """Answers with what it was given, the last one for ever; keeps the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            return httpx.Response(200, json=answer)
        # a fresh copy: the same answer may be asked for again
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=answer.content
        )


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def connect(naps: Naps) -> Callable[..., Any]:
    """Return ``connect(*answers)``, which gives a client and what it talks to."""

    @asynccontextmanager
    async def _connect(
        *answers: Any, **options: Any
    ) -> AsyncIterator[tuple[HeyGenClient, FakeHeyGen]]:
        server = FakeHeyGen(*answers)
        options = {"sleep": naps, "random": lambda: 0.5} | options
        async with HeyGenClient(
            SecretStr(KEY), transport=httpx.MockTransport(server), **options
        ) as client:
            yield client, server

    return _connect
