"""Renders: every question about them and every change, a short transaction each.

All calls block for a few milliseconds: async code wraps them in ``to_thread``.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, replace
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from heygen_nb.clock import utc_now
from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import reading
from heygen_nb.ledger.database import Database, LedgerPart, known
from heygen_nb.ledger.drafts import Drafts
from heygen_nb.ledger.leases import Hold, Leases
from heygen_nb.ledger.posts import Posts
from heygen_nb.ledger.speech import Assets, Speeches
from heygen_nb.ledger.tables import PayerRow, RenderRow
from heygen_nb.models import Payer

TOKEN_PREFIX = "hgnb-"  # noqa: S105 - no secret: it stands in titles


def title_token(draft_id: str, revision: str, attempt: int) -> str:
    """Return the word that finds an attempt's video by its title.

    100 bits, the same for the same draft, revision and attempt, so that a video
    can be found again even when the ledger is gone.
    """
    seed = f"{draft_id}\0{revision}\0{attempt}".encode()
    digest = base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()
    return f"{TOKEN_PREFIX}{digest[:20]}"


def token_of(title: str | None) -> str:
    """Return the word that a title starts with: ours, if the video is."""
    return (title or "").split(" ")[0]


ENDED_UNPAID = ("rejected", "failed")


class Ledger(LedgerPart):
    """The ledger of one home folder or one team.

    Args:
        url: SQLAlchemy address.
        now: The clock, as aware UTC.
        owner: Who works here; by default this process.
        lease_s: How long a lease is good without being renewed.

    Raises:
        LedgerError: It cannot be opened. Every method may raise it too.
    """

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], datetime] = utc_now,
        owner: str | None = None,
        lease_s: float | None = None,
    ) -> None:
        database = Database(url)
        shared = database, now, Leases(database, owner, lease_s)
        super().__init__(*shared)
        self.posts, self.drafts = Posts(*shared), Drafts(*shared)
        self.history, self.facts = reading.History(*shared), reading.Facts(*shared)
        self.speech, self.assets = Speeches(*shared), Assets(*shared)

    def close(self) -> None:
        """Let go of the database."""
        self.database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def plan(
        self,
        payer: Payer,
        new: RenderRow,
        *,
        earlier: Sequence[str] = (),
        made_attempt: int = 0,
        made_video_id: str | None = None,
        again: bool = False,
        allow: reading.Allow | None = None,
    ) -> tuple[RenderRow, bool]:
        """Store an intent, or give the attempt that already stands for it.

        Args:
            payer: Who pays.
            new: The resolved request; who pays, its token and key are set here.
            earlier: The revisions that older rules made of the same request: a film
                bought under one of them counts.
            made_attempt: The newest one that HeyGen knows although this ledger does
                not; the new attempt gets a higher number.
            made_video_id: Its video, which is adopted instead.
            again: Make a new attempt even if there is one that is paid for; one
                that is still on its way to be accepted is gone on with instead.
            allow: Gets what was spent and reserved since local midnight, and
                refuses if this is too much; within the same transaction.

        Returns:
            The render, and whether it was made now.
        """
        with self.database.writing() as session:
            self.database.lock(session, "renders")
            rows = _attempts(session, payer, new.draft_id, (new.revision, *earlier))
            if standing := _standing(rows, again=again):
                standing.wish(new.caption, new.send_to, new.inputs.get("finish"))
                return standing, False
            adopted = None if rows or again else made_video_id
            attempts = [row.attempt for row in rows if row.revision == new.revision]
            new.attempt = max(*attempts, made_attempt - bool(adopted), 0) + 1
            new.id, new.created_at = secrets.token_hex(6), self._now()
            new.backend, new.base_url, new.account = astuple(payer)
            new.token = title_token(new.draft_id, new.revision, new.attempt)
            new.idempotency_key = new.token
            body = {**json.loads(new.body), "title": f"{new.token} {new.title}".strip()}
            new.body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            if adopted:
                new.state, new.video_id, new.reserved_cost = "submitted", adopted, 0.0
                new.submitted_at = new.created_at
            elif allow:
                allow(reading.spent_today(session, payer, new.created_at, new.currency))
            session.add(new)
            session.flush()
            self._note(session, "planned", render_id=new.id, attempt=new.attempt)
            return new, True

    def find(self, payer: Payer, draft_id: str, *revisions: str) -> RenderRow | None:
        """Return the attempt that must not be paid a second time, if there is one.

        Args:
            payer: Who paid.
            draft_id: For which draft.
            revisions: Of the draft as it is, by today's rule and by older ones.
        """
        with self.database.reading() as session:
            rows = _attempts(session, payer, draft_id, revisions)
            return _standing(rows, again=False)

    def unsent(self, render_ids: Sequence[str]) -> list[str]:
        """Return those that surely were not sent yet, oldest first."""
        unsent = RenderRow.state == "planned", ~RenderRow.unanswered
        query = sa.select(RenderRow.id).where(RenderRow.id.in_(render_ids), *unsent)
        return list(self._all(query.order_by(RenderRow.created_at, RenderRow.id)))

    def wish(self, render_id: str, *wished: Any) -> None:
        """Note how a render is posted and finished, see :meth:`RenderRow.wish`."""
        with self.database.writing() as session:
            known(session.get(RenderRow, render_id), render_id).wish(*wished)

    def note(self, render_id: str, **found: str) -> None:
        """Note what was found out about a render, or its caption without a draft."""
        own = {name: found.pop(name) for name in ("findings", "caption") & found.keys()}
        with self.database.writing() as session:
            row = known(session.get(RenderRow, render_id), render_id)
            row.change(None, self._now(), inputs={**row.inputs, **found}, **own)

    def render(self, render_id: str, payer: Payer | None = None) -> RenderRow:
        """Return a render by its id.

        Raises:
            LedgerError: There is none, or it is another account's.
        """
        row = known(self._get(RenderRow, render_id), render_id)
        if payer and (row.backend, row.base_url, row.account) != astuple(payer):
            problem = _("Render {id} was made with another key or backend.")
            hint = _("Use the key and address it was made with.")
            raise LedgerError(problem, hint=hint, id=render_id)
        return row

    def render_of_video(self, payer: Payer, video_id: str) -> RenderRow | None:
        """Return the render that made a video of this account."""
        mine = RenderRow.video_id == video_id, RenderRow.of(payer)
        return self._one(sa.select(RenderRow).where(*mine))

    def payer_known(self, payer: Payer) -> Payer | None:
        """Return who pays with a key that was used before; None for a new one."""
        row = self._get(PayerRow, astuple(payer))
        return replace(payer, fingerprint=row.account) if row else None

    def know_payer(self, payer: Payer, person: str) -> Payer:
        """Note whose key it is; return who pays: the person's first key stands."""
        with self.database.writing() as session:
            row = session.get(PayerRow, astuple(payer))
            if row is None:
                where = {"backend": payer.backend, "base_url": payer.base_url}
                query = sa.select(PayerRow.account).filter_by(**where, person=person)
                account = session.scalars(query).first() or payer.fingerprint
                row = PayerRow(**asdict(payer), person=person, account=account)
                session.add(row)
            return replace(payer, fingerprint=row.account)

    def began(self, payer: Payer) -> datetime | None:
        """Return when this account's first render was planned here."""
        query = sa.select(sa.func.min(RenderRow.created_at))
        return self._one(query.where(RenderRow.of(payer)))

    def before_send(self, hold: Hold, at: datetime) -> RenderRow:
        """Note that a create is about to go out: from now on it may be paid for.

        Args:
            hold: The right to send it.
            at: The time by the server's clock; that of the first send that may
                have been accepted is kept, since the key's life counts from it.
        """
        with self.database.writing() as session:
            return self._mark_sending(session, hold, at)

    def before_batch(self, holds: Sequence[Hold], key: str, at: datetime) -> None:
        """Note that renders are about to go out together, all or none of them."""
        with self.database.writing() as session:
            for index, hold in enumerate(holds):
                row = self._mark_sending(session, hold, at)
                row.batch_key, row.item_index = key, index

    def _mark_sending(self, session: Session, hold: Hold, at: datetime) -> RenderRow:
        row: RenderRow = self.leases.locked(session, hold)
        if row.state != "planned":
            row.check_step("sending")
        if not row.unanswered or row.first_sent_at is None:
            row.first_sent_at = at
        row.sends += 1
        row.unanswered = True
        self._note(session, "sending", render_id=row.id, send=row.sends)
        return row

    def after_batch(self, key: str, name: str, **fields: Any) -> None:
        """Store what became of the request that renders went out with."""
        with self.database.writing() as session:
            gone = RenderRow.batch_key == key, RenderRow.state == "planned"
            session.execute(sa.update(RenderRow).where(*gone).values(**fields))
            self._note(session, name, **{"batch": key, **fields})

    def record(
        self, hold: Hold, name: str, *, state: str | None = None, **fields: Any
    ) -> RenderRow:
        """Store what happened to a render.

        Args:
            hold: The right to write.
            name: Name of the event.
            state: New state, if it changes.
            **fields: Columns to set.

        Raises:
            TakenOverError: Another process has the render now.
            LedgerError: The state cannot follow the present one.
        """
        with self.database.writing() as session:
            row: RenderRow = self.leases.locked(session, hold)
            row.change(state, self._now(), **fields)
            self._note(session, name, **fields, render_id=row.id)
            return row


def _attempts(
    session: Session, payer: Payer, draft_id: str, revisions: tuple[str, ...]
) -> list[RenderRow]:
    """Return the attempts at a draft, those by today's rule and the newest first."""
    query = sa.select(RenderRow).where(
        RenderRow.draft_id == draft_id,
        RenderRow.revision.in_(revisions),
        RenderRow.of(payer),
    )
    return sorted(
        session.scalars(query),
        key=lambda row: (revisions.index(row.revision), -row.attempt),
    )


def _standing(rows: Sequence[RenderRow], *, again: bool) -> RenderRow | None:
    """Return the attempt, of all from the newest on, that stands for a draft.

    One that has a film, or is surely on its way to one, goes before a newer one
    that may never be sent. ``again`` leaves only what is not sent yet.
    """
    if again:
        return rows[0] if rows and rows[0].state == "planned" else None
    standing = [row for row in rows if row.state not in ENDED_UNPAID]
    made = (row for row in standing if row.state not in ("planned", "unknown"))
    return next(made, None) or next(iter(standing), None)
