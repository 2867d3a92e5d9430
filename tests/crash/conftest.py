from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import runpy
import signal
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child.py")
# forked from a process that has imported everything: a second less for each
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["pytest", "heygen_nb.api", "heygen_nb.heygen", "heygen_nb.telegram"]
)


class Child:
    """A process that runs child.py; what it prints goes to files in a folder."""

    def __init__(self, job, environ, folder):
        self._out, self._err = folder / "out", folder / "err"
        outside = {
            "JOB": job,
            "ENVIRON": environ,
            "OUTPUTS": (str(self._out), str(self._err)),
        }
        arguments = (str(CHILD), outside, "__main__")
        self._process = FORKS.Process(target=runpy.run_path, args=arguments)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def communicate(self, timeout=None):
        """Wait for its end; return what it printed."""
        self._process.join(timeout)
        assert self.returncode is not None, "it goes on and on"
        return [
            file.read_text("utf-8") if file.exists() else ""
            for file in (self._out, self._err)
        ]


class Children:
    """Starts processes that render; ends those that are left."""

    def __init__(self, sandbox, home, folder):
        self._sandbox = sandbox
        self._home = home
        self._folder = folder
        self._running = []

    def start(
        self,
        drafts,
        boundary="nowhere",
        *,
        send=True,
        lease_s=60,
        naps=None,
        walk=None,
        **settings,
    ):
        job = {"drafts": [draft.model_dump(mode="json") for draft in drafts]}
        job |= walk or {}
        job |= {"boundary": boundary, "send": send, "settings": settings}
        job |= {"lease_s": lease_s, "naps": naps}
        environ = {**os.environ, **self._sandbox.environ()}
        environ["HEYGEN_NB_HOME"] = str(self._home)
        folder = self._folder / f"child{len(self._running)}"
        folder.mkdir(parents=True)
        self._running.append(Child(job, environ, folder))
        return self._running[-1]

    def run(self, drafts, boundary="nowhere", **options):
        """Run one to its end; return its exit code and what it printed."""
        child = self.start(drafts, boundary, **options)
        out, err = child.communicate(timeout=250)
        assert "Traceback" not in err, err
        return child.returncode, [json.loads(line) for line in out.splitlines()]

    def close(self):
        for child in self._running:
            child.send_signal(signal.SIGCONT)
            child.send_signal(signal.SIGKILL)
            child.communicate()


@pytest.fixture
def children_of(home, tmp_path):
    made = []

    def make(sandbox):
        made.append(Children(sandbox, home, tmp_path / f"children{len(made)}"))
        return made[-1]

    yield make
    for children in made:
        children.close()


@pytest.fixture
def no_naps(monkeypatch):
    """Waits between repeats take no time; those between looks a little."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
