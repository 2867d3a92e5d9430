from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import secrets
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import event
from sqlalchemy.pool import Pool
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from heygen_nb import i18n
from heygen_nb.config import Settings, load_settings
from heygen_nb.renderer import reset_video_config
from heygen_nb.sandbox import catalogue, process
from heygen_nb.sandbox.state import SandboxOptions

from .serving import CALM, INSTANT, Faults, run_in_thread, sandbox_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser
    from starlette.requests import Request

    from heygen_nb.sandbox.catalogue import SandboxVoice
    from heygen_nb.sandbox.process import SandboxHandle

    from .serving import LiveSandbox

# jsonschema builds 38 grammars for it in 1.5 s, in every process, and none is used
sys.modules["rfc3987_syntax"] = None
OURS = ("HEYGEN_", "TELEGRAM_", "OPENAI_")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TESTS = Path(__file__).parent
FEW_VOICES = ("cli", "crash", "renderer", "test_posting.py", "ui", "workflow")
SLOW = (
    *("crash/", "sandbox/test_process.py", "ui/test_kernel.py"),
    *("test_notebooks.py", "test_wheel.py", "test_old_home.py", "test_processes.py"),
    # whole renders again and again: one file of each room stays
    *("workflow/", "cli/test_surroundings.py", "cli/test_tables.py"),
    *("cli/test_catalogue.py", "test_reports.py"),
    *("cli/test_settling.py", "finishing/test_check.py", "finishing/test_finish.py"),
    *("preview/test_video.py", "renderer/test_as_live.py", "renderer/test_batch.py"),
    *("renderer/test_backgrounds.py", "renderer/test_finish.py"),
    *("renderer/test_live", "renderer/test_narrated.py", "renderer/test_speech.py"),
    *("renderer/test_never_twice.py", "renderer/test_wait.py"),
    *("ui/test_analytics.py", "ui/test_avatars.py", "ui/test_casting.py"),
    *("ui/test_drafts.py", "ui/test_history.py", "ui/test_lab.py", "ui/test_price.py"),
    *("ui/test_studio.py", "ui/test_tables.py", "ui/test_voices.py"),
    *("ui/test_writer.py", "ui/test_generation.py", "test_posting.py"),
    *("cli/test_render.py", "scripts/test_model.py", "renderer/test_animatic.py"),
    *("preview/test_render.py", "sandbox/test_render.py", "ui/test_settings.py"),
    "test_i18n.py",  # make check reads the catalogues too
)


def pytest_collection_modifyitems(items):
    """Mark what ``make quick`` leaves out: processes, long flows, another database."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        if place.startswith(SLOW) or "postgresql" in item.name:
            item.add_marker("slow")
    # the longest first: else one process waits for the other at the end
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def one_tls_context():
    """Every client reads all certificates, for 25 ms, and none here is encrypted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Nothing here outlives a power cut: what is stored is not forced to the disk."""

    def leave_it_to_the_system(connection, *_others):
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Pool, "checkout", leave_it_to_the_system)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)
        yield
    event.remove(Pool, "checkout", leave_it_to_the_system)


class FewListed(dict):
    """All voices by id, of which a listing shows no more than one page."""

    def values(self):
        return [voice for voice in super().values() if self._leads(voice)]

    @staticmethod
    def _leads(voice: SandboxVoice) -> bool:
        number = int(voice.voice_id.rpartition("_")[2])
        return number <= (12 if voice.code in ("en", "ru") else 2)


@pytest.fixture(scope="session")
def voices_in_short():
    """What the sandbox knows, for ``few_voices``."""
    known = catalogue.voices
    return cache(lambda: FewListed(known()))


@pytest.fixture(autouse=True)
def few_voices(request, monkeypatch, voices_in_short):
    """List one page of voices, not 12: that takes longer than a whole render.

    Only where renders are what is tested; ``all_voices`` lists all there too.
    """
    place = request.path.relative_to(TESTS).parts[0]
    whole = request.node.get_closest_marker("browser")
    if place in FEW_VOICES and not whole and "all_voices" not in request.fixturenames:
        monkeypatch.setattr(catalogue, "voices", voices_in_short)


@pytest.fixture
def all_voices():
    """Let the sandbox list all that it has, for tests of long lists."""


@pytest.fixture(autouse=True)
def clean_world(tmp_path, monkeypatch):
    """No key, folder or language of the person who runs the tests gets in."""
    for name in [n for n in os.environ if n.startswith(OURS)]:
        if name != "HEYGEN_SCHEMAS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("HEYGEN_NB_CREDENTIALS", str(tmp_path / "no credentials"))
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    i18n.set_language("en")
    yield
    reset_video_config()
    i18n.set_language("auto")
    logger = logging.getLogger("heygen_nb")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture(autouse=True)
def no_sandbox_is_left():
    """A sandbox that a test has started ends with it, not with all tests."""
    yield
    while process.children:
        with process.children.pop() as child:
            child.kill()


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch):
    """A test that reaches for the internet fails by name, not by time-out."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            with suppress(ValueError):
                if not ipaddress.ip_address(address[0]).is_loopback:
                    pytest.fail(f"connection to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def home() -> Path:
    return Path.cwd()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; without one the test fails: ``bash tests/bring.sh`` brings it.

    For one module only: as long as it lives its loop counts as running, and no other
    test of this process could use asyncio.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=120_000
        )
        yield opened
        opened.close()


@dataclass
class LocalSandbox:
    """A sandbox in a thread of the test, in fast mode."""

    handle: SandboxHandle
    faults: Faults
    home: Path

    def settings(self, **changes: Any) -> Settings:
        """Settings that take this sandbox for HeyGen and Telegram themselves."""
        environ = {
            "HEYGEN_NB_HOME": str(self.home),
            "HEYGEN_API_KEY": self.handle.api_key,
            "HEYGEN_BASE_URL": self.handle.base_url,
            "TELEGRAM_BOT_TOKEN": self.handle.bot_token,
            "TELEGRAM_BASE_URL": self.handle.telegram_base_url,
            "TELEGRAM_CHAT_ID": self.handle.chat_id,
        }
        # Films stay as they were bought, where a test says nothing about finishing.
        plain = {"poll_interval_s": 0.02, "captions": "off", "loudness": 0}
        return load_settings(environ=environ, **{**plain, **changes})

    def environ(self) -> dict[str, str]:
        """The same for a command."""
        return {
            "HEYGEN_API_KEY": self.handle.api_key,
            "HEYGEN_BASE_URL": self.handle.base_url,
            "TELEGRAM_BOT_TOKEN": self.handle.bot_token,
            "TELEGRAM_BASE_URL": self.handle.telegram_base_url,
            "TELEGRAM_CHAT_ID": self.handle.chat_id,
            "HEYGEN_NB_POLL_INTERVAL_S": "0.02",
            "HEYGEN_NB_CAPTIONS": "off",
            "HEYGEN_NB_LOUDNESS": "0",
            "SANDBOX_CONTROL_TOKEN": self.handle.control_token,
        }

    def fault(self, kind: str, path: str, **rule: Any) -> None:
        """Let something go wrong; see Fault."""
        self.faults.add(kind, path, **rule)

    def clear_faults(self) -> None:
        self.faults.rules.clear()

    def set_balance(self, amount: float) -> None:
        self.handle.control("balance", {"balance": amount})

    def advance(self, seconds: float) -> None:
        self.handle.control("clock", {"advance_s": seconds})

    def sign_in(self) -> dict[str, Any]:
        """Open a session, as HeyGen's own tools keep it in their file."""
        return {"access_token": self.handle.control("session", {})["access_token"]}

    def ledger(self) -> dict[str, Any]:
        """What it accepted, charged, posted and counted."""
        return self.handle.control("ledger")

    def charges(self) -> list[dict[str, Any]]:
        return self.ledger()["charges"]

    def delete(self, video_id: str) -> None:
        """Delete a video as on HeyGen's page."""
        url = f"{self.handle.base_url}/v3/videos/{video_id}"
        httpx.delete(url, headers={"X-Api-Key": self.handle.api_key})

    def requests(self, route: str) -> int:
        """How often a route was asked, such as ``POST /v3/videos``."""
        return self.ledger()["requests"].get(route, 0)


@pytest.fixture
def make_sandbox(tmp_path, home) -> Iterator[Callable[..., LocalSandbox]]:
    """Start a sandbox with options of the test's own."""

    def start(**options: Any) -> LocalSandbox:
        chosen = INSTANT | CALM | options
        folder, options = tmp_path / "sandbox", SandboxOptions(**chosen)
        live = running.enter_context(sandbox_in_thread(folder, options))
        return LocalSandbox(live.handle, live.faults, home)

    with ExitStack() as running:
        yield start


@pytest.fixture
def sandbox(make_sandbox) -> LocalSandbox:
    return make_sandbox()


@pytest.fixture
def sandbox_at_home(home) -> Iterator[LiveSandbox]:
    """The sandbox that kernels of this home join instead of starting their own."""
    options = SandboxOptions(**(INSTANT | CALM | {"processing_s": 0.1}))
    with sandbox_in_thread(home / ".sandbox", options) as live:
        live.handle.write(home / ".sandbox")
        yield live


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, without a database's name."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin")]
    found = shutil.which("initdb") or next((str(p / "initdb") for p in places), None)
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no PostgreSQL server: bash tests/bring_postgres.sh")
    binaries = Path(found).resolve().parent
    # it refuses to run as root, and pytest's own folders are closed to others
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="heygen-nb-postgres-"))
    if as_user:
        shutil.chown(folder, "postgres")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, options = folder / "data", f"-p {port} -c listen_addresses=127.0.0.1"
    options += " -c unix_socket_directories= -c fsync=off -c max_connections=200"

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(binaries / program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run("initdb", "-A", "trust", "-U", "heygen", "--no-sync", "-E", "UTF8")
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql+psycopg://heygen@127.0.0.1:{port}"
    run("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server) -> str:
    """The address of an empty database."""
    name = f"ledger_{secrets.token_hex(4)}"
    plain = postgres_server.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres_server}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path) -> str:
    """The address of an empty ledger, on either kind of database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


class FakeModel:
    """A server that speaks OpenAI's API and answers what a test tells it to.

    ``replies`` are used up in order, the last one again and again.
    """

    def __init__(self) -> None:
        self.replies: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.completions = 0
        self.base_url = ""

    def say(self, script: str, *, title="A title", caption="A post", **how: Any):
        """Answer with the object that is asked for."""
        answer = {"title": title, "script": script, "caption": caption}
        self.text(json.dumps(answer, ensure_ascii=False), **how)

    def text(self, text: str, **how: Any) -> None:
        """Answer with any text: ``finish``, ``refusal``, ``cut`` or ``whole``."""
        self.replies.append({"text": text, **how})

    def fail(self, status: int, *, body: Any = None, **headers: str) -> None:
        """Answer with a status; the SDK's repeats come at once."""
        headers = {"retry-after-ms": "1", **headers}
        self.replies.append({"status": status, "body": body, "headers": headers})

    async def answer(self, request: Request) -> Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if "status" in reply:
            body, headers = reply["body"], reply["headers"]
            if isinstance(body, str):
                return HTMLResponse(body, reply["status"], headers)
            return JSONResponse(body or {}, reply["status"], headers)
        if "events" in reply:
            return Response(reply["events"], media_type="text/event-stream")
        self.completions += 1
        if reply.get("whole"):
            message = {"content": reply["text"]}
            choice = {"message": message, "finish_reason": "stop"}
            return JSONResponse({"choices": [choice]})
        events = self._events(reply, request.scope["state"]["transport"])
        return StreamingResponse(events, media_type="text/event-stream")

    async def _events(self, reply: dict[str, Any], transport: Any):
        text, cut = reply["text"], reply.get("cut")
        for start in range(0, len(text), 9):
            yield self._event({"content": text[start : start + 9]})
            if cut is not None and start > cut:
                if reply.get("silent"):
                    await asyncio.sleep(3600)
                transport.abort()
                return
        if reply.get("refusal"):
            yield self._event({"refusal": reply["refusal"]})
        yield self._event({}, reply.get("finish", "stop"))
        yield "data: [DONE]\n\n"

    def _event(self, delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
        return f"data: {json.dumps(event)}\n\n"


@pytest.fixture
def fake_model() -> Iterator[FakeModel]:
    """A language model of the test's own, on a real port."""
    model = FakeModel()
    route = Route("/v1/chat/completions", model.answer, methods=["POST"])
    app = Starlette(routes=[route])
    with run_in_thread(app) as listener:
        model.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        yield model
