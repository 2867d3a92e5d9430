"""Odd answers, over MockTransport and over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import traceback
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from heygen_nb import errors
from heygen_nb.heygen import HeyGenClient

pytestmark = pytest.mark.anyio

ME = {"data": {"username": "ann"}}


def refused(status: int, code: str = "x", **headers: str) -> httpx.Response:
    body = {"error": {"code": code, "message": "No."}}
    return httpx.Response(
        status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


PASSING = [
    refused(429),
    refused(500),
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    refused(503, Retry_After="soon"),
    httpx.Response(200, html="<h1>Sign in</h1>"),
    httpx.Response(200, content=b'{"data": {"user'),
    httpx.Response(200),
    httpx.Response(200, json={"error": {"code": "internal_error"}, "data": None}),
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("busy"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("gone"),
]
FINAL = [
    (refused(400), errors.InvalidRequestError),
    (refused(401), errors.NotAuthorizedError),
    (refused(402), errors.PaymentRequiredError),
    (refused(403), errors.ForbiddenError),
    (refused(404), errors.NotFoundError),
    (refused(409), errors.ConflictError),
    (refused(429, "quota_exceeded"), errors.QuotaExceededError),
]


@pytest.mark.parametrize("failure", PASSING, ids=repr)
async def test_a_read_is_repeated_when_the_failure_may_pass(connect, naps, failure):
    async with connect(failure, failure, ME) as (client, server):
        account = await client.me()

    assert account.username == "ann"
    assert len(server.requests) == 3
    assert naps.seconds == [1.0, 2.0]


@pytest.mark.parametrize("failure", PASSING, ids=repr)
async def test_a_read_is_not_repeated_for_ever(connect, naps, failure):
    async with connect(failure) as (client, server):
        with pytest.raises(errors.ApiError):
            await client.get_video("v")

    assert len(server.requests) == 5
    assert naps.seconds == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(("answer", "kind"), FINAL, ids=repr)
async def test_a_refused_read_is_not_repeated(connect, naps, answer, kind):
    async with connect(answer) as (client, server):
        with pytest.raises(kind):
            await client.get_video("v")

    assert len(server.requests) == 1
    assert naps.seconds == []


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("0", 0), ("7", 7), ("1.5", 1.5), ("3600", 30), ("9" * 400, 1), ("-5", 1)],
)
async def test_what_the_server_asks_to_wait_is_heeded_up_to_a_cap(
    connect, naps, asked, waited
):
    async with connect(refused(429, Retry_After=asked), ME) as (client, _):
        await client.me()

    assert naps.seconds == [waited]


async def test_a_date_to_wait_for_is_reckoned_by_the_servers_clock(connect):
    answer = refused(
        429,
        Date="Sun, 22 Nov 2020 10:00:00 GMT",
        Retry_After="Sun, 22 Nov 2020 10:01:30 GMT",
    )

    async with connect(answer, max_retries=0) as (client, _):
        with pytest.raises(errors.RateLimitedError) as caught:
            await client.me()

    assert caught.value.retry_after_s == pytest.approx(90, abs=1)


async def test_waits_are_spread_by_a_quarter(connect, naps):
    async with connect(refused(500), random=lambda: 1.0) as (client, _):
        with pytest.raises(errors.ServerError):
            await client.me()

    assert naps.seconds == [1.25, 2.5, 5.0, 10.0]


@pytest.mark.parametrize(
    "name", ["X-Request-Id", "x-amzn-request-id", "X-Amzn-Trace-Id"]
)
async def test_the_id_for_support_is_kept(connect, name):
    answer = httpx.Response(400, headers={name: "r-77"})

    async with connect(answer) as (client, _):
        with pytest.raises(errors.InvalidRequestError) as caught:
            await client.me()

    assert caught.value.request_id == "r-77"


@pytest.mark.parametrize(
    "failure",
    [
        *PASSING,
        *[answer for answer, _ in FINAL],
        refused(409, "request_in_progress"),
        httpx.Response(307, headers={"Location": "/v3/videos"}),
        httpx.Response(200, json={"data": {"status": "waiting"}}),
        httpx.Response(200, json={"data": {"video_id": "", "status": "waiting"}}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, content=b"[" * 1_000_000),
        httpx.Response(200, content=b"\xff\xfe"),
    ],
    ids=lambda failure: repr(failure)[:60],
)
@pytest.mark.parametrize("create", ["create_video", "create_batch", "create_speech"])
async def test_what_costs_money_is_sent_once(connect, naps, failure, create):
    async with connect(failure) as (client, server):
        with pytest.raises(errors.ApiError) as caught:
            await getattr(client, create)("{}", idempotency_key="k")

    assert len(server.requests) == 1
    assert naps.seconds == []
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_redirect_is_not_followed(connect):
    away = httpx.Response(302, headers={"Location": "https://evil.example/"})

    async with connect(away) as (client, server):
        with pytest.raises(errors.BadReplyError):
            await client.me()

    assert {r.url.host for r in server.requests} == {"api.heygen.com"}


async def test_an_answer_without_end_is_not_read_to_the_end(monkeypatch):
    monkeypatch.setattr("heygen_nb.heygen.transport.MAX_BODY_BYTES", 1_000_000)
    sent = []

    async def endless():
        while True:
            sent.append(1)
            yield b" " * 100_000

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    async with HeyGenClient(
        SecretStr("k"), transport=httpx.MockTransport(answer), max_retries=0
    ) as client:
        with pytest.raises(errors.BadReplyError):
            await client.me()

    assert len(sent) <= 11


# --- over real sockets ---------------------------------------------------------------


class RawServer:
    """A server that answers bytes, or does something worse, and counts requests."""

    def __init__(self, answer: bytes | str) -> None:
        self.answer = answer
        self.requests = 0
        self.trickled = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader, writer) -> None:
        self.tasks.add(asyncio.current_task())
        try:
            await self.answer_one(reader, writer)
        finally:
            writer.close()

    async def answer_one(self, reader, writer) -> None:
        if self.answer == "drop at once":
            writer.transport.abort()
            return
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += head.count(b" HTTP/1.1\r\n")
        if self.answer == "silence":
            await asyncio.sleep(30)
        if self.answer == "trickle":
            writer.write(http("200 OK", length=100))
            while self.trickled < 100:
                writer.write(b" ")
                self.trickled += 1
                await asyncio.sleep(0.01)
        if isinstance(self.answer, bytes):
            writer.write(self.answer)
            await writer.drain()

    async def aclose(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def raw(answer, key="k", **options):
    server = RawServer(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        async with HeyGenClient(
            SecretStr(key), base_url=f"http://127.0.0.1:{port}", **options
        ) as client:
            yield client, server
    finally:
        listener.close()
        await server.aclose()


def http(status: str, body: bytes = b"", *headers: str, length: int | None = None):
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


GOOD = json.dumps({"data": {"video_id": "v1", "status": "waiting"}}).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "reached"),
    [
        ("drop at once", errors.ReplyLostError, 0),
        ("drop after reading", errors.ReplyLostError, 1),
        (b"SSH-2.0-OpenSSH\r\n", errors.ReplyLostError, 1),
        (http("200 OK", GOOD, length=500), errors.ReplyLostError, 1),
        (http("200 OK", GOOD[:20]), errors.BadReplyError, 1),
        (http("200 OK"), errors.BadReplyError, 1),
        (http("204 No Content"), errors.BadReplyError, 1),
        (http("402 No", b"{", length=500), errors.PaymentRequiredError, 1),
        (http("502 Bad", b"<html>", length=500), errors.ServerError, 1),
        (http("200 OK", GOOD, "Content-Encoding: gzip"), errors.ReplyLostError, 1),
        (http("429 Slow", b"", "Retry-After: 3"), errors.RateLimitedError, 1),
    ],
)
async def test_a_create_over_a_bad_connection_is_sent_once(answer, kind, reached):
    async with raw(answer) as (client, server):
        with pytest.raises(kind):
            await client.create_video("{}", idempotency_key="k")

    assert server.requests == reached


async def test_a_zipped_answer_is_read():
    answer = http("200 OK", gzip.compress(GOOD), "Content-Encoding: gzip")

    async with raw(answer) as (client, _):
        created = await client.create_video("{}", idempotency_key="k")

    assert created.video_id == "v1"


async def test_no_proxy_is_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async with raw(http("200 OK", GOOD)) as (client, _):
        created = await client.create_video("{}", idempotency_key="k")

    assert created.video_id == "v1"


async def test_nobody_listening_means_not_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async with HeyGenClient(
        SecretStr("k"), base_url=f"http://127.0.0.1:{port}"
    ) as client:
        with pytest.raises(errors.NotSentError) as caught:
            await client.create_video("{}", idempotency_key="k")

    assert caught.value.charged is False


@pytest.mark.parametrize("answer", ["silence", "trickle"])
async def test_a_server_that_does_not_come_to_an_end_means_lost(monkeypatch, answer):
    monkeypatch.setattr("heygen_nb.heygen.client.WRITE_S", 0.1)

    async with raw(answer) as (client, server):
        with pytest.raises(errors.ReplyLostError) as caught:
            await client.create_video("{}", idempotency_key="k")

    assert server.requests == 1
    assert server.trickled < 100
    assert caught.value.charged is None


async def test_cancelling_a_create_is_not_turned_into_something_else():
    async with raw("silence") as (client, _):
        task = asyncio.create_task(client.create_video("{}", idempotency_key="k"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "answer",
    [
        "drop after reading",
        http("401 No", b'{"error": {"code": "unauthorized", "message": "KEY"}}'),
        http("200 OK", b'{"data": {"video_id": 5, "status": "KEY"}}'),
        http("200 OK", b"<html>KEY"),
        b"KEY KEY\r\n\r\n",
        http("500 No", b"<html>"),
    ],
)
async def test_the_key_is_seen_nowhere(answer, key, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):  # as in a fresh process
        logging.getLogger(name).setLevel(logging.NOTSET)
    echoed = isinstance(answer, bytes) and b"KEY" in answer
    if echoed:
        answer = answer.replace(b"KEY", key.encode())

    async with raw(answer, key, max_retries=1, sleep=_no_sleep) as (client, server):
        shown = [repr(client), repr(vars(client))]
        for call in (client.me(), client.create_video("{}", idempotency_key="k")):
            with pytest.raises(errors.ApiError) as caught:
                await call
            shown += _everything(caught.value, with_locals=not echoed)

    assert server.requests >= 2
    assert key not in "".join(shown) + caplog.text


def _everything(error: Exception, *, with_locals: bool) -> list[str]:
    """Show an error as verbose tracebacks do, without the frame of the test."""
    told = traceback.TracebackException(
        type(error), error, error.__traceback__.tb_next, capture_locals=with_locals
    )
    return [*told.format(), repr(vars(error)), repr(error.__context__)]


async def _no_sleep(_: float) -> None:
    """Wait for nothing."""
