from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import heygen_nb as hg
from heygen_nb.reports import LIGHT, Analytics, Theme, analyse, title_of

DARK = Theme("#111418", "#e6edf3", "#30363d")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = (
    *("months", "lengths", "accuracy", "money", "failures", "days", "engines", "chats"),
)
SCRIPT = "Hello there. This sentence is made to be said in three seconds or so. " * 7


def fact(number=0, *, day=0, state="downloaded", **changes):
    """A render of 30 s that was asked to be 28, queued 20 s and rendered in 100."""
    at = START + timedelta(days=day)
    ended = state == "downloaded"
    values = {
        "draft_id": f"d{number}",
        "state": state,
        "target_s": 28.0,
        "estimate_s": 29.0,
        "duration_s": 30.0 if ended else None,
        "quoted": 1.9,
        "cost": 2.0 if ended else None,
        "currency": "usd",
        "engine": "avatar_iv",
        "finishes": None,
        "error_code": None if ended else "rendering_failed",
        "created_at": at,
        "submitted_at": at,
        "processing_at": at + timedelta(seconds=20),
        "completed_at": at + timedelta(seconds=120) if ended else None,
        "chat_id": None,
        **changes,
    }
    return SimpleNamespace(**values)


def test_times_are_told_by_month_and_by_length():
    rows = [fact(0), fact(1, day=31), fact(2, day=31, duration_s=50.0)]

    tables = analyse(rows, []).tables

    march, april = tables["months"]
    assert (march["month"], march["renders"]) == ("2026-03", 1)
    assert (april["month"], april["renders"]) == ("2026-04", 2)
    assert (march["queue_s"], march["processing_s"], march["total_s"]) == (20, 100, 120)
    assert [row["video_s"] for row in tables["lengths"]] == ["30–45", "45–60"]


def test_lengths_and_money_are_compared_with_what_was_said():
    figures = analyse([fact()], []).tables

    assert figures["accuracy"][0]["off"] == pytest.approx(30 / 28 - 1, abs=1e-4)
    assert figures["money"][0]["quoted"] == 1.9
    assert figures["money"][0]["cost"] == 2.0


def test_failures_are_counted_by_reason():
    rows = [
        fact(0, state="failed"),
        fact(1, state="failed"),
        fact(2, state="unknown", error_code="found_0"),
        fact(3),
        fact(4, state="submitted", error_code=None),
    ]

    figures = analyse(rows, [])

    assert figures.tables["failures"][0] == {"reason": "rendering_failed", "renders": 2}
    assert figures.summary["success_rate"] == pytest.approx(1 / 4)
    assert figures.summary["renders"] == 5


def test_money_is_told_by_day_and_chat_with_speech_and_never_mixed():
    rows = [
        fact(0, chat_id="7"),
        fact(1, chat_id="7"),
        fact(2, chat_id="8", currency="credits"),
        fact(3, state="failed"),
    ]

    figures = analyse(
        rows, [SimpleNamespace(cost=0.5, currency="usd", created_at=START)]
    )

    assert figures.summary["spent"] == {"usd": 4.5, "credits": 2.0}
    assert {row["currency"]: row["spent"] for row in figures.tables["days"]} == {
        "usd": 4.5,
        "credits": 2.0,
    }
    assert figures.tables["chats"][0] == {
        "chat": "7",
        "currency": "usd",
        "renders": 2,
        "spent": 4.0,
    }


def test_without_pandas_tables_are_lists():
    figures = analyse([fact()], [])

    table = figures["money"]
    rows = table if isinstance(table, list) else table.to_dict("records")
    assert rows == figures.tables["money"]


def test_costs_are_told_by_engine():
    rows = [fact(0), fact(1), fact(2, engine="none", cost=0.02)]

    assert [
        (row["engine"], row["renders"], row["spent"])
        for row in analyse(rows, []).tables["engines"]
    ] == [("avatar_iv", 2, 4.0), ("none", 1, 0.02)]


def test_axes_fit_what_they_show():
    figures = analyse([fact(n, day=9 * n, duration_s=28.0 + n) for n in range(3)], [])

    pairs = figures.figure("accuracy").axes[0]
    days = figures.figure("days").axes[0]

    low, top = pairs.get_xlim()
    assert 26 < low < 28
    assert 30 < top < 32
    assert days.get_ylim()[0] == 0
    assert [tick.get_text() for tick in days.get_xticklabels()] == [
        *("01.03", "05.03", "09.03", "13.03", "17.03")
    ]

    reasons = [{"reason": name, "renders": 3} for name in "ab"]
    failures = Analytics({}, {"failures": reasons}).figure("failures").axes[0]
    assert {*failures.get_xticks()} <= {0, 1, 2, 3, 4}  # no half of a render


def test_thousands_of_renders_are_no_heavy_chart():
    rows = [fact(n % 28, duration_s=20 + n % 40 + n / 9999) for n in range(9999)]

    axes = analyse(rows, []).figure("accuracy").axes[0]

    assert 40 <= len(axes.collections[0].get_offsets()) < 200
    assert (
        analyse([fact(processing_at=None)], []).tables["months"][0]["queue_s"] is None
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("name", NAMES)
def test_every_table_has_a_chart_with_and_without_rows(name, theme, tmp_path):
    rows = [fact(n, day=n, chat_id="7") for n in range(5)]
    for figures in (analyse([], []), analyse([*rows, fact(9, state="failed")], [])):
        figure = figures.figure(name, theme)
        figure.savefig(tmp_path / "chart.png")

        luminance = sum(figure.get_facecolor()[:3]) / 3
        assert title_of(name)
        assert luminance < 0.2 if theme is DARK else luminance > 0.9


def test_tables_are_saved_as_csv(tmp_path):
    files = analyse([fact()], []).save(tmp_path / "out")

    assert {file.stem for file in files} == {
        "months",
        "lengths",
        "accuracy",
        "money",
        "days",
        "engines",
    }
    with (tmp_path / "out" / "money.csv").open(encoding="utf-8") as file:
        [money] = csv.DictReader(file)
    assert money["cost"] == "2.0"


@pytest.mark.anyio
async def test_the_figures_of_a_home_follow_its_ledger(sandbox):
    settings = sandbox.settings()
    await hg.render_video(hg.Draft(script=SCRIPT), settings=settings)

    figures = hg.analytics(settings=settings)
    old = hg.analytics(settings=settings, until=datetime(2026, 1, 1, tzinfo=UTC))

    assert figures.summary["completed"] == 1
    assert figures.tables["days"][0]["spent"] > 0
    assert hg.analytics(settings=settings, days=1).summary["renders"] == 1
    assert old.summary["renders"] == 0


def test_a_chat_that_begins_like_a_formula_stays_a_text_in_the_csv(tmp_path):
    analyse([fact(chat_id="@channel")], []).save(tmp_path)

    assert "'@channel" in (tmp_path / "chats.csv").read_text("utf-8")


@pytest.mark.anyio
async def test_the_history_is_a_table_of_all_renders(sandbox, monkeypatch):
    settings = sandbox.settings()
    await hg.render_video(
        hg.Draft(id="one", script="Hello.", title="T"), settings=settings
    )
    sandbox.fault("status", "/v3/videos", method="POST", status=400, code="no_face")
    with pytest.raises(hg.HeygenNbError):
        await hg.render_video(hg.Draft(id="two", script="Bye."), settings=settings)

    monkeypatch.setitem(sys.modules, "pandas", None)
    refused, made = hg.history(settings=settings)

    assert (made["draft_id"], made["title"], made["status"]) == (
        "one",
        "T",
        "completed",
    )
    assert made["path"].exists()
    assert made["error_code"] is None
    assert (refused["draft_id"], refused["status"]) == ("two", "rejected")
    assert refused["error_code"] == "no_face"
    assert [row["draft_id"] for row in hg.history(settings=settings, limit=1)] == [
        "two"
    ]
    assert hg.history(settings=settings, status="failed") == []
    assert hg.history(settings=settings, days=0) == []

    frames = SimpleNamespace(DataFrame=lambda rows: ("a frame of", rows))
    monkeypatch.setitem(sys.modules, "pandas", frames)
    kind, lines = hg.history(settings=settings)
    assert (kind, len(lines)) == ("a frame of", 2)
