"""A week's work as a creator clicks it: thirty drafts of a table become posts."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import heygen_nb

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(900)]

LOCALE = Path(heygen_nb.__file__).parent / "locale"
TABS = ("Drafts", "Generation", "Settings", "History", "Analytics")
ROWS = "".join(
    f'Совет дня {n},"Сегодня выпейте {n} стаканов воды.",Подпись {n}\n'
    for n in range(1, 31)
)
FIRST_IS_OPEN = """() => [...document.querySelectorAll('.hg input')]
  .some(field => field.value === 'Совет дня 1')"""
_SERIOUS = ("serious", "critical")
_SLOWEST_MS = 120_000


class Hand:
    """Clicks, and counts the clicks.

    Args:
        book: Where.
    """

    def __init__(self, book):
        self.book, self.clicks = book, 0
        self.say = gettext.translation("heygen_nb", LOCALE, ["ru"]).gettext
        book.page.set_default_timeout(_SLOWEST_MS)
        expect.set_options(timeout=_SLOWEST_MS)

    def click(self, what, **how):
        self.clicks += 1
        what.click(**how)

    def button(self, words):
        """Return the button in sight; what is counted or costs is not compared."""
        begin, brace, _rest = self.say(words).partition("{")
        name = re.compile("^" + re.escape(begin) + ("" if brace else "$"))
        return self.book.page.get_by_role("button", name=name).locator("visible=true")

    def agree(self):
        self.click(self.book.page.locator(".hg-question .hg-primary:visible"))

    def tab(self, words):
        self.click(self.book.tab(self.say(words)))

    def choose(self, field, words):
        self.clicks += 2  # a list opens, then one is taken
        box = self.book.page.get_by_label(self.say(field), exact=True)
        box.locator("visible=true").select_option(label=self.say(words))

    def told(self, text):
        said = self.book.page.get_by_role("status").filter(has_text=text)
        said.locator("visible=true").first.wait_for()

    def rows(self):
        return self.book.page.locator(".hg-films:visible option")


def faults(hand, tab):
    """Return what axe finds serious in a tab, once that is drawn."""
    page = hand.book.page
    hand.book.tab(hand.say(tab)).click()
    page.locator(".hg-page > .hg:visible").wait_for()
    expect(page.locator(".hg-busy:visible")).to_have_count(0)
    found = Axe().run(page, context=".hg-app").response["violations"]
    return [fault["id"] for fault in found if fault["impact"] in _SERIOUS]


def test_thirty_drafts_become_posts_in_few_clicks(studio, lab):
    book = studio("week", config="language: ru\n", width=1400)
    hand = Hand(book)
    hand.button("📊 Table…").click()
    with book.page.expect_file_chooser() as chooser:
        book.page.locator(".hg-card .hg-import").click()
    table = {"name": "неделя.csv", "mimeType": "text/csv"}
    head = "Заголовок,Сценарий,Подпись\n"
    chooser.value.set_files([{**table, "buffer": (head + ROWS).encode()}])

    hand.click(hand.button("Add {count} draft"))
    options = book.page.locator(".hg-list select option")
    options.nth(29).wait_for(state="attached")
    book.page.wait_for_function(FIRST_IS_OPEN)  # and is chosen, before others are
    hand.click(options.nth(0))
    hand.click(options.nth(9), modifiers=["Shift"])
    hand.click(hand.button("👁 Preview"))
    book.page.locator("video:visible").wait_for()
    assert len(list((lab.home / "previews").glob("*.mp4"))) <= 10

    lab.sandbox.faults.add("failed_render", times=2)
    hand.click(hand.button("☑ All"))
    hand.click(hand.button("🎬 Render {count}"))
    hand.agree()
    hand.told("28 из 30")
    hand.click(hand.button("↻ Try all that failed again"))
    hand.agree()
    hand.told("30 из 30")

    hand.tab("History")
    films = hand.rows()
    films.nth(9).wait_for(state="attached")
    hand.click(hand.button("☑ All"))
    hand.click(hand.button("🔍 Check"))
    hand.told("30 из 30")
    caption = book.page.get_by_label(hand.say("Caption (Telegram)"))
    for number, text in enumerate(("Доброе утро!", "Добрый вечер!")):
        hand.click(films.nth(number))
        which = re.search(r"дня\s(\d+)", films.nth(number).text_content())[1]
        expect(caption.locator("visible=true")).to_have_value(f"Подпись {which}")
        caption.locator("visible=true").fill(text)
        caption.locator("visible=true").blur()
    hand.click(hand.button("☑ All"))
    lab.sandbox.faults.add("status", "/bot*/sendVideo", status=400, times=1)
    hand.click(hand.button("📱 Send"))
    hand.agree()
    hand.told("29 из 30")
    hand.choose("Show", "not sent")
    book.page.wait_for_function(
        "() => document.querySelectorAll('.hg-films option').length === 1"
    )

    posts = {post["text"] for post in lab.ledger()["posts"]}
    assert len(posts) == 29
    assert {"Доброе утро!", "Добрый вечер!"} & posts
    assert "Совет" in films.inner_text()
    assert hand.clicks <= 25, hand.clicks
    assert not any(faults(hand, name) for name in TABS)
