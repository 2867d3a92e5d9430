"""Paid calls of the voice service: an intent first, one answer kept for ever."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from heygen_nb.errors import LedgerError, LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.tables import Speech

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from heygen_nb.ledger.database import Database
    from heygen_nb.models import Account

CALLS_A_DRAFT = 3
_NEXT: dict[str, set[str]] = {
    "planned": {"sending"},
    "sending": {"done", "rejected", "unknown"},
}


class SpeechCalls:
    """The speech of the ledger; a text in a voice at a speed is paid for once.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def plan(
        self,
        account: Account,
        draft_id: str,
        script: str,
        *,
        voice_id: str,
        speed: float,
        cost: float = 0.0,
        currency: str = "usd",
    ) -> Speech:
        """Store an intent, or give the call that stands for it: ``done`` is free.

        Raises:
            LimitError: The draft has had its three paid calls.
            LedgerError: An earlier call of this text may be paid for and is open.
        """
        seed = f"{script}\0{voice_id}\0{speed:.3f}".encode()
        key = hashlib.sha256(seed).hexdigest()
        mine = (
            Speech.backend == account.backend,
            Speech.base_url == account.base_url,
            Speech.account == account.fingerprint,
            Speech.state != "rejected",
        )
        with self._database.writing() as session:
            if self._database.on_server:
                session.execute(text("LOCK TABLE speech IN SHARE ROW EXCLUSIVE MODE"))
            same = session.scalar(select(Speech).where(*mine, Speech.text_key == key))
            if same and same.state in ("planned", "done"):
                return same
            if same:
                raise LedgerError(
                    _("This text may have been spoken and paid for already."),
                    hint=_("Render it without measuring, or change a word."),
                )
            query = select(func.count()).where(*mine, Speech.draft_id == draft_id)
            if (session.scalar(query) or 0) >= CALLS_A_DRAFT:
                raise LimitError(
                    _("Draft #{id} was measured {count} times already.").format(
                        id=draft_id, count=CALLS_A_DRAFT
                    ),
                    charged=False,
                )
            row = Speech(
                backend=account.backend,
                base_url=account.base_url,
                account=account.fingerprint,
                draft_id=draft_id,
                text_key=key,
                voice_id=voice_id,
                speed=speed,
                reserved_cost=cost,
                currency=currency,
                created_at=self._now(),
            )
            session.add(row)
            session.flush()
            return row

    def record(self, speech_id: int, state: str, **fields: Any) -> Speech:
        """Store a step; ``sending`` comes before the request and can come once.

        Raises:
            LedgerError: The step cannot follow, so nothing may be sent.
        """
        with self._database.writing() as session:
            row = session.get_one(Speech, speech_id, with_for_update=True)
            if state not in _NEXT.get(row.state, set()):
                raise LedgerError(
                    _("Speech {id} is {state}: {step} cannot follow.").format(
                        id=row.id, state=row.state, step=state
                    )
                )
            row.state = state
            if state in ("done", "rejected"):
                row.reserved_cost, row.done_at = 0.0, self._now()
            for key, value in fields.items():
                setattr(row, key, value)
            return row
