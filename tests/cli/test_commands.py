from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

from heygen_nb.cli import app

COMMANDS = tuple(
    command.name or command.callback.__name__ for command in app.registered_commands
)
README = Path(__file__).parents[2] / "README.md"


def test_help_names_every_command(run):
    ran = run("--help")

    assert ran.code == 0
    for command in COMMANDS:
        assert command in ran.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run, command):
    assert run(command, "--help").code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_tells_of_every_command(command):
    assert command in README.read_text("utf-8")


def test_a_wrong_option_is_a_usage_error(run):
    assert run("render", "--nonsense").code == 2
    assert run("render").code == 2


def test_preview_writes_a_film_and_what_goes_with_it(run, draft_file, home):
    out = home / "out" / "seen.mp4"

    ran = run("preview", draft_file(), "-o", out)

    assert ran.code == 0
    assert str(out) in ran.out
    with av.open(str(out)) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
    assert out.with_suffix(".srt").exists()
    assert out.with_suffix(".jpg").exists()


def test_a_preview_loads_neither_ledger_nor_client(draft_file, home):
    # they take longer to load than most previews to make
    code = (
        "import atexit, sys; from heygen_nb.cli import main;"
        "atexit.register(lambda: print(*sys.modules)); main()"
    )
    command = [sys.executable, "-c", code, "preview", str(draft_file("Hello."))]

    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert list((home / "previews").glob("*.mp4"))
    loaded = set(ran.stdout.split())
    assert "av" in loaded
    assert loaded.isdisjoint({"httpx", "sqlalchemy", "heygen_nb.api"})


def test_preview_of_a_bad_draft_ends_with_2(run, draft_file):
    assert run("preview", draft_file("")).code == 2


def test_doctor_is_content_with_a_good_account(run, sandbox):
    ran = run("doctor", **sandbox.environ())

    assert ran.code == 0
    assert "❌" not in ran.out
    for part in ("My voice", "look_own_01", "$100.00", "GB"):
        assert part in ran.out


def test_doctor_says_what_to_do_about_each_trouble(run, sandbox):
    environ = {
        **sandbox.environ(),
        "HEYGEN_NB_HEYGEN_VOICE": "Nobody",
        "HEYGEN_NB_HEYGEN_AVATAR_ID": "look_gone",
        "TELEGRAM_CHAT_ID": "12345",
    }

    ran = run("doctor", **environ)

    assert ran.code == 2
    assert ran.out.count("❌") == 3
    assert ran.out.count("👉") == 3


@pytest.mark.parametrize("there", [True, False])
def test_doctor_looks_at_a_background_that_is_a_file(run, sandbox, home, there):
    if there:
        Image.new("RGB", (9, 9)).save(home / "sea.png")

    environ = {**sandbox.environ(), "HEYGEN_NB_HEYGEN_BACKGROUND_URL": "sea.png"}
    ran = run("doctor", **environ)

    assert ran.code == (0 if there else 2)
    assert ran.out.count("❌") == (0 if there else 1)
    line = next(line for line in ran.out.splitlines() if "Background" in line)
    assert "sea.png" in line
    assert sandbox.requests("POST /v3/assets") == 0


def test_doctor_tells_a_wrong_key(run, sandbox):
    ran = run("doctor", **{**sandbox.environ(), "HEYGEN_API_KEY": "sk_wrong"})

    assert ran.code == 3
    assert "sk_wrong" not in ran.text


def test_a_closed_output_does_not_end_in_a_traceback():
    script = "import sys; sys.argv = ['heygen-nb', '--help']\n"
    script += "from heygen_nb.cli import main; main()"

    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )

    assert b"render" in ran.stdout
