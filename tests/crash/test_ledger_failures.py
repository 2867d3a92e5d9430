"""A ledger that is locked, full or gone: a clear error, and no second charge."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import event

import heygen_nb as hg
from heygen_nb.api import render_drafts
from heygen_nb.errors import LedgerError
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import open_account

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5)
DAY = 25 * 3600


def remove_ledger(home):
    for part in home.glob("heygen_nb.db*"):
        part.unlink()


def be_impatient(connection, *_others):
    connection.execute("PRAGMA busy_timeout = 50")


def before(monkeypatch, name, state, step):
    """Do something just before a state is stored."""
    real = getattr(Ledger, name)

    def wrapped(self, *args, **kwargs):
        if kwargs.get("state") == state:
            monkeypatch.setattr(Ledger, name, real)
            step()
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Ledger, name, wrapped)


@pytest.mark.parametrize("later_s", [0, DAY])
async def test_a_ledger_deleted_after_the_reply_is_not_paid_for_twice(
    sandbox, home, monkeypatch, later_s
):
    before(monkeypatch, "record", "submitted", lambda: remove_ledger(home))

    with pytest.raises(LedgerError, match="was removed") as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    [job] = sandbox.ledger()["jobs"]
    assert job["id"] in str(caught.value)
    assert caught.value.charged is True
    sandbox.advance(later_s)
    video = await hg.render_video(DRAFT, settings=sandbox.settings())
    assert video.video_id == job["id"]
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("later_s", [0, DAY])
async def test_finished_videos_of_a_lost_ledger_are_found_by_their_titles(
    sandbox, home, later_s
):
    settings = sandbox.settings()
    first = await hg.render_video(DRAFT, settings=settings)
    remove_ledger(home)
    sandbox.advance(later_s)

    second = await hg.render_video(DRAFT, settings=settings)

    assert second.video_id == first.video_id
    assert second.path.exists()
    assert len(sandbox.charges()) == 1


async def test_the_newest_attempt_of_a_lost_ledger_counts(sandbox, home):
    settings = sandbox.settings()
    await hg.render_video(DRAFT, settings=settings)
    second = await hg.render_video(DRAFT, settings=settings, again=True)
    remove_ledger(home)

    found = await hg.render_video(DRAFT, settings=settings)
    third = await hg.render_video(DRAFT, settings=settings, again=True)

    assert found.video_id == second.video_id
    assert third.video_id not in (found.video_id, second.video_id)
    assert len(sandbox.charges()) == 3


async def test_again_after_a_lost_ledger_is_another_video(sandbox, home):
    settings = sandbox.settings()
    first = await hg.render_video(DRAFT, settings=settings)
    remove_ledger(home)

    second = await hg.render_video(DRAFT, settings=settings, again=True)

    assert second.video_id != first.video_id


async def test_a_failed_attempt_of_a_lost_ledger_is_not_asked_for_again(sandbox, home):
    settings = sandbox.settings()
    sandbox.fault("failed_render", "*")
    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(DRAFT, settings=settings)
    remove_ledger(home)

    video = await hg.render_video(DRAFT, settings=settings)

    assert video.path.exists()
    assert len(sandbox.charges()) == 1


async def test_without_the_listing_the_key_keeps_from_paying_again(sandbox, home):
    settings = sandbox.settings()
    await hg.render_video(DRAFT, settings=settings)
    remove_ledger(home)
    sandbox.fault("status", "/v3/videos", method="GET", status=500, times=None)

    video = await hg.render_video(DRAFT, settings=settings)

    assert video.path.exists()
    assert len(sandbox.charges()) == 1


async def test_a_batch_of_a_lost_ledger_is_found_by_its_titles(sandbox, home):
    drafts = [DRAFT.model_copy(update={"id": f"item{n}"}) for n in range(5)]
    settings = sandbox.settings(max_concurrent_renders=2)
    await hg.render_batch(drafts, settings=settings)
    remove_ledger(home)

    videos = await hg.render_batch(drafts, settings=settings)

    assert [video.status for video in videos] == ["completed"] * 5
    assert len(sandbox.charges()) == 5


async def test_the_listing_is_asked_for_once_in_a_session(sandbox):
    drafts = [DRAFT.model_copy(update={"id": f"item{n}"}) for n in range(5)]

    async with open_account(sandbox.settings()) as account:
        await render_drafts(account, sandbox.settings(), drafts, send=False)

    assert sandbox.requests("GET /v3/videos") == 1


async def test_a_ledger_locked_when_the_reply_comes_keeps_the_video(
    sandbox, home, monkeypatch
):
    file, record = home / "heygen_nb.db", Ledger.record

    def locked(self, *args, **fields):
        if fields.get("state") == "submitted":
            monkeypatch.setattr(Ledger, "record", record)
            event.listen(self.database.engine, "checkout", be_impatient)
            other.execute("BEGIN IMMEDIATE")
        return record(self, *args, **fields)

    with closing(sqlite3.connect(file, check_same_thread=False)) as other:
        monkeypatch.setattr(Ledger, "record", locked)

        with pytest.raises(LedgerError, match="locked") as caught:
            await hg.render_video(DRAFT, settings=sandbox.settings())

        other.rollback()
        # it could not be given back either: the lease runs out
        other.execute("UPDATE renders SET lease_until = 0")
        other.commit()
    assert caught.value.charged is True
    video = await hg.render_video(DRAFT, settings=sandbox.settings())
    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("state", ["submitted", "completed", "downloaded"])
async def test_a_disk_full_at_any_step_is_made_good_for_free(sandbox, home, state):
    settings = sandbox.settings()
    file = home / "heygen_nb.db"
    Ledger(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON renders WHEN NEW.state ="
            f" '{state}' BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

        with pytest.raises(LedgerError, match="disk is full"):
            await hg.render_video(DRAFT, settings=settings)

        other.execute("DROP TRIGGER full")
    [outcome] = await hg.resume(settings=settings)
    assert outcome.status == "completed"
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_a_disk_full_before_the_post_sends_nothing(sandbox, home):
    file = home / "heygen_nb.db"
    Ledger(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON renders WHEN NEW.sends > 0"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

        with pytest.raises(LedgerError, match="Nothing more was sent"):
            await hg.render_video(DRAFT, settings=sandbox.settings())

        other.execute("DROP TRIGGER full")
    assert sandbox.requests("POST /v3/videos") == 0


async def test_a_post_that_cannot_be_stored_is_not_sent(sandbox, home):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)
    with closing(sqlite3.connect(home / "heygen_nb.db")) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON posts WHEN NEW.state = 'sending'"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

        with pytest.raises(LedgerError, match="disk is full"):
            await hg.send_video(video, "caption", settings=settings)

        other.execute("DROP TRIGGER full")
    assert sandbox.ledger()["posts"] == []
    await hg.send_video(video, "caption", settings=settings)
    assert len(sandbox.ledger()["posts"]) == 1
