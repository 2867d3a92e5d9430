"""Drafts as their authors left them: saved by version, deleted with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import desc, func, or_, select, text

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.tables import Draft as DraftRow
from heygen_nb.models import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from heygen_nb.ledger.database import Database


class Drafts:
    """The drafts of the ledger.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def save(self, draft: Draft, *, version: int | None = None) -> int:
        """Store a draft; return its new version.

        Args:
            draft: As it is now.
            version: The one that was changed; 0 for a new draft, None to overwrite
                whatever is there.

        Raises:
            LedgerError: Somebody else has saved it since (code ``conflict``).
        """
        with self._database.writing() as session:
            if self._database.on_server:  # two may save the same new draft
                session.execute(text("LOCK TABLE drafts IN SHARE ROW EXCLUSIVE MODE"))
            row = session.get(DraftRow, draft.id)
            found = row.version if row else 0
            if version is not None and version != found:
                raise _conflict(draft.id)
            if row is None:
                row = DraftRow(id=draft.id, created_at=self._now())
                session.add(row)
            for name, value in draft.model_dump().items():
                setattr(row, name, value)
            row.version, row.updated_at, row.deleted_at = found + 1, self._now(), None
            return row.version

    def get(self, draft_id: str) -> tuple[Draft, int] | None:
        """Return a draft and its version."""
        with self._database.reading() as session:
            row = session.get(DraftRow, draft_id)
            return (_draft(row), row.version) if row and not row.deleted_at else None

    def page(
        self, *, search: str = "", limit: int = 50, offset: int = 0
    ) -> Sequence[Draft]:
        """Return drafts, the last changed first; ``search`` is a part of any text."""
        order = desc(DraftRow.updated_at), desc(DraftRow.id)
        query = select(DraftRow).where(DraftRow.deleted_at.is_(None)).order_by(*order)
        if search:
            texts = (DraftRow.id, DraftRow.title, DraftRow.script, DraftRow.caption)
            query = query.where(
                or_(*(t.icontains(search, autoescape=True) for t in texts))
            )
        with self._database.reading() as session:
            rows = session.scalars(query.limit(limit).offset(offset))
            return [_draft(row) for row in rows]

    def count(self) -> int:
        """Return how many there are."""
        query = select(func.count()).where(DraftRow.deleted_at.is_(None))
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def delete(self, draft_id: str) -> None:
        """Hide a draft; its renders and videos stay, and so does the way back."""
        self._set_deleted(draft_id, self._now())

    def restore(self, draft_id: str) -> None:
        """Bring a deleted draft back."""
        self._set_deleted(draft_id, None)

    def _set_deleted(self, draft_id: str, at: datetime | None) -> None:
        with self._database.writing() as session:
            if row := session.get(DraftRow, draft_id):
                row.deleted_at = at


def _draft(row: DraftRow) -> Draft:
    return Draft(**{name: getattr(row, name) for name in Draft.model_fields})


def _conflict(draft_id: str) -> LedgerError:
    error = LedgerError(
        _("Draft #{id} was changed elsewhere meanwhile.").format(id=draft_id),
        hint=_("Look at both before one of them is saved over the other."),
    )
    error.code = "conflict"
    return error
