"""Figures of this home's renders, read from its ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from heygen_nb.config import load_settings
from heygen_nb.figures import analyse
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import ledger_url

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.figures import Analytics


def analytics(
    *,
    days: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
) -> Analytics:
    """Return how rendering went: times, lengths, money, failures.

    Args:
        days: Only the renders of so many days back from now.
        since: Only those planned at that time (aware) or later.
        until: Only those planned before that time.
        settings: By default read from home. Its backend's renders count.
        ledger: An open one; by default that of the settings.

    Returns:
        ``["months"]`` and so on are tables: DataFrames when pandas is there, else
        lists of rows; ``.figure("months")`` draws one.
    """
    settings = settings or load_settings()
    if days is not None:
        since = datetime.now(UTC) - timedelta(days=days)
    if ledger is None:
        with Ledger(ledger_url(settings)) as opened:
            return _read(opened, settings.active_backend, since, until)
    return _read(ledger, settings.active_backend, since, until)


def _read(
    ledger: Ledger, backend: str, since: datetime | None, until: datetime | None
) -> Analytics:
    renders = ledger.facts.renders(since=since, until=until)
    speeches = ledger.facts.speeches(since=since, until=until)
    return analyse(
        [row for row in renders if row.backend == backend],
        [row for row in speeches if row.backend == backend],
    )
