"""Long lists of renders: what is not finished, and what ever was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import desc, or_, select, tuple_
from sqlalchemy.orm import aliased

from heygen_nb.ledger.tables import Post, Render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from heygen_nb.ledger.database import Database
    from heygen_nb.models import Account

_STATES = {"completed": ("completed", "downloaded")}


class History:
    """Reads renders page by page, whatever their number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        *,
        status: str | None = None,
        since: datetime | None = None,
        before: Render | None = None,
        limit: int = 50,
    ) -> Sequence[Render]:
        """Return renders, newest first.

        Args:
            status: Only those; ``completed`` counts downloaded ones too.
            since: Only those planned at that time or later.
            before: The last one of the page before.
            limit: How many at most.
        """
        query = select(Render).order_by(desc(Render.created_at), desc(Render.id))
        if status:
            query = query.where(Render.state.in_(_STATES.get(status, (status,))))
        if since:
            query = query.where(Render.created_at >= since)
        if before:
            place = tuple_(Render.created_at, Render.id)
            query = query.where(place < (before.created_at, before.id))
        with self._database.reading() as session:
            return session.scalars(query.limit(limit)).all()

    def pages(
        self, *, since: datetime | None = None, size: int = 500
    ) -> Iterator[Sequence[Render]]:
        """Yield all renders, newest first, a page at a time."""
        last = None
        while rows := self.page(since=since, before=last, limit=size):
            yield rows
            last = rows[-1]

    def unfinished(self, account: Account) -> Sequence[Render]:
        """Return what is not done yet, oldest first.

        That is what is on its way, what a person has to decide about unless there
        is a newer attempt, and what is still to be posted.
        """
        newer = aliased(Render)
        newest = (
            ~select(newer.id)
            .where(
                newer.backend == Render.backend,
                newer.base_url == Render.base_url,
                newer.account == Render.account,
                newer.draft_id == Render.draft_id,
                newer.revision == Render.revision,
                newer.attempt > Render.attempt,
            )
            .exists()
        )
        posted = select(Post.id).where(Post.render_id == Render.id).exists()
        unposted = Render.send_to.is_not(None) & ~posted
        query = (
            select(Render)
            .where(
                *belongs_to(account),
                or_(
                    Render.state.in_(("planned", "submitted", "completed")),
                    (Render.state == "unknown") & newest,
                    (Render.state == "downloaded") & unposted,
                ),
            )
            .order_by(Render.created_at, Render.id)
        )
        with self._database.reading() as session:
            return session.scalars(query).all()


def belongs_to(account: Account) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a render is this account's."""
    return (
        Render.backend == account.backend,
        Render.base_url == account.base_url,
        Render.account == account.fingerprint,
    )
