"""Seeing and hearing a draft before it is paid for, on this machine."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

from heygen_nb.drafts import check_draft
from heygen_nb.preview import Scene, render_scene
from heygen_nb.preview.fetch import fetch_image
from heygen_nb.timing import script_language, speed_for

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.models import Draft
    from heygen_nb.preview import Rendered

FAST_PX, SHARE_PX = 720, 1080


async def preview(
    draft: Draft,
    settings: Settings,
    output: Path,
    *,
    short_side_px: int = FAST_PX,
    executor: Executor | None = None,
) -> Rendered:
    """Make the animatic of a draft: MP4, and SRT and JPEG beside it.

    Args:
        draft: What is said.
        settings: Effective settings for this draft.
        output: The MP4.
        short_side_px: 720 to look at, 1080 to show around.
        executor: Where it is rendered; by default a process of our own, so that a
            notebook's loop never stutters.

    Raises:
        DraftError: The script cannot be spoken.
        PreviewError: The video could not be made.
    """
    check_draft(draft)
    scene = await scene_of(draft, settings, short_side_px)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor or _pool(), render_scene, scene, output)


async def scene_of(draft: Draft, settings: Settings, short_side_px: int) -> Scene:
    """Return what the animatic shows for a draft under these settings."""
    language = script_language(draft.script)
    wished = settings.heygen_background_url
    background: str | bytes | None = wished or None
    if wished and not wished.startswith("#"):
        background = await fetch_image(wished)
    return Scene(
        script=draft.script,
        speed=speed_for(draft.script, settings.video_duration, language),
        aspect_ratio=settings.aspect_ratio,
        short_side_px=short_side_px,
        background=background,
        use_avatar=settings.heygen_use_avatar,
        captions=settings.captions,
    )


@lru_cache(maxsize=1)
def _pool() -> ProcessPoolExecutor:
    # spawn: a fork would copy the kernel's threads and locks
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
