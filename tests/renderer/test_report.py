from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heygen_nb.ledger import RenderRow
from heygen_nb.log import Report
from heygen_nb.renderer.wait import clock_for
from heygen_nb.timing import RenderTimes

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


# 100 s of queue and 200 s of processing, seen by some of them only
PAST = [(30.0, NOON, at(100) if n % 3 else None, at(300), "", "") for n in range(60)]


def submitted(**times):
    row = RenderRow(script="", engine="", inputs={}, estimate_s=30.0, created_at=NOON)
    for name, value in {"submitted_at": NOON, **times}.items():
        setattr(row, name, value)
    return row


async def test_from_when_processing_begins_only_its_own_time_is_left():
    seen = []
    report = Report(seen.append)
    report.clock = clock_for(submitted(), RenderTimes.of_rows(PAST))

    for status, elapsed_s in (("pending", 10), ("pending", 300), ("processing", 310)):
        await report(status, "", elapsed_s=elapsed_s)

    assert seen[0].eta_s == pytest.approx(290, rel=0.1)
    assert seen[2].eta_s == pytest.approx(200, rel=0.1)
    low_s, high_s = seen[2].eta_range_s
    assert low_s < 200 < high_s
    assert [news.fraction for news in seen] == sorted(news.fraction for news in seen)


async def test_a_wait_that_goes_on_knows_when_the_queue_was_over():
    row = submitted(processing_at=at(400))

    clock = clock_for(row, RenderTimes.of_rows(PAST))

    assert clock.eta_s(450) == pytest.approx(150, rel=0.1)
