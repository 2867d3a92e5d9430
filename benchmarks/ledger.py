"""The ledger: cost of a render's steps, a first page of 100,000, a streamed export."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from heygen_nb.ledger import Ledger, PostRow, RenderRow
from heygen_nb.models import Payer
from heygen_nb.reports import analyse, export_history, history_lines

ROWS, RENDERS, TRIES = 100_000, 200, 5
ACCOUNT = Payer("heygen", "https://api.heygen.com", "fingerprint")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Ledger(f"sqlite:///{home / 'ledger.db'}") as ledger:
            fill(ledger)
            history(ledger, home)
            figures(ledger)
            overhead(ledger)


def fill(ledger: Ledger) -> None:
    dice = random.Random(1)
    columns = {c.name for c in RenderRow.__table__.columns}
    columns -= {"words", "posted"}
    blank = dict.fromkeys(columns) | {"unanswered": False, "fence": 0, "sends": 1}
    rows = [
        blank
        | {
            "id": f"{number:012x}",
            "draft_id": f"draft{number % 5000}",
            "revision": f"{number:016x}",
            "attempt": 1,
            "backend": "heygen",
            "base_url": ACCOUNT.base_url,
            "account": ACCOUNT.fingerprint,
            "state": dice.choice(["downloaded"] * 9 + ["failed"]),
            "body": '{"type":"avatar"}' + " " * 800,
            "idempotency_key": f"k{number}",
            "token": f"hgnb-{number}",
            "script": "A script of some length. " * 20,
            "caption": "",
            "title": f"Совет {number % 997} дня",
            "inputs": {},
            "voice_id": "v",
            "voice_name": "",
            "language": "en",
            "avatar_id": "",
            "engine": "avatar_iv",
            "speed": 1.0,
            "reserved_cost": 0.0,
            "cost": 1.0,
            "currency": "usd",
            "video_id": f"video{number}",
            "path": f"{number}/v.mp4",
            "created_at": NOW + timedelta(seconds=number),
            "posted": number % 2 == 0,
        }
        for number in range(ROWS)
    ]
    posts = [
        {
            "render_id": row["id"],
            "video_id": row["video_id"],
            "backend": "heygen",
            "chat_id": "@c",
            "state": "sent",
            "created_at": row["created_at"],
            "part": 0,
            "text": "",
            "fence": 0,
        }
        for row in rows[::2]
    ]
    with ledger.database.writing() as session:
        for start in range(0, ROWS, 10_000):
            session.execute(insert(RenderRow), rows[start : start + 10_000])
        session.execute(insert(PostRow), posts)


def history(ledger: Ledger, home: Path) -> None:
    history_lines(ledger, home, limit=1)
    wishes: dict[str, dict[str, Any]] = {
        "first page": {},
        "failed only": {"status": "failed"},
        "completed only": {"status": "completed"},
        "none such": {"status": "unknown"},
        "sent": {"status": "sent"},
        "unsent": {"status": "unsent"},
        "one title": {"words": "Совет 77"},
        "no title": {"words": "nothing like it"},
        "faulty": {"status": "faulty"},
        "unchecked, oldest first": {"status": "unchecked", "by": "oldest"},
        "by title": {"by": "title"},
        "failed by title": {"status": "failed", "by": "title"},
        "none such by title": {"status": "unknown", "by": "title"},
        "one sent": {"words": "Совет 77 дня", "status": "sent"},
        "a day": {"since": NOW, "until": NOW + timedelta(days=1)},
    }
    for name, wish in wishes.items():
        spent = []
        for _try in range(TRIES):
            begun, cpu = time.perf_counter(), time.process_time()
            lines = history_lines(ledger, home, limit=50, **wish)
            spent.append((time.perf_counter() - begun, time.process_time() - cpu))
        best_ms, cpu_ms = (1000 * min(times) for times in zip(*spent, strict=True))
        print(f"history of {ROWS:,}, {name} ({len(lines)} rows):", end=" ")
        print(f"{best_ms:.1f} ms, {cpu_ms:.1f} ms of CPU")
    for kind in ("csv", "json"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        count = export_history(ledger, home, home / f"all.{kind}", kind)
        spent_s = time.perf_counter() - begun
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"export of {count:,} as {kind}: {spent_s:.1f} s, +{grown:.0f} MB")


def figures(ledger: Ledger) -> None:
    until = NOW + timedelta(seconds=10_000)
    begun = time.perf_counter()
    found = analyse(*ledger.facts.figures("heygen", until=until))
    spent_s = time.perf_counter() - begun
    print(f"figures of {found.summary['renders']:,} renders: {spent_s:.2f} s")


def overhead(ledger: Ledger) -> None:
    steps = ("submitted", "processing", "completed", "downloaded")
    begun = time.perf_counter()
    for number in range(RENDERS):
        new = RenderRow(
            draft_id=f"new{number}",
            revision="r",
            body="{}",
            script="Hello",
            inputs={},
            voice_id="v",
            title="",
        )
        row, _new = ledger.plan(ACCOUNT, new)
        hold = ledger.leases.take(RenderRow, row.id)
        ledger.before_send(hold, NOW)
        for step in steps:
            ledger.record(hold, step, state=None if step == "processing" else step)
        ledger.leases.release(hold)
    spent_ms = (time.perf_counter() - begun) * 1000 / RENDERS
    print(f"all steps of one render: {spent_ms:.1f} ms (8 durable transactions)")


if __name__ == "__main__":
    main()
