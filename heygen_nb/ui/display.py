"""What a notebook shows without a panel: our objects, and ``%%avatar``; and ``run``."""

from __future__ import annotations

import asyncio
import shlex
from argparse import ArgumentParser
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

from heygen_nb.drafts import what_is_said
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Progress, Quote, Video
from heygen_nb.money import amount_text
from heygen_nb.timing import estimate_s
from heygen_nb.ui.html import bar_html, markup, video_html

_Result = TypeVar("_Result")
_LINES = 8


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
    """Teach IPython's display formatter our models; once is enough, twice is no harm.

    By name, so that nothing has to be loaded for it.
    """
    for name, (as_html, as_text) in _FORMS.items():
        html, plain = (formatter.formatters[m] for m in ("text/html", "text/plain"))
        html.for_type_by_name("heygen_nb.models", name, as_html)
        plain.for_type_by_name("heygen_nb.models", name, _printer(as_text))


def _printer(as_text: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    return lambda thing, printer, _cycle: printer.text(as_text(thing))


def _length(draft: Draft) -> str:
    seconds = estimate_s(what_is_said(draft.script).text)
    return _("about {seconds:.0f} s").format(seconds=seconds)


def draft_text(draft: Draft) -> str:
    """Return a draft in a few lines."""
    head = f"#{draft.id} {draft.title}".strip()
    length = _length(draft)
    return f"{head} ({length})\n{draft.script}"


def draft_html(draft: Draft) -> str:
    """Return a draft as a card."""
    length = _length(draft)
    parts = [
        markup(draft.title or f"#{draft.id}", tag="b"),
        markup(f" #{draft.id} · {length}", tag="small"),
        markup(draft.script, tag="p"),
    ]
    if draft.caption:
        parts.append(markup(f"📱 {draft.caption}", tag="small"))
    return _card("".join(parts))


def video_text(video: Video) -> str:
    """Return a video in one line."""
    facts = [f"{video.video_id} {video.status}"]
    if video.duration_s:
        facts.append(_("{seconds:.1f} s").format(seconds=video.duration_s))
    if video.path:
        facts.append(str(video.path))
    return " · ".join(facts)


def video_card(video: Video) -> str:
    """Return a video that plays in the cell; its file stays where it is."""
    screen = video_html(video.path) if video.path else ""
    return screen + markup(video_text(video), tag="small")


def quote_text(quote: Quote) -> str:
    """Return a quote in one line."""
    return _("about {seconds:.0f} s: {amount} ({source})").format(
        seconds=quote.seconds,
        amount=amount_text(quote.amount, quote.currency),
        source=quote.source,
    )


def quote_html(quote: Quote) -> str:
    """Return a quote as a card."""
    return _card(markup(f"💰 {quote_text(quote)}"))


def _card(content: str) -> str:
    style = (
        "max-width:640px;padding:10px 14px;border-radius:8px;"
        "border:1px solid var(--jp-border-color2,#d5d5d9);white-space:pre-line"
    )
    return f'<div style="{style}">{content}</div>'


_FORMS: dict[str, tuple[Callable[[Any], str], Callable[[Any], str]]] = {
    "Draft": (draft_html, draft_text),
    "Quote": (quote_html, quote_text),
    "Video": (video_card, video_text),
}


def avatar(line: str, cell: str) -> Video | None:
    """``%%avatar``: show the cell's text as a free local preview.

    ``--render`` has it rendered, and pays; ``--title`` and ``--caption`` (the text of
    the post) go into the draft.
    """
    options = _OPTIONS.parse_args(shlex.split(line))
    draft = Draft(script=cell.strip(), title=options.title, caption=options.caption)
    return run(_make(draft, render=options.render))


class _Options(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"%%avatar: {message}")


_OPTIONS = _Options(prog="%%avatar", add_help=False)
_OPTIONS.add_argument("--render", action="store_true")
_OPTIONS.add_argument("--title", default="")
_OPTIONS.add_argument("--caption", default="")


async def _make(draft: Draft, *, render: bool) -> Video | None:
    # What this module shows is needed by every notebook; these only by the magic.
    import IPython.display as ipython  # noqa: PLC0415

    from heygen_nb.api import render_video  # noqa: PLC0415
    from heygen_nb.ui.state import shared_state  # noqa: PLC0415

    shared = shared_state()
    await shared.drafts.save(draft, over=0)
    screen: Any = ipython
    shown = screen.display(screen.HTML(bar_html(None)), display_id=True)
    if not render:
        path = await shared.preview(draft)
        shown.update(screen.HTML(video_html(path)))
        return None
    lines: deque[str] = deque(maxlen=_LINES)

    def show(progress: Progress) -> None:
        lines.append(progress.message)
        log = markup("\n".join(lines), tag="pre")
        shown.update(screen.HTML(bar_html(progress.fraction) + log))

    return await render_video(draft, show, settings=shared.settings)
