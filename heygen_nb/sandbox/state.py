"""What the sandbox remembers: records in SQLite, and a clock tests can shift."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from heygen_nb.sandbox.app import SandboxOptions

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """Anything kept across restarts, found by its id."""

    id: str


class Fact(Record):
    """A single value of the whole sandbox; the id is its name."""

    value: str


class Job(Record):
    """One accepted video.

    Attributes:
        number: Place in the order of acceptance, from 1.
        status: ``queued`` only for batch items that wait for a free place.
        failure_code: While it runs: what a scripted fault has in store for it.
        sha256: Of the finished file, for tests.
    """

    number: int
    body: dict[str, Any]
    title: str | None
    engine: str
    status: Literal["queued", "running", "completed", "failed"] = "running"
    accepted_at: float
    started_at: float = 0
    completed_at: float | None = None
    estimate: float
    charge: float | None = None
    duration: float
    key: str | None
    batch_id: str | None = None
    item_index: int | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    deleted: bool = False
    sha256: str | None = None

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen to it."""
        return self.status in ("completed", "failed")


class Batch(Record):
    """A batch; an item is a job's id, or why it was refused on acceptance."""

    title: str | None
    created_at: float
    items: list[str | dict[str, str]]


class Key(Record):
    """The first answer under an idempotency key; the id is route and key."""

    created_at: float
    status: int
    body: str


class Charge(Record):
    """Money taken for what ``ref`` names."""

    kind: Literal["video", "speech"]
    ref: str
    amount: float
    at: float


class Asset(Record):
    """An uploaded file."""

    name: str
    mime_type: str
    size_bytes: int


class Spoken(Record):
    """Speech we made; the id is the hash of its bytes, so an upload finds it."""

    script: str
    duration: float
    words: list[tuple[str, float, float]]


class Post(Record):
    """A message in the sandbox chat; the id is Telegram's message id."""

    method: str
    at: float
    text: str
    fields: dict[str, str]
    file_name: str | None = None
    mime_type: str | None = None
    size_bytes: int = 0
    thumbnail_bytes: int = 0


class Clock:
    """Wall-clock seconds plus what tests have shifted it by."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset_s = 0.0

    def now(self) -> float:
        """Return seconds since the epoch, as the sandbox sees it."""
        return self._source() + self.offset_s


class State:
    """What the services share: options, clock, and all records by kind and id.

    ``put`` only marks; ``flush`` writes everything marked in one transaction,
    before an answer leaves. So a job and its idempotency key land together.
    """

    def __init__(self, folder: Path, options: SandboxOptions, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.options = options
        self.clock = clock
        self._db = sqlite3.connect(folder / "sandbox.db", check_same_thread=False)
        # OFF still survives our own death; only a power cut could lose a write.
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY,"
            " kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
            " UNIQUE (kind, id));"
        )
        self._kinds: dict[str, dict[str, Any]] = {}
        self._dirty: dict[tuple[str, str], Record] = {}
        self.facts = self._load(Fact)
        self.jobs = self._load(Job)
        self.batches = self._load(Batch)
        self.keys = self._load(Key)
        self.charges = self._load(Charge)
        self.assets = self._load(Asset)
        self.spoken = self._load(Spoken)
        self.posts = self._load(Post)
        clock.offset_s += float(self.fact("clock_offset_s", "0"))

    def _load(self, kind: type[R]) -> dict[str, R]:
        rows = self._db.execute(
            "SELECT id, body FROM records WHERE kind = ? ORDER BY number",
            (kind.__name__,),
        )
        records = {
            record_id: kind.model_validate_json(body) for record_id, body in rows
        }
        self._kinds[kind.__name__] = records
        return records

    def fact(self, name: str, initial: str) -> str:
        """Return a value of this folder, kept from its first use on."""
        if name not in self.facts:
            self.put(Fact(id=name, value=initial))
        return self.facts[name].value

    def put(self, record: Record) -> None:
        """Add a record, or mark a changed one, for the next flush."""
        kind = type(record).__name__
        self._kinds[kind][record.id] = record
        self._dirty[kind, record.id] = record

    def flush(self) -> None:
        """Write what was marked, all or nothing."""
        rows = [(*k, record.model_dump_json()) for k, record in self._dirty.items()]
        with self._db:
            self._db.executemany(
                "INSERT INTO records (kind, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                rows,
            )
        self._dirty.clear()

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self.flush()
        self._db.close()
