from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from heygen_nb.errors import NotAuthorizedError

pytestmark = pytest.mark.anyio


def refusing(*tokens):
    """Answer who it is to these tokens, 401 to all others."""

    def answer(request):
        if request.headers.get("Authorization", "")[7:] in tokens:
            return httpx.Response(200, json={"data": {"username": "ann"}})
        return httpx.Response(401, json={"error": {"code": "unauthorized"}})

    return answer


async def test_a_session_goes_out_as_bearer_and_never_as_a_key(connect):
    async with connect(refusing("new"), renewed=lambda: SecretStr("new")) as opened:
        client, server = opened
        await client.me()

    assert all("x-api-key" not in r.headers for r in server.requests)
    assert server.requests[-1].headers["authorization"] == "Bearer new"


async def test_a_session_renewed_meanwhile_is_taken_over_once(connect):
    async with connect(refusing("new"), renewed=lambda: SecretStr("new")) as opened:
        client, server = opened
        await client.me()
        await client.me()

    # the first call carried the old token, was refused and went out again
    assert len(server.requests) == 3


async def test_a_paid_call_refused_for_its_session_is_sent_again_once(connect):
    def answer(request):
        if request.headers["Authorization"] == "Bearer new":
            return httpx.Response(200, json={"data": {"video_id": "v1"}})
        return httpx.Response(401, json={"error": {"code": "unauthorized"}})

    async with connect(answer, renewed=lambda: SecretStr("new")) as (client, server):
        created = await client.create_video("{}", idempotency_key="k")

    assert created.video_id == "v1"
    assert [r.headers["idempotency-key"] for r in server.requests] == ["k", "k"]


@pytest.mark.parametrize("kept", [None, "old"])
async def test_an_ended_session_says_which_command_renews_it(connect, key, kept):
    def renewed():
        return SecretStr(key) if kept else None

    async with connect(refusing("other"), renewed=renewed) as (client, server):
        with pytest.raises(NotAuthorizedError, match="heygen auth login") as caught:
            await client.me()

    assert len(server.requests) == 1
    assert caught.value.charged is None  # an earlier send may have been
    assert key not in str(caught.value)
