from __future__ import annotations

import re

import pytest

import heygen_nb as hg
from heygen_nb import i18n
from heygen_nb.reports import Analytics
from heygen_nb.ui.analytics import AnalyticsPanel, charts_html
from heygen_nb.ui.state import SharedState

pytestmark = pytest.mark.anyio

SCRIPT = "Hello there. This sentence is made to be said in three seconds or so. " * 7


@pytest.fixture
async def panel(sandbox):
    settings = sandbox.settings()
    drafts = [hg.Draft(script=SCRIPT), hg.Draft(script=f"Again. {SCRIPT}")]
    await hg.render_batch(drafts, settings=settings)
    panel = AnalyticsPanel(SharedState(settings))
    await panel.idle()
    yield panel
    panel.close()
    await panel.shared.close()


async def test_figures_and_charts_are_shown_in_the_themes_colours(panel):
    assert re.search(r"<b>\$\d+\.\d\d</b><span[^>]*>spent<", panel.figures.value)
    # nothing failed or was posted, and one month or engine is no comparison
    assert panel.charts.value.count("<svg") == 2
    assert "var(--brand" in panel.charts.value
    assert "#010101" not in panel.charts.value


async def test_texts_in_charts_are_harmless():
    reasons = [{"reason": "<script>alert(1)</script>", "renders": 1}] * 2

    html = charts_html(Analytics({}, {"failures": reasons}))

    assert html.count("<svg") == 1
    assert "<script>" not in html


async def test_the_period_keeps_when_the_language_changes(panel):
    panel.d_period.value = 7
    await panel.idle()

    i18n.set_language("ru")
    panel.shared.tell("language")
    await panel.idle()

    assert panel.d_period.value == 7
    assert panel.charts.value


async def test_loading_is_shown_and_the_figures_come_before_the_charts(
    panel, monkeypatch
):
    seen = []

    def charts(_found):
        seen.append((panel.figures.value, panel.charts.value))
        return "charts"

    monkeypatch.setattr("heygen_nb.ui.analytics.charts_html", charts)
    panel.d_period.value = 0
    await panel.idle()

    [(figures, waiting)] = seen
    assert "spent" in figures
    assert "progressbar" in waiting
    assert panel.charts.value == "charts"


async def test_what_finishing_here_saved_is_told(panel):
    shared = panel.shared
    [one, _other] = await shared.read(lambda ledger: ledger.history.page())
    wish = {"captions": False, "loudness": 0, "aspect_ratio": "9:16"}
    await shared.read(lambda ledger: ledger.wish(one.id, "", None, wish))

    panel.d_period.value = 7
    await panel.idle()

    assert f"<b>${one.cost:.2f}</b>" in panel.figures.value
    assert "saved by finishing here" in panel.figures.value


async def test_tables_are_saved_beside_the_videos(panel, home):
    panel.spawn(panel.save)
    await panel.idle()

    assert (home / "analytics" / "money.csv").exists()
    assert "6 tables" in panel.told


async def test_a_home_without_renders_says_so(home):
    panel = AnalyticsPanel(SharedState(hg.load_settings()))
    await panel.idle()

    assert "Nothing was rendered yet" in panel.figures.value
    assert "<svg" not in panel.charts.value
    panel.close()
    await panel.shared.close()
