import io
import time
import wave

import httpx
import pytest

from heygen_nb.preview import probe_video

from .conftest import running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    with running(folder, fast=False) as sandbox:
        yield sandbox


def finished(sandbox, **changes):
    reply = sandbox.create(resolution="720p", **changes)
    assert reply.status_code == 200, reply.text
    video_id, deadline = reply.json()["data"]["video_id"], time.monotonic() + 60
    while time.monotonic() < deadline:
        video = sandbox.video(video_id)
        if video["status"] in ("completed", "failed"):
            return video
        time.sleep(0.05)
    raise TimeoutError


def test_a_real_video_is_what_was_asked_for(sandbox, tmp_path):
    background = {"type": "color", "value": "#203040"}
    video = finished(
        sandbox,
        script="Доброе утро! Как дела?",
        voice_id="voice_ru_001",
        aspect_ratio="9:16",
        background=background,
        caption={"style": "default"},
    )

    (tmp_path / "v.mp4").write_bytes(httpx.get(video["video_url"]).content)
    facts = probe_video(tmp_path / "v.mp4")
    charge = sandbox.ledger()["charges"][-1]["amount"]
    assert (facts.width, facts.height) == (720, 1280)
    assert facts.duration_s == pytest.approx(video["duration"], abs=0.05)
    assert charge == pytest.approx(0.0667 * int(video["duration"]))
    assert "Доброе утро!" in httpx.get(video["subtitle_url"]).text
    deadline = time.monotonic() + 60
    while not (url := sandbox.video(video["id"])["captioned_video_url"]):
        assert time.monotonic() < deadline, "the captioned film did not come"
        time.sleep(0.05)
    (tmp_path / "c.mp4").write_bytes(httpx.get(url).content)
    assert probe_video(tmp_path / "c.mp4").duration_s == pytest.approx(
        facts.duration_s, abs=0.05
    )
    assert (tmp_path / "c.mp4").read_bytes() != (tmp_path / "v.mp4").read_bytes()


def test_real_speech_is_heard_in_a_video_at_its_exact_length(sandbox):
    body = {"text": "Exactly as long as this.", "voice_id": "voice_en_001"}
    said = sandbox.api.post("/v3/voices/speech", json=body).json()["data"]
    sound = httpx.get(said["audio_url"]).content

    video = finished(
        sandbox, script=None, voice_id=None, audio_url=said["audio_url"], caption={}
    )

    with wave.open(io.BytesIO(sound)) as file:
        assert any(file.readframes(file.getnframes()))
    assert video["duration"] == pytest.approx(said["duration"], abs=0.05)
    assert "Exactly as long as" in httpx.get(video["subtitle_url"]).text


def test_real_speech_takes_twice_as_long_at_half_the_speed(sandbox):
    def length(speed):
        body = {"text": "Сегодня Луна в Раке.", "voice_id": "voice_ru_001"}
        reply = sandbox.api.post("/v3/voices/speech", json=body | {"speed": speed})
        return reply.json()["data"]["duration"]

    assert length(0.5) == pytest.approx(2 * length(1), rel=0.01)


def test_a_background_nobody_can_fetch_fails_the_render(sandbox):
    background = {"type": "image", "url": "http://127.0.0.1:9/none.png"}

    video = finished(sandbox, background=background)

    assert (video["status"], video["failure_code"]) == ("failed", "download_failed")
