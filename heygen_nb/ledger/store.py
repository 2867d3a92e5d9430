"""Every question to the ledger and every change of it, a short transaction each.

All calls block for a few milliseconds: async code wraps them in ``to_thread``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel
from sqlalchemy import desc, select, text
from sqlalchemy.orm import Session

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.database import open_engine, translated
from heygen_nb.ledger.tables import Event, Post, Render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine, Select

    from heygen_nb.models import Account

_Row = TypeVar("_Row")
_NEXT: dict[str, set[str]] = {
    "planned": {"submitted", "rejected", "unknown"},
    "submitted": {"completed", "failed"},
    "completed": {"downloaded"},
    "unknown": {"submitted", "rejected"},
    "downloaded": {"completed"},  # the file was deleted and is fetched again
    "rejected": set(),
    "failed": set(),
}
ENDED_UNPAID = ("rejected", "failed")


class NewRender(BaseModel):
    """What planning decided; stored before anything is sent."""

    draft_id: str
    revision: str
    body: dict[str, Any]
    script: str
    caption: str = ""
    title: str = ""
    inputs: dict[str, Any]
    voice_id: str
    voice_name: str = ""
    language: str = ""
    avatar_id: str = ""
    engine: str = ""
    speed: float = 1.0
    target_s: float | None = None
    estimate_s: float | None = None
    reserved_cost: float = 0.0
    currency: str = "usd"


class Ledger:
    """The ledger of one home folder or one team.

    Args:
        url: SQLAlchemy address.
        now: The clock, as aware UTC.

    Raises:
        LedgerError: It cannot be opened. Every method may raise it too.
    """

    def __init__(
        self, url: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine: Engine = open_engine(url)
        self._now = now

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        engine = self._engine.execution_options(writes=True)
        with (
            translated(),
            Session(engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with (
            translated(),
            Session(self._engine, expire_on_commit=False) as session,
        ):
            yield session

    def _note(
        self,
        session: Session,
        name: str,
        render_id: str | None = None,
        post_id: int | None = None,
        **data: Any,
    ) -> None:
        session.add(
            Event(
                at=self._now(),
                render_id=render_id,
                post_id=post_id,
                name=name,
                data={
                    k: v for k, v in data.items() if isinstance(v, str | int | float)
                },
            )
        )

    def plan(
        self, account: Account, new: NewRender, *, again: bool = False
    ) -> tuple[Render, bool]:
        """Store an intent, or give the attempt that already stands for it.

        Args:
            account: Who pays.
            new: The resolved request.
            again: Make a new attempt even if there is one that may be paid for.

        Returns:
            The render, and whether it was made now.
        """
        with self._writing() as session:
            self._one_planner_at_a_time(session)
            rows = session.scalars(_attempts(account, new.draft_id, new.revision)).all()
            if rows and not again and rows[0].state not in ENDED_UNPAID:
                return rows[0], False
            row = self._new_row(account, new, attempt=len(rows) + 1)
            session.add(row)
            session.flush()
            self._note(session, "planned", row.id, attempt=row.attempt)
            return row, True

    def _one_planner_at_a_time(self, session: Session) -> None:
        if self._engine.dialect.name == "postgresql":  # SQLite has one writer anyway
            session.execute(text("LOCK TABLE renders IN SHARE ROW EXCLUSIVE MODE"))

    def _new_row(self, account: Account, new: NewRender, attempt: int) -> Render:
        token = title_token(new.draft_id, new.revision, attempt)
        body = {**new.body, "title": f"{token} {new.title}".strip()}
        return Render(
            **new.model_dump(exclude={"body"}),
            id=secrets.token_hex(6),
            attempt=attempt,
            backend=account.backend,
            base_url=account.base_url,
            account=account.fingerprint,
            body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            token=token,
            idempotency_key=token,
            created_at=self._now(),
        )

    def find(self, account: Account, draft_id: str, revision: str) -> Render | None:
        """Return the newest attempt for this draft as it is, if there is one."""
        with self._reading() as session:
            return session.scalars(_attempts(account, draft_id, revision)).first()

    def render(self, render_id: str) -> Render:
        """Return a render by its id."""
        with self._reading() as session:
            return _found(session.get(Render, render_id), render_id)

    def render_of_video(self, account: Account, video_id: str) -> Render | None:
        """Return the render that made a video of this account."""
        query = select(Render).where(Render.video_id == video_id, *_belongs_to(account))
        with self._reading() as session:
            return session.scalars(query).first()

    def before_send(self, render_id: str, at: datetime) -> Render:
        """Note that a create is about to go out: from now on it may be paid for.

        Args:
            render_id: Which one.
            at: The time by the server's clock; the first one is kept, since the
                key's life counts from it.
        """
        with self._writing() as session:
            row = self._locked(session, render_id)
            if row.state != "planned":
                raise _wrong_step(row, "sending")
            row.sends += 1
            row.unanswered = True
            row.first_sent_at = row.first_sent_at or at
            self._note(session, "sending", render_id, send=row.sends)
            return row

    def record(
        self, render_id: str, name: str, *, state: str | None = None, **fields: Any
    ) -> Render:
        """Store what happened to a render.

        Args:
            render_id: Which one.
            name: Name of the event.
            state: New state, if it changes.
            **fields: Columns to set.

        Raises:
            LedgerError: The state cannot follow the present one.
        """
        with self._writing() as session:
            row = self._locked(session, render_id)
            if state and state != row.state:
                if state not in _NEXT[row.state]:
                    raise _wrong_step(row, state)
                row.state = state
                _stamp(row, state, self._now())
            for key, value in fields.items():
                setattr(row, key, value)
            self._note(session, name, render_id, **fields)
            return row

    def _locked(self, session: Session, render_id: str) -> Render:
        return _found(session.get(Render, render_id, with_for_update=True), render_id)

    def past_renders(self, backend: str, limit: int = 1000) -> Sequence[Render]:
        """Return finished renders, newest first, to learn times and lengths from."""
        query = (
            select(Render)
            .where(Render.backend == backend, Render.completed_at.is_not(None))
            .order_by(desc(Render.created_at))
            .limit(limit)
        )
        with self._reading() as session:
            return session.scalars(query).all()

    def plan_posts(
        self,
        render_id: str | None,
        *,
        video_id: str,
        backend: str,
        chat_id: str,
        texts: Sequence[str],
    ) -> list[Post]:
        """Store the messages a post is made of: the video's caption, then the rest."""
        with self._writing() as session:
            rows = [
                Post(
                    render_id=render_id,
                    video_id=video_id,
                    backend=backend,
                    chat_id=chat_id,
                    part=part,
                    text=words,
                    created_at=self._now(),
                )
                for part, words in enumerate(texts)
            ]
            session.add_all(rows)
            session.flush()
            return rows

    def latest_post(self, video_id: str, backend: str, chat_id: str) -> list[Post]:
        """Return the messages of a video's newest post in a chat, in order."""
        query = (
            select(Post)
            .where(
                Post.video_id == video_id,
                Post.backend == backend,
                Post.chat_id == chat_id,
            )
            .order_by(desc(Post.id))
        )
        newest: list[Post] = []
        with self._reading() as session:
            for row in session.scalars(query):
                newest.insert(0, row)
                if row.part == 0:
                    break
        return newest

    def record_post(self, post_id: int, state: str, **fields: Any) -> Post:
        """Store what happened to a post; ``sending`` comes before the request."""
        with self._writing() as session:
            row = _found(session.get(Post, post_id, with_for_update=True), str(post_id))
            row.state = state
            if state in ("sending", "sent"):
                setattr(row, f"{state}_at", self._now())
            for key, value in fields.items():
                setattr(row, key, value)
            self._note(session, f"post {state}", row.render_id, post_id, **fields)
            return row

    def events_of(self, render_id: str) -> Sequence[Event]:
        """Return what happened to a render, in order."""
        query = select(Event).where(Event.render_id == render_id).order_by(Event.id)
        with self._reading() as session:
            return session.scalars(query).all()


def title_token(draft_id: str, revision: str, attempt: int) -> str:
    """Return the word that finds an attempt's video by its title.

    100 bits, the same for the same draft, revision and attempt, so that a video
    can be found again even when the ledger is gone.
    """
    seed = f"{draft_id}\0{revision}\0{attempt}".encode()
    digest = base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()
    return f"hgnb-{digest[:20]}"


def _belongs_to(account: Account) -> tuple[Any, ...]:
    return (
        Render.backend == account.backend,
        Render.base_url == account.base_url,
        Render.account == account.fingerprint,
    )


def _attempts(account: Account, draft_id: str, revision: str) -> Select[Render]:
    return (
        select(Render)
        .where(
            Render.draft_id == draft_id,
            Render.revision == revision,
            *_belongs_to(account),
        )
        .order_by(desc(Render.attempt))
    )


def _found(row: _Row | None, name: str) -> _Row:
    if row is None:
        raise LedgerError(_("The ledger has no entry {name}.").format(name=name))
    return row


def _wrong_step(row: Render, step: str) -> LedgerError:
    return LedgerError(
        _("Render {id} is {state}: {step} cannot follow.").format(
            id=row.id, state=row.state, step=step
        )
    )


def _stamp(row: Render, state: str, now: datetime) -> None:
    if hasattr(row, f"{state}_at"):
        setattr(row, f"{state}_at", now)
