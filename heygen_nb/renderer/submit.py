"""Getting one render accepted exactly once, whatever happens to the answers.

The stored body goes out under the stored key, and only here. A refusal settles an
attempt only if no earlier send of it is unanswered; otherwise the video is looked
for by its title, and what cannot be settled is left to a person.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from heygen_nb.clock import uptime_s
from heygen_nb.errors import (
    ApiError,
    BadReplyError,
    ConflictError,
    LedgerError,
    NotSentError,
    OutcomeUnknownError,
    QuotaExceededError,
    RateLimitedError,
    ReplyLostError,
    RequestInProgressError,
    ServerError,
    TakenOverError,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.background import forget_assets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.heygen import HeyGenClient, VideoReply
    from heygen_nb.ledger import Hold, Ledger, RenderRow

log = logging.getLogger("heygen_nb.renderer")

KEY_LIFE = timedelta(hours=20)  # HeyGen keeps a key for 24 h: a wide margin
MAX_REPEATS = 5
MAX_LIMITED_S = 900.0
SEARCH_PAUSES_S = (0, 10, 30)
UNCLEAR = (ServerError, BadReplyError, ReplyLostError, RequestInProgressError)


class Submitter:
    """Brings planned renders to ``submitted``, ``rejected`` or ``unknown``.

    Args:
        client: HeyGen.
        ledger: Where every step is stored before it is taken.
        sleep: Waits between repeats.
        uptime: Seconds, for how long 429 is put up with.
    """

    def __init__(
        self,
        client: HeyGenClient,
        ledger: Ledger,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._sleep = sleep
        self._uptime = uptime

    async def submit(self, row: RenderRow, hold: Hold) -> RenderRow:
        """Have a planned render accepted, or find out that it was.

        Raises:
            ApiError: Refused (``charged`` is False), or not settled yet
                (``charged`` is None; a later call goes on).
            OutcomeUnknownError: It cannot be settled by machine.
            TakenOverError: Another process goes on with it.
            LedgerError: A step could not be stored; nothing is sent then.
        """
        try:
            return await self._settle(row, hold)
        except ApiError as error:
            # whatever failed last: an earlier send may have been accepted
            now = await asyncio.to_thread(self._ledger.render, row.id)
            if now.unanswered:
                error.charged = None
            raise

    async def _settle(self, row: RenderRow, hold: Hold) -> RenderRow:
        repeats, limited_until = 0, self._uptime() + MAX_LIMITED_S
        while row.state == "planned":
            if row.unanswered and await self._key_is_dead(row):
                return await self._search(row, hold)
            earlier_unanswered = row.unanswered
            row = await self._note_send(hold)
            hold.check()  # the laptop may have slept since
            try:
                created = await self._client.create_video(
                    row.body, idempotency_key=row.idempotency_key
                )
            except ApiError as error:
                row = await self._after_error(
                    row, hold, error, earlier_unanswered=earlier_unanswered
                )
                limited = isinstance(error, RateLimitedError)
                repeats += not limited
                wait_s = error.retry_after_s or min(2.0**repeats, 30)
                if repeats >= MAX_REPEATS or (
                    limited and self._uptime() + wait_s > limited_until
                ):
                    return await self._give_up(row, hold, error)
                await self._sleep(wait_s)
            else:
                row = await self._accepted(hold, created.video_id, "submitted")
        return row

    async def _note_send(self, hold: Hold) -> RenderRow:
        at = self._client.server_time()
        if at is None:  # the key's life must be counted by the server's clock
            await self._client.me()
            at = self._client.server_time() or datetime.now(UTC)
        return await asyncio.to_thread(self._ledger.before_send, hold, at)

    async def _key_is_dead(self, row: RenderRow) -> bool:
        """Tell whether repeating might make a second video.

        The time is read from the server just now: a laptop may have slept since.
        """
        if row.first_sent_at is None:
            return True
        await self._client.me()
        now = self._client.server_time()
        if now is None:
            return True
        return not timedelta(minutes=-5) < now - row.first_sent_at < KEY_LIFE

    async def _after_error(
        self, row: RenderRow, hold: Hold, error: ApiError, *, earlier_unanswered: bool
    ) -> RenderRow:
        """Store what a failed send means; the state says whether to go on."""
        log.warning("#%s: %s", row.draft_id, error)
        if isinstance(error, UNCLEAR) or _is_unreadable_conflict(error):
            return row
        nothing_made = isinstance(error, NotSentError | RateLimitedError)
        if earlier_unanswered and not nothing_made:
            return await self._search(row, hold)
        error.charged = None if earlier_unanswered else False
        row = await self._record(hold, "refused", unanswered=earlier_unanswered)
        if not nothing_made:
            row = await self._record(
                hold,
                "rejected",
                state="rejected",
                error_code=error.code or str(error.status),
                error_message=error.message,
                reserved_cost=0.0,
            )
            await forget_assets(self._ledger, row)
            raise error
        if isinstance(error, QuotaExceededError):
            raise error
        return row

    async def _give_up(self, row: RenderRow, hold: Hold, error: ApiError) -> RenderRow:
        if row.unanswered:
            return await self._search(row, hold)
        raise error

    async def _search(self, row: RenderRow, hold: Hold) -> RenderRow:
        """Look for the video by its title; adopt the only one, else ask a person."""
        hits: list[str] = []
        for pause_s in SEARCH_PAUSES_S:  # a new video may be listed a little late
            await self._sleep(pause_s)
            hits = [
                video.id
                async for video in self._client.list_videos(title=row.token)
                if token_of(video) == row.token
            ]
            if len(hits) == 1:
                return await self._accepted(hold, hits[0], "adopted")
            if hits:
                break
        row = await self._record(
            hold, "unknown", state="unknown", error_code=f"found_{len(hits)}"
        )
        raise not_known(row)

    async def _accepted(self, hold: Hold, video_id: str, event: str) -> RenderRow:
        try:
            return await self._record(
                hold, event, state="submitted", video_id=video_id, unanswered=False
            )
        except TakenOverError:
            raise
        except LedgerError as error:
            raise LedgerError(
                _("HeyGen accepted video {id}, but: {problem}").format(
                    id=video_id, problem=error.message
                ),
                hint=_(
                    "Make the ledger usable, then render the same draft again:"
                    " it is not paid a second time."
                ),
                charged=True,
            ) from None

    async def _record(
        self, hold: Hold, name: str, *, state: str | None = None, **fields: object
    ) -> RenderRow:
        return await asyncio.to_thread(
            self._ledger.record, hold, name, state=state, **fields
        )


def _is_unreadable_conflict(error: ApiError) -> bool:
    """Tell a gateway's 409, which may stand for "still in progress", from a refusal."""
    return isinstance(error, ConflictError) and error.code is None


def token_of(video: VideoReply) -> str:
    """Return the word that a title starts with: ours, if the video is."""
    return (video.title or "").split(" ")[0]


def not_known(row: RenderRow) -> OutcomeUnknownError:
    """Return the error that asks a person to look."""
    return OutcomeUnknownError(
        _("Render {id} may have been paid: HeyGen's answer was lost.").format(
            id=row.id
        ),
        render_id=row.id,
        hint=_(
            "Look among your videos at HeyGen for {token}. If it is there:"
            " heygen-nb resume --adopt {id} VIDEO_ID; if not: resume --again {id}."
        ).format(token=row.token, id=row.id),
    )
