from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from heygen_nb.models import Draft
from heygen_nb.ui import editor
from heygen_nb.ui.base import shown
from heygen_nb.ui.draft_list import LISTED
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.state import SharedState

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(shared, monkeypatch):
    monkeypatch.setattr(editor, "AUTOSAVE_S", 0.01)
    panel = DraftsPanel(shared)
    await panel.idle()
    yield panel
    panel.close()


async def settled(panel):
    """Wait until nothing is left to do and what is typed is stored."""
    await asyncio.sleep(0.03)
    await panel.idle()
    async with asyncio.timeout(60):
        while panel.editor.changed and not panel.editor.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await panel.idle()


def open_question(panel):
    question = panel.question
    shown = question and "hg-off" not in question._dom_classes
    return question.text.value if shown else ""


def asks(panel, words):
    return lambda: words in open_question(panel)


async def kept(shared):
    rows, _total = await shared.drafts.search("", limit=10)
    return [row.draft for row in rows]


async def write(panel, title="Leo", script="Leo, slow down today."):
    panel.t_title.value, panel.t_script.value = title, script
    await settled(panel)


def options(panel):
    return [label.replace("\N{NO-BREAK SPACE}", " ") for label, _ in _entries(panel)]


def _entries(panel):
    return panel.list.s_drafts.options


async def test_what_is_typed_is_saved_by_itself(panel, shared):
    await write(panel)

    assert [(d.title, d.script) for d in await kept(shared)] == [
        ("Leo", "Leo, slow down today.")
    ]
    assert "saved" in panel.state.value


async def test_what_is_typed_before_the_list_is_there_stays(panel, shared):
    await write(panel, "Older", "An older draft.")

    quick = DraftsPanel(shared)
    quick.t_script.value = "Typed at once."
    await quick.idle()

    assert quick.t_script.value == "Typed at once."
    await quick.save()
    assert {draft.script for draft in await kept(shared)} == {
        "An older draft.",
        "Typed at once.",
    }
    quick.close()


async def test_a_new_draft_has_an_id_of_eight_hex_digits(panel, shared):
    await write(panel)

    (draft,) = await kept(shared)
    assert len(draft.id) == 8
    assert int(draft.id, 16) >= 0


async def test_an_empty_draft_is_not_kept(panel, shared):
    panel.spawn(panel.new)
    await settled(panel)

    assert await kept(shared) == []


async def test_another_kernel_finds_the_draft_as_it_was_left(panel, shared, sandbox):
    await write(panel)

    other = DraftsPanel(SharedState(sandbox.settings()))
    await other.idle()

    assert other.t_script.value == "Leo, slow down today."
    other.close()
    await other.shared.close()


async def test_closing_in_the_middle_of_a_word_loses_nothing(shared, sandbox):
    panel = DraftsPanel(shared)
    await panel.idle()
    panel.t_script.value = "Half a wor"

    panel.close()
    await shared.settled()

    again = SharedState(sandbox.settings())
    assert [draft.script for draft in await kept(again)] == ["Half a wor"]
    await again.close()


async def test_a_draft_changed_elsewhere_is_a_question_not_a_loss(panel, shared, until):
    await write(panel)
    (draft,) = await kept(shared)
    theirs = draft.model_copy(update={"script": "Theirs."})
    shared._listeners.clear()  # another kernel: nobody tells this one
    await shared.drafts.save(theirs, over=1)

    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))
    panel.question.yes.click()
    await settled(panel)

    assert [d.script for d in await kept(shared)] == ["Mine."]


async def test_the_other_text_can_be_taken_instead(panel, shared, until):
    await write(panel)
    (draft,) = await kept(shared)
    shared._listeners.clear()
    await shared.drafts.save(draft.model_copy(update={"script": "Theirs."}), over=1)

    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))
    panel.question.no.click()
    await settled(panel)

    assert panel.t_script.value == "Theirs."
    assert [d.script for d in await kept(shared)] == ["Theirs."]


async def test_two_studios_in_one_kernel_show_the_same_text(panel, shared):
    other = DraftsPanel(shared)
    await write(panel)
    await other.idle()
    await panel.list.refresh()
    await other.open_draft((await kept(shared))[0].id)

    panel.t_script.value = "Better."
    await settled(panel)
    await settled(other)

    assert other.t_script.value == "Better."
    other.close()


async def test_delete_can_be_undone(panel, shared):
    await write(panel)
    panel.spawn(panel.delete)
    await settled(panel)
    assert await kept(shared) == []
    assert panel.t_script.value == ""

    panel.bringing["undo"].click()
    await settled(panel)

    assert [draft.title for draft in await kept(shared)] == ["Leo"]
    assert panel.t_title.value == "Leo"


async def test_delete_empties_the_editor_while_the_list_is_asked_again(
    panel, shared, monkeypatch
):
    await write(panel)
    search, later = shared.drafts.search, []

    async def overtaken(*args, **kwargs):
        found = await search(*args, **kwargs)
        if not later:
            later.append(asyncio.create_task(panel.list.refresh()))
            await asyncio.sleep(0)  # it has asked by now, and is answered last
        return found

    monkeypatch.setattr(shared.drafts, "search", overtaken)
    panel.spawn(panel.delete)
    await settled(panel)
    await asyncio.gather(*later)

    assert panel.t_script.value == ""
    assert panel.editor.kept.version == 0  # what is typed now is a new draft


async def test_a_thousand_drafts_are_searched_and_the_newest_listed(shared):
    for number in range(1000):
        await shared.drafts.save(
            Draft(id=f"d{number:04}", script=f"Текст {number}"), over=0
        )
    panel = DraftsPanel(shared)
    await panel.idle()
    assert len(_entries(panel)) == LISTED
    assert "1000 drafts" in panel.list.count.value

    panel.list.t_search.value = "ТЕКСТ 777"
    await settled(panel)

    assert len(_entries(panel)) == 1
    assert "#d0777" in options(panel)[0]
    panel.close()


async def test_choosing_an_entry_opens_it_and_saves_the_one_before(panel, shared):
    await write(panel)
    panel.spawn(panel.new)
    await settled(panel)
    panel.t_script.value = "Second."
    first = next(key for label, key in _entries(panel) if label.startswith("Leo"))

    panel.list.s_drafts.value = (first,)
    await settled(panel)

    assert panel.t_title.value == "Leo"
    assert {d.script for d in await kept(shared)} == {
        "Leo, slow down today.",
        "Second.",
    }


def upload(name, content):
    modified = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        {
            "name": name,
            "type": "",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": modified,
        },
    )


async def test_files_are_imported_once(panel, shared):
    for _time in range(2):
        panel.u_import.value = upload("<img src=x>.csv", b"id,script\na1,One.\na2,Two.")
        await settled(panel)

    assert {draft.id for draft in await kept(shared)} == {"a1", "a2"}
    assert "&lt;img src=x&gt;.csv: 0 of 2 drafts are new." in panel.told


async def test_a_file_that_is_no_draft_says_where_it_is_wrong(panel):
    panel.u_import.value = upload("a.md", b"---\nunclosed")
    await settled(panel)

    assert "line 1" in panel.told


async def test_letters_that_a_click_overtook_are_rendered_too(
    panel, shared, sandbox, monkeypatch, until
):
    monkeypatch.setattr(editor, "AUTOSAVE_S", 2.0)
    panel.t_script.value = "Leo, slow"
    panel.doing["create"].click()
    await asyncio.sleep(0.05)

    panel.t_script.value = "Leo, slow down today."
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()
    [job] = shared.jobs.all
    await job.task

    assert job.draft.script == "Leo, slow down today."
    assert len(sandbox.charges()) == 1


async def test_create_saves_renders_and_shows_generation(panel, shared, until):
    shown = []
    panel.on_create = lambda: shown.append(1)
    panel.t_script.value = "Leo, slow down today."
    panel.doing["create"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()

    (job,) = shared.jobs.all
    await job.task
    assert shown == [1]
    assert job.outcome.status == "completed"
    assert [draft.script for draft in await kept(shared)] == ["Leo, slow down today."]


async def test_money_is_asked_for_with_what_will_be_used(panel, sandbox, shared, until):
    await write(panel)
    panel.doing["create"].click()
    await until(lambda: panel.question)
    asked = panel.question.text.value
    panel.question.no.click()
    await panel.idle()

    assert "Voice: " in asked
    assert "Avatar: " in asked
    assert "$" in asked
    assert shared.jobs.all == []
    assert sandbox.charges() == []


async def test_a_script_without_words_is_refused_before_anything_is_sent(panel, shared):
    panel.t_script.value = "🎬 …"
    await settled(panel)
    panel.doing["create"].click()
    await panel.idle()

    assert "the script has no words" in panel.told
    assert shared.jobs.all == []
    assert not panel.doing["create"].disabled


async def test_a_preview_is_played_in_place_and_made_once(panel, shared, monkeypatch):
    made = []

    async def fake(draft, _settings, output, **_options):
        made.append(draft.id)
        output.parent.mkdir(exist_ok=True)
        output.write_bytes(b"mp4")

    monkeypatch.setattr("heygen_nb.renderer.animatic.make_preview", fake)
    await write(panel)
    for _time in range(2):
        panel.spawn(panel.preview)
        await settled(panel)

    (bundle,) = panel.player.screen.outputs
    assert 'src="previews/' in bundle["data"]["text/html"]
    assert len(made) == 1


async def test_an_entry_shows_what_became_of_the_draft(panel, shared):
    await write(panel)
    (draft,) = await kept(shared)
    job = shared.jobs.start([draft])[0]
    await job.task
    await settled(panel)

    assert "✅ rendered" in options(panel)[0]


@pytest.mark.parametrize("button", ["yes", "no"])
async def test_a_limit_is_passed_only_when_somebody_agrees(
    panel, sandbox, shared, until, button
):
    shared.settings = shared.settings.model_copy(update={"max_cost_per_day": 0.01})
    panel.t_script.value = "Leo, slow down today."
    panel.doing["create"].click()
    await until(lambda: panel.question)
    asked = panel.question.text.value
    getattr(panel.question, button).click()
    await panel.idle()
    await asyncio.gather(*(job.task for job in shared.jobs.all))

    assert "over $0.01 a day" in asked
    assert len(sandbox.charges()) == (button == "yes")


async def changed_elsewhere(panel, shared, until):
    """Bring the panel to the question which of two texts counts."""
    await write(panel)
    (draft,) = await kept(shared)
    shared._listeners.clear()  # another kernel: nobody tells this one
    await shared.drafts.save(draft.model_copy(update={"script": "Theirs."}), over=1)
    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))


async def test_another_question_does_not_decide_which_text_counts(panel, shared, until):
    await changed_elsewhere(panel, shared, until)

    panel.spawn(lambda: panel.ask("Render?", "Render"))
    await until(asks(panel, "Render?"))
    panel.question.no.click()
    await panel.idle()
    assert panel.t_script.value == "Mine."

    panel.spawn(panel.save)
    await until(asks(panel, "changed elsewhere"))
    panel.question.yes.click()
    await settled(panel)
    assert [d.script for d in await kept(shared)] == ["Mine."]


async def test_a_text_is_not_written_over_while_its_question_is_open(
    panel, shared, until, monkeypatch
):
    await changed_elsewhere(panel, shared, until)
    again, ask = [], panel.ask
    monkeypatch.setattr(panel, "ask", lambda *words: again.append(words) or ask(*words))
    (theirs,) = await kept(shared)
    newer = theirs.model_copy(update={"script": "Theirs, newer."})
    await shared.drafts.save(newer, over=2)

    panel.question.yes.click()
    await until(lambda: again)

    assert [d.script for d in await kept(shared)] == ["Theirs, newer."]
    panel.question.yes.click()
    await settled(panel)
    assert [d.script for d in await kept(shared)] == ["Mine."]


async def test_closing_before_the_answer_keeps_both_texts(panel, shared, until):
    await changed_elsewhere(panel, shared, until)
    shared.listen(lambda _topic: None)

    panel.close()
    await shared.settled()

    assert {d.script for d in await kept(shared)} == {"Mine.", "Theirs."}


async def test_a_save_that_is_stopped_is_no_change_by_somebody_else(
    panel, shared, monkeypatch
):
    await write(panel)
    begun, save = asyncio.Event(), shared.drafts.save

    async def slow(draft, *, over):
        stored = await save(draft, over=over)
        begun.set()
        await asyncio.sleep(0.02)
        return stored

    monkeypatch.setattr(shared.drafts, "save", slow)
    panel.t_script.value = "Mine now"
    saving = asyncio.ensure_future(panel.editor.flush())
    await begun.wait()
    saving.cancel()
    panel.t_script.value = "Mine now, and more."
    await settled(panel)

    assert [d.script for d in await kept(shared)] == ["Mine now, and more."]


async def test_what_is_typed_while_the_ledger_is_asked_is_not_replaced(
    panel, shared, monkeypatch
):
    await write(panel)
    (draft,) = await kept(shared)
    listeners, get = set(shared._listeners), shared.drafts.get
    shared._listeners.clear()
    await shared.drafts.save(draft.model_copy(update={"script": "Theirs."}), over=1)
    shared._listeners |= listeners

    async def get_while_typing(draft_id):
        row = await get(draft_id)
        panel.t_script.value = "Mine."
        return row

    monkeypatch.setattr(shared.drafts, "get", get_while_typing)
    await panel.editor.follow()

    assert panel.t_script.value == "Mine."


async def test_the_list_marks_what_was_opened_while_it_was_brought(
    panel, shared, monkeypatch
):
    for draft_id in ("one", "two"):
        await shared.drafts.save(
            Draft(id=draft_id, script=f"Draft {draft_id}."), over=0
        )
    await panel.open_draft("one")
    await panel.idle()
    search, brought = shared.drafts.search, asyncio.Event()

    async def slow(*arguments, **options):
        await brought.wait()
        return await search(*arguments, **options)

    monkeypatch.setattr(shared.drafts, "search", slow)
    shared.tell("drafts")
    await asyncio.sleep(0.01)
    await panel.open_draft("two")
    brought.set()
    await panel.idle()

    assert panel.list.s_drafts.value == ("two",)


async def three(panel, shared):
    """Three short drafts in the list, all of them chosen."""
    for name in "abc":
        draft = Draft(id=name, title=name.upper(), script=f"Leo, slow down, {name}.")
        await shared.drafts.save(draft, over=0)
    await panel.idle()
    panel.bringing["all"].click()
    await panel.idle()


async def test_several_drafts_are_rendered_after_one_question(
    panel, shared, sandbox, until
):
    await three(panel, shared)
    assert panel.doing["create"].description.startswith("🎬 Render 3 · ≈ $")

    panel.doing["create"].click()
    await until(lambda: panel.question)
    assert "Render 3 drafts?" in panel.question.text.value
    assert "⚠️ #c, #b: " in panel.question.text.value
    assert "already" not in panel.question.text.value
    assert "$" in panel.question.text.value
    assert sandbox.charges() == []
    panel.question.yes.click()
    await until(lambda: len(shared.jobs.all) == 3)
    await asyncio.gather(*(job.task for job in shared.jobs.all))
    await panel.idle()
    assert len(sandbox.charges()) == 3

    panel.doing["create"].click()
    await panel.idle()
    assert "All of them are rendered already." in panel.told
    assert len(sandbox.charges()) == 3

    await shared.drafts.save(Draft(id="d", script="Leo, slow down, d."), over=0)
    await panel.idle()
    panel.bringing["all"].click()
    await panel.idle()
    panel.doing["create"].click()
    await until(lambda: panel.question)
    assert "3 are rendered already and are not paid again." in panel.question.text.value
    panel.question.no.click()


async def test_several_drafts_are_deleted_and_all_brought_back(panel, shared):
    await three(panel, shared)

    await panel.delete()
    await panel.idle()
    assert (await shared.drafts.search("", limit=9))[1] == 0
    panel.bringing["undo"].click()
    await panel.idle()

    assert (await shared.drafts.search("", limit=9))[1] == 3


async def test_buttons_for_several_are_there_for_several_only(panel, shared):
    await three(panel, shared)
    assert not shown(panel.editor)
    assert panel.doing["create"].description.startswith("🎬 Render 3")

    panel.list.s_drafts.value = ("b",)
    await panel.idle()

    assert shown(panel.editor)
    assert panel.doing["create"].description.startswith("🎬 Create video")
    assert panel.t_title.value == "B"


async def test_a_duplicate_is_another_draft_that_says_the_same(panel, shared):
    own = Draft(id="a", title="A", script="Hi there.", voice="Maya", duration=20)
    await shared.drafts.save(own, over=0)
    await panel.open_draft("a")

    await panel.duplicate()

    typed = panel.editor.draft
    assert typed.id != "a"
    assert typed.model_copy(update={"id": "a"}) == own
    assert (await shared.drafts.search("", limit=9))[1] == 2


async def test_the_list_shows_drafts_of_one_status(panel, shared):
    await three(panel, shared)
    await shared.jobs.start([Draft(id="a", script="Leo, slow down, a.")])[0].task

    panel.list.d_status.value = "rendered"
    await panel.idle()
    assert [key for _label, key in panel.list.s_drafts.options] == ["a"]

    panel.list.d_status.value = "failed"
    await panel.idle()
    assert "None fits" in panel.list.count.value


async def test_an_empty_list_says_what_to_do_first(panel):
    assert "type a script" in panel.list.count.value


async def test_saved_is_said_beside_the_button_until_somebody_types(panel, shared):
    panel.t_script.value = "A script."
    panel.spawn(panel.save)
    await panel.idle()
    panel.spawn(panel.save, panel.save_place)
    await panel.idle()
    assert "Saved." in panel.save_place.html
    await shared.set_language("ru")
    assert "Сохранено" in panel.save_place.html

    panel.t_script.value = "Another script."
    await panel.idle()

    assert panel.save_place.html == ""


async def filmed(panel, shared):
    """Three drafts in the list, all chosen; two of them have a video."""
    await three(panel, shared)
    jobs = shared.jobs.start(await shared.drafts.these(["a", "b"]))
    await asyncio.gather(*(job.task for job in jobs))
    await panel.idle()


async def test_videos_of_what_is_chosen_are_sent_after_one_question(
    panel, shared, sandbox, until
):
    await filmed(panel, shared)

    panel.doing["post"].click()
    await until(lambda: panel.question)
    assert "Send 2 videos to Telegram?" in panel.question.text.value
    panel.question.yes.click()
    await panel.idle()
    assert "2 of 2" in panel.told
    assert len(sandbox.ledger()["posts"]) == 2

    panel.doing["post"].click()
    await panel.idle()
    assert "nothing to be done" in panel.told
    assert len(sandbox.ledger()["posts"]) == 2


async def test_videos_of_what_is_chosen_are_finished_anew_for_nothing(
    panel, shared, sandbox
):
    await filmed(panel, shared)
    paid = len(sandbox.charges())

    panel.doing["finish"].click()
    await panel.idle()

    assert "2 of 2" in panel.told
    assert len(sandbox.charges()) == paid


async def test_a_video_plays_beside_its_draft(panel, shared):
    await filmed(panel, shared)
    panel.list.s_drafts.value = ("c",)
    await panel.idle()
    assert "play" not in panel.doing.offered

    panel.list.s_drafts.value = ("a",)
    await panel.idle()
    panel.doing["play"].click()
    await panel.idle()

    assert panel.player.path.name == "a.mp4"


async def test_the_button_says_what_it_would_cost(panel, shared):
    await write(panel)
    assert " · ≈ $" in panel.doing["create"].description
    (draft,) = await kept(shared)
    await shared.jobs.start([draft])[0].task
    await settled(panel)

    assert panel.doing["create"].description == "🎬 Create video"


async def test_drafts_are_sorted_as_asked(panel, shared):
    for name, script in (("b", "Long and longer."), ("a", "Short."), ("c", "Middle.")):
        await shared.drafts.save(Draft(id=name, title=name, script=script), over=0)

    async def listed(by):
        panel.list.d_sort.value = by
        await panel.idle()
        return "".join(key for _label, key in panel.list.s_drafts.options)

    assert await listed("title") == "abc"
    assert await listed("length") == "acb"
    assert await listed("oldest") == "bac"
    assert await listed("") == "cab"


async def test_nothing_written_is_said_beside_the_button(panel):
    panel.doing["create"].click()
    await panel.idle()

    assert "Nothing is written yet." in panel.save_place.html
