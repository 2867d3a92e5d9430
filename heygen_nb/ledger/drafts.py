"""Drafts: kept with a version, so that nobody overwrites what he has not seen."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from heygen_nb.ledger.database import LedgerPart
from heygen_nb.ledger.tables import DraftRow, RenderRow
from heygen_nb.models import Draft

_AT_ONCE = 500  # SQLite takes a limited number of values in a question


class Drafts(LedgerPart):
    """What the user wrote, deleted drafts included until they are restored."""

    def all(self) -> Sequence[DraftRow]:
        """Return all drafts, the last saved one first."""
        query = sa.select(DraftRow).where(DraftRow.deleted_at.is_(None))
        order = DraftRow.updated_at.desc(), DraftRow.id.desc()
        return self._all(query.order_by(*order))

    def get(self, draft_id: str) -> DraftRow | None:
        """Return a draft; None when it is deleted or never was."""
        return next(iter(self.these([draft_id])), None)

    def save(self, draft: Draft, *, over: int) -> tuple[DraftRow, bool]:
        """Store a draft.

        Args:
            draft: What it says now.
            over: The version it was made from; 0 for a new one.

        Returns:
            The row as it is now, and whether it holds this draft: false when there
            is a version that the writer has not seen.
        """
        with self.database.writing() as session:
            now = self._now()
            row = session.get(DraftRow, draft.id, with_for_update=True)
            row = row or DraftRow(id=draft.id, version=0, created_at=now)
            session.add(row)
            if row.deleted_at or row.version == over or row.says(draft):
                row.write(draft, now)
                return row, True
            return row, False

    def save_all(
        self, drafts: Sequence[Draft], *, replace: bool = False
    ) -> tuple[int, list[DraftRow]]:
        """Store many drafts in one transaction, the first one on top of the list.

        Args:
            drafts: What they say.
            replace: Also write over those that say something else by now.

        Returns:
            How many are new, and the rows that said something else; they hold
            these drafts if they were replaced.
        """
        now, new, others = self._now(), 0, []
        with self.database.writing() as session:
            known = self._known(session, [d.id for d in drafts], lock=True)
            for number, draft in enumerate(drafts):
                row = known.get(draft.id)
                row = row or DraftRow(id=draft.id, version=0, created_at=now)
                session.add(row)
                is_new = not row.version or row.deleted_at is not None
                if not is_new and row.says(draft):
                    continue
                new += is_new
                others += [] if is_new else [row]
                if is_new or replace:
                    row.write(draft, now - timedelta(microseconds=number))
        return new, others

    def these(self, draft_ids: Sequence[str]) -> list[DraftRow]:
        """Return drafts in this order, without those that are deleted."""
        with self.database.reading() as session:
            known = self._known(session, draft_ids)
        rows = (known.get(draft_id) for draft_id in draft_ids)
        return [row for row in rows if row and row.deleted_at is None]

    def _known(
        self, session: Session, draft_ids: Sequence[str], *, lock: bool = False
    ) -> dict[str, DraftRow]:
        rows: list[DraftRow] = []
        for start in range(0, len(draft_ids), _AT_ONCE):
            asked = draft_ids[start : start + _AT_ONCE]
            query = sa.select(DraftRow).where(DraftRow.id.in_(asked))
            rows += session.scalars(query.with_for_update() if lock else query)
        return {row.id: row for row in rows}

    def delete(self, *draft_ids: str, undo: bool = False) -> None:
        """Take drafts off the list, or bring them back."""
        with self.database.writing() as session:
            for row in self._known(session, draft_ids, lock=True).values():
                row.deleted_at = None if undo else self._now()

    def states(self, draft_ids: Sequence[str]) -> dict[str, str]:
        """Return the state of each draft's newest render; ``sent`` if it is posted."""
        query = sa.select(RenderRow.draft_id, RenderRow.state, RenderRow.posted)
        query = query.where(RenderRow.draft_id.in_(draft_ids))
        rows = self._rows(query.order_by(RenderRow.created_at, RenderRow.id))
        return {draft_id: "sent" if sent else state for draft_id, state, sent in rows}

    def films(self, draft_ids: Sequence[str]) -> list[RenderRow]:
        """Return the newest render of each draft whose film is here, in their order."""
        here = RenderRow.draft_id.in_(draft_ids), RenderRow.state == "downloaded"
        query = sa.select(RenderRow).where(*here)
        rows = self._all(query.order_by(RenderRow.created_at, RenderRow.id))
        newest = {row.draft_id: row for row in rows}
        return [newest[draft_id] for draft_id in draft_ids if draft_id in newest]
