"""From a topic to a video in a real browser, by clicking alone."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.soak]

SHOWN = "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"
HEARD = "() => [...document.querySelectorAll('audio')].some(a => a.readyState > 0)"
PICTURED = """() => [...document.querySelectorAll('.hg-tile')].some(tile =>
  getComputedStyle(tile).getPropertyValue('--picture').includes('data:image/jpeg'))"""
SCRIPT = (
    "Good morning! Today one small promise is enough. Keep it before noon, and the"
    " rest of the day will follow."
)


def picture() -> bytes:
    content = io.BytesIO()
    Image.effect_noise((1080, 1920), 60).convert("RGB").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def authoring(lab, open_notebook, fake_model):
    """The Studio in a kernel that knows a language model."""

    def _open(name="authoring", *, config="", **size):
        lab.configure(config)
        path = lab.notebook(
            name,
            "import os\n"
            f"os.environ['HEYGEN_NB_SCRIPT_BASE_URL'] = {fake_model.base_url!r}\n"
            "os.environ['HEYGEN_NB_SCRIPT_MODEL'] = 'test-model'\n"
            "import heygen_nb as hg\n\nhg.Studio()",
        )
        book = open_notebook(path, **size)
        book.run_all()
        # drafts and balance are there: nothing moves under the mouse any more
        book.drafts_ready()
        book.page.locator(".hg-head .hg-chip", has_text="$").wait_for()
        return book

    return _open


def snap(book, name):
    """Keep a picture for the eye, when a folder for it is named."""
    if folder := os.environ.get("SCREENS_FOLDER"):
        target = Path(folder, f"{name}.png")
        book.page.locator(".hg-app").screenshot(path=target)


def test_from_a_topic_to_a_video_by_clicking(authoring, fake_model, lab):
    charged = len(lab.ledger()["charges"])
    fake_model.say(SCRIPT, title="One promise", caption="One small promise 🌱")
    book = authoring()
    page = book.page

    # generate
    book.button("✍️ Write…").click()
    book.field("Topic").fill("small promises")
    snap(book, "write")
    book.button("✍️ Write").click()
    page.wait_for_function(
        "text => [...document.querySelectorAll('textarea')]"
        ".some(area => area.value === text && !area.disabled)",
        arg=SCRIPT,
    )
    assert book.field("Title").input_value() == "One promise"
    assert json.loads(fake_model.asked[0]["messages"][1]["content"])["topic"] == (
        "small promises"
    )
    book.button("✍️ Write…").click()

    # a voice, heard first
    page.get_by_role("button", name="🎤").click()
    book.field("🔎 Name, language or id").fill("maya")
    first = page.locator(".hg-voices option").first
    first.filter(has_text="Maya").wait_for(state="attached")
    book.field("Voices").select_option(index=0)
    book.button("▶ Sample").click()
    page.wait_for_function(HEARD)
    snap(book, "voice")
    book.button("Use this voice").click()
    book.button("🎤 Maya").wait_for()

    # an avatar, seen first
    page.get_by_role("button", name="🧑").click()
    page.wait_for_function(PICTURED)
    snap(book, "avatar")
    page.locator(".hg-tile").nth(1).click()
    book.button("Use this avatar").click()
    book.button("🧑 first avatar").wait_for(state="detached")

    # a background of one's own
    page.get_by_role("button", name="🖼️").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(
        {"name": "noise.png", "mimeType": "image/png", "buffer": picture()}
    )
    page.get_by_role("button", name="noise").first.wait_for()
    snap(book, "background")

    # seen and heard before it is paid for, then rendered
    book.button("👁 Preview").click()
    page.wait_for_function(SHOWN)
    snap(book, "preview")
    book.button("🎬 Create video").click()
    page.locator(".hg-log pre").filter(has_text="✅ Video created! ID: ").wait_for()

    made = lab.newest_render()
    assert made["status"] == "completed"
    body = lab.newest_body()
    assert body["script"] == SCRIPT
    assert body["voice_id"] == "voice_en_003"
    assert body["avatar_id"] == "look_own_02"
    assert body["background"]["asset_id"].startswith("asset_")
    assert len(lab.ledger()["charges"]) == charged + 1


SCREENS = [("ru", "light", 360), ("ru", "dark", 700), ("en", "light", 1100)]


@pytest.mark.parametrize(("language", "theme", "width"), SCREENS)
def test_what_opens_in_the_drafts_fits_its_width(
    authoring, tmp_path, language, theme, width
):
    """The pictures go to SCREENS_FOLDER, to be looked at."""
    folder = Path(os.environ.get("SCREENS_FOLDER", tmp_path))
    book = authoring(f"open-{language}-{width}", config=f"language: {language}\n")
    app = book.page.locator(".hg-app")
    book.page.set_viewport_size({"width": width + 90, "height": 1600})
    book.theme(theme)
    for number, sign in enumerate(("✍️", "📊", "🎤", "🧑", "🖼️")):
        button = book.page.locator(".hg-left button, .hg-own button", has_text=sign)
        button.click()
        book.calm()  # lists and pictures come
        app.screenshot(path=folder / f"open-{theme}-{language}-{width}-{number}.png")
        assert app.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), sign
        button.click()
