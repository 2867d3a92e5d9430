from __future__ import annotations

import pytest

from heygen_nb.config import Settings
from heygen_nb.errors import ConfigError
from heygen_nb.renderer import (
    VIDEO_CONFIG,
    effective_settings,
    reset_video_config,
    update_video_config,
)


@pytest.fixture(autouse=True)
def untouched():
    reset_video_config()
    yield
    reset_video_config()
    effective_settings(Settings())


def test_who_imported_the_config_sees_the_change():
    before = VIDEO_CONFIG

    returned = update_video_config(duration=45)

    assert before["duration"] == 45
    assert returned["duration"] == 45
    assert returned is not VIDEO_CONFIG


@pytest.mark.parametrize(("asked", "kept"), [(5, 15), (90, 60), ("abc", 30)])
def test_a_duration_is_validated(asked, kept):
    assert update_video_config(duration=asked)["duration"] == kept


def test_an_unknown_key_is_named():
    with pytest.raises(TypeError, match="durration"):
        update_video_config(durration=45)


def test_a_bad_value_changes_nothing():
    with pytest.raises(ConfigError, match="9:16"):
        update_video_config(duration=45, aspect_ratio="2:1")

    assert VIDEO_CONFIG["duration"] == 30


def test_the_next_render_uses_the_change():
    update_video_config(duration=45, voice="Clara")

    used = effective_settings(Settings(video_duration=20))

    assert used.video_duration == 45
    assert used.heygen_voice == "Clara"


def test_a_change_made_in_the_dict_itself_counts():
    VIDEO_CONFIG["duration"] = 50

    assert effective_settings(Settings(video_duration=20)).video_duration == 50


def test_what_was_not_changed_follows_the_settings():
    assert effective_settings(Settings(video_duration=20)).video_duration == 20
    assert VIDEO_CONFIG["duration"] == 20
    assert effective_settings(Settings(video_duration=25)).video_duration == 25


def test_a_change_back_to_the_default_still_is_a_change():
    update_video_config(duration=30)

    assert effective_settings(Settings(video_duration=45)).video_duration == 30


def test_an_explicit_config_wins_for_one_call():
    update_video_config(duration=45)

    assert effective_settings(Settings(), {"duration": 20}).video_duration == 20
    assert effective_settings(Settings()).video_duration == 45
