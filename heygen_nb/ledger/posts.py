"""Posts: every message is stored before it is sent, and settled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import desc, or_, select, text

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.tables import EventRow, PostRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from heygen_nb.ledger.database import Database
    from heygen_nb.ledger.leases import Hold, Leases

_NEXT: dict[str, set[str]] = {
    "planned": {"sending", "sent"},
    "sending": {"sent", "failed", "unsure"},
    "failed": {"planned", "sending", "sent"},
    "unsure": {"planned", "sent"},  # only by a person's word
    "sent": set(),
}


class Posts:
    """The messages of the ledger; a post is the video's one and what follows it.

    Args:
        database: Of the ledger.
        leases: The lease of a post's first message counts for all of it.
        now: The clock, as aware UTC.
    """

    def __init__(
        self, database: Database, leases: Leases, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._leases = leases
        self._now = now

    def plan(
        self,
        render_id: str | None,
        *,
        video_id: str,
        backend: str,
        chat_id: str,
        texts: Sequence[str],
        again: bool = False,
    ) -> list[PostRow]:
        """Store the messages of a post, or give those that are there already.

        Args:
            render_id: Of which render; None for a video the ledger does not know.
            video_id: At HeyGen.
            backend: Whose chat it is.
            chat_id: Where to.
            texts: The video's caption, then the messages after it.
            again: Make a new post although there is one.
        """
        with self._database.writing() as session:
            if self._database.on_server:  # two processes may want the same post
                session.execute(text("LOCK TABLE posts IN SHARE ROW EXCLUSIVE MODE"))
            earlier = session.scalars(
                select(PostRow)
                .where(
                    PostRow.video_id == video_id,
                    PostRow.backend == backend,
                    PostRow.chat_id == chat_id,
                    PostRow.part == 0,
                )
                .order_by(desc(PostRow.id))
            ).first()
            if earlier and not again:
                return _parts(session, earlier.id)
            shared = {"render_id": render_id, "video_id": video_id}
            shared |= {"backend": backend, "chat_id": chat_id}
            rows = [
                PostRow(**shared, part=part, text=words, created_at=self._now())
                for part, words in enumerate(texts)
            ]
            session.add(rows[0])
            session.flush()
            for row in rows[1:]:
                row.first_id = rows[0].id
            session.add_all(rows)
            session.flush()
            return rows

    def parts(self, post_id: int) -> list[PostRow]:
        """Return all messages of a post, given any one of them, in order."""
        with self._database.reading() as session:
            row = session.get(PostRow, post_id)
            if row is None:
                raise LedgerError(_("There is no post {id}.").format(id=post_id))
            return _parts(session, row.first_id or row.id)

    def of_renders(self, render_ids: Sequence[str]) -> dict[str, list[PostRow]]:
        """Return the newest post of each render that has one."""
        query = (
            select(PostRow)
            .where(PostRow.render_id.in_(render_ids))
            .order_by(PostRow.render_id, PostRow.id)
        )
        newest: dict[str, list[PostRow]] = {}
        with self._database.reading() as session:
            for row in session.scalars(query):
                if row.part == 0:
                    newest[str(row.render_id)] = [row]
                else:
                    newest[str(row.render_id)].append(row)
        return newest

    def unfinished(self, backend: str) -> Sequence[int]:
        """Return the numbers of posts not wholly in the chat, oldest first."""
        query = (
            select(PostRow.first_id, PostRow.id)
            .where(PostRow.backend == backend, PostRow.state != "sent")
            .order_by(PostRow.id)
        )
        with self._database.reading() as session:
            return list(
                dict.fromkeys(first or own for first, own in session.execute(query))
            )

    def record(self, hold: Hold, post_id: int, state: str, **fields: Any) -> PostRow:
        """Store what happened to a message; ``sending`` comes before the request.

        Args:
            hold: Of the post's first message.
            post_id: Which message of it.
            state: The new state.
            **fields: Columns to set.

        Raises:
            TakenOverError: Another process has the post now.
            LedgerError: The state cannot follow the present one.
        """
        with self._database.writing() as session:
            self._leases.locked(session, hold)
            row = session.get_one(PostRow, post_id)
            if state != row.state and state not in _NEXT[row.state]:
                raise LedgerError(
                    _("Post {id} is {state}: {step} cannot follow.").format(
                        id=row.id, state=row.state, step=state
                    )
                )
            row.state = state
            if state in ("sending", "sent"):
                setattr(row, f"{state}_at", self._now())
            for key, value in fields.items():
                setattr(row, key, value)
            told = {k: v for k, v in fields.items() if isinstance(v, str | int)}
            note = EventRow(at=self._now(), name=f"post {state}", data=told)
            note.render_id, note.post_id = row.render_id, row.id
            session.add(note)
            return row


def _parts(session: Session, first_id: int) -> list[PostRow]:
    mine = or_(PostRow.id == first_id, PostRow.first_id == first_id)
    return list(session.scalars(select(PostRow).where(mine).order_by(PostRow.part)))
