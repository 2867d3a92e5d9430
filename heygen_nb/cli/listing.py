"""What the lists of voices and avatars have in common on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from heygen_nb.cli.console import err, out, say
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.workflow.catalogue import age_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Avatar, Voice
    from heygen_nb.workflow.finding import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """The arguments that both lists have."""

    text: str = ""
    refresh: bool = False
    limit: int = 20
    backend: str | None = None
    as_json: bool = False


def refuse_unknown(found: Found[Voice] | Found[Avatar], text: str) -> None:
    """End the command when nothing fits, with what is spelt alike.

    Raises:
        ConfigError: Nothing fits.
    """
    if found.items and not found.near:
        return
    near = "; ".join(f"{item.name} ({item.id})" for item in found.items)
    raise ConfigError(
        _("Nothing fits “{text}”.").format(text=text)
        if text
        else _("Nothing fits these options."),
        hint=_("Nearest: {names}.").format(names=near)
        if near
        else _("Leave words or options out, or fetch the list anew with --refresh."),
    )


def show_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose last column, the ids, is whole in any window.

    Brackets in what HeyGen tells are no markup.
    """
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == names[-1])
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table)


def say_footer(
    shown: int, total: int, age: timedelta | None, trouble: HeygenNbError | None
) -> None:
    """Say how much of the list is shown, and how old it is."""
    count = _("showing {shown} of {total}").format(shown=shown, total=total)
    anew = _("--refresh fetches it anew")
    say(f"{count} · {age_text(age)}; {anew}")
    if trouble:
        say(_("⚠️ It could not be fetched now: {reason}").format(reason=trouble), err)
