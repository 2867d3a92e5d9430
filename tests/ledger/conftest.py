from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heygen_nb.ledger import Ledger, RenderRow
from heygen_nb.models import Payer

ACCOUNT = Payer("heygen", "https://api.heygen.com", "0123456789abcdef0123")
SECOND = timedelta(seconds=1)


class Clock:
    """Goes on by a second whenever it is read, so that rows have an order."""

    def __init__(self):
        self.now = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self):
        self.now += SECOND
        return self.now


def an_owner(host="elsewhere", pid=1):
    return f"{host}/boot/{pid}/1.0"


@pytest.fixture
def account():
    return ACCOUNT


@pytest.fixture
def new_render():
    def make(draft_id="a1b2c3d4", revision="r1", **fields):
        return RenderRow(
            **{
                "draft_id": draft_id,
                "revision": revision,
                "body": '{"type": "avatar", "script": "Hello"}',
                "script": "Hello",
                "caption": "",
                "title": "",
                "inputs": {},
                "currency": "usd",
                "voice_id": "v1",
                "reserved_cost": 1.5,
                **fields,
            }
        )

    return make


@pytest.fixture
def open_ledger(ledger_url):
    """Open the same ledger as often as wanted, each time as another process."""
    opened = []

    def open_one(**options):
        options = {"now": Clock(), "owner": an_owner(pid=len(opened) + 1)} | options
        opened.append(Ledger(ledger_url, **options))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger):
    return open_ledger()
