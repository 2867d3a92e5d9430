"""What the sandbox remembers: options, records in SQLite, purses and a clock."""

import math
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

Purse = Literal["wallet", "plan"]
# What records of version 0.1 lack.
_SINCE = {"Charge": {"purse": "wallet"}, "Asset": {"uploaded_at": 0}}


class SandboxOptions(BaseModel, extra="forbid"):
    """Knobs of the stand-in; the defaults suit a person trying the product.

    Attributes:
        fast: Finish renders by the clock with a canned file, never encode.
        api_key: None: one made for the state folder and kept there.
        balance: What the account starts with, in USD.
        billing_type: Which block ``/v3/users/me`` shows the balance in.
        concurrency: Renders at a time before HeyGen answers 429.
        create_s: Seconds until a create is accepted; its key is busy meanwhile.
        pending_s: Seconds a render shows ``pending``.
        processing_s: Seconds of ``processing`` after that, in fast mode.
        link_life_s: Seconds a signed file link lives.
        key_life_s: Seconds an ``Idempotency-Key`` is remembered.
        file_bytes: Pad fast mode's files up to this size.
        plan_credits: What a signed-in session starts with, the other purse.
        session_life_s: Seconds an access token of a session lives.
        look_engines: Looks take only the engines they list.
        matting: A photo or twin shows a background only with ``remove_background``,
            if it was trained for it.
        bars: A look of another shape than the canvas gets bars, unless told to cover.
        asset_s: Seconds until an upload can be used.
        captions_s: Seconds from a finished video to its captioned one.
        early_404_s: Seconds for which a new video is not known.
        credit_told: Where a lack of money shows: at the create, or as a failed video.
    """

    fast: bool = False
    api_key: str | None = Field(default=None, repr=False)
    balance: float = 100.0
    billing_type: Literal["wallet", "subscription", "usage_based"] = "wallet"
    concurrency: int = 10
    create_s: float = 0.0
    pending_s: float = 1.5
    processing_s: float = 2.0
    link_life_s: float = 3600.0
    key_life_s: float = 24 * 3600.0
    file_bytes: int = 0
    plan_credits: float = 200.0
    session_life_s: float = 3600.0
    look_engines: bool = True
    matting: bool = True
    bars: bool = True
    asset_s: float = 2.0
    captions_s: float = 3.0
    early_404_s: float = 1.0
    credit_told: Literal["create", "poll"] = "poll"


class JobState(BaseModel):
    """One accepted video.

    Attributes:
        status: ``queued`` only for batch items that wait for a free place.
        price: What it costs; until it ends, what it may cost.
        failure_code: While it runs: what it is going to fail with.
        sha256: Of the finished file, for tests.
    """

    id: str
    body: dict[str, Any]
    title: str | None
    engine: str
    status: Literal["queued", "running", "completed", "failed"] = "queued"
    purse: Purse = "wallet"
    accepted_at: float
    started_at: float = 0
    completed_at: float | None = None
    price: float = 0
    duration: float
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


@dataclass
class SandboxClock:
    """Wall-clock seconds plus what tests have shifted it by."""

    source: Callable[[], float] = time.time
    offset_s: float = 0.0

    def now(self) -> float:
        """Return seconds since the epoch, as the sandbox sees it."""
        return self.source() + self.offset_s


class State:
    """What the services share: options, clock, money, and all records by kind and id.

    Jobs are ``JobState``, all others JSON objects. ``put`` writes, ``flush`` makes all
    of it last in one transaction, before an answer leaves. So a job and its
    idempotency key land together.

    The account has two purses: accepted jobs reserve money, finished ones take it. A
    key spends the wallet, a signed-in session the credits of the plan.

    Attributes:
        facts: Single values of the whole sandbox.
        jobs: All videos, in the order of acceptance.
        batches: Their items are a job's id, or why it was refused on acceptance.
        keys: First answers under idempotency keys, by route and key.
        charges: Money taken for what ``ref`` names.
        assets: Uploaded files.
        speech: Speech we made, by the hash of its bytes: an upload finds it.
        posts: Messages in the sandbox chat, by Telegram's message id.
    """

    def __init__(
        self, folder: Path, options: SandboxOptions, clock: SandboxClock
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.clock = folder, options, clock
        self._db = sqlite3.connect(folder / "sandbox.db", check_same_thread=False)
        # OFF still survives our own death; only a power cut could lose a write.
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY,"
            " kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
            " UNIQUE (kind, id));"
        )
        kinds: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        stored = "SELECT kind, id, body FROM records ORDER BY number"
        for kind, key, body in self._db.execute(stored):
            record = _SINCE.get(kind, {}) | from_json(body)
            kinds[kind][key] = JobState(**record) if kind == "Job" else record
        self._kinds = kinds
        self.jobs: dict[str, JobState] = kinds["Job"]
        self.facts, self.batches, self.keys = (
            kinds["Fact"],
            kinds["Batch"],
            kinds["Key"],
        )
        self.charges, self.assets = kinds["Charge"], kinds["Asset"]
        self.speech, self.posts = kinds["Speech"], kinds["Post"]
        offset_s = float(self.fact("clock_offset_s", "0"))
        # A "nan" was taken once, and no answer could be dated any more.
        clock.offset_s += offset_s if math.isfinite(offset_s) else 0.0
        self.fact("wallet_in", str(options.balance))
        self.fact("plan_in", str(options.plan_credits))

    def fact(self, name: str, initial: str = "") -> str:
        """Return a value of this folder, kept from its first use on."""
        if name not in self.facts:
            self.put("Fact", name, {"value": initial})
        return str(self.facts[name]["value"])

    def put(self, kind: str, key: str, record: Any) -> None:
        """Add a record, or write a changed one."""
        self._kinds[kind][key] = record
        self._db.execute(
            "INSERT INTO records (kind, id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, key, to_json(record).decode()),
        )

    def flush(self) -> None:
        """Make what was written last, all or nothing."""
        self._db.commit()

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self.flush()
        self._db.close()

    def balance(self, purse: Purse) -> float:
        """Return what is left in a purse, reserved money included."""
        charges = self.charges.values()
        taken: float = sum(paid["amount"] for paid in charges if paid["purse"] == purse)
        return float(self.fact(f"{purse}_in")) - taken

    def has(self, purse: Purse, amount: float) -> bool:
        """Tell whether that much is there and not reserved."""
        jobs = self.jobs.values()
        held = (job.price for job in jobs if not job.ended and job.purse == purse)
        return amount <= self.balance(purse) - sum(held)

    def charge(self, **what: Any) -> None:
        """Take the money for something finished."""
        self.put("Charge", str(len(self.charges) + 1), what)


def video_price(purse: Purse, seconds: float, rate: float) -> float:
    """Return the price of a video: as two users' balances fell in 2026."""
    if purse == "plan":
        return float(math.ceil(seconds / 3) + 1)
    return round(math.floor(seconds) * rate, 6)
