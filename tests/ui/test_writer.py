from __future__ import annotations

import asyncio

import pytest

from heygen_nb.errors import ConfigError
from heygen_nb.models import Draft
from heygen_nb.ui import editor
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.writer import WriterCard
from heygen_nb.writing import Writing

pytestmark = pytest.mark.anyio


class Model(Writing):
    """Writes what it is told, as far as it is let."""

    has_model = True

    def __init__(self, settings) -> None:
        super().__init__(settings)
        self.orders = []
        self.texts = []
        self.go_on = asyncio.Event()
        self.error = None

    def formats(self, _language):
        return []

    def voice_for(self, _script, own=None, _language=None):
        return own

    async def write(self, order, number, on_text=None):
        self.orders.append((order, number))
        for index in range(number):
            on_text("Growing", f"The beginning of {index}", "")
            await self.go_on.wait()
            if self.error:
                raise self.error
            yield Draft(id=f"made{index}", script=f"Script {index}.", title=order.topic)
            self.go_on.clear()

    async def rewrite(self, draft, change, *, language=None, on_text=None):
        self.orders.append((draft, change, language))
        on_text(draft.title, "Half a", draft.caption)
        await self.go_on.wait()
        if self.error:
            raise self.error
        return draft.model_copy(update={"script": f"{change} {language}"})


@pytest.fixture
async def panel(shared, monkeypatch):
    monkeypatch.setattr(editor, "AUTOSAVE_S", 0.01)
    monkeypatch.setattr(editor, "GROW_S", 0)
    shared.writing = Model(lambda: shared.video_settings)
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


async def kept(shared):
    rows, _total = await shared.drafts.search("", limit=10)
    return {row.draft.id: row.draft.script for row in rows}


async def order(panel, topic="Mornings", number=1):
    await panel.open_source(WriterCard)
    (card,) = panel.source.children
    card.t_topic.value = topic
    card.n_number.value = number
    card.b_write.click()
    return card


def undo(panel):
    return panel.rewriter["undo"]


def hidden(widget):
    return "hg-off" in widget._dom_classes


async def test_versions_by_topic_grow_in_the_editor_and_become_drafts(
    panel, shared, until
):
    await order(panel, number=2)

    await until(lambda: panel.t_script.value == "The beginning of 0")
    assert panel.t_script.disabled
    assert "Writing…" in panel.state.value
    shared.writing.go_on.set()
    await until(lambda: panel.t_script.value == "The beginning of 1")
    shared.writing.go_on.set()
    await panel.idle()

    assert await kept(shared) == {"made0": "Script 0.", "made1": "Script 1."}
    assert panel.t_script.value == "Script 1."
    assert not panel.t_script.disabled
    (asked,) = shared.writing.orders
    assert (asked[0].topic, asked[0].target_s, asked[1]) == ("Mornings", 30, 2)


async def test_what_was_typed_before_is_saved_first(panel, shared):
    panel.t_script.value = "My own text."
    shared.writing.go_on.set()

    await order(panel)
    await settled(panel)

    assert sorted((await kept(shared)).values()) == ["My own text.", "Script 0."]


async def test_a_failure_brings_back_what_was_there(panel, shared):
    panel.t_script.value = "My own text."
    await settled(panel)
    shared.writing.error = ConfigError("The model is not there.", hint="Start it.")
    shared.writing.go_on.set()

    await order(panel)
    await settled(panel)

    assert panel.t_script.value == "My own text."
    assert list((await kept(shared)).values()) == ["My own text."]
    assert "The model is not there." in panel.told
    assert not panel.t_script.disabled


async def test_the_second_version_failing_leaves_the_first_whole(panel, shared, until):
    await order(panel, number=2)
    shared.writing.go_on.set()
    await until(lambda: panel.t_script.value == "The beginning of 1")
    shared.writing.error = ConfigError("The model has gone.")
    shared.writing.go_on.set()
    await settled(panel)

    assert await kept(shared) == {"made0": "Script 0."}
    assert panel.t_script.value == "Script 0."


async def test_writing_can_be_stopped(panel, shared, until):
    panel.t_script.value = "My own text."
    await settled(panel)
    await order(panel)
    await until(lambda: panel.t_script.value == "The beginning of 0")

    panel.doing["stop"].click()
    await settled(panel)

    assert panel.t_script.value == "My own text."
    assert list((await kept(shared)).values()) == ["My own text."]
    assert not panel.t_script.disabled


async def test_a_panel_closed_while_writing_keeps_no_half_text(panel, shared, until):
    panel.t_script.value = "My own text."
    await settled(panel)
    await order(panel)
    await until(lambda: panel.t_script.value == "The beginning of 0")

    panel.close()
    await asyncio.sleep(0.05)

    assert list((await kept(shared)).values()) == ["My own text."]


async def test_a_script_is_shortened_and_taken_back(panel, shared):
    panel.t_script.value = "One two three four five six seven. " * 20
    await settled(panel)
    mine = panel.t_script.value
    assert "shorten" in panel.rewriter.offered
    assert "lengthen" not in panel.rewriter.offered
    shared.writing.go_on.set()

    panel.rewriter["shorten"].click()
    await settled(panel)

    assert panel.t_script.value == "shorten None"
    assert list((await kept(shared)).values()) == ["shorten None"]
    assert "undo" in panel.rewriter.offered
    undo(panel).click()
    await settled(panel)
    assert panel.t_script.value == mine
    assert list((await kept(shared)).values()) == [mine]
    assert "undo" not in panel.rewriter.offered


async def test_no_voice_is_chosen_while_something_is_written(panel, shared, until):
    casting = panel.editor.own
    panel.t_script.value = "My own text, which is fine."
    await settled(panel)
    casting.buttons["background"].click()
    await settled(panel)
    assert not hidden(casting.picker)

    panel.rewriter["ru"].click()
    await until(lambda: panel.t_script.value == "Half a")
    inputs = casting.buttons.children
    assert all(widget.disabled for widget in inputs)
    assert hidden(casting.picker)  # what is chosen there would save half a text
    shared.writing.go_on.set()
    await settled(panel)

    assert not any(widget.disabled for widget in inputs)
    assert not hidden(casting.picker)


async def test_writing_takes_an_old_message_away(panel, shared):
    card = await order(panel)
    shared.writing.error = ConfigError("The model is not there.")
    shared.writing.go_on.set()
    await settled(panel)
    assert "The model is not there." in panel.told

    shared.writing.error = None
    shared.writing.go_on.set()
    card.b_write.click()
    await settled(panel)

    assert panel.told == ""


async def test_a_failed_change_leaves_the_script_as_it_was(panel, shared, until):
    panel.t_script.value = "My own text, which is fine."
    await settled(panel)
    panel.rewriter["ru"].click()
    await until(lambda: panel.t_script.value == "Half a")
    shared.writing.error = ConfigError("Refused.")
    shared.writing.go_on.set()
    await settled(panel)

    assert panel.t_script.value == "My own text, which is fine."
    assert "Refused." in panel.told
    assert "undo" not in panel.rewriter.offered


async def test_without_a_model_nothing_is_offered_that_needs_one(panel, shared):
    shared.writing.has_model = False
    panel.t_script.value = "Some text."
    await settled(panel)

    assert hidden(panel.rewriter)
    await panel.open_source(WriterCard)
    (card,) = panel.source.children
    assert hidden(card.t_tone)
    assert "ready formats" in card.who.value


async def test_the_card_closes_when_its_button_is_pressed_again(panel):
    await panel.open_source(WriterCard)
    await panel.open_source(WriterCard)

    assert panel.source.children == ()


async def shortening(panel, until):
    """Have a script shortened, as far as its first words."""
    panel.t_script.value = "Leo, slow down today."
    await settled(panel)
    panel.spawn(lambda: panel.rewriter.change("shorten"))
    await until(lambda: panel.t_script.value == "Half a")


@pytest.mark.parametrize("late", ["key", "new", "delete", "save", "again", "undo"])
async def test_what_comes_late_while_writing_stores_no_half_text(
    panel, shared, until, late
):
    await shortening(panel, until)
    works = {
        "new": panel.new,
        "delete": panel.delete,
        "save": panel.save,
        "again": lambda: panel.rewriter.change("shorten"),
        "undo": panel.rewriter.take_back,
    }
    if late == "key":
        panel.t_caption.value = "typed before the field was locked"
    else:
        panel.spawn(works[late])
    await asyncio.sleep(0.05)

    assert list((await kept(shared)).values()) == ["Leo, slow down today."]
    assert panel.t_script.disabled
    panel.spawn(panel.rewriter.stop)
    await settled(panel)
    assert list((await kept(shared)).values()) == ["Leo, slow down today."]
    assert panel.t_script.value == "Leo, slow down today."
    assert len(shared.writing.orders) == 1


async def test_a_length_chosen_while_writing_stays(panel, shared, until):
    await shortening(panel, until)

    panel.editor.own.t_duration.value = "45"
    shared.writing.go_on.set()
    await settled(panel)

    (row,) = (await shared.drafts.search("", limit=2))[0]
    assert (row.draft.script, row.draft.duration) == ("shorten None", 45)
