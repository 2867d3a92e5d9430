"""What the commands print: log lines, a progress bar, questions, errors."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.prompt import Confirm
from rich.table import Table

from heygen_nb import models
from heygen_nb.config import Settings
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.log import printable
from heygen_nb.models import Draft, Failure, Outcome

if TYPE_CHECKING:
    from rich.text import Text

    from heygen_nb.renderer.account import Account

_Result = TypeVar("_Result")


class _PlainConsole(Console):
    """Shows what scripts, titles and HeyGen's names hold, and does not obey it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Make the text of every string that is printed, in tables too."""
        return super().render_str(printable(text), **options)


out = _PlainConsole(highlight=False, soft_wrap=True)
err = _PlainConsole(highlight=False, soft_wrap=True, stderr=True)


def with_account(
    settings: Settings,
    work: Callable[[Account], Awaitable[_Result]],
    console: Console | None = None,
) -> _Result:
    """Open the account and do the work; tell the console if it is the sandbox."""
    from heygen_nb.renderer.account import open_account

    async def run() -> _Result:
        async with open_account(settings) as account:
            if account.sandbox and console:
                say(_("🧪 Sandbox: everything is local and free."), console)
            return await work(account)

    return asyncio.run(run())


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
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        # without a terminal a bar would only litter the output
        disable=not console.is_terminal,
    )

    def callback_for(draft: Draft) -> Callable[[models.Progress], None]:
        task = bar.add_task("", total=1.0, draft=draft.id, left="")
        prefix = f"#{draft.id} " if numbered else ""

        def show(progress: models.Progress) -> None:
            now = datetime.now().astimezone()
            say(f"[{now:%H:%M:%S}] {prefix}{progress.message}", console)
            bar.update(task, completed=progress.fraction or 0.0, left=_left(progress))

        return show

    with bar:
        yield callback_for


def _left(progress: models.Progress) -> str:
    if progress.note or not progress.eta_s:
        return progress.note
    text, (low, high) = _("about {seconds:.0f} s left"), progress.eta_range_s or (0, 0)
    if high:
        text = _("about {seconds:.0f} s left ({low:.0f}–{high:.0f})")
    return text.format(seconds=progress.eta_s, low=low, high=high)


def cost_text(outcome: Outcome) -> str:
    """Return what it cost; ≈ marks what was computed and not read from a bill."""
    return f"≈{outcome.cost:.2f}" if outcome.cost else ""


def say(text: str, console: Console = out, **values: object) -> None:
    """Print a line as it is, filled with the values: brackets are no markup."""
    console.print(escape(text.format(**values) if values else text))


def show_table(rows: Sequence[Mapping[str, str]], *, whole: str = "") -> None:
    """Print rows of the same columns; one of them is whole in any window."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold", no_wrap=name == whole)
    for row in rows:
        table.add_row(*map(escape, row.values()))  # brackets in names are no markup
    out.print(table)


def say_error(error: HeygenNbError | Failure) -> None:
    """Print what is wrong, whether it cost something, and what to do."""
    err.print(f"❌ {escape(error.message)}", style="bold red")
    if error.charged is not None:
        paid = _("It was charged.") if error.charged else _("Nothing was charged.")
        say(f"   {paid}", err)
    if error.hint:
        say(f"   👉 {error.hint}", err)


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool = False) -> None:
    """Print what became of drafts; what stopped several of them is said once."""
    if as_json:
        for outcome in outcomes:
            say(outcome.model_dump_json())
        return
    stopped: dict[str, list[str]] = {}
    for outcome in outcomes:
        error = outcome.error
        same = stopped.setdefault(error.message, []) if error else []
        if not same:
            _show(outcome)
        same.append(f"#{outcome.draft_id}")
    for drafts in stopped.values():
        if len(drafts) > 1:
            say(_("   The same holds for: {drafts}"), err, drafts=", ".join(drafts))


def _show(outcome: Outcome) -> None:
    if outcome.path:
        length = _("{seconds:.1f} s, asked: {target:.0f} s").format(
            seconds=outcome.duration_s or 0, target=outcome.target_s or 0
        )
        cost = f" · {cost_text(outcome)}" if outcome.cost else ""
        say(f"#{outcome.draft_id} {outcome.path} ({length}{cost})")
    if outcome.error:
        say_error(outcome.error)
        if outcome.video_id and not outcome.path:
            say(_("Video id: {id}"), err, id=outcome.video_id)


def ask(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    return Confirm.ask(printable(question), console=err, default=False)


def on_terminal() -> bool:
    """Tell whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
