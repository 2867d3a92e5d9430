from __future__ import annotations

import json

import av
import pytest
from PIL import Image, ImageChops, ImageStat

import heygen_nb as hg
from heygen_nb.api import render_drafts
from heygen_nb.finishing import Finding
from heygen_nb.preview.video import pictures_at
from heygen_nb.renderer import finish
from heygen_nb.renderer.account import open_account

pytestmark = pytest.mark.anyio

DRAFTS = [
    hg.Draft(id=f"draft{n}", script=f"Draft number {n} is said in a few seconds. " * 6)
    for n in range(3)
]
WAYS = [
    {"captions": "own", "loudness": -14},
    {"captions": "own", "loudness": -20},
    {"captions": "off", "loudness": 0},
]


def pictures(path):
    with av.open(str(path)) as container:
        return b"".join(bytes(p) for p in container.demux(video=0))


async def test_the_film_as_bought_stays_beside_the_finished_video(sandbox):
    video = await hg.render_video(DRAFTS[0], settings=sandbox.settings(captions="own"))

    source = video.path.with_name("source.mp4")
    assert pictures(source) != pictures(video.path)
    about = json.loads(video.path.with_name("finish.json").read_text())
    assert about == {"captions": True, "loudness": 0}
    assert not list(video.path.parent.glob(".*"))


async def test_finishing_anew_three_times_costs_nothing(sandbox):
    bought = {}
    for way in WAYS:
        settings = sandbox.settings(**way)
        for draft in DRAFTS:
            video = await hg.render_video(draft, settings=settings)
            source = video.path.with_name("source.mp4").read_bytes()
            assert bought.setdefault(draft.id, source) == source
            done = json.loads(video.path.with_name("finish.json").read_text())
            assert done["captions"] == (way["captions"] == "own")

    assert len(sandbox.charges()) == len(DRAFTS)


async def test_a_film_with_heygens_captions_is_taken_as_it_is(sandbox):
    old = sandbox.settings(captions="heygen")  # as all were by the older rule
    before = await hg.render_video(DRAFTS[0], settings=old)
    film = pictures(before.path)

    video = await hg.render_video(DRAFTS[0], settings=sandbox.settings(captions="own"))

    assert video.video_id == before.video_id
    assert pictures(video.path) == film  # two captions would lie over each other
    assert len(sandbox.charges()) == 1


async def test_heygens_captions_are_bought_when_only_the_plain_film_is_there(sandbox):
    await hg.render_video(DRAFTS[0], settings=sandbox.settings(captions="own"))
    await hg.render_video(DRAFTS[0], settings=sandbox.settings(captions="heygen"))

    assert len(sandbox.charges()) == 2


async def test_a_video_is_finished_for_another_canvas(sandbox):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFTS[0], settings=settings)

    square = await hg.finish_video(video, aspect_ratio="1:1", settings=settings)

    with av.open(str(square.path)) as container:
        stream = container.streams.video[0]
        assert stream.width == stream.height
    assert len(sandbox.charges()) == 1


async def test_a_film_that_cannot_be_finished_is_shown_as_bought(sandbox, monkeypatch):
    async def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(finish, "in_other_process", fail)
    seen = []

    video = await hg.render_video(
        DRAFTS[0], seen.append, settings=sandbox.settings(captions="own")
    )

    assert video.path.exists()
    assert any("No space left" in progress.message for progress in seen)


async def test_a_good_video_passes_the_check(sandbox):
    settings = sandbox.settings(captions="own")
    video = await hg.render_video(DRAFTS[0], settings=settings)

    assert await hg.check_video(video, settings=settings) == []


async def test_a_faulty_video_is_posted_by_a_person_only(sandbox, monkeypatch):
    monkeypatch.setattr(finish, "check", lambda *_arguments: [Finding("cut", 3.0)])
    settings = sandbox.settings()

    async with open_account(settings) as account:
        [outcome] = await render_drafts(account, settings, DRAFTS[:1], send=True)

    assert "cut off" in str(outcome.error)
    assert sandbox.ledger()["posts"] == []
    video = await hg.render_video(DRAFTS[0], settings=settings)
    await hg.send_video(video, settings=settings)
    assert len(sandbox.ledger()["posts"]) == 1


async def test_a_label_is_written_into_the_file_and_costs_nothing(sandbox):
    await hg.render_video(DRAFTS[0], settings=sandbox.settings())

    video = await hg.render_video(
        DRAFTS[0], settings=sandbox.settings(ai_label="metadata")
    )

    with av.open(str(video.path)) as container:
        assert "Made with AI" in container.metadata["comment"]
    assert len(sandbox.charges()) == 1


async def test_another_canvas_keeps_the_speaker_in_sight(make_sandbox, home):
    sandbox = make_sandbox(fast=False)
    settings = sandbox.settings(resolution="720p", video_duration=15)
    stripes = Image.new("RGB", (720, 1280))
    for y in range(0, 1280, 80):
        stripes.paste((y // 6, 90, 255 - y // 6), (0, y, 720, y + 80))
    stripes.save(home / "stripes.png")
    changes = {"script": "Here I am.", "background": "stripes.png"}
    draft = DRAFTS[0].model_copy(update=changes)
    video = await hg.render_video(draft, settings=settings)
    [before] = pictures_at(video.path, [0.5])

    video = await hg.finish_video(video, aspect_ratio="16:9", settings=settings)

    [after] = pictures_at(video.path, [0.5])
    height = before.width * 9 // 16
    top = round(before.height * 0.3 - height / 2)
    kept = before.crop((0, top, before.width, top + height)).resize(after.size)
    apart = ImageChops.difference(kept, after).convert("L")
    assert ImageStat.Stat(apart).mean[0] < 6
    assert await hg.check_video(video, settings=settings) == []


CHANGES = [
    {"captions": captions, "loudness": loudness, "ai_label": label}
    for captions, loudness, label in (
        ("own", -14, "off"),
        ("off", -20, "metadata"),
        ("own", 0, "off"),
    )
]
CANVASES = ("1:1", "16:9", "4:5")
STYLES = ("plain", False, True)


@pytest.mark.soak
async def test_fifty_films_are_paid_once_however_they_are_finished(sandbox):
    drafts = [
        hg.Draft(id=f"film{n:04}", script=f"Film {n} is said in seconds. " * 4)
        for n in range(50)
    ]
    for changes in CHANGES:
        settings = sandbox.settings(**changes)
        videos = await hg.render_batch(drafts, settings=settings)
        assert {video.status for video in videos} == {"completed"}
    for canvas, style in zip(CANVASES, STYLES, strict=True):
        for video in videos:
            await hg.finish_video(
                video, captions=style, aspect_ratio=canvas, settings=settings
            )

    assert len(sandbox.charges()) == len(drafts)
