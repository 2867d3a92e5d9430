"""Opening a ledger: the engine, its pragmas, and bringing an older one up to date.

There is a step for each layout of the tables since version 0.1.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Select,
    String,
    Text,
    create_engine,
    event,
    false,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.tables import Base, EventRow, LayoutRow, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from alembic.operations import Operations

_T = TypeVar("_T")
OLDEST, HEAD = "0004", "0008"
BUSY_TIMEOUT_S = 30
IDLE_TIMEOUT_S = 20  # ours take milliseconds, a thousand drafts on a busy machine 5 s
_SHARED_DRIVES = re.compile(r"nfs|cifs|smb|afp|9p|webdav|drvfs|^fuse(?!.*overlay)")


class Database:
    """An open ledger's database: short transactions, its clock, its errors as ours.

    Args:
        url: SQLAlchemy address, ``sqlite:///…`` or ``postgresql+psycopg://…``.

    Raises:
        LedgerError: It cannot be opened, or a newer version of this package has
            written it.
    """

    def __init__(self, url: str) -> None:
        with translated(_fragments(url)):
            try:
                self.engine = create_engine(url, pool_pre_ping=True)
            except ValueError:  # a port that is no number
                raise ArgumentError("address") from None
            self._file = _file_of(self.engine)
            if self.on_server:
                _prepare_server(self.engine)
            else:
                _prepare_sqlite(self.engine, self._file)
            try:
                _bring_up_to_date(self.engine, self._file)
            except BaseException:
                self.engine.dispose()
                raise
            self._identity = _identity(self._file)
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        writer = self.engine.execution_options(writes=True)
        self._writers = sessionmaker(writer, expire_on_commit=False)

    @property
    def on_server(self) -> bool:
        """Whether others may write at the same moment: SQLite has one writer."""
        return self.engine.dialect.name != "sqlite"

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that holds the write lock from its first moment."""
        self._check_file()
        with translated(), self._writers.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to look things up."""
        self._check_file()
        with translated(), self._readers() as session:
            yield session

    def lock(self, session: Session, *tables: str) -> None:
        """Let nobody else write to these tables in this transaction.

        SQLite has one writer as it is.
        """
        if self.on_server:
            names = ", ".join(tables)
            session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))

    def seconds(self, session: Session) -> float:
        """Return the database's clock in seconds since the epoch."""
        asked = (
            "SELECT extract(epoch FROM clock_timestamp())"
            if self.on_server
            else "SELECT (julianday('now') - 2440587.5) * 86400"
        )
        return float(session.scalar(text(asked)) or 0)

    def _check_file(self) -> None:
        """Notice a deleted ledger: SQLite would go on writing into nowhere."""
        if self._file and _identity(self._file) != self._identity:
            problem = _("The ledger {file} was removed or replaced while in use.")
            hint = _("Nothing more was sent. Put it back if you can; then start anew.")
            raise LedgerError(problem.format(file=self._file), hint=hint)


class LedgerPart:
    """What reads and writes one kind of rows.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def _all(self, query: Select[_T]) -> Sequence[_T]:
        with self._database.reading() as session:
            return session.scalars(query).all()

    def _one(self, query: Select[_T]) -> _T | None:
        with self._database.reading() as session:
            return session.scalars(query.limit(1)).first()

    def _rows(self, query: Any) -> Sequence[Any]:
        with self._database.reading() as session:
            return session.execute(query).all()

    def _note(self, session: Session, name: str, **data: Any) -> None:
        """Store what happened; ``render_id`` and ``post_id`` say to what."""
        told = {k: v for k, v in data.items() if isinstance(v, str | int | float)}
        about = {k: told.pop(k) for k in ("render_id", "post_id") if k in told}
        session.add(EventRow(at=self._now(), name=name, data=told, **about))


@contextmanager
def translated(hidden: Sequence[str] = ()) -> Iterator[None]:
    """Turn the database's errors into ours, without statements or addresses.

    Args:
        hidden: What must not be told: parts of a password.
    """
    try:
        yield
    except ImportError as exc:  # of the driver that the address names
        raise LedgerError(
            _("The ledger cannot be used: {reason}.").format(reason=exc),
            hint=_("Begin ledger_url with sqlite:/// or postgresql+psycopg://."),
        ) from None
    except (SQLAlchemyError, sqlite3.Error, OSError) as exc:
        told = getattr(exc, "orig", None) or exc
        # the text of SQLAlchemy's own errors may hold the address
        reason = "" if isinstance(told, SQLAlchemyError) else str(told)
        for part in hidden:
            reason = reason.replace(part, "***")
        reason = (reason or type(exc).__name__).splitlines()[0].rstrip(".")
        raise LedgerError(
            _("The ledger cannot be used: {reason}.").format(reason=reason),
            hint=_("Nothing more was sent. Check disk space and rights, then resume."),
        ) from None


def _fragments(url: str) -> list[str]:
    """Return the password of an address in pieces: misspelt, it may be split up."""
    before, at, _host = url.partition("://")[2].rpartition("@")
    parts = re.split(r"[@/:?#\[\]]", before.partition(":")[2]) if at else []
    return sorted((part for part in parts if part), key=len, reverse=True)


def _file_of(engine: Engine) -> Path | None:
    name = engine.url.database
    inside = engine.dialect.name != "sqlite" or not name or name == ":memory:"
    return None if inside else Path(str(name))


def _identity(file: Path | None) -> tuple[int, int] | None:
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _journal(file: Path | None) -> str:
    """Return SQLite's way of writing: its WAL needs memory shared by all writers.

    On a network drive the writers may be two machines, and WAL would lose rows.
    """
    kinds = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    folders = map(str, file.resolve().parents) if file else ()
    kind = next((kinds[folder] for folder in folders if folder in kinds), "")
    return "DELETE" if _SHARED_DRIVES.search(kind.casefold()) else "WAL"


def _prepare_sqlite(engine: Engine, file: Path | None) -> None:
    journal = _journal(file)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
            with suppress(sqlite3.OperationalError):  # a drive that cannot do it
                connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:  # no ledger at all
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when
        # another process wrote in between; an immediate one waits its turn.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_server(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # A laptop that falls asleep inside of a transaction must not stop others.
        connection.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_S}s'")
        connection.execute(
            f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s'"
        )
        connection.commit()


def _bring_up_to_date(engine: Engine, file: Path | None) -> None:
    with engine.connect() as connection:
        found = _layout(connection)
    if found == HEAD:
        return
    if found and not OLDEST <= found <= HEAD:
        problem = _("This ledger was written by a newer version ({found}).")
        hint = _("Update heygen_nb; nothing was changed.")
        if found < OLDEST:
            problem = _("This ledger is older than version 0.1 ({found}).")
            hint = _("Open it with heygen_nb 0.1 first; nothing was changed.")
        raise LedgerError(problem.format(found=found), hint=hint)
    if found and file:
        _keep_copy(file, found)
    writer = engine.execution_options(writes=True)
    with writer.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes may open a new ledger at the same moment.
            connection.execute(text("SELECT pg_advisory_xact_lock(4242001)"))
        if found := _layout(connection):
            _migrate(connection, found)
            connection.execute(update(LayoutRow).values(version_num=HEAD))
        else:
            Base.metadata.create_all(connection)
            connection.execute(insert(LayoutRow).values(version_num=HEAD))


def _layout(connection: Connection) -> str | None:
    if not inspect(connection).has_table(LayoutRow.__tablename__):
        return None
    return connection.scalar(select(LayoutRow.version_num))


def _keep_copy(file: Path, found: str) -> None:
    """Copy an SQLite ledger before it is changed; servers have their own backups."""
    target = file.with_name(f"{file.name}.before-{HEAD}-from-{found}")
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    with (
        closing(sqlite3.connect(file)) as source,
        closing(sqlite3.connect(fresh)) as copy,
    ):
        source.backup(copy)
        copied = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    if copied == (found,):
        shutil.copymode(file, fresh)
        fresh.replace(target)
    else:  # another process has migrated it meanwhile, and kept its copy
        fresh.unlink()


def _migrate(connection: Connection, found: str) -> None:
    """Bring the tables to ``HEAD``, in the transaction of the caller."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - 0.2 s, only when needed
    from alembic.operations import Operations  # noqa: PLC0415

    op = Operations(MigrationContext.configure(connection))
    for layout, step in _STEPS.items():
        if found < layout:
            step(op)


def _looks_payers_sounds(op: Operations) -> None:
    """Add looks, further draft fields, keys of one person and paid sounds.

    Columns that nobody read are dropped. ``billed`` stays: SQLite would have to make
    all renders, and their posts, anew.
    """
    kind = Column("look_type", String(), nullable=False, server_default="")
    more = Column("more", JSON(), nullable=False, server_default="{}")
    op.add_column("renders", kind)
    op.add_column("drafts", more)
    op.add_column("speech", Column("sound_url", Text()))
    op.drop_index("renders_state", "renders")
    op.create_index("renders_state_created", "renders", ["state", "created_at", "id"])
    with op.batch_alter_table("posts") as posts:
        posts.drop_column("sending_at")
    with op.batch_alter_table("speech") as speech:
        speech.drop_column("words")
        speech.drop_column("done_at")
    op.create_table(
        "payers",
        Column("backend", String(16), primary_key=True),
        Column("base_url", String(), primary_key=True),
        Column("fingerprint", String(64), primary_key=True),
        Column("person", String(64), nullable=False),
        Column("account", String(64), nullable=False),
    )


def _search(op: Operations) -> None:
    """Add a narrow index that every filter of the history is answered from."""
    words = Column("words", Text(), nullable=False, server_default="")
    posted: Column[bool] = Column(
        "posted", Boolean(), nullable=False, server_default=false()
    )
    op.add_column("renders", words)
    op.add_column("renders", posted)
    op.add_column("renders", Column("findings", String()))
    connection = op.get_bind()
    asked = text("SELECT id, title, script, draft_id FROM renders")
    known = [
        {"render": row.id, "words": words_of(row.title, row.script, row.draft_id)}
        for row in connection.execute(asked)
    ]
    if known:
        fill = text("UPDATE renders SET words = :words WHERE id = :render")
        connection.execute(fill, known)
    op.execute(
        "UPDATE renders SET posted = true WHERE id IN"
        " (SELECT render_id FROM posts WHERE state = 'sent')"
    )
    op.drop_index("renders_created", "renders")
    listed = ["created_at", "id", "state", "posted", "findings", "words"]
    op.create_index("renders_listed", "renders", listed)


def _titles(op: Operations) -> None:
    """Add a narrow index for lists that are sorted by title."""
    by_title = ["words", "id", "state", "posted", "findings", "created_at"]
    op.create_index("renders_by_title", "renders", by_title)


_STEPS = {"0006": _looks_payers_sounds, "0007": _search, "0008": _titles}
