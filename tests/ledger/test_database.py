from __future__ import annotations

import resource
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, text

from heygen_nb.errors import LedgerError
from heygen_nb.ledger import Ledger, database
from heygen_nb.ledger.tables import Base

UNREAD = {"billed", "sending_at", "words", "done_at"}  # columns that stay unused
# From today's tables to those of version 0.1.
UNDONE = """
    DROP TABLE payers
    ALTER TABLE speech DROP COLUMN sound_url
    ALTER TABLE speech ADD COLUMN words JSON
    ALTER TABLE speech ADD COLUMN done_at TIMESTAMP
    ALTER TABLE drafts DROP COLUMN more
    ALTER TABLE posts ADD COLUMN sending_at TIMESTAMP
    ALTER TABLE renders DROP COLUMN look_type
    ALTER TABLE renders ADD COLUMN billed BOOLEAN DEFAULT false NOT NULL
    DROP INDEX renders_listed
    DROP INDEX renders_by_title
    ALTER TABLE renders DROP COLUMN words
    ALTER TABLE renders DROP COLUMN posted
    ALTER TABLE renders DROP COLUMN findings
    CREATE INDEX renders_created ON renders (created_at, id)
    DROP INDEX renders_state_created
    CREATE INDEX renders_state ON renders (state)
"""


def older(url, version=database.OLDEST):
    """Make a ledger as an earlier version of this package made it."""
    Ledger(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        for step in UNDONE.strip().splitlines():
            connection.execute(text(step))
        connection.execute(
            text(f"UPDATE alembic_version SET version_num = {version!r}")
        )
        connection.execute(
            text(
                "INSERT INTO renders (id, draft_id, revision, attempt, backend,"
                " base_url, account, state, body, idempotency_key, token, sends,"
                " unanswered, script, caption, title, inputs, voice_id, voice_name,"
                " language, avatar_id, engine, speed, reserved_cost, currency, fence,"
                " pad_s, created_at, video_id) VALUES ('r1', 'd1', 'rev', 1, 'heygen',"
                " 'u', 'a', 'submitted', '{}', 'k', 'hgnb-1', 1, false, 'Привет', '',"
                " '', '{}', 'v', '', 'ru', '', 'avatar_iv', 1, 0, 'usd', 0, 0,"
                " '2026-11-01 10:00:00+00:00', 'video1')"
            )
        )
        for part in (0, 1):
            connection.execute(
                text(
                    "INSERT INTO posts (render_id, video_id, backend, chat_id, part,"
                    " first_id, text, state, fence, created_at) VALUES ('r1', 'video1',"
                    f" 'heygen', '@c', {part}, {part or 'NULL'}, 'words', 'unsure', 0,"
                    " '2026-11-01 10:00:00+00:00')"
                )
            )
    engine.dispose()


@pytest.mark.parametrize("made", ["anew", "by version 0.1"])
def test_a_ledger_has_the_tables_of_the_code(ledger_url, made):
    if made == "by version 0.1":
        older(ledger_url)

    with Ledger(ledger_url) as ledger, ledger.database.engine.connect() as connection:
        context = MigrationContext.configure(connection)

        found = compare_metadata(context, Base.metadata)
        assert {step[0] for step in found} <= {"remove_column"}
        left = {step[3].name for step in found}
        assert left == (set() if made == "anew" else UNREAD)


def test_an_older_ledger_is_brought_up_to_date_with_all_its_rows(ledger_url):
    older(ledger_url)

    with Ledger(ledger_url) as ledger:
        row = ledger.render("r1")
        assert [one.id for one in ledger.history.page(words="привет D1")] == ["r1"]
        first, second = ledger.posts.parts(2)

    assert (row.script, row.video_id, row.fence) == ("Привет", "video1", 0)
    assert row.owner is None
    assert row.created_at.isoformat() == "2026-11-01T10:00:00+00:00"
    assert second.first_id == first.id
    assert second.state == "unsure"


def test_a_copy_of_an_older_ledger_is_kept(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    older(url)

    Ledger(url).close()

    [copy] = tmp_path.glob("old.db.before-*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [
            (database.OLDEST,)
        ]
        assert connection.execute("SELECT script FROM renders").fetchone() == (
            "Привет",
        )


@pytest.mark.parametrize(
    ("layout", "told"), [("9999", "newer version"), ("0001", "older than version 0.1")]
)
def test_a_ledger_of_another_time_is_refused_and_left_alone(ledger_url, layout, told):
    Ledger(ledger_url).close()
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{layout}'"))

    with pytest.raises(LedgerError, match=rf"{told} \({layout}\)"):
        Ledger(ledger_url)

    with engine.connect() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    assert found == layout


def test_many_may_open_a_new_ledger_at_once(ledger_url):
    problems = []

    def open_it():
        try:
            Ledger(ledger_url).close()
        except LedgerError as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


def test_a_file_that_is_no_ledger_is_told_plainly(tmp_path):
    file = tmp_path / "heygen_nb.db"
    file.write_text("this is no database at all" * 100)

    with pytest.raises(LedgerError, match="not a database"):
        Ledger(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_used_is_told_plainly(tmp_path):
    with pytest.raises(LedgerError, match="unable to open"):
        Ledger(f"sqlite:///{tmp_path / 'missing' / 'heygen_nb.db'}")


def test_a_server_that_is_not_there_is_told_without_its_password():
    with pytest.raises(LedgerError) as caught:
        Ledger("postgresql+psycopg://user:hidden@127.0.0.1:1/nothing")

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://user:hid@den/word@127.0.0.1:1/nothing",
        "postgresql+psycopg://user:hidden@no such host/nothing",
        "postgresql+psycopg://user:hidden@127.0.0.1:port/nothing",
        "mysql+nodriver://user:hidden@127.0.0.1/nothing",
        "postgresql+pg8000://user:hidden@127.0.0.1/nothing",
    ],
)
def test_an_address_that_is_misspelt_is_told_without_its_password(address):
    with pytest.raises(LedgerError) as caught:
        Ledger(address)

    told = f"{caught.value} {caught.value!r} {caught.value.hint}"
    assert "hid" not in told
    assert "den" not in told


@pytest.fixture
def with_password(postgres_url):
    """The address of a database whose server asks for a password, without it."""
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        [file] = connection.execute("SHOW hba_file").fetchone()
        connection.execute("CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'hidden'")
        before = Path(file).read_text()
        Path(file).write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + before)
        connection.execute("SELECT pg_reload_conf()")
        yield postgres_url.replace("heygen@", "locked@")
        Path(file).write_text(before)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP OWNED BY locked CASCADE")
        connection.execute("DROP ROLE locked")


@pytest.mark.parametrize("place", ["PGPASSWORD", "PGPASSFILE"])
def test_a_servers_password_comes_from_the_environment_or_a_pgpass_file(
    with_password, tmp_path, monkeypatch, place
):
    with pytest.raises(LedgerError, match="password"):
        Ledger(with_password)
    pgpass = tmp_path / "pgpass"
    pgpass.write_text("127.0.0.1:*:*:locked:hidden\n")
    pgpass.chmod(0o600)
    monkeypatch.setenv(place, "hidden" if place == "PGPASSWORD" else str(pgpass))

    with Ledger(with_password) as ledger:
        assert ledger.history.page() == []
        assert "hidden" not in f"{ledger.database.engine!r}"


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("ext4", "wal"),
        ("nfs4", "delete"),
        ("CIFS", "delete"),
        ("fuse", "delete"),
        ("fuse.sshfs", "delete"),
        ("fuse.fuse-overlayfs", "wal"),
    ],
)
def test_a_ledger_on_a_network_drive_shares_no_memory(
    tmp_path, monkeypatch, kind, mode
):
    drive = SimpleNamespace(mountpoint=str(tmp_path), fstype=kind)
    root = SimpleNamespace(mountpoint="/", fstype="nfs")
    monkeypatch.setattr("psutil.disk_partitions", lambda all: [root, drive])  # noqa: A006

    with (
        Ledger(f"sqlite:///{tmp_path / 'home/ledger.db'}") as ledger,
        ledger.database.engine.connect() as connection,
    ):
        found = connection.scalar(text("PRAGMA journal_mode"))

    assert found == mode


def test_a_locked_ledger_is_told_after_a_while(
    tmp_path, monkeypatch, account, new_render
):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    file = tmp_path / "ledger.db"
    with Ledger(f"sqlite:///{file}") as ledger, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(LedgerError, match="locked") as caught:
            ledger.plan(account, new_render())

        other.rollback()
        assert "Nothing more was sent" in caught.value.hint
        assert ledger.plan(account, new_render())[1]


def test_a_short_lock_is_waited_for(tmp_path, account, new_render):
    file = tmp_path / "ledger.db"
    with (
        Ledger(f"sqlite:///{file}") as ledger,
        closing(sqlite3.connect(file, check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, other.rollback).start()

        assert ledger.plan(account, new_render())[1]
        time.sleep(0.01)


def test_a_ledger_deleted_while_in_use_is_noticed(tmp_path, account, new_render):
    file = tmp_path / "ledger.db"
    with Ledger(f"sqlite:///{file}") as ledger:
        ledger.plan(account, new_render())
        for part in tmp_path.glob("ledger.db*"):
            part.unlink()

        for step in (
            lambda: ledger.plan(account, new_render()),
            lambda: ledger.began(account),
        ):
            with pytest.raises(LedgerError, match="was removed"):
                step()


def test_a_ledger_replaced_while_in_use_is_noticed(tmp_path, account, new_render):
    file, other = tmp_path / "ledger.db", tmp_path / "other.db"
    Ledger(f"sqlite:///{other}").close()
    with Ledger(f"sqlite:///{file}") as ledger:
        other.replace(file)

        with pytest.raises(LedgerError, match="replaced"):
            ledger.plan(account, new_render())


def plan_many(ledger, account, new_render):
    for number in range(200):
        ledger.plan(account, new_render(f"d{number}", script="long " * 4000))


def test_a_full_disk_undoes_the_whole_step(tmp_path, account, new_render):
    file = tmp_path / "ledger.db"
    with Ledger(f"sqlite:///{file}") as ledger:
        row, _new = ledger.plan(account, new_render())
        with ledger.database.engine.connect() as connection:
            pages = connection.scalar(text("PRAGMA page_count"))

        @event.listens_for(ledger.database.engine, "begin")
        def _fill(connection):
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(LedgerError, match="full"):
            plan_many(ledger, account, new_render)

        assert ledger.render(row.id).state == "planned"


def test_a_file_size_limit_is_an_error_and_no_crash(tmp_path, account, new_render):
    file = tmp_path / "ledger.db"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger(f"sqlite:///{file}") as ledger:
        ledger.plan(account, new_render())
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
            with pytest.raises(LedgerError, match=r"disk|full"):
                plan_many(ledger, account, new_render)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert ledger.plan(account, new_render("after"))[1]


def test_what_is_committed_survives_a_power_cut(tmp_path):
    found = {}

    def look(connection, _record):  # before the tests' own setting for speed
        for name in ("synchronous", "journal_mode"):
            (found[name],) = connection.execute(f"PRAGMA {name}").fetchone()

    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ledger.database.engine.dispose()
        event.listen(ledger.database.engine, "connect", look)
        ledger.database.engine.connect().close()

    assert found == {"synchronous": 2, "journal_mode": "wal"}  # 2 is FULL
