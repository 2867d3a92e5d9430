"""The question before anything is paid, and the start of what was agreed to."""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from heygen_nb.config import Settings
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import NO_AVATAR, Draft, Voice
from heygen_nb.money import amount_text
from heygen_nb.renderer import order, update_video_config
from heygen_nb.renderer.request import Proposal, is_foreign
from heygen_nb.renderer.resolve import language_label
from heygen_nb.ui.base import Answer, Panel
from heygen_nb.ui.jobs import Job

_WARNINGS = 3  # of many drafts: more would hide what it costs


async def render_if_agreed(
    panel: Panel,
    drafts: Sequence[Draft],
    question: str = "",
    take: Callable[[Voice], Awaitable[Draft]] | None = None,
) -> list[Job]:
    """Say what drafts will use and cost, ask, and start their renders.

    Of several drafts those that are rendered already are left out.

    Args:
        panel: Asks; one draft that costs nothing is only asked about with a
            ``question``.
        drafts: As they are saved.
        question: Asked first.
        take: Gives the one draft another voice: offered when the voice it has does
            not speak the script's language.

    Returns:
        The renders; none after a no.

    Raises:
        HeygenNbError: They cannot be rendered as they are; nothing was sent.
    """
    shared, before = panel.shared, panel.shared.video_settings
    async with shared.account() as account:
        plans = await order.quote_all(account, drafts, shared.settings)
        cost = sum(plan.quote.amount for plan in plans)
        over = await order.over_limit(account, plans, shared.settings)
    if several := len(drafts) > 1:
        if not plans:
            panel.tell(_("All of them are rendered already."))
            return []
        question = _how_many(len(plans), len(drafts) - len(plans))
        drafts, take = [plan.draft for plan in plans], None
    if cost or (plans and question):
        amount = amount_text(cost, plans[0].quote.currency) if cost else ""
        yes = _("Render for {amount}").format(amount=amount) if cost else _("Render")
        lines = [question, *_what_is_used(plans, amount)]
        lines += [f"⚠️ {over.message}"] if over else []
        others = await _other_ways(panel, plans, by_voice=bool(take))
        text = "\n".join(filter(None, lines))
        answer = await _agreed(panel, before, text, yes, list(others))
        other = others.get(answer) if isinstance(answer, str) else None
        if isinstance(other, str):
            update_video_config(engine=other)
            return await render_if_agreed(panel, drafts, question=question, take=take)
        if other and take:
            return await render_if_agreed(panel, [await take(other)], take=take)
        if not answer:
            return []
    jobs = shared.jobs.start(drafts, unlimited=over is not None)
    if several:
        words = ngettext(
            "{count} render has started.", "{count} renders have started.", len(jobs)
        )
        panel.tell(words)
    return jobs


def _how_many(count: int, done: int) -> str:
    asked = ngettext("Render {count} draft?", "Render {count} drafts?", count)
    words = ngettext(
        "{count} is rendered already and is not paid again.",
        "{count} are rendered already and are not paid again.",
        done,
    )
    return f"{asked}\n{words}" if done else asked


async def _other_ways(
    panel: Panel, plans: Sequence[Proposal], *, by_voice: bool
) -> dict[str, Voice | str]:
    """Return voices and engines that may be taken instead, by the words of a button."""
    ways: dict[str, Voice | str] = {}
    if len(plans) > 1:
        return ways
    plan = plans[0]
    foreign = is_foreign(plan.cast.voice, plan.language)
    if by_voice and foreign and (voice := await panel.shared.fitting_voice(plan.draft)):
        name = f"{voice.name} ({language_label(voice.language)})"
        ways[_("Take {voice}").format(voice=name)] = voice
    others = [quote for quote in plan.others if quote.engine != NO_AVATAR]
    amounts = [amount_text(quote.amount, quote.currency) for quote in others]
    for quote, amount in zip(others, amounts, strict=True):
        words = _("Take {engine} for {amount}").format(
            engine=quote.engine, amount=amount
        )
        ways[words] = quote.engine
    return ways


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
    [plan] = await shared.quote([draft], again=True)
    quote = plan.quote
    # a film made here costs nothing but its speech
    cost = quote.at_most if quote.engine == NO_AVATAR else quote.speech
    text = _(
        "{voice} says the script, and the video is made of that very sound:"
        " at most {amount}"
    )
    asked = partial(text.format, voice=plan.voice)
    if not await _may_speak(panel, before, asked, cost, quote.currency):
        return None
    async with shared.account() as account:
        return await order.heard(account, plan)


async def say_if_agreed(panel: Panel, text: str) -> Path | None:
    """Say what HeyGen's speech of a phrase costs at most, ask, and have it made.

    Returns:
        The sound, paid once; None after a no.

    Raises:
        HeygenNbError: It could not be made.
    """
    shared, before = panel.shared, panel.shared.video_settings

    async def agreed(voice: str, cost: float) -> bool:
        words = _("{voice} says “{text}”: at most {amount}")
        asked = partial(words.format, voice=voice, text=text)
        return await _may_speak(panel, before, asked, cost, account.rates.currency)

    async with shared.account() as account:
        return await order.say_phrase(account, text, before, agreed)


async def _may_speak(
    panel: Panel, before: Settings, asked: Callable[..., str], cost: float, unit: str
) -> bool:
    """Ask whether speech may be made, unless that costs nothing."""
    if not cost:
        return True
    # a word costs a part of a cent, which is no amount to anybody
    amount = amount_text(math.ceil(cost * 100) / 100, unit)
    yes = _("Speak for {amount}").format(amount=amount)
    return bool(await _agreed(panel, before, asked(amount=amount), yes))


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
    lines, seconds = [], sum(plan.quote.seconds for plan in plans)
    single = plans[0] if len(plans) == 1 else None
    if single:
        avatar = single.avatar or _("none")
        lines.append(_("Voice: {voice}").format(voice=single.voice))
        lines.append(_("Avatar: {avatar}").format(avatar=avatar))
    if amount:
        text = _("About {seconds:.0f} s, about {amount} (an estimate)")
        lines.append(text.format(seconds=seconds, amount=amount))
    if single:
        warnings = dict.fromkeys(single.warnings)
        return [*lines, single.prices, *(f"⚠️ {text}" for text in warnings)]
    # of many drafts whose it is, and not all
    whose: dict[str, list[str]] = {}
    for plan in plans:
        for text in plan.warnings:
            whose.setdefault(text, []).append(f"#{plan.draft.id}")
    for text, ids in list(whose.items())[:_WARNINGS]:
        more = ", …" if ids[_WARNINGS:] else ""
        lines.append(f"⚠️ {', '.join(ids[:_WARNINGS])}{more}: {text}")
    if (left := len(whose) - _WARNINGS) > 0:
        lines.append(ngettext("and {count} more hint", "and {count} more hints", left))
    return lines
