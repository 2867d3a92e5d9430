"""What past renders teach: a few columns of many rows, without their bodies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import desc, func, or_, select

from heygen_nb.ledger.history import belongs_to
from heygen_nb.ledger.spending import spent_since, start_of_day
from heygen_nb.ledger.tables import Post, Render, Speech
from heygen_nb.models import RenderFact, SpeechFact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heygen_nb.ledger.database import Database
    from heygen_nb.models import Account


class Facts:
    """Reads what is learned from and told in figures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, backend: str) -> datetime | None:
        """Return when the newest finished render was finished."""
        query = select(func.max(Render.completed_at)).where(Render.backend == backend)
        with self._database.reading() as session:
            return session.scalar(query)

    def spoken(self, backend: str, limit: int = 1000) -> list[tuple[Any, ...]]:
        """Return script, voice, speed, seconds spoken and language, newest first."""
        seconds = Render.duration_s - Render.pad_s
        columns = (Render.script, Render.voice_id, Render.speed, seconds)
        return self._finished(backend, limit, *columns, Render.language)

    def voice_of(self, backend: str, wish: str) -> str:
        """Return the voice that a setting was last understood as; empty if never."""
        query = (
            select(Render.voice_id)
            .where(
                Render.backend == backend,
                Render.inputs["voice"].as_string() == wish,
            )
            .order_by(desc(Render.created_at))
            .limit(1)
        )
        with self._database.reading() as session:
            return session.scalar(query) or ""

    def backgrounds(self, limit: int = 24) -> list[str]:
        """Return the colours and links of past renders, the last used one first.

        Files stand in the inputs as ``sha256:…``: where they lie says nothing.
        """
        value = Render.inputs["background_url"].as_string().label("value")
        query = (
            select(value)
            .where(value != "", value.not_like("sha256:%"))
            .group_by("value")
            .order_by(desc(func.max(Render.created_at)))
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def times(self, backend: str, limit: int = 1000) -> list[tuple[Any, ...]]:
        """Return seconds, three times, engine and resolution.

        The times are those of submission, begin of processing, if it was seen, and
        completion.
        """
        times = (Render.submitted_at, Render.processing_at, Render.completed_at)
        kind = (Render.engine, _RESOLUTION)
        return self._finished(backend, limit, Render.duration_s, *times, *kind)

    def _finished(
        self, backend: str, limit: int, *columns: Any
    ) -> list[tuple[Any, ...]]:
        query = (
            select(*columns)
            .where(
                Render.backend == backend,
                Render.completed_at.is_not(None),
                Render.submitted_at.is_not(None),
                Render.duration_s > 0,
            )
            .order_by(desc(Render.created_at))
            .limit(limit)
        )
        with self._database.reading() as session:
            return [tuple(row) for row in session.execute(query)]

    def spent_today(self, account: Account, now: datetime, currency: str) -> float:
        """Return what is spent and reserved since local midnight."""
        with self._database.reading() as session:
            return spent_since(session, account, start_of_day(now), currency)

    def alone(self, account: Account, render_id: str, since: datetime) -> bool:
        """Tell whether nothing else of an account can have cost anything since."""
        others = (
            select(func.count())
            .select_from(Render)
            .where(
                *belongs_to(account),
                Render.id != render_id,
                Render.sends > 0,
                or_(
                    Render.state.in_(("planned", "submitted")),
                    # what was lost longer ago is charged by now, if ever
                    (Render.state == "unknown") & (Render.created_at >= since - _DAY),
                    Render.created_at >= since,
                    Render.completed_at >= since,
                ),
            )
        )
        speech = (
            select(func.count())
            .select_from(Speech)
            .where(Speech.account == account.fingerprint, Speech.created_at >= since)
        )
        with self._database.reading() as session:
            return not session.scalar(others) and not session.scalar(speech)

    def renders(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[RenderFact]:
        """Return the renders planned in a time, oldest first."""
        chat = (
            select(func.min(Post.chat_id))
            .where(Post.render_id == Render.id, Post.state == "sent")
            .scalar_subquery()
        )
        own = {"resolution": _RESOLUTION, "chat_id": chat}
        names = RenderFact.__dataclass_fields__
        columns = [
            own[name] if name in own else getattr(Render, name) for name in names
        ]
        query = select(*columns).order_by(Render.created_at)
        if since:
            query = query.where(Render.created_at >= since)
        if until:
            query = query.where(Render.created_at < until)
        with self._database.reading() as session:
            return [RenderFact(*row) for row in session.execute(query)]

    def speeches(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[SpeechFact]:
        """Return the paid speeches of a time, oldest first."""
        query = select(
            Speech.backend, Speech.cost, Speech.currency, Speech.created_at
        ).where(Speech.cost.is_not(None))
        if since:
            query = query.where(Speech.created_at >= since)
        if until:
            query = query.where(Speech.created_at < until)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(Speech.created_at)).all()
        return [SpeechFact(b, cost or 0.0, unit, at) for b, cost, unit, at in rows]


_DAY = timedelta(days=1)
_RESOLUTION = Render.inputs["resolution"].as_string()
