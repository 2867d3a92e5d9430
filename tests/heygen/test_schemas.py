from __future__ import annotations

import pytest
from pydantic import ValidationError

from heygen_nb.heygen.wire import (
    AvatarVideo,
    ColorBackground,
    ImageBackground,
    ImageScene,
    InlineSource,
    LookReply,
    SpeechRequest,
    StatusRow,
    StudioVideo,
    VideoReply,
    VoiceReply,
    VoiceSettings,
    phase,
)

PICTURE = InlineSource(media_type="image/png", data="AA==")


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


def test_the_text_of_a_request_is_always_the_same_and_has_no_nulls():
    video = AvatarVideo(title="б", script="Hi ✓", avatar_id="l", voice_id=None)

    assert video.to_json() == (
        '{"aspect_ratio":"16:9","avatar_id":"l","script":"Hi ✓","title":"б",'
        '"type":"avatar"}'
    )


def test_a_stored_request_can_be_read_back():
    video = AvatarVideo(
        avatar_id="l",
        audio_asset_id="a",
        background=ColorBackground(value="#102030"),
        voice_settings=VoiceSettings(speed=1.25),
    )

    again = AvatarVideo.model_validate_json(video.to_json())

    assert again == video


@pytest.mark.parametrize(
    "speech",
    [{}, {"script": "a", "audio_url": "u"}, {"script": ""}, {"script": "x" * 5001}],
)
def test_an_avatar_needs_exactly_one_speech_that_fits(speech):
    with pytest.raises(ValidationError):
        AvatarVideo(avatar_id="l", **speech)


@pytest.mark.parametrize(
    "length", [{}, {"script": "a", "duration": 1}, {"duration": 0}, {"duration": 301}]
)
def test_a_picture_is_narrated_or_lasts(length):
    with pytest.raises(ValidationError):
        ImageScene(source=PICTURE, **length)


@pytest.mark.parametrize("count", [0, 51])
def test_a_studio_video_has_one_to_fifty_scenes(count):
    with pytest.raises(ValidationError):
        StudioVideo(scenes=(ImageScene(source=PICTURE, duration=1),) * count)


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (ColorBackground, {"value": "red"}),
        (ColorBackground, {"value": "#12345g"}),
        (ImageBackground, {}),
        (ImageBackground, {"url": "u", "asset_id": "a"}),
        (VoiceSettings, {"speed": 1.51}),
        (VoiceSettings, {"speed": float("nan")}),
        (SpeechRequest, {"text": "", "voice_id": "v"}),
        (SpeechRequest, {"text": "half \ud83d", "voice_id": "v"}),
        (AvatarVideo, {"avatar_id": "l", "script": "a", "durration": 5}),
    ],
)
def test_what_heygen_would_refuse_is_not_built(model, values):
    with pytest.raises(ValidationError):
        model(**values)


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
