from __future__ import annotations

import logging
import os
import stat

import pytest

from heygen_nb.config import (
    check_duration,
    find_home,
    load_settings,
    save_secret,
    save_settings,
)
from heygen_nb.errors import ConfigError


@pytest.mark.parametrize(
    ("value", "seconds", "changed"),
    [
        ("5", 15, True),
        ("90", 60, True),
        ("abc", 30, True),
        ("", 30, True),
        ("44.6", 45, True),
        ("44,6", 45, True),
        (" 45 ", 45, False),
        (45, 45, False),
        ("nan", 30, True),
        ("1e9", 60, True),
        ("inf", 60, True),
        ("-inf", 15, True),
        (None, 30, True),
        (True, 30, True),
    ],
)
def test_a_wished_duration_is_brought_into_15_to_60(value, seconds, changed):
    found, reason = check_duration(value)

    assert found == seconds
    assert bool(reason) == changed


def test_the_defaults_are_those_of_the_notes():
    settings = load_settings(environ={})

    assert settings.heygen_use_avatar is True
    assert settings.heygen_background_url == ""
    assert settings.heygen_voice == "en-US-Neural2-F"
    assert settings.video_duration == 30
    assert settings.poll_interval_s == 10
    assert settings.wait_timeout_s == 900
    assert settings.telegram_auto_send is False
    assert settings.active_backend == "sandbox"


def test_arguments_win_over_environment_over_dotenv_over_yaml(home):
    (home / "config.yaml").write_text("heygen_voice: yaml\naspect_ratio: 1:1\n")
    (home / ".env").write_text("HEYGEN_NB_HEYGEN_VOICE=dotenv\nTELEGRAM_CHAT_ID=7\n")
    environ = {"HEYGEN_NB_HEYGEN_VOICE": "environment"}

    assert load_settings(environ={}).heygen_voice == "dotenv"
    assert load_settings(environ=environ).heygen_voice == "environment"
    assert load_settings(environ=environ, heygen_voice="a").heygen_voice == "a"
    assert load_settings(environ={}).aspect_ratio == "1:1"
    assert load_settings(environ={}).telegram_chat_id == "7"


def test_a_chat_id_may_be_a_number_in_yaml(home):
    (home / "config.yaml").write_text("telegram_chat_id: -1001234\n")

    assert load_settings(environ={}).telegram_chat_id == "-1001234"


def test_home_is_the_nearest_folder_with_our_settings(tmp_path):
    project = tmp_path / "project"
    notebooks = project / "notebooks"
    notebooks.mkdir(parents=True)
    (project / "config.yaml").write_text("heygen_voice: x\n")
    (notebooks / "config.yaml").write_text("somebody_elses: 1\n")

    assert find_home(notebooks, {}) == project
    assert find_home(notebooks, {"HEYGEN_NB_HOME": str(tmp_path)}) == tmp_path
    assert find_home(tmp_path, {}) == tmp_path


def test_a_named_settings_file_makes_its_folder_home(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("")

    assert load_settings(file, environ={}).home == tmp_path


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("heygen_voice: [a, b]\n", ["config.yaml, line 1", "heygen_voice", "a text"]),
        (
            "# x\nbackend: cloud\n",
            ["config.yaml, line 2", "auto, heygen, sandbox", "cloud"],
        ),
        ("poll_interval_s: soon\n", ["poll_interval_s", "0.01 to 600"]),
        ("video_duration: [30]\n", ["video_duration", "15 to 60"]),
        ("captions: 12:30\n", ["captions", "own, heygen, off"]),
        ("a: b\n  c: [\n", ["line 2"]),
        ("heygen_voice: 'open\n", ["line 2"]),
        ("- a\n- b\n", ["key: value"]),
        ("- heygen_voice: a\n", ["config.yaml, line 1", "key: value"]),
        ("just words\n", ["key: value"]),
        ("heygen_voice: a\nheygen_voice: b\n", ["line 2"]),
        ("heygen_api_key: sk_1234\n", ["line 1", "HEYGEN_API_KEY"]),
        ("heygen_base_url: https://evil.example\n", ["HEYGEN_BASE_URL"]),
        ("ledger_url: postgresql://me:pw@db/x\n", ["password", "pgpass"]),
    ],
)
def test_bad_settings_say_where_and_what_is_allowed(home, text, parts):
    (home / "config.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_settings(environ={})

    for part in parts:
        assert part in str(caught.value)
    assert "sk_1234" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_settings_file_that_is_not_utf8_is_named(home):
    (home / "config.yaml").write_bytes(b"heygen_voice: \xff\xfe\n")

    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_settings(environ={})


def test_a_missing_settings_file_is_an_error_only_when_named(home):
    assert load_settings(environ={}) == load_settings(environ={})
    with pytest.raises(ConfigError, match="nowhere"):
        load_settings("nowhere.yaml", environ={})


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_settings_file_means_the_defaults(home, text):
    (home / "config.yaml").write_text(text)

    assert load_settings(environ={}).video_duration == 30


def test_yaml_words_that_look_like_numbers_stay_words(home):
    (home / "config.yaml").write_text("heygen_voice: on\naspect_ratio: 9:16\n")

    settings = load_settings(environ={})

    assert settings.heygen_voice == "on"
    assert settings.aspect_ratio == "9:16"


def test_a_duration_out_of_bounds_is_corrected_with_a_warning(home, caplog):
    (home / "config.yaml").write_text("video_duration: 5\n")

    assert load_settings(environ={}).video_duration == 15
    assert "at least 15" in caplog.text


def test_an_unknown_key_is_a_warning_with_the_nearest_one(home, caplog):
    (home / "config.yaml").write_text("heygen_voise: Clara\n")

    load_settings(environ={})

    assert "heygen_voise" in caplog.text
    assert "heygen_voice" in caplog.text


def test_addresses_are_not_taken_from_dotenv(home, caplog):
    (home / ".env").write_text("HEYGEN_BASE_URL=https://evil.example\n")

    assert load_settings(environ={}).heygen_base_url == "https://api.heygen.com"
    assert "HEYGEN_BASE_URL" in caplog.text


def test_the_language_model_is_set_like_the_other_services(home):
    (home / "config.yaml").write_text("script_model: some-model\n")
    (home / ".env").write_text(
        "OPENAI_API_KEY=sk_model\nHEYGEN_NB_SCRIPT_BASE_URL=https://evil.example\n"
    )

    settings = load_settings(environ={})

    assert settings.script_model == "some-model"
    assert settings.script_api_key.get_secret_value() == "sk_model"
    assert settings.script_base_url == "https://api.openai.com/v1"
    address = {"HEYGEN_NB_SCRIPT_BASE_URL": "http://127.0.0.1:11434/v1"}
    assert load_settings(environ=address).script_base_url == "http://127.0.0.1:11434/v1"


def test_the_address_of_the_model_is_refused_in_a_file(home):
    (home / "config.yaml").write_text("script_base_url: https://evil.example\n")

    with pytest.raises(ConfigError, match="HEYGEN_NB_SCRIPT_BASE_URL"):
        load_settings(environ={})


def test_an_unknown_argument_is_an_error():
    with pytest.raises(ConfigError, match="heygen_voise"):
        load_settings(environ={}, heygen_voise="x")


def test_saving_keeps_comments_order_and_unknown_keys(home):
    file = home / "config.yaml"
    file.write_text(
        "# my settings\nmine: kept\nvideo_duration: 30 # short\nheygen_voice: a\n"
    )
    save_settings(home, video_duration=45)

    text = file.read_text()
    assert text.startswith("# my settings\nmine: kept\nvideo_duration: 45 # short\n")
    assert "heygen_voice: a" in text
    assert load_settings(environ={}).video_duration == 45


def test_saving_writes_nothing_that_came_from_dotenv_or_the_environment(
    home, monkeypatch
):
    url = "postgresql://me:s3cret@db/films"
    (home / ".env").write_text(
        f"HEYGEN_API_KEY=sk_secret\nHEYGEN_NB_LEDGER_URL={url}\n"
        "HEYGEN_NB_SCRIPT_MODEL=from-dotenv\n"
    )
    monkeypatch.setenv("HEYGEN_NB_RESOLUTION", "720p")
    assert load_settings().ledger_url == url

    save_settings(home, telegram_auto_send=True)

    text = (home / "config.yaml").read_text()
    for absent in ("s3cret", "sk_secret", "ledger_url", "from-dotenv", "720p"):
        assert absent not in text
    assert load_settings().ledger_url == url
    assert load_settings().telegram_auto_send is True


def test_a_password_is_never_saved_and_never_shown(home):
    url = "postgresql://me:s3cret@db/films"
    with pytest.raises(ConfigError, match="pgpass") as caught:
        save_settings(home, ledger_url=url)
    assert "s3cret" not in str(caught.value)
    assert not (home / "config.yaml").exists()

    asked = f"{url}?password=0ther"
    settings = load_settings(environ={"HEYGEN_NB_LEDGER_URL": asked})

    for shown in (
        repr(settings),
        str(settings),
        str(settings.model_dump()),
        settings.model_dump_json(),
    ):
        assert "me:***@db" in shown
        assert "s3cret" not in shown
        assert "0ther" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3c@s3/cret@db/films",
        "postgresql://me:s3 cret@db/films",
        "postgresql://me:s3cret@[::1/films",
        "postgresql://db/films?user=me&password=s3cret",
        "me:s3cret@db/films",
        "host=db password=s3cret",
    ],
)
def test_a_password_is_hidden_in_an_address_however_it_is_written(home, url):
    settings = load_settings(environ={"HEYGEN_NB_LEDGER_URL": url})

    assert settings.ledger_url == url
    assert "s3" not in repr(settings) + str(settings.model_dump())
    with pytest.raises(ConfigError, match="pgpass"):
        save_settings(home, ledger_url=url)


def test_a_value_that_does_not_fit_is_not_saved(home):
    with pytest.raises(ConfigError, match="15 to 60"):
        save_settings(home, video_duration=500)
    with pytest.raises(ConfigError, match="heygen_voise"):
        save_settings(home, heygen_voise="x")

    assert not (home / "config.yaml").exists()


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("heygen_background_url: #203040\n", "heygen_background_url", "#203040"),
        (
            "heygen_background_url: #203040 # house\n",
            "heygen_background_url",
            "#203040",
        ),
        ("heygen_voice: Maya #2\n", "heygen_voice", "Maya #2"),
        ("heygen_voice: Maya # mine\n", "heygen_voice", "Maya"),
        ("telegram_chat_id: -1001234567890_45\n", "telegram_chat_id", None),
        ("telegram_chat_id: 00123\n", "telegram_chat_id", "00123"),
        ("videos_dir: 2024-01-05\n", "videos_dir", "2024-01-05"),
        ("script_model: 4.10\n", "script_model", "4.10"),
        ("script_model: on\n", "script_model", "on"),
        ("video_duration: 45 #seconds\n", "video_duration", 45),
        ("captions: yes\n", "captions", "own"),
        ("max_concurrent_renders: 5 # few\n", "max_concurrent_renders", 5),
    ],
)
def test_what_is_typed_without_quotes_stays_what_was_typed(home, text, key, value):
    (home / "config.yaml").write_text(text)

    wanted = value if value is not None else text.split(": ")[1].strip()
    assert getattr(load_settings(environ={}), key) == wanted


def test_a_saved_value_does_not_get_the_end_of_the_old_one(home):
    file = home / "config.yaml"
    file.write_text("heygen_voice: Maya #2\n# note\ncaptions: true # on\n")

    save_settings(home, heygen_voice="Ava", captions="off")

    assert load_settings(environ={}).heygen_voice == "Ava"
    assert "# note\ncaptions: off  # on" in file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "captions: " + "[" * 100_000,
        "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(50)),
        "heygen_voice: a\n---\nheygen_voice: b\n",
        "heygen_voice: a\0b\n",
        "x: 1\n" * 400_000,
    ],
)
def test_a_settings_file_that_is_no_such_thing_is_refused_quickly(home, text):
    (home / "config.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_settings(environ={})


def test_a_settings_file_that_never_ends_is_refused(home):
    (home / "config.yaml").symlink_to("/dev/zero")

    with pytest.raises(ConfigError, match="no regular file"):
        load_settings(environ={})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_dotenv_is_read_in_the_encoding_it_has(home, encoding):
    (home / ".env").write_bytes("HEYGEN_API_KEY=sk_test_1\n".encode(encoding))

    settings = load_settings(environ={})

    assert settings.heygen_api_key.get_secret_value() == "sk_test_1"
    save_secret(home, "telegram_bot_token", "1:token")
    assert (home / ".env").read_text("utf-8").splitlines() == [
        "HEYGEN_API_KEY=sk_test_1",
        "TELEGRAM_BOT_TOKEN=1:token",
    ]


def test_dotenv_that_cannot_be_read_is_named_in_a_sentence(home):
    (home / ".env").write_bytes(b"HEYGEN_API_KEY=sk_\xff\xfa\n")

    with pytest.raises(ConfigError, match=r"\.env cannot be read: line 1 is not UTF-8"):
        load_settings(environ={})


def test_a_broken_file_is_never_overwritten(home):
    file = home / "config.yaml"
    file.write_text("a: [\n")

    with pytest.raises(ConfigError):
        save_settings(home, video_duration=45)

    assert file.read_text() == "a: [\n"


def test_a_failed_save_leaves_the_old_file_and_nothing_else(home, monkeypatch):
    file = home / "config.yaml"
    file.write_text("video_duration: 30\n")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        save_settings(home, video_duration=45)

    assert file.read_text() == "video_duration: 30\n"
    assert [path.name for path in home.iterdir()] == ["config.yaml"]


def test_a_secret_goes_to_dotenv_for_the_owner_only(home):
    (home / ".env").write_text("# mine\nexport HEYGEN_API_KEY=old\nOTHER=1\n")

    save_secret(home, "heygen_api_key", "sk_new")

    file = home / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "# mine\nOTHER=1\nHEYGEN_API_KEY=sk_new\n"
    settings = load_settings(environ={})
    assert settings.heygen_api_key is not None
    assert settings.heygen_api_key.get_secret_value() == "sk_new"
    assert settings.active_backend == "heygen"
    save_secret(home, "heygen_api_key", "")
    assert "HEYGEN_API_KEY" not in file.read_text()


def test_a_secret_with_a_line_break_is_refused(home):
    with pytest.raises(ConfigError, match="HEYGEN_API_KEY"):
        save_secret(home, "heygen_api_key", "sk\nHEYGEN_NB_BACKEND=heygen")


def test_secrets_do_not_show_in_a_repr():
    settings = load_settings(environ={"HEYGEN_API_KEY": "sk_secret"})

    assert "sk_secret" not in repr(settings)
    assert "sk_secret" not in str(settings)


def test_a_bad_key_value_does_not_show_in_the_log(caplog):
    caplog.set_level(logging.DEBUG)

    load_settings(environ={"HEYGEN_API_KEY": "sk_secret"})

    assert "sk_secret" not in caplog.text


def test_mistakes_are_told_in_the_language_of_the_settings(home):
    (home / "config.yaml").write_text("language: ru\nbackend: cloud\n")

    with pytest.raises(ConfigError, match="Допустимо"):
        load_settings(environ={})
