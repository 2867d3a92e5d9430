"""A short script becomes a talking-avatar video and a Telegram post.

The public names stand in ``__init__.pyi``, and nowhere else. They are loaded on first
use, so that ``import heygen_nb`` stays fast and does nothing by itself.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import lazy_loader

__version__ = "0.2.0"
_load, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_names, "__version__"]  # noqa: PLE0604 - names of the stub


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    value = _load(name)
    _teach_ipython()
    return value


def load_ipython_extension(shell: Any) -> None:
    """Answer ``%load_ext heygen_nb``: bring the cell magic ``%%avatar``."""
    magic = importlib.import_module("heygen_nb.ui.display")
    shell.register_magic_function(magic.avatar, "cell")
    _teach_ipython()


def _teach_ipython() -> None:
    """Let a notebook show our objects well; plain Python is left alone."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell:
        display = importlib.import_module("heygen_nb.ui.display")
        display.register(shell.display_formatter)
