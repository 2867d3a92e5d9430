"""How the public names are used by typed code of somebody else; only mypy reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import heygen_nb as hg


def seen(progress: hg.Progress) -> None:
    assert_type(progress.elapsed_s, float)
    assert_type(progress.eta_s, float | None)


async def seen_later(progress: hg.Progress) -> None:
    assert_type(progress.message, str)


def at_most(quote: hg.Quote) -> str:
    assert_type(quote.at_most, float)
    return f"{quote.at_most} {quote.currency}, {hg.__version__}"


async def one() -> None:
    settings = hg.load_settings(backend="sandbox", poll_interval_s=1)
    assert_type(settings, hg.Settings)
    draft = hg.Draft(script="Hello there.", title="Hello", duration=30)
    hg.VIDEO_CONFIG["aspect_ratio"] = "9:16"
    assert_type(hg.update_video_config(duration=45), dict[str, Any])

    video_id = await hg.create_video(draft, config={"caption": True})
    assert_type(video_id, str)
    video = await hg.wait_video(video_id, seen, poll_interval_s=1, timeout_s=900)
    assert_type(video, hg.Video)
    assert_type((await hg.download_video(video)).path, Path | None)
    assert_type(await hg.render_video(draft, seen_later, again=True), hg.Video)
    assert_type(await hg.finish_video(video, aspect_ratio="1:1"), hg.Video)
    for finding in await hg.check_video(video):
        assert_type(finding.second, float)
    assert_type(await hg.send_video(video, "A caption"), hg.Post)


async def many() -> None:
    drafts = hg.drafts_from([{"name": "Ann"}], "Hello, {{ name }}.")
    assert_type(drafts, list[hg.Draft])
    drafts += await hg.write_drafts("Mornings", 2, duration=30)
    assert_type(await hg.rewrite_draft(drafts[0], "shorten"), hg.Draft)
    assert_type(await hg.render_batch(drafts, seen), list[hg.Video])
    assert_type(await hg.voices("calm", language="English"), list[hg.Voice])
    assert_type(await hg.avatars("desk"), list[hg.Avatar])
    await hg.preview_draft(drafts[0])
    await hg.preview_batch(drafts)
    for outcome in await hg.resume():
        assert_type(outcome.path, Path | None)
    assert hg.analytics(days=30)
    assert hg.history(days=30, limit=10)


def in_a_notebook(draft: hg.Draft) -> hg.Video:
    try:
        return hg.run(hg.render_video(draft))
    except hg.HeygenNbError as error:
        assert_type(error.charged, bool | None)
        assert_type(error.hint, str)
        raise


panels = [
    hg.Studio(),
    hg.DraftsPanel(),
    hg.GenerationPanel(),
    hg.SettingsPanel(),
    hg.HistoryPanel(),
    hg.AnalyticsPanel(),
]
