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
    "Settings": "config",
    "VIDEO_CONFIG": "renderer",
    "Video": "models",
    "create_video": "renderer",
    "download_video": "renderer",
    "load_settings": "config",
    "preview_draft": "workflow",
    "render_batch": "renderer",
    "render_video": "renderer",
    "resume": "workflow",
    "send_video": "workflow",
    "update_video_config": "renderer",
    "wait_video": "renderer",
}

__version__ = "0.1.0"
__all__ = [
    "VIDEO_CONFIG",
    "Draft",
    "HeygenNbError",
    "Post",
    "Progress",
    "Quote",
    "Settings",
    "Video",
    "__version__",
    "create_video",
    "download_video",
    "load_settings",
    "preview_draft",
    "render_batch",
    "render_video",
    "resume",
    "send_video",
    "update_video_config",
    "wait_video",
]

if TYPE_CHECKING:
    from heygen_nb.config import Settings, load_settings
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Draft, Post, Progress, Quote, Video
    from heygen_nb.renderer import (
        VIDEO_CONFIG,
        create_video,
        download_video,
        render_batch,
        render_video,
        update_video_config,
        wait_video,
    )
    from heygen_nb.workflow import preview_draft, resume, send_video


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'heygen_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"heygen_nb.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
