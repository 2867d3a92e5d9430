from __future__ import annotations

import time

import pytest

from heygen_nb.clock import awake_or_not
from heygen_nb.config import Settings


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({"CLOCK_BOOTTIME": 7, "CLOCK_MONOTONIC": 1}, 7),
        ({"CLOCK_MONOTONIC": 6}, 6),  # macOS: goes on during a sleep
    ],
)
def test_the_clock_of_passed_time_goes_on_while_the_laptop_sleeps(
    monkeypatch, known, asked
):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    for name, number in known.items():
        monkeypatch.setattr(time, name, number, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: {asked: 5.0}[clock])

    assert awake_or_not()() == 5.0


def test_the_sandbox_is_looked_at_every_second():
    here = Settings(heygen_api_key="k", poll_interval_s=10)

    assert here.pace.interval_s == 10
    assert here.model_copy(update={"backend": "sandbox"}).pace.interval_s == 1
