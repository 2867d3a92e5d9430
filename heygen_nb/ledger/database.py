"""Opening a ledger: the engine, its pragmas, and bringing an older one up to date."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.schema import CreateColumn

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.tables import Base, EventRow, LayoutRow, words_of

if TYPE_CHECKING:
    from heygen_nb.ledger.leases import Leases

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
                self.engine = sa.create_engine(url, pool_pre_ping=True)
            except ValueError:  # a port that is no number
                raise ArgumentError("address") from None
            name = self.engine.url.database
            # SQLite has one writer; on a server others may write at the same moment
            self.on_server = self.engine.dialect.name != "sqlite"
            inside = self.on_server or not name or name == ":memory:"
            self._file = None if inside else Path(str(name))
            if self.on_server:
                sa.event.listen(self.engine, "connect", _prepare_server)
            else:
                sa.event.listen(self.engine, "connect", _prepare_sqlite(self._file))
                sa.event.listen(self.engine, "begin", _begin)
            try:
                _bring_up_to_date(self.engine, self._file)
            except BaseException:
                self.engine.dispose()
                raise
            self._identity = _identity(self._file)
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        writer = self.engine.execution_options(writes=True)
        self._writers = sessionmaker(writer, expire_on_commit=False)

    def writing(self) -> AbstractContextManager[Session]:
        """Open a transaction that holds the write lock from its first moment."""
        return self._opened(self._writers)

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session to look things up."""
        return self._opened(self._readers)

    @contextmanager
    def _opened(self, maker: sessionmaker[Session]) -> Iterator[Session]:
        if self._file and _identity(self._file) != self._identity:
            # deleted: SQLite would go on writing into nowhere
            problem = _("The ledger {file} was removed or replaced while in use.")
            hint = _("Nothing more was sent. Put it back if you can; then start anew.")
            raise LedgerError(problem, hint=hint, file=self._file)
        with translated(), maker.begin() as session:
            yield session

    def lock(self, session: Session, *tables: str) -> None:
        """Let nobody else write to these tables in this transaction."""
        if self.on_server:
            names = ", ".join(tables)
            session.execute(sa.text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))

    def seconds(self, session: Session) -> float:
        """Return the database's clock in seconds since the epoch."""
        asked = (
            "SELECT extract(epoch FROM clock_timestamp())"
            if self.on_server
            else "SELECT (julianday('now') - 2440587.5) * 86400"
        )
        return float(session.scalar(sa.text(asked)) or 0)


class LedgerPart:
    """What reads and writes one kind of rows.

    Args:
        database: Of the ledger.
        now: The clock, as aware UTC.
        leases: Of this process.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime], leases: Leases
    ) -> None:
        self.database, self._now, self.leases = database, now, leases

    def _get(self, table: type[_T], key: Any) -> _T | None:
        with self.database.reading() as session:
            return session.get(table, key)

    def _all(self, query: sa.Select[_T]) -> Sequence[_T]:
        with self.database.reading() as session:
            return session.scalars(query).all()

    def _one(self, query: sa.Select[_T]) -> _T | None:
        with self.database.reading() as session:
            return session.scalars(query.limit(1)).first()

    def _rows(self, query: Any) -> Sequence[Any]:
        with self.database.reading() as session:
            return session.execute(query).all()

    def _note(self, session: Session, name: str, **data: Any) -> None:
        """Store what happened; ``render_id`` and ``post_id`` say to what."""
        told = {k: v for k, v in data.items() if isinstance(v, str | int | float)}
        about = {k: told.pop(k) for k in ("render_id", "post_id") if k in told}
        session.add(EventRow(at=self._now(), name=name, data=told, **about))


def known(row: _T | None, name: str | int) -> _T:
    """Return the row that was asked for.

    Raises:
        LedgerError: There is none.
    """
    if row is None:
        raise LedgerError(_("The ledger has no entry {name}."), name=name)
    return row


@contextmanager
def translated(hidden: Sequence[str] = ()) -> Iterator[None]:
    """Turn the database's errors into ours, without statements or addresses.

    Args:
        hidden: What must not be told: parts of a password.
    """
    problem = _("The ledger cannot be used: {reason}.")
    try:
        yield
    except ImportError as exc:  # of the driver that the address names
        hint = _("Begin ledger_url with sqlite:/// or postgresql+psycopg://.")
        raise LedgerError(problem, hint=hint, reason=exc) from None
    except (SQLAlchemyError, sqlite3.Error, OSError) as exc:
        told = getattr(exc, "orig", None) or exc
        # the text of SQLAlchemy's own errors may hold the address
        reason = "" if isinstance(told, SQLAlchemyError) else str(told)
        for part in hidden:
            reason = reason.replace(part, "***")
        reason = (reason or type(exc).__name__).splitlines()[0].rstrip(".")
        hint = _("Nothing more was sent. Check disk space and rights, then resume.")
        raise LedgerError(problem, hint=hint, reason=reason) from None


def _fragments(url: str) -> list[str]:
    """Return the password of an address in pieces: misspelt, it may be split up."""
    before, at, _host = url.partition("://")[2].rpartition("@")
    parts = re.split(r"[@/:?#\[\]]", before.partition(":")[2]) if at else []
    return sorted((part for part in parts if part), key=len, reverse=True)


def _identity(file: Path | None) -> tuple[int, int] | None:
    with suppress(OSError):
        if file:
            return (found := file.stat()).st_dev, found.st_ino
    return None


def _prepare_sqlite(file: Path | None) -> Callable[[sqlite3.Connection, Any], None]:
    # WAL needs memory shared by all writers: on a network drive they may be two
    # machines, and rows would be lost.
    kinds = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    folders = map(str, file.resolve().parents) if file else ()
    kind = next((kinds[folder] for folder in folders if folder in kinds), "")
    journal = "DELETE" if _SHARED_DRIVES.search(kind.casefold()) else "WAL"

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
            with suppress(sqlite3.OperationalError):  # a drive that cannot do it
                connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:  # no ledger at all
            connection.close()
            raise

    return prepare


def _begin(connection: sa.Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another
    # process wrote in between; an immediate one waits its turn.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_server(connection: Any, _record: Any) -> None:
    # A laptop that falls asleep inside of a transaction must not stop others.
    idle = f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s'"
    connection.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_S}s'; {idle}")
    connection.commit()


def _bring_up_to_date(engine: sa.Engine, file: Path | None) -> None:
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
        raise LedgerError(problem, hint=hint, found=found)
    if found and file:
        _keep_copy(file, found)
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes may open a new ledger at the same moment.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(4242001)"))
        found = _layout(connection)
        Base.metadata.create_all(connection)
        if found:
            _change_tables(connection, found)
        at_head = sa.update(LayoutRow) if found else sa.insert(LayoutRow)
        connection.execute(at_head.values(version_num=HEAD))


def _layout(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(LayoutRow.__tablename__):
        return None
    return connection.scalar(sa.select(LayoutRow.version_num))


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


def _change_tables(connection: sa.Connection, found: str) -> None:
    """Bring older tables to the columns of ``HEAD``, and fill those for searching.

    Columns that nobody reads any more stay in an older ledger: SQLite would have to
    make all renders, and their posts, anew.
    """
    for index in ("renders_state", "renders_created"):
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index}")
    inspector = sa.inspect(connection)
    for table in Base.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                added = CreateColumn(column).compile(connection)
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {added}")
        for missing in table.indexes:
            missing.create(connection, checkfirst=True)
    if found < "0007":
        asked = "SELECT id, title, script, draft_id FROM renders"
        fill = sa.text("UPDATE renders SET words = :words WHERE id = :render")
        for render_id, *texts in connection.exec_driver_sql(asked).all():
            connection.execute(fill, {"words": words_of(*texts), "render": render_id})
        connection.exec_driver_sql(
            "UPDATE renders SET posted = true WHERE id IN"
            " (SELECT render_id FROM posts WHERE state = 'sent')"
        )
