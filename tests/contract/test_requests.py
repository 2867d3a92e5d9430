"""Every request the client can send, against what HeyGen takes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import SecretStr

from heygen_nb.errors import BadReplyError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.heygen.wire import (
    AssetSource,
    AvatarVideo,
    Caption,
    ColorBackground,
    Engine,
    ImageBackground,
    ImageScene,
    InlineSource,
    SpeechRequest,
    StudioVideo,
    UrlSource,
    VoiceSettings,
)

pytestmark = pytest.mark.anyio

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
maybe_text = st.none() | text
frame = {
    "title": maybe_text,
    "aspect_ratio": st.sampled_from(["16:9", "9:16", "4:5", "5:4", "1:1"]),
    "resolution": st.sampled_from([None, "720p", "1080p", "4k"]),
    "caption": st.sampled_from([None, Caption(), Caption(style="default")]),
}
voice = {
    "voice_id": maybe_text,
    "voice_settings": st.none() | st.builds(VoiceSettings, speed=st.floats(0.5, 1.5)),
}
spoken = st.one_of(
    *(
        st.fixed_dictionaries({name: text} | voice)
        for name in ("script", "audio_url", "audio_asset_id")
    )
)
sources = st.one_of(
    st.builds(UrlSource, url=text),
    st.builds(AssetSource, asset_id=text),
    st.builds(InlineSource, media_type=text, data=text),
)
backgrounds = st.one_of(
    st.none(),
    st.builds(ColorBackground, value=st.from_regex(r"#[0-9A-Fa-f]{6}", fullmatch=True)),
    st.builds(ImageBackground, url=text),
    st.builds(ImageBackground, asset_id=text),
)
engines = st.none() | st.sampled_from(
    [Engine(type=name) for name in ("avatar_iii", "avatar_iv", "avatar_v")]
)


@st.composite
def avatar_videos(draw) -> AvatarVideo:
    return AvatarVideo(
        avatar_id=draw(text),
        background=draw(backgrounds),
        remove_background=draw(st.sampled_from([None, True, False])),
        fit=draw(st.sampled_from([None, "contain", "cover"])),
        engine=draw(engines),
        **draw(spoken),
        **draw(st.fixed_dictionaries(frame)),
    )


@st.composite
def studio_videos(draw) -> StudioVideo:
    silent = st.fixed_dictionaries({"duration": st.floats(0.1, 300)})
    lengths = draw(st.lists(spoken | silent, min_size=1, max_size=3))
    scenes = tuple(ImageScene(source=draw(sources), **length) for length in lengths)
    return StudioVideo(scenes=scenes, **draw(st.fixed_dictionaries(frame)))


@settings(deadline=None, max_examples=60)
@given(video=avatar_videos() | studio_videos())
def test_every_video_fits_the_contract(contract, video):
    contract["video_create"].check_request(video.to_json())


@settings(deadline=None, max_examples=20)
@given(videos=st.lists(avatar_videos(), min_size=1, max_size=3), title=text)
def test_every_batch_fits_the_contract(contract, videos, title):
    bodies = [json.loads(video.to_json()) for video in videos]
    batch = json.dumps({"title": title, "videos": bodies})

    contract["video_batches_create"].check_request(batch)


@settings(deadline=None, max_examples=20)
@given(
    speech=st.builds(SpeechRequest, text=text, voice_id=text, speed=st.floats(0.5, 2))
)
def test_every_speech_fits_the_contract(contract, speech):
    contract["voice_speech_create"].check_request(speech.to_json())


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
