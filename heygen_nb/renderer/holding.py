"""Holding what we work on, for as long as we do: leases from async code."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from heygen_nb.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heygen_nb.ledger import Hold, Ledger, PostRow, RenderRow

_LOCKS: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()


def turn(*subject: object) -> asyncio.Lock:
    """Return the lock of a subject on this event loop, as long as somebody has it."""
    key = (asyncio.get_running_loop(), *subject)
    return _LOCKS.setdefault(key, asyncio.Lock())


log = logging.getLogger("heygen_nb.renderer")

_RENEWALS_A_LEASE = 3


class Holding:
    """Takes rows of the ledger and renews what is held while the loop runs."""

    def __init__(self, ledger: Ledger) -> None:
        self._leases = ledger.leases
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def __call__(
        self, table: type[RenderRow | PostRow], row_id: str | int
    ) -> AsyncIterator[Hold | None]:
        """Hold a row inside of the block; None when another process has it."""
        taking = asyncio.ensure_future(
            asyncio.to_thread(self._leases.take, table, row_id)
        )
        hold: Hold | None = None
        try:
            hold = await asyncio.shield(taking)
            if hold and (self._task is None or self._task.done()):
                self._task = asyncio.create_task(self._renew())
            yield hold
        finally:
            if hold is None:  # cancelled meanwhile: the thread may have taken it
                with suppress(LedgerError):
                    hold = await taking
            if hold:
                await self._release(hold)

    async def _release(self, hold: Hold) -> None:
        try:
            await asyncio.to_thread(self._leases.release, hold)
        except LedgerError as error:  # it runs out by itself
            log.warning("%s", error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._leases.lease_s / _RENEWALS_A_LEASE)
            try:
                await asyncio.to_thread(self._leases.renew)
            except LedgerError as error:
                log.warning("%s", error)

    async def close(self) -> None:
        """Stop renewing."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
