from __future__ import annotations

import io
import wave

import pytest

from heygen_nb.i18n import set_language
from heygen_nb.ui.base import Panel
from heygen_nb.ui.pickers import LISTED, VoicePicker

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_voices")]

EVIL = "<img onerror=alert(1)>"


class Shop(Panel):
    """A panel with nothing but the picker in it."""

    def _build(self):
        self.used = []

        async def choose(wish):
            self.used.append(wish)

        self.picker = VoicePicker(self, choose)
        return (self.picker,)


@pytest.fixture
async def shop(shared):
    panel = Shop(shared)
    await panel.picker.begin("Clara")
    await panel.idle()
    yield panel
    panel.close()


@pytest.fixture
def picker(shop):
    return shop.picker


def listed(picker):
    space = "\N{NO-BREAK SPACE}"
    return [label.replace(space, " ") for label, _id in picker.s_voices.options]


async def type_in(shop, text):
    shop.picker.t_search.value = text
    await shop.idle()


async def test_a_hundred_are_listed_the_one_in_use_first_and_marked(picker):
    assert len(listed(picker)) == LISTED
    assert listed(picker)[0].startswith("✓ Clara")
    assert picker.s_voices.value == "voice_en_001"
    assert "1203 voices · the first 100 are listed" in picker.about.value
    assert "fresh list" in picker.about.value


async def test_typing_narrows_the_list(shop, picker):
    await type_in(shop, "михаил")

    assert [voice_id for _label, voice_id in picker.s_voices.options] == [
        "voice_ru_002"
    ]
    assert "Russian · male · exact length" in listed(picker)[0]


async def test_filters_narrow_it_together(shop, picker):
    picker.d_language.value = "Russian"
    picker.d_gender.value = "female"
    picker.c_exact.value = True
    await shop.idle()

    shown = [picker.items[voice_id] for _label, voice_id in picker.s_voices.options]
    assert shown
    assert {(v.language, v.gender, v.exact) for v in shown} == {
        ("Russian", "female", True)
    }


async def test_a_typing_mistake_shows_the_nearest(shop, picker):
    await type_in(shop, "Olivr")

    assert "nearest are listed" in picker.about.value
    assert listed(picker)[0].startswith("Oliver")


async def test_nonsense_shows_nothing_and_nothing_can_be_used(shop, picker):
    await type_in(shop, "qqqzzz")

    assert listed(picker) == []
    assert picker.use.disabled
    assert picker.play.disabled


async def test_a_sample_is_heard_until_another_voice_is_chosen(shop, picker):
    picker.s_voices.value = "voice_ru_001"
    picker.play.click()
    await shop.idle()

    (audio,) = picker.player.children
    with wave.open(io.BytesIO(audio.value)) as sound:
        assert sound.getnframes()
    assert (audio.format, audio.autoplay) == ("wav", True)

    picker.s_voices.value = "voice_ru_002"
    assert picker.player.children == ()


async def test_typing_does_not_interrupt_the_chosen_voice(shop, picker):
    picker.s_voices.value = "voice_ru_001"
    picker.play.click()
    await shop.idle()
    sound = picker.player.children
    assert sound

    await type_in(shop, "алиса")
    assert (picker.player.children, picker.s_voices.value) == (sound, "voice_ru_001")

    await type_in(shop, "clara")
    assert (picker.player.children, picker.s_voices.value) == ((), None)


async def test_a_sample_that_cannot_be_had_is_said_in_the_panel(shop, picker, sandbox):
    sandbox.fault("status", "/files/*", status=403, times=None)
    picker.play.click()
    await shop.idle()

    assert "answers 403" in shop.told


async def test_a_voice_is_used_by_its_button_only(shop, picker):
    picker.s_voices.value = "voice_ru_001"
    await shop.idle()
    assert shop.used == []

    picker.use.click()
    await shop.idle()

    assert shop.used == ["Алиса"]
    assert listed(picker)[0].startswith("✓ Алиса")


async def test_a_wish_of_the_settings_marks_the_voice_it_stands_for(shop, picker):
    await picker.begin("en-US-Neural2-F")

    assert picker.s_voices.value == "voice_own_01"


async def test_refresh_asks_heygen_again(shop, picker, sandbox):
    pages = sandbox.requests("GET /v3/voices")

    picker.refresh.click()
    await shop.idle()

    assert sandbox.requests("GET /v3/voices") == 2 * pages


async def test_no_panel_lists_again_what_is_at_hand(shop, shared, sandbox):
    pages = sandbox.requests("GET /v3/voices")
    other = Shop(shared)
    await other.picker.begin("")

    assert sandbox.requests("GET /v3/voices") == pages
    other.close()


async def test_without_heygen_the_old_list_stays_and_it_is_said(shop, picker, sandbox):
    sandbox.fault("status", "/v3/*", status=429, code="quota_exceeded", times=None)

    picker.refresh.click()
    await shop.idle()

    assert len(listed(picker)) == LISTED
    assert "not fetched anew" in picker.about.value


async def test_a_name_full_of_html_stays_text(shop, picker, shared):
    async with shared.account() as account:
        said = account.catalogue.said.items
    said[0] = said[0].model_copy(update={"name": EVIL, "language": EVIL})

    await picker.begin("")
    await type_in(shop, "onerror")

    # options of a Select are text nodes; everything that is HTML is escaped
    assert listed(picker)[0].startswith("<img")
    assert "<img" not in picker.about.value


async def test_it_speaks_russian(shop, picker):
    set_language("ru")
    shop.relabel()

    assert picker.d_language.options[0] == ("все", "")
    assert ("Русский", "Russian") in picker.d_language.options


async def test_nothing_of_this_costs(shop, sandbox):
    assert sandbox.charges() == []
