"""Many renders in one request, and finding out which videos they became.

A batch's key is not documented to work, so a batch is never repeated: after a lost
answer its videos are looked for by their titles, and what does not turn up within an
hour is left to a person.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from heygen_nb import errors
from heygen_nb.clock import Pace, Patience
from heygen_nb.heygen.refusals import means_credit
from heygen_nb.heygen.wire import BatchItem
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import NO_CREDIT, TOKEN_PREFIX, Hold, RenderRow, token_of
from heygen_nb.log import Report, log
from heygen_nb.models import NO_AVATAR
from heygen_nb.renderer import submit
from heygen_nb.renderer.account import Account

MAX_ITEMS = 100  # HeyGen's limit of one request
SEARCH_FOR = timedelta(hours=1)


async def send_together(
    account: Account, render_ids: Sequence[str], report: Report
) -> None:
    """Send planned renders, up to 100 a request.

    What has a background only goes singly, later; so does everything when HeyGen
    does not take batches from this account.

    Raises:
        NotAuthorizedError: The rest was not sent either.
        PaymentRequiredError: So it was here.
    """
    for start in range(0, len(render_ids), MAX_ITEMS):
        async with AsyncExitStack() as stack:
            held: list[tuple[Hold, RenderRow]] = []
            for render_id in render_ids[start : start + MAX_ITEMS]:
                holding = account.hold(RenderRow, render_id)
                hold = await stack.enter_async_context(holding)
                row = await asyncio.to_thread(account.ledger.render, render_id)
                fresh = row.state == "planned" and not row.unanswered
                if hold and fresh and row.engine not in ("studio", NO_AVATAR):
                    held.append((hold, row))
            if held and not await _send(account, held, submit.Waits(account, report)):
                return


async def _send(
    account: Account, held: list[tuple[Hold, RenderRow]], waits: submit.Waits
) -> bool:
    """Send one batch; False when batches are not for this account."""
    ledger, client = account.ledger, account.client
    tokens = "\0".join(row.token for _hold, row in held)
    key = f"{TOKEN_PREFIX}b-{hashlib.sha256(tokens.encode()).hexdigest()[:32]}"
    bodies = ",".join(row.body for _hold, row in held)
    holds = [hold for hold, _row in held]
    body = f'{{"title":"{key}","videos":[{bodies}]}}'
    while True:
        at = client.server_time() or account.clock.now()
        await asyncio.to_thread(ledger.before_batch, holds, key, at)
        for hold in holds:
            hold.check()
        try:
            batch_id = await client.create_batch(body, idempotency_key=key)
        except errors.UNCLEAR as error:
            log.warning("%s", error)
            return True
        except errors.ApiError as error:
            free = {"unanswered": False, "batch_key": None, "item_index": None}
            await asyncio.to_thread(ledger.after_batch, key, "refused", **free)
            stops = isinstance(error, errors.STOPS_ALL)
            if not stops and not isinstance(error, submit.NOTHING_MADE):
                log.warning("%s", error)
                return False
            if stops or not await waits.wait(error, 10):
                error.charged = False
                raise
        else:
            await asyncio.to_thread(ledger.after_batch, key, "batch", batch_id=batch_id)
            return True


async def settle(account: Account, hold: Hold, row: RenderRow, pace: Pace) -> RenderRow:
    """Wait until a render that went out with others has its video id.

    Returns:
        The render as ``submitted``, ``rejected`` or ``unknown``; as ``planned``
        when its batch turns out not to have been taken.

    Raises:
        WaitTimeoutError: None of the batch has moved for too long.
    """
    made, patience = -1, Patience(pace, account.clock.uptime)
    while row.state == "planned" and (key := row.batch_key):
        # a listing of all titles is asked for less often than one batch
        pause_s = pace.interval_s if row.batch_id else 3 * pace.interval_s
        pause_s = pause_s if key in account.tasks else 0  # once for all its items
        look = partial(_look_at, account, row.batch_id, pause_s)
        seen: BatchLook = await account.shared(key, look)
        if step := seen.step_of(row):
            row = await submit.record(account, hold, "item", **step)
            await submit.forget_what_failed(account, row)
            if row.error_code == NO_CREDIT:
                raise submit.not_rendered("", NO_CREDIT, row.error_message)
            return row
        so_far = sum(item.video_id is not None for item in seen.items.values())
        if so_far != made:
            made, patience = so_far, Patience(pace, account.clock.uptime)
        elif patience.is_over() and row.batch_id:
            line = _("⌛ Render {id} still waits in its batch; it is not lost")
            raise errors.WaitTimeoutError(line, id=row.id)
        row = await asyncio.to_thread(account.ledger.render, row.id)
    return row


async def _look_at(account: Account, batch_id: str | None, pause_s: float) -> BatchLook:
    await account.clock.sleep(pause_s)
    client, titles = account.client, dict[str, list[str]]()
    try:
        if batch_id:
            try:
                items = (await client.get_batch(batch_id)).items
                return BatchLook({item.item_index: item for item in items})
            except errors.NotFoundError as error:
                log.warning("%s", error)  # so the titles have to tell
        async for video in client.list_videos(title=TOKEN_PREFIX):
            titles.setdefault(token_of(video.title), []).append(video.id)
    except errors.NotAuthorizedError as error:
        error.charged = None
        raise
    except errors.ApiError as error:
        log.warning("%s", error)
        return BatchLook({})
    return BatchLook({}, titles, client.server_time() or datetime.now(UTC))


class BatchLook(NamedTuple):
    """What one look at a batch showed: its items, else all videos by title."""

    items: dict[int, BatchItem]
    titles: dict[str, list[str]] | None = None
    at: datetime | None = None

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
            code = str(told.get("code") or "failed")
            message = str(told.get("message") or "")
            step = {"unanswered": False, "error_code": code, "error_message": message}
            if not means_credit(code):
                return step | {"state": "rejected", "reserved_cost": 0.0}
            free = {"batch_key": None, "item_index": None}  # until there is money
            return step | free | {"error_code": NO_CREDIT}
        since = row.first_sent_at or row.created_at
        if found or (self.at and self.at - since > SEARCH_FOR):
            return {"state": "unknown", "error_code": f"found_{len(found)}"}
        return None
