from __future__ import annotations

from datetime import UTC, datetime

from heygen_nb.ledger import RenderRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_finished_renders_teach_lengths_times_and_voices(
    open_ledger, account, new_render
):
    ledger = open_ledger()
    inputs = {"resolution": "720p", "voice": "Clara"}
    row, _new = ledger.plan(account, new_render(inputs=inputs, engine="avatar_iv"))
    ledger.plan(account, new_render("d2"))
    hold = ledger.leases.take(RenderRow, row.id)
    ledger.record(hold, "submitted", state="submitted", video_id="x")
    ledger.record(hold, "processing", processing_at=(begun := NOON))
    ledger.record(hold, "completed", state="completed", duration_s=31.0, pad_s=1.0)

    [spoken] = ledger.facts.spoken("heygen")
    [(seconds, start, found, end, engine, resolution)] = ledger.facts.times("heygen")

    assert spoken == ("Hello", "v1", 1.0, 30.0, "")
    assert (seconds, engine, resolution) == (31.0, "avatar_iv", "720p")
    assert end > start
    assert found == begun
    assert ledger.facts.voice_of("heygen", "Clara") == "v1"
    assert ledger.facts.voice_of("heygen", "Nobody") == ""
    assert ledger.facts.newest("heygen") == end
    assert ledger.facts.spoken("sandbox") == []
