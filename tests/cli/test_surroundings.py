"""Odd machines: each is told in a sentence or does not matter; no traceback."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import openai
import pytest
import trustme

from heygen_nb.clock import Clock
from heygen_nb.config import load_settings, save_secret, save_settings
from heygen_nb.errors import ConfigError
from heygen_nb.network import make_client
from heygen_nb.renderer.account import open_account
from heygen_nb.ui.drafts import DraftsPanel
from heygen_nb.ui.generation import GenerationPanel
from heygen_nb.ui.state import SharedState
from heygen_nb.ui.studio import Studio

KEY = {"HEYGEN_API_KEY": "sk_" + "a" * 30}
UNUSABLE = [
    ("NO_PROXY", "[::1]"),
    ("NO_PROXY", "localhost,fe80::/10"),
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


class Inspecting(BaseHTTPRequestHandler):
    """A company's proxy: it speaks TLS with a certificate of its own."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        self.server.hosts.add(self.path)
        self.send_response_only(200)
        self.end_headers()
        tls = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.connection, self.rfile = tls, tls.makefile("rb")
        self.wfile = tls.makefile("wb", buffering=0)
        self.close_connection = False

    def forward(self):
        sent = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        reply = httpx.request(
            self.command,
            f"{self.server.behind}{self.path}",
            content=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            headers=sent,
            trust_env=False,
        )
        self.send_response_only(reply.status_code)
        self.send_header("Content-Type", reply.headers["content-type"])
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    do_GET = do_POST = do_DELETE = forward  # noqa: N815 - the base's

    def finish(self):
        super().finish()
        self.connection.close()


class ProxyServer(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them; the client has hung up by then

    def handle_error(self, *_of):
        """Say nothing: clients that do not trust it hang up."""


@pytest.fixture
def inspecting(sandbox, tmp_path):
    """A proxy that shows the sandbox as HeyGen and Telegram, and its certificate."""

    @contextmanager
    def serving():
        authority = trustme.CA()
        certificate = str(tmp_path / "company.pem")
        authority.cert_pem.write_to_path(certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.heygen.com", "api.telegram.org").configure_cert(tls)
        server = ProxyServer(("127.0.0.1", 0), Inspecting)
        server.tls, server.hosts, server.behind = tls, set(), sandbox.handle.base_url
        server.certificate = certificate
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    with serving() as server:
        yield server


@pytest.fixture
def beyond(sandbox, inspecting):
    """What is set where HeyGen and Telegram are reached through that proxy."""
    ours = sandbox.environ()
    here = {name: ours.pop(name) for name in ("HEYGEN_BASE_URL", "TELEGRAM_BASE_URL")}
    assert len(here) == 2
    return {**ours, "HTTPS_PROXY": f"http://127.0.0.1:{inspecting.server_port}"}


def test_a_proxy_that_looks_into_tls_is_trusted_by_its_certificate(
    run, sandbox, inspecting, beyond, draft_file
):
    beyond["SSL_CERT_FILE"] = inspecting.certificate

    ran = run("render", "--send", draft_file(), **beyond)

    assert ran.code == 0, ran.text
    assert inspecting.hosts == {"api.heygen.com:443", "api.telegram.org:443"}
    assert len(sandbox.charges()) == len(sandbox.ledger()["posts"]) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [("voices", "не доверяют"), ("voices", "not trusted"), ("render", "not trusted")],
)
def test_a_certificate_that_is_not_trusted_is_told_with_what_to_do(
    run, sandbox, beyond, command, words
):
    Path("draft.md").write_text("Nobody can see this.")
    given = ["draft.md"] if command == "render" else []
    beyond["HEYGEN_NB_LANGUAGE"] = "en" if words.isascii() else "ru"

    ran = run(command, *given, **beyond)

    assert ran.code == 1
    assert "SSL_CERT_FILE" in ran.err
    assert words in ran.err
    assert ran.err.count("❌") == 1
    assert not sandbox.charges()


def test_a_chat_behind_a_certificate_that_is_not_trusted_gets_nothing_twice(
    run, sandbox, beyond, draft_file
):
    beyond["HEYGEN_BASE_URL"] = sandbox.handle.base_url

    ran = run("render", "--send", draft_file(), **beyond)

    assert ran.code == 1
    assert "Telegram cannot be reached: its certificate" in ran.err
    assert "SSL_CERT_FILE" in ran.err
    assert len(sandbox.charges()) == 1
    assert not sandbox.ledger()["posts"]


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
async def test_a_socks_proxy_is_a_proxy_like_any_other(monkeypatch, scheme):
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://user:secret@127.0.0.1:9")

    async def at_once(_seconds):
        await asyncio.sleep(0)

    settings = load_settings(**{k.lower(): v for k, v in KEY.items()})
    async with open_account(settings, clock=Clock(sleep=at_once)):
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


@pytest.fixture
def disk(home):
    """A home on a disk of its own; gives what fills it, locks it, and mends it."""
    if os.getuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    folder = home / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")

    def become(state):
        logger = logging.getLogger("heygen_nb")
        for handler in list(logger.handlers):  # a disk in use cannot be locked
            logger.removeHandler(handler)
            handler.close()
        how = "remount,ro" if state == "read-only" else "remount,rw"
        subprocess.run(["mount", "-o", how, str(folder)], check=True)
        filler = folder / "filler"
        if state == "full":
            with suppress(OSError), filler.open("wb", buffering=0) as stream:
                while stream.write(bytes(1000)):
                    pass
        elif state == "mended":
            filler.unlink(missing_ok=True)

    try:
        os.chdir(folder)
        yield become
    finally:
        os.chdir(home)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def kept(folder):
    """Return what a person saved there: the settings, the films, the ledger's rows."""
    files = [folder / "config.yaml", folder / ".env", *folder.glob("videos/*/*")]
    with closing(sqlite3.connect(folder / "heygen_nb.db")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = ledger.execute("SELECT id, state, body FROM renders").fetchall()
    return {file: file.read_bytes() for file in files if file.is_file()}, rows


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_disk_that_takes_nothing_more_damages_nothing_and_is_told(
    disk, run, sandbox, tmp_path, state
):
    here, first, second = Path.cwd(), tmp_path / "1.md", tmp_path / "2.md"
    first.write_text("The first draft is rendered.")
    second.write_text("The second finds no room.")
    save_settings(here, video_duration=20)
    save_secret(here, "script_api_key", "sk-1")
    environ = {**sandbox.environ(), "HEYGEN_NB_HOME": str(here)}
    assert run("render", first, **environ).code == 0
    before = kept(here)

    disk(state)
    tried = [
        run(*command, **environ)
        for command in (
            ("render", second),
            ("write", "Leo"),
            ("preview", second),
            ("export", "-o", "history.csv"),
            ("finish", *[str(row[0]) for row in before[1]]),
        )
    ]
    with pytest.raises(ConfigError, match="could not be written"):
        save_settings(here, video_duration=40)
    with pytest.raises(ConfigError, match="could not be written"):
        save_secret(here, "script_api_key", "sk-2")
    seen = run("history", **environ)
    disk("mended")

    for ran in tried:
        assert ran.code in (1, 2), ran.text
        assert "👉" in ran.err, ran.err
    assert seen.code == 0 or "👉" in seen.err
    assert kept(here) == before
    assert len(sandbox.charges()) == 1
    assert run("render", second, **environ).code == 0
    assert len(sandbox.charges()) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("state", ["full", "read-only"])
@pytest.mark.parametrize("begun", [True, False])
async def test_the_studio_on_such_a_disk_says_so_and_pays_nothing(
    disk, sandbox, state, begun
):
    environ = {**sandbox.environ(), "HEYGEN_NB_HOME": str(Path.cwd())}
    settings = load_settings(environ=environ)
    if begun:
        async with open_account(settings):  # so the ledger is there
            pass
    disk(state)

    shared = SharedState(settings)
    studio = Studio(shared)
    studio.show_tab(GenerationPanel)
    studio.show_tab(DraftsPanel)
    for panel in (studio, *studio.panels.values()):
        await panel.idle()
    drafts = studio.panels[DraftsPanel]
    drafts.t_title.value, drafts.t_script.value = "Leo", "Leo, slow down today."
    drafts.spawn(drafts.create)
    await drafts.idle()

    assert "❌" in drafts.told
    assert "👉" in drafts.told
    assert "unexpected" not in studio.told + drafts.told
    assert drafts.t_script.value == "Leo, slow down today."
    assert not sandbox.charges()
    studio.close()
    await shared.close()


def test_notebooks_and_command_line_have_one_home(home):
    """Whoever is first makes the ledger; from then on it is found from below."""
    (home / "notebooks").mkdir()
    (home / "heygen_nb.db").touch()

    assert load_settings(environ={}).home == home
    os.chdir(home / "notebooks")
    assert load_settings(environ={}).home == home


ODD = {
    "no locale, plain ASCII": {
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
    "a console of cp1251": {"PYTHONIOENCODING": "cp1251"},
    "no home": {"HOME": "", "USERPROFILE": ""},
    "TMPDIR is missing": {"TMPDIR": "/nowhere", "TEMP": "", "TMP": ""},
    "locale C": {"LC_ALL": "C"},
}


MACHINES = [  # one of them for make test, as each takes seconds
    pytest.param(odd, id=name, marks=() if "cp1251" in name else pytest.mark.soak)
    for name, odd in ODD.items()
]


@pytest.mark.parametrize("changes", MACHINES)
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


def test_where_the_local_voice_is_missing_all_else_works(
    home, sandbox, draft_file, tmp_path
):
    """Alpine has no wheel of it; captions are burned in there all the same."""
    (tmp_path / "espeakng_loader.py").write_text("raise ImportError('no wheel')")
    own = {"HEYGEN_NB_CAPTIONS": "own", "PYTHONPATH": str(tmp_path)}
    environ = {**os.environ, **sandbox.environ(), **own}

    def ran(*command):
        return subprocess.run(
            [sys.executable, "-m", "heygen_nb", *command],
            capture_output=True,
            text=True,
            env=environ,
            check=False,
        )

    draft = str(draft_file())
    heard, made = ran("preview", draft), ran("render", draft, "--send")

    assert heard.returncode == 1
    assert "The local voice (espeak-ng) could not be loaded: no wheel" in heard.stderr
    assert "Traceback" not in heard.stderr + made.stderr
    assert made.returncode == 0, made.stderr
    assert len(sandbox.ledger()["posts"]) == 1
    assert list(home.glob("videos/*/*.mp4"))


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
