"""What only a real JupyterLab and a real browser can show."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from heygen_nb.timing import estimate_s

pytestmark = pytest.mark.browser

DEAD = "run the cell again"
# make test does it in the longer words; make soak does it in English too
EN = pytest.param("en", marks=pytest.mark.soak)
PLAYS = "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"


def fitting(sentence: str, seconds: float) -> str:
    """Repeat a sentence until it fills the time at a natural speed."""
    return " ".join([sentence] * round(seconds / estimate_s(sentence)))


FITS_45_S = fitting("Leo, today the stars ask you to slow down a little.", 45)
FITS_45_S_RU = fitting("Лев, сегодня звёзды просят вас немного отдохнуть.", 45)
WORDS = {
    "en": {
        "script": FITS_45_S,
        "Script": "Script",
        "Title": "Title",
        "Create": "🎬 Create video",
        "Settings": "Settings",
        "Drafts": "Drafts",
        "Duration": "⏱️ Video duration (seconds)",
        "Save": "💾 Save all settings",
        "asked 45": "asked: 45 s",
        "log": (
            "🎬 Creating video for script #",
            "📤 Sending script to the HeyGen API...",
            "✅ Status: completed (",
            "✅ Video created! ID: ",
        ),
        "why": ("at least 15 s", "at most 60 s", "is not a number"),
    },
    "ru": {
        "script": FITS_45_S_RU,
        "Script": "Сценарий",
        "Title": "Заголовок",
        "Create": "🎬 Создать видео",
        "Settings": "Настройки",
        "Drafts": "Черновики",
        "Duration": "⏱️ Длительность видео (секунды)",
        "Save": "💾 Сохранить все настройки",
        "asked 45": "задано: 45 с",
        "log": (
            "🎬 Создание видео для сценария #",
            "📤 Отправка скрипта в HeyGen API...",
            "✅ Статус: completed (прошло ",
            "✅ Видео создано! ID: ",
        ),
        "why": ("не меньше 15", "не больше 60", "не число"),
    },
}


def log_of(book):
    return book.page.locator(".hg-log pre")


def wait_for_video(book):
    book.page.wait_for_function(PLAYS)


def write(book, title, script, words=WORDS["en"]):
    book.field(words["Title"]).fill(title)
    book.field(words["Script"]).fill(script)


@pytest.mark.parametrize("language", [EN, "ru"])
def test_the_three_tests_of_the_notes(studio, lab, language):
    words = WORDS[language]
    book = studio(f"notes-{language}", config=f"language: {language}\n")

    # Test 3: what does not fit is put right, and the panel says why
    book.tab(words["Settings"]).click()
    duration = book.field(words["Duration"])
    for typed, kept, why in zip(
        ("5", "90", "abc"), ("15", "60", "30"), words["why"], strict=True
    ):
        duration.fill(typed)
        book.button(words["Save"]).click()
        book.page.get_by_role("status").filter(has_text=why).wait_for()
        assert duration.input_value() == kept
        assert f"video_duration: {kept}" in (lab.home / "config.yaml").read_text()

    # Test 2: 45 is saved, and the next video is made to be 45 s long
    duration.fill("45")
    book.button(words["Save"]).click()
    book.page.get_by_role("status").filter(has_text="30 → 45").wait_for()
    assert "video_duration: 45" in (lab.home / "config.yaml").read_text()

    # Test 1: create a video and watch the log
    book.tab(words["Drafts"]).click()
    write(book, "Leo", words["script"], words)
    book.button(words["Create"]).click()
    for line in words["log"]:
        log_of(book).filter(has_text=line).wait_for()
    wait_for_video(book)
    made = lab.newest_render()
    assert made["target_s"] == 45
    assert abs(made["duration_s"] - 45) <= 0.3 * 45  # fast mode guesses
    assert book.page.get_by_text(words["asked 45"]).first.is_visible()


def test_clicks_work_while_a_cell_awaits_and_survive_its_interrupt(lab, open_notebook):
    lab.configure()
    path = lab.notebook(
        "awaiting",
        "import asyncio\nimport heygen_nb as hg\n\nstudio = hg.Studio()\nstudio",
        "await asyncio.sleep(600)",
    )
    book = open_notebook(path)
    book.run_all()
    book.drafts_ready()
    write(book, "While a cell awaits", "This is clicked while a cell awaits.")

    book.button("🎬 Create video").click()
    log_of(book).filter(has_text="📤").wait_for()
    book.interrupt()

    wait_for_video(book)
    assert "KeyboardInterrupt" in book.save() or "CancelledError" in book.save()


def test_a_kernel_restart_in_the_middle_of_a_render_costs_nothing(studio, lab):
    lab.slow_down(slow=True)
    charged = len(lab.ledger()["charges"])
    book = studio("restarted")
    write(book, "Restarted", "This one is restarted in the middle.")
    book.button("🎬 Create video").click()
    log_of(book).filter(has_text=re.compile("pending|processing")).wait_for()
    note = book.page.get_by_text(DEAD)
    assert note.is_hidden()

    book.restart()
    note.wait_for(state="visible")  # the panel looks dead, and says so
    app = book.page.locator(".hg > .hg-app")
    assert float(app.evaluate("a => getComputedStyle(a).opacity")) < 1
    book.run_all()
    book.page.locator(".hg:not(.jupyter-widgets-disconnected) .hg-app").wait_for()
    note.wait_for(state="hidden")
    book.page.get_by_text("1 rendering").wait_for()
    lab.slow_down(slow=False)

    wait_for_video(book)
    assert len(lab.ledger()["charges"]) == charged + 1
    assert book.field("Title").count() == 1


@pytest.mark.soak
def test_script_in_texts_runs_nothing_and_no_secret_is_saved(studio, lab):
    evil = "<img src=x onerror=window.pwned=1>"
    secret = "sk_kept_out_of_the_notebook"
    book = studio("evil")
    book.tab("Settings").click()
    book.field("HeyGen API key").fill(secret)
    book.field("HeyGen API key").fill("")  # not saved: the sandbox goes on
    book.tab("Drafts").click()
    write(book, evil, f"{evil} Hello there.")
    book.field("Caption (Telegram)").fill(evil)
    name = lab.home / "<img src=x onerror=window.pwned=1>.md"
    name.write_text("---\nunclosed")
    with book.page.expect_file_chooser() as chooser:
        book.page.locator(".hg-import").click()
    chooser.value.set_files(name)
    book.page.get_by_role("alert").first.wait_for()
    book.button("🎬 Create video").click()
    book.page.get_by_role("alert").filter(has_text="would be read out").wait_for()
    book.field("Script").fill("Hello there, this is a script.")
    book.field("Caption (Telegram)").fill("Hello")  # HTML is refused there too
    book.field("Title").fill("Hello")
    book.button("🎬 Create video").click()
    wait_for_video(book)
    for tab in ("History", "Analytics", "Drafts"):
        book.tab(tab).click()
        book.page.wait_for_timeout(300)

    assert book.page.evaluate("() => window.pwned") is None
    assert book.page.locator("img[src=x]").count() == 0
    saved = book.save()
    assert secret not in saved
    assert "video/mp4" not in saved
    assert "base64" not in saved
    assert len(saved) < 20_000
    assert json.loads(saved)["cells"]


TABS = {
    "en": ("Drafts", "Generation", "Settings", "History", "Analytics"),
    "ru": ("Черновики", "Генерация", "Настройки", "История", "Аналитика"),
}


@pytest.mark.soak
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_tab_fits_its_width_in_both_themes(studio, tmp_path, language):
    """The pictures go to SCREENS_FOLDER, to be looked at."""
    folder = Path(os.environ.get("SCREENS_FOLDER", tmp_path))
    book = studio(f"fits-{language}", config=f"language: {language}\n")
    app = book.page.locator(".hg-app")
    for theme, width in (("light", 1280), ("dark", 700)):
        # JupyterLab's own margins are beside it
        book.page.set_viewport_size({"width": width + 90, "height": 1000})
        book.theme(theme)
        for number, tab in enumerate(TABS[language]):
            book.tab(tab).click()
            book.calm()
            name = f"{theme}-{language}-{width}-{number}.png"
            app.screenshot(path=folder / name)
            assert app.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), tab
