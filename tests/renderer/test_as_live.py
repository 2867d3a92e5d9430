"""Whole renders against a sandbox that is as odd as the live service was seen to be."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import product

import av
import pytest
from PIL import Image

import heygen_nb as hg
from heygen_nb.clock import Clock, uptime_s
from heygen_nb.config import load_settings
from heygen_nb.finishing import check
from heygen_nb.preview import render_scene
from heygen_nb.renderer import draft_settings, effective_settings
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.animatic import scene_of
from heygen_nb.renderer.order import order, quote_all

from ..serving import LOST_CREATE, ODD

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

SCRIPT = "Hello there, said once or twice. " * 8
BLUE = (0x20, 0x60, 0xC0)
LOOKS = {
    "studio": "look_001_2",
    "studio without a list": "look_010_2",
    "photo": "look_002_2",
    "twin": "look_003_2",
}
UNTRAINED, IGNORING, NEVER_CAPTIONED = "look_own_03", "look_own_02", "look_010_1"
RATIOS = ["9:16", "16:9", "1:1"]


@pytest.fixture
def no_naps(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.05)))


def corners(path):
    """Return the corners of a film's first picture, and whether it is wide."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_image()
    places = ((1, 1), (picture.width - 2, 1), (1, picture.height - 2))
    return [picture.getpixel(place) for place in places]


def corner(video):
    return corners(video.path)[0]


def like(colour, other):
    return all(abs(a - b) < 12 for a, b in zip(colour, other, strict=True))


async def rendered(sandbox, avatar, **config):
    draft = hg.Draft(id="a1b2c3d4", script=SCRIPT, avatar=avatar)
    return await hg.render_video(draft, settings=sandbox.settings(), config=config)


@pytest.fixture(scope="module")
def shown():
    """Return the corners of an animatic; it is the same for every look."""
    known = {}

    async def show(home, background, ratio):
        if (background, ratio) not in known:
            draft = hg.Draft(script="Hello.", background=background or "none")
            plain = load_settings(environ={"HEYGEN_NB_HOME": str(home)})
            wish = {"aspect_ratio": ratio, "captions": "off"}
            settings = effective_settings(plain, wish)
            scene = await scene_of(draft, draft_settings(draft, settings), 144)
            film = home / "animatic.mp4"
            render_scene(scene, film)
            known[background, ratio] = corners(film)
        return known[background, ratio]

    return show


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("studio", marks=pytest.mark.soak),
        "photo",
        pytest.param("twin", marks=pytest.mark.soak),  # matted like a photo
        pytest.param("studio without a list", marks=pytest.mark.soak),
    ],
)
async def test_the_film_shows_what_the_animatic_showed(make_sandbox, home, kind, shown):
    """Every background on every canvas, without bars, and paid once."""
    Image.new("RGB", (900, 900), BLUE).save(home / "sea.png")
    sandbox = make_sandbox(**ODD)
    settings = sandbox.settings()
    wishes = [(b, ratio) for b in ("", "#2060c0", "sea.png") for ratio in RATIOS]

    for number, (background, ratio) in enumerate(wishes):
        fields = {"avatar": LOOKS[kind], "background": background or "none"}
        draft = hg.Draft(id=f"d{number}", script=SCRIPT, **fields)
        video = await hg.render_video(
            draft, settings=settings, config={"aspect_ratio": ratio}
        )
        wanted = await shown(home, background, ratio)
        pairs = zip(corners(video.path), wanted, strict=True)
        assert all(like(*pair) for pair in pairs), (background, ratio)
        assert not background or like(corner(video), BLUE)

    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == len(wishes)


# every pair of two of them once; the other two thirds are for soak
SHAPES = [
    pytest.param(
        *(person, number, RATIOS[shape]),
        marks=pytest.mark.soak if (person + number + shape) % 3 else (),
    )
    for person, number, shape in product((1, 2, 3), (1, 2, 3), range(3))
]


@pytest.mark.parametrize(("person", "number", "ratio"), SHAPES)
async def test_no_look_of_any_shape_gets_bars(make_sandbox, person, number, ratio):
    sandbox = make_sandbox(**ODD)

    video = await rendered(sandbox, f"look_00{person}_{number}", aspect_ratio=ratio)

    assert not like(corner(video), (0, 0, 0))


async def test_a_look_that_keeps_its_scene_is_paid_once(make_sandbox, monkeypatch):
    sandbox = make_sandbox(**ODD)
    monkeypatch.setattr(check, "_LEAST_PX", 100)  # quick films are small

    video = await rendered(sandbox, UNTRAINED, background_url="#2060c0")

    assert not like(corner(video), BLUE)
    assert sandbox.requests("POST /v3/videos") == 2
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1
    assert "its own background before" in await quoted(sandbox, UNTRAINED)
    assert "background" not in await quoted(sandbox, LOOKS["twin"])
    found = await hg.check_video(video, settings=sandbox.settings())
    assert "background" in [finding.kind for finding in found]


async def quoted(sandbox, avatar):
    """Return the warnings of a quote for another draft with that look."""
    settings = sandbox.settings()
    draft = hg.Draft(id="another", script=SCRIPT, avatar=avatar, background="#2060c0")
    async with open_account(settings) as account:
        [plan] = await quote_all(account, [draft], settings)
    return " ".join(plan.warnings)


async def test_a_look_that_ignored_a_background_is_remembered_from_the_check(
    make_sandbox, monkeypatch
):
    sandbox = make_sandbox(**ODD)
    monkeypatch.setattr(check, "_LEAST_PX", 100)  # quick films are small
    video = await rendered(sandbox, IGNORING, background_url="#2060c0")
    assert "background" not in await quoted(sandbox, IGNORING)

    found = await hg.check_video(video, settings=sandbox.settings())

    assert "background" in [finding.kind for finding in found]
    assert "its own background before" in await quoted(sandbox, IGNORING)


CAPTIONED = {
    "there": (LOOKS["twin"], 0.0),
    "late": (LOOKS["twin"], 0.3),
    "never": (NEVER_CAPTIONED, 0.0),
}
# not asked for, it may only be taken where it comes
CAPTIONS = [
    pytest.param(
        *(avatar, after_s, captions),
        id=f"{name}-{captions}",
        marks=pytest.mark.soak if captions == "off" and name != "late" else (),
    )
    for name, (avatar, after_s) in CAPTIONED.items()
    for captions in ("own", "off", "heygen")
]


@pytest.mark.parametrize(("avatar", "after_s", "captions"), CAPTIONS)
async def test_the_captioned_film_is_taken_only_where_it_was_asked_for(
    make_sandbox, captions, avatar, after_s
):
    sandbox = make_sandbox(**{**ODD, "captions_s": after_s})

    video = await rendered(sandbox, avatar, captions=captions)

    [job] = sandbox.ledger()["jobs"]
    film = video.path.with_name("source.mp4")
    film = film if film.exists() else video.path
    digest = hashlib.sha256(film.read_bytes()).hexdigest()
    plain = captions != "heygen" or avatar == NEVER_CAPTIONED or not after_s
    assert (digest == job["sha256"]) == plain  # made at once they are one file
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


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("create", 20),
        pytest.param("poll", 20, marks=pytest.mark.soak),
        pytest.param("poll", 100, marks=pytest.mark.soak),
    ],
)
async def test_a_hundred_drafts_on_a_purse_for_three(make_sandbox, told, count):
    """More than go singly, so as items of a batch; one wish, one film, one bill."""
    sandbox = make_sandbox(**{**ODD, "credit_told": told}, concurrency=100)
    settings = sandbox.settings()
    drafts = [hg.Draft(id=f"draft{n:03}", script=SCRIPT) for n in range(count + 1)]
    await hg.render_video(drafts.pop(), settings=settings)
    price = sandbox.charges()[0]["amount"]
    sandbox.set_balance(3.5 * price)

    videos = await hg.render_batch(drafts, settings=settings)

    made = [video for video in videos if video.path]
    said = {video.failure_message for video in videos if not video.path}
    assert len(made) == len(sandbox.charges()) - 1 == (3 if told == "poll" else 0)
    assert len(said) == 1
    assert "balance" in said.pop()
    sandbox.set_balance(200)
    later = await hg.resume(settings=settings)
    assert len([outcome for outcome in later if outcome.path]) == count - len(made)
    paid = [charge["ref"] for charge in sandbox.charges()]
    assert len(paid) == len(set(paid)) == count + 1


def hurrying(sandbox):
    """Return a clock whose waits pass at once, for the sandbox as well."""
    passed = [0.0]

    async def sleep(seconds):
        passed.append(seconds)
        await asyncio.to_thread(sandbox.advance, seconds)

    return Clock(uptime=lambda: uptime_s() + sum(passed), sleep=sleep)


@pytest.mark.parametrize(
    "odd", [{"asset_s": 20}, {"asset_s": 45}, {"early_404_s": 60}, {}], ids=str
)
async def test_what_appears_late_is_one_job_and_one_film(make_sandbox, home, odd):
    Image.new("RGB", (90, 90), BLUE).save(home / "sea.png")
    sandbox = make_sandbox(**odd)
    if not odd:
        sandbox.fault(**LOST_CREATE)
    draft = hg.Draft(id="a1b2c3d4", script=SCRIPT, background="sea.png")
    settings = sandbox.settings()

    async with open_account(settings, clock=hurrying(sandbox)) as account:
        render_id = await order(account, draft, draft_settings(draft, settings))
        video = await advance(account, render_id)

    assert like(corner(video), BLUE)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize(("voice", "heeds"), [("voice_en_001", 1), ("voice_en_006", 0)])
async def test_a_pause_that_a_voice_does_not_heed_is_told_first(
    make_sandbox, voice, heeds
):
    sandbox = make_sandbox(**ODD)
    settings = sandbox.settings(heygen_voice=voice)
    draft = hg.Draft(script=f'One.<break time="2s"/>Two. {SCRIPT}')

    async with open_account(settings) as account:
        [plan] = await quote_all(account, [draft], settings)

    assert ["does not heed" in line for line in plan.warnings].count(True) == 1 - heeds
    assert sandbox.charges() == []
