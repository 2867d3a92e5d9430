from __future__ import annotations

import asyncio
import os
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import pytest
from PIL import Image

import heygen_nb as hg
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError, DraftError, PreviewError
from heygen_nb.preview import probe_video, render_scene
from heygen_nb.preview.video import pictures_at
from heygen_nb.renderer.animatic import scene_of
from heygen_nb.renderer.finish import pool

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, this is seen before it is paid.")


async def test_a_preview_lies_in_home_with_its_subtitles_and_picture(home):
    path = await hg.preview_draft(DRAFT, settings=load_settings(environ={}))

    assert path == home / "previews" / "a1b2c3d4.mp4"
    facts = probe_video(path)
    assert (facts.width, facts.height) == (720, 1280)
    assert facts.duration_s > 1
    assert path.with_suffix(".srt").exists()
    assert path.with_suffix(".jpg").exists()


async def test_it_is_rendered_in_another_process():
    assert await asyncio.wrap_future(pool().submit(os.getpid)) != os.getpid()


async def test_the_scene_follows_the_settings(sandbox):
    settings = load_settings(
        environ={},
        aspect_ratio="16:9",
        heygen_background_url="#102030",
        heygen_use_avatar=False,
        captions="off",
    )

    scene = await scene_of(DRAFT, settings, 720)

    assert scene.size == (1280, 720)
    assert scene.background == "#102030"
    assert not scene.use_avatar
    assert not scene.captions


async def test_a_background_on_this_network_is_not_fetched(sandbox):
    picture = f"{sandbox.handle.base_url}/files/looks/look_own_01.jpg"
    settings = load_settings(environ={}, heygen_background_url=picture)

    with pytest.raises(PreviewError):
        await scene_of(DRAFT, settings, 720)


async def test_a_background_that_is_a_file_is_shown(home, tmp_path):
    Image.new("RGB", (90, 160), "#00ff00").save(home / "green.png")
    draft = DRAFT.model_copy(update={"background": "green.png", "script": "One."})
    settings = load_settings(environ={}, heygen_use_avatar=False, captions="off")

    path = await hg.preview_draft(draft, tmp_path / "a.mp4", settings=settings)

    with Image.open(path.with_suffix(".jpg")) as picture:
        red, green, blue = picture.convert("RGB").getpixel((20, 20))
    assert green > max(red, blue) + 20  # darkened, so that captions can be read


async def test_a_background_file_that_is_gone_is_told():
    settings = load_settings(environ={}, heygen_background_url="gone.png")

    with pytest.raises(ConfigError, match=r"gone\.png"):
        await scene_of(DRAFT, settings, 720)


async def test_a_script_without_words_is_refused(tmp_path):
    with pytest.raises(DraftError):
        await hg.preview_draft(hg.Draft(script="🎬"), tmp_path / "a.mp4")


async def test_the_avatar_is_the_one_of_the_account_and_fetched_once(sandbox, home):
    settings = sandbox.settings()

    first = await scene_of(DRAFT, settings, 720)
    requests = sandbox.ledger()["requests"]
    again = await scene_of(DRAFT, settings, 720)

    assert first.avatar_image.read_bytes()[:2] == b"\xff\xd8"
    assert again.avatar_image == first.avatar_image
    assert sandbox.ledger()["requests"] == requests


@pytest.mark.parametrize("fit", ["auto", "cover", "contain"])
async def test_the_animatic_shows_the_crop_that_is_paid(sandbox, tmp_path, fit):
    """A look in portrait on a wide canvas: only ``contain`` leaves bars."""
    settings = sandbox.settings(fit=fit, aspect_ratio="16:9")

    scene = await scene_of(hg.Draft(script="Hello."), settings, 144)
    render_scene(scene, tmp_path / "a.mp4")
    [picture] = pictures_at(tmp_path / "a.mp4", [0.0])

    side = picture.getpixel((2, picture.height // 2))
    assert (max(side) < 20) == (fit == "contain")


async def test_an_avatar_that_cannot_be_had_is_drawn(sandbox):
    sandbox.fault("status", "/v3/avatars/*", status=500, times=None)

    assert (await scene_of(DRAFT, sandbox.settings(), 720)).avatar_image is None


ONE, MUTE = hg.Draft(id="one", script="One."), hg.Draft(id="two", script="🎬")


async def test_many_drafts_are_previewed_side_by_side(home):
    longer = hg.Draft(id="three", script="One two three four five.")
    settings = load_settings(environ={})

    first, second, third = await hg.preview_batch(
        [ONE, MUTE, longer], settings=settings
    )

    assert first == home / "previews" / "one.mp4"
    assert isinstance(second, DraftError)
    assert 0 < probe_video(first).duration_s < probe_video(third).duration_s


async def test_no_drafts_are_no_previews(home):
    assert await hg.preview_batch([], settings=load_settings(environ={})) == []


async def test_any_executor_is_used_and_left_open(home):
    with ThreadPoolExecutor(2) as pool:
        made = await hg.preview_batch(
            [ONE, MUTE, ONE], pool, settings=load_settings(environ={})
        )

        assert pool.submit(int).result() == 0
    assert [isinstance(one, DraftError) for one in made] == [False, True, False]


async def test_a_process_that_dies_is_an_error_of_its_drafts(home):
    class Broken(ThreadPoolExecutor):
        def submit(self, *_work):
            raise BrokenExecutor("It died.")

    settings = load_settings(environ={})

    [made] = await hg.preview_batch([ONE], Broken(1), settings=settings)

    assert isinstance(made, PreviewError)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own, about its dashboard's port
async def test_a_dask_cluster_of_two_processes_renders(home):
    distributed = pytest.importorskip("distributed")
    settings = load_settings(environ={})
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor()

        made = await hg.preview_batch([ONE, MUTE], executor, settings=settings)
        made[0].unlink()
        again = await hg.preview_batch([ONE], client.get_executor(), settings=settings)

    assert isinstance(made[1], DraftError)
    assert again[0].exists()
