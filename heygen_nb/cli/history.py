"""``history`` and ``export``: what the ledger knows, on screen and in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from heygen_nb.cli.console import ask, cost_text, on_terminal, out, say
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import set_language
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import ledger_url
from heygen_nb.reports import export_history, history_lines

if TYPE_CHECKING:
    from heygen_nb.cli.commands import ExportOptions, HistoryOptions
    from heygen_nb.reports import HistoryLine


def run_history(options: HistoryOptions) -> int:
    """Show renders, newest first."""
    settings = load_settings()
    set_language(settings.language)
    since = options.since
    if since and since.tzinfo is None:
        since = since.astimezone()  # a day without a zone is the user's own
    with Ledger(ledger_url(settings)) as ledger:
        lines = history_lines(
            ledger,
            settings.videos_path,
            status=options.status,
            since=since,
            limit=options.limit,
        )
    if options.as_json:
        for line in lines:
            say(line.model_dump_json())
    else:
        out.print(_table(lines))
    return 0


def run_export(options: ExportOptions) -> int:
    """Write all renders to a file; ask before one is replaced."""
    settings, target = load_settings(), options.output
    set_language(settings.language)
    replaces = target.exists() and on_terminal()
    if replaces and not ask(_("{file} exists. Replace it?").format(file=target)):
        raise ConfigError(_("Stopped: nothing was written."))
    with Ledger(ledger_url(settings)) as ledger:
        count = export_history(ledger, settings.videos_path, target, options.kind)
    say(_("{count} renders in {file}").format(count=count, file=target))
    return 0


def _table(lines: list[HistoryLine]) -> Table:
    table = Table(box=None, pad_edge=False)
    names = (_("Render"), _("Draft"), _("Made"), _("Status"), _("Length"), _("Cost"))
    for name in (*names, _("Posted"), _("File or video id")):
        table.add_column(name)
    for line in lines:
        table.add_row(
            line.render_id,
            f"#{line.draft_id}",
            f"{line.created_at.astimezone():%Y-%m-%d %H:%M}",
            line.status,
            f"{line.duration_s:.0f} s" if line.duration_s else "",
            cost_text(line),
            _posted(line),
            str(line.path or line.video_id or ""),
        )
    return table


def _posted(line: HistoryLine) -> str:
    if line.sent == "unsure":
        return _("unsure (post {id})").format(id=line.post_id)
    return _("yes") if line.sent else ""
