"""The Studio without a mouse: reached, named, seen, and a video made."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.soak]

PLAYS = "() => [...document.querySelectorAll('video')].some(v => v.readyState > 0)"
MANY = 60  # more controls than any tab has
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e)
  if (!e.closest('.hg')) return null
  e.dataset.reached = 'yes'
  return {
    html: e.outerHTML.slice(0, 200),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  }
}"""
NOT_REACHED = """() => [...document.querySelectorAll(
    '.hg :is(input:not([type=file]), textarea, select, button, a[href])')]
  .filter(e => e.offsetParent && !e.disabled && !e.dataset.reached)
  .map(e => e.outerHTML.slice(0, 200))"""


class Keyboard:
    """Presses keys, and knows what a screen reader would say."""

    def __init__(self, book):
        self.book = book
        self.page = book.page
        self._devtools = book.page.context.new_cdp_session(book.page)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self):
        return self.page.evaluate(FOCUSED)

    def name(self):
        """The accessible name of what has the focus, as the browser computes it."""
        found = self._devtools.send(
            "Runtime.evaluate", {"expression": "document.activeElement"}
        )
        tree = self._devtools.send(
            "Accessibility.getPartialAXTree",
            {"objectId": found["result"]["objectId"], "fetchRelatives": False},
        )
        return tree["nodes"][0].get("name", {}).get("value", "").strip()

    def enter_studio(self, tab="Drafts"):
        """Come from the notebook's cell; stop at the tabs."""
        self.page.locator(".jp-Notebook .jp-Cell").first.focus()
        self.go_to(tab)

    def begin_draft(self, title):
        """Press the button; the title has the focus then, and is typed."""
        self.go_to("➕ New")
        self.press("Enter")
        self.page.wait_for_function(
            "() => document.activeElement.labels?.[0]?.textContent.includes('Title')"
        )
        self.page.keyboard.type(title)

    def settled(self):
        """Wait until a panel has brought its content: nothing changes any more."""
        app, seen = self.page.locator(".hg-app"), []
        while len(seen) < 5 or len({*seen[-5:]}) > 1:
            self.page.wait_for_timeout(200)
            seen.append(app.inner_html())

    def listed(self, title):
        """Wait until a draft is in the list: what is chosen there goes by its place."""
        self.page.wait_for_function(
            "title => [...document.querySelector('.hg-left .hg-list select')"
            ".selectedOptions].some(o => o.textContent.includes(title))",
            arg=title.replace(" ", "\N{NO-BREAK SPACE}"),
        )

    def back_to(self, name):
        """Go back with Shift+Tab; yield what had the focus."""
        for _ in range(MANY):
            self.press("Shift+Tab")
            if found := self.focused():
                yield {**found, "name": self.name()}
                if self.name().partition(" · ")[0] == name:
                    return
        raise AssertionError(f"{name} cannot be reached")

    def go_to(self, name, key="Tab"):
        for _ in range(MANY):
            self.press(key)
            # a tab may have a number behind its name
            if self.focused() and self.name().partition(" · ")[0] == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    def through(self):
        """Go on with Tab to the end of the Studio; yield what had the focus."""
        for _ in range(MANY):
            if not (found := self.focused()):
                return
            yield {**found, "name": self.name()}
            self.press("Tab")
        raise AssertionError("the focus is caught")


@pytest.fixture
def keyboard(studio):
    book = studio("keyboard")
    book.page.locator(".hg-sandbox").wait_for()
    book.button("💾 Save").wait_for()
    return Keyboard(book)


def test_every_control_of_every_tab_is_reached_named_and_ringed(keyboard):
    keyboard.enter_studio()
    for tab in ("Drafts", "Generation", "Settings", "History", "Analytics"):
        assert keyboard.name().partition(" · ")[0] == tab
        keyboard.press("Enter")
        keyboard.page.locator(".hg .lm-mod-current").filter(has_text=tab).wait_for()
        keyboard.settled()

        controls = [*keyboard.through()]

        assert [control for control in controls if not control["name"]] == []
        assert [control for control in controls if not control["ring"]] == []
        assert keyboard.page.evaluate(NOT_REACHED) == []
        keyboard.enter_studio(tab)
        keyboard.press("ArrowRight")


def test_a_video_is_made_by_keyboard_alone(keyboard):
    keyboard.enter_studio()
    keyboard.begin_draft("By keyboard")
    keyboard.press("Tab")
    keyboard.page.keyboard.type("Typed, and never clicked.")
    keyboard.go_to("🎬 Create video")
    keyboard.press("Space")
    keyboard.page.wait_for_function(PLAYS)

    # the keyboard goes on at the new card, to its video, and back again
    keyboard.go_to("Video")
    controls = [*keyboard.back_to("Drafts")]
    assert [c for c in controls if not (c["name"] and c["ring"])] == []
    keyboard.press("Enter")
    keyboard.begin_draft("Another one")
    keyboard.listed("Another one")
    keyboard.go_to("Drafts", "Shift+Tab")
    keyboard.press("End")
    keyboard.page.wait_for_function(
        "() => [...document.querySelectorAll('.hg input')]"
        ".some(field => field.value === 'By keyboard')"
    )
    assert keyboard.name() == "Drafts"


LOST = "() => document.activeElement === document.body"


def test_keys_make_save_and_turn_drafts_and_the_focus_never_falls(keyboard):
    page, book = keyboard.page, keyboard.book
    script, title = book.field("Script"), book.field("Title")
    title.fill("First")
    script.fill("The first of two scripts, which is short.")
    keyboard.listed("First")  # or letters under way would take "Saved." away again
    # a key that is pressed before the buttons are there waits for them
    late = page.add_style_tag(content=".hg [class*=hg-act-]{display:none!important}")
    page.keyboard.press("Alt+s")
    page.wait_for_timeout(300)
    assert page.get_by_role("status").filter(has_text="Saved.").count() == 0
    late.evaluate("style => style.remove()")
    page.get_by_role("status").filter(has_text="Saved.").wait_for()
    page.keyboard.press("Alt+n")
    page.wait_for_function(
        "() => document.activeElement.labels?.[0]?.textContent.includes('Title')"
    )
    page.keyboard.type("Second")
    script.fill("The second of two scripts, which is short too.")
    keyboard.listed("Second")
    page.keyboard.press("Alt+s")
    page.get_by_role("status").filter(has_text="Saved.").wait_for()

    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.hg input')]"
        ".some(field => field.value === 'First')"
    )
    page.keyboard.press("Alt+/")
    page.get_by_text("Alt+C create").wait_for()

    # what had the focus goes away: it is handed on, to what asked or beside it
    book.button("🗑 Delete").press("Enter")
    book.button("↩ Undo delete").press("Enter")
    book.button("↩ Undo delete").wait_for(state="detached")
    page.wait_for_timeout(300)
    assert not page.evaluate(LOST)

    script.focus()
    page.keyboard.press("Alt+p")
    page.wait_for_function(PLAYS)
    page.keyboard.press("Alt+c")
    page.locator(".hg-log pre").filter(has_text="✅ Video created!").wait_for()
    assert not page.evaluate(LOST)
