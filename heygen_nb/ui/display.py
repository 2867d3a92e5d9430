"""How drafts, videos and quotes show themselves in a cell and in a console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heygen_nb.i18n import gettext as _
from heygen_nb.timing import estimate_s
from heygen_nb.ui.markup import markup, video_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Draft, Quote, Video


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


def draft_text(draft: Draft) -> str:
    """Return a draft in a few lines."""
    head = f"#{draft.id} {draft.title}".strip()
    length = _("about {seconds:.0f} s").format(seconds=estimate_s(draft.script))
    return f"{head} ({length})\n{draft.script}"


def draft_html(draft: Draft) -> str:
    """Return a draft as a card."""
    length = _("about {seconds:.0f} s").format(seconds=estimate_s(draft.script))
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
    return _("about {seconds:.0f} s: {amount:.2f} {currency} ({source})").format(
        seconds=quote.seconds,
        amount=quote.amount,
        currency=quote.currency,
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
