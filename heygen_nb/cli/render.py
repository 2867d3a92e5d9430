"""``render``: draft files in, videos and posts out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.cli.console import (
    ask,
    cost_text,
    err,
    log_lines,
    on_terminal,
    out,
    say,
    say_error,
)
from heygen_nb.config import load_settings
from heygen_nb.drafts import check_draft, read_drafts
from heygen_nb.errors import LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.workflow import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.models import Draft
    from heygen_nb.renderer import Plan
    from heygen_nb.workflow import Outcome, Session


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """The flags of the command."""

    send: bool | None = None
    again: bool = False
    yes: bool = False
    max_cost: float | None = None
    backend: str | None = None
    as_json: bool = False


def run_render(files: Sequence[Path], options: RenderOptions) -> int:
    """Render the drafts of the files; return the highest exit code that occurred."""
    settings = load_settings(backend=options.backend)
    drafts = [draft for file in files for draft in read_drafts(file, settings.home)]
    for draft in drafts:
        check_draft(draft)
    outcomes = asyncio.run(_render(drafts, settings, options))
    return max(outcome.exit_code for outcome in outcomes)


async def _render(
    drafts: Sequence[Draft], settings: Settings, options: RenderOptions
) -> list[Outcome]:
    console = err if options.as_json else out
    async with open_session(settings) as session:
        if session.renderer.connection.sandbox:
            say(_("🧪 Sandbox: everything is local and free."), console)
        await _agree(session, drafts, options)
        send = settings.telegram_auto_send if options.send is None else options.send
        with log_lines(console, numbered=len(drafts) > 1) as progress:
            outcomes = await session.render_all(
                drafts, send=send, again=options.again, progress=progress
            )
    for outcome in outcomes:
        show_outcome(outcome, as_json=options.as_json)
    return outcomes


async def _agree(
    session: Session, drafts: Sequence[Draft], options: RenderOptions
) -> None:
    """Show the quote; ask on a terminal, elsewhere keep to the limits.

    Raises:
        LimitError: Dearer than what is allowed, or the answer was no.
    """
    plans = await session.quote_all(drafts, again=options.again)
    total = sum(plan.quote.amount for plan in plans)
    if not total:
        return
    text = _quote_text(plans, total)
    _show_plans(plans)
    say(f"💰 {text}", err)
    if balance := await session.balance():
        line = _("Balance: {amount:.2f} {unit}").format(
            amount=balance[0], unit=balance[1]
        )
        say(f"   {line}", err)
    over = await session.over_limit(plans)
    if options.max_cost is not None and total > options.max_cost:
        over = LimitError(
            _("{quote} is more than --max-cost {limit:.2f}.").format(
                quote=text, limit=options.max_cost
            ),
            hint=_("Nothing was sent. Raise the limit or shorten the scripts."),
            charged=False,
        )
    asked = on_terminal() and not options.yes
    if over and not asked:
        raise over
    if over:
        say(f"⚠️ {over.message}", err)
        session.lift_limits()
    if asked and not ask(_("Render and pay?")):
        raise LimitError(_("Stopped before paying."), charged=False)


def _quote_text(plans: Sequence[Plan], total: float) -> str:
    text = ngettext(
        "{count} video, about {seconds:.0f} s: {amount:.2f} {currency}",
        "{count} videos, about {seconds:.0f} s: {amount:.2f} {currency}",
        len(plans),
    ).format(
        count=len(plans),
        seconds=sum(plan.quote.seconds for plan in plans),
        amount=total,
        currency=plans[0].quote.currency,
    )
    source = _("(estimate, {source})").format(source=plans[0].quote.source)
    return f"{text} {source}"


def _show_plans(plans: Sequence[Plan]) -> None:
    for plan in plans:
        voice = _("Voice: {voice}").format(voice=plan.voice)
        avatar = _("avatar: {avatar}").format(avatar=plan.avatar or "-")
        length = _("about {seconds:.0f} s ({low:.0f}–{high:.0f})").format(
            seconds=plan.length.seconds, low=plan.length.low_s, high=plan.length.high_s
        )
        say(f"#{plan.new.draft_id} {voice} · {avatar} · {length}", err)
        for warning in plan.warnings:
            say(f"⚠️ {warning}", err)


def show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print what became of a draft."""
    if as_json:
        say(outcome.model_dump_json())
        return
    if outcome.path:
        length = _("{seconds:.1f} s, asked: {target:.0f} s").format(
            seconds=outcome.duration_s or 0, target=outcome.target_s or 0
        )
        cost = f" · {cost_text(outcome)}" if outcome.cost else ""
        say(f"#{outcome.draft_id} {outcome.path} ({length}{cost})")
    if outcome.error:
        say_error(outcome.error)
        if outcome.video_id and not outcome.path:
            say(_("Video id: {id}").format(id=outcome.video_id), err)
