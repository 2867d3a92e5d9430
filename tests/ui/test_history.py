from __future__ import annotations

import asyncio
import csv
import re

import httpx
import pytest
from PIL import Image

from heygen_nb.finishing import Finding
from heygen_nb.models import Draft
from heygen_nb.preview import probe_video
from heygen_nb.ui.history import ROWS, HistoryPanel
from heygen_nb.ui.video import ending_html

pytestmark = pytest.mark.anyio


def draft(number):
    return Draft(id=f"d{number:02}", title=f"Tip {number}", script=f"Tip {number}.")


@pytest.fixture
async def panel(shared):
    panel = HistoryPanel(shared)
    await panel.idle()
    yield panel
    panel.close()


async def render(shared, *drafts):
    for one in drafts:
        await shared.jobs.start([one])[0].task


async def click(panel, work):
    panel.spawn(work)
    await panel.idle()


async def choose(panel, *numbers):
    panel.s_videos.value = [panel.lines[number].render_id for number in numbers]
    await panel.idle()


def names(panel):
    return [row.partition(" · ")[0] for row in rows(panel)]


async def press(panel, name):
    panel.works[name].click()
    await panel.idle()


def rows(panel):
    """Return the entries of the list as they are read."""
    texts = [label for label, _key in panel.s_videos.options]
    joined = [text.replace("\N{ZERO WIDTH SPACE}", " · ", 1) for text in texts]
    return [" ".join(re.sub("[\u2007\u200b]", "", text).split()) for text in joined]


def offered(panel):
    actions = panel.view.actions
    names = set(actions.offered) - {
        *("check", "finish", "reuse", "link", "folder", "delete")
    }
    return {actions[name].description for name in names}


async def test_an_empty_history_says_so(panel):
    assert "Nothing was rendered yet." in panel.empty.value
    assert rows(panel) == []


async def test_renders_are_paged_newest_first_with_their_pictures(panel, shared):
    await render(shared, *(draft(number) for number in range(ROWS + 2)))
    await click(panel, panel.load_first)
    assert names(panel)[0] == f"Tip {ROWS + 1}"
    assert panel.pictures.value.count("data:image/jpeg;base64,") == ROWS
    assert len(panel.pictures.value) < 500_000
    assert "back" not in panel.works.offered

    await press(panel, "on")
    assert names(panel) == ["Tip 1", "Tip 0"]
    assert "on" not in panel.works.offered

    await press(panel, "back")
    assert len(rows(panel)) == ROWS


async def test_the_list_can_be_filtered_by_status(panel, shared, sandbox):
    sandbox.fault("status", "/v3/videos", method="POST", status=400, times=1)
    await render(shared, draft(1), draft(2))

    panel.d_status.value = "rejected"
    await panel.idle()

    assert len(rows(panel)) == 1
    assert "Tip 1" in rows(panel)[0]
    assert "refused, not charged" in rows(panel)[0]


async def test_a_video_is_played_and_sent_again_only_when_asked(
    panel, shared, sandbox, until
):
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    assert panel.view.player.screen.outputs
    assert offered(panel) == {"📱 Send to Telegram"}

    panel.view.actions["send"].click()
    await panel.idle()
    assert offered(panel) == {"📱 Send again"}
    panel.view.actions["again"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()

    assert len(sandbox.ledger()["posts"]) == 2


async def test_several_are_checked_sent_and_deleted_after_one_question(
    panel, shared, sandbox, until
):
    await render(shared, *(draft(number) for number in range(ROWS + 2)))
    await click(panel, panel.load_first)
    assert "post" not in panel.works.offered

    await press(panel, "all")
    assert f"{ROWS + 2} chosen" in panel.works.children[-1].value
    await choose(panel, *range(1, 9))
    await press(panel, "check")
    assert "8 of 8" in panel.told
    assert [("✓ checked" in row) for row in rows(panel)[:2]] == [False, True]

    panel.works["post"].click()
    await until(lambda: panel.question)
    assert "Send 8 videos" in panel.question.text.value
    panel.question.yes.click()
    await panel.idle()
    panel.d_status.value = "unsent"
    await panel.idle()
    assert len(sandbox.ledger()["posts"]) == 8
    assert names(panel) == [f"Tip {number}" for number in (ROWS + 1, 2, 1, 0)]

    files = [line.path for line in panel.chosen.values()]
    panel.works["delete"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()
    assert not any(file.exists() for file in files)
    panel.d_status.value = "sent"
    await panel.idle()
    await choose(panel, 0)
    assert offered(panel) == {"⇩ Fetch the file again"}
    panel.view.actions["fetch"].click()
    await panel.idle()
    assert panel.view.line.path.exists()
    assert len(sandbox.charges()) == ROWS + 2


async def test_what_cannot_be_sent_of_several_is_named_and_the_rest_is_sent(
    panel, shared, sandbox, until
):
    await render(shared, draft(1), draft(2))
    await click(panel, panel.load_first)
    await press(panel, "all")
    sandbox.fault("status", "/bot*/sendVideo", status=400, times=1)
    panel.works["post"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()

    assert "1 of 2" in panel.told
    assert "#d02: " in panel.told
    english = panel.told
    await shared.set_language("ru")
    assert "1 из 2" in panel.told
    assert panel.told.partition("#d02: ")[2] != english.partition("#d02: ")[2]
    assert len(sandbox.ledger()["posts"]) == 1


async def test_a_caption_is_kept_when_it_is_left_and_posted_with_others(
    panel, shared, sandbox, until
):
    await render(shared, draft(1), draft(2))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.t_caption.value = "Of no draft"
    await panel.idle()
    await press(panel, "all")
    panel.works["post"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()

    texts = {post["text"] for post in sandbox.ledger()["posts"]}
    assert texts == {"Of no draft", ""}


async def test_a_phrase_is_found_before_its_words(panel, shared):
    await render(shared, *(draft(number) for number in (1, 2, 10, 11)))

    panel.t_search.value = "tip 1"
    await panel.idle()
    assert names(panel) == ["Tip 1"]

    panel.t_search.value = "1 ti"
    panel.d_sort.value = "oldest"
    await panel.idle()
    assert names(panel) == ["Tip 1", "Tip 10", "Tip 11"]

    panel.d_sort.value, panel.t_search.value = "title", ""
    await panel.idle()
    assert names(panel) == ["Tip 1", "Tip 10", "Tip 11", "Tip 2"]


async def test_an_unsure_post_is_settled_by_a_person(panel, shared, sandbox):
    sandbox.fault("drop", "/bot*/sendVideo", after=True, times=1)
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.actions["send"].click()
    await panel.idle()
    assert offered(panel) == {"✓ It is in the chat", "📱 It is not there: send"}
    assert "⚠️ unsure" in rows(panel)[0]

    panel.view.actions["is there"].click()
    await panel.idle()

    assert "📱 sent" in rows(panel)[0]
    assert len(sandbox.ledger()["posts"]) == 1


@pytest.fixture
async def lost(panel, shared, sandbox, monkeypatch):
    """A render whose answer was lost for good, opened in the panel."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    sandbox.fault("drop", "/v3/videos", method="POST", times=None)
    await render(shared, draft(1))
    sandbox.clear_faults()
    await click(panel, panel.load_first)
    await choose(panel, 0)
    assert offered(panel) == {"This is the video", "There is none: pay again"}


async def test_a_render_not_known_is_paid_again_only_when_asked(
    lost, panel, sandbox, until
):
    panel.view.actions["pay"].click()
    await until(lambda: panel.question)
    assert sandbox.ledger()["jobs"] == []
    panel.question.yes.click()
    await until(lambda: len(sandbox.charges()) == 1)

    await until(lambda: "completed" in rows(panel)[0])
    assert len(sandbox.ledger()["jobs"]) == 1


async def test_the_render_is_paid_again_that_was_asked_about(
    panel, shared, sandbox, until, monkeypatch
):
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    sandbox.fault("drop", "/v3/videos", method="POST", times=None)
    await render(shared, draft(1), draft(2))
    sandbox.clear_faults()
    await click(panel, panel.load_first)
    await choose(panel, 0)
    asked = panel.view.line.draft_id

    panel.view.actions["pay"].click()
    await until(lambda: panel.question)
    await panel.view.look_at(panel.lines[1].render_id)
    panel.question.yes.click()
    await panel.idle()

    rows = (await shared.ledger()).history.page()
    assert [row.draft_id for row in rows if row.attempt > 1] == [asked]


async def test_a_lost_video_is_adopted_by_its_id(lost, panel, sandbox, until):
    body = {"type": "avatar", "avatar_id": "look_own_01", "script": "Tip 1."}
    async with httpx.AsyncClient() as client:
        reply = await client.post(
            f"{sandbox.handle.base_url}/v3/videos",
            headers={"X-Api-Key": sandbox.handle.api_key},
            json={**body, "voice_id": "voice_own_01"},
        )

    panel.view.t_video_id.value = reply.json()["data"]["video_id"]
    panel.view.actions["adopt"].click()

    await until(lambda: "completed" in rows(panel)[0])
    assert len(sandbox.charges()) == 1


async def test_a_post_that_is_not_there_is_sent_by_a_person(panel, shared, sandbox):
    sandbox.fault("drop", "/bot*/sendVideo", times=1)
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.actions["send"].click()
    await panel.idle()

    panel.view.actions["not there"].click()
    await panel.idle()

    assert "📱 sent" in rows(panel)[0]
    assert len(sandbox.ledger()["posts"]) == 1


async def test_a_new_draft_is_made_of_an_old_render(panel, shared):
    opened = []
    panel.view.on_draft = opened.append
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    await click(panel, panel.view.new_draft)

    found, _total = await shared.drafts.search("", limit=5)
    assert [row.draft.script for row in found] == ["Tip 1."]
    assert opened == [found[0].draft.id] != ["d01"]


async def test_the_whole_history_is_exported(panel, shared, home):
    await render(shared, draft(1), draft(2))
    await press(panel, "export")

    with (home / "history.csv").open(encoding="utf-8") as file:
        assert {row["draft_id"] for row in csv.DictReader(file)} == {"d01", "d02"}
    assert "history.csv" in panel.told


async def test_a_new_draft_keeps_voice_background_and_length(panel, shared):
    opened = []
    panel.view.on_draft = opened.append
    own = {"voice": "Oliver", "background": "#203040", "duration": 20}
    await render(shared, draft(1).model_copy(update=own))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    await click(panel, panel.view.new_draft)

    new = (await shared.drafts.get(opened[0])).draft
    assert {name: getattr(new, name) for name in own} == own


async def test_a_render_without_a_title_is_called_by_its_script(panel, shared):
    await render(shared, Draft(id="tip-5", script="Leo, slow down today. " * 9))
    await click(panel, panel.load_first)

    assert rows(panel)[0].count("#tip-5") == 1
    assert "Leo, slow down today. Leo" in rows(panel)[0]
    assert "…" in rows(panel)[0]


async def test_the_caption_is_edited_beside_the_button_and_kept(panel, shared, sandbox):
    mine = draft(1).model_copy(update={"caption": "First"})
    await shared.drafts.save(mine, over=0)
    await render(shared, mine)
    await click(panel, panel.load_first)
    await choose(panel, 0)
    assert panel.view.t_caption.value == "First"

    panel.view.t_caption.value = "Better"
    panel.view.actions["send"].click()
    await panel.idle()

    assert sandbox.ledger()["posts"][0]["text"] == "Better"
    assert (await shared.drafts.get("d01")).draft.caption == "Better"


async def test_a_caption_changed_in_the_draft_is_the_one_shown(panel, shared):
    await shared.drafts.save(draft(1), over=0)
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)

    newer = draft(1).model_copy(update={"caption": "Newer"})
    await shared.drafts.save(newer, over=1)
    await panel.idle()

    assert panel.view.t_caption.value == "Newer"


async def test_an_unsent_film_is_found_by_filter_and_words(panel, shared):
    await render(shared, draft(1), draft(2), draft(12))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.actions["send"].click()
    await panel.idle()

    panel.d_status.value = "unsent"
    await panel.idle()
    assert names(panel) == ["Tip 2", "Tip 1"]

    panel.t_search.value = "d01"
    await panel.idle()
    assert names(panel) == ["Tip 1"]

    panel.t_search.value = "nothing like it"
    await panel.idle()
    assert "None fits" in panel.empty.value


async def test_a_video_is_finished_anew_beside_its_player(panel, shared, sandbox):
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.actions["finish"].click()
    await panel.idle()
    row = panel.view.finish_row
    panel.view.finishes["aspect_ratio"].value = "1:1"
    panel.view.finishes["captions"].value = False

    row.children[-1].click()
    await panel.idle()

    facts = probe_video(panel.view.line.path)
    assert facts.width == facts.height
    assert len(sandbox.charges()) == 1
    panel.view.actions["finish"].click()
    await panel.idle()
    assert row not in panel.view.children


async def test_link_and_folder_of_a_film_are_there_to_be_taken(panel, shared):
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    path = panel.lines[0].path

    panel.view.actions["link"].click()
    await panel.idle()
    assert panel.view.actions["link"].tooltip == str(path)
    assert str(path) in panel.told

    panel.view.actions["folder"].click()
    await panel.idle()
    assert f">videos/{path.parent.name}<" in panel.told


async def test_what_the_check_has_found_is_shown_with_its_second_and_picture(
    panel, shared, monkeypatch
):
    def find(_film, _wish, frames, **_hopes):
        frames.mkdir()
        frame = frames / "d01-cut.jpg"
        Image.new("RGB", (64, 64)).save(frame)
        return [Finding("cut", 12.3, frame)]

    monkeypatch.setattr("heygen_nb.finishing.check_film", find)
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    panel.view.actions["check"].click()
    await panel.idle()

    assert "⚠️ the speech is cut off (at 12 s)" in rows(panel)[0]
    [job] = shared.jobs.all
    for seen in (panel.view.children[1].value, ending_html(job.outcome)):
        assert "the speech is cut off (at 12 s)" in seen
        assert 'class="hg-frame"' in seen
        assert "base64," in seen


async def test_a_video_is_deleted_beside_its_player(panel, shared, until):
    await render(shared, draft(1))
    await click(panel, panel.load_first)
    await choose(panel, 0)
    path = panel.view.line.path

    panel.view.actions["delete"].click()
    await until(lambda: panel.question)
    assert path.exists()
    panel.question.yes.click()
    await panel.idle()

    assert not path.exists()
    assert panel.view.player.screen.outputs == ()
