"""``make environments``: the wheel in every kind of notebook's home there is.

Each ``*.txt`` beside this file names the pythons and the versions that are there
before us. For each the wheel is installed on top, and ``walk.py`` runs in a real
kernel: the public API on the sandbox, every panel, the clicks from draft to post.

    python tests/environments/run.py [NAME...]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AT_ONCE = 2
PYTHONS = re.compile(r"^# python: (.+)$", re.MULTILINE)
RUNNER = """
import sys, nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
book = nbformat.read(sys.argv[1], 4)
try:
    NotebookClient(book, timeout=240, kernel_name="python3").execute()
except CellExecutionError as error:
    print(error, file=sys.stderr)
nbformat.write(book, sys.argv[1])
"""


@dataclass
class Result:
    """One line of the table; what failed is told, what was not reached stays empty."""

    name: str
    seconds: float = 0.0
    marks: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


def uv(*arguments: object, cwd: Path | None = None) -> str:
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    # the machine's own certificates, as pip takes them: behind a proxy there are others
    trusting = os.environ | {"UV_SYSTEM_CERTS": "1"}
    ran = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, env=trusting
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    return ran.stdout


def installed(python: Path) -> dict[str, str]:
    found = json.loads(uv("pip", "list", "--format", "json", "--python", python))
    return {one["name"].lower(): one["version"] for one in found}


def python_of(version: str) -> str | None:
    """Return a Python of that version; None when this machine has none."""
    name = f"python{version}"
    places = [
        shutil.which(name),
        *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}")),
    ]
    for place in filter(None, places):
        asked = [place, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        ran = subprocess.run(asked, capture_output=True, text=True, check=False)
        if ran.stdout.strip() == version:
            return place
    return None


def walk(python: Path, home: Path) -> dict[str, str]:
    """Run the cells; return what each part printed as its mark."""
    parts = re.split(
        r"^# %% (\w+)\n", (HERE / "walk.py").read_text("utf-8"), flags=re.MULTILINE
    )
    names, cells = parts[1::2], parts[2::2]
    book = {
        "cells": [
            {
                "cell_type": "code",
                "id": name,
                "source": cell.strip(),
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for name, cell in zip(names, cells, strict=True)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook = home / "walk.ipynb"
    notebook.write_text(json.dumps(book))
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("HEYGEN", "TELEGRAM"))
    }
    folders = {
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
    }
    environ = {
        **kept,
        **{name: str(home / folder) for name, folder in folders.items()},
        "HEYGEN_NB_CREDENTIALS": "none",
        "HEYGEN_NB_POLL_INTERVAL_S": "0.2",
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(
        [python, "-c", RUNNER, notebook.name],
        cwd=home,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    done = json.loads(notebook.read_text())["cells"]
    marks = {}
    for name, cell in zip(names, done, strict=True):
        failed = [o for o in cell["outputs"] if o["output_type"] == "error"]
        marks[name] = "no" if failed else "yes" if cell["execution_count"] else ""
    if "no" in marks.values() or "" in marks.values():
        sys.stderr.write(re.sub(r"\x1b\[[\d;]*m", "", ran.stderr)[-1500:])
    return marks


def tried(name: str, version: str, pins: Path, wheel: Path, folder: Path) -> Result:
    result, began = Result(f"{name} on {version}"), time.monotonic()
    base = python_of(version)
    if base is None:
        result.trouble = f"not tried: there is no Python {version} here"
        return result
    python = folder / "bin" / "python"
    home = folder / "home"
    try:
        uv("venv", "--python", base, folder)
        uv("pip", "install", "--python", python, "nbclient", "-r", pins)
        before = installed(python)
        uv("pip", "install", "--python", python, wheel)
        after = installed(python)
        changed = [n for n in before if after.get(n) != before[n]]
        result.marks["install"] = "no" if changed else "yes"
        result.trouble = f"changed: {', '.join(changed)}" if changed else ""
        home.mkdir()
        result.marks |= walk(python, home)
    except RuntimeError as error:
        result.trouble = str(error)
    result.seconds = time.monotonic() - began
    shutil.rmtree(folder, ignore_errors=True)
    return result


def main(*wanted: str) -> int:
    began = time.monotonic()
    results = []
    with tempfile.TemporaryDirectory(prefix="heygen-nb-environments-") as temporary:
        folder = Path(temporary)
        uv("build", "--wheel", "--out-dir", folder, ROOT)
        [wheel] = folder.glob("*.whl")
        homes = [
            (pins.stem, version, pins, wheel, folder / f"{pins.stem}-{version}")
            for pins in sorted(HERE.glob("*.txt"))
            for version in " ".join(PYTHONS.findall(pins.read_text("utf-8"))).split()
            if not wanted or pins.stem in wanted
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for result in pool.map(lambda home: tried(*home), homes):
                results.append(result)
                print(table([result]), flush=True)
    print(f"\n{table(results)}\n{time.monotonic() - began:.0f} s in all")
    return int(any(r.trouble or "no" in r.marks.values() for r in results if r.marks))


def table(results: list[Result]) -> str:
    columns = ("install", "API", "panels", "clicks", "film")
    rows = [("environment", *columns, "seconds")] if len(results) > 1 else []
    for one in results:
        marks = (one.marks.get(column, "") for column in columns)
        rows.append((one.name, *marks, f"{one.seconds:.0f}  {one.trouble}"))
    lines = (row[0].ljust(18) + "".join(c.ljust(9) for c in row[1:]) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
