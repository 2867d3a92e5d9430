"""Paid calls of the voice service: an intent is stored before each is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from heygen_nb.ledger.spending import spent_since, start_of_day
from heygen_nb.ledger.tables import Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from heygen_nb.ledger.database import Database
    from heygen_nb.ledger.spending import Allow
    from heygen_nb.models import Account

_MAYBE_PAID = ("sending", "done", "unknown")


class Speeches:
    """Every speech that was asked for, by account and text.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def of_text(self, account: Account, text_key: str) -> Sequence[Speech]:
        """Return the calls for a text and voice at any speed, oldest first.

        Args:
            account: Who paid.
            text_key: What :meth:`plan` got, up to its colon.
        """
        with self._database.reading() as session:
            return session.scalars(_calls(account, text_key)).all()

    def plan(
        self, account: Account, new: Speech, *, allow: Allow, max_calls: int
    ) -> Speech | None:
        """Store the intent of one call, which counts as sent from now on.

        Args:
            account: Who pays.
            new: The call; its ``text_key`` is ``text:speed``.
            allow: Refuses when the day has cost too much.
            max_calls: For one draft and text.

        Returns:
            The stored call; None when there were that many already.
        """
        with self._database.writing() as session:
            if self._database.on_server:
                session.execute(
                    text("LOCK TABLE renders, speech IN SHARE ROW EXCLUSIVE MODE")
                )
            rows = session.scalars(_calls(account, new.text_key.split(":")[0])).all()
            own = [row for row in rows if row.draft_id == new.draft_id]
            if sum(row.state in _MAYBE_PAID for row in own) >= max_calls:
                return None
            now = self._now()
            allow(spent_since(session, account, start_of_day(now), new.currency))
            new.backend, new.base_url = account.backend, account.base_url
            new.account, new.created_at, new.state = account.fingerprint, now, "sending"
            session.add(new)
            session.flush()
            return new

    def record(self, speech_id: int, **fields: Any) -> Speech:
        """Store what became of a call; the time when it is done."""
        with self._database.writing() as session:
            row = session.get_one(Speech, speech_id)
            for key, value in fields.items():
                setattr(row, key, value)
            if fields.get("state") == "done":
                row.done_at = self._now()
            return row


def _calls(account: Account, text_key: str) -> Select[Speech]:
    return (
        select(Speech)
        .where(
            Speech.backend == account.backend,
            Speech.base_url == account.base_url,
            Speech.account == account.fingerprint,
            Speech.text_key.startswith(f"{text_key}:", autoescape=True),
        )
        .order_by(Speech.id)
    )
