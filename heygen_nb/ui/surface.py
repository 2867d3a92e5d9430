"""What shows the notebook: what it can play, and what is known to go wrong there."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from heygen_nb import finishing
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.finish import pool

MAX_EMBEDDED_BYTES = 25_000_000
"""What a page still takes in: it is stored in the notebook as well, a third larger."""

_COPY_PX = 720
_FIRST_SUBSHELLS, _MENDED = (7, 0), (7, 4)


def surface() -> Literal["colab", "vscode", "jupyter"]:
    """Return who shows this kernel's notebook, by what they leave in it."""
    if "google.colab" in sys.modules:
        return "colab"
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    names = getattr(shell, "user_ns", {})
    return "vscode" if "__vsc_ipynb_file__" in names else "jupyter"


def kernel_notes() -> Iterator[str]:
    """Yield a line for each thing that is known to misbehave here, and what to do."""
    kernel = sys.modules.get("ipykernel")
    version = kernel.version_info[:2] if kernel else (0, 0)
    where = surface()
    if where == "vscode" and version >= _FIRST_SUBSHELLS:
        yield _(
            "VS Code is known to hang with ipykernel 7: pip install 'ipykernel<7', "
            "then restart the kernel."
        )
    elif _FIRST_SUBSHELLS <= version < _MENDED:
        yield _(
            "ipykernel 7.0 to 7.3 may stop work when its cell has ended: "
            "pip install 'ipykernel>=7.4', then restart the kernel."
        )
    if where == "colab":
        yield _(
            "Colab may show what happens while no cell runs only with the next cell."
        )


def dead_html() -> str:
    """Return words that are seen only beside a panel without its kernel.

    A saved notebook that is opened again has no panel, one whose kernel was restarted
    has one that JupyterLab marks; wherever styles are not let in, the words stand.
    """
    living = ".hg:not(.jupyter-widgets-disconnected)"
    here = f".jp-OutputArea:has({living}) .hg-dead"
    elsewhere = f"body:not(:has(.jp-OutputArea)):has({living}) .hg-dead"
    words = _("This panel has no kernel behind it any more: run the cell again.")
    return (
        f"<style>{here},{elsewhere}{{display:none}}</style>"
        f'<div class="hg-dead" role="alert">⏸ {words}</div>'
    )


def video_source(path: Path) -> tuple[str, str]:
    """Return what a video tag plays a film from, and a word about it if need be.

    JupyterLab serves files: the path relative to the notebook stores nothing in it.
    VS Code and Colab serve none: there the film stands in the page itself, a large one
    as a copy that is made meanwhile.
    """
    if surface() == "jupyter":
        return quote(relative(path)), ""
    text = _(
        "Files do not play here by their path: {name} ({size:.1f} MB) is stored in "
        "the notebook."
    )
    if copy := copy_of(path):
        if not copy.done():
            text = _(
                "{name} is too large to be stored in the notebook: a copy in 720p is "
                "being made. It plays when it is ready; in a cell, show it again then."
            )
            return "", text.format(name=path.name)
        if error := copy.exception():
            del _COPIES[_version(path)]  # tried again when it is asked for again
            return "", str(error)
        path = copy.result()
    content = path.read_bytes()
    note = text.format(name=path.name, size=len(content) / 1e6)
    return f"data:video/mp4;base64,{base64.b64encode(content).decode()}", note


_COPIES: dict[tuple[Path, int], Future[Path]] = {}


def copy_of(path: Path) -> Future[Path] | None:
    """Return the copy of a film that fits a page; None if the film itself plays.

    It is begun once, in another process: encoding takes as long as the film.
    """
    if surface() == "jupyter" or path.stat().st_size <= MAX_EMBEDDED_BYTES:
        return None
    version = _version(path)
    if version not in _COPIES:
        copy = path.with_name(f"{path.stem}.embedded.mp4")
        if copy.exists() and copy.stat().st_mtime_ns >= version[1]:
            _COPIES[version] = Future()
            _COPIES[version].set_result(copy)
        else:
            limits = {"max_bytes": MAX_EMBEDDED_BYTES, "short_px": _COPY_PX}
            _COPIES[version] = pool().submit(
                finishing.shrink_video, path, copy, **limits
            )
    return _COPIES[version]


def _version(path: Path) -> tuple[Path, int]:
    return path, path.stat().st_mtime_ns


def relative(path: Path) -> str:
    """Return a path as seen from the notebook, with forward slashes."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
