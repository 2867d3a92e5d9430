from __future__ import annotations

import asyncio

import pytest

from heygen_nb.ui.base import Panel
from heygen_nb.ui.pickers import AvatarPicker
from heygen_nb.ui.widgets import PAGE

pytestmark = pytest.mark.anyio

PICTURES = "GET /files/looks/{id}.jpg"
EVIL = "<img onerror=alert(1)>"


class Shop(Panel):
    """A panel with nothing but the picker in it."""

    def _build(self):
        self.used = []

        async def choose(avatar_id):
            self.used.append(avatar_id)

        self.picker = AvatarPicker(self, choose)
        return (self.picker,)


@pytest.fixture
async def shop(shared):
    panel = Shop(shared)
    await panel.picker.begin("")
    await panel.idle()
    yield panel
    panel.close()


@pytest.fixture
def picker(shop):
    return shop.picker


def shown(picker):
    return [
        button.description
        for button in picker.grid.buttons
        if "hg-off" not in button._dom_classes
    ]


async def test_the_first_page_shows_own_ones_first_with_their_pictures(picker, sandbox):
    assert shown(picker)[0] == "✓ Me at the desk\nportrait · own"
    assert shown(picker)[3] == "Me on stage\nportrait · own · not ready yet"
    assert "1–12 of 900" in picker.grid.count.value
    assert picker.grid.pictures.value.count("data:image/jpeg") == PAGE
    assert sandbox.requests(PICTURES) == PAGE
    assert sandbox.ledger()["file_requests_with_key"] == 0


async def test_the_first_page_does_not_wait_for_all_pages(shared, sandbox, until):
    sandbox.fault(
        "slow", "/v3/avatars/looks", delay_s=30.0, skip=6, times=None, after=False
    )
    panel = Shop(shared)
    begun = asyncio.create_task(panel.picker.begin(""))

    await until(lambda: panel.picker.grid.pictures.value.count("data:") == PAGE)

    assert not begun.done()
    assert "1–12 of" in panel.picker.grid.count.value
    begun.cancel()
    panel.close()


async def test_when_the_rest_comes_no_picture_is_asked_for_again(shared, sandbox):
    panel = Shop(shared)
    await panel.picker.begin("")
    await panel.idle()

    assert sandbox.requests(PICTURES) == PAGE
    assert len(panel.picker.items) == 900
    panel.close()


async def test_a_page_that_was_seen_is_not_fetched_again(shop, picker, sandbox):
    for button in (picker.grid.forth, picker.grid.back):
        button.click()
        await shop.idle()

    assert sandbox.requests(PICTURES) == 2 * PAGE


async def test_words_owner_and_shape_narrow_it(shop, picker):
    picker.t_search.value = "sofa"
    picker.d_owner.value, picker.d_shape.value = "false", "square"
    await shop.idle()

    assert shown(picker)
    found = [picker.items[key] for key in picker.grid.tiles]
    assert {(a.own, a.orientation) for a in found} == {(False, "square")}
    assert all("sofa" in avatar.name for avatar in found)


async def test_a_typing_mistake_shows_the_nearest(shop, picker):
    picker.t_search.value = "libraryy"
    await shop.idle()

    assert "nearest are listed" in picker.about.value
    assert "library" in shown(picker)[0]


async def test_a_click_tells_all_about_it_and_the_button_uses_it(shop, picker):
    picker.grid.buttons[1].click()
    await shop.idle()

    for part in (
        "Me outdoors",
        "made for 16:9",
        "look_own_02",
        "engines: avatar_iv",
        "digital twin",
    ):
        assert part in picker.details.value
    assert shop.used == []

    picker.use.click()
    await shop.idle()
    assert shop.used == ["look_own_02"]


async def test_one_that_is_not_ready_cannot_be_used(shop, picker):
    picker.grid.buttons[3].click()
    await shop.idle()

    assert picker.use.disabled
    picker.use.click()
    await shop.idle()
    assert shop.used == []


async def test_the_one_in_use_comes_first_however_far_behind(shared):
    panel = Shop(shared)
    await panel.picker.begin("look_149_5")
    await panel.idle()

    assert shown(panel.picker)[0].startswith("✓ ")
    assert next(iter(panel.picker.grid.tiles)) == "look_149_5"
    assert "look_149_5" in panel.picker.details.value
    panel.close()


async def test_the_usual_voice_is_named_when_voices_are_at_hand(shop, picker, shared):
    await shared.listed("voices")
    picker.grid.buttons[5].click()
    await shop.idle()

    assert "usual voice: Clara" in picker.details.value


async def test_refresh_asks_heygen_again(shop, picker, sandbox):
    pages = sandbox.requests("GET /v3/avatars/looks")

    picker.refresh.click()
    await shop.idle()

    assert sandbox.requests("GET /v3/avatars/looks") == 2 * pages
    assert sandbox.requests(PICTURES) == PAGE


async def test_a_look_that_heygen_has_no_more_goes_with_a_refresh(
    shop, picker, shared, monkeypatch
):
    async with shared.account() as account:
        looks = account.catalogue.looks

    async def fewer():
        for look in looks.items[1:3]:
            yield look

    monkeypatch.setattr(looks, "fetch", fewer)
    picker.refresh.click()
    await shop.idle()

    assert [*picker.grid.tiles] == ["look_own_02", "look_own_03"]
    assert picker.use.disabled


async def test_another_draft_finds_its_own_look_marked(shop, picker):
    picker.grid.buttons[1].click()
    await shop.idle()

    await picker.begin("look_own_01")

    assert shown(picker)[0].startswith("✓ ")
    assert "look_own_01" in picker.details.value


async def test_a_name_full_of_html_stays_text(shop, picker, shared):
    async with shared.account() as account:
        looks = account.catalogue.looks.items
    looks[0] = looks[0].model_copy(update={"name": EVIL, "kind": EVIL})

    await picker.begin("")
    picker.grid.buttons[0].click()
    await shop.idle()

    assert "&lt;img onerror" in picker.details.value
    assert "<img" not in picker.details.value
    assert "onerror" not in picker.grid.pictures.value


async def test_nothing_of_this_costs(shop, sandbox):
    assert sandbox.charges() == []
