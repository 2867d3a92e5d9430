from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child.py")


class Children:
    """Starts processes that render; ends those that are left."""

    def __init__(self, sandbox, home):
        self._sandbox = sandbox
        self._home = home
        self._running = []

    def start(
        self,
        drafts,
        boundary="nowhere",
        *,
        send=True,
        lease_s=60,
        naps=None,
        **settings,
    ):
        job = {"drafts": [draft.model_dump(mode="json") for draft in drafts]}
        job |= {"boundary": boundary, "send": send, "settings": settings}
        job |= {"lease_s": lease_s, "naps": naps}
        environ = {**os.environ, **self._sandbox.environ()}
        child = subprocess.Popen(
            [sys.executable, CHILD, json.dumps(job)],
            env={**environ, "HEYGEN_NB_HOME": str(self._home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(child)
        return child

    def run(self, drafts, boundary="nowhere", **options):
        """Run one to its end; return its exit code and what it printed."""
        child = self.start(drafts, boundary, **options)
        out, err = child.communicate(timeout=250)
        assert "Traceback" not in err, err
        return child.returncode, [json.loads(line) for line in out.splitlines()]

    def close(self):
        for child in self._running:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.communicate()


@pytest.fixture
def children_of(home):
    made = []

    def make(sandbox):
        made.append(Children(sandbox, home))
        return made[-1]

    yield make
    for children in made:
        children.close()


@pytest.fixture
def no_naps(monkeypatch):
    """Waits between repeats take no time; those between looks a little."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
