"""How long ``heygen-nb preview`` takes: against a warm render of the same clip.

    python benchmarks/command.py [RUNS]        # 5 by default; about a minute

The command is a process of its own, imports included. The warm render is the same
call in a process that has made the clip before. They take turns, so that a slow
minute of the machine hits both; wall and CPU seconds are told.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from preview import SCRIPT

from heygen_nb.cli import PreviewOptions
from heygen_nb.cli.local import run_preview


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ["HEYGEN_NB_HOME"] = name
        draft, film = home / "draft.md", home / "out.mp4"
        draft.write_text(SCRIPT)
        command = [sys.executable, "-m", "heygen_nb", "preview", str(draft)]
        options = PreviewOptions(file=draft, output=film, template=None, share=False)
        seen: dict[str, list[tuple[float, float]]] = {"warm": [], "command": []}
        run_preview(options)
        for _run in range(runs):
            wall, cpu = time.perf_counter(), time.process_time()
            run_preview(options)
            spent = time.perf_counter() - wall, time.process_time() - cpu
            seen["warm"].append(spent)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall = time.perf_counter()
            subprocess.run([*command, "-o", str(film)], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            seen["command"].append((time.perf_counter() - wall, cpu))
    middle = {
        way: [statistics.median(part) for part in zip(*pairs, strict=True)]
        for way, pairs in seen.items()
    }
    print(f"median of {runs}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")
    for way, (wall, cpu) in middle.items():
        print(f"{way:8} {wall:6.2f} s {cpu:6.2f} CPU s")
    pairs = zip(middle["command"], middle["warm"], strict=True)
    wall, cpu = (one / other for one, other in pairs)
    print(f"the command takes {wall:.2f}x the warm render by wall, {cpu:.2f}x by CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
