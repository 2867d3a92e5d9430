from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_a_click_with_no_cell_running_ends_with_the_video_playing(studio, lab):
    book = studio()
    book.field("Title").fill("Leo, Monday")
    book.field("Script").fill("Leo, today the stars ask you to slow down.")
    book.page.screenshot(path="/tmp/ui/a.png")

    book.button("🎬 Create video").click()

    book.page.screenshot(path="/tmp/ui/b.png")
    video = book.page.locator("video").first
    video.wait_for()
    book.page.wait_for_function("() => document.querySelector('video').readyState > 0")
    book.page.screenshot(path="/tmp/ui/c.png")
