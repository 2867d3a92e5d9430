"""A short script becomes a talking-avatar video and a Telegram post.

The public names are loaded on first use, so that ``import heygen_nb`` stays fast
and does nothing by itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME_OF = {
    "Draft": "models",
    "HeygenNbError": "errors",
    "Post": "models",
    "Progress": "models",
    "Quote": "models",
    "Video": "models",
}

__version__ = "0.1.0"
__all__ = [
    "Draft",
    "HeygenNbError",
    "Post",
    "Progress",
    "Quote",
    "Video",
    "__version__",
]

if TYPE_CHECKING:
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Draft, Post, Progress, Quote, Video


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'heygen_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"heygen_nb.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
