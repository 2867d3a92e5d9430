"""What was rendered and posted, and settling what only a person can."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.models import Draft
from heygen_nb.workflow.history import HistoryLine, export_history, line_of
from heygen_nb.workflow.jobs import video_of
from heygen_nb.workflow.resumption import adopt, pay_again

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from heygen_nb.ledger import Ledger
    from heygen_nb.workflow.session import Session


@dataclass(frozen=True, slots=True)
class PastRender:
    """A line of the history and the title its draft had."""

    line: HistoryLine
    title: str


class Past:
    """The history of a home folder, as its panel shows it.

    Every method may raise HeygenNbError.

    Args:
        ledger: Opens the ledger, or gives the open one.
        sessions: Opens a session, or joins the open one.
    """

    def __init__(
        self,
        ledger: Callable[[], Awaitable[Ledger]],
        sessions: Callable[[], AbstractAsyncContextManager[Session]],
    ) -> None:
        self._ledger = ledger
        self._sessions = sessions

    async def page(
        self, videos: Path, *, status: str | None, before: str | None, limit: int
    ) -> list[PastRender]:
        """Return renders, newest first, after the one called ``before``."""
        ledger = await self._ledger()

        def read() -> list[PastRender]:
            last = ledger.render(before) if before else None
            rows = ledger.history.page(status=status, before=last, limit=limit)
            posts = ledger.posts.of_renders([row.id for row in rows])
            return [
                PastRender(line_of(row, posts.get(row.id, ()), videos), row.title)
                for row in rows
            ]

        return await asyncio.to_thread(read)

    async def export(self, videos: Path, target: Path) -> None:
        """Write all of it to a CSV file."""
        ledger = await self._ledger()
        await asyncio.to_thread(export_history, ledger, videos, target, "csv")

    async def draft_of(self, line: HistoryLine) -> Draft:
        """Return what was rendered: script, caption and title as they were then."""
        ledger = await self._ledger()
        row = await asyncio.to_thread(ledger.render, line.render_id or "")
        return Draft(
            id=row.draft_id, script=row.script, caption=row.caption, title=row.title
        )

    async def send(self, line: HistoryLine, *, again: bool) -> None:
        """Post a finished video, even if it was posted before with ``again``."""
        async with self._sessions() as session:
            await session.posting.send_render(video_of(line), again=again)

    async def resend(self, line: HistoryLine) -> None:
        """Send a post again that a person says is not in the chat."""
        async with self._sessions() as session:
            await session.posting.resend(line.post_id or 0)

    async def mark_sent(self, line: HistoryLine) -> None:
        """Note that a post is in the chat, as a person has seen."""
        async with self._sessions() as session:
            await session.posting.mark_sent(line.post_id or 0)

    async def adopt(self, line: HistoryLine, video_id: str) -> None:
        """Say which video at HeyGen is the one whose answer was lost."""
        async with self._sessions() as session:
            await adopt(session, line.render_id or "", video_id)

    async def pay_again(self, line: HistoryLine) -> None:
        """Plan another attempt, since the first one made no video."""
        async with self._sessions() as session:
            await pay_again(session, line.render_id or "")
