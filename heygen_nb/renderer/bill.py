"""What a render really cost, where the balance shows it beyond doubt."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heygen_nb.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.ledger import Ledger, RenderRow
    from heygen_nb.models import Payer

log = logging.getLogger("heygen_nb.renderer")

_PLAUSIBLE = 3.0  # a difference beyond this many times the quote is something else's


class Bills:
    """Compares the balance before a render is sent and after it is done.

    HeyGen tells no cost with a video, so the difference counts only for a render
    that had the account for itself; anything else is computed from the rates.

    Args:
        account: Who pays.
        client: HeyGen.
        ledger: Knows what else was on its way.
        now: The time, aware UTC.
    """

    def __init__(
        self,
        account: Payer,
        client: HeyGenClient,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._account = account
        self._client = client
        self._ledger = ledger
        self._now = now
        self._before: dict[str, tuple[datetime, float, str]] = {}

    async def open(self, row: RenderRow) -> None:
        """Note the balance before a render goes out, if it goes alone."""
        if not row.reserved_cost or row.sends:
            return
        since = self._now()
        if await self._alone(row.id, since) and (found := await self._balance()):
            self._before[row.id] = since, *found

    async def close(self, row: RenderRow, computed: float) -> float | None:
        """Return what the balance says a finished render cost; None if it does not."""
        noted = self._before.pop(row.id, None)
        if noted is None:
            return None
        since, before, unit = noted
        found = await self._balance()
        if found is None or not await self._alone(row.id, since):
            return None
        cost = round(before - found[0], 4)
        likely = computed / _PLAUSIBLE <= cost <= computed * _PLAUSIBLE
        return cost if unit == found[1] == row.currency and cost and likely else None

    async def _alone(self, render_id: str, since: datetime) -> bool:
        return await asyncio.to_thread(
            self._ledger.facts.alone, self._account, render_id, since
        )

    async def _balance(self) -> tuple[float, str] | None:
        try:
            return (await self._client.me()).balance
        except ApiError as error:
            log.info("balance: %s", error)
            return None
