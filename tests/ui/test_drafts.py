from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from heygen_nb.models import Draft
from heygen_nb.ui import page
from heygen_nb.ui.draftlist import LISTED
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.workflow.desk import Desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(desk, monkeypatch):
    monkeypatch.setattr(page, "AUTOSAVE_S", 0.01)
    panel = DraftsPanel(desk)
    await panel.idle()
    yield panel
    panel.close()


async def settled(panel):
    """Wait until nothing is left to do and what is typed is stored."""
    await asyncio.sleep(0.03)
    await panel.idle()
    async with asyncio.timeout(60):
        while panel.page.changed and not panel.page.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await panel.idle()


def open_question(panel):
    question = panel._question
    shown = question and "hg-off" not in question._dom_classes
    return question._text.value if shown else ""


def asks(panel, words):
    return lambda: words in open_question(panel)


async def kept(desk):
    rows, _total = await desk.book.search("", limit=10)
    return [row.draft for row in rows]


async def write(panel, title="Leo", script="Leo, slow down today."):
    panel.t_title.value, panel.t_script.value = title, script
    await settled(panel)


def options(panel):
    return [label.replace("\N{NO-BREAK SPACE}", " ") for label, _ in _entries(panel)]


def _entries(panel):
    return panel.list.s_drafts.options


async def test_what_is_typed_is_saved_by_itself(panel, desk):
    await write(panel)

    assert [(d.title, d.script) for d in await kept(desk)] == [
        ("Leo", "Leo, slow down today.")
    ]
    assert "saved" in panel._state.value


async def test_what_is_typed_before_the_list_is_there_stays(panel, desk):
    await write(panel, "Older", "An older draft.")

    quick = DraftsPanel(desk)
    quick.t_script.value = "Typed at once."
    await quick.idle()

    assert quick.t_script.value == "Typed at once."
    await quick.save()
    assert {draft.script for draft in await kept(desk)} == {
        "An older draft.",
        "Typed at once.",
    }
    quick.close()


async def test_a_new_draft_has_an_id_of_eight_hex_digits(panel, desk):
    await write(panel)

    (draft,) = await kept(desk)
    assert len(draft.id) == 8
    assert int(draft.id, 16) >= 0


async def test_an_empty_draft_is_not_kept(panel, desk):
    panel.spawn(panel.new)
    await settled(panel)

    assert await kept(desk) == []


async def test_another_kernel_finds_the_draft_as_it_was_left(panel, desk, sandbox):
    await write(panel)

    other = DraftsPanel(Desk(sandbox.settings()))
    await other.idle()

    assert other.t_script.value == "Leo, slow down today."
    other.close()
    await other.desk.close()


async def test_closing_in_the_middle_of_a_word_loses_nothing(desk, sandbox):
    panel = DraftsPanel(desk)
    await panel.idle()
    panel.t_script.value = "Half a wor"

    panel.close()
    await asyncio.gather(*desk._finishing)

    again = Desk(sandbox.settings())
    assert [draft.script for draft in await kept(again)] == ["Half a wor"]
    await again.close()


async def test_a_draft_changed_elsewhere_is_a_question_not_a_loss(panel, desk, until):
    await write(panel)
    (draft,) = await kept(desk)
    theirs = draft.model_copy(update={"script": "Theirs."})
    desk._listeners.clear()  # another kernel: nobody tells this one
    await desk.book.save(theirs, over=1)

    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))
    panel._question._yes.click()
    await settled(panel)

    assert [d.script for d in await kept(desk)] == ["Mine."]


async def test_the_other_text_can_be_taken_instead(panel, desk, until):
    await write(panel)
    (draft,) = await kept(desk)
    desk._listeners.clear()
    await desk.book.save(draft.model_copy(update={"script": "Theirs."}), over=1)

    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))
    panel._question._no.click()
    await settled(panel)

    assert panel.t_script.value == "Theirs."
    assert [d.script for d in await kept(desk)] == ["Theirs."]


async def test_two_studios_in_one_kernel_show_the_same_text(panel, desk):
    other = DraftsPanel(desk)
    await write(panel)
    await other.idle()
    await panel.list.refresh()
    await other.open_draft((await kept(desk))[0].id)

    panel.t_script.value = "Better."
    await settled(panel)
    await settled(other)

    assert other.t_script.value == "Better."
    other.close()


async def test_delete_can_be_undone(panel, desk):
    await write(panel)
    panel.spawn(panel.delete)
    await settled(panel)
    assert await kept(desk) == []
    assert panel.t_script.value == ""

    panel._undo.click()
    await settled(panel)

    assert [draft.title for draft in await kept(desk)] == ["Leo"]
    assert panel.t_title.value == "Leo"


async def test_a_thousand_drafts_are_searched_and_the_newest_listed(desk):
    for number in range(1000):
        await desk.book.save(
            Draft(id=f"d{number:04}", script=f"Текст {number}"), over=0
        )
    panel = DraftsPanel(desk)
    await panel.idle()
    assert len(_entries(panel)) == LISTED
    assert "1000 drafts" in panel.list._count.value

    panel.list.t_search.value = "ТЕКСТ 777"
    await settled(panel)

    assert len(_entries(panel)) == 1
    assert "#d0777" in options(panel)[0]
    panel.close()


async def test_choosing_an_entry_opens_it_and_saves_the_one_before(panel, desk):
    await write(panel)
    panel.spawn(panel.new)
    await settled(panel)
    panel.t_script.value = "Second."
    first = next(key for label, key in _entries(panel) if label.startswith("Leo"))

    panel.list.s_drafts.value = first
    await settled(panel)

    assert panel.t_title.value == "Leo"
    assert {d.script for d in await kept(desk)} == {"Leo, slow down today.", "Second."}


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


async def test_files_are_imported_once(panel, desk):
    for _time in range(2):
        panel.u_import.value = upload("<img src=x>.csv", b"id,script\na1,One.\na2,Two.")
        await settled(panel)

    assert {draft.id for draft in await kept(desk)} == {"a1", "a2"}
    assert "&lt;img src=x&gt;.csv: 0 of 2 drafts are new." in panel._notice.value


async def test_a_file_that_is_no_draft_says_where_it_is_wrong(panel):
    panel.u_import.value = upload("a.md", b"---\nunclosed")
    await settled(panel)

    assert "line 1" in panel._notice.value


async def test_create_saves_renders_and_shows_generation(panel, desk, until):
    shown = []
    panel.on_create = lambda: shown.append(1)
    panel.t_script.value = "Leo, slow down today."
    panel._create.click()
    await until(lambda: panel._question)
    panel._question._yes.click()
    await panel.idle()

    (job,) = desk.jobs.all
    await job.task
    assert shown == [1]
    assert job.outcome.status == "completed"
    assert [draft.script for draft in await kept(desk)] == ["Leo, slow down today."]


async def test_money_is_asked_for_with_what_will_be_used(panel, sandbox, desk, until):
    await write(panel)
    panel._create.click()
    await until(lambda: panel._question)
    asked = panel._question._text.value
    panel._question._no.click()
    await panel.idle()

    assert "Voice: " in asked
    assert "Avatar: " in asked
    assert "usd" in asked
    assert desk.jobs.all == []
    assert sandbox.charges() == []


async def test_a_script_without_words_is_refused_before_anything_is_sent(panel, desk):
    panel.t_script.value = "🎬 …"
    await settled(panel)
    panel._create.click()
    await panel.idle()

    assert "the script has no words" in panel._notice.value
    assert desk.jobs.all == []
    assert not panel._create.disabled


async def test_a_preview_is_played_in_place_and_made_once(panel, desk, monkeypatch):
    made = []

    async def fake(draft, _settings, output, **_options):
        made.append(draft.id)
        output.parent.mkdir(exist_ok=True)
        output.write_bytes(b"mp4")

    monkeypatch.setattr("heygen_nb.renderer.animatic.preview", fake)
    await write(panel)
    for _time in range(2):
        panel.spawn(panel.preview)
        await settled(panel)

    (bundle,) = panel._player._screen.outputs
    assert 'src="previews/' in bundle["data"]["text/html"]
    assert len(made) == 1


async def test_an_entry_shows_what_became_of_the_draft(panel, desk):
    await write(panel)
    (draft,) = await kept(desk)
    job = desk.render(draft)
    await job.task
    await settled(panel)

    assert "✅ rendered" in options(panel)[0]


@pytest.mark.parametrize("button", ["_yes", "_no"])
async def test_a_limit_is_passed_only_when_somebody_agrees(
    panel, sandbox, desk, until, button
):
    desk.settings = desk.settings.model_copy(update={"max_cost_per_day": 0.01})
    panel.t_script.value = "Leo, slow down today."
    panel._create.click()
    await until(lambda: panel._question)
    asked = panel._question._text.value
    getattr(panel._question, button).click()
    await panel.idle()
    await asyncio.gather(*(job.task for job in desk.jobs.all))

    assert "over 0.01 a day" in asked
    assert len(sandbox.charges()) == (button == "_yes")


async def changed_elsewhere(panel, desk, until):
    """Bring the panel to the question which of two texts counts."""
    await write(panel)
    (draft,) = await kept(desk)
    desk._listeners.clear()  # another kernel: nobody tells this one
    await desk.book.save(draft.model_copy(update={"script": "Theirs."}), over=1)
    panel.t_script.value = "Mine."
    await until(asks(panel, "changed elsewhere"))


async def test_another_question_does_not_decide_which_text_counts(panel, desk, until):
    await changed_elsewhere(panel, desk, until)

    panel.spawn(lambda: panel.ask("Render?", "Render"))
    await until(asks(panel, "Render?"))
    panel._question._no.click()
    await panel.idle()
    assert panel.t_script.value == "Mine."

    panel.spawn(panel.save)
    await until(asks(panel, "changed elsewhere"))
    panel._question._yes.click()
    await settled(panel)
    assert [d.script for d in await kept(desk)] == ["Mine."]


async def test_a_text_is_not_written_over_while_its_question_is_open(
    panel, desk, until, monkeypatch
):
    await changed_elsewhere(panel, desk, until)
    again, ask = [], panel.ask
    monkeypatch.setattr(panel, "ask", lambda *words: again.append(words) or ask(*words))
    (theirs,) = await kept(desk)
    newer = theirs.model_copy(update={"script": "Theirs, newer."})
    await desk.book.save(newer, over=2)

    panel._question._yes.click()
    await until(lambda: again)

    assert [d.script for d in await kept(desk)] == ["Theirs, newer."]
    panel._question._yes.click()
    await settled(panel)
    assert [d.script for d in await kept(desk)] == ["Mine."]


async def test_closing_before_the_answer_keeps_both_texts(panel, desk, until):
    await changed_elsewhere(panel, desk, until)
    desk.listen(lambda _topic: None)

    panel.close()
    await asyncio.gather(*desk._finishing)

    assert {d.script for d in await kept(desk)} == {"Mine.", "Theirs."}


async def test_a_save_that_is_stopped_is_no_change_by_somebody_else(
    panel, desk, monkeypatch
):
    await write(panel)
    begun, save = asyncio.Event(), desk.book.save

    async def slow(draft, *, over):
        stored = await save(draft, over=over)
        begun.set()
        await asyncio.sleep(0.02)
        return stored

    monkeypatch.setattr(desk.book, "save", slow)
    panel.t_script.value = "Mine now"
    saving = asyncio.ensure_future(panel.page.flush())
    await begun.wait()
    saving.cancel()
    panel.t_script.value = "Mine now, and more."
    await settled(panel)

    assert [d.script for d in await kept(desk)] == ["Mine now, and more."]


async def test_what_is_typed_while_the_ledger_is_asked_is_not_replaced(
    panel, desk, monkeypatch
):
    await write(panel)
    (draft,) = await kept(desk)
    listeners, get = set(desk._listeners), desk.book.get
    desk._listeners.clear()
    await desk.book.save(draft.model_copy(update={"script": "Theirs."}), over=1)
    desk._listeners |= listeners

    async def get_while_typing(draft_id):
        row = await get(draft_id)
        panel.t_script.value = "Mine."
        return row

    monkeypatch.setattr(desk.book, "get", get_while_typing)
    await panel.page.follow()

    assert panel.t_script.value == "Mine."


async def test_the_list_marks_what_was_opened_while_it_was_brought(
    panel, desk, monkeypatch
):
    for draft_id in ("one", "two"):
        await desk.book.save(Draft(id=draft_id, script=f"Draft {draft_id}."), over=0)
    await panel.open_draft("one")
    await panel.idle()
    search, brought = desk.book.search, asyncio.Event()

    async def slow(*arguments, **options):
        await brought.wait()
        return await search(*arguments, **options)

    monkeypatch.setattr(desk.book, "search", slow)
    panel.spawn(panel._list)
    await asyncio.sleep(0.01)
    await panel.open_draft("two")
    brought.set()
    await panel.idle()

    assert panel.list.s_drafts.value == "two"
