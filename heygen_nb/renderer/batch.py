"""Many renders in one request, and many drafts in one call.

A batch's key is not documented to work, so a batch is never repeated: after a lost
answer its videos are looked for by their titles, and what does not turn up within an
hour is left to a person.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from heygen_nb.clock import uptime_s
from heygen_nb.errors import (
    ApiError,
    NotAuthorizedError,
    NotFoundError,
    NotSentError,
    PaymentRequiredError,
    RateLimitedError,
    WaitTimeoutError,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import TOKEN_PREFIX, RenderRow
from heygen_nb.renderer.background import forget_assets
from heygen_nb.renderer.submit import MAX_LIMITED_S, UNCLEAR, token_of
from heygen_nb.renderer.wait import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from heygen_nb.heygen import BatchItem, HeyGenClient
    from heygen_nb.ledger import Hold, Ledger
    from heygen_nb.renderer.holding import Holding
    from heygen_nb.renderer.wait import Pace

log = logging.getLogger("heygen_nb.renderer")

MAX_ITEMS = 100  # HeyGen's limit of one request
SEARCH_FOR = timedelta(hours=1)
STOPS_ALL = (NotAuthorizedError, PaymentRequiredError)


class Batches:
    """Sends planned renders together, and finds out which videos they became.

    Args:
        client: HeyGen.
        ledger: Where every step is stored before it is taken.
        holding: Takes the renders while they are sent.
        sleep: Waits between two looks.
        uptime: Seconds, for how long 429 is put up with.
    """

    def __init__(
        self,
        client: HeyGenClient,
        ledger: Ledger,
        holding: Holding,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._holding = holding
        self._sleep = sleep
        self._uptime = uptime
        self._looks: dict[str, asyncio.Task[_Look]] = {}
        self._moved: dict[str, tuple[int, Patience]] = {}

    async def close(self) -> None:
        """Stop looking."""
        for task in self._looks.values():
            task.cancel()
        await asyncio.gather(*self._looks.values(), return_exceptions=True)

    async def send(self, rows: Sequence[RenderRow]) -> None:
        """Send planned renders, up to 100 a request.

        What has a background only goes singly, later; so does everything when
        HeyGen does not take batches from this account.

        Raises:
            NotAuthorizedError: The rest was not sent either.
            PaymentRequiredError: So it was here.
        """
        rows = [
            row for row in rows if row.state == "planned" and row.engine != "studio"
        ]
        for start in range(0, len(rows), MAX_ITEMS):
            async with AsyncExitStack() as stack:
                held: list[tuple[Hold, RenderRow]] = []
                for row in rows[start : start + MAX_ITEMS]:
                    hold = await stack.enter_async_context(
                        self._holding(RenderRow, row.id)
                    )
                    now = await asyncio.to_thread(self._ledger.render, row.id)
                    if hold and now.state == "planned" and not now.unanswered:
                        held.append((hold, now))
                if held and not await self._send(held):
                    return

    async def _send(self, held: list[tuple[Hold, RenderRow]]) -> bool:
        """Send one batch; False when batches are not for this account."""
        tokens = "\0".join(row.token for _hold, row in held)
        key = f"{TOKEN_PREFIX}b-{hashlib.sha256(tokens.encode()).hexdigest()[:32]}"
        bodies = ",".join(row.body for _hold, row in held)
        until = self._uptime() + MAX_LIMITED_S
        holds = [hold for hold, _row in held]
        while True:
            at = self._client.server_time() or datetime.now(UTC)
            await asyncio.to_thread(self._ledger.before_batch, holds, key, at)
            for hold in holds:
                hold.check()
            try:
                batch_id = await self._client.create_batch(
                    f'{{"title":"{key}","videos":[{bodies}]}}', idempotency_key=key
                )
            except UNCLEAR as error:
                log.warning("%s", error)
                return True
            except STOPS_ALL as error:
                error.charged = False
                await self._refused(key, error)
                raise
            except (NotSentError, RateLimitedError) as error:
                await self._not_taken(key)
                if self._uptime() > until:
                    raise
                await self._sleep(error.retry_after_s or 10)
            except ApiError as error:
                log.warning("%s", error)
                await self._not_taken(key)
                return False
            else:
                await asyncio.to_thread(
                    self._ledger.after_batch, key, "batch", batch_id=batch_id
                )
                return True

    async def _refused(self, key: str, error: ApiError) -> None:
        await asyncio.to_thread(
            self._ledger.after_batch,
            key,
            "rejected",
            state="rejected",
            unanswered=False,
            error_code=error.code or str(error.status),
            error_message=error.message,
            reserved_cost=0.0,
        )

    async def _not_taken(self, key: str) -> None:
        await asyncio.to_thread(
            self._ledger.after_batch,
            key,
            "refused",
            unanswered=False,
            batch_key=None,
            item_index=None,
        )

    async def settle(self, row: RenderRow, hold: Hold, pace: Pace) -> RenderRow:
        """Wait until a render that went out with others has its video id.

        Returns:
            The render as ``submitted``, ``rejected`` or ``unknown``; as ``planned``
            when its batch turns out not to have been taken.

        Raises:
            WaitTimeoutError: None of the batch has moved for too long.
        """
        while row.state == "planned" and row.batch_key:
            look = await self._look(row, pace.interval_s)
            step = look.step_of(row)
            if step:
                row = await asyncio.to_thread(self._ledger.record, hold, "item", **step)
                await forget_assets(self._ledger, row)
                return row
            self._check_time(row, look, pace)
            row = await asyncio.to_thread(self._ledger.render, row.id)
        return row

    def _check_time(self, row: RenderRow, look: _Look, pace: Pace) -> None:
        """Raise when nothing of the batch has moved for the time one may take."""
        made = sum(item.video_id is not None for item in look.items.values())
        key = str(row.batch_key)
        if key not in self._moved or self._moved[key][0] != made:
            self._moved[key] = made, Patience(pace, self._uptime)
        elif self._moved[key][1].is_over() and row.batch_id:
            line = _("⌛ Render {id} still waits in its batch; it is not lost").format(
                id=row.id
            )
            raise WaitTimeoutError(line, video_id="")

    async def _look(self, row: RenderRow, interval_s: float) -> _Look:
        """Look at a batch once for all its items that are waited for."""
        key = str(row.batch_key)
        task = self._looks.get(key)
        if task is None or task.done():
            # a listing of all titles is asked for less often than one batch
            pause_s = (interval_s if row.batch_id else 3 * interval_s) if task else 0
            task = asyncio.create_task(self._look_at(row, pause_s))
            self._looks[key] = task
        return await asyncio.shield(task)

    async def _look_at(self, row: RenderRow, pause_s: float) -> _Look:
        await self._sleep(pause_s)
        look = _Look()
        try:
            if row.batch_id:
                batch = await self._client.get_batch(row.batch_id)
                look.items = {item.item_index: item for item in batch.items}
                return look
        except NotFoundError as error:
            log.warning("%s", error)  # so the titles have to tell
        except NotAuthorizedError as error:
            error.charged = None
            raise
        except ApiError as error:
            log.warning("%s", error)
            return look
        try:
            look.titles = {}
            async for video in self._client.list_videos(title=TOKEN_PREFIX):
                look.titles.setdefault(token_of(video), []).append(video.id)
            look.at = self._client.server_time() or datetime.now(UTC)
        except ApiError as error:
            log.warning("%s", error)
            look.titles = None
        return look


class _Look:
    """What one look at a batch showed: its items, else all videos by title."""

    def __init__(self) -> None:
        self.items: dict[int, BatchItem] = {}
        self.titles: dict[str, list[str]] | None = None
        self.at = datetime.now(UTC)

    def step_of(self, row: RenderRow) -> dict[str, Any] | None:
        """Return what to store about a render; None while nothing is known."""
        item = self.items.get(-1 if row.item_index is None else row.item_index)
        found = [item.video_id] if item and item.video_id else []
        if self.titles is not None:
            found = list(self.titles.get(row.token, []))
        if len(found) == 1:
            return {"state": "submitted", "video_id": found[0], "unanswered": False}
        if item and item.status == "failed":
            told = item.error or {}
            return {
                "state": "rejected",
                "unanswered": False,
                "error_code": str(told.get("code") or "failed"),
                "error_message": str(told.get("message") or ""),
                "reserved_cost": 0.0,
            }
        since = row.first_sent_at or row.created_at
        if found or (self.titles is not None and self.at - since > SEARCH_FOR):
            return {"state": "unknown", "error_code": f"found_{len(found)}"}
        return None
