"""What is spent and reserved on a day, asked inside of the planning transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from heygen_nb.ledger.tables import Render, Speech

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from heygen_nb.models import Account

Allow = Callable[[float], None]
"""Gets what the day has cost so far; raises when there may be no more."""


def start_of_day(now: datetime) -> datetime:
    """Return the local midnight before a moment, as aware UTC."""
    day = now.astimezone().date()
    return datetime.combine(day, time.min).astimezone().astimezone(UTC)


def spent_since(
    session: Session, account: Account, since: datetime, currency: str
) -> float:
    """Return what an account has spent and reserved from a moment on.

    A render counts on the day it was planned, with its cost once that is known.
    """
    total = 0.0
    for table in (Render, Speech):
        amount = func.coalesce(table.cost, table.reserved_cost)
        query = select(func.sum(amount)).where(
            table.backend == account.backend,
            table.base_url == account.base_url,
            table.account == account.fingerprint,
            table.currency == currency,
            table.created_at >= since,
        )
        total += session.scalar(query) or 0.0
    return total
