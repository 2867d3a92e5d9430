"""A short script becomes a talking-avatar video and a Telegram post.

The public names stand in ``__init__.pyi``, and nowhere else. They are loaded on first
use, so that ``import heygen_nb`` stays fast and does nothing by itself.
"""

import importlib
import importlib.util
import sys
from difflib import get_close_matches
from typing import Any

import lazy_loader

from heygen_nb.errors import UnknownNameError as _UnknownNameError
from heygen_nb.i18n import gettext as _

__version__ = "0.2.0"
_load, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_names, "__version__"]  # noqa: PLE0604 - names of the stub


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    ours = name in __all__ or name.startswith("_")
    if not ours and not importlib.util.find_spec(f"{__name__}.{name}"):
        near = get_close_matches(name, _names, n=1)
        hint = _("dir(hg) lists the public names.")
        if near:
            hint = _("Did you mean hg.{name}?").format(name=near[0])
        raise _UnknownNameError(
            _("There is no hg.{name}.").format(name=name), hint=hint
        )
    value = _load(name)
    _teach_ipython()
    return value


def load_ipython_extension(shell: Any) -> None:
    """Answer ``%load_ext heygen_nb``: bring the cell magic ``%%avatar``."""
    magic = importlib.import_module("heygen_nb.ui.display")
    shell.register_magic_function(magic.avatar, "cell")
    _teach_ipython()


def _shell() -> Any:
    """Return the notebook's IPython; None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _teach_ipython() -> None:
    """Let a notebook show our objects well; plain Python is left alone."""
    if shell := _shell():
        display = importlib.import_module("heygen_nb.ui.display")
        display.register(shell.display_formatter)


def _not_loaded(_line: str, _cell: str) -> None:
    """Say how ``%%avatar`` comes, instead of IPython's “not found”."""
    error = importlib.import_module("IPython.core.error").UsageError
    raise error(_("%%avatar comes with `%load_ext heygen_nb`: run that first."))


if (_ipython := _shell()) and "avatar" not in _ipython.magics_manager.magics["cell"]:
    _ipython.register_magic_function(_not_loaded, "cell", "avatar")
