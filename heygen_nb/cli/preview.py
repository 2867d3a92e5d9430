"""``preview``: a draft seen and heard in this process, without account or ledger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.config import load_settings
from heygen_nb.drafts import drafts_from, read_drafts
from heygen_nb.files import file_stem
from heygen_nb.i18n import gettext as _
from heygen_nb.preview import render_scene
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.animatic import FAST_PX, PREVIEWS, SHARE_PX, scene_of

if TYPE_CHECKING:
    from heygen_nb.cli.commands import PreviewOptions


def run_preview(options: PreviewOptions) -> int:
    """Make the animatic of every draft in the file, or of a table's first row."""
    settings, output = load_settings(), options.output
    if options.template:
        drafts = drafts_from(options.file, options.template, settings=settings)[:1]
    else:
        drafts = read_drafts(options.file, settings.home)
    side = SHARE_PX if options.share else FAST_PX
    for draft in drafts:
        target = output or settings.home / PREVIEWS / f"{file_stem(draft.id)}.mp4"
        if len(drafts) > 1 and output:
            target = output.with_name(f"{output.stem}-{draft.id}{output.suffix}")
        scene = asyncio.run(scene_of(draft, draft_settings(draft, settings), side))
        # In this process: nobody waits for it to do something else.
        made = render_scene(scene, target.absolute())
        length = _("{seconds:.1f} s").format(seconds=made.duration_s)
        say(f"👁 #{draft.id} {made.path} ({length})")
    return 0
