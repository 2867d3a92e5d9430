"""Whole renders against a sandbox that is as odd as the live service was seen to be."""

from __future__ import annotations

import asyncio
import hashlib

import av
import pytest
from PIL import Image

import heygen_nb as hg

from ..serving import ODD

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

SCRIPT = "Hello there, said once or twice. " * 8
BLUE = (0x20, 0x60, 0xC0)
LOOKS = {
    "studio": "look_001_2",
    "studio without a list": "look_010_2",
    "photo": "look_002_2",
    "twin": "look_003_2",
}
UNTRAINED, NEVER_CAPTIONED = "look_own_03", "look_010_1"


@pytest.fixture
def no_naps(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.05)))


def corner(video):
    with av.open(str(video.path)) as container:
        return next(container.decode(video=0)).to_image().getpixel((1, 1))


def like(colour, other):
    return all(abs(a - b) < 12 for a, b in zip(colour, other, strict=True))


async def rendered(sandbox, avatar, **config):
    draft = hg.Draft(id="a1b2c3d4", script=SCRIPT, avatar=avatar)
    return await hg.render_video(draft, settings=sandbox.settings(), config=config)


@pytest.mark.parametrize("ratio", ["9:16", "16:9", "1:1"])
@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("background", ["#2060c0", "sea.png"])
async def test_a_background_is_seen_and_paid_once(
    make_sandbox, home, kind, ratio, background
):
    Image.new("RGB", (900, 900), BLUE).save(home / "sea.png")
    sandbox = make_sandbox(**ODD)

    video = await rendered(
        sandbox, LOOKS[kind], background_url=background, aspect_ratio=ratio
    )

    assert like(corner(video), BLUE)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("ratio", ["9:16", "16:9", "1:1"])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("person", ["001", "002", "003"])
async def test_no_look_of_any_shape_gets_bars(make_sandbox, person, number, ratio):
    sandbox = make_sandbox(**ODD)

    video = await rendered(sandbox, f"look_{person}_{number}", aspect_ratio=ratio)

    assert not like(corner(video), (0, 0, 0))


async def test_a_look_that_keeps_its_scene_is_paid_once(make_sandbox):
    sandbox = make_sandbox(**ODD)

    video = await rendered(sandbox, UNTRAINED, background_url="#2060c0")

    assert not like(corner(video), BLUE)
    assert sandbox.requests("POST /v3/videos") == 2
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("captions", ["own", "off", "heygen"])
async def test_the_captioned_film_is_taken_only_where_it_was_asked_for(
    make_sandbox, captions
):
    sandbox = make_sandbox(**ODD)

    video = await rendered(sandbox, LOOKS["twin"], captions=captions)

    [job] = sandbox.ledger()["jobs"]
    film = video.path.with_name("source.mp4")
    film = film if film.exists() else video.path
    digest = hashlib.sha256(film.read_bytes()).hexdigest()
    assert (digest == job["sha256"]) == (captions != "heygen")
    assert len(sandbox.charges()) == 1


async def test_captions_that_never_come_are_told_of(make_sandbox):
    sandbox, seen = make_sandbox(**ODD), []
    draft = hg.Draft(id="a1b2c3d4", script=SCRIPT, avatar=NEVER_CAPTIONED)

    video = await hg.render_video(
        draft, seen.append, settings=sandbox.settings(), config={"captions": "heygen"}
    )

    assert video.status == "completed"
    assert any("no captions" in progress.message for progress in seen)
    assert len(sandbox.charges()) == 1


async def test_many_drafts_on_a_purse_for_three(make_sandbox):
    sandbox = make_sandbox(**ODD, concurrency=100)
    settings = sandbox.settings()
    drafts = [hg.Draft(id=f"draft{n:03}", script=SCRIPT) for n in range(30)]
    first = await hg.render_video(drafts[0], settings=settings)
    price = sandbox.charges()[0]["amount"]
    sandbox.set_balance(2.5 * price)

    await hg.render_batch(drafts[1:], settings=settings)
    assert len(sandbox.charges()) == 3
    sandbox.set_balance(100)
    await hg.resume(settings=settings)

    assert first.status == "completed"
    paid = [charge["ref"] for charge in sandbox.charges()]
    assert len(paid) == len(set(paid)) == 30
