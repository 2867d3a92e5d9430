"""One JupyterLab and one browser for all browser tests of a session."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from heygen_nb.ledger import Ledger
from heygen_nb.reports import history_lines
from heygen_nb.sandbox.state import SandboxOptions
from heygen_nb.ui.state import SharedState

from ..serving import CALM, INSTANT, sandbox_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from ..serving import LiveSandbox

_BASE = "/user/someone"  # as JupyterHub serves it
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
_READY = """() => {
  const app = window.jupyterapp, shell = app && app.shell.currentWidget
  const context = shell && shell.context
  return !!(context && context.isReady && context.sessionContext.isReady &&
    context.sessionContext.session && context.sessionContext.session.kernel &&
    context.sessionContext.session.kernel.status === 'idle')
}"""

_BROUGHT = """() => {
  const all = what => [...document.querySelectorAll(what)]
  const seen = e => e.offsetParent !== null
  return all('.hg-app').some(seen) && !all('.hg-busy').some(seen) &&
    all('.hg img').filter(seen).every(picture => picture.complete)
}"""


@dataclass
class Lab:
    """A JupyterLab whose root is a home folder with a fast sandbox in it."""

    url: str
    home: Path
    sandbox: LiveSandbox

    def ledger(self) -> dict[str, Any]:
        """What the sandbox accepted, charged and posted."""
        return self.sandbox.handle.control("ledger")

    def newest_render(self) -> dict[str, Any]:
        """The newest line of this home's history."""
        with Ledger(f"sqlite:///{self.home / 'heygen_nb.db'}") as ledger:
            (line,) = history_lines(ledger, self.home / "videos", limit=1)
        return line.model_dump()

    def newest_body(self) -> dict[str, Any]:
        """What was sent for the newest render of this home."""
        with Ledger(f"sqlite:///{self.home / 'heygen_nb.db'}") as ledger:
            (line,) = history_lines(ledger, self.home / "videos", limit=1)
            return json.loads(ledger.render(line.render_id).body)

    def slow_down(self, *, slow: bool) -> None:
        """Keep all renders in progress, or let them finish."""
        self.sandbox.faults.rules.clear()
        if slow:
            still = {"method": "GET", "word": "processing", "times": None}
            self.sandbox.faults.add("unknown_status", "/v3/videos/*", **still)

    def notebook(self, name: str, *cells: str) -> str:
        """Write a notebook into ``notebooks/``; return its path at the server."""
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = self.home / "notebooks" / f"{name}.ipynb"
        nbformat.write(book, path)
        return str(path.relative_to(self.home.parent))

    def configure(self, text: str = "") -> None:
        """Write config.yaml."""
        base = "heygen_voice: en-US-Neural2-F\npoll_interval_s: 0.3\n"
        (self.home / "config.yaml").write_text(base + text, "utf-8")


@dataclass
class Notebook:
    """An open notebook in the browser."""

    page: Page
    lab: Lab

    def run_all(self) -> None:
        """Run all cells without waiting for them."""
        self.command("notebook:run-all-cells")

    def drafts_ready(self) -> None:
        """Wait until the drafts are listed, and their buttons and keys are there."""
        self.page.locator(".hg-act-create").wait_for(state="attached")
        self.page.wait_for_function("() => window.heygenNbKeys")

    def calm(self) -> None:
        """Wait until what was opened is drawn and brought, and stays so for a while."""
        self.page.wait_for_function(_BROUGHT, polling=50)
        self.page.wait_for_timeout(200)
        self.page.wait_for_function(_BROUGHT, polling=50)

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate(
            "([name, args]) => void window.jupyterapp.commands.execute(name, args)",
            [name, arguments],
        )

    def ready(self) -> None:
        self.page.wait_for_function(_READY)

    def restart(self) -> None:
        """Restart the kernel as the menu does, without its question."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context"
            ".sessionContext.session.kernel.restart()"
        )
        self.ready()

    def interrupt(self) -> None:
        """Interrupt the kernel, as the stop button does."""
        self.command("notebook:interrupt-kernel")

    def theme(self, name: str) -> None:
        """Switch JupyterLab to its ``light`` or ``dark`` theme."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        light = str(name == "light").lower()
        self.page.locator(f"body[data-jp-theme-light={light}]").wait_for(
            state="attached"
        )

    def save(self) -> str:
        """Save; return what the file then holds."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        path = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.path"
        )
        return (self.lab.home.parent / path).read_text("utf-8")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=name)

    def field(self, name: str) -> Locator:
        # below the name there may be a hint
        return self.page.get_by_label(re.compile(rf"^\s*{re.escape(name)}\s*(\n|$)"))


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """One JupyterLab for all browser tests of a worker: its URL and its root."""
    root = tmp_path_factory.mktemp("lab")
    (root / "homes").mkdir()
    settings = root / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (root / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            _lab_command(port, root / "homes"),
            env=_lab_environ(root),
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}{_BASE}"
        _wait_for(url, server)
        yield url, root / "homes"
    finally:
        server.terminate()
        try:
            server.wait(120)  # its kernels are ended first
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def lab(jupyter, request) -> Iterator[Lab]:
    """A home of its own for each file of tests."""
    url, homes = jupyter
    home = homes / request.module.__name__.rpartition(".")[2]
    (home / "notebooks").mkdir(parents=True, exist_ok=True)
    times = {"pending_s": 0.5, "processing_s": 1.0}
    options = SandboxOptions(**(INSTANT | CALM | times))
    # Kernels join it, as they join the one that another kernel has started.
    with sandbox_in_thread(home / ".sandbox", options) as sandbox:
        sandbox.handle.write(home / ".sandbox")
        opened = Lab(url, home, sandbox)
        opened.configure()
        yield opened


def _lab_command(port: int, home: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={home}",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.base_url={_BASE}/",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]


def _lab_environ(root: Path) -> dict[str, str]:
    private = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    mine = {name: str(root / folder) for name, folder in private.items()}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HEYGEN_")}
    return {**kept, **mine, "LC_ALL": "C.UTF-8"}


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/status"):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("JupyterLab did not start")


@pytest.fixture
def open_notebook(lab, browser):
    """Open a notebook in a page of its own; its kernel ends with the test."""
    contexts = []

    def _open(
        path: str,
        *,
        width: int = 1280,
        height: int = 900,
        where: str = "doc/tree",
        server: str = lab.url,
    ) -> Notebook:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{server}/{where}/{path}?reset")
        notebook = Notebook(page, lab)
        notebook.ready()
        return notebook

    yield _open
    for context in contexts:
        context.close()
    _end_kernels(lab)
    lab.slow_down(slow=False)


def _end_kernels(lab: Lab) -> None:
    with urllib.request.urlopen(f"{lab.url}/api/sessions") as reply:
        sessions = json.load(reply)
    for session in sessions:
        request = urllib.request.Request(
            f"{lab.url}/api/sessions/{session['id']}", method="DELETE"
        )
        with urllib.request.urlopen(request):
            pass


@pytest.fixture
def studio(lab, open_notebook):
    """Open the Studio in a browser, after ``config`` was written."""

    def _open(name: str = "studio", *, config: str = "", **size: int) -> Notebook:
        lab.configure(config)
        path = lab.notebook(name, "import heygen_nb as hg\n\nhg.Studio()")
        notebook = open_notebook(path, **size)
        notebook.run_all()
        notebook.page.locator(".hg-app").wait_for()
        notebook.drafts_ready()
        return notebook

    return _open


@pytest.fixture
async def shared(sandbox):
    """A shared on the sandbox of the test, with everything let go of afterwards."""
    shared = SharedState(sandbox.settings(heygen_voice="en-US-Neural2-F"))
    yield shared
    await shared.close()


@pytest.fixture
def until():
    """Wait until something is so, a minute at most: the machine may be busy."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - what is awaited is a widget
                await asyncio.sleep(0.01)

    return wait
