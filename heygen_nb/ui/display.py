"""What a notebook shows: films, our objects, ``%%avatar``; what goes wrong there."""

import asyncio
import base64
import os
import shlex
import sys
from collections import deque
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from html import escape
from pathlib import Path
from typing import Any, Literal, TypeVar, cast
from urllib.parse import quote

from heygen_nb import finishing
from heygen_nb.drafts import what_is_said
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Progress, Quote, Video
from heygen_nb.money import amount_text
from heygen_nb.renderer.finish import pool
from heygen_nb.timing import estimate_s
from heygen_nb.ui.html import bar_html, dotted, markup

_Result = TypeVar("_Result")
_LINES = 8
MAX_EMBEDDED_BYTES = 25_000_000
"""What a page still takes in: it is stored in the notebook as well, a third larger."""

_COPY_PX = 720
_FIRST_SUBSHELLS, _MENDED = (7, 0), (7, 4)


def run(coro: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end and return its result.

    For a plain function that a notebook calls, or a script run with ``%run``. Where
    ``await`` can be written, write that.

    Args:
        coro: For example ``hg.render_video(draft)``.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coro)
    # It changes the running loop, so it is done only here, when it is needed.
    import nest_asyncio2  # noqa: PLC0415

    nest_asyncio2.apply(loop)
    return loop.run_until_complete(coro)


def register(formatter: Any) -> None:
    """Teach IPython's display formatter our models; to do it twice is no harm."""
    for kind in (Draft, Quote, Video):
        formatter.formatters["text/html"].for_type(kind, _card)
        formatter.formatters["text/plain"].for_type(
            kind, lambda thing, printer, _cycle: printer.text(_text(thing))
        )


def _text(thing: Draft | Quote | Video) -> str:
    """Return one of our objects in a few lines."""
    match thing:
        case Draft():
            seconds = estimate_s(what_is_said(thing.script).text)
            length = _("about {seconds:.0f} s").format(seconds=seconds)
            head = f"#{thing.id} {thing.title}".strip()
            caption = f"\n📱 {thing.caption}" if thing.caption else ""
            return f"{head} ({length})\n{thing.script}{caption}"
        case Quote():
            return "💰 " + _("about {seconds:.0f} s: {amount} ({source})").format(
                seconds=thing.seconds,
                amount=amount_text(thing.amount, thing.currency),
                source=thing.source,
            )
    took, path = thing.duration_s, str(thing.path or "")
    length = _("{seconds:.1f} s").format(seconds=took) if took else ""
    return dotted(f"{thing.video_id} {thing.status}", length, path)


def _card(thing: Draft | Quote | Video) -> str:
    """Return the same as a card; a video plays, and its file stays where it is."""
    if isinstance(thing, Video):
        screen = video_html(thing.path) if thing.path else ""
        return screen + markup(_text(thing), tag="small")
    first, _line, others = _text(thing).partition("\n")
    style = (
        "max-width:640px;padding:10px 14px;border-radius:8px;"
        "border:1px solid var(--jp-border-color2,#d5d5d9);white-space:pre-line"
    )
    return f'<div style="{style}">{markup(first, tag="b")}\n{markup(others)}</div>'


def avatar(line: str, cell: str) -> Video | None:
    """``%%avatar``: show the cell's text as a free local preview.

    ``--render`` has it rendered, and pays; ``--title`` and ``--caption`` (the text of
    the post) go into the draft.
    """
    # What this module shows is needed by every notebook; this only by the magic.
    from IPython.core import magic_arguments  # noqa: PLC0415

    parser = cast("Any", magic_arguments).MagicArgumentParser("%%avatar")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--title", default="")
    parser.add_argument("--caption", default="")
    options = parser.parse_args(shlex.split(line))
    draft = Draft(script=cell.strip(), title=options.title, caption=options.caption)
    return run(_make(draft, render=options.render))


async def _make(draft: Draft, *, render: bool) -> Video | None:
    from IPython import display as ipython_display  # noqa: PLC0415

    from heygen_nb.api import render_video  # noqa: PLC0415
    from heygen_nb.ui.state import shared_state  # noqa: PLC0415

    shared, screen = shared_state(), cast("Any", ipython_display)
    await shared.drafts.save(draft, over=0)
    shown = screen.display(screen.HTML(bar_html(None)), display_id=True)
    if not render:
        shown.update(screen.HTML(video_html(await shared.preview(draft))))
        return None
    lines: deque[str] = deque(maxlen=_LINES)

    def show(progress: Progress) -> None:
        lines.append(progress.message)
        log = markup("\n".join(lines), tag="pre")
        shown.update(screen.HTML(bar_html(progress.fraction) + log))

    return await render_video(draft, show, settings=shared.settings)


# The home of the notebook


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


def video_html(path: Path) -> str:
    """Return a video tag that plays wherever the notebook is shown, or why none does.

    JupyterLab serves files: the path relative to the notebook stores nothing in it,
    and reaches only files inside the folder that the server serves. VS Code and Colab
    serve none: there the film stands in the page itself, a large one as a copy that is
    made meanwhile.
    """
    source, note, copy = quote(relative(path)), "", copy_of(path)
    label = _("Video")
    if copy and not copy.done():
        note = _(
            "{name} is too large to be stored in the notebook: a copy in 720p is "
            "being made. It plays when it is ready; in a cell, show it again then."
        ).format(name=path.name)
        return markup(note, "hg-hint", "div")
    if copy and (error := copy.exception()):
        del _COPIES[path, path.stat().st_mtime_ns]  # tried when it is asked for again
        return markup(str(error), "hg-hint", "div")
    if surface() != "jupyter":
        film = copy.result() if copy else path
        content = film.read_bytes()
        source = f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
        note = _(
            "Files do not play here by their path: {name} ({size:.1f} MB) is stored in "
            "the notebook."
        ).format(name=film.name, size=len(content) / 1e6)
    return (
        f'<video class="hg-video" controls preload="metadata" src="{source}" '
        f'aria-label="{escape(label)}" '
        f'style="max-width:100%;max-height:400px;border-radius:8px"></video>'
    ) + (markup(note, "hg-hint", "div") if note else "")


_COPIES: dict[tuple[Path, int], Future[Path]] = {}


def copy_of(path: Path) -> Future[Path] | None:
    """Return the copy of a film that fits a page; None if the film itself plays.

    It is begun once, in another process: encoding takes as long as the film.
    """
    if surface() == "jupyter" or path.stat().st_size <= MAX_EMBEDDED_BYTES:
        return None
    version = path, path.stat().st_mtime_ns
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


def relative(path: Path) -> str:
    """Return a path as seen from the notebook, with forward slashes."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
