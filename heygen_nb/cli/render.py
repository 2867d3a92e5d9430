"""``render``: draft files in, videos and posts out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from heygen_nb.api import next_unpaid, quote_all, render_drafts, without_limits
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
from heygen_nb.drafts import check_draft, drafts_from, read_drafts
from heygen_nb.errors import LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.money import NO_AVATAR
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import over_limit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from heygen_nb.cli.commands import RenderOptions
    from heygen_nb.config import Settings
    from heygen_nb.models import Draft, Quote
    from heygen_nb.renderer.account import Account
    from heygen_nb.renderer.request import Plan
    from heygen_nb.reports import Outcome


_SHOWN = 20  # plans of a large table


def run_render(options: RenderOptions) -> int:
    """Render the drafts of the files; return the highest exit code that occurred."""
    settings = load_settings(backend=options.backend, avatar_engine=options.engine)
    drafts = read_files(options.files, options.template, settings)
    for draft in drafts:
        check_draft(draft)
    outcomes = asyncio.run(_render(drafts, settings, options))
    return max((outcome.exit_code for outcome in outcomes), default=0)


def read_files(
    files: Sequence[Path], template: Path | None, settings: Settings
) -> list[Draft]:
    """Return the drafts of all files, which are tables if there is a template."""
    if template is None:
        return [draft for file in files for draft in read_drafts(file, settings.home)]
    tables = [drafts_from(file, template, settings=settings) for file in files]
    return list(dict.fromkeys(draft for drafts in tables for draft in drafts))


async def _render(
    drafts: Sequence[Draft], settings: Settings, options: RenderOptions
) -> list[Outcome]:
    async with open_account(settings) as account:
        if account.sandbox:
            say(
                _("🧪 Sandbox: everything is local and free."),
                err if options.as_json else out,
            )
        if options.sample:
            return await _only_sample(account, settings, drafts, options)
        if options.template:
            return await _by_rows(account, settings, drafts, options)
        return await _asked(account, settings, drafts, options)


async def _only_sample(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    options: RenderOptions,
) -> list[Outcome]:
    """Render the first draft that is not rendered yet, and say how to go on."""
    plan = await next_unpaid(account, drafts, settings, again=options.again)
    if plan is None:
        text = ngettext(
            "✅ The {count} row is rendered already.",
            "✅ All {count} rows are rendered already.",
            len(drafts),
        )
        say(text.format(count=len(drafts)), err)
        return []
    sample = next(d for d in drafts if d.id == plan.new.draft_id)
    outcomes = await _asked(account, settings, [sample], options)
    say(_("👉 To render the other rows too, leave out --sample."), err)
    return outcomes


async def _by_rows(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    options: RenderOptions,
) -> list[Outcome]:
    """Render the rows of tables; on a terminal one first, if that is wished."""
    plans = await quote_all(account, drafts, settings, again=options.again)
    if known := len(drafts) - len(plans):
        text = ngettext(
            "{count} row is rendered already and is not paid again.",
            "{count} rows are rendered already and are not paid again.",
            known,
        )
        say(text.format(count=known), err)
    asked = on_terminal() and not options.yes
    if asked and len(plans) > 1 and any(plan.quote.amount for plan in plans):
        sample = next(d for d in drafts if d.id == plans[0].new.draft_id)
        others = [draft for draft in drafts if draft is not sample]
        question = _("Render one of {count} rows first, as a sample?")
        question = question.format(count=len(plans))
        # who lifts limits for one does not for all
        if agreed := await _agreed(account, settings, [sample], options, question):
            outcomes = await _run(account, agreed, [sample], options)
            rest = await _rest(account, settings, others, options, outcomes[0])
            return outcomes + rest
    return await _asked(account, settings, drafts, options)


async def _asked(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    options: RenderOptions,
) -> list[Outcome]:
    question = _("Render and pay?")
    agreed = await _agreed(account, settings, drafts, options, question)
    if agreed is None:
        raise LimitError(_("Stopped before paying."), charged=False)
    return await _run(account, agreed, drafts, options)


async def _rest(
    account: Account,
    settings: Settings,
    others: Sequence[Draft],
    options: RenderOptions,
    sample: Outcome,
) -> list[Outcome]:
    """Ask whether to go on after a sample; one that failed ends it."""
    if sample.exit_code:
        return []
    if options.max_cost is not None:
        left = max(0.0, options.max_cost - (sample.cost or 0.0))
        options = replace(options, max_cost=left)
    count = len(await quote_all(account, others, settings, again=options.again))
    question = ngettext(
        "Render the other {count}?", "Render the other {count}?", count
    ).format(count=count)
    agreed = await _agreed(account, settings, others, options, question)
    return await _run(account, agreed, others, options) if agreed else []


async def _run(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    options: RenderOptions,
) -> list[Outcome]:
    console = err if options.as_json else out
    auto = settings.telegram_auto_send
    with log_lines(console, numbered=len(drafts) > 1) as progress:
        outcomes = await render_drafts(
            account,
            settings,
            drafts,
            send=auto if options.send is None else options.send,
            again=options.again,
            progress=progress,
        )
    show_outcomes(outcomes, as_json=options.as_json)
    return outcomes


async def _agreed(
    account: Account,
    settings: Settings,
    drafts: Sequence[Draft],
    options: RenderOptions,
    question: str,
) -> Settings | None:
    """Show the quote; ask on a terminal, elsewhere keep to the limits.

    Returns:
        The settings to go on with, without limits if those were agreed to be
        passed; None if a person said no.

    Raises:
        LimitError: Dearer than what is allowed, and nobody is there to ask.
    """
    plans = await quote_all(account, drafts, settings, again=options.again)
    total = sum(plan.quote.amount for plan in plans)
    if not total:
        return settings
    text = _quote_text(plans, total)
    _show_plans(plans)
    say(f"💰 {text}", err)
    if balance := await account.balance():
        line = _("Balance: {amount:.2f} {unit}").format(
            amount=balance[0], unit=balance[1]
        )
        say(f"   {line}", err)
        if balance[0] < total and balance[1] == plans[0].quote.currency:
            say(_("⚠️ The balance is not enough for all of it."), err)
    over = await over_limit(account, plans, settings)
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
    if asked and not ask(question):
        return None
    return without_limits(settings) if over else settings


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
    for plan in plans[:_SHOWN]:
        voice = _("Voice: {voice}").format(voice=plan.voice)
        avatar = _("avatar: {avatar}").format(avatar=plan.avatar or "-")
        length = _("about {seconds:.0f} s ({low:.0f}–{high:.0f})").format(
            seconds=plan.length.seconds, low=plan.length.low_s, high=plan.length.high_s
        )
        say(f"#{plan.new.draft_id} {voice} · {avatar} · {length}", err)
        for warning in plan.warnings:
            say(f"⚠️ {warning}", err)
        if plan.instead:
            quotes = " · ".join(_price(quote) for quote in (plan.quote, *plan.instead))
            say(f"   {quotes}", err)
    if more := len(plans[_SHOWN:]):
        text = ngettext("… and {n} more", "… and {n} more", more)
        say(text.format(n=more), err)


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print what became of drafts; what stopped several of them is said once."""
    stopped: dict[str, list[str]] = {}
    for outcome in outcomes:
        words = outcome.error.message if outcome.error else ""
        known = stopped.setdefault(words, []) if words else []
        known.append(outcome.draft_id)
        if as_json or len(known) == 1:
            show_outcome(outcome, as_json=as_json)
    for draft_ids in stopped.values():
        if len(draft_ids) > 1 and not as_json:
            text = _("   The same holds for: {drafts}")
            names = ", ".join(f"#{draft_id}" for draft_id in draft_ids)
            say(text.format(drafts=names), err)


def _price(quote: Quote) -> str:
    engine = _("no avatar") if quote.engine == NO_AVATAR else quote.engine
    return f"{engine} {quote.amount:.2f}"


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
