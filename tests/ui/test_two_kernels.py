"""One home folder, opened in two notebooks with a kernel each."""

from __future__ import annotations

import re
import time

import pytest

from heygen_nb.ledger import Ledger

# make test lets processes race for one batch, in crash/test_race.py
pytestmark = [pytest.mark.browser, pytest.mark.soak]

PLAYS = "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"


def write(book, title, script):
    book.field("Title").fill(title)
    book.field("Script").fill(script)


def saved(lab, title):
    with Ledger(f"sqlite:///{lab.home / 'heygen_nb.db'}") as ledger:
        return [row.script for row in ledger.drafts.all() if row.title == title]


def wait_until_saved(book, lab, title, script):
    deadline = time.monotonic() + 120
    while saved(lab, title) != [script]:
        assert time.monotonic() < deadline, saved(lab, title)
        book.page.wait_for_timeout(100)


def pick(book, title):
    """Choose a draft in the list."""
    option = book.page.locator(".hg-list option").filter(has_text=title)
    option.wait_for(state="attached")
    book.page.locator(".hg-list select").select_option(option.get_attribute("value"))
    book.page.wait_for_function(
        "title => [...document.querySelectorAll('.hg input')]"
        ".some(field => field.value === title)",
        arg=title,
    )


def test_a_draft_written_in_both_asks_and_loses_no_text(studio, lab):
    first = studio("first")
    write(first, "Both", "As it began.")
    wait_until_saved(first, lab, "Both", "As it began.")
    second = studio("second")
    pick(second, "Both")
    assert second.field("Script").input_value() == "As it began."

    second.field("Script").fill("Written in the second.")
    wait_until_saved(second, lab, "Both", "Written in the second.")
    first.field("Script").fill("Written in the first.")

    first.page.get_by_text("This draft was changed elsewhere at").wait_for()
    assert first.field("Script").input_value() == "Written in the first."
    assert saved(lab, "Both") == ["Written in the second."]  # until it is answered
    first.button("Keep my text").click()
    wait_until_saved(first, lab, "Both", "Written in the first.")

    second.field("Caption (Telegram)").fill("A caption of the second.")
    second.page.get_by_text("This draft was changed elsewhere at").wait_for()
    assert second.field("Script").input_value() == "Written in the second."
    second.button("Take the other").click()
    second.page.wait_for_function(
        "() => [...document.querySelectorAll('.hg textarea')]"
        ".some(field => field.value === 'Written in the first.')"
    )
    assert saved(lab, "Both") == ["Written in the first."]


def test_a_render_begun_in_one_is_shown_in_the_others_and_paid_once(studio, lab):
    charged = len(lab.ledger()["charges"])
    lab.slow_down(slow=True)
    first = studio("one")
    before = studio("opened-before")
    write(first, "Shared", "This one is watched from three notebooks.")
    first.button("🎬 Create video").click()
    log = first.page.locator(".hg-log pre")
    log.filter(has_text=re.compile("pending|processing")).wait_for()

    before.tab("Generation").click()
    after = studio("opened-after")
    for other in (before, after):
        other.page.get_by_text("1 rendering").wait_for()
        other.page.locator(".hg-card h3").filter(has_text="Shared").wait_for()
    lab.slow_down(slow=False)

    for book in (first, before, after):
        book.page.wait_for_function(PLAYS)
    assert len(lab.ledger()["charges"]) == charged + 1


def test_create_pressed_in_both_makes_one_video(studio, lab):
    charged = len(lab.ledger()["charges"])
    first = studio("press-one")
    write(first, "Pressed twice", "Somebody presses the button in both notebooks.")
    script = "Somebody presses the button in both notebooks."
    wait_until_saved(first, lab, "Pressed twice", script)
    second = studio("press-two")
    pick(second, "Pressed twice")

    first.button("🎬 Create video").click()
    second.button("🎬 Create video").click()

    for book in (first, second):
        book.page.wait_for_function(PLAYS)
    assert len(lab.ledger()["charges"]) == charged + 1
