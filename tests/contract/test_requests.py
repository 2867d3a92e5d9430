"""Every request the client can send, against what HeyGen takes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from heygen_nb.config import Settings
from heygen_nb.errors import BadReplyError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.models import Draft
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.request import make_plan
from heygen_nb.renderer.speech import Audio

pytestmark = pytest.mark.anyio

LINK = "/files/looks/look_own_01.jpg"
STILL = {"heygen_use_avatar": False, "no_avatar": "heygen"}
WISHES = [
    {"heygen_background_url": "#102030", "aspect_ratio": "1:1"},
    {"heygen_background_url": LINK, "captions": "heygen", "aspect_ratio": "16:9"},
    {"heygen_background_url": "sea.png", "resolution": "4k"},
    {"fit": "contain", "resolution": "720p", "heygen_voice": "Clara"},
    {**STILL},
    {**STILL, "heygen_background_url": LINK, "captions": "heygen"},
    {**STILL, "heygen_background_url": "sea.png"},
    {**STILL, "heygen_background_url": "#102030", "aspect_ratio": "4:5"},
]


@pytest.mark.parametrize("wish", WISHES)
async def test_every_request_fits_the_contract(contract, sandbox, home, wish):
    if wish.get("heygen_background_url") == LINK:
        wish = wish | {"heygen_background_url": f"{sandbox.handle.base_url}{LINK}"}
    Image.new("RGB", (9, 9)).save(home / "sea.png")
    sound = Audio(9.0, 1.0, home / "sound.wav")
    spoken = (
        None,
        replace(sound, link="https://x.org/a.wav"),
        replace(sound, asset_id="asset_7"),
    )
    async with open_account(sandbox.settings()) as account:
        for audio in spoken:
            draft = Draft(script="Hello there.")
            plan = await make_plan(account, draft, Settings(**wish))
            plan.audio = audio
            video = {"title": "t", **json.loads(plan.new.body)}
            batch = {"title": "b", "videos": [video, video]}

            contract["video_create"].check_request(json.dumps(video))
            if video["type"] == "avatar":
                contract["video_batches_create"].check_request(json.dumps(batch))


async def drain(pages: Any) -> None:
    [item async for item in pages]


CALLS = {
    "video_create": lambda c: c.create_video("{}", idempotency_key="k"),
    "video_batches_create": lambda c: c.create_batch("{}", idempotency_key="k"),
    "voice_speech_create": lambda c: c.create_speech("{}", idempotency_key="k"),
    "video_get": lambda c: c.get_video("an id/ü"),
    "video_list": lambda c: drain(c.list_videos(title="t")),
    "video_statuses_list": lambda c: c.video_statuses(["a", "b"]),
    "video_batches_get": lambda c: c.get_batch("b"),
    "voice_list": lambda c: drain(c.list_voices(engine="starfish")),
    "voice_get": lambda c: c.get_voice("v"),
    "avatar_looks_list": lambda c: drain(c.list_looks()),
    "avatar_looks_get": lambda c: c.get_look("l"),
    "user_me_get": lambda c: c.me(),
    "asset_get": lambda c: c.get_asset("a"),
    "asset_create": lambda c: c.upload_asset("a.png", b"x", "image/png"),
}


@pytest.mark.parametrize("name", CALLS)
async def test_each_method_asks_for_what_is_declared(contract, name):
    declared = contract[name]
    requests: list[httpx.Request] = []

    def two_pages(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        paging = {"has_more": len(requests) == 1, "next_token": "t/1"}
        inside = name == "video_batches_get"
        data: Any = [] if name.endswith("_list") else {"items": []}
        content = {"data": data | paging} if inside else {"data": data, **paging}
        return httpx.Response(200, json=content)

    async with HeyGenClient(
        SecretStr("k"), transport=httpx.MockTransport(two_pages)
    ) as client:
        with suppress(BadReplyError):  # the answers are empty
            await CALLS[name](client)

    assert requests
    route = re.sub(r"\{\w+\}", "[^/]+", declared.path)
    for request in requests:
        assert request.method == declared.method
        assert re.fullmatch(route, request.url.raw_path.decode().split("?")[0])
        declared.check_query(dict(request.url.params))
