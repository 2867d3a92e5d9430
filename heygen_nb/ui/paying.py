"""The question before anything is paid, and the start of what was agreed to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import NO_AVATAR, SCRIPT_LANGUAGES, Draft, Voice
from heygen_nb.money import amount_text
from heygen_nb.renderer import settings_for, update_video_config
from heygen_nb.renderer.order import (
    heard,
    over_limit,
    quote_all,
    quote_phrase,
    say_phrase,
)
from heygen_nb.renderer.resolve import language_label

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.renderer.request import Proposal
    from heygen_nb.ui.base import Answer, Panel
    from heygen_nb.ui.jobs import Job

_WARNINGS = 3  # of many drafts: more would hide what it costs


async def render_if_agreed(
    panel: Panel,
    drafts: Sequence[Draft],
    plans: Sequence[Proposal] | None = None,
    question: str = "",
    take: Callable[[Voice], Awaitable[Draft]] | None = None,
) -> list[Job] | None:
    """Say what drafts will use and cost, ask, and start their renders.

    Args:
        panel: Asks; what costs nothing is only asked about with a ``question``.
        drafts: As they are saved.
        plans: What was found for them already.
        question: Asked first.
        take: Gives the one draft another voice: offered when the voice it has does
            not speak the script's language.

    Returns:
        The renders; None after a no.

    Raises:
        HeygenNbError: They cannot be rendered as they are; nothing was sent.
    """
    shared, before = panel.shared, panel.shared.video_settings
    async with shared.account() as account:
        if plans is None:
            plans = await quote_all(account, drafts, shared.settings)
        over = await over_limit(account, plans, shared.settings)
    cost = sum(plan.quote.amount for plan in plans)
    if cost or (plans and question):
        lines = [question] if question else []
        amount = amount_text(cost, plans[0].quote.currency)
        lines += _what_is_used(plans, amount if cost else "")
        lines += [f"⚠️ {over.message}"] if over else []
        yes = _("Render for {amount}").format(amount=amount) if cost else _("Render")
        others = await _other_ways(panel, drafts[0], plans, by_voice=bool(take))
        answer = await _agreed(panel, before, "\n".join(lines), yes, list(others))
        other = others.get(answer) if isinstance(answer, str) else None
        if isinstance(other, str):
            update_video_config(engine=other)
            return await render_if_agreed(panel, drafts, question=question, take=take)
        if other and take:
            return await render_if_agreed(panel, [await take(other)], take=take)
        if not answer:
            return None
    return shared.jobs.start(drafts, unlimited=over is not None)


async def _other_ways(
    panel: Panel, draft: Draft, plans: Sequence[Proposal], *, by_voice: bool
) -> dict[str, Voice | str]:
    """Return voices and engines that may be taken instead, by the words of a button."""
    ways: dict[str, Voice | str] = {}
    spoken, language = plans[0].cast.voice.language, plans[0].language
    if (spoken or "").startswith(SCRIPT_LANGUAGES[language]):
        by_voice = False
    if by_voice and (voice := await panel.shared.fitting_voice(draft)):
        name = f"{voice.name} ({language_label(voice.language)})"
        ways[_("Take {voice}").format(voice=name)] = voice
    others = plans[0].others if len(plans) == 1 else ()
    amounts = [amount_text(quote.amount, quote.currency) for quote in others]
    for quote, amount in zip(others, amounts, strict=True):
        if quote.engine != NO_AVATAR:
            words = _("Take {engine} for {amount}")
            ways[words.format(engine=quote.engine, amount=amount)] = quote.engine
    return ways


async def render_unpaid_if_agreed(panel: Panel, drafts: Sequence[Draft]) -> int:
    """Render those drafts that are not rendered yet, if somebody agrees.

    Returns:
        How many were started.

    Raises:
        HeygenNbError: They cannot be rendered as they are; nothing was sent.
    """
    plans = await panel.shared.quote(drafts)
    if not plans:
        panel.tell(_("All of them are rendered already."))
        return 0
    count, chosen = len(plans), [plan.draft for plan in plans]
    question = ngettext("Render {count} draft?", "Render {count} drafts?", count)
    asked = question.format(count=count)
    if done := len(drafts) - count:
        words = ngettext(
            "{count} is rendered already and is not paid again.",
            "{count} are rendered already and are not paid again.",
            done,
        )
        asked += "\n" + words.format(count=done)
    if await render_if_agreed(panel, chosen, plans, asked) is None:
        return 0
    panel.tell(
        lambda: ngettext(
            "{count} render has started.", "{count} renders have started.", count
        ).format(count=count)
    )
    return count


async def speak_if_agreed(panel: Panel, draft: Draft) -> Path | None:
    """Say what the speech of a draft costs at most, ask, and have it made.

    Returns:
        The sound, which exact length then renders as it is; None after a no, or
        when the settings do not wish for exact length.

    Raises:
        HeygenNbError: It could not be made.
    """
    shared, before = panel.shared, panel.shared.video_settings
    if before.length_mode != "exact":
        return None
    # also of a draft that is rendered: its speech may lie in a ledger that is gone
    for plan in await shared.quote([draft], again=True):
        quote = plan.quote
        # a film made here costs nothing but its speech
        if cost := quote.at_most if quote.engine == NO_AVATAR else quote.speech:
            amount = amount_text(cost, quote.currency)
            text = _(
                "{voice} says the script, and the video is made of that very sound:"
                " at most {amount}"
            ).format(voice=plan.voice, amount=amount)
            yes = _("Speak for {amount}").format(amount=amount)
            if not await _agreed(panel, before, text, yes):
                return None
    async with shared.account() as account:
        return await heard(account, draft, settings_for(draft, shared.settings))


async def say_if_agreed(panel: Panel, text: str) -> Path | None:
    """Say what HeyGen's speech of a phrase costs at most, ask, and have it made.

    Returns:
        The sound, paid once; None after a no.

    Raises:
        HeygenNbError: It could not be made.
    """
    shared, before = panel.shared, panel.shared.video_settings
    async with shared.account() as account:
        wish, voice, cost = await quote_phrase(account, text, before)
        currency = account.rates.currency
    if cost:
        # a word costs a part of a cent, which is no amount to anybody
        amount = amount_text(math.ceil(cost * 100) / 100, currency)
        question = _("{voice} says “{text}”: at most {amount}")
        question = question.format(voice=voice, text=text, amount=amount)
        yes = _("Speak for {amount}").format(amount=amount)
        if not await _agreed(panel, before, question, yes):
            return None
    async with shared.account() as account:
        return await say_phrase(account, wish, before, cost)


async def _agreed(
    panel: Panel, before: Settings, text: str, yes: str, others: Sequence[str] = ()
) -> Answer:
    """Ask whether something may be paid.

    Args:
        panel: Shows the question.
        before: The settings that its cost was found with: by the time of the answer
            others may hold, with another account or a dearer picture.
        text: The question.
        yes: Words of the button.
        others: Words of more buttons.
    """
    answer = await panel.ask(text, yes, others=others)
    if not answer or panel.shared.video_settings == before:
        return answer
    panel.tell(_("The settings have changed meanwhile: please try again."), "warn")
    return False


def _what_is_used(plans: Sequence[Proposal], amount: str) -> list[str]:
    """Return voice, avatar, length and cost, and what the user should know."""
    lines, prices = [], plans[0].prices if len(plans) == 1 else ""
    seconds = sum(plan.quote.seconds for plan in plans)
    if len(plans) == 1:
        lines = [
            _("Voice: {voice}").format(voice=plans[0].voice),
            _("Avatar: {avatar}").format(avatar=plans[0].avatar or _("none")),
        ]
    if amount:
        text = _("About {seconds:.0f} s, about {amount} (an estimate)")
        lines.append(text.format(seconds=seconds, amount=amount))
    lines += filter(None, [prices])
    return lines + _warnings(plans)


def _warnings(plans: Sequence[Proposal]) -> list[str]:
    """Return what the user should know; of many drafts whose it is, and not all."""
    whose: dict[str, list[str]] = {}
    for plan in plans:
        for text in plan.warnings:
            whose.setdefault(text, []).append(f"#{plan.draft.id}")
    if len(plans) == 1:
        return [f"⚠️ {text}" for text in whose]
    lines = [
        f"⚠️ {', '.join(ids[:_WARNINGS])}{', …' if ids[_WARNINGS:] else ''}: {text}"
        for text, ids in list(whose.items())[:_WARNINGS]
    ]
    if more := len(whose) - len(lines):
        words = ngettext("and {count} more hint", "and {count} more hints", more)
        lines.append(words.format(count=more))
    return lines
