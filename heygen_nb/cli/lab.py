"""``lab``: JupyterLab on the first notebook, served from home."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.config import load_settings
from heygen_nb.files import packaged
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.cli.commands import LabOptions

FIRST = "01_studio.ipynb"
_GRACE_S = 15.0
# An uploaded file is one message of the browser. Tornado takes 10 MiB, and cuts the
# connection at more without a word. A background may have 32 MB; what is larger has
# to arrive too, or nobody could say so.
_MESSAGES = {"websocket_max_message_size": 128_000_000}


def run_lab(options: LabOptions) -> int:
    """Open JupyterLab; what is not ours in the arguments goes on to it."""
    settings = load_settings()
    notebook = notebooks_in(settings.home) / FIRST
    say(_("📓 Opening {notebook}; Ctrl-C ends it.").format(notebook=notebook))
    # Served from home: videos beyond the server's root would not play.
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        str(notebook),
        *(options.arguments or ()),
    ]
    command.append(f"--ServerApp.root_dir={settings.home}")
    command.append(f"--ServerApp.tornado_settings={_MESSAGES}")
    return _run(command)


def _run(command: list[str]) -> int:
    """Run JupyterLab; what ends us (Ctrl-C, SIGTERM) ends it and its kernels too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    lab = subprocess.Popen(command)  # noqa: S603 - the user's own arguments
    try:
        return lab.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)
        if lab.poll() is None:
            lab.terminate()
            try:
                lab.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                lab.kill()


def notebooks_in(home: Path) -> Path:
    """Return home's notebooks folder; copy what it lacks, change nothing in it."""
    folder, source = home / "notebooks", packaged("notebooks")
    folder.mkdir(exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
    return folder
