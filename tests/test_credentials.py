from __future__ import annotations

import pytest

from heygen_nb.config import load_settings, read_credentials, save_settings

FULL = """{
  "api_key": "sk_1", "user": {"email": "a@b"}, "other_tool": [1],
  "oauth": {"access_token": "t0ken", "refresh_token": "r",
            "expires_at": "2026-11-26T12:00:00Z"}
}"""


@pytest.fixture
def kept(tmp_path):
    def read(content):
        file = tmp_path / "credentials"
        file.write_bytes(content)
        return read_credentials(file)

    return read


def test_key_and_session_are_read(kept):
    found = kept(FULL.encode())

    assert found["heygen_api_key"].get_secret_value() == "sk_1"
    assert found["heygen_session"].get_secret_value() == "t0ken"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n "])
def test_one_plain_line_is_a_key(kept, start):
    assert kept(start + b"sk_line\n")["heygen_api_key"].get_secret_value() == "sk_line"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"two words",
        b"\xff\xfe\x00",
        b'{"api_key": 5, "oauth": [1]}',
        b'{"oauth": {"access_token": ""}}',
        b'{"half":',
        b"[" * 90_000,
    ],
)
def test_what_cannot_be_read_counts_as_nothing(kept, content):
    assert kept(content) == {}


def test_a_missing_file_or_a_folder_counts_as_nothing(tmp_path):
    assert read_credentials(tmp_path / "none") == {}
    assert read_credentials(tmp_path) == {}


def test_no_secret_shows_in_the_repr(kept):
    assert "sk_1" not in repr(kept(FULL.encode()))
    assert "t0ken" not in repr(kept(FULL.encode()))


def with_file(tmp_path, content=FULL):
    file = tmp_path / "credentials"
    file.write_text(content)
    return {"HEYGEN_NB_HOME": str(tmp_path), "HEYGEN_NB_CREDENTIALS": str(file)}


def test_a_key_of_the_environment_wins_over_the_file(tmp_path):
    environ = with_file(tmp_path) | {"HEYGEN_API_KEY": "sk_mine"}

    settings = load_settings(environ=environ)

    assert settings.heygen_api_key.get_secret_value() == "sk_mine"
    assert settings.heygen_source == "HEYGEN_API_KEY"
    assert settings.heygen_session is None


def test_the_files_key_wins_over_its_session(tmp_path):
    settings = load_settings(environ=with_file(tmp_path))

    assert settings.heygen_api_key.get_secret_value() == "sk_1"
    assert settings.heygen_session is None
    assert settings.heygen_source.endswith("credentials")


def test_a_session_alone_makes_heygen_the_backend(tmp_path):
    environ = with_file(tmp_path, '{"oauth": {"access_token": "t0ken"}}')

    settings = load_settings(environ=environ)

    assert settings.active_backend == "heygen"
    assert settings.heygen_session.get_secret_value() == "t0ken"
    assert "t0ken" not in repr(settings)


def test_nothing_of_the_file_is_written_anywhere(tmp_path):
    environ = with_file(tmp_path)

    load_settings(environ=environ)
    save_settings(tmp_path, telegram_auto_send=True)

    assert (tmp_path / "credentials").read_text() == FULL
    text = (tmp_path / "config.yaml").read_text()
    assert "sk_1" not in text
    assert "heygen_session" not in text
    assert "heygen_source" not in text
