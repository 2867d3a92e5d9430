from __future__ import annotations

import pytest

import heygen_nb as hg
from heygen_nb.models import Draft
from heygen_nb.ui.drafts import DraftsPanel

pytestmark = pytest.mark.anyio

DRAFT = Draft(id="a1b2c3d4", script="Leo, slow down today, and keep it kind. " * 5)


@pytest.fixture
async def panel(shared):
    changes = {"length_mode": "exact", "heygen_voice": "Oliver"}
    shared.settings = shared.settings.model_copy(update=changes)
    panel = DraftsPanel(shared)
    await panel.idle()
    await shared.drafts.save(DRAFT, over=0)
    await panel.open_draft(DRAFT.id)
    yield panel
    panel.close()


async def hear(panel, until, button):
    panel.doing["hear"].click()
    await until(lambda: panel.question)
    asked = panel.question.text.value
    getattr(panel.question, button).click()
    await panel.idle()
    return asked


@pytest.mark.parametrize("button", ["yes", "no"])
async def test_a_speech_is_paid_only_when_somebody_agrees(
    panel, sandbox, until, button
):
    asked = await hear(panel, until, button)

    assert "at most $0." in asked
    assert bool(sandbox.charges()) == (button == "yes")


async def test_the_speech_of_a_film_made_here_is_asked_for_too(
    panel, shared, sandbox, until
):
    here = {"heygen_use_avatar": False, "no_avatar": "local"}
    shared.settings = shared.settings.model_copy(update=here)

    asked = await hear(panel, until, "no")

    assert "at most $0." in asked
    assert sandbox.charges() == []


async def test_another_engine_is_taken_by_one_click(panel, shared, sandbox, until):
    change = {"length_mode": "estimate"}
    shared.settings = shared.settings.model_copy(update=change)
    panel.doing["create"].click()
    await until(lambda: panel.question)
    assert "avatar_v $1." in panel.question.text.value
    assert "avatar_iii $0." in panel.question.text.value
    assert "no avatar $0." in panel.question.text.value

    buttons = {b.description.split()[1]: b for b in panel.question.others}
    buttons["avatar_iii"].click()
    await until(lambda: panel.question and "$0." in panel.question.yes.description)
    assert sandbox.charges() == []
    panel.question.yes.click()
    await panel.idle()
    await shared.jobs.all[0].task

    [charge] = sandbox.charges()
    [job] = sandbox.ledger()["jobs"]
    assert job["engine"] == "avatar_iii"
    assert charge["amount"] < 1


async def test_the_speech_of_a_rendered_draft_is_asked_for_too(
    panel, shared, sandbox, home, until
):
    await hg.render_video(DRAFT, settings=shared.settings)
    paid = len(sandbox.charges())
    await shared.close()
    for file in home.glob("heygen_nb.db*"):  # the ledger is lost
        file.unlink()
    await hg.render_video(DRAFT, settings=shared.settings)  # found at HeyGen
    await shared.drafts.save(DRAFT, over=0)

    await hear(panel, until, "no")

    assert len(sandbox.charges()) == paid


async def test_no_speech_is_made_when_exact_length_is_off_by_now(
    panel, shared, sandbox
):
    shared.settings = shared.settings.model_copy(update={"length_mode": "estimate"})

    panel.doing["hear"].click()
    await panel.idle()

    assert sandbox.charges() == []


@pytest.mark.parametrize("button", ["create", "hear"])
async def test_who_agreed_to_another_cost_has_not_agreed(
    panel, shared, sandbox, until, button
):
    panel.doing[button].click()
    await until(lambda: panel.question)
    dearer = {"resolution": "4k", "video_duration": 60}
    shared.settings = shared.settings.model_copy(update=dearer)
    panel.question.yes.click()
    await panel.idle()

    assert "settings have changed" in panel.told
    assert shared.jobs.all == []
    assert sandbox.charges() == []
