"""The question before anything is paid, and the start of what was agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.errors import LimitError
    from heygen_nb.models import Draft
    from heygen_nb.renderer import Plan
    from heygen_nb.ui._base import Panel


async def render_if_agreed(panel: Panel, draft: Draft) -> bool:
    """Say what a draft will use and cost, ask, and start the render.

    Returns:
        Whether it was started; what costs nothing is not asked about.

    Raises:
        HeygenNbError: It cannot be rendered as it is; nothing was sent.
    """
    before = panel.desk.video_settings
    plan = await panel.desk.quote(draft)
    over = await panel.desk.over_limit(plan) if plan else None
    if plan and plan.quote.amount and not await _agreed(panel, before, plan, over):
        return False
    panel.desk.render(draft, unlimited=over is not None)
    return True


async def speak_if_agreed(panel: Panel, draft: Draft) -> Path | None:
    """Say what the speech of a draft costs at most, ask, and have it made.

    Returns:
        The sound, which exact length then renders as it is; None after a no, or
        when the settings do not wish for exact length.

    Raises:
        HeygenNbError: It could not be made.
    """
    if panel.desk.video_settings.length_mode != "exact":
        return None
    before = panel.desk.video_settings
    # also of a draft that is rendered: its speech may lie in a ledger that is gone
    plan = await panel.desk.quote(draft, again=True)
    if plan and plan.quote.speech:
        amount = f"{plan.quote.speech:.2f} {plan.quote.currency}"
        text = _(
            "{voice} says the script, and the video is made of that very sound:"
            " at most {amount}"
        ).format(voice=plan.voice, amount=amount)
        yes = _("Speak for {amount}").format(amount=amount)
        if not await agreed(panel, before, text, yes):
            return None
    return await panel.desk.speak(draft)


async def agreed(panel: Panel, before: Settings, text: str, yes: str) -> bool:
    """Ask whether something may be paid.

    Args:
        panel: Shows the question.
        before: The settings that its cost was found with: by the time of the answer
            others may hold, with another account or a dearer picture.
        text: The question.
        yes: Words of the button.
    """
    if not await panel.ask(text, yes):
        return False
    if panel.desk.video_settings == before:
        return True
    panel.tell(_("The settings have changed meanwhile: please try again."), "warn")
    return False


async def _agreed(
    panel: Panel, before: Settings, plan: Plan, over: LimitError | None
) -> bool:
    quote = plan.quote
    amount = f"{quote.amount:.2f} {quote.currency}"
    lines = [
        _("Voice: {voice}").format(voice=plan.voice),
        _("Avatar: {avatar}").format(avatar=plan.avatar or _("none")),
        _("About {seconds:.0f} s, about {amount} (estimate, {source})").format(
            seconds=quote.seconds, amount=amount, source=quote.source
        ),
        *(f"⚠️ {warning}" for warning in plan.warnings),
    ]
    if over:
        lines.append(f"⚠️ {over.message}")
    yes = _("Render for {amount}").format(amount=amount)
    return await agreed(panel, before, "\n".join(lines), yes)
