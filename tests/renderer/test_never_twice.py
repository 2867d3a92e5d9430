"""What must not be paid twice, and what must not be lost, each with its charges."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from PIL import Image
from pydantic import SecretStr

import heygen_nb as hg
from heygen_nb.api import render_drafts, take_up
from heygen_nb.clock import Clock
from heygen_nb.errors import (
    ApiError,
    DownloadError,
    NotAuthorizedError,
    OutcomeUnknownError,
    PaymentRequiredError,
)
from heygen_nb.ledger import Ledger
from heygen_nb.models import Draft, Payer
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.order import order

pytestmark = pytest.mark.anyio

SCRIPT = "Hello there, said once or twice. " * 8
DRAFT = hg.Draft(id="a1b2c3d4", script=SCRIPT)
POST = {"path": "/v3/videos", "method": "POST"}
CREATE = "POST /v3/videos"


@pytest.fixture
def no_naps(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))


def rows(home):
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        return ledger.history.page(limit=200)


# One order, one charge


async def test_a_film_is_given_although_a_second_attempt_was_refused(sandbox):
    settings = sandbox.settings()
    first = await hg.render_video(DRAFT, settings=settings)
    sandbox.fault("status", **POST, status=402)
    with pytest.raises(PaymentRequiredError):
        await hg.render_video(DRAFT, settings=settings, again=True)

    plain = await hg.render_video(DRAFT, settings=settings)

    assert plain.video_id == first.video_id
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("how", ["resume", "render"])
async def test_a_lost_render_is_looked_at_again_for_free(sandbox, no_naps, made, how):
    settings = sandbox.settings()
    sandbox.fault("drop", **POST, after=made, times=None)
    sandbox.fault("not_listed", "/v3/videos", method="GET", times=None)
    with pytest.raises(OutcomeUnknownError) as caught:
        await hg.render_video(DRAFT, settings=settings)
    assert caught.value.charged is None
    sandbox.clear_faults()
    sent = sandbox.requests(CREATE)

    if how == "resume":
        [outcome] = await hg.resume(settings=settings)
        assert outcome.status == "completed"
    else:
        assert (await hg.render_video(DRAFT, settings=settings)).path.exists()

    assert sandbox.requests(CREATE) - sent == (0 if made else 1)
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_a_lost_render_with_a_dead_key_is_only_looked_for(sandbox, no_naps):
    settings = sandbox.settings()
    sandbox.fault("drop", **POST, times=None)
    with pytest.raises(OutcomeUnknownError):
        await hg.render_video(DRAFT, settings=settings)
    sandbox.clear_faults()
    sandbox.advance(21 * 3600)
    sent = sandbox.requests(CREATE)

    [outcome] = await hg.resume(settings=settings)

    assert outcome.exit_code == 5
    assert "--adopt" in outcome.error.hint
    assert "--again" in outcome.error.hint
    assert sandbox.requests(CREATE) == sent
    assert sandbox.charges() == []


async def test_a_listing_that_fails_does_not_stop_the_first_create(sandbox, no_naps):
    sandbox.fault("status", "/v3/videos", method="GET", status=500, times=None)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.charges()) == 1


# An empty purse


def crowd(count):
    return [DRAFT.model_copy(update={"id": f"d{n:02}"}) for n in range(count)]


@pytest.mark.parametrize("at_once", [1, 4])
async def test_what_waits_for_money_is_taken_up_after_the_top_up(sandbox, at_once):
    settings = sandbox.settings(max_concurrent_renders=at_once)
    drafts = crowd(4)
    sandbox.set_balance(0)
    async with open_account(settings) as account:
        outcomes = await render_drafts(account, settings, drafts, send=False)
    assert {outcome.error.code for outcome in outcomes} == {"insufficient_credit"}
    assert {outcome.error.charged for outcome in outcomes} == {False}
    assert sandbox.charges() == []
    sandbox.set_balance(100)

    taken_up = await hg.resume(settings=settings)

    assert [outcome.status for outcome in taken_up] == ["completed"] * 4
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 4
    assert await hg.resume(settings=settings) == []


async def test_an_empty_purse_stops_the_queue_at_one_request(sandbox):
    settings = sandbox.settings(max_concurrent_renders=1)
    sandbox.fault("status", **POST, status=402, times=None)
    async with open_account(settings) as account:
        # too few for a batch
        render_ids = [await order(account, d, settings) for d in crowd(3)]

        made = await asyncio.gather(
            *(advance(account, render_id) for render_id in render_ids),
            return_exceptions=True,
        )

    assert {type(error) for error in made} == {PaymentRequiredError}
    assert sandbox.requests(CREATE) == 1


async def test_a_quote_above_the_balance_is_said_before_anything_is_sent(sandbox):
    sandbox.set_balance(0.1)
    seen = []

    def hear(progress):
        seen.append((progress.message, sandbox.requests(CREATE)))

    with pytest.raises(PaymentRequiredError):
        await hg.render_video(DRAFT, hear, settings=sandbox.settings())

    [(line, sent)] = [news for news in seen if "not enough" in news[0]]
    assert "0.10" in line
    assert sent == 0


# A key that changed


async def test_a_new_key_of_the_same_account_goes_on_with_its_renders(sandbox, home):
    sandbox.fault(
        "unknown_status", "/v3/videos/*", method="GET", word="processing", times=None
    )
    video_id = await hg.create_video(DRAFT, settings=sandbox.settings())
    sandbox.clear_faults()
    old = Payer.of_key(
        "heygen", sandbox.handle.base_url, sandbox.handle.api_key
    ).fingerprint
    rename_key(home, old, "the-old-key")

    [outcome] = await hg.resume(settings=sandbox.settings())

    assert outcome.video_id == video_id
    assert outcome.status == "completed"
    assert (await hg.render_video(DRAFT, settings=sandbox.settings())).path.exists()
    assert len(sandbox.charges()) == 1


def rename_key(home, old, new):
    """As if all was done with another key of the same person."""
    with closing(sqlite3.connect(home / "heygen_nb.db")) as connection:
        connection.execute("UPDATE renders SET account = ?", [new])
        connection.execute(
            "UPDATE payers SET fingerprint = ?, account = ? WHERE fingerprint = ?",
            [new, new, old],
        )
        connection.commit()


def signed_in(sandbox, home):
    """The settings of somebody who has just signed in with HeyGen's own tool."""
    token = sandbox.handle.control("session", {})["access_token"]
    file = home / "credentials"
    file.write_text(json.dumps({"oauth": {"access_token": token}}))
    return sandbox.settings().model_copy(
        update={
            "heygen_api_key": None,
            "heygen_session": SecretStr(token),
            "heygen_source": str(file),
        }
    )


async def test_a_session_that_was_renewed_goes_on_with_its_renders(sandbox, home):
    first = await hg.render_video(DRAFT, settings=signed_in(sandbox, home))
    again = await hg.render_video(DRAFT, settings=signed_in(sandbox, home))
    by_key = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert first.video_id == again.video_id == by_key.video_id
    assert [row.currency for row in rows(home)] == ["credits"]
    assert len(sandbox.charges()) == 1


async def test_a_key_that_is_no_longer_good_does_not_tell_of_no_charge(sandbox):
    settings = sandbox.settings()
    await hg.create_video(DRAFT, settings=settings)
    sandbox.fault("status", "/v3/videos/*", method="GET", status=401, times=None)

    async with open_account(settings) as account:
        [outcome] = await take_up(account, settings)

    assert outcome.error.code != ""
    assert outcome.error.charged is None
    with pytest.raises(NotAuthorizedError) as caught:
        await hg.render_video(DRAFT, settings=settings)
    assert caught.value.charged is None


# What a server names


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v3/videos", 503), ("/v3/videos", 429), ("/v3/videos/batches", 429)],
)
async def test_a_wait_of_a_day_is_not_slept(sandbox, path, status):
    sandbox.fault(
        "status", path, method="POST", status=status, retry_after_s=86400, times=None
    )
    naps, seen = [], []

    async def nap(seconds):
        naps.append(seconds)
        await asyncio.sleep(0.001)

    settings = sandbox.settings(max_concurrent_renders=1, wait_timeout_s=1)
    async with open_account(settings, clock=Clock(sleep=nap)) as account:
        drafts = crowd(3 if "batches" in path else 1)
        await render_drafts(
            account, settings, drafts, send=False, progress=lambda _d: seen.append
        )

    assert max(naps) <= 300
    assert sum(nap for nap in naps if nap > 30) <= 1800
    if status == 503 and "batches" not in path:
        assert any("asks to wait" in progress.message for progress in seen)


# Extras


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 404},
        {"kind": "html"},
        {"kind": "empty"},
    ],
)
async def test_a_film_is_complete_without_its_subtitles(sandbox, home, no_naps, fault):
    sandbox.fault(path="/files/videos/*.srt", times=None, **fault)
    seen = []

    video = await hg.render_video(DRAFT, seen.append, settings=sandbox.settings())

    assert video.path.exists()
    assert video.subtitles is None
    assert any(".srt" in progress.message for progress in seen)
    assert not list(home.rglob("*.part"))
    assert [row.state for row in rows(home)] == ["downloaded"]
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("content", ["[]", "{}", "null", "7", "{"])
async def test_an_odd_render_json_in_the_archive_is_no_error(sandbox, content):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)
    video.path.unlink()
    (video.path.parent / "render.json").write_text(content)

    again = await hg.render_video(DRAFT, settings=settings)

    assert again.path.exists()
    assert json.loads((again.path.parent / "render.json").read_text())["video_id"]
    assert len(sandbox.charges()) == 1


# What is told


async def test_the_last_call_carries_the_true_time(make_sandbox):
    sandbox = make_sandbox(processing_s=0.5)
    seen = []

    await hg.render_video(DRAFT, seen.append, settings=sandbox.settings())

    assert seen[-1].status == "completed"
    assert seen[-1].elapsed_s == max(told.elapsed_s for told in seen) > 0


async def test_another_process_at_work_is_told_once(sandbox):
    settings = sandbox.settings(poll_interval_s=0.02)
    video_id = await hg.create_video(DRAFT, settings=settings)
    seen = []
    with Ledger(f"sqlite:///{settings.home / 'heygen_nb.db'}") as ledger:
        [row] = ledger.history.page(limit=1)
        other = ledger.leases
        hold = other.take(type(row), row.id)
        waiting = asyncio.create_task(
            hg.render_video(DRAFT, seen.append, settings=settings)
        )
        await asyncio.sleep(0.5)
        other.release(hold)
        video = await waiting

    assert video.video_id == video_id
    told = [news.message for news in seen if "nother process" in news.message]
    assert len(told) <= 1


@pytest.mark.parametrize(("background", "most"), [("", 6), ("sea.png", 8)])
async def test_a_single_render_with_warm_lists_needs_few_requests(
    sandbox, home, background, most
):
    Image.new("RGB", (64, 64), "navy").save(home / "sea.png")
    settings = sandbox.settings(heygen_background_url=background)
    warm = Draft(script="Good evening. " * 9, background="#102030")
    await hg.render_video(warm, settings=settings)
    before = Counter(sandbox.ledger()["requests"])

    await hg.render_video(DRAFT, settings=settings)

    asked = Counter(sandbox.ledger()["requests"]) - before
    asked["GET /v3/videos/{id}"] = 1  # a busy machine looks more often
    assert asked.total() <= most


# Speech of exact length


@pytest.fixture
def exact(sandbox):
    return sandbox.settings(length_mode="exact", heygen_voice="Oliver")


def spoken(sandbox):
    return [charge for charge in sandbox.charges() if charge["kind"] == "speech"]


async def test_a_sound_whose_asset_is_gone_is_uploaded_again(sandbox, exact, home):
    first = await hg.render_video(DRAFT, settings=exact)
    calls = len(spoken(sandbox))
    lose_assets(home)

    with pytest.raises(ApiError):
        await hg.render_video(DRAFT, settings=exact, again=True)
    video = await hg.render_video(DRAFT, settings=exact, again=True)

    assert video.video_id != first.video_id
    assert len(spoken(sandbox)) == calls


def lose_assets(home):
    with closing(sqlite3.connect(home / "heygen_nb.db")) as connection:
        connection.execute(
            "UPDATE speech SET asset_id = 'asset_long_gone',"
            " created_at = '2026-01-01 00:00:00'"
        )
        connection.commit()


async def test_a_sound_that_could_not_be_fetched_is_not_bought_twice(
    sandbox, exact, no_naps
):
    sandbox.fault("status", "/files/speech/*", status=503, times=None)
    for _try in range(2):
        with pytest.raises(DownloadError, match="speech"):
            await hg.render_video(DRAFT, settings=exact)
    bought = len(spoken(sandbox))
    sandbox.clear_faults()

    assert (await hg.render_video(DRAFT, settings=exact)).path.exists()

    assert bought == 1
    assert len(spoken(sandbox)) <= 3


async def test_sounds_that_nobody_heard_are_not_counted(sandbox, exact, no_naps):
    sandbox.fault("status", "/files/speech/*", status=404, times=None)
    for _try in range(4):
        with pytest.raises(DownloadError):
            await hg.render_video(DRAFT, settings=exact)
    sandbox.clear_faults()

    assert (await hg.render_video(DRAFT, settings=exact)).path.exists()
