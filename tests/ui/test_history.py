from __future__ import annotations

import asyncio
import csv

import httpx
import pytest

from heygen_nb.models import Draft
from heygen_nb.ui.history import ROWS, HistoryPanel

pytestmark = pytest.mark.anyio


def draft(number):
    return Draft(id=f"d{number:02}", title=f"Tip {number}", script=f"Tip {number}.")


@pytest.fixture
async def panel(desk):
    panel = HistoryPanel(desk)
    await panel.idle()
    yield panel
    panel.close()


async def render(desk, *drafts):
    for one in drafts:
        await desk.render(one).task


async def click(panel, work):
    panel.spawn(work)
    await panel.idle()


def rows(panel):
    return [r._html.value for r in panel._rows if "hg-off" not in r._dom_classes]


def offered(panel):
    buttons = (
        panel._send_it,
        panel._send_again,
        panel._is_there,
        panel._not_there,
        panel._adopt_it,
        panel._pay,
    )
    return {b.description for b in buttons if "hg-off" not in b._dom_classes}


async def test_an_empty_history_says_so(panel):
    assert "Nothing was rendered yet." in panel._empty.value
    assert rows(panel) == []


async def test_renders_are_paged_newest_first_with_their_pictures(panel, desk):
    await render(desk, *(draft(number) for number in range(ROWS + 2)))
    await click(panel, panel._first)
    assert f"Tip {ROWS + 1}" in rows(panel)[0]
    assert "data:image/jpeg;base64," in rows(panel)[0]
    assert panel._newer.disabled

    await click(panel, panel._on)
    assert ["Tip 1<" in rows(panel)[0], "Tip 0<" in rows(panel)[1]] == [True, True]
    assert panel._older.disabled

    await click(panel, panel._back)
    assert len(rows(panel)) == ROWS


async def test_the_list_can_be_filtered_by_status(panel, desk, sandbox):
    sandbox.fault("status", "/v3/videos", method="POST", status=400, times=1)
    await render(desk, draft(1), draft(2))

    panel.d_status.value = "rejected"
    await panel.idle()

    assert len(rows(panel)) == 1
    assert "Tip 1" in rows(panel)[0]
    assert "refused, not charged" in rows(panel)[0]


async def test_a_video_is_played_and_sent_again_only_when_asked(
    panel, desk, sandbox, until
):
    await render(desk, draft(1))
    await click(panel, panel._first)
    panel._rows[0]._button.click()
    await panel.idle()
    assert panel._player._screen.outputs
    assert offered(panel) == {"📱 Send to Telegram"}

    panel._send_it.click()
    await panel.idle()
    assert offered(panel) == {"📱 Send again"}
    panel._send_again.click()
    await until(lambda: panel._question)
    panel._question._yes.click()
    await panel.idle()

    assert len(sandbox.ledger()["posts"]) == 2


async def test_an_unsure_post_is_settled_by_a_person(panel, desk, sandbox):
    sandbox.fault("drop", "/bot*/sendVideo", after=True, times=1)
    await render(desk, draft(1))
    await click(panel, panel._first)
    panel._rows[0]._button.click()
    await panel.idle()
    panel._send_it.click()
    await panel.idle()
    assert offered(panel) == {"✓ It is in the chat", "📱 It is not there: send"}
    assert "⚠️ unsure" in rows(panel)[0]

    panel._is_there.click()
    await panel.idle()

    assert "📱 sent" in rows(panel)[0]
    assert len(sandbox.ledger()["posts"]) == 1


@pytest.fixture
async def lost(panel, desk, sandbox, monkeypatch):
    """A render whose answer was lost for good, opened in the panel."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    sandbox.fault("drop", "/v3/videos", method="POST", times=None)
    await render(desk, draft(1))
    sandbox.clear_faults()
    await click(panel, panel._first)
    await click(panel, lambda: panel.choose(0))
    assert offered(panel) == {"This is the video", "There is none: pay again"}


async def test_a_render_not_known_is_paid_again_only_when_asked(
    lost, panel, sandbox, until
):
    panel._pay.click()
    await until(lambda: panel._question)
    assert sandbox.ledger()["jobs"] == []
    panel._question._yes.click()
    await until(lambda: len(sandbox.charges()) == 1)

    await until(lambda: "completed" in rows(panel)[0])
    assert len(sandbox.ledger()["jobs"]) == 1


async def test_the_render_is_paid_again_that_was_asked_about(
    panel, desk, sandbox, until, monkeypatch
):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    sandbox.fault("drop", "/v3/videos", method="POST", times=None)
    await render(desk, draft(1), draft(2))
    sandbox.clear_faults()
    await click(panel, panel._first)
    await click(panel, lambda: panel.choose(0))
    asked = panel._line.draft_id

    panel._pay.click()
    await until(lambda: panel._question)
    await panel.choose(1)
    panel._question._yes.click()
    await until(lambda: len(sandbox.charges()) == 1)

    [job] = sandbox.ledger()["jobs"]
    assert f"Tip {int(asked[1:])}" in str(job)
    await panel.idle()


async def test_a_lost_video_is_adopted_by_its_id(lost, panel, sandbox, until):
    body = {"type": "avatar", "avatar_id": "look_own_01", "script": "Tip 1."}
    async with httpx.AsyncClient() as client:
        reply = await client.post(
            f"{sandbox.handle.base_url}/v3/videos",
            headers={"X-Api-Key": sandbox.handle.api_key},
            json={**body, "voice_id": "voice_own_01"},
        )

    panel.t_video_id.value = reply.json()["data"]["video_id"]
    panel._adopt_it.click()

    await until(lambda: "completed" in rows(panel)[0])
    assert len(sandbox.charges()) == 1


async def test_a_post_that_is_not_there_is_sent_by_a_person(panel, desk, sandbox):
    sandbox.fault("drop", "/bot*/sendVideo", times=1)
    await render(desk, draft(1))
    await click(panel, panel._first)
    await click(panel, lambda: panel.choose(0))
    panel._send_it.click()
    await panel.idle()

    panel._not_there.click()
    await panel.idle()

    assert "📱 sent" in rows(panel)[0]
    assert len(sandbox.ledger()["posts"]) == 1


async def test_a_new_draft_is_made_of_an_old_render(panel, desk):
    opened = []
    panel.on_draft = opened.append
    await render(desk, draft(1))
    await click(panel, panel._first)
    await click(panel, lambda: panel.choose(0))
    await click(panel, panel._new_draft)

    found, _total = await desk.book.search("", limit=5)
    assert [row.draft.script for row in found] == ["Tip 1."]
    assert opened == [found[0].draft.id] != ["d01"]


async def test_the_whole_history_is_exported(panel, desk, home):
    await render(desk, draft(1), draft(2))
    await click(panel, panel._export)

    with (home / "history.csv").open(encoding="utf-8") as file:
        assert {row["draft_id"] for row in csv.DictReader(file)} == {"d01", "d02"}
    assert "history.csv" in panel._notice.value
