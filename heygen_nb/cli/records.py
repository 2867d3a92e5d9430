"""``resume``, ``history``, ``export``, ``resend`` and ``mark-sent``: the ledger."""

import asyncio

from heygen_nb import cli
from heygen_nb.api import take_up
from heygen_nb.cli import console
from heygen_nb.cli.console import cost_text, err, out, say, with_account
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ledger import Ledger
from heygen_nb.models import Outcome
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import Account, ledger_url
from heygen_nb.renderer.order import adopt, order_again
from heygen_nb.reports import HistoryLine, export_history, history_lines


def run_resume(options: cli.ResumeOptions) -> int:
    """Take everything up; return the highest exit code that occurred."""
    settings = load_settings(backend=options.backend)
    shown = err if options.as_json else out

    async def resume(account: Account) -> tuple[list[Outcome], int]:
        if options.adopt:
            await adopt(account, *options.adopt)
        if options.again:
            await order_again(account, options.again, settings)
        with console.log_lines(shown, numbered=True) as progress:
            outcomes = await take_up(account, settings, progress)
        waiting = account.ledger.history.elsewhere
        return outcomes, await asyncio.to_thread(waiting, account.payer)

    outcomes, elsewhere = with_account(settings, resume, shown)
    console.show_outcomes(outcomes, as_json=options.as_json)
    if elsewhere:
        text = ngettext(
            "⏳ {count} render was ordered with another key or account and waits.",
            "⏳ {count} renders were ordered with another key or account and wait.",
            elsewhere,
        )
        say(text, err)
        say(_("   👉 Set the key of that account, then resume again."), err)
    elif not outcomes and not options.as_json:
        say(_("✅ Nothing is left to do."))
    return max((outcome.exit_code for outcome in outcomes), default=0)


def run_history(options: cli.HistoryOptions) -> None:
    """Show renders, newest first."""
    settings, since = load_settings(), options.since
    with Ledger(ledger_url(settings)) as ledger:
        lines = history_lines(
            ledger,
            settings.videos_path,
            status=options.status,
            since=since and since.astimezone(),  # the day is the user's own
            limit=options.limit,
        )
    if not options.as_json:
        console.show_table([_row(line) for line in lines])
        return
    for line in lines:
        say(line.model_dump_json())


def _row(line: HistoryLine) -> dict[str, str]:
    posted = _("yes") if line.sent else ""
    if line.sent == "unsure":
        posted = _("unsure (post {id})").format(id=line.post_id)
    return {
        _("Render"): line.render_id,
        _("Draft"): f"#{line.draft_id}",
        _("Made"): f"{line.created_at.astimezone():%Y-%m-%d %H:%M}",
        _("Status"): line.status,
        _("Length"): f"{line.duration_s:.0f} s" if line.duration_s else "",
        _("Cost"): cost_text(line),
        _("Posted"): posted,
        _("File or video id"): str(line.path or line.video_id or ""),
    }


def run_export(options: cli.ExportOptions) -> None:
    """Write all renders to a file; ask before one is replaced."""
    settings, target = load_settings(), options.output
    replaces = target.exists() and console.on_terminal()
    if replaces and not console.ask(
        _("{file} exists. Replace it?").format(file=target)
    ):
        raise ConfigError(_("Stopped: nothing was written."))
    with Ledger(ledger_url(settings)) as ledger:
        count = export_history(ledger, settings.videos_path, target, options.kind)
    say(_("{count} renders in {file}"), count=count, file=target)


def run_resend(options: cli.ResendOptions) -> None:
    """Send a post that is not in the chat."""
    settings, post = load_settings(), options.post
    with_account(settings, lambda account: Posting(settings, account).resend(post))
    say(_("📱 Post {id} is in the chat."), id=post)


def run_mark_sent(options: cli.MarkSentOptions) -> None:
    """Note that a post is in the chat."""
    settings, post = load_settings(), options.post
    with_account(settings, lambda account: Posting(settings, account).mark_sent(post))
    say(_("📱 Post {id} is noted as sent."), id=post)
