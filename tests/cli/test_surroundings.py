"""Odd machines: each is told in a sentence or does not matter; no traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import openai
import pytest

from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.network import make_client
from heygen_nb.renderer.account import open_account

KEY = {"HEYGEN_API_KEY": "sk_" + "a" * 30}
UNUSABLE = [
    ("NO_PROXY", "[::1]"),
    ("ALL_PROXY", "socks4://127.0.0.1:9"),
    ("HTTPS_PROXY", "127.0.0.1:not-a-port"),
    ("SSL_CERT_FILE", "/nowhere/bundle.pem"),
    ("SSL_CERT_DIR", "/nowhere"),
    ("SSL_CERT_FILE", __file__),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_variable_that_cannot_be_used_is_named(run, name, value, language):
    environ = {name: value, **KEY, "HEYGEN_NB_LANGUAGE": language}

    ran = run("voices", **environ)

    assert ran.code == 2
    assert name in ran.err
    assert ran.err.count("👉") == 1
    assert ("окружени" in ran.err) == (language == "ru")


@pytest.mark.parametrize(("name", "value"), [*UNUSABLE, ("ALL_PROXY", "socks5://x:1")])
def test_it_never_matters_to_the_sandbox(run, sandbox, draft_file, name, value):
    ran = run("render", "--send", draft_file(), **{**sandbox.environ(), name: value})

    assert ran.code == 0, ran.text
    assert len(sandbox.ledger()["posts"]) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
async def test_a_socks_proxy_is_a_proxy_like_any_other(monkeypatch, scheme):
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://user:secret@127.0.0.1:9")

    async with open_account(load_settings(**{k.lower(): v for k, v in KEY.items()})):
        pass


def test_a_home_that_is_not_there_is_made(run, tmp_path):
    home = tmp_path / "new" / "home"

    ran = run("history", HEYGEN_NB_HOME=str(home))

    assert ran.code == 0
    assert (home / "heygen_nb.db").exists()


@pytest.mark.parametrize("named", ["in the way/home", "~nobody-of-that-name/home"])
def test_a_home_that_cannot_be_made_is_named(run, home, named):
    (home / "in the way").touch()

    ran = run("history", HEYGEN_NB_HOME=named)

    assert ran.code == 2
    assert f"HEYGEN_NB_HOME names {named}" in ran.err


@pytest.mark.parametrize("command", [("lab",), ("demo",), ("write", "Leo")])
def test_a_home_that_takes_no_files_is_a_sentence(run, home, command):
    for name in (".sandbox", "notebooks", "drafts"):
        (home / name).touch()

    ran = run(*command)

    assert ran.code in (1, 2)
    assert str(home) in ran.err
    assert "👉" in ran.err


def test_notebooks_and_command_line_have_one_home(home):
    """Whoever is first makes the ledger; from then on it is found from below."""
    (home / "notebooks").mkdir()
    (home / "heygen_nb.db").touch()

    assert load_settings(environ={}).home == home
    os.chdir(home / "notebooks")
    assert load_settings(environ={}).home == home


ODD = {
    "locale C": {"LC_ALL": "C"},
    "no locale, plain ASCII": {
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
    "a console of cp1251": {"PYTHONIOENCODING": "cp1251"},
    "no home": {"HOME": "", "USERPROFILE": ""},
    "TMPDIR is missing": {"TMPDIR": "/nowhere", "TEMP": "", "TMP": ""},
}


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_an_odd_machine_writes_a_draft_and_sees_it(home, changes):
    environ = {**os.environ, "HEYGEN_NB_LANGUAGE": "ru", **changes}
    environ = {name: value for name, value in environ.items() if value}
    for command in (["write", "Leo", "--output", "d"], ["preview", "draft.md"]):
        if command[0] == "preview":
            [written] = (home / "d").glob("*.md")
            written.rename(home / "draft.md")
        ran = subprocess.run(
            [sys.executable, "-m", "heygen_nb", *command],
            capture_output=True,
            env=environ,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert b"Traceback" not in ran.stderr
    if "PYTHONIOENCODING" in changes:
        assert "с" in ran.stdout.decode("cp1251")
    assert list((home / "previews").glob("*.mp4"))


@pytest.mark.parametrize(
    "proxy", ["socks9://user:secret@127.0.0.1:9", "http://user:secret@127.0.0.1:port"]
)
@pytest.mark.parametrize("client", [httpx.AsyncClient, openai.DefaultAsyncHttpxClient])
def test_an_error_of_the_environment_holds_no_password(monkeypatch, client, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)

    with pytest.raises(ConfigError, match="ALL_PROXY") as caught:
        make_client(client)

    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)
