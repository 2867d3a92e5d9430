"""Opening a ledger: the engine, its pragmas, and bringing an older one up to date."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_S = 30


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's errors into ours, without statements or addresses."""
    try:
        yield
    except SQLAlchemyError as exc:
        reason = str(getattr(exc, "orig", None) or type(exc).__name__).splitlines()[0]
        raise LedgerError(
            _("The ledger cannot be used: {reason}.").format(reason=reason),
            hint=_("Nothing more was sent. Check disk space and rights, then resume."),
        ) from None


def open_engine(url: str) -> Engine:
    """Connect to the ledger and bring it to the present layout.

    Args:
        url: SQLAlchemy address, ``sqlite:///…`` or ``postgresql+psycopg://…``.

    Raises:
        LedgerError: It cannot be opened, or a newer version of this package has
            written it.
    """
    with translated():
        engine = create_engine(url, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        _bring_up_to_date(engine)
        return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when
        # another process wrote in between; an immediate one waits its turn.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(engine: Engine) -> None:
    found = _layout_of(engine)
    if found == migrations.HEAD:
        return
    if found and found > migrations.HEAD:
        raise LedgerError(
            _("This ledger was written by a newer version ({found}).").format(
                found=found
            ),
            hint=_("Update heygen_nb; nothing was changed."),
        )
    if found:
        _keep_copy(engine, found)
    _migrate(engine)


def _layout_of(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(found) if found else None


def _keep_copy(engine: Engine, found: str) -> None:
    """Copy an SQLite ledger before it is changed; servers have their own backups."""
    name = make_url(engine.url).database
    if engine.dialect.name == "sqlite" and name:
        target = Path(f"{name}.before-{migrations.HEAD}-from-{found}")
        with (
            sqlite3.connect(name) as source,
            sqlite3.connect(target) as copy,
        ):
            source.backup(copy)
        shutil.copymode(name, target)


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 - 0.2 s, only when needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option(
        "script_location", str(Path(migrations.__file__).parent).replace("%", "%%")
    )
    with engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # Two processes may open a new ledger at the same moment.
                connection.execute(text("SELECT pg_advisory_xact_lock(4242001)"))
            command.upgrade(config, "head")
