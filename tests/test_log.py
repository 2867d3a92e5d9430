from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

import pytest

from heygen_nb.log import open_log, printable

log = logging.getLogger("heygen_nb.test")


def test_the_file_turns_over_and_five_are_kept(tmp_path):
    path = tmp_path / "astro.log"
    open_log(path)

    for _ in range(70):
        log.info("x" * 100_000)

    files = sorted(tmp_path.glob("astro*"))
    assert [file.name for file in files] == [
        "astro.log",
        *(f"astro.log.{n}" for n in range(1, 5)),
    ]
    assert all(file.stat().st_size <= 1_100_000 for file in files)


def test_a_log_that_another_process_has_open_goes_on(tmp_path, monkeypatch, capsys):
    """Windows renames no file that is open elsewhere."""
    path = tmp_path / "astro.log"
    open_log(path)

    def refuse(*_names):
        raise PermissionError(32, "in use")

    monkeypatch.setattr(os, "rename", refuse)
    for number in range(15):
        log.info("%s%s", number, "x" * 100_000)

    assert [line.split()[-1][:2] for line in path.read_text().splitlines()][-1] == "14"
    assert not capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_prints_no_traceback_and_stops_nothing(tmp_path, capsys):
    path = tmp_path / "astro.log"
    path.symlink_to("/dev/full")
    handler = open_log(path)

    log.info("a line that finds no room")

    assert not capsys.readouterr().err
    with suppress(OSError):
        handler.close()


def test_no_secret_is_written_wherever_it_comes_from(tmp_path):
    path = tmp_path / "astro.log"
    open_log(path, ["sk_secret_key"])

    log.info("key %s", "sk_secret_key")
    log.info("POST https://api.telegram.org/bot123456789:AAbbCCddEEffGGhhIIjjKKll/x")
    log.info("GET https://files.example/v.mp4?Signature=verysecret&Expires=1")
    log.error("failed", exc_info=ValueError("X-Api-Key: another_secret"))
    log.info("{'Authorization': 'Bearer bearers_secret'}")

    text = path.read_text()
    for secret in (
        "sk_secret_key",
        "AAbbCC",
        "verysecret",
        "another_secret",
        "bearers",
    ):
        assert secret not in text
    assert "https://files.example/v.mp4" in text


def test_a_key_that_is_set_later_is_hidden_too(tmp_path):
    path = tmp_path / "astro.log"
    open_log(path, ["first_key"])
    open_log(path, ["second_key"])

    log.info("first_key second_key")

    assert "_key" not in path.read_text()


def test_opening_twice_writes_each_line_once(tmp_path):
    path = tmp_path / "astro.log"
    open_log(path)
    open_log(path)

    log.info("once")

    assert path.read_text().count("once") == 1


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    assert open_log(tmp_path) is None


def test_control_signs_are_seen_and_not_obeyed(tmp_path, monkeypatch):
    # half a character in pytest's own capture ends the whole run of its worker
    monkeypatch.setattr(logging.getLogger("heygen_nb"), "propagate", False)
    path = tmp_path / "astro.log"
    open_log(path)

    log.warning("%s", "red \x1b[31m, bell \a, nul \0, back \u202e, half \ud83d, \x9b")

    line = path.read_text()
    assert "red \\u001b[31m, bell \\u0007, nul \\u0000" in line
    assert all(c.isprintable() for c in line.rstrip("\n"))
    assert printable("Привет,\n\tмир 👩‍👧!") == "Привет,\n\tмир 👩‍👧!"
