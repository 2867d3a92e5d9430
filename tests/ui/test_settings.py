from __future__ import annotations

import asyncio

import pytest

import heygen_nb as hg
from heygen_nb import VIDEO_CONFIG
from heygen_nb.config import load_settings
from heygen_nb.renderer import reset_video_config
from heygen_nb.ui.settings import SettingsPanel
from heygen_nb.ui.state import SharedState

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(monkeypatch, sandbox):
    for name, value in sandbox.environ().items():
        if name != "HEYGEN_API_KEY":
            monkeypatch.setenv(name, value)
    reset_video_config()
    monkeypatch.setenv("HEYGEN_NB_BACKEND", "heygen")
    panel = SettingsPanel(SharedState())
    await panel.idle()
    await panel.open_more()
    yield panel
    panel.close()
    await panel.shared.close()
    reset_video_config()


async def click(panel, work, at=None):
    panel.spawn(work, at)
    await panel.idle()


def config(home):
    return (home / "config.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("typed", "kept", "why"),
    [("5", "15", "at least"), ("90", "60", "at most"), ("soon", "30", "not a number")],
)
async def test_a_duration_is_put_right_and_the_panel_says_why(
    panel, home, typed, kept, why
):
    panel.fields["video_duration"].value = typed
    await click(panel, panel.save_all)

    assert panel.fields["video_duration"].value == kept
    assert f"video_duration: {kept}" in config(home)
    assert why in panel.told
    assert f"→ {kept}" in panel.told
    await panel.shared.set_language("ru")
    assert f"→ {kept}" in panel.duration_place.html
    assert why not in panel.duration_place.html


async def test_what_is_typed_as_soon_as_the_panel_is_seen_stays(sandbox, home):
    panel = SettingsPanel(SharedState())
    panel.fields["video_duration"].value = "5"
    await panel.idle()

    assert panel.fields["video_duration"].value == "5"
    await click(panel, panel.save_all)
    assert "at least" in panel.duration_place.html
    panel.close()
    await panel.shared.close()


async def test_the_next_render_uses_what_was_saved(panel):
    panel.fields["video_duration"].value = "45"
    panel.fields["heygen_use_avatar"].value = False
    await click(panel, panel.save_all)

    assert VIDEO_CONFIG["duration"] == 45
    assert VIDEO_CONFIG["use_avatar"] is False
    assert panel.shared.video_settings.video_duration == 45


async def test_who_makes_films_without_an_avatar_is_chosen(panel, home):
    assert panel.fields["no_avatar"].value == "local"

    panel.fields["no_avatar"].value = "heygen"
    await click(panel, panel.save_all)

    assert "no_avatar: heygen" in config(home)
    assert panel.shared.video_settings.no_avatar == "heygen"


async def test_the_four_keys_of_the_notes_stand_in_the_file(panel, home):
    await click(panel, panel.save_all)

    for line in (
        "heygen_use_avatar: true",
        "heygen_background_url: ''",
        "heygen_voice: en-US-Neural2-F",
        "video_duration: 30",
    ):
        assert line in config(home)


async def test_fields_and_hints_stand_in_the_order_of_the_notes(panel):
    heading, *parts = panel.children[-3].children[0].children
    fields = [part for part in parts if part in panel.fields.values()]
    lines = [line for field in fields for line in field.description.splitlines()]
    texts = [heading.value, *lines]

    expected = (
        "HeyGen video settings",
        "Use avatar",
        "When off",
        "Background URL",
        "Upload it",
        "HeyGen voice",
        "Available voices",
        "Video duration",
        "Recommended: 15-60",
    )
    assert len(texts) == len(expected)
    assert all(part in text for part, text in zip(expected, texts, strict=True))


async def test_cover_and_start_of_a_post_are_set_here(panel, home, sandbox):
    draft = hg.Draft(script="Hello there, said once. " * 5)
    video = await hg.render_video(draft, settings=sandbox.settings())
    panel.fields["telegram_cover_s"].value = 2
    panel.fields["telegram_start_s"].value = 3
    await click(panel, panel.save_all)

    assert "telegram_cover_s: 2" in config(home)
    assert "telegram_start_s: 3" in config(home)
    await hg.send_video(video, "Look!", settings=sandbox.settings())
    [sent] = sandbox.ledger()["posts"]
    assert sent["fields"]["start_timestamp"] == "3"
    assert sent["fields"]["cover"].startswith("attach://")


async def test_the_environment_is_not_written_into_the_file(panel, home, monkeypatch):
    (home / ".env").write_text(
        "HEYGEN_NB_HEYGEN_VOICE=Ava\n"
        "HEYGEN_NB_LEDGER_URL='sqlite:///other.db?password=s3cret'\n"
    )
    monkeypatch.setenv("HEYGEN_NB_HEYGEN_AVATAR_ID", "look_of_the_environment")
    panel.shared.reload()
    await panel.idle()
    assert panel.fields["heygen_voice"].value == "Ava"
    panel.fields["aspect_ratio"].value = "1:1"
    await click(panel, panel.save_all)

    saved = config(home)
    assert "aspect_ratio: 1:1" in saved
    for absent in ("Ava", "look_of_the", "s3cret", "ledger_url"):
        assert absent not in saved
    for absent in ("backend", "telegram_base_url", "telegram_chat_id"):
        assert absent not in saved


async def test_keys_go_to_dotenv_and_are_shown_only_as_set(panel, home):
    assert panel.secrets["heygen_api_key"].placeholder == "not set"
    panel.secrets["heygen_api_key"].value = "sk_very_secret"
    await click(panel, panel.save_all)

    assert panel.secrets["heygen_api_key"].value == ""
    assert panel.secrets["heygen_api_key"].placeholder.endswith("set")
    assert "HEYGEN_API_KEY=sk_very_secret" in (home / ".env").read_text()
    assert "sk_very_secret" not in config(home)
    assert load_settings().heygen_api_key


async def test_reset_asks_first(panel, home, until):
    panel.fields["video_duration"].value = "45"
    await click(panel, panel.save_all)
    panel.spawn(panel.reset)
    await until(lambda: asked(panel))
    panel.question.no.click()
    await panel.idle()
    assert panel.fields["video_duration"].value == "45"

    panel.spawn(panel.reset)
    await until(lambda: asked(panel))
    panel.question.yes.click()
    await panel.idle()

    assert panel.fields["video_duration"].value == "30"
    assert "video_duration: 30" in config(home)


def asked(panel):
    return panel.question


async def test_a_broken_file_is_shown_and_never_overwritten(home):
    broken = "video_duration: [30\n  heygen_voice: x"
    (home / "config.yaml").write_text(broken)
    panel = SettingsPanel(SharedState())
    panel.shared.account = None  # nothing of it is needed here
    panel._tasks.clear()

    panel.fill()
    panel.tell(panel.shared.broken)
    assert "line" in panel.told
    assert panel.fields["video_duration"].value == "30"
    await click(panel, panel.save_all)

    assert config(home) == broken
    panel.close()
    await panel.shared.close()


async def test_a_broken_file_can_be_put_aside(home, until):
    (home / "config.yaml").write_text("video_duration: [30")
    panel = SettingsPanel(SharedState())
    panel.spawn(panel.set_aside)
    await until(lambda: asked(panel))
    panel.question.yes.click()
    await panel.idle()
    await click(panel, panel.save_all)

    assert (home / "config.broken.yaml").read_text() == "video_duration: [30"
    assert "video_duration: 30" in config(home)
    panel.close()
    await panel.shared.close()


async def test_a_language_switch_keeps_what_is_typed_and_not_saved(panel, home):
    panel.fields["video_duration"].value = "44"
    panel.fields["language"].value = "ru"
    await panel.idle()

    assert panel.fields["video_duration"].description.startswith(
        "⏱️ Длительность видео (секунды)\n"
    )
    assert panel.fields["video_duration"].value == "44"
    assert "language: ru" in config(home)


async def test_both_connections_can_be_tested(panel, sandbox, monkeypatch):
    panel.secrets["heygen_api_key"].value = sandbox.handle.api_key
    await click(panel, panel.save_all)
    await click(panel, panel.test_heygen, panel.heygen_state)
    await click(panel, panel.test_telegram, panel.telegram_state)

    assert "✓ works · balance $100.00 · API wallet" in panel.heygen_state.html
    assert "HEYGEN_API_KEY" not in panel.heygen_state.html
    assert "✓ works · @" in panel.telegram_state.html


async def test_a_wrong_key_says_so_beside_its_field(panel):
    panel.secrets["heygen_api_key"].value = "sk_wrong"
    await click(panel, panel.save_all)
    await click(panel, panel.test_heygen, panel.heygen_state)

    assert "❌" in panel.heygen_state.html


async def test_limits_and_the_way_to_a_length_are_saved(panel, home):
    panel.fields["length_mode"].value = "exact"
    panel.fields["max_cost_per_day"].value = 12.5
    await click(panel, panel.save_all)

    assert "length_mode: exact" in config(home)
    assert "max_cost_per_day: 12.5" in config(home)
    assert "max_cost_per_render" not in config(home)
    assert panel.shared.settings.max_cost_per_day == 12.5

    panel.fields["max_cost_per_day"].value = -3

    assert panel.fields["max_cost_per_day"].value == 0


async def test_another_key_takes_the_lists_of_the_old_account_away(panel, sandbox):
    panel.secrets["heygen_api_key"].value = sandbox.handle.api_key
    await click(panel, panel.save_all)
    await panel.open_picker("voice")
    assert panel.shared.listing("voices").age is not None
    assert panel.fields["heygen_voice"].options

    panel.secrets["heygen_api_key"].value = "sk_of_somebody_else"
    await click(panel, panel.save_all)

    assert panel.picker.opened == ""
    assert panel.picker.pickers == {}
    assert panel.fields["heygen_voice"].options == ()


async def test_what_is_typed_is_tested_and_not_what_is_stored(panel, sandbox, home):
    panel.secrets["heygen_api_key"].value = "sk_wrong"
    await click(panel, panel.save_all)

    panel.secrets["heygen_api_key"].value = sandbox.handle.api_key
    await click(panel, panel.test_heygen, panel.heygen_state)

    assert "✓ works" in panel.heygen_state.html
    assert sandbox.handle.api_key not in (home / ".env").read_text()


async def test_a_key_is_removed_after_a_question(panel, home, until):
    panel.secrets["heygen_api_key"].value = "sk_very_secret"
    await click(panel, panel.save_all)

    panel.removers["heygen_api_key"].click()
    await until(lambda: panel.question)
    panel.question.yes.click()
    await panel.idle()

    assert "sk_very_secret" not in (home / ".env").read_text()
    assert panel.secrets["heygen_api_key"].placeholder == "not set"
    assert "hg-off" in panel.removers["heygen_api_key"]._dom_classes


async def test_what_can_be_chosen_is_said_in_the_users_language(panel):
    captions = panel.fields["captions"]
    chosen = captions.value

    await panel.shared.set_language("ru")

    assert ("здесь, бесплатно", "own") in captions.options
    assert ("примерная", "estimate") in panel.fields["length_mode"].options
    assert captions.value == chosen


async def test_who_comes_while_all_is_let_go_gets_an_open_account(shared):
    leaving, gone = asyncio.Event(), asyncio.Event()

    async def leave_slowly():
        try:
            await gone.wait()
        finally:
            leaving.set()
            await gone.wait()

    async with shared.account() as first:
        first.tasks["slow"] = asyncio.create_task(leave_slowly())
        await asyncio.sleep(0)
    closing = asyncio.create_task(shared.close())
    await leaving.wait()

    async with shared.account() as second:
        gone.set()
        await closing
        assert second is not first
        assert await second.catalogue.voices()
