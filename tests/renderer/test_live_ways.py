"""What the live service did in 2026: refused for seconds, told late, took less."""

from __future__ import annotations

import asyncio
import json

import pytest
from PIL import Image

import heygen_nb as hg
from heygen_nb.errors import PaymentRequiredError, RenderFailedError
from heygen_nb.ledger import Ledger

from ..serving import LOST_CREATE

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once or twice. " * 8)
CREATE = "POST /v3/videos"
POST = {"path": "/v3/videos", "method": "POST"}


@pytest.fixture
def no_naps(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.05)))


def bodies(home):
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        return [json.loads(row.body) for row in ledger.history.page(limit=20)]


async def test_a_refused_young_file_is_asked_for_again_under_the_key(sandbox, home):
    Image.new("RGB", (9, 9)).save(home / "sea.png")
    sandbox.fault("status", **POST, status=400, code="asset_not_found", times=3)

    video = await hg.render_video(
        DRAFT, settings=sandbox.settings(), config={"background_url": "sea.png"}
    )

    assert video.path.exists()
    assert sandbox.requests(CREATE) == 4
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_create_told_not_found_that_was_made_is_paid_once(sandbox, lost):
    sandbox.fault(**LOST_CREATE, times=lost)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_what_stays_not_found_is_refused(sandbox):
    sandbox.fault("status", **POST, status=404, code="resource_not_found", times=None)

    with pytest.raises(hg.HeygenNbError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.code == "resource_not_found"
    assert sandbox.requests(CREATE) == 4
    assert sandbox.charges() == []


async def test_money_missed_at_the_poll_is_an_empty_purse(make_sandbox):
    sandbox = make_sandbox(credit_told="poll")
    settings = sandbox.settings()
    sandbox.set_balance(0)
    with pytest.raises(PaymentRequiredError) as caught:
        await hg.render_video(DRAFT, settings=settings)
    assert caught.value.charged is False
    assert [outcome.status for outcome in await hg.resume(settings=settings)] == [
        "rejected"
    ]
    assert sandbox.charges() == []
    sandbox.set_balance(50)

    [outcome] = await hg.resume(settings=settings)

    assert outcome.status == "completed"
    assert len(sandbox.charges()) == 1
    assert await hg.resume(settings=settings) == []


async def test_a_failed_video_says_what_to_do_about_its_code(sandbox):
    sandbox.fault("failed_render", "*", code="voice_unavailable")

    with pytest.raises(RenderFailedError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert "Choose another voice" in caught.value.hint
    assert caught.value.charged is False
    assert sandbox.charges() == []


async def test_a_look_not_trained_for_matting_keeps_its_background(sandbox, home):
    message = "This avatar does not support background removal; trained for matting"
    sandbox.fault("status", **POST, status=400, message=message, times=1)
    seen = []

    video = await hg.render_video(
        DRAFT,
        seen.append,
        settings=sandbox.settings(),
        config={"background_url": "#102030"},
    )

    assert video.path.exists()
    [body] = bodies(home)
    assert "remove_background" not in body
    assert any("own background" in progress.message for progress in seen)
    assert len(sandbox.charges()) == 1


async def test_an_engine_that_a_look_does_not_take_falls_back_once(sandbox, home):
    message = "This avatar does not support Avatar IV video generation"
    sandbox.fault("status", **POST, status=400, message=message, times=1)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    [body] = bodies(home)
    assert body["engine"]["type"] == "avatar_iii"
    assert len(sandbox.charges()) == 1


async def test_a_wished_engine_is_not_replaced(sandbox):
    message = "This avatar does not support Avatar IV video generation"
    sandbox.fault("status", **POST, status=400, message=message, times=None)

    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(
            DRAFT, settings=sandbox.settings(), config={"engine": "avatar_iv"}
        )

    assert sandbox.requests(CREATE) == 1
