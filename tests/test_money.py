from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

import heygen_nb as hg
from heygen_nb.config import Settings
from heygen_nb.errors import ConfigError, LimitError
from heygen_nb.ledger import Ledger, RenderRow
from heygen_nb.models import Payer
from heygen_nb.money import check_limits, load_rates

ACCOUNT = Payer("heygen", "https://api.heygen.com", "me")
SCRIPT = "Hello there. This sentence is made to be said in three seconds or so. " * 7


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def tokyo(monkeypatch):
    """Nine hours ahead of UTC: the local day is not the UTC day."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def open_ledger(home):
    opened = []

    def start(now=lambda: datetime.now(UTC)):
        opened.append(Ledger(f"sqlite:///{home / 'heygen_nb.db'}", now=now))
        return opened[-1]

    yield start
    for ledger in opened:
        ledger.close()


def plan(ledger, number, cost, limits, account=ACCOUNT):
    new = RenderRow(
        draft_id=f"d{number}",
        revision="r",
        body="{}",
        script="Hi",
        inputs={},
        voice_id="v",
        title="",
        reserved_cost=cost,
        currency="usd",
    )
    row, _new = ledger.plan(
        account, new, allow=lambda spent: check_limits(limits, cost, spent, "usd")
    )
    return row


def test_the_shipped_rates_name_their_source_and_are_quoted(home):
    quote = load_rates(home).quote("avatar_iv", 30)

    assert quote.amount == pytest.approx(30 * quote.rate)
    assert quote.currency == "usd"
    assert quote.source


def test_an_engine_that_is_not_in_the_table_costs_the_dearest(home):
    rates = load_rates(home)

    assert rates.quote("avatar_xi", 10).rate == max(rates.prices.values())


def test_the_users_own_table_wins(home):
    (home / "rates.yaml").write_text("currency: credits\nengines: {avatar_iv: 0.1}\n")

    quote = load_rates(home).quote("avatar_iv", 30)

    assert quote.amount == pytest.approx(3.0)
    assert quote.currency == "credits"


@pytest.mark.parametrize(
    ("engine", "look_type", "resolution", "rate"),
    [
        ("avatar_iii", "photo_avatar", "1080p", 0.0433),
        ("avatar_iii", "digital_twin", "1080p", 0.0167),
        ("avatar_iii", "studio_avatar", "4k", 0.02),
        ("avatar_iv", "photo_avatar", "720p", 0.05),
        ("avatar_v", "photo_avatar", "4k", 0.0667),
        ("avatar_v", "digital_twin", "4k", 0.0833),
        ("avatar_iv", "", "1080p", 0.0667),  # a look of an older render: the dearest
        ("avatar_iv", "hologram", "1080p", 0.0833),
    ],
)
def test_the_shipped_rates_follow_engine_look_and_resolution(
    home, engine, look_type, resolution, rate
):
    rates = load_rates(home)

    quote = rates.quote(engine, 30, look_type=look_type, resolution=resolution)

    assert quote.rate == rate
    assert quote.amount == pytest.approx(30 * rate)
    assert "2026-10-01" in quote.source


def test_a_bill_counts_whole_seconds_and_a_quote_sets_the_upper_end_aside(home):
    (home / "rates.yaml").write_text("engines: {avatar_iv: 0.1}\nspeech: 0.01\n")
    rates = load_rates(home)

    quote = rates.quote("avatar_iv", 30.4, longest_s=36.9)
    spoken = rates.quote("avatar_iv", 30.0, longest_s=33.0, speech_s=60.0)

    assert rates.bill("avatar_iv", 30.96) == pytest.approx(3.0)
    assert (quote.amount, quote.at_most) == (3.0, 3.6)
    assert (spoken.amount, spoken.at_most) == (3.6, pytest.approx(3.96))
    assert rates.quote("avatar_iv", 30.0).at_most == 3.0


def test_plan_credits_are_quoted_as_credits(home):
    rates = load_rates(home).in_credits()

    quote = rates.quote("avatar_iv", 30.2, longest_s=34.0)

    assert quote.currency == "credits"
    assert (quote.amount, quote.at_most) == (12.0, 13.0)
    assert rates.bill("avatar_iv", 30.0) == 11.0


def test_engines_and_a_film_without_an_avatar_have_their_price(home):
    rates, kind = load_rates(home), {"look_type": "digital_twin", "resolution": "1080p"}
    engines = ("avatar_iv", "avatar_iii", "none")

    assert {e: round(rates.quote(e, 30, **kind).amount, 2) for e in engines} == {
        "avatar_iv": 2.0,
        "avatar_iii": 0.5,
        "none": 0.02,
    }


BROKEN = {
    "": "engines",
    "[1]": "engines",
    "engines: {}\n": "engines",
    "engines: {a: dear}\n": "“a” is dear",
    "engines: {a: {}}\n": "“a” is {}",
    "engines: {a: {b: {c: {d: 1}}}}\n": "a.b.c",
    "engines: {a: true}\n": "“a” is True",
    "engines: {a: .nan}\n": "“a” is nan",
    "engines: {a: .inf}\n": "“a” is inf",
    "engines: {a: 1.0e+308}\n": "“a” is 1e[+]308",
    "engines: {a: 1e308}\n": "“a” is 1e308",
    "engines: {a: -1}\n": "“a” is -1",
    "engines: {a: {photo_avatar: {4k: -1}}}\n": "a.photo_avatar.4k",
    "engines: &x {a: *x}\n": "a.a.a",
    "engines: {a: 1}\nspeech: true\n": "“speech” is True",
    "engines: {a: 1}\ncredits: {seconds: x}\n": "credits.seconds",
    "engines: {a: 1}\ncredits: 3\n": "credits",
    "engines: {a: 1}\nspech: 1\n": "spech",
    "a: [\n": "",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_table_is_named_with_the_place(home, text):
    (home / "rates.yaml").write_text(text)

    with pytest.raises(ConfigError, match=rf"rates\.yaml.*{BROKEN[text]}"):
        load_rates(home)


def test_the_table_of_an_older_version_still_holds(home):
    (home / "rates.yaml").write_text(
        "source: public notes on self-serve pricing\ndate: 2026-10-01\n"
        "currency: usd\nengines:\n  avatar_iii: 0.0333\n  avatar_iv: '0.0667'\n"
        "  avatar_v: 5e-2\n  studio: 0.0667\nspeech: 0.000667\n"
    )
    rates = load_rates(home)

    assert rates.rate("avatar_iii", "1080p", "photo_avatar") == 0.0333
    assert rates.rate("avatar_iv", "4k", "digital_twin") == 0.0667
    assert rates.rate("avatar_v") == 0.05
    assert rates.quote("studio", 10).source.endswith("pricing, 2026-10-01")
    assert rates.in_credits().quote("avatar_iv", 3).amount == 2.0


def test_the_sandbox_is_free(home):
    assert load_rates(home).free().quote("avatar_iv", 30).amount == 0


def test_an_engine_may_cost_by_resolution(home):
    (home / "rates.yaml").write_text(
        "engines: {avatar_iv: {720p: 0.05, 4k: 0.2}, studio: 0.01}\nspeech: 0.001\n"
    )
    rates = load_rates(home)

    assert rates.quote("avatar_iv", 10, resolution="720p").amount == 0.5
    assert rates.quote("avatar_iv", 10, resolution="1080p").amount == 2.0
    assert rates.quote("avatar_xi", 10).amount == 2.0
    spoken = rates.quote("studio", 10, speech_s=30)
    assert (spoken.amount, spoken.speech) == (0.13, 0.03)
    assert rates.free().quote("studio", 10, speech_s=30).amount == 0


def test_a_limit_for_one_render_names_the_setting():
    with pytest.raises(LimitError, match="max_cost_per_render") as caught:
        check_limits(Settings(max_cost_per_render=1.0), 1.5, 0.0, "usd")

    assert caught.value.charged is False
    check_limits(Settings(max_cost_per_render=1.0), 1.0, 500.0, "usd")
    check_limits(Settings(), 1e6, 1e6, "usd")


def test_a_limit_for_the_day_counts_what_is_reserved(open_ledger):
    ledger, limits = open_ledger(), Settings(max_cost_per_day=5.0)

    plan(ledger, 1, 3.0, limits)
    with pytest.raises(LimitError, match=r"3\.00 is spent"):
        plan(ledger, 2, 3.0, limits)
    plan(ledger, 3, 2.0, limits)


def test_twenty_at_once_keep_within_the_day(open_ledger):
    ledgers = [open_ledger(), open_ledger()]

    def one(number):
        try:
            return plan(
                ledgers[number % 2], number, 1.0, Settings(max_cost_per_day=7.0)
            )
        except LimitError:
            return None

    with ThreadPoolExecutor(20) as pool:
        rows = list(pool.map(one, range(20)))

    assert sum(row is not None for row in rows) == 7


def test_a_day_is_the_local_day(open_ledger, tokyo):
    clock = Clock(datetime(2026, 3, 1, 14, 50, tzinfo=UTC))  # 23:50 in Tokyo
    ledger, limits = open_ledger(clock), Settings(max_cost_per_day=5.0)
    plan(ledger, 1, 4.0, limits)
    with pytest.raises(LimitError):
        plan(ledger, 2, 4.0, limits)

    clock.now += timedelta(minutes=15)
    plan(ledger, 2, 4.0, limits)
    clock.now += timedelta(hours=10)  # the next UTC day, the same one in Tokyo
    with pytest.raises(LimitError):
        plan(ledger, 3, 4.0, limits)


def test_another_accounts_money_is_its_own(open_ledger):
    ledger, limits = open_ledger(), Settings(max_cost_per_day=5.0)

    plan(ledger, 1, 4.0, limits)
    plan(ledger, 1, 4.0, limits, account=Payer("heygen", "https://x", "you"))


def test_what_failed_costs_nothing(open_ledger):
    ledger, limits = open_ledger(), Settings(max_cost_per_day=5.0)
    row = plan(ledger, 1, 4.0, limits)
    hold = ledger.leases.take(type(row), row.id)
    ledger.record(hold, "rejected", state="rejected", reserved_cost=0.0)

    plan(ledger, 2, 4.0, limits)


@pytest.mark.anyio
async def test_twenty_renders_at_once_keep_within_the_limit(sandbox):
    settings = sandbox.settings(max_cost_per_day=9.0)
    drafts = [hg.Draft(id=f"d{n}", script=f"{SCRIPT} {n}") for n in range(20)]

    videos = await hg.render_batch(drafts, settings=settings)

    done = [video for video in videos if video.status == "completed"]
    refused = [video for video in videos if video.failure_code == "limit"]
    assert 1 < len(done) < 20
    assert len(done) + len(refused) == 20
    assert sum(video.cost for video in done) <= 9.0
    assert len(sandbox.charges()) == len(done)


@pytest.mark.anyio
async def test_the_bill_of_renders_side_by_side_is_computed(sandbox, open_ledger, home):
    drafts = [hg.Draft(id=f"d{n}", script=f"{SCRIPT} {n}") for n in range(3)]

    videos = await hg.render_batch(drafts, settings=sandbox.settings())

    rows = [open_ledger().render(video.render_id) for video in videos]
    rates = load_rates(home)
    for row, video in zip(rows, videos, strict=True):
        assert row.look_type
        assert video.cost == rates.bill(
            row.engine, video.duration_s, row.inputs["resolution"], row.look_type
        )
