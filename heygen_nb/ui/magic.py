"""``%%avatar``: the text of a cell becomes a draft, then a preview or a video."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import (
    argument,
    magic_arguments,
    parse_argstring,
)
from IPython.display import HTML, display

from heygen_nb.models import Draft
from heygen_nb.renderer import render_video
from heygen_nb.ui.loop import run
from heygen_nb.ui.markup import bar_html, markup, video_html
from heygen_nb.workflow.desk import shared_desk

if TYPE_CHECKING:
    from heygen_nb.models import Progress, Video

_LINES = 8


@magics_class
class AvatarMagics(Magics):
    """The cell magic of this package."""

    @magic_arguments()
    @argument("--render", action="store_true", help="have it rendered, and pay")
    @argument("--title", default="")
    @argument("--caption", default="", help="text of the post")
    @cell_magic
    def avatar(self, line: str, cell: str) -> Video | None:
        """Show the cell's text as a free local preview, or have it rendered."""
        options = parse_argstring(self.avatar, line)
        draft = Draft(
            script=cell.strip(),
            title=options.title.strip("\"'"),
            caption=options.caption.strip("\"'"),
        )
        return run(_render(draft) if options.render else _preview(draft))


async def _preview(draft: Draft) -> None:
    desk = shared_desk()
    await desk.book.save(draft, over=0)
    shown = display(HTML(bar_html(None)), display_id=True)
    path = await desk.preview(draft)
    shown.update(HTML(video_html(path)))


async def _render(draft: Draft) -> Video:
    desk = shared_desk()
    await desk.book.save(draft, over=0)
    shown = display(HTML(bar_html(None)), display_id=True)
    lines: deque[str] = deque(maxlen=_LINES)

    def show(progress: Progress) -> None:
        lines.append(progress.message)
        log = markup("\n".join(lines), tag="pre")
        shown.update(HTML(bar_html(progress.fraction) + log))

    return await render_video(draft, show, settings=desk.settings)
