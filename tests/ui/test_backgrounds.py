from __future__ import annotations

import base64
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

import heygen_nb as hg
from heygen_nb.api import settings_for
from heygen_nb.renderer.order import order
from heygen_nb.ui.base import Panel
from heygen_nb.ui.pickers import BackgroundPicker

pytestmark = pytest.mark.anyio


class Wall(Panel):
    """A panel with nothing but a picker in it."""

    def _build(self):
        self.chosen = []

        async def choose(value):
            self.chosen.append(value)

        self.picker = BackgroundPicker(self, choose)
        return (self.picker,)

    async def _begin(self):
        await self.picker.begin("")


@pytest.fixture
async def wall(shared):
    panel = Wall(shared)
    await panel.idle()
    yield panel
    panel.close()


def png(color="#204060", size=(80, 60)):
    stream = BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


async def upload(wall, name, content):
    """Do what the browser does when a file was chosen."""
    file = {
        "name": name,
        "type": "image/png",
        "size": len(content),
        "content": memoryview(content),
        "last_modified": datetime(2026, 1, 1, tzinfo=UTC),
    }
    wall.picker.u_file.set_trait("value", (file,))
    await wall.idle()


def titles(wall):
    buttons = wall.picker.grid.buttons
    seen = [b for b in buttons if "hg-off" not in b._dom_classes]
    return [b.description.partition("\n")[0] for b in seen]


def notice(wall):
    return wall.told


def click(row):
    row.children[-1].click()


async def test_an_upload_is_kept_chosen_marked_and_shown(wall, home):
    await upload(wall, "../my sea.png", png())

    (value,) = wall.chosen
    assert (home / value).read_bytes() == png()
    assert titles(wall) == ["✓ my-sea"]
    assert "data:image/jpeg;base64," in wall.picker.now.value
    assert "my-sea" in wall.picker.now.value
    assert wall.picker.u_file.value == ()
    assert wall.picker.place.html == ""


async def test_a_good_upload_takes_away_what_was_said_of_a_bad_one(wall):
    await upload(wall, "notes.png", b"no picture")
    assert "it is no picture" in notice(wall)

    await upload(wall, "sea.png", png())

    assert notice(wall) == ""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.png", b"<html><script>alert(1)</script>", "it is no picture"),
        ("empty.png", b"", "it is empty"),
        ("cut.png", png(size=(400, 400))[:-200], "it is damaged"),
        ("big.png", png() + bytes(33_000_000), "33.0 MB, more than 32 MB"),
        ("<img src=x onerror=alert(1)>.png", b"?", "&lt;img src=x"),
    ],
)
async def test_a_bad_upload_is_told_and_damages_nothing(
    wall, home, name, content, reason
):
    await upload(wall, "sea.png", png())

    await upload(wall, name, content)

    assert reason in notice(wall)
    assert "<img src=x" not in notice(wall)
    assert len(wall.chosen) == 1
    assert titles(wall) == ["✓ sea"]
    assert reason in wall.picker.place.html
    assert len(list((home / "backgrounds").iterdir())) == 1
    await upload(wall, "lake.png", png("#00ff00"))
    assert len(wall.chosen) == 2


async def test_a_colour_is_chosen_by_its_button(wall):
    wall.picker.c_color.value = "#a0b0c0"
    click(wall.picker.children[1])
    await wall.idle()

    assert wall.chosen == ["#a0b0c0"]
    assert "#a0b0c0" in wall.picker.now.value


async def test_the_name_of_a_colour_is_no_background_of_heygen(wall):
    wall.picker.c_color.value = "rebeccapurple"
    click(wall.picker.children[1])
    await wall.idle()

    assert wall.chosen == []
    assert "#203040" in notice(wall)


async def test_a_link_is_fetched_before_it_is_used(wall, sandbox):
    link = f"{sandbox.handle.base_url}/files/looks/look_own_01.jpg"
    wall.picker.t_link.value = f" {link} "
    click(wall.picker.children[2])
    await wall.idle()

    assert wall.chosen == [link]
    assert wall.picker.t_link.value == ""

    wall.picker.t_link.value = f"{sandbox.handle.base_url}/nothing.jpg"
    click(wall.picker.children[2])
    await wall.idle()

    assert wall.chosen == [link]
    assert wall.picker.t_link.value.endswith("nothing.jpg")  # to be put right
    assert "404" in notice(wall)


async def test_a_file_by_its_path_is_copied_into_home(wall, home, tmp_path):
    (tmp_path / "lake.png").write_bytes(png())
    wall.picker.t_link.value = str(tmp_path / "lake.png")
    click(wall.picker.children[2])
    await wall.idle()

    assert wall.chosen[0].startswith("backgrounds/")
    assert titles(wall) == ["✓ lake"]


async def test_an_empty_field_asks_nothing(wall):
    wall.picker.t_link.value = "  "
    click(wall.picker.children[2])
    await wall.idle()

    assert wall.chosen == []
    assert not notice(wall)


async def test_an_earlier_one_is_chosen_from_the_gallery(shared, home):
    (home / "backgrounds").mkdir()
    (home / "backgrounds" / "by hand.png").write_bytes(png())
    draft = hg.Draft(id="d1", script="Hello.", background="#102030")
    async with shared.account() as account:
        await order(account, draft, settings_for(draft, shared.settings))
    wall = Wall(shared)
    await wall.idle()
    assert titles(wall) == ["by hand", "#102030"]

    wall.picker.grid.buttons[1].click()
    await wall.idle()
    assert wall.picker.c_color.value == "#102030"
    wall.picker.grid.buttons[0].click()
    await wall.idle()

    assert wall.chosen == ["#102030", "backgrounds/by hand.png"]
    assert titles(wall) == ["✓ by hand", "#102030"]
    wall.close()


async def test_a_file_that_went_away_meanwhile_leaves_the_mark_where_it_was(wall, home):
    await upload(wall, "sea.png", png())
    await upload(wall, "lake.png", png("#00ff00"))
    (home / wall.chosen[0]).unlink()
    names = titles(wall)

    wall.picker.grid.buttons[names.index("sea")].click()
    await wall.idle()

    assert "there is no such file" in notice(wall)
    assert titles(wall) == names
    assert len(wall.chosen) == 2


async def test_no_background_is_a_choice_too(wall):
    await upload(wall, "sea.png", png())
    click(wall.picker.children[0])
    await wall.idle()

    assert wall.chosen[-1] == ""
    assert titles(wall) == ["sea"]
    assert "No background" in wall.picker.now.value


async def test_what_is_used_now_is_shown_whatever_it_is(wall):
    for value in ("<b>x</b>", "https://x.example/a.png", "gone.png", "#12"):
        await wall.picker.begin(value)

        assert "<b>" not in wall.picker.now.value
    await wall.picker.begin("#102030")
    data = wall.picker.now.value.partition("base64,")[2].partition('"')[0]
    with Image.open(BytesIO(base64.b64decode(data))) as swatch:
        assert swatch.size == (32, 32)
