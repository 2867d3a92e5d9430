"""A short script becomes a talking-avatar video and a Telegram post.

The public names are loaded on first use, so that ``import heygen_nb`` stays fast
and does nothing by itself.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

_HOME_OF = {
    "AnalyticsPanel": "ui.analytics",
    "Avatar": "models",
    "Draft": "models",
    "DraftsPanel": "ui.drafts",
    "GenerationPanel": "ui.generation",
    "HeygenNbError": "errors",
    "HistoryPanel": "ui.history",
    "Post": "models",
    "Progress": "models",
    "Quote": "models",
    "Settings": "config",
    "SettingsPanel": "ui.settings",
    "Studio": "ui.studio",
    "VIDEO_CONFIG": "renderer",
    "Video": "models",
    "Voice": "models",
    "analytics": "workflow",
    "avatars": "workflow.catalogue",
    "create_video": "api",
    "download_video": "api",
    "drafts_from": "drafts",
    "load_settings": "config",
    "preview_batch": "api",
    "preview_draft": "api",
    "render_batch": "api",
    "render_video": "api",
    "resume": "api",
    "rewrite_draft": "workflow.writing",
    "run": "ui.display",
    "send_video": "api",
    "update_video_config": "renderer",
    "voices": "workflow.catalogue",
    "wait_video": "api",
    "write_drafts": "workflow.writing",
}

__version__ = "0.1.0"
__all__ = [
    "VIDEO_CONFIG",
    "AnalyticsPanel",
    "Avatar",
    "Draft",
    "DraftsPanel",
    "GenerationPanel",
    "HeygenNbError",
    "HistoryPanel",
    "Post",
    "Progress",
    "Quote",
    "Settings",
    "SettingsPanel",
    "Studio",
    "Video",
    "Voice",
    "__version__",
    "analytics",
    "avatars",
    "create_video",
    "download_video",
    "drafts_from",
    "load_settings",
    "preview_batch",
    "preview_draft",
    "render_batch",
    "render_video",
    "resume",
    "rewrite_draft",
    "run",
    "send_video",
    "update_video_config",
    "voices",
    "wait_video",
    "write_drafts",
]

if TYPE_CHECKING:
    from heygen_nb.api import (
        create_video,
        download_video,
        preview_batch,
        preview_draft,
        render_batch,
        render_video,
        resume,
        send_video,
        wait_video,
    )
    from heygen_nb.config import Settings, load_settings
    from heygen_nb.drafts import drafts_from
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Avatar, Draft, Post, Progress, Quote, Video, Voice
    from heygen_nb.renderer import VIDEO_CONFIG, update_video_config
    from heygen_nb.ui.analytics import AnalyticsPanel
    from heygen_nb.ui.display import run
    from heygen_nb.ui.drafts import DraftsPanel
    from heygen_nb.ui.generation import GenerationPanel
    from heygen_nb.ui.history import HistoryPanel
    from heygen_nb.ui.settings import SettingsPanel
    from heygen_nb.ui.studio import Studio
    from heygen_nb.workflow.catalogue import avatars, voices
    from heygen_nb.workflow.writing import rewrite_draft, write_drafts


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'heygen_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"heygen_nb.{_HOME_OF[name]}"), name)
    globals()[name] = value
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


def __dir__() -> list[str]:
    return __all__
