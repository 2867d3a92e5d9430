from __future__ import annotations

from pathlib import Path

import pytest

from heygen_nb.cli import lab
from heygen_nb.cli.commands import LabOptions


@pytest.fixture
def started(monkeypatch):
    commands = []
    monkeypatch.setattr(lab.subprocess, "call", lambda c: commands.append(c) or 0)
    return commands


def test_lab_opens_the_first_notebook_and_serves_from_home(started, home):
    assert lab.run_lab(LabOptions(arguments=["--no-browser"])) == 0

    (command,) = started
    assert str(home / "notebooks" / "01_studio.ipynb") in command
    assert f"--ServerApp.root_dir={home}" in command
    assert "--no-browser" in command
    assert "websocket_max_message_size" in command[-1]


def test_all_notebooks_are_copied_and_changed_ones_left_alone(started, home):
    (home / "notebooks").mkdir()
    (home / "notebooks" / "02_step_by_step.ipynb").write_text("mine")

    lab.run_lab(LabOptions())

    names = sorted(path.name for path in Path(home, "notebooks").iterdir())
    assert len(names) == 4
    assert (home / "notebooks" / "02_step_by_step.ipynb").read_text() == "mine"
