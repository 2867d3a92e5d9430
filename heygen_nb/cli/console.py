"""What the commands print: log lines, a progress bar, questions, errors."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from heygen_nb.i18n import gettext as _
from heygen_nb.log import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.text import Text

    from heygen_nb import models
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Draft
    from heygen_nb.reports import Failure, Outcome


class _PlainConsole(Console):
    """Shows what scripts, titles and HeyGen's names hold, and does not obey it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Make the text of every string that is printed, in tables too."""
        return super().render_str(printable(text), **options)


out = _PlainConsole(highlight=False, soft_wrap=True)
err = _PlainConsole(highlight=False, soft_wrap=True, stderr=True)


@contextmanager
def log_lines(
    console: Console, *, numbered: bool = False
) -> Iterator[Callable[[Draft], Callable[[models.Progress], None]]]:
    """Show a bar a draft below the log lines while it runs.

    Args:
        console: Where to.
        numbered: Put the draft's id before every line, as several drafts mix.

    Yields:
        Draft → its progress callback.
    """
    bar = Progress(
        TextColumn("#{task.fields[draft]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}"),
        console=console,
        transient=True,
        # without a terminal a bar would only litter the output
        disable=not console.is_terminal,
    )

    def callback_for(draft: Draft) -> Callable[[models.Progress], None]:
        task = bar.add_task("", total=1.0, draft=draft.id, eta="")

        def show(progress: models.Progress) -> None:
            prefix = f"#{draft.id} " if numbered else ""
            stamp = f"{datetime.now().astimezone():%H:%M:%S}"
            console.print(escape(f"[{stamp}] {prefix}{progress.message}"))
            completed = progress.fraction or 0.0
            bar.update(task, completed=completed, eta=_outlook(progress))

        return show

    with bar:
        yield callback_for


def _outlook(progress: models.Progress) -> str:
    if progress.note or not progress.eta_s:
        return progress.note
    if progress.eta_range_s is None:
        return _("about {seconds:.0f} s left").format(seconds=progress.eta_s)
    low, high = progress.eta_range_s
    return _("about {seconds:.0f} s left ({low:.0f}–{high:.0f})").format(
        seconds=progress.eta_s, low=low, high=high
    )


def cost_text(outcome: Outcome) -> str:
    """Return what it cost; ≈ marks what was computed and not read from a bill."""
    return f"≈{outcome.cost:.2f}" if outcome.cost else ""


def say(text: str, console: Console = out) -> None:
    """Print a line as it is: brackets in it are no markup."""
    console.print(escape(text))


def say_error(error: HeygenNbError | Failure) -> None:
    """Print what is wrong, whether it cost something, and what to do."""
    err.print(f"❌ {escape(error.message)}", style="bold red")
    if error.charged is not None:
        word = _("It was charged.") if error.charged else _("Nothing was charged.")
        err.print(f"   {escape(word)}")
    if error.hint:
        err.print(f"   👉 {escape(error.hint)}")


def ask(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    from rich.prompt import Confirm  # noqa: PLC0415 - only on a terminal

    return Confirm.ask(printable(question), console=err, default=False)


def on_terminal() -> bool:
    """Tell whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
