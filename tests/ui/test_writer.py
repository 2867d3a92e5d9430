from __future__ import annotations

import asyncio

import pytest

from heygen_nb.errors import ConfigError
from heygen_nb.models import Draft
from heygen_nb.ui import editor, page
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.writer import WriterCard

pytestmark = pytest.mark.anyio


class Model:
    """Writes what it is told, as far as it is let."""

    has_model = True

    def __init__(self) -> None:
        self.orders = []
        self.texts = []
        self.go_on = asyncio.Event()
        self.error = None

    def formats(self, _language):
        return []

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
async def panel(desk, monkeypatch):
    monkeypatch.setattr(page, "AUTOSAVE_S", 0.01)
    monkeypatch.setattr(editor, "GROW_S", 0)
    desk.writing = Model()
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


async def kept(desk):
    rows, _total = await desk.book.search("", limit=10)
    return {row.draft.id: row.draft.script for row in rows}


async def order(panel, topic="Mornings", number=1):
    await panel.open_source(WriterCard)
    (card,) = panel._source.children
    card.t_topic.value = topic
    card.n_number.value = number
    card.b_write.click()
    return card


def undo(panel):
    return panel.rewriter.children[-1]


def hidden(widget):
    return "hg-off" in widget._dom_classes


async def test_versions_by_topic_grow_in_the_editor_and_become_drafts(
    panel, desk, until
):
    await order(panel, number=2)

    await until(lambda: panel.t_script.value == "The beginning of 0")
    assert panel.t_script.disabled
    assert "Writing…" in panel._state.value
    desk.writing.go_on.set()
    await until(lambda: panel.t_script.value == "The beginning of 1")
    desk.writing.go_on.set()
    await panel.idle()

    assert await kept(desk) == {"made0": "Script 0.", "made1": "Script 1."}
    assert panel.t_script.value == "Script 1."
    assert not panel.t_script.disabled
    (asked,) = desk.writing.orders
    assert (asked[0].topic, asked[0].target_s, asked[1]) == ("Mornings", 30, 2)


async def test_what_was_typed_before_is_saved_first(panel, desk):
    panel.t_script.value = "My own text."
    desk.writing.go_on.set()

    await order(panel)
    await settled(panel)

    assert sorted((await kept(desk)).values()) == ["My own text.", "Script 0."]


async def test_a_failure_brings_back_what_was_there(panel, desk):
    panel.t_script.value = "My own text."
    await settled(panel)
    desk.writing.error = ConfigError("The model is not there.", hint="Start it.")
    desk.writing.go_on.set()

    await order(panel)
    await settled(panel)

    assert panel.t_script.value == "My own text."
    assert list((await kept(desk)).values()) == ["My own text."]
    assert "The model is not there." in panel._notice.value
    assert not panel.t_script.disabled


async def test_the_second_version_failing_leaves_the_first_whole(panel, desk, until):
    await order(panel, number=2)
    desk.writing.go_on.set()
    await until(lambda: panel.t_script.value == "The beginning of 1")
    desk.writing.error = ConfigError("The model has gone.")
    desk.writing.go_on.set()
    await settled(panel)

    assert await kept(desk) == {"made0": "Script 0."}
    assert panel.t_script.value == "Script 0."


async def test_writing_can_be_stopped(panel, desk, until):
    panel.t_script.value = "My own text."
    await settled(panel)
    await order(panel)
    await until(lambda: panel.t_script.value == "The beginning of 0")

    panel._stop.click()
    await settled(panel)

    assert panel.t_script.value == "My own text."
    assert list((await kept(desk)).values()) == ["My own text."]
    assert not panel.t_script.disabled


async def test_a_panel_closed_while_writing_keeps_no_half_text(panel, desk, until):
    panel.t_script.value = "My own text."
    await settled(panel)
    await order(panel)
    await until(lambda: panel.t_script.value == "The beginning of 0")

    panel.close()
    await asyncio.sleep(0.05)

    assert list((await kept(desk)).values()) == ["My own text."]


async def test_a_script_is_shortened_and_taken_back(panel, desk):
    panel.t_script.value = "One two three four five six seven. " * 20
    await settled(panel)
    mine = panel.t_script.value
    assert not hidden(panel.rewriter._shorten)
    assert hidden(panel.rewriter._lengthen)
    desk.writing.go_on.set()

    panel.rewriter._shorten.click()
    await settled(panel)

    assert panel.t_script.value == "shorten None"
    assert list((await kept(desk)).values()) == ["shorten None"]
    assert not hidden(undo(panel))
    undo(panel).click()
    await settled(panel)
    assert panel.t_script.value == mine
    assert list((await kept(desk)).values()) == [mine]
    assert hidden(undo(panel))


async def test_no_voice_is_chosen_while_something_is_written(panel, desk, until):
    casting = panel._texts.casting
    panel.t_script.value = "My own text, which is fine."
    await settled(panel)
    casting._buttons["background"].click()
    await settled(panel)
    assert not hidden(casting._slot)

    panel.rewriter._to_russian.click()
    await until(lambda: panel.t_script.value == "Half a")
    inputs = (*casting._buttons.values(), casting.t_duration)
    assert all(widget.disabled for widget in inputs)
    assert hidden(casting._slot)  # what is chosen there would save half a text
    desk.writing.go_on.set()
    await settled(panel)

    assert not any(widget.disabled for widget in inputs)
    assert not hidden(casting._slot)


async def test_writing_takes_an_old_message_away(panel, desk):
    card = await order(panel)
    desk.writing.error = ConfigError("The model is not there.")
    desk.writing.go_on.set()
    await settled(panel)
    assert "The model is not there." in panel._notice.value

    desk.writing.error = None
    desk.writing.go_on.set()
    card.b_write.click()
    await settled(panel)

    assert panel._notice.value == ""


async def test_a_failed_change_leaves_the_script_as_it_was(panel, desk, until):
    panel.t_script.value = "My own text, which is fine."
    await settled(panel)
    panel.rewriter._to_russian.click()
    await until(lambda: panel.t_script.value == "Half a")
    desk.writing.error = ConfigError("Refused.")
    desk.writing.go_on.set()
    await settled(panel)

    assert panel.t_script.value == "My own text, which is fine."
    assert "Refused." in panel._notice.value
    assert hidden(undo(panel))


async def test_without_a_model_nothing_is_offered_that_needs_one(panel, desk):
    desk.writing.has_model = False
    panel.t_script.value = "Some text."
    await settled(panel)

    assert hidden(panel.rewriter)
    await panel.open_source(WriterCard)
    (card,) = panel._source.children
    assert hidden(card.t_tone)
    assert "ready formats" in card._who.value


async def test_the_card_closes_when_its_button_is_pressed_again(panel):
    await panel.open_source(WriterCard)
    await panel.open_source(WriterCard)

    assert panel._source.children == ()


async def shortening(panel, until):
    """Have a script shortened, as far as its first words."""
    panel.t_script.value = "Leo, slow down today."
    await settled(panel)
    panel.spawn(lambda: panel.pen.change("shorten", ""))
    await until(lambda: panel.t_script.value == "Half a")


@pytest.mark.parametrize("late", ["key", "new", "delete", "save", "again", "undo"])
async def test_what_comes_late_while_writing_stores_no_half_text(
    panel, desk, until, late
):
    await shortening(panel, until)
    works = {
        "new": panel.new,
        "delete": panel.delete,
        "save": panel.save,
        "again": lambda: panel.pen.change("shorten", ""),
        "undo": panel.pen.take_back,
    }
    if late == "key":
        panel.t_caption.value = "typed before the field was locked"
    else:
        panel.spawn(works[late])
    await asyncio.sleep(0.05)

    assert list((await kept(desk)).values()) == ["Leo, slow down today."]
    assert panel.t_script.disabled
    panel.spawn(panel.pen.stop)
    await settled(panel)
    assert list((await kept(desk)).values()) == ["Leo, slow down today."]
    assert panel.t_script.value == "Leo, slow down today."
    assert len(desk.writing.orders) == 1


async def test_a_length_chosen_while_writing_stays(panel, desk, until):
    await shortening(panel, until)

    panel._texts.casting.t_duration.value = "45"
    desk.writing.go_on.set()
    await settled(panel)

    (row,) = (await desk.book.search("", limit=2))[0]
    assert (row.draft.script, row.draft.duration) == ("shorten None", 45)
