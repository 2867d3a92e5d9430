from __future__ import annotations

import pytest

import heygen_nb as hg
from heygen_nb.models import Draft
from heygen_nb.ui.drafts import DraftsPanel

pytestmark = pytest.mark.anyio

DRAFT = Draft(id="a1b2c3d4", script="Leo, slow down today, and keep it kind. " * 5)


@pytest.fixture
async def panel(desk):
    changes = {"length_mode": "exact", "heygen_voice": "Oliver"}
    desk.settings = desk.settings.model_copy(update=changes)
    panel = DraftsPanel(desk)
    await panel.idle()
    await desk.book.save(DRAFT, over=0)
    await panel.open_draft(DRAFT.id)
    yield panel
    panel.close()


async def hear(panel, until, button):
    panel._hear.click()
    await until(
        lambda: panel._question and "hg-off" not in panel._question._dom_classes
    )
    asked = panel._question._text.value
    getattr(panel._question, button).click()
    await panel.idle()
    return asked


@pytest.mark.parametrize("button", ["_yes", "_no"])
async def test_a_speech_is_paid_only_when_somebody_agrees(
    panel, sandbox, until, button
):
    asked = await hear(panel, until, button)

    assert "at most 0." in asked
    assert bool(sandbox.charges()) == (button == "_yes")


async def test_the_speech_of_a_rendered_draft_is_asked_for_too(
    panel, desk, sandbox, home, until
):
    await hg.render_video(DRAFT, settings=desk.settings)
    paid = len(sandbox.charges())
    await desk.close()
    for file in home.glob("heygen_nb.db*"):  # the ledger is lost
        file.unlink()
    await hg.render_video(DRAFT, settings=desk.settings)  # found at HeyGen
    await desk.book.save(DRAFT, over=0)

    await hear(panel, until, "_no")

    assert len(sandbox.charges()) == paid


async def test_no_speech_is_made_when_exact_length_is_off_by_now(panel, desk, sandbox):
    desk.settings = desk.settings.model_copy(update={"length_mode": "estimate"})

    panel._hear.click()
    await panel.idle()

    assert sandbox.charges() == []


@pytest.mark.parametrize("button", ["_create", "_hear"])
async def test_who_agreed_to_another_cost_has_not_agreed(
    panel, desk, sandbox, until, button
):
    getattr(panel, button).click()
    await until(lambda: panel._question)
    dearer = {"resolution": "4k", "video_duration": 60}
    desk.settings = desk.settings.model_copy(update=dearer)
    panel._question._yes.click()
    await panel.idle()

    assert "settings have changed" in panel._notice.value
    assert desk.jobs.all == []
    assert sandbox.charges() == []
