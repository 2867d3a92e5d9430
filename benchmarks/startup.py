"""How fast the package is imported and the command answers, beside a bare Python.

Claims: import <= 50 ms over a bare interpreter; ``heygen-nb --help`` <= 0.5 s.
"""

from __future__ import annotations

import subprocess
import sys
import time

ROUNDS = 9
COMMANDS = {
    "bare python": "pass",
    "import heygen_nb": "import heygen_nb",
    "import pydantic (for scale)": "import pydantic",
    "heygen-nb --help": (
        "import sys; sys.argv = ['heygen-nb', '--help']; "
        "from heygen_nb.cli import main; main()"
    ),
}


def main() -> None:
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(ROUNDS):  # interleaved, so that noise meets all of them
        for name, code in COMMANDS.items():
            best[name] = min(best[name], run_s(code))
    bare = best["bare python"]
    print(f"best of {ROUNDS}, seconds")
    for name, seconds in best.items():
        over_ms = (seconds - bare) * 1000
        ratio = seconds / bare
        print(f"{name:28} {seconds:6.3f}  {over_ms:+7.1f} ms  {ratio:5.1f}x bare")


def run_s(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
