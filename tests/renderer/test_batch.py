from __future__ import annotations

import asyncio

import pytest

import heygen_nb as hg
from heygen_nb.renderer import batch
from heygen_nb.renderer.account import open_account

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

BATCH = {"path": "/v3/videos/batches", "method": "POST"}


@pytest.fixture
def no_naps(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))


def drafts(count):
    return [
        hg.Draft(id=f"d{n}", script=f"Hello number {n}. " * 5) for n in range(count)
    ]


def small(sandbox, **changes):
    return sandbox.settings(max_concurrent_renders=2, **changes)


async def test_more_drafts_than_go_at_once_are_one_request(make_sandbox):
    sandbox = make_sandbox(concurrency=3, processing_s=0.05)
    seen = []

    videos = await hg.render_batch(drafts(8), seen.append, settings=small(sandbox))

    assert [video.draft_id for video in videos] == [f"d{n}" for n in range(8)]
    assert all(video.path.exists() for video in videos)
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert sandbox.requests("POST /v3/videos") == 0
    assert len(sandbox.charges()) == 8
    assert {p.message.split()[0] for p in seen} == {f"#d{n}" for n in range(8)}


async def test_few_drafts_go_singly(sandbox):
    await hg.render_batch(drafts(2), settings=small(sandbox))

    assert sandbox.requests("POST /v3/videos/batches") == 0
    assert len(sandbox.charges()) == 2


async def test_one_more_than_fits_makes_two_requests(sandbox, monkeypatch):
    monkeypatch.setattr(batch, "MAX_ITEMS", 10)

    videos = await hg.render_batch(drafts(11), settings=small(sandbox))

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos/batches") == 2
    assert len(sandbox.charges()) == 11


@pytest.mark.soak
async def test_101_drafts_are_two_requests(make_sandbox):
    sandbox = make_sandbox(concurrency=200)

    videos = await hg.render_batch(drafts(101), settings=small(sandbox))

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos/batches") == 2
    assert len(sandbox.charges()) == 101


@pytest.mark.parametrize("status", [400, 403, 404, 413])
async def test_an_account_without_batches_renders_singly(sandbox, status):
    sandbox.fault("status", **BATCH, status=status, times=None)

    videos = await hg.render_batch(drafts(4), settings=small(sandbox))

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos") == 4
    assert len(sandbox.charges()) == 4


async def test_backgrounds_only_go_singly(sandbox):
    videos = await hg.render_batch(
        drafts(3),
        settings=small(sandbox, no_avatar="heygen"),
        config={"use_avatar": False},
    )

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos/batches") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("drop", {}),
        ("empty", {}),
        ("html", {}),
        ("status", {"status": 500}),
        ("status", {"status": 504}),
    ],
)
async def test_a_batch_whose_answer_is_lost_is_found_by_its_titles(
    make_sandbox, kind, rule
):
    sandbox = make_sandbox(concurrency=2, processing_s=0.05)
    sandbox.fault(kind, **BATCH, after=True, **rule)

    videos = await hg.render_batch(drafts(5), settings=small(sandbox))

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 5


async def test_a_batch_that_never_turns_up_is_left_to_a_person(sandbox):
    sandbox.fault("drop", **BATCH)
    waiting = asyncio.create_task(hg.render_batch(drafts(3), settings=small(sandbox)))
    while not sandbox.requests("POST /v3/videos/batches"):  # noqa: ASYNC110 - a server
        await asyncio.sleep(0.01)
    sandbox.advance(3700)

    videos = await waiting

    assert [video.status for video in videos] == ["unknown"] * 3
    assert sandbox.requests("POST /v3/videos") == 0
    again = await hg.render_batch(drafts(3), settings=small(sandbox))
    assert [video.status for video in again] == ["unknown"] * 3
    assert sandbox.ledger()["jobs"] == []


async def test_a_dead_key_ends_the_search_for_a_lost_batch(sandbox):
    settings = small(sandbox)
    async with open_account(settings):  # it knows the videos of before
        await hg.render_batch(drafts(1), settings=settings)
        sandbox.fault("drop", **BATCH, after=True)
        sandbox.fault("status", "/v3/videos", method="GET", status=401, times=None)

        lost = await hg.render_batch(drafts(4), settings=settings)

    assert [video.status for video in lost[1:]] == ["unknown"] * 3
    sandbox.clear_faults()
    found = await hg.render_batch(drafts(4), settings=settings)
    assert {video.status for video in found} == {"completed"}
    assert len(sandbox.charges()) == 4


async def test_a_busy_batch_endpoint_is_waited_for(sandbox):
    sandbox.fault("status", **BATCH, status=429, times=2, retry_after_s=0)

    videos = await hg.render_batch(drafts(4), settings=small(sandbox))

    assert {video.status for video in videos} == {"completed"}
    assert len(sandbox.charges()) == 4


@pytest.mark.parametrize(("status", "code"), [(401, 3), (402, 1)])
async def test_a_wrong_key_or_an_empty_balance_stops_all_with_one_request(
    sandbox, status, code
):
    sandbox.fault("status", **BATCH, status=status, times=None)

    videos = await hg.render_batch(drafts(4), settings=small(sandbox))

    assert [video.status for video in videos] == ["failed"] * 4
    assert len({video.failure_message for video in videos}) == 1
    assert sandbox.requests("POST /v3/videos") == 0
    assert sandbox.ledger()["jobs"] == []


async def test_one_bad_item_fails_alone(sandbox):
    wrong = drafts(4)
    wrong[2] = hg.Draft(id="bad", script="   ")
    sandbox.fault("failed_render", "*")

    videos = await hg.render_batch(wrong, settings=small(sandbox))

    failed = [video.draft_id for video in videos if video.status == "failed"]
    assert len(failed) == 2
    assert "bad" in failed
    assert len(sandbox.charges()) == 2


async def test_the_same_draft_twice_in_a_batch_is_paid_once(sandbox):
    twice = [*drafts(3), *drafts(3)]

    videos = await hg.render_batch(twice, settings=small(sandbox))

    assert [v.video_id for v in videos[:3]] == [v.video_id for v in videos[3:]]
    assert len(sandbox.charges()) == 3


@pytest.mark.usefixtures("all_voices")
async def test_calls_side_by_side_share_one_connection_and_one_watcher(make_sandbox):
    sandbox = make_sandbox(processing_s=1.5)
    settings = sandbox.settings(poll_interval_s=0.3)

    await asyncio.gather(
        *(hg.render_video(draft, settings=settings) for draft in drafts(8))
    )

    pages_of_own_and_public_voices = 1 + 12
    assert sandbox.requests("GET /v3/voices") == pages_of_own_and_public_voices
    assert sandbox.requests("GET /v3/videos/statuses") > 0
