from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from heygen_nb.cli.live import live_report
from heygen_nb.heygen import HeyGenClient

pytestmark = pytest.mark.anyio


async def report_of(client):
    return [line async for line in live_report(client)]


async def test_the_sandbox_is_as_we_read_the_service(sandbox):
    async with HeyGenClient(
        SecretStr(sandbox.handle.api_key), base_url=sandbox.handle.base_url
    ) as client:
        lines = await report_of(client)

    assert [text for well, text in lines if not well] == []
    assert len(lines) > 15
    posted = [r for r in sandbox.ledger()["requests"] if not r.startswith("GET ")]
    assert posted == []
    assert sandbox.charges() == []


async def test_what_differs_is_told_and_nothing_private():
    def odd(request):
        path, query = request.url.path, request.url.params
        if path.endswith("/users/me"):
            data = {"username": "ann", "wallet": {"remaining_balance": 5}}
            return httpx.Response(200, json={"data": data})
        if path == "/v3/videos":
            rows = [{"id": "secret-id", "status": "dreaming", "failure_code": "NEW_1"}]
            return httpx.Response(200, json={"data": rows, "has_more": False})
        if path.endswith("/looks"):
            look = {"id": "l", "avatar_type": "hologram", "status": "asleep"}
            rows = [look] if query["ownership"] == "public" else []
            return httpx.Response(200, json={"data": rows, "has_more": False})
        return httpx.Response(404, json={"error": {"code": "gone"}})

    async with HeyGenClient(
        SecretStr("k" * 20), transport=httpx.MockTransport(odd)
    ) as client:
        lines = await report_of(client)

    differs = [text for well, text in lines if not well]
    for part in ("title filter: ignored", "dreaming", "NEW_1", "hologram", "asleep"):
        assert any(part in text for text in differs), part
    assert any("unknown video: gone" in text for text in differs)
    assert not any("secret-id" in text or "ann" in text.split() for _w, text in lines)


def test_doctor_live_prints_what_differs_and_pays_nothing(run, sandbox):
    ran = run("doctor", "--live", **sandbox.environ())

    assert ran.code == 0
    assert "purse: usd" in ran.out
    assert "0 differences" in ran.out
    assert sandbox.charges() == []
