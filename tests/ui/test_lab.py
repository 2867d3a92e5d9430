from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from heygen_nb.cli import LabOptions, local


@pytest.fixture
def started(monkeypatch):
    commands = []
    monkeypatch.setattr(local, "_run", lambda c, _home: commands.append(c) or 0)
    return commands


def test_lab_opens_the_first_notebook_and_serves_from_home(started, home):
    assert local.run_lab(LabOptions(arguments=["--no-browser"])) == 0

    (command,) = started
    assert str(home / "notebooks" / "01_studio.ipynb") in command
    assert f"--ServerApp.root_dir={home}" in command
    assert "--no-browser" in command
    assert "websocket_max_message_size" in command[-1]


def test_all_notebooks_are_copied_and_changed_ones_left_alone(started, home):
    (home / "notebooks").mkdir()
    (home / "notebooks" / "02_step_by_step.ipynb").write_text("mine")

    local.run_lab(LabOptions(arguments=None))

    names = sorted(path.name for path in Path(home, "notebooks").iterdir())
    assert len(names) == 5
    assert (home / "notebooks" / "02_step_by_step.ipynb").read_text() == "mine"


STAND_IN = """
import os, pathlib, time
pathlib.Path("lab.pid.part").write_text(str(os.getpid()))
pathlib.Path("lab.home").write_text(os.environ["HEYGEN_NB_HOME"])
os.replace("lab.pid.part", "lab.pid")
time.sleep(600)
"""


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)


@pytest.fixture
def ctrl_c():
    """Heed it: in the background of a shell it is ignored, by all children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_what_ends_the_command_ends_its_jupyterlab(tmp_path, home, sent):
    module = tmp_path / "path" / "jupyterlab"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "__main__.py").write_text(STAND_IN)
    environ = {**os.environ, "PYTHONPATH": str(module.parent)}
    command = [sys.executable, "-m", "heygen_nb", "lab"]

    with subprocess.Popen(command, env=environ) as ours:
        wait_until((home / "lab.pid").exists)
        pid = int((home / "lab.pid").read_text())
        assert (home / "lab.home").read_text() == str(home)  # the kernels' home
        ours.send_signal(sent)

        assert ours.wait(120) == 0
    wait_until(lambda: not psutil.pid_exists(pid))
