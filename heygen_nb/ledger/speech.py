"""Paid calls of the voice service: an intent is stored before each is sent."""

from collections.abc import Collection, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from heygen_nb.ledger.database import LedgerPart
from heygen_nb.ledger.leases import taken_over
from heygen_nb.ledger.reading import Allow, spent_today
from heygen_nb.ledger.tables import AssetRow, SpeechRow
from heygen_nb.models import Payer


class Speeches(LedgerPart):
    """Every speech that was asked for, by account and text."""

    def of_text(self, payer: Payer, text_key: str) -> Sequence[SpeechRow]:
        """Return the calls for a text and voice at any speed, oldest first.

        Args:
            payer: Who paid.
            text_key: What :meth:`plan` got, up to its colon.
        """
        return self._all(_calls(payer, text_key))

    def plan(
        self,
        payer: Payer,
        new: SpeechRow,
        *,
        allow: Allow,
        max_calls: int,
        known: int | None = None,
        each_text: bool = False,
    ) -> SpeechRow | None:
        """Store the intent of one call, which counts as sent from now on.

        Args:
            payer: Who pays.
            new: The call; its ``text_key`` is ``text:speed``.
            allow: Refuses when the day has cost too much.
            max_calls: For one draft, whatever its texts were.
            each_text: Whether each of the draft's texts may have that many.
            known: How many calls for this text the caller has taken into account.

        Returns:
            The stored call; None when there were that many already.

        Raises:
            TakenOverError: Another process has made a call for this text since.
        """
        text_key = new.text_key.partition(":")[0]
        with self.database.writing() as session:
            self.database.lock(session, "renders", "speech")
            calls = _calls(payer, text_key)
            if known is not None and len(session.scalars(calls).all()) != known:
                raise taken_over(new.draft_id, charged=False)
            of_draft = sa.select(sa.func.count(SpeechRow.id)).where(
                SpeechRow.of(payer),
                _begins(text_key) if each_text else SpeechRow.draft_id == new.draft_id,
                SpeechRow.state != "rejected",
                SpeechRow.sound_url.is_(None),  # one that was never heard
            )
            if (session.scalar(of_draft) or 0) >= max_calls:
                return None
            new.created_at, new.state = self._now(), "sending"
            new.backend, new.base_url, new.account = astuple(payer)
            allow(spent_today(session, payer, new.created_at, new.currency))
            session.add(new)
            session.flush()
            return new

    def record(
        self, speech_id: int, state: str | None = None, **fields: Any
    ) -> SpeechRow:
        """Store what became of a call, and when.

        Raises:
            LedgerError: That was stored already.
        """
        with self.database.writing() as session:
            row = session.get_one(SpeechRow, speech_id, with_for_update=True)
            row.change(state, self._now(), **fields)
            return row


def _calls(payer: Payer, text_key: str) -> sa.Select[SpeechRow]:
    mine = SpeechRow.of(payer), _begins(text_key)
    return sa.select(SpeechRow).where(*mine).order_by(SpeechRow.id)


def _begins(text_key: str) -> sa.ColumnElement[bool]:
    return SpeechRow.text_key.startswith(f"{text_key}:", autoescape=True)


class Assets(LedgerPart):
    """Uploads of every account: a file that was sent once is not sent again."""

    def find(self, payer: Payer, sha256: str) -> str | None:
        """Return the asset id of a file; None when this account has not sent it."""
        row = self._get(AssetRow, (payer.fingerprint, sha256))
        return row.asset_id if row else None

    def keep(
        self, payer: Payer, sha256: str, asset_id: str, *, name: str, size: int
    ) -> str:
        """Note an upload; return the asset that counts from now on.

        Two processes may have sent the same file: the first one's asset stands.

        Args:
            payer: Whose asset it is.
            sha256: Of the file, as hex digits.
            asset_id: HeyGen's id.
            name: Of the file, for people.
            size: In bytes.
        """
        with self.database.writing() as session:
            self.database.lock(session, "assets")
            key = {"account": payer.fingerprint, "sha256": sha256}
            if row := session.get(AssetRow, key):
                return row.asset_id
            told = {"asset_id": asset_id, "name": name, "size_bytes": size}
            session.add(AssetRow(**key, **told, created_at=self._now()))
            return asset_id

    def young(
        self, fingerprint: str, asset_ids: Collection[str], since: datetime
    ) -> bool:
        """Tell whether one of these files was uploaded since then."""
        tables: tuple[type[AssetRow | SpeechRow], ...] = (AssetRow, SpeechRow)
        for table in tables:
            these = table.account == fingerprint, table.asset_id.in_(asset_ids)
            query = sa.select(table.asset_id).where(*these, table.created_at >= since)
            if self._one(query):
                return True
        return False

    def forget(self, fingerprint: str, asset_ids: Collection[str]) -> None:
        """Drop what HeyGen does not have any more: file and sound are sent anew."""
        with self.database.writing() as session:
            for table, change in (
                (AssetRow, sa.delete(AssetRow)),
                (SpeechRow, sa.update(SpeechRow).values(asset_id=None)),
            ):
                gone = table.account == fingerprint, table.asset_id.in_(asset_ids)
                session.execute(change.where(*gone))
