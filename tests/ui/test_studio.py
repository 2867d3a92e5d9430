from __future__ import annotations

import asyncio

import pytest
from ipywidgets.widgets.widget import _instances as live

from heygen_nb.models import Draft
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.generation import GenerationPanel
from heygen_nb.ui.history import ROWS, HistoryPanel
from heygen_nb.ui.settings import SettingsPanel
from heygen_nb.ui.state import SharedState
from heygen_nb.ui.studio import Studio

pytestmark = pytest.mark.anyio

LEO = Draft(id="a1b2c3d4", title="Leo", script="Leo, slow down.")


@pytest.fixture
async def studio(shared):
    studio = Studio(shared)
    await settle(studio)
    yield studio
    studio.close()


async def settle(studio):
    await studio.idle()
    for panel in list(studio.panels.values()):
        await panel.idle()


async def test_five_tabs_in_the_language_of_the_user(studio, shared):
    assert studio.tabs.titles == (
        *("Drafts", "Generation", "Settings", "History", "Analytics"),
    )

    await shared.set_language("ru")

    assert studio.tabs.titles == (
        *("Черновики", "Генерация", "Настройки", "История", "Аналитика"),
    )
    assert studio.d_language.value == "ru"


async def test_a_panel_is_built_when_its_tab_is_first_seen(studio):
    assert list(studio.panels) == [DraftsPanel]

    for index in range(5):
        studio.tabs.selected_index = index
        await settle(studio)

    assert len(studio.panels) == 5


def reached(studio):
    """Return the ids of all widgets in sight or not, with what they share."""
    seen, waiting = set(), [studio]
    while waiting:
        if (widget := waiting.pop()) not in seen:
            seen.add(widget)
            parts = (getattr(widget, name, None) for name in ("layout", "style"))
            waiting += [*getattr(widget, "children", ()), *filter(None, parts)]
    return {widget.model_id for widget in seen}


async def open_all(studio):
    for index in range(5):
        studio.tabs.selected_index = index
        await settle(studio)


async def test_all_tabs_with_a_film_in_two_of_them_are_few_widgets(shared):
    before = {*live}
    drafts = [LEO.model_copy(update={"id": f"d{number}"}) for number in range(ROWS + 2)]
    await shared.drafts.add(drafts)
    jobs = shared.jobs.start(drafts)
    await asyncio.gather(*(job.task for job in jobs))
    for job in jobs[1:]:
        await shared.jobs.forget(job)
    studio = Studio(shared)
    await open_all(studio)

    history = studio.panels[HistoryPanel]
    assert len(history.s_videos.options) == ROWS
    assert len(studio.panels[DraftsPanel].list.s_drafts.options) == ROWS + 2
    history.s_videos.value = [history.lines[0].render_id]
    await settle(studio)
    assert history.view.actions.offered
    assert history.view is studio.panels[GenerationPanel].view
    # what is made and not shown costs the browser as much
    assert len((live.keys() - before) | reached(studio)) <= 150
    studio.close()


async def test_each_tab_shows_the_film_that_is_looked_at_there(studio, shared):
    await shared.jobs.start([LEO])[0].task
    studio.show_tab(GenerationPanel)
    await settle(studio)
    await shared.jobs.start([LEO.model_copy(update={"id": "virgo"})])[0].task
    await settle(studio)
    assert studio.view.line.draft_id == "virgo"

    studio.show_tab(HistoryPanel)
    await settle(studio)
    history = studio.panels[HistoryPanel]
    history.s_videos.value = [history.lines[1].render_id]
    await settle(studio)
    assert studio.view.line.draft_id == LEO.id

    studio.show_tab(GenerationPanel)
    await settle(studio)
    assert studio.view.line.draft_id == "virgo"


async def test_a_film_that_is_done_while_nobody_looks_is_there_afterwards(
    studio, shared
):
    studio.show_tab(GenerationPanel)
    studio.show_tab(SettingsPanel)
    await settle(studio)
    await shared.jobs.start([LEO])[0].task
    await settle(studio)

    studio.show_tab(GenerationPanel)
    await settle(studio)
    assert studio.view.player.path.name == f"{LEO.id}.mp4"


async def test_a_panel_that_nobody_sees_catches_up_when_it_is_seen(studio, shared):
    drafts = studio.panels[DraftsPanel]
    studio.show_tab(SettingsPanel)
    await settle(studio)

    await shared.drafts.save(LEO, over=0)
    await settle(studio)

    assert not drafts.list.s_drafts.options
    studio.show_tab(DraftsPanel)
    await settle(studio)
    [(label, key)] = drafts.list.s_drafts.options
    assert key == LEO.id
    assert "Leo" in label


async def test_the_tab_says_how_many_drafts_there_are(studio, shared):
    await shared.drafts.save(LEO, over=0)
    await settle(studio)

    assert studio.tabs.titles[0] == "Drafts · 1"


async def test_the_header_shows_balance_and_renders_in_flight(studio, shared):
    assert "balance $100.00" in studio.chips.value
    assert "API wallet<" in studio.chips.value
    assert "HEYGEN_API_KEY" not in studio.chips.value

    job = shared.jobs.start([LEO])[0]
    assert "1 rendering" in studio.chips.value
    await job.task
    await settle(studio)

    assert "rendering" not in studio.chips.value
    assert "balance $100.00" not in studio.chips.value


async def test_the_sandbox_has_a_clear_badge(home, monkeypatch):
    studio = Studio(SharedState())

    assert "SANDBOX · local and free" in studio.title.value
    studio._tasks.clear()
    studio.close()
    await studio.shared.settled()


async def test_renders_in_flight_open_the_generation_tab(studio, shared):
    job = shared.jobs.start([LEO])[0]
    await settle(studio)

    assert isinstance(studio.panels[GenerationPanel], GenerationPanel)
    await job.task


async def test_a_broken_config_opens_the_settings(home, shared):
    (home / "config.yaml").write_text("video_duration: [30")
    shared.reload()
    studio = Studio(shared)
    await settle(studio)

    assert "line" in studio.panels[SettingsPanel].told
    studio.close()


async def test_two_studios_show_the_same_renders_and_pay_once(studio, shared, sandbox):
    other = Studio(shared)
    first, second = shared.jobs.start([LEO])[0], shared.jobs.start([LEO])[0]
    await first.task
    await settle(other)

    assert first is second
    assert len(sandbox.charges()) == 1
    other.close()


async def test_a_new_draft_of_an_old_render_is_opened_for_editing(studio, shared):
    await shared.jobs.start([LEO])[0].task
    studio.show_tab(HistoryPanel)
    await settle(studio)
    history = studio.panels[HistoryPanel]
    await history.view.look_at(history.lines[0].render_id)

    await history.view.new_draft()
    await settle(studio)

    drafts = studio.panels[DraftsPanel]
    assert studio.tabs.titles[studio.tabs.selected_index] == "Drafts · 1"
    assert drafts.t_script.value == LEO.script
    assert drafts.editor.kept.draft.id != LEO.id
