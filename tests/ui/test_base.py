from __future__ import annotations

import asyncio
import threading
from inspect import isfunction

import ipywidgets as widgets
import pytest

from heygen_nb.errors import ApiError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui.base import Panel, make

pytestmark = pytest.mark.anyio


class Small(Panel):
    def _build(self):
        self.done = []
        self.go = self.button(lambda: _("Cancel"), self.work)
        return (self.go,)

    async def work(self):
        self.done.append(asyncio.get_running_loop())


@pytest.fixture
async def panel(shared):
    panel = Small(shared)
    yield panel
    panel.close()


def notice(panel):
    return panel.told


async def test_a_click_starts_work_on_the_loop_of_the_cell(panel):
    panel.go.click()

    await panel.idle()
    assert panel.done == [asyncio.get_running_loop()]


async def test_a_click_in_another_thread_starts_work_on_the_loop_of_the_cell(panel):
    clicker = threading.Thread(target=panel.go.click)
    clicker.start()
    clicker.join()

    await panel.idle()
    assert panel.done == [asyncio.get_running_loop()]


async def test_an_error_is_shown_with_what_to_do_and_whether_it_was_charged(panel):
    async def fail():
        raise ApiError("HeyGen said no.", hint="Try <again>.", charged=False)

    panel.spawn(fail)
    await panel.idle()

    assert "HeyGen said no." in notice(panel)
    assert "Try &lt;again&gt;." in notice(panel)
    assert "Nothing was charged." in notice(panel)


async def test_a_surprise_is_shown_and_logged(panel, caplog):
    async def fail():
        raise ZeroDivisionError("<b>")

    panel.spawn(fail)
    await panel.idle()

    assert "ZeroDivisionError: &lt;b&gt;" in notice(panel)
    assert "Traceback" in caplog.text


async def test_an_error_in_sight_follows_the_language(panel, shared):
    words = _("{seconds} s at least, {seconds:.1f} s")  # not in the catalogue
    hint = _("Allowed: {allowed}.").format(allowed=_("Cancel"))

    async def fail():
        raise ApiError(words.format(seconds=2), hint=hint)

    panel.spawn(fail)
    await panel.idle()
    assert "2 s at least, 2.0 s" in notice(panel)
    await shared.set_language("ru")

    assert "Допустимо: Отмена." in notice(panel)
    assert "2 s at least, 2.0 s" in notice(panel)


async def test_what_is_being_done_is_told_until_it_is_done(panel, until):
    place, go_on = panel.place(), asyncio.Event()

    async def work():
        panel.tell_busy(_("Testing…"))
        await go_on.wait()

    panel.spawn(work, place)
    await until(lambda: "Testing…" in place.html)
    go_on.set()
    await panel.idle()

    assert place.html == ""


async def test_a_second_click_waits_for_the_first(panel, until):
    go_on, begun = asyncio.Event(), []

    async def work():
        begun.append(1)
        await go_on.wait()

    button = panel.button(_("Cancel"), work)
    button.click()
    button.click()
    await until(lambda: begun)
    go_on.set()
    await panel.idle()
    button.click()
    await panel.idle()

    assert len(begun) == 2


async def test_closing_cancels_what_runs(panel, until):
    started = asyncio.Event()

    async def forever():
        started.set()
        await asyncio.Event().wait()

    panel.spawn(forever)
    await started.wait()
    panel.close()

    await until(lambda: not panel._tasks)


async def test_a_question_waits_for_its_answer(panel, until):
    answers = []

    async def ask():
        answers.append(await panel.ask("Pay <$2>?", "Pay"))

    panel.spawn(ask)
    await until(lambda: panel.question)
    assert "Pay &lt;$2&gt;?" in panel.question.text.value
    panel.question.yes.click()
    await panel.idle()

    assert answers == [True]


async def test_a_second_question_leaves_the_first_without_an_answer(panel):
    first = asyncio.ensure_future(panel.ask("One?", "Yes"))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(panel.ask("Two?", "Yes"))
    await asyncio.sleep(0)
    panel.question.no.click()

    assert (await first, await second) == (None, False)


async def test_the_language_is_switched_at_once_in_every_panel(panel, shared):
    other = Small(shared)

    await shared.set_language("ru")

    assert panel.go.description == other.go.description == "Отмена"
    other.close()


async def test_widgets_share_one_layout_and_one_style_a_kind():
    first, second = make(widgets.Button), make(widgets.Button)

    assert first.layout is second.layout
    assert first.style is second.style


def test_no_name_of_ours_hides_one_of_ipywidgets():
    theirs = {*dir(widgets.VBox), *vars(widgets.VBox())}
    for kind in _subclasses(Panel):
        ours = {name for name, thing in vars(kind).items() if isfunction(thing)}
        assert ours & theirs <= {"__init__", "close"}, kind


def _subclasses(kind):
    from heygen_nb.ui import studio  # noqa: F401, PLC0415 - loads them all

    return {kind, *kind.__subclasses__()} - {Small}


async def test_the_last_panel_that_closes_lets_go_of_everything(shared):
    before = asyncio.all_tasks()
    panel = Small(shared)
    async with shared.account():
        pass

    panel.close()
    await shared.settled()

    assert shared._kept_for is None
    assert asyncio.all_tasks() <= before
