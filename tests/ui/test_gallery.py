from __future__ import annotations

import base64

import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.ui.base import Panel
from heygen_nb.ui.widgets import PAGE, PictureGrid

pytestmark = pytest.mark.anyio


class Shelf(Panel):
    """A panel with nothing but a gallery in it."""

    def _build(self):
        self.clicked, self.asked = [], []

        async def choose(key):
            self.clicked.append(key)

        self.gallery = PictureGrid(self, choose)
        return (self.gallery,)

    async def picture(self, key):
        self.asked.append(key)
        if key == "k3":
            raise PreviewError("no picture")
        return f"jpeg of {key}".encode()


@pytest.fixture
async def shelf(shared):
    panel = Shelf(shared)
    await panel.idle()
    yield panel
    panel.close()


def tiles(count, first=0):
    return {f"k{n}": f"Look {n}\nportrait" for n in range(first, count)}


def titles(shelf):
    return [
        button.description.partition("\n")[0]
        for button in shelf.gallery.buttons
        if "hg-off" not in button._dom_classes
    ]


async def test_a_page_of_900_asks_for_the_pictures_in_sight_only(shelf):
    await shelf.gallery.fill(tiles(900), shelf.picture)

    assert titles(shelf) == [f"Look {n}" for n in range(PAGE)]
    assert shelf.asked == [f"k{n}" for n in range(PAGE)]
    assert "1–12 of 900" in shelf.gallery.count.value


async def test_pages_are_turned_with_the_same_buttons_to_the_last_one(shelf):
    await shelf.gallery.fill(tiles(15), shelf.picture)
    buttons = shelf.gallery.buttons

    shelf.gallery.forth.click()
    await shelf.idle()

    assert titles(shelf) == ["Look 12", "Look 13", "Look 14"]
    assert shelf.gallery.buttons is buttons
    assert shelf.gallery.forth.disabled
    assert not shelf.gallery.back.disabled


async def test_a_click_chooses_what_the_tile_shows_now(shelf):
    await shelf.gallery.fill(tiles(15), shelf.picture, "k0")
    assert titles(shelf)[0] == "✓ Look 0"
    shelf.gallery.forth.click()
    await shelf.idle()

    shelf.gallery.buttons[1].click()
    await shelf.idle()

    assert shelf.clicked == ["k13"]
    assert titles(shelf)[1] == "✓ Look 13"


async def test_a_picture_that_cannot_be_had_leaves_its_tile_plain(shelf):
    await shelf.gallery.fill(tiles(5), shelf.picture)

    style = shelf.gallery.pictures.value
    assert style.count("data:image/jpeg") == 4
    assert ".hg-tile-3{" not in style
    assert base64.b64encode(b"jpeg of k4").decode() in style


async def test_pictures_of_a_page_that_was_left_are_not_shown(shelf):
    async def slow(key):
        if key == "k0":
            await shelf.gallery.fill(tiles(30, 20), shelf.picture)
        return b"late"

    await shelf.gallery.fill(tiles(12), slow)

    assert base64.b64encode(b"late").decode() not in shelf.gallery.pictures.value
    assert titles(shelf)[0] == "Look 20"


async def test_names_from_outside_stay_text(shelf):
    await shelf.gallery.fill({"k0": "<img onerror=x>"}, shelf.picture)

    # a button's description is set as text by ipywidgets unless it is asked for HTML
    assert titles(shelf) == ["<img onerror=x>"]
    assert "onerror" not in shelf.gallery.pictures.value
