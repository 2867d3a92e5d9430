"""What a table card shows: placeholders, problems and the first filled row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.drafts import repeated_text
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.ui.markup import markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from heygen_nb.models import Draft

_SHOWN = 10
_SHOWN_COLUMNS = 40


def placeholders_html(columns: Iterable[str]) -> str:
    """Return the columns as they are written in a template."""
    chips = " ".join(
        markup("{{ " + name + " }}", "hg-placeholder", "code")
        for name in list(columns)[:_SHOWN_COLUMNS]
    )
    label = markup(_("Placeholders:"), "hg-hint")
    return f"<div>{label} {chips}</div>"


def problems_html(problems: Sequence[str], hint: str) -> str:
    """Return what is wrong with a table, and what to do."""
    pieces = [markup(f"❌ {text}", "bad", "div") for text in problems[:_SHOWN]]
    if more := len(problems[_SHOWN:]):
        text = ngettext("… and {n} more", "… and {n} more", more).format(n=more)
        pieces.append(markup(text, "bad", "div"))
    if hint:
        pieces.append(markup(f"👉 {hint}", tag="div"))
    return f'<div role="alert">{"".join(pieces)}</div>'


def first_row_html(draft: Draft, repeated: int) -> str:
    """Return the draft of the first row, and how many rows say the same."""
    texts = (draft.title, draft.script, draft.caption)
    parts = [markup(text, "hg-ask", "div") for text in texts if text]
    head = markup(_("The first row:"), "hg-hint", "div")
    told = markup(repeated_text(repeated), "hg-hint", "div") if repeated else ""
    return f'{told}{head}<div class="hg-filled">{"".join(parts)}</div>'
