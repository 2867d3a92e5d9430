from __future__ import annotations

import pytest

from heygen_nb.heygen.wire import LookReply, StatusRow, VideoReply, VoiceReply, phase


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *((w, "pending") for w in ("waiting", "queued", "pending", " Waiting ")),
        *((w, "processing") for w in ("processing", "running", "PROCESSING")),
        *((w, "completed") for w in ("completed", "complete", "done")),
        ("failed", "failed"),
        *((w, "unknown") for w in ("not_found", "draft", "failing", "", "готово")),
    ],
)
def test_each_status_word_has_a_phase(word, expected):
    assert phase(word) == expected


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (VideoReply, {"id": "v", "status": "new word", "novelty": [1]}),
        (VideoReply, {"id": "v", "status": "completed", "created_at": None}),
        (StatusRow, {"status": "failed", "error": {"any": "thing"}}),
        (VoiceReply, {"voice_id": "v", "language": None}),
        (LookReply, {"id": "l", "tags": ["x"], "error": {"code": "c"}}),
    ],
)
def test_a_reply_may_be_poor_or_rich(model, values):
    assert model.model_validate(values)


def test_control_characters_of_a_reply_reach_nobody():
    voice = VoiceReply.model_validate({"voice_id": "v", "name": "Ma\x1b[31mya\x00"})

    assert voice.name == "Ma[31mya"


def test_times_of_a_video_are_aware():
    video = VideoReply.model_validate(
        {"id": "v", "status": "completed", "created_at": 1767225600}
    )

    assert video.created_at.isoformat() == "2026-01-01T00:00:00+00:00"
