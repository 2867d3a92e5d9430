"""The client against the stand-in over real HTTP: two rooms that share no types."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from heygen_nb import errors
from heygen_nb.heygen import HeyGenClient
from heygen_nb.heygen.wire import phase
from heygen_nb.sandbox.state import SandboxOptions

from ..serving import CALM, INSTANT, sandbox_in_thread

pytestmark = pytest.mark.anyio

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One for all tests here: each has its own keys and titles."""
    options = SandboxOptions(**INSTANT, **CALM)
    folder = tmp_path_factory.mktemp("sandbox")
    with sandbox_in_thread(folder, options) as live:
        yield live


@asynccontextmanager
async def client_of(sandbox, naps, key=None):
    async with HeyGenClient(
        SecretStr(key or sandbox.handle.api_key),
        base_url=sandbox.handle.base_url,
        sleep=naps,
    ) as client:
        yield client


def ledger(sandbox):
    return sandbox.handle.control("ledger")


async def an_avatar(client, **changes):
    looks = [look async for look in client.list_looks()]
    voices = [v async for v in client.list_voices() if v.language == "English"]
    values = {"avatar_id": looks[0].id, "voice_id": voices[0].voice_id}
    return json.dumps({"type": "avatar", "script": "Hello."} | values | changes)


async def delete(sandbox, video_id):
    async with httpx.AsyncClient(headers={"X-Api-Key": sandbox.handle.api_key}) as page:
        await page.delete(f"{sandbox.handle.base_url}/v3/videos/{video_id}")


async def test_a_video_from_order_to_deletion(sandbox, naps):
    async with client_of(sandbox, naps) as client:
        body = await an_avatar(
            client,
            title="[tok-1] lesson",
            background={"type": "color", "value": "#102030"},
            voice_settings={"speed": 1.1},
        )
        created = await client.create_video(body, idempotency_key="k1")
        again = await client.create_video(body, idempotency_key="k1")
        video = await client.get_video(created.video_id)
        found = [v.id async for v in client.list_videos(title="tok-1")]
        rows = await client.video_statuses([created.video_id, "v_nowhere"])
        await delete(sandbox, created.video_id)
        with pytest.raises(errors.NotFoundError) as caught:
            await client.get_video(created.video_id)

    assert again.video_id == created.video_id
    assert phase(video.status) == "completed"
    assert video.duration_s > 0
    assert video.video_url.startswith("http")
    assert found == [created.video_id]
    assert [row.status for row in rows] == ["completed", "not_found"]
    assert caught.value.code == "video_not_found"
    assert naps.seconds == []


async def test_a_picture_from_an_asset_with_a_narrator(sandbox, naps):
    async with client_of(sandbox, naps) as client:
        asset = await client.upload_asset("bg.png", _PNG, "image/png")
        voices = [voice async for voice in client.list_voices()]
        scene = {"type": "image"}
        scene["source"] = {"type": "asset_id", "asset_id": asset.asset_id}
        said = {"script": "One.", "voice_id": voices[0].voice_id}
        scenes = [scene | said, scene | {"duration": 2}]
        body = {"type": "studio", "scenes": scenes, "aspect_ratio": "9:16"}
        created = await client.create_video(json.dumps(body), idempotency_key="k2")

    assert created.video_id


async def test_a_batch_and_its_items(sandbox, naps):
    async with client_of(sandbox, naps) as client:
        video = await an_avatar(client)
        batch_id = await client.create_batch(
            f'{{"videos":[{video},{video}]}}', idempotency_key="k3"
        )
        batch = await client.get_batch(batch_id)

    assert [item.item_index for item in batch.items] == [0, 1]


async def test_speech_is_measured(sandbox, naps):
    async with client_of(sandbox, naps) as client:
        voices = [v async for v in client.list_voices(engine="starfish")]
        speech = await client.create_speech(
            json.dumps({"text": "One two.", "voice_id": voices[0].voice_id}),
            idempotency_key="k4",
        )

    assert speech.duration_s > 0
    assert [word.word for word in speech.word_timestamps] == ["One", "two."]


async def test_the_account_tries_the_key(sandbox, naps):
    async with client_of(sandbox, naps) as client:
        account = await client.me()
        assert client.server_time() is not None
    async with client_of(sandbox, naps, key="wrong") as stranger:
        with pytest.raises(errors.NotAuthorizedError):
            await stranger.me()

    assert account.username == sandbox.handle.account
    assert account.balance == (pytest.approx(100, abs=20), "usd")


@pytest.mark.parametrize(
    ("kind", "fields", "raised"),
    [
        ("drop", {"after": True}, errors.ReplyLostError),
        ("drop", {"after": False}, errors.ReplyLostError),
        ("cut", {"after": True}, errors.ReplyLostError),
        ("truncated", {"after": True}, errors.BadReplyError),
        ("empty", {"after": True}, errors.BadReplyError),
        ("html", {"after": True}, errors.BadReplyError),
        ("error_in_200", {"after": True}, errors.BadReplyError),
        ("status", {"status": 502, "html": True, "after": True}, errors.ServerError),
        ("status", {"status": 429, "retry_after_s": 2}, errors.RateLimitedError),
        ("status", {"status": 402}, errors.PaymentRequiredError),
    ],
)
async def test_after_any_odd_reply_the_same_key_makes_one_video(
    sandbox, naps, kind, fields, raised
):
    before = ledger(sandbox)
    async with client_of(sandbox, naps) as client:
        text = await an_avatar(client)
        key = f"after-{kind}-{raised.__name__}-{fields.get('after')}"
        sandbox.faults.add(kind, "/v3/videos", method="POST", **fields)
        with pytest.raises(raised):
            await client.create_video(text, idempotency_key=key)
        between = ledger(sandbox)
        await client.create_video(text, idempotency_key=key)

    route = "POST /v3/videos"
    sent = between["requests"][route] - before["requests"].get(route, 0)
    assert sent == 1
    assert len(ledger(sandbox)["jobs"]) - len(before["jobs"]) == 1
    assert naps.seconds == []


async def test_reads_get_through_a_bad_spell(sandbox, naps):
    for kind in ("drop", "html", "truncated", "status"):
        sandbox.faults.add(kind, "/v3/users/me", method="GET")

    async with client_of(sandbox, naps) as client:
        account = await client.me()

    assert account.username == sandbox.handle.account
    assert len(naps.seconds) == 4
