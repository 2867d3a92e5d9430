from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from heygen_nb.processes import Processes

SCRIPT = """
import asyncio
import heygen_nb as hg

print("begun")
draft = hg.Draft(id="once", script="Hello there, nobody guards this script.")
asyncio.run(hg.render_video(draft))
asyncio.run(hg.preview_draft(draft))
asyncio.run(hg.preview_batch([draft]))
"""


def test_a_script_without_a_guard_is_run_once(sandbox, home):
    (home / "script.py").write_text(SCRIPT)
    environ = os.environ | sandbox.environ() | {"HEYGEN_NB_CAPTIONS": "own"}
    command = [sys.executable, "script.py"]

    ran = subprocess.run(
        command, env=environ, cwd=home, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout) == (0, "begun\n"), ran.stderr
    assert "Traceback" not in ran.stderr
    assert list(home.glob("videos/*/finish.json"))  # it went through the process
    assert len(sandbox.charges()) == 1


def test_a_process_that_was_killed_is_replaced():
    with Processes(1) as processes:
        with pytest.raises(BrokenExecutor):
            processes.submit(os._exit, 1).result()

        assert processes.submit(os.getpid).result() != os.getpid()


def test_what_goes_wrong_in_a_process_is_raised_here():
    with Processes(1) as processes, pytest.raises(FileNotFoundError):
        processes.submit(os.stat, Path("not there")).result()


def test_what_a_library_prints_is_no_answer():
    with Processes(1) as processes:
        processes.submit(os.write, 1, b"noise").result()

        assert processes.submit(os.getpid).result() != os.getpid()
