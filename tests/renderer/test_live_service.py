"""What the live service was seen to do, July to October 2026."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from pydantic import SecretStr

import heygen_nb as hg
from heygen_nb.clock import Clock
from heygen_nb.errors import ApiError, ConfigError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.heygen.wire import LookReply
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.order import order, quote_all
from heygen_nb.renderer.request import framing
from heygen_nb.renderer.resolve import choose_engine
from heygen_nb.sandbox.catalogue import looks

pytestmark = pytest.mark.anyio

COLOUR = "#204060"


def draft(**more):
    return hg.Draft(script="Hello there, this is a short script.", **more)


@pytest.fixture
def quick():
    """A clock on which every wait is over at once, and is written down."""
    naps = []

    async def sleep(seconds):
        naps.append(seconds)
        await asyncio.sleep(0)

    time = itertools.count(0.0, 0.001)
    clock = Clock(uptime=lambda: next(time) + sum(naps), sleep=sleep)
    return clock, naps


async def rendered(sandbox, clock, wish, **changes):
    settings = draft_settings(wish, sandbox.settings(**changes))
    told = []
    async with open_account(settings, clock=clock) as account:
        render_id = await order(account, wish, settings, progress=told.append)
        video = await advance(account, render_id, progress=told.append)
        row = account.ledger.render(render_id)
    return video, json.loads(row.body), [progress.message for progress in told]


async def looks_of(sandbox):
    async with HeyGenClient(
        SecretStr(sandbox.handle.api_key), base_url=sandbox.handle.base_url
    ) as client:
        return [look async for look in client.list_looks()]


@pytest.mark.parametrize("kind", ["photo_avatar", "digital_twin", "studio_avatar"])
@pytest.mark.parametrize("background", ["", COLOUR])
async def test_a_background_takes_the_flag_where_it_needs_one(
    make_sandbox, quick, kind, background
):
    sandbox = make_sandbox(matting=True)
    public = [k for k in await looks_of(sandbox) if not k.name.startswith("Me")]
    look = next(look for look in public if look.avatar_type == kind)

    wish = draft(avatar=look.id, background=background or "none")
    _video, body, _told = await rendered(sandbox, quick[0], wish)

    flagged = bool(background) and kind != "studio_avatar"
    assert body.get("remove_background") is (True if flagged else None)
    assert bool(body.get("background")) == bool(background)
    assert len(sandbox.charges()) == 1


async def test_a_look_not_trained_for_it_is_rendered_once_without(make_sandbox, quick):
    sandbox = make_sandbox(matting=True)
    untrained = next(k for k in await looks_of(sandbox) if k.name == "Me, close-up")

    wish = draft(avatar=untrained.id, background=COLOUR)
    video, body, told = await rendered(sandbox, quick[0], wish)

    assert video.path.exists()
    assert "remove_background" not in body
    assert any("keeps its own background" in line for line in told)
    assert sandbox.requests("POST /v3/videos") == 2
    assert len(sandbox.charges()) == 1
    # the changed request still is this draft's: nothing is paid again
    again, _body, _told = await rendered(sandbox, quick[0], wish)
    assert again.video_id == video.video_id
    assert len(sandbox.charges()) == 1


async def test_an_engine_that_is_refused_falls_back_once(make_sandbox, quick):
    sandbox = make_sandbox(look_engines=True)
    silent = next(k for k in await looks_of(sandbox) if not k.supported_api_engines)

    video, body, told = await rendered(sandbox, quick[0], draft(avatar=silent.id))

    assert video.path.exists()
    assert body["engine"] == {"type": "avatar_iii"}
    assert any("avatar_iii" in line for line in told)
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("name", ["Me on stage", "Me with a hat"])
async def test_a_look_that_is_not_ready_is_refused_before_paying(sandbox, quick, name):
    look = next(k for k in await looks_of(sandbox) if k.name == name)

    with pytest.raises(ConfigError, match="cannot be used yet"):
        await rendered(sandbox, quick[0], draft(avatar=look.id))

    assert sandbox.requests("POST /v3/videos") == 0


@pytest.mark.parametrize("status", ["processing", "pending_consent", "gone"])
async def test_a_look_that_changed_since_is_found_out_for_nothing(
    sandbox, quick, monkeypatch, status
):
    known, asked = looks(), "GET /v3/avatars/looks/{id}"
    look = [*known][-1]  # taken out and put back, it is the last one again
    await rendered(sandbox, quick[0], draft(id="first", avatar=look))
    if status == "gone":
        monkeypatch.delitem(known, look)
    else:
        monkeypatch.setitem(known, look, known[look] | {"status": status})

    with pytest.raises(ApiError) as refused:
        await rendered(sandbox, quick[0], draft(id="second", avatar=look))

    assert refused.value.charged is False
    assert sandbox.requests(asked) == 1
    with pytest.raises(ConfigError):
        await rendered(sandbox, quick[0], draft(id="third", avatar=look))
    assert sandbox.requests(asked) == 2
    assert sandbox.requests("POST /v3/videos") == 2
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize(
    ("kind", "shape", "canvas", "fit"),
    [
        ("studio_avatar", "landscape", "16:9", "contain"),
        ("studio_avatar", "landscape", "9:16", "cover"),
        ("studio_avatar", "square", "1:1", "contain"),
        ("photo_avatar", "portrait", "9:16", "cover"),
        ("digital_twin", "landscape", "9:16", "cover"),
        ("studio_avatar", None, "9:16", "cover"),
    ],
)
def test_the_framing_follows_both_shapes(sandbox, kind, shape, canvas, fit):
    look = LookReply(id="l", avatar_type=kind, preferred_orientation=shape)

    assert framing(look, sandbox.settings(aspect_ratio=canvas)) == fit
    chosen = sandbox.settings(aspect_ratio=canvas, fit="contain")
    assert framing(look, chosen) == "contain"


def test_a_shape_that_is_not_told_is_measured():
    look = LookReply(id="l", image_width=1536, image_height=2728)

    assert look.shape == "portrait"
    assert LookReply(id="l").shape == ""


@pytest.mark.parametrize(
    ("engines", "best"),
    [
        (("avatar_iii", "avatar_iv"), "avatar_iv"),
        (("avatar_iii", "avatar_v", "avatar_iv"), "avatar_v"),
        (("avatar_iii",), "avatar_iii"),
        (("avatar_x",), "avatar_x"),
        ((), "avatar_iv"),
    ],
)
def test_auto_takes_the_best_engine_of_the_look(engines, best):
    look = LookReply(id="l", supported_api_engines=engines)

    assert choose_engine(look, "auto") == best


async def test_a_quote_names_the_other_engines_and_no_avatar(sandbox):
    settings = sandbox.settings()
    async with open_account(settings) as account:
        [plan] = await quote_all(account, [draft()], settings)

    others = {quoted.engine: quoted.amount for quoted in plan.others}
    assert set(others) >= {"avatar_iii", "none"}
    assert 0 < others["none"] < others["avatar_iii"] < plan.quote.amount


async def test_4k_that_is_none_is_said_in_the_quote(sandbox):
    settings = sandbox.settings(resolution="4k")
    async with open_account(settings) as account:
        [plan] = await quote_all(account, [draft()], settings)

    assert any("scaled up to 4K" in warning for warning in plan.warnings)
