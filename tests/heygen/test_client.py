from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import SecretStr

from heygen_nb.errors import (
    ApiError,
    BadReplyError,
    ConfigError,
    InvalidRequestError,
    ServerError,
)
from heygen_nb.heygen import HeyGenClient

pytestmark = pytest.mark.anyio


async def test_a_create_sends_the_text_byte_for_byte_under_its_key(connect):
    body = '{"title":"Привет  ✓", "b":1,"a":[ ]}'

    async with connect({"data": {"video_id": "v1", "status": "waiting"}}) as (c, hg):
        created = await c.create_video(body, idempotency_key="nb-1:row.2")

    (request,) = hg.requests
    assert request.content == body.encode()
    assert request.headers["idempotency-key"] == "nb-1:row.2"
    assert request.headers["content-type"] == "application/json"
    assert created.video_id == "v1"


async def test_every_request_says_who_asks(connect):
    async with connect({"data": {"username": "ann"}}) as (client, server):
        await client.me()

    headers = server.requests[0].headers
    assert headers["x-heygen-source"] == "heygen-nb"
    assert headers["user-agent"].startswith("heygen-nb/")
    assert headers["x-api-key"].startswith("sk_")


@pytest.mark.parametrize("key", ["", "a b", "ключ", "x" * 256, "a\nb"])
async def test_a_bad_idempotency_key_is_never_sent(connect, key):
    async with connect({}) as (client, server):
        with pytest.raises(ValueError, match="idempotency key"):
            await client.create_video("{}", idempotency_key=key)

    assert server.requests == []


async def test_ids_stay_inside_their_part_of_the_path(connect):
    async with connect({"data": {"id": "x", "status": "failed"}}) as (client, server):
        await client.get_video("../users/me?a=1#b c/ü")

    assert server.requests[0].url.raw_path == (
        b"/v3/videos/..%2Fusers%2Fme%3Fa%3D1%23b%20c%2F%C3%BC"
    )


@pytest.mark.parametrize("video_id", ["", ".", ".."])
async def test_an_id_that_would_name_another_route_is_refused(connect, video_id):
    async with connect({}) as (client, server):
        with pytest.raises(InvalidRequestError):
            await client.get_video(video_id)

    assert server.requests == []


async def test_a_listing_reads_all_its_pages(connect):
    def page(*ids: str, token: str | None):
        videos = [{"id": i, "status": "completed", "new_field": 1} for i in ids]
        return {"data": videos, "has_more": token is not None, "next_token": token}

    pages = page("a", "b", token="t 1"), page(token="t2"), page("c", token=None)
    async with connect(*pages) as (client, server):
        found = [video.id async for video in client.list_videos(title="tök")]

    assert found == ["a", "b", "c"]
    assert [dict(r.url.params) for r in server.requests] == [
        {"title": "tök", "limit": "100"},
        {"title": "tök", "limit": "100", "token": "t 1"},
        {"title": "tök", "limit": "100", "token": "t2"},
    ]


@pytest.mark.parametrize("token", ["again", None, "", 7])
async def test_a_listing_that_never_ends_is_not_taken_for_a_whole_one(connect, token):
    page = {"data": [], "has_more": True, "next_token": token}

    async with connect(page) as (client, server):
        with pytest.raises(BadReplyError):
            [video async for video in client.list_videos()]

    assert len(server.requests) <= 2


async def test_endless_new_tokens_stop_as_well(connect, monkeypatch):
    monkeypatch.setattr("heygen_nb.heygen.client._MAX_PAGES", 5)
    tokens = iter(range(100))

    def page(request: httpx.Request):
        return {"data": [], "has_more": True, "next_token": f"t{next(tokens)}"}

    async with connect(page) as (client, server):
        with pytest.raises(BadReplyError):
            [video async for video in client.list_videos()]

    assert len(server.requests) == 5


async def test_a_batch_is_joined_from_its_pages(connect):
    def page(index: int, token: str | None):
        item = {"item_index": index, "status": "queued", "video_id": None}
        data = {"batch_id": "b", "status": "processing", "total_items": 2}
        data |= {"items": [item], "has_more": bool(token), "next_token": token}
        return {"data": data}

    async with connect(page(0, "t"), page(1, None)) as (client, server):
        batch = await client.get_batch("b")

    assert [item.item_index for item in batch.items] == [0, 1]
    assert batch.items[0].status == "queued"
    assert server.requests[1].url.params["token"] == "t"


@pytest.mark.parametrize("data", [{"batch_id": "b9"}, {"id": "b9", "status": "x"}])
async def test_a_batch_id_is_found_in_both_forms(connect, data):
    async with connect(httpx.Response(202, json={"data": data})) as (client, _):
        assert await client.create_batch("{}", idempotency_key="k") == "b9"


async def test_own_voices_come_first_and_none_comes_twice(connect):
    def voices(request: httpx.Request):
        own = {"voice_id": "own", "name": "Mine", "type": "private"}
        public = {"voice_id": "p", "name": "Ann", "language": "English"}
        private = request.url.params["type"] == "private"
        return {"data": [own] if private else [own, public], "has_more": False}

    async with connect(voices) as (client, server):
        found = [v async for v in client.list_voices(engine="starfish")]

    assert [voice.voice_id for voice in found] == ["own", "p"]
    assert server.requests[0].url.params["engine"] == "starfish"


async def test_one_bad_row_does_not_empty_the_list_of_looks(connect):
    page = {"data": [{"id": "l1"}, {"name": "no id"}, {"id": "l2"}], "has_more": False}

    async with connect(page) as (client, _server):
        looks = [look.id async for look in client.list_looks(ownership="public")]

    assert looks == ["l1", "l2"]


async def test_a_bad_row_among_videos_is_an_error(connect):
    page = {"data": [{"id": "v1", "status": "done"}, {"id": ""}], "has_more": False}

    async with connect(page) as (client, _server):
        with pytest.raises(BadReplyError):
            [video async for video in client.list_videos(title="t")]


@pytest.mark.parametrize(
    ("ownership", "asked"), [(None, ["private", "public"]), ("public", ["public"])]
)
async def test_looks_are_listed_by_owner(connect, ownership, asked):
    page = {"data": [{"id": "l1"}], "has_more": False, "next_token": None}

    async with connect(page) as (client, server):
        looks = [look.id async for look in client.list_looks(ownership=ownership)]

    assert looks == ["l1"] * len(asked)
    assert [r.url.params["ownership"] for r in server.requests] == asked
    assert server.requests[0].url.params["limit"] == "50"


async def test_statuses_of_up_to_a_hundred_ids_are_one_request(connect):
    rows = [{"video_id": "a", "status": "waiting"}, {"status": "not_found"}]

    async with connect({"data": rows}) as (client, server):
        found = await client.video_statuses([f"v{i}" for i in range(100)])

    assert len(server.requests) == 1
    assert server.requests[0].url.params["video_ids"].count(",") == 99
    assert [row.status for row in found] == ["waiting", "not_found"]


async def test_an_asset_goes_up_as_a_form_file(connect):
    data = {"asset_id": "a1", "url": "u", "mime_type": "image/png", "size_bytes": 3}

    async with connect({"data": data}) as (client, server):
        asset = await client.upload_asset("фон.png", b"\x89PN", "image/png")

    (request,) = server.requests
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b'name="file"' in request.content
    assert b"image/png" in request.content
    assert asset.asset_id == "a1"


@pytest.mark.parametrize(
    ("account", "balance"),
    [
        ({"wallet": {"currency": "usd", "remaining_balance": 4.5}}, (4.5, "usd")),
        ({"wallet": {"currency": "credits"}}, None),
        ({"usage_based": {"remaining_credits": 7}}, (7, "credits")),
        (
            {
                "wallet": None,
                "subscription": {
                    "plan": "pro",
                    "credits": {
                        "premium_credits": {"remaining": 3},
                        "add_on_credits": {"remaining": 2},
                    },
                },
            },
            (5, "credits"),
        ),
        ({}, None),
    ],
)
async def test_the_balance_is_found_in_each_block(connect, account, balance):
    async with connect({"data": {"username": "u", **account}}) as (client, _):
        assert (await client.me()).balance == balance


async def test_the_servers_clock_is_kept_from_its_last_answer(connect, monkeypatch):
    answer = httpx.Response(
        200,
        json={"data": {"username": "u"}},
        headers={"Date": "Sun, 22 Nov 2026 10:00:00 GMT"},
    )
    uptime = iter([100.0, 130.0, 190.0])
    monkeypatch.setattr("heygen_nb.heygen.transport.uptime_s", lambda: next(uptime))

    async with connect(answer) as (client, _):
        assert client.server_time() is None
        await client.me()

        assert client.server_time() == datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)
        assert client.server_time() == datetime(2026, 11, 22, 10, 1, 30, tzinfo=UTC)


async def test_a_key_is_not_sent_over_an_unsafe_address():
    with pytest.raises(ConfigError):
        HeyGenClient(SecretStr("k"), base_url="http://api.heygen.com")


@pytest.mark.parametrize("key", ["", "a\nb", "ключ", "a b"])
async def test_a_key_that_cannot_be_one_is_told_without_showing_it(key):
    with pytest.raises(ConfigError) as caught:
        HeyGenClient(SecretStr(key))

    assert not key or key not in str(caught.value)


async def test_a_reply_without_what_is_needed_is_a_bad_reply(connect):
    signed = "https://files.example/a?signature=abc"
    body = {"data": {"status": "completed", "video_url": signed}}

    async with connect(body) as (client, _):
        with pytest.raises(BadReplyError) as caught:
            await client.get_video("v")

    assert "signature" not in repr(caught.value)
    assert caught.value.__context__ is None


async def test_links_are_not_in_the_repr(connect):
    video = {
        "id": "v",
        "status": "completed",
        "duration": 3,
        "video_url": "https://s?k",
    }
    async with connect(json.loads(json.dumps({"data": video}))) as (client, _):
        reply = await client.get_video("v")

    assert "https" not in repr(reply)
    assert (reply.duration_s, reply.status) == (3.0, "completed")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "error", "id", "status", "items", "code", "duration"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(value=json_values, status=st.sampled_from([200, 202, 204, 302, 400, 404, 503]))
def test_whatever_json_comes_only_our_errors_leave(value, status):
    content = json.dumps(value).encode()
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=content))

    async def ask() -> None:
        async with HeyGenClient(
            SecretStr("k"), transport=answer, max_retries=0
        ) as client:
            for call in (
                client.get_video("v"),
                client.get_batch("b"),
                client.video_statuses(["v"]),
                client.me(),
                client.create_speech("{}", idempotency_key="k"),
            ):
                with suppress(ApiError):
                    await call

    asyncio.run(ask())


@pytest.mark.parametrize(
    "date",
    [
        "junk",
        "-1",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "1e99, 0 Jan 0 0:0:0",
    ],
)
async def test_a_date_that_is_none_is_no_clock(connect, date):
    answer = httpx.Response(
        200, headers={"Date": date}, json={"data": {"username": "ann"}}
    )

    async with connect(answer) as (client, _server):
        await client.me()

        assert client.server_time() is None


@pytest.mark.parametrize("asked", ["86400", "Fri, 31 Dec 9998 23:59:59 GMT"])
async def test_a_server_cannot_make_us_wait_for_a_day(connect, asked):
    answer = httpx.Response(503, headers={"Retry-After": asked})

    async with connect(answer) as (client, _server):
        with pytest.raises(ServerError) as caught:
            await client.create_video("{}", idempotency_key="k")

    assert caught.value.retry_after_s == 300
