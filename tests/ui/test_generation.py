from __future__ import annotations

import asyncio
import re
import time

import pytest

from heygen_nb.models import Draft, Progress
from heygen_nb.ui import generation
from heygen_nb.ui.generation import CARDS, GenerationPanel, RenderCard

pytestmark = pytest.mark.anyio

LEO = Draft(id="a1b2c3d4", title="Leo", script="Leo, slow down.", caption="Your day")


@pytest.fixture
async def panel(shared):
    panel = GenerationPanel(shared)
    await panel.idle()
    yield panel
    panel.close()


async def finish(panel, job):
    await asyncio.gather(job.task, return_exceptions=True)
    await panel.idle()


def buttons(panel, job):
    actions = panel.cards[job].actions
    return {actions[name].description: actions[name] for name in actions.offered}


def card(panel, job):
    return panel.cards[job].html.value


async def test_the_log_reads_as_in_the_notes(panel, shared):
    await finish(panel, shared.jobs.start([LEO])[0])

    log = "\n".join(shared.jobs.log)
    assert re.search(r"^\[\d\d:\d\d:\d\d\] 🎬 Creating video for script #a1b2c3d4", log)
    assert "📤 Sending script to the HeyGen API..." in log
    assert re.search(r"✅ Status: completed \(\d+s elapsed\)", log)
    assert re.search(r"✅ Video created! ID: \w+$", log)


async def test_the_finished_video_plays_in_place_by_its_relative_path(panel, shared):
    await finish(panel, shared.jobs.start([LEO])[0])

    (bundle,) = panel.view.player.screen.outputs
    assert 'src="videos/' in bundle["data"]["text/html"]
    assert panel.view in panel.children[-2].children


async def test_the_video_that_is_done_last_is_shown(panel, shared):
    await finish(panel, shared.jobs.start([LEO])[0])
    await finish(panel, shared.jobs.start([LEO.model_copy(update={"id": "virgo"})])[0])
    assert panel.view.player.path.name == "virgo.mp4"

    older = shared.jobs.all[1]
    buttons(panel, older)["▶ Play"].click()
    await panel.idle()

    assert panel.view.player.path.name == "a1b2c3d4.mp4"


async def test_the_video_is_sent_on_the_button_and_not_before(panel, shared, sandbox):
    await finish(panel, shared.jobs.start([LEO])[0])
    assert sandbox.ledger()["posts"] == []

    panel.view.actions["send"].click()
    await panel.idle()

    assert len(sandbox.ledger()["posts"]) == 1
    assert "📱 Video sent to Telegram" in shared.jobs.log[-1]
    assert "send" not in panel.view.actions.offered
    assert "📱 sent" in card(panel, shared.jobs.all[0])


async def test_the_post_has_the_caption_that_the_draft_has_by_now(
    panel, shared, sandbox
):
    await shared.drafts.save(LEO, over=0)
    await finish(panel, shared.jobs.start([LEO])[0])
    await shared.drafts.save(LEO.model_copy(update={"caption": "A better one"}), over=1)

    panel.view.actions["send"].click()
    await panel.idle()

    assert sandbox.ledger()["posts"][0]["text"] == "A better one"


async def test_with_auto_send_on_the_video_is_sent_by_itself(panel, shared, sandbox):
    shared.settings = shared.settings.model_copy(update={"telegram_auto_send": True})
    await finish(panel, shared.jobs.start([LEO])[0])

    assert len(sandbox.ledger()["posts"]) == 1


async def test_clicking_twice_renders_once(panel, shared, sandbox):
    first, second = shared.jobs.start([LEO])[0], shared.jobs.start([LEO])[0]
    await finish(panel, first)

    assert first is second
    assert len(sandbox.charges()) == 1


async def test_stopping_to_wait_cancels_nothing_and_can_be_taken_up(
    make_sandbox, shared, panel, until
):
    sandbox = make_sandbox(processing_s=0.5)
    shared.settings = sandbox.settings()
    job = shared.jobs.start([LEO])[0]
    await until(lambda: "Stop waiting" in buttons(panel, job))

    buttons(panel, job)["Stop waiting"].click()
    await asyncio.sleep(0)
    await finish(panel, job)
    assert job.stopped
    assert "waiting stopped" in card(panel, job)
    buttons(panel, job)["▶ Wait on"].click()
    await panel.idle()
    (again,) = shared.jobs.all
    await finish(panel, again)

    assert again.outcome.status == "completed"
    assert len(sandbox.charges()) == 1


async def test_stopping_is_not_offered_before_heygen_has_answered(
    sandbox, shared, panel, until
):
    sandbox.fault("slow", "/v3/videos", method="POST", delay_s=1.5)
    job = shared.jobs.start([LEO])[0]
    await until(lambda: sandbox.requests("POST /v3/videos"))

    assert "Stop waiting" not in buttons(panel, job)
    await finish(panel, job)


async def test_a_failure_says_what_whether_charged_and_what_to_do(
    panel, shared, sandbox
):
    sandbox.fault("status", "/v3/videos", method="POST", status=402, times=1)
    job = shared.jobs.start([LEO])[0]
    await finish(panel, job)

    told = card(panel, job)
    assert "❌" in told
    assert "Nothing was charged." in told
    assert "👉" in told
    assert "↻ Try again" in buttons(panel, job)

    sandbox.clear_faults()
    buttons(panel, job)["↻ Try again"].click()
    await panel.idle()
    (again,) = shared.jobs.all
    await finish(panel, again)
    assert again.outcome.status == "completed"


async def test_a_failed_card_follows_the_language(panel, shared, sandbox):
    sandbox.fault("status", "/v3/videos", method="POST", status=402, times=1)
    job = shared.jobs.start([LEO])[0]
    await finish(panel, job)
    assert "is not enough" in card(panel, job)

    await shared.set_language("ru")
    await panel.idle()

    told = card(panel, job)
    assert "is not enough" not in told
    assert "❌ Не хватает баланса" in told
    assert "👉 Пополните" in told


async def test_the_timer_ticks_without_asking_heygen(
    make_sandbox, shared, panel, monkeypatch, until
):
    monkeypatch.setattr(generation, "TICK_S", 0.05)
    sandbox = make_sandbox(processing_s=30)
    shared.settings = sandbox.settings(poll_interval_s=60)
    job = shared.jobs.start([LEO])[0]
    await until(lambda: sandbox.ledger()["jobs"])
    asked = sum(sandbox.ledger()["requests"].values())
    job.begun_at = time.monotonic() - 161.5

    await until(lambda: "⏱️ 02:4" in card(panel, job))

    assert sum(sandbox.ledger()["requests"].values()) == asked


async def test_the_timer_ends_when_nothing_runs(panel, shared, monkeypatch, until):
    monkeypatch.setattr(generation, "TICK_S", 0.05)
    await finish(panel, shared.jobs.start([LEO])[0])

    await until(lambda: not panel.timer)


async def test_another_kernels_renders_are_taken_up_and_paid_once(
    make_sandbox, shared, panel, until
):
    sandbox = make_sandbox(processing_s=0.3)
    shared.settings = sandbox.settings()
    job = shared.jobs.start([LEO])[0]
    await until(lambda: job.progress and job.progress.elapsed_s)
    await shared.jobs.stop(job)
    await finish(panel, job)
    await shared.jobs._taking_up  # it was begun when the panel was opened
    shared.jobs._jobs.clear()  # as a new kernel would find it

    shared.jobs.take_up()
    await shared.jobs._taking_up

    (taken,) = shared.jobs.all
    assert taken.outcome.status == "completed"
    assert len(sandbox.charges()) == 1


async def test_script_in_titles_and_errors_runs_nothing(panel, shared, sandbox):
    evil = "<img src=x onerror=alert(1)>"
    sandbox.fault("status", "/v3/videos", method="POST", status=400, times=1)
    job = shared.jobs.start([LEO.model_copy(update={"title": evil, "id": "evil"})])[0]
    shared.jobs.say(evil)
    await asyncio.sleep(0.25)
    await finish(panel, job)

    for html in (card(panel, job), panel.log_view.value):
        assert "<img" not in html
        assert "&lt;img" in html


class Going:
    """A render on its way, told to the card without a clock of its own."""

    draft, outcome, running, stopped, failed = LEO, None, True, False, False

    def __init__(self):
        self.look(60, 240)

    def look(self, elapsed_s, eta_s, span=None):
        """Let a look at HeyGen tell this."""
        self.elapsed_s, self.eta_s = elapsed_s, eta_s
        self.progress = Progress(
            status="processing",
            elapsed_s=elapsed_s,
            fraction=elapsed_s / (elapsed_s + eta_s),
            eta_s=eta_s,
            eta_range_s=span,
        )


def width(html):
    return int(re.search(r"width:(\d+)%", html)[1])


async def test_the_bar_moves_between_two_looks_and_never_goes_back(panel):
    job = Going()
    one = RenderCard(panel, job)
    one.draw()
    widths = [width(one.html.value)]

    job.elapsed_s, job.eta_s = 120, 180  # no look in between
    one.draw()
    widths.append(width(one.html.value))
    job.look(121, 600)  # it will take longer than was thought
    one.draw()
    widths.append(width(one.html.value))

    assert widths == [20, 40, 40]


async def test_the_time_left_never_jumps_up_and_says_how_sure_it_is(panel):
    job = Going()
    one = RenderCard(panel, job)
    job.look(60, 240, span=(170, 350))
    one.draw()
    assert "about 4 min (2–6)" in one.html.value

    job.look(70, 500, span=(300, 900))
    one.draw()

    assert "about 4 min" in one.html.value


async def test_a_batch_says_how_far_it_is_and_reaches_every_card(
    panel, shared, sandbox
):
    sandbox.fault("status", "/v3/videos", method="POST", status=400, times=2)
    drafts = [LEO.model_copy(update={"id": f"d{n}"}) for n in range(8)]
    for draft in drafts:
        await finish(panel, shared.jobs.start([draft])[0])
    assert "6 of 8 · 2 failed" in panel.batch_text.value
    assert len(panel.cards) == CARDS

    panel.pages["older"].click()
    await panel.idle()
    assert [job.draft.id for job in panel.cards] == ["d1", "d0"]
    assert "older" not in panel.pages.offered

    paid = len(sandbox.charges())
    panel.pages["retry"].click()
    await ask(panel)
    panel.question.yes.click()
    await panel.idle()
    for job in shared.jobs.all:
        await finish(panel, job)

    assert "8 of 8" in panel.batch_text.value
    assert len(sandbox.charges()) == paid + 2
    assert "retry" not in panel.pages.offered


async def ask(panel):
    async with asyncio.timeout(60):
        while not panel.question:  # noqa: ASYNC110 - what is awaited is a widget
            await asyncio.sleep(0.01)


async def test_a_server_out_of_reach_is_told_with_since_when_and_when_again(
    panel, shared, sandbox, until
):
    sandbox.fault("status", "/v3/videos/*", method="GET", status=404, times=None)
    job = shared.jobs.start([LEO])[0]
    await until(lambda: job.progress and job.progress.status == "unknown")
    panel.cards[job].draw()  # as every second does; no look comes in between
    told, logged = card(panel, job), "\n".join(shared.jobs.log)
    sandbox.clear_faults()
    await finish(panel, job)

    assert re.search(r"out of reach since \d\d:\d\d:\d\d; the next look is in", told)
    assert "the next look is in" in logged
    assert "out of reach" not in card(panel, job)
    assert len(sandbox.charges()) == 1


async def test_the_newest_render_is_brought_into_view(panel, shared, monkeypatch):
    monkeypatch.setattr(generation, "_VIEW_S", 0)
    drafts = [LEO.model_copy(update={"id": f"d{n}"}) for n in range(CARDS + 2)]
    jobs = shared.jobs.start(drafts)
    for job in jobs:
        await finish(panel, job)
    panel.pages["older"].click()
    await panel.idle()
    assert jobs[-1] not in panel.cards
    focused = []

    def focus(card):
        focused.append(card)

    monkeypatch.setattr(RenderCard, "focus", focus)

    await panel.reveal()

    assert focused == [panel.cards[jobs[-1]]]


async def test_the_log_comes_after_the_cards_and_the_film(panel, shared):
    await finish(panel, shared.jobs.start([LEO])[0])
    columns, log = panel.children[-2:]

    assert log is panel.log_view
    assert panel.view in columns.children
