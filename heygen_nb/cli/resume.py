"""``resume``: whatever is not finished is taken up, and lost answers are settled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.api import take_up
from heygen_nb.cli.console import err, log_lines, out, say
from heygen_nb.cli.render import show_outcomes
from heygen_nb.config import load_settings
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext, set_language
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import adopt, order_again

if TYPE_CHECKING:
    from heygen_nb.cli.commands import ResumeOptions
    from heygen_nb.config import Settings
    from heygen_nb.reports import Outcome


def run_resume(options: ResumeOptions) -> int:
    """Take everything up; return the highest exit code that occurred."""
    settings = load_settings(backend=options.backend)
    set_language(settings.language)
    outcomes, elsewhere = asyncio.run(_resume(settings, options))
    show_outcomes(outcomes, as_json=options.as_json)
    if elsewhere:
        text = ngettext(
            "⏳ {count} render was ordered with another key or account and waits.",
            "⏳ {count} renders were ordered with another key or account and wait.",
            elsewhere,
        )
        say(text.format(count=elsewhere), err)
        say(_("   👉 Set the key of that account, then resume again."), err)
    elif not outcomes and not options.as_json:
        say(_("✅ Nothing is left to do."))
    return max((outcome.exit_code for outcome in outcomes), default=0)


async def _resume(
    settings: Settings, options: ResumeOptions
) -> tuple[list[Outcome], int]:
    console = err if options.as_json else out
    async with open_account(settings) as account:
        if account.sandbox:
            say(_("🧪 Sandbox: everything is local and free."), console)
        if options.adopt:
            await adopt(account, *options.adopt)
        if options.again:
            await order_again(account, options.again, settings)
        with log_lines(console, numbered=True) as progress:
            outcomes = await take_up(account, settings, progress)
        waiting = account.ledger.history.elsewhere
        return outcomes, await asyncio.to_thread(waiting, account.payer)
