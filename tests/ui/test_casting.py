from __future__ import annotations

import asyncio

import pytest

from heygen_nb.models import Draft
from heygen_nb.ui import editor
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.settings import SettingsPanel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(shared, monkeypatch):
    monkeypatch.setattr(editor, "AUTOSAVE_S", 0.01)
    panel = DraftsPanel(shared)
    await panel.idle()
    yield panel
    panel.close()


@pytest.fixture
def casting(panel):
    return panel.editor.own


async def settled(panel):
    """Wait until nothing is left to do and what is typed is stored."""
    await asyncio.sleep(0.03)
    await panel.idle()
    async with asyncio.timeout(60):
        while panel.editor.changed and not panel.editor.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await panel.idle()


async def use(panel, slot, name, voice_id=""):
    """Use a voice by the picker that is open."""
    picker = slot.pickers["voice"]
    picker.t_search.value = name
    await panel.idle()
    picker.s_voices.value = voice_id or picker.s_voices.options[0][1]
    picker.use.click()
    await settled(panel)


async def stored(panel):
    row = await panel.shared.drafts.get(panel.editor.kept.draft.id)
    return row.draft


async def test_a_draft_says_what_holds_for_it(panel, casting, shared):
    labels = [button.description for button in casting.buttons.children[:3]]
    assert labels == ["🎤 en-US-Neural2-F", "🧑 first avatar", "🖼️ no background"]

    own = Draft(id="d1", script="Hi.", voice="Maya", background="#203040", duration=20)
    await shared.drafts.save(own, over=0)
    await panel.open_draft("d1")

    labels = [button.description for button in casting.buttons.children[:3]]
    assert labels == ["🎤 Maya", "🧑 first avatar", "🖼️ #203040"]
    assert casting.t_duration.value == "20"


async def test_a_voice_is_picked_for_this_draft_only(panel, casting, shared):
    panel.t_script.value = "A script for another voice."
    await casting.open_picker("voice")
    await use(panel, casting.picker, "Maya")

    assert (await stored(panel)).voice == "Maya"
    assert shared.settings.heygen_voice == "en-US-Neural2-F"
    assert casting.buttons["voice"].description == "🎤 Maya"
    assert casting.picker.opened == ""


async def test_a_voice_whose_name_is_not_unique_is_kept_by_its_id(
    panel, casting, shared
):
    panel.t_script.value = "A script."
    voices = await shared.listed("voices")
    names = [voice.name for voice in voices]
    twin = next(voice for voice in voices if names.count(voice.name) > 1)
    await casting.open_picker("voice")

    await use(panel, casting.picker, twin.name, twin.id)

    assert (await stored(panel)).voice == twin.id
    assert casting.buttons["voice"].description == f"🎤 {twin.name}"[:26]


async def test_what_was_picked_can_be_taken_back(panel, casting, shared):
    await shared.drafts.save(Draft(id="d1", script="Hi.", background="#203040"), over=0)
    await panel.open_draft("d1")
    await casting.open_picker("background")

    casting.picker.actions["reset"].click()
    await settled(panel)

    assert (await stored(panel)).background is None


async def test_no_background_is_another_choice_than_the_settings_own(
    panel, casting, shared
):
    await shared.save_settings(heygen_background_url="#203040")
    await casting.open_picker("background")
    assert "#203040" in casting.picker.pickers["background"].now.value
    await casting.picker.fold()
    await shared.drafts.save(Draft(id="d1", script="Hi.", background="#ff0000"), over=0)
    await panel.open_draft("d1")
    await casting.open_picker("background")

    await casting.choose("background", "")
    await settled(panel)

    assert (await stored(panel)).background == "none"
    assert casting.buttons["background"].description == "🖼️ no background"
    (plan,) = await shared.quote([await stored(panel)])
    assert "background" not in plan.new.body


async def test_the_seconds_of_a_draft_are_brought_into_what_is_allowed(panel, casting):
    panel.t_script.value = "A script."
    casting.t_duration.value = "90"
    await settled(panel)

    assert (await stored(panel)).duration == 60
    assert casting.t_duration.value == "60"
    assert "90 → 60" in panel.told
    casting.t_duration.value = ""
    await settled(panel)
    assert (await stored(panel)).duration is None


async def test_the_settings_panel_picks_into_its_fields(shared):
    panel = SettingsPanel(shared)
    await panel.idle()
    await panel.open_picker("voice")

    picker = panel.picker.pickers["voice"]
    picker.t_search.value = "Maya"
    await panel.idle()
    picker.s_voices.value = picker.s_voices.options[0][1]
    picker.use.click()
    await panel.idle()

    assert panel.fields["heygen_voice"].value == "Maya"
    assert shared.settings.heygen_voice == "en-US-Neural2-F"
    await panel.save_all()
    assert shared.settings.heygen_voice == "Maya"
    panel.close()


RUSSIAN = "Лев, сегодня звёзды просят тебя замедлиться и дышать глубже."


async def test_a_voice_of_another_language_is_red_and_one_click_mends_it(
    panel, casting, shared
):
    panel.t_script.value = RUSSIAN
    await settled(panel)
    assert "hg-wrong" in casting.buttons["voice"]._dom_classes

    casting.buttons["fit"].click()
    await settled(panel)

    voices = await shared.listed("voices")
    taken = (await stored(panel)).voice
    assert {v.language for v in voices if taken in (v.name, v.id)} == {"Russian"}
    assert "hg-wrong" not in casting.buttons["voice"]._dom_classes
    assert "fit" not in casting.buttons.offered


async def test_a_named_voice_of_another_language_is_red_too(panel, casting, shared):
    await shared.save_settings(heygen_voice="Oliver")  # whom nobody has listed yet
    await shared.drafts.save(Draft(id="d1", script=RUSSIAN), over=0)
    await panel.open_draft("d1")
    await settled(panel)

    assert "hg-wrong" in casting.buttons["voice"]._dom_classes


async def test_voices_are_compared_once_for_a_language_not_with_every_letter(
    panel, shared, monkeypatch
):
    find, asked = shared.fitting_voice, []

    async def counted(draft):
        asked.append(draft.script)
        return await find(draft)

    monkeypatch.setattr(shared, "fitting_voice", counted)
    for length in range(5, 15):
        panel.t_script.value = "This is typed letter by letter."[:length]
        await panel.idle()

    assert len(asked) == 1


async def test_the_question_before_paying_offers_a_voice_of_the_language(
    panel, shared, sandbox, until
):
    await shared.drafts.save(Draft(id="d1", script=RUSSIAN), over=0)
    await panel.open_draft("d1")
    panel.doing["create"].click()
    await until(lambda: panel.question)
    assert "two languages" in panel.question.text.value
    assert panel.question.others[0].description.startswith("Take ")

    panel.question.others[0].click()
    await until(
        lambda: panel.question and "two languages" not in panel.question.text.value
    )
    assert sandbox.charges() == []
    panel.question.yes.click()
    await panel.idle()
    await shared.jobs.all[0].task

    assert len(sandbox.charges()) == 1
    assert shared.jobs.all[0].draft.voice


@pytest.mark.parametrize("voice", ["en-US-Neural2-F", "Oliver"])
async def test_imported_drafts_get_a_voice_of_their_language(shared, voice):
    shared.settings = shared.settings.model_copy(update={"heygen_voice": voice})
    drafts = [
        Draft(id="a", script=RUSSIAN),
        Draft(id="b", script="Leo, slow down."),
        Draft(id="c", script=RUSSIAN, voice="Maya"),
    ]

    russian, english, own = await shared.voiced(drafts)

    assert await shared.fitting_voice(russian) is None
    assert (english.voice, own.voice) == (None, "Maya")
