"""What was rendered and posted, and settling what only a person can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.models import Draft
from heygen_nb.workflow.history import HistoryLine, export_history, history_lines
from heygen_nb.workflow.jobs import video_of
from heygen_nb.workflow.resumption import adopt, mark_sent, pay_again, resend

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from heygen_nb.workflow.session import Session


class Past:
    """The history of a home folder, as its panel shows it.

    Every method may raise HeygenNbError.

    Args:
        sessions: Opens a session, or joins the open one.
    """

    def __init__(
        self, sessions: Callable[[], AbstractAsyncContextManager[Session]]
    ) -> None:
        self._sessions = sessions

    async def page(
        self, *, status: str | None, before: str | None, limit: int
    ) -> list[HistoryLine]:
        """Return renders, newest first, after the one called ``before``."""
        async with self._sessions() as session:
            return await asyncio.to_thread(
                history_lines,
                session.renderer.ledger,
                session.settings.videos_path,
                status=status,
                before=before,
                limit=limit,
            )

    async def export(self) -> Path:
        """Write all of it to ``history.csv`` in home."""
        async with self._sessions() as session:
            target = session.settings.home / "history.csv"
            videos = session.settings.videos_path
            ledger = session.renderer.ledger
            await asyncio.to_thread(export_history, ledger, videos, target, "csv")
            return target

    async def draft_of(self, line: HistoryLine) -> Draft:
        """Return what was rendered: script, caption and title as they were then."""
        async with self._sessions() as session:
            ledger = session.renderer.ledger
            row = await asyncio.to_thread(ledger.render, line.render_id or "")
        return Draft(
            id=row.draft_id, script=row.script, caption=row.caption, title=row.title
        )

    async def send(self, line: HistoryLine, caption: str, *, again: bool) -> None:
        """Post a finished video, even if it was posted before with ``again``."""
        async with self._sessions() as session:
            await session.send(video_of(line), caption, again=again)

    async def resend(self, line: HistoryLine) -> None:
        """Send a post again that a person says is not in the chat."""
        async with self._sessions() as session:
            await resend(session, line.post_id or 0)

    async def mark_sent(self, line: HistoryLine) -> None:
        """Note that a post is in the chat, as a person has seen."""
        async with self._sessions() as session:
            await mark_sent(session, line.post_id or 0)

    async def adopt(self, line: HistoryLine, video_id: str) -> None:
        """Say which video at HeyGen is the one whose answer was lost."""
        async with self._sessions() as session:
            await adopt(session, line.render_id or "", video_id)

    async def pay_again(self, line: HistoryLine) -> None:
        """Plan another attempt, since the first one made no video."""
        async with self._sessions() as session:
            await pay_again(session, line.render_id or "")
