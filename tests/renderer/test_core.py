from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

import heygen_nb as hg
from heygen_nb.clock import Clock, Pace
from heygen_nb.errors import (
    BadReplyError,
    InvalidRequestError,
    NotAuthorizedError,
    OutcomeUnknownError,
    PaymentRequiredError,
    RenderFailedError,
    WaitTimeoutError,
)
from heygen_nb.ledger import NO_CREDIT
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import waited
from heygen_nb.renderer.submit import not_rendered

pytestmark = pytest.mark.anyio

SCRIPT = "Hello there. This sentence is made to be said in three seconds or so. " * 7
DRAFT = hg.Draft(id="a1b2c3d4", script=SCRIPT)


def collector():
    seen = []
    return seen, seen.append


async def test_a_draft_becomes_files_that_open(sandbox):
    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.status == "completed"
    assert video.path.read_bytes()[4:8] == b"ftyp"
    assert video.subtitles.read_text().startswith("1\n")
    assert video.thumbnail.read_bytes()[:2] == b"\xff\xd8"
    assert video.duration_s > 1
    assert video.target_s == 30
    assert len(sandbox.charges()) == 1
    [job] = sandbox.ledger()["jobs"]
    assert hashlib.sha256(video.path.read_bytes()).hexdigest() == job["sha256"]


async def test_the_archive_keeps_what_made_the_video_and_no_secret(sandbox):
    settings = sandbox.settings()

    video = await hg.render_video(DRAFT, settings=settings)

    about = (video.path.parent / "render.json").read_text()
    assert DRAFT.script in about
    assert '"duration": 30' in about
    assert settings.heygen_api_key.get_secret_value() not in about


def hurrying(sandbox, seen):
    """Return a callback that lets an hour pass once HeyGen's state was told."""
    states = ["pending", "processing"]

    def callback(progress):
        seen.append(progress)
        if "Status:" in progress.message and progress.status in states:
            states.remove(progress.status)
            sandbox.advance(3601)

    return callback


async def test_the_log_reads_as_in_the_notes(make_sandbox):
    sandbox = make_sandbox(pending_s=3600, processing_s=3600)
    seen = []

    video = await hg.render_video(
        DRAFT, hurrying(sandbox, seen), settings=sandbox.settings()
    )

    lines = [progress.message for progress in seen]
    assert lines[0] == "🎬 Creating video for script #a1b2c3d4..."
    assert lines[1].startswith("🎤 Voice: ")
    assert lines[2] == "📤 Sending script to the HeyGen API..."
    assert lines[3].startswith("⏳ Status: pending (")
    assert any(line.startswith("🎬 Status: processing (") for line in lines)
    assert lines[-2].startswith("✅ Status: completed (")
    assert lines[-1] == f"✅ Video created! ID: {video.video_id}"


async def test_the_log_is_in_russian_when_asked(sandbox):
    seen, callback = collector()

    await hg.render_video(DRAFT, callback, settings=sandbox.settings(language="ru"))

    lines = [progress.message for progress in seen]
    assert lines[0] == "🎬 Создание видео для сценария #a1b2c3d4..."
    assert lines[2] == "📤 Отправка скрипта в HeyGen API..."
    assert "✅ Статус: completed (прошло 0с)" in lines
    assert lines[-1].startswith("✅ Видео создано! ID: ")


async def test_progress_never_falls_and_is_whole_only_at_the_end(make_sandbox):
    sandbox = make_sandbox(pending_s=3600, processing_s=3600)
    seen = []

    await hg.render_video(DRAFT, hurrying(sandbox, seen), settings=sandbox.settings())

    fractions = [p.fraction for p in seen if p.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(
        (progress.fraction or 0) < 1
        for progress in seen
        if progress.status != "completed"
    )
    assert {p.status for p in seen} == {"pending", "processing", "completed"}


async def test_a_callback_may_be_async(sandbox):
    seen = []

    async def callback(progress):
        await asyncio.sleep(0)
        seen.append(progress.status)

    await hg.render_video(DRAFT, callback, settings=sandbox.settings())

    assert seen[-1] == "completed"


async def test_a_callback_that_raises_is_logged_and_stops_nothing(sandbox, caplog):
    def callback(_progress):
        raise ValueError("my own mistake")

    video = await hg.render_video(DRAFT, callback, settings=sandbox.settings())

    assert video.path.exists()
    assert "my own mistake" in caplog.text


async def test_an_unchanged_draft_is_not_paid_again(sandbox):
    settings = sandbox.settings()
    first = await hg.render_video(DRAFT, settings=settings)
    changed_caption = DRAFT.model_copy(update={"caption": "new words"})

    second = await hg.render_video(changed_caption, settings=settings)

    assert second.video_id == first.video_id
    assert second.path == first.path
    assert len(sandbox.charges()) == 1


async def test_again_pays_for_another_one(sandbox):
    settings = sandbox.settings()
    first = await hg.render_video(DRAFT, settings=settings)

    second = await hg.render_video(DRAFT, settings=settings, again=True)

    assert second.video_id != first.video_id
    assert second.path != first.path
    assert len(sandbox.charges()) == 2


async def test_a_changed_draft_is_a_new_video(sandbox):
    settings = sandbox.settings()
    await hg.render_video(DRAFT, settings=settings)

    await hg.render_video(DRAFT, settings=settings, config={"duration": 45})

    assert len(sandbox.charges()) == 2


async def test_the_same_draft_asked_for_twice_at_once_is_paid_once(sandbox):
    settings = sandbox.settings()

    first, second = await asyncio.gather(
        hg.render_video(DRAFT, settings=settings),
        hg.render_video(DRAFT, settings=settings),
    )

    assert first.video_id == second.video_id
    assert len(sandbox.charges()) == 1


async def test_a_deleted_file_is_fetched_again_for_free(sandbox):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)
    video.path.unlink()

    again = await hg.render_video(DRAFT, settings=settings)

    assert again.path.exists()
    assert len(sandbox.charges()) == 1


async def test_step_by_step_gives_the_same(sandbox):
    settings = sandbox.settings()

    video_id = await hg.create_video(DRAFT, settings=settings)
    waited = await hg.wait_video(video_id, settings=settings)
    video = await hg.download_video(waited, settings=settings)

    assert waited.path is None
    assert waited.video_url
    assert video.path.exists()
    assert video.draft_id == DRAFT.id


async def test_a_finished_video_is_waited_for_without_a_pause(sandbox):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)

    async with asyncio.timeout(60):
        found = await hg.wait_video(
            video.video_id, poll_interval_s=600, settings=later(settings)
        )

    assert found.video_id == video.video_id


def later(settings):
    """The video was submitted long ago by the clock of the ledger."""
    long_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(" ")[:26]
    with sqlite3.connect(settings.home / "heygen_nb.db") as connection:
        connection.execute("UPDATE renders SET submitted_at = ?", [long_ago])
    connection.close()
    return settings


async def test_a_time_out_keeps_the_id_and_waiting_can_go_on(make_sandbox):
    sandbox = make_sandbox(pending_s=600)
    settings = sandbox.settings()
    video_id = await hg.create_video(DRAFT, settings=settings)
    seen, callback = collector()

    with pytest.raises(WaitTimeoutError) as caught:
        await hg.wait_video(video_id, callback, timeout_s=0.01, settings=settings)

    assert caught.value.video_id == video_id
    assert caught.value.exit_code == 4
    assert seen[-1].message == (
        f"⌛ Stopped waiting after 0s. Video {video_id} is not lost: waiting can go on"
    )
    sandbox.advance(700)
    assert (await hg.wait_video(video_id, settings=settings)).status == "completed"


async def test_an_unknown_status_word_keeps_waiting(sandbox):
    sandbox.fault("unknown_status", "/v3/videos/*", method="GET", word="polishing")
    seen, callback = collector()

    video = await hg.render_video(DRAFT, callback, settings=sandbox.settings())

    assert video.status == "completed"
    assert "🔄 Status: polishing (0s elapsed)" in [p.message for p in seen]
    assert "unknown" in [p.status for p in seen]


async def test_a_failed_render_says_why_and_costs_nothing(sandbox):
    sandbox.fault("failed_render", "*", code="no_face")
    seen, callback = collector()

    with pytest.raises(RenderFailedError, match="failed to render") as caught:
        await hg.render_video(DRAFT, callback, settings=sandbox.settings())

    assert caught.value.charged is False
    assert caught.value.code == "no_face"
    assert seen[-1].status == "failed"
    assert "failed to render" in seen[-1].message
    assert sandbox.charges() == []


@pytest.mark.parametrize("code", ["rendering_failed", "deleted", NO_CREDIT])
async def test_a_failure_without_words_shows_no_code(code):
    error = not_rendered("e5f6g7h8", code, None)

    assert code not in f"{error.message} {error.hint}".replace("was deleted", "")
    assert error.code == code
    assert error.hint


async def test_a_deleted_video_ends_the_waiting(make_sandbox):
    sandbox = make_sandbox(pending_s=30)
    settings = sandbox.settings()
    video_id = await hg.create_video(DRAFT, settings=settings)
    sandbox.delete(video_id)
    uptime = itertools.count(step=30.0)
    clock = Clock(uptime=lambda: next(uptime))

    async with open_account(settings, clock=clock) as account:
        with pytest.raises(RenderFailedError, match="deleted"):
            await waited(account, video_id, Pace(0.01, 9000))


async def test_a_video_that_is_not_found_at_first_is_waited_for(sandbox):
    sandbox.fault(
        "status",
        "/v3/videos/*",
        method="GET",
        status=404,
        code="video_not_found",
        times=3,
    )

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 502, "html": True}),
        ("truncated", {}),
        ("html", {}),
        ("empty", {}),
        ("error_in_200", {}),
    ],
)
async def test_a_failed_look_never_is_a_failed_render(sandbox, kind, rule, no_naps):
    settings = sandbox.settings()
    video_id = await hg.create_video(DRAFT, settings=settings)
    sandbox.fault(kind, f"/v3/videos/{video_id}", method="GET", times=2, **rule)

    video = await hg.wait_video(video_id, settings=settings)

    assert video.status == "completed"


@pytest.mark.parametrize("kind", ["truncated", "html", "empty", "error_in_200"])
async def test_an_odd_200_to_a_create_is_never_paid_twice(sandbox, kind, no_naps):
    sandbox.fault(kind, "/v3/videos", method="POST", after=True)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == 1
    assert len(sandbox.charges()) == 1


async def test_half_a_film_that_opens_all_the_same_is_fetched_again(sandbox, no_naps):
    sandbox.fault("truncated", "/files/*.mp4", method="GET", times=2)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    [job] = sandbox.ledger()["jobs"]
    assert hashlib.sha256(video.path.read_bytes()).hexdigest() == job["sha256"]


@pytest.fixture
def no_naps(monkeypatch):
    """Waits between repeats take no time; those between looks a little."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))


async def test_a_wrong_key_is_not_authorised_and_free(sandbox):
    settings = sandbox.settings(heygen_api_key="sk_wrong")

    with pytest.raises(NotAuthorizedError) as caught:
        await hg.render_video(DRAFT, settings=settings)

    assert caught.value.exit_code == 3
    assert caught.value.charged is False
    assert "sk_wrong" not in str(caught.value)


async def test_an_empty_balance_is_told_and_free(sandbox):
    sandbox.set_balance(0)

    with pytest.raises(PaymentRequiredError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.charged is False
    assert sandbox.charges() == []
    sandbox.set_balance(50)
    assert (await hg.render_video(DRAFT, settings=sandbox.settings())).path.exists()
    assert len(sandbox.charges()) == 1


async def test_a_refused_request_is_not_repeated(sandbox):
    sandbox.fault("status", "/v3/videos", method="POST", status=400, times=None)

    with pytest.raises(InvalidRequestError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.charged is False
    assert sandbox.requests("POST /v3/videos") == 1


async def test_what_cannot_be_settled_is_left_to_a_person(sandbox, no_naps):
    sandbox.fault("drop", "/v3/videos", method="POST", times=None)

    with pytest.raises(OutcomeUnknownError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.exit_code == 5
    assert sandbox.charges() == []
    sandbox.clear_faults()
    # HeyGen is well again: the same key is tried once more, which pays once at most
    assert (await hg.render_video(DRAFT, settings=sandbox.settings())).path.exists()
    assert len(sandbox.charges()) == 1


async def test_a_file_that_never_comes_keeps_the_video(sandbox, no_naps):
    sandbox.fault("html", "/files/videos/*", times=None)

    with pytest.raises(hg.HeygenNbError, match="web page") as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.charged is True
    sandbox.clear_faults()
    assert (await hg.render_video(DRAFT, settings=sandbox.settings())).path.exists()
    assert len(sandbox.charges()) == 1
    assert sandbox.ledger()["file_requests_with_key"] == 0


async def test_a_cancelled_render_goes_on_where_it_was(make_sandbox):
    sandbox = make_sandbox(pending_s=0.3)
    settings = sandbox.settings()
    task = asyncio.create_task(hg.render_video(DRAFT, settings=settings))
    while not sandbox.ledger()["jobs"]:  # noqa: ASYNC110 - the server's state
        await asyncio.sleep(0.01)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    video = await hg.render_video(DRAFT, settings=settings)
    assert video.path.exists()
    assert len(sandbox.charges()) == 1


async def test_a_crowd_waits_for_a_place_instead_of_failing(make_sandbox, no_naps):
    sandbox = make_sandbox(concurrency=2, processing_s=0.2)
    drafts = [DRAFT.model_copy(update={"id": f"draft{n}"}) for n in range(6)]
    settings = sandbox.settings()

    videos = await asyncio.gather(
        *(hg.render_video(draft, settings=settings) for draft in drafts)
    )

    assert len({video.video_id for video in videos}) == 6
    assert len(sandbox.charges()) == 6


async def test_every_step_is_in_the_log_file_and_no_secret(sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    settings = sandbox.settings()

    await hg.render_video(DRAFT, settings=settings)
    await hg.send_video(
        await hg.render_video(DRAFT, settings=settings), "c", settings=settings
    )

    text = settings.log_path.read_text("utf-8")
    assert "#a1b2c3d4 🎬 Creating video" in text
    assert "📱 Video sent to Telegram" in text
    for secret in (settings.heygen_api_key, settings.telegram_bot_token):
        assert secret.get_secret_value() not in text
        assert secret.get_secret_value() not in caplog.text


async def test_bad_replies_of_a_reading_do_not_reach_the_paid_call(sandbox, no_naps):
    sandbox.fault("html", "/v3/voices", times=None)

    with pytest.raises(BadReplyError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.charged is False
    assert sandbox.requests("POST /v3/videos") == 0


async def test_a_conflict_nobody_can_read_is_repeated_under_its_key(sandbox, no_naps):
    sandbox.fault(
        "status", "/v3/videos", method="POST", status=409, html=True, after=True
    )

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert sandbox.requests("POST /v3/videos") == 2
    assert len(sandbox.charges()) == 1
