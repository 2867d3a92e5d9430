from __future__ import annotations

import asyncio
import csv
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

import heygen_nb as hg
from heygen_nb.api import render_drafts, settings_for
from heygen_nb.ledger import Ledger
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import order
from heygen_nb.reports import export_history, history_lines

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5, caption="Hi")


def age(home, table, hours):
    then = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(" ")[:26]
    with closing(sqlite3.connect(home / "heygen_nb.db")) as connection:
        connection.execute(f"UPDATE {table} SET created_at = ?", [then])
        connection.commit()


async def render_and_fail_to_post(sandbox, **fault):
    sandbox.fault(path="*/sendVideo", **fault)
    async with open_account(sandbox.settings()) as account:
        [outcome] = await render_drafts(account, sandbox.settings(), [DRAFT], send=True)
    sandbox.clear_faults()
    return outcome


async def test_nothing_unfinished_is_nothing_to_do(sandbox):
    await hg.render_video(DRAFT, settings=sandbox.settings())

    assert await hg.resume(settings=sandbox.settings()) == []


async def test_a_post_that_was_refused_is_sent_by_resume_within_a_day(sandbox):
    outcome = await render_and_fail_to_post(sandbox, kind="status", status=400)

    [again] = await hg.resume(settings=sandbox.settings())

    assert outcome.sent is False
    assert again.sent is True
    assert again.post_id == outcome.post_id
    assert len(sandbox.ledger()["posts"]) == 1


async def test_a_lost_answer_of_telegram_is_unsure_and_never_repeated(sandbox):
    outcome = await render_and_fail_to_post(sandbox, kind="drop", after=True)

    [again] = await hg.resume(settings=sandbox.settings())

    assert outcome.sent == again.sent == "unsure"
    assert f"mark-sent {outcome.post_id}" in again.error.hint
    assert len(sandbox.ledger()["posts"]) == 1
    assert sandbox.requests("POST /bot{token}/sendVideo") == 1


async def test_an_old_post_is_listed_and_not_sent(sandbox, home):
    async with open_account(sandbox.settings()) as account:
        chosen = settings_for(DRAFT, sandbox.settings())
        chat_id = sandbox.handle.chat_id
        await order(account, DRAFT, chosen, send_to=chat_id)
    age(home, "renders", 25)

    [outcome] = await hg.resume(settings=sandbox.settings())
    age(home, "posts", 25)
    [again] = await hg.resume(settings=sandbox.settings())

    assert outcome.status == "completed"
    assert outcome.sent is again.sent is False
    assert "older than a day" in outcome.error.message
    assert sandbox.ledger()["posts"] == []
    async with open_account(sandbox.settings()) as account:
        await Posting(sandbox.settings(), account).resend(outcome.post_id)
    assert len(sandbox.ledger()["posts"]) == 1


async def test_the_second_message_of_a_post_is_sent_by_resume(sandbox):
    long = DRAFT.model_copy(update={"caption": "A long sentence of a post. " * 60})
    sandbox.fault("status", "*/sendMessage", status=400)
    async with open_account(sandbox.settings()) as account:
        [outcome] = await render_drafts(account, sandbox.settings(), [long], send=True)
    before = [post["method"] for post in sandbox.ledger()["posts"]]

    [again] = await hg.resume(settings=sandbox.settings())

    assert outcome.sent is False
    assert before == ["sendVideo"]
    assert again.sent is True
    after = [post["method"] for post in sandbox.ledger()["posts"]]
    assert after == ["sendVideo", "sendMessage"]


async def test_deleting_the_video_at_heygen_keeps_what_is_in_the_archive(sandbox):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)
    sandbox.delete(video.video_id)

    again = await hg.render_video(DRAFT, settings=settings)

    assert again.path == video.path
    assert len(sandbox.charges()) == 1


async def test_two_cells_that_send_the_same_video_post_it_once(sandbox):
    settings = sandbox.settings()
    video = await hg.render_video(DRAFT, settings=settings)

    first, second = await asyncio.gather(
        hg.send_video(video, "c", settings=settings),
        hg.send_video(video, "c", settings=settings),
    )

    assert first.id == second.id
    assert len(sandbox.ledger()["posts"]) == 1


async def test_history_tells_every_render_with_the_keys_of_a_render_line(sandbox, home):
    outcome = await render_and_fail_to_post(sandbox, kind="drop", after=True)
    settings = sandbox.settings()
    sandbox.fault("failed_render", "*", code="no_face")
    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(DRAFT, settings=settings, again=True)

    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        failed, posted = history_lines(ledger, settings.videos_path)
        [page] = history_lines(
            ledger, settings.videos_path, before=failed.render_id, limit=1
        )
        by_status = history_lines(ledger, settings.videos_path, status="completed")

    assert failed.status == "failed"
    assert failed.error.code == "no_face"
    assert failed.error.charged is False
    assert posted.sent == "unsure"
    assert posted.post_id == outcome.post_id
    assert posted.path.exists()
    assert page.render_id == posted.render_id
    assert [line.render_id for line in by_status] == [posted.render_id]
    line = json.loads(posted.model_dump_json())
    assert set(json.loads(outcome.model_dump_json())) < set(line)
    times = [line[f"{step}_at"] for step in ("created", "submitted", "downloaded")]
    assert times == sorted(times)


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_an_export_has_every_render(sandbox, home, kind):
    settings = sandbox.settings()
    for number in range(3):
        draft = DRAFT.model_copy(update={"id": f"d{number}"})
        await hg.render_video(draft, settings=settings)
    target = home / f"out.{kind}"

    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        count = export_history(ledger, settings.videos_path, target, kind)

    text = target.read_text("utf-8")
    rows = json.loads(text) if kind == "json" else [*csv.DictReader(text.splitlines())]
    assert count == 3
    assert [row["draft_id"] for row in rows] == ["d2", "d1", "d0"]
    assert all(row["cost"] for row in rows)


async def test_an_export_that_cannot_be_written_says_so_and_leaves_nothing(
    sandbox, home
):
    await hg.render_video(DRAFT, settings=sandbox.settings())

    with (
        Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger,
        pytest.raises(hg.HeygenNbError, match="could not be written"),
    ):
        export_history(ledger, home, home / "missing" / "out.csv", "csv")


async def test_a_formula_in_a_text_stays_a_text_in_the_csv(sandbox, home):
    settings = sandbox.settings()
    sandbox.fault("status", "/v3/videos", method="POST", status=400, code="=1+1")
    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(DRAFT, settings=settings)
    target = home / "out.csv"

    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        export_history(ledger, home, target, "csv")

    assert ",'=1+1," in target.read_text("utf-8")
