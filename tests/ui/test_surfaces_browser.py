"""Where else a notebook is shown, and what is left of a panel after its kernel."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEAD = "run the cell again"


def test_notebook_7_makes_a_video_and_plays_it(lab, open_notebook):
    lab.configure()
    path = lab.notebook("seven", "import heygen_nb as hg\n\nhg.Studio()")
    book = open_notebook(path, where="notebooks")
    book.run_all()
    book.drafts_ready()
    book.field("Script").fill("Leo, today the stars ask you to slow down.")

    book.button("🎬 Create video").click()

    video = book.page.locator("video").first
    video.wait_for()
    book.page.wait_for_function(
        "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"
    )
    assert lab.newest_render()["status"] == "completed"


def test_a_panel_whose_kernel_was_restarted_looks_dead_and_says_so(studio):
    book = studio("restarted")
    note = book.page.get_by_text(DEAD)
    assert note.is_hidden()

    book.restart()

    note.wait_for(state="visible")
    app = book.page.locator(".hg > .hg-app")
    assert float(app.evaluate("a => getComputedStyle(a).opacity")) < 1
    book.run_all()
    book.page.locator(".hg:not(.jupyter-widgets-disconnected) .hg-app").wait_for()
    note.wait_for(state="hidden")


def test_a_saved_notebook_opened_again_says_to_run_the_cell(studio, open_notebook):
    book = studio("saved")
    assert DEAD in book.save()
    shown = "() => window.jupyterapp.shell.currentWidget.context.path"
    path = book.page.evaluate(shown)
    book.restart()  # a kernel that knows nothing of the panel
    book.page.context.close()

    again = open_notebook(path)

    again.page.get_by_text(DEAD).wait_for(state="visible")
