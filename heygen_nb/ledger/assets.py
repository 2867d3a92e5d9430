"""Files that lie at HeyGen already, found again by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, text

from heygen_nb.ledger.tables import Asset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from heygen_nb.ledger.database import Database
    from heygen_nb.models import Account


class Assets:
    """Uploads of every account: a file that was sent once is not sent again.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def find(self, account: Account, sha256: str) -> str | None:
        """Return the asset id of a file; None when this account has not sent it."""
        with self._database.reading() as session:
            row = session.get(Asset, (account.fingerprint, sha256))
            return row.asset_id if row else None

    def keep(
        self, account: Account, sha256: str, asset_id: str, *, name: str, size: int
    ) -> str:
        """Note an upload; return the asset that counts from now on.

        Two processes may have sent the same file: the first one's asset stands.

        Args:
            account: Whose asset it is.
            sha256: Of the file, as hex digits.
            asset_id: HeyGen's id.
            name: Of the file, for people.
            size: In bytes.
        """
        with self._database.writing() as session:
            if self._database.on_server:
                session.execute(text("LOCK TABLE assets IN SHARE ROW EXCLUSIVE MODE"))
            row = session.get(Asset, (account.fingerprint, sha256))
            if row is None:
                row = Asset(
                    account=account.fingerprint,
                    sha256=sha256,
                    asset_id=asset_id,
                    name=name,
                    size_bytes=size,
                    created_at=self._now(),
                )
                session.add(row)
            return row.asset_id

    def forget(self, fingerprint: str, asset_ids: Collection[str]) -> None:
        """Drop what HeyGen does not have any more, so that it is sent anew."""
        with self._database.writing() as session:
            session.execute(
                delete(Asset).where(
                    Asset.account == fingerprint, Asset.asset_id.in_(asset_ids)
                )
            )
