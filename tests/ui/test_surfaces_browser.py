"""Where else a notebook is shown, and what is left of a panel after its kernel."""

from __future__ import annotations

import io
import random
from urllib.parse import urlsplit

import pytest
from PIL import Image

from .hub import hub_before

# make test sees JupyterLab alone, and a restarted kernel in test_browser.py
pytestmark = [pytest.mark.browser, pytest.mark.soak]

DEAD = "run the cell again"
PLAYABLE = "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"


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
    book.page.wait_for_function(PLAYABLE)
    assert lab.newest_render()["status"] == "completed"


def test_a_saved_notebook_opened_again_says_to_run_the_cell(studio, open_notebook):
    book = studio("saved")
    assert DEAD in book.save()
    shown = "() => window.jupyterapp.shell.currentWidget.context.path"
    path = book.page.evaluate(shown)
    book.restart()  # a kernel that knows nothing of the panel
    book.page.context.close()

    again = open_notebook(path)

    again.page.get_by_text(DEAD).wait_for(state="visible")


PLAYED = """async () => {
  const film = document.querySelector('video.hg-video')
  film.muted = true
  await film.play()
  return film.currentSrc
}"""
PICTURED = """() => {
  const seen = [...document.querySelectorAll('.hg-tile img, img.hg-thumb')]
  return seen.length > 0 && seen.every(picture => picture.naturalWidth > 0)
}"""


def noise(side=900):
    """Return a picture of 2 MB that nothing makes smaller."""
    image = Image.frombytes(
        "RGB", (side, side), random.Random(0).randbytes(3 * side**2)
    )
    stream = io.BytesIO()
    image.save(stream, "png")
    return stream.getvalue()


def test_behind_a_hubs_proxy_films_pictures_and_uploads_play(lab, open_notebook):
    lab.configure()
    path = lab.notebook("hub", "import heygen_nb as hg\n\nhg.Studio()")
    with hub_before(lab.url) as hub:
        book = open_notebook(path, server=hub)
        book.run_all()
        page = book.page
        book.field("Script").fill("Leo, today the stars ask you to slow down.")
        page.get_by_role("button", name="🖼️").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Upload").click()
        file = {"name": "noise.png", "mimeType": "image/png", "buffer": noise()}
        chooser.value.set_files(file)
        page.get_by_role("button", name="noise").first.wait_for()
        page.wait_for_function(PICTURED)

        book.button("🎬 Create video").click()

        page.wait_for_function(PLAYABLE)
        source = page.evaluate(PLAYED)
        page.wait_for_function("() => document.querySelector('video').currentTime > 0")
        assert urlsplit(source).netloc == urlsplit(hub).netloc
        assert lab.newest_body()["background"]["asset_id"].startswith("asset_")
        page.context.close()


def test_a_tab_reopened_unsaved_lives_or_says_to_run_the_cell(studio, open_notebook):
    """The file holds the panel of an earlier run, whatever was shown since."""
    book = studio("reopened")
    book.save()
    shown = "() => window.jupyterapp.shell.currentWidget.context.path"
    path = book.page.evaluate(shown)
    book.run_all()
    book.page.get_by_text("[2]:").wait_for()
    book.page.context.close()

    again = open_notebook(path)  # the kernel has the earlier panel still
    again.page.locator(".hg-app").wait_for()
    again.page.get_by_text(DEAD).wait_for(state="hidden")
    again.tab("Settings").click()
    again.field("HeyGen API key").wait_for()
    again.restart()
    again.run_all()  # shown, and not saved
    again.page.locator(".hg:not(.jupyter-widgets-disconnected) .hg-app").wait_for()
    again.page.context.close()

    dead = open_notebook(path)  # the kernel of the file's panel has gone
    dead.page.get_by_text(DEAD).wait_for(state="visible")
    assert dead.page.locator(".hg-app").count() == 0
    dead.run_all()
    dead.page.locator(".hg-app").wait_for()
    dead.page.get_by_text(DEAD).wait_for(state="hidden")
