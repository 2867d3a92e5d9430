import io
import wave

import httpx
import pytest
from PIL import Image

from .conftest import avatar


def picture(kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "#204060").save(buffer, kind)
    return buffer.getvalue()


def tone(seconds):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x10" * int(8000 * seconds))
    return buffer.getvalue()


def upload(sandbox, content, mime_type="application/octet-stream", name="a.bin"):
    files = {"file": (name, content, mime_type)}
    return sandbox.api.post("/v3/assets", files=files)


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (picture(), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (tone(0.1), "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"1\n00:00:00,000 --> 00:00:01,000\nx\n", "application/x-subrip"),
    ],
)
def test_the_type_of_an_upload_is_found_in_its_bytes(shared, content, mime_type):
    asset = upload(shared, content).json()["data"]

    assert (asset["mime_type"], asset["size_bytes"]) == (mime_type, len(content))
    assert httpx.get(asset["url"]).content == content


def test_an_upload_of_no_known_type_is_refused(shared):
    assert upload(shared, b"<html>", "image/png").status_code == 400
    assert shared.api.post("/v3/assets", data={"file": "x"}).status_code == 400


def test_an_upload_over_32_mb_is_refused(shared):
    reply = upload(shared, picture() + bytes(32 * 1024 * 1024))

    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "payload_too_large"


def test_a_name_with_a_path_stays_inside(sandbox, tmp_path):
    asset = upload(sandbox, picture(), name="../../../evil.png").json()["data"]

    (kept,) = tmp_path.rglob("evil.png")
    assert kept.parent.name == asset["asset_id"]


def test_files_outside_the_host_are_out_of_reach(shared):
    for path in ("../sandbox.db", "%2e%2e/sandbox.db", "/etc/passwd"):
        reply = httpx.get(f"{shared.handle.base_url}/files/{path}")
        assert reply.status_code in (403, 404)


def test_speech_is_measured_and_charged(sandbox):
    body = {"text": "One, two, three.", "voice_id": "voice_en_001"}
    said = sandbox.api.post("/v3/voices/speech", json=body).json()["data"]
    slow = sandbox.api.post("/v3/voices/speech", json=body | {"speed": 0.5}).json()

    with wave.open(io.BytesIO(httpx.get(said["audio_url"]).content)) as file:
        heard_s = file.getnframes() / file.getframerate()
    words = said["word_timestamps"]
    assert [word["word"] for word in words] == ["One,", "two,", "three."]
    assert all(word["start"] < word["end"] for word in words)
    assert heard_s == pytest.approx(said["duration"], abs=0.01)
    assert slow["data"]["duration"] == pytest.approx(2 * said["duration"], abs=0.01)
    assert [charge["kind"] for charge in sandbox.ledger()["charges"]] == ["speech"] * 2


def test_speech_needs_a_starfish_voice(shared):
    listed = shared.api.get("/v3/voices?engine=starfish&limit=100").json()["data"]
    able = {voice["voice_id"] for voice in listed}
    everyone = shared.api.get("/v3/voices?limit=100").json()["data"]
    unable = next(v["voice_id"] for v in everyone if v["voice_id"] not in able)

    body = {"text": "Hello.", "voice_id": unable}
    reply = shared.api.post("/v3/voices/speech", json=body)

    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "voice_id")


def test_uploaded_speech_makes_a_video_of_exactly_its_length_with_its_words(shared):
    body = {"text": "Exactly as long as this.", "voice_id": "voice_en_001"}
    said = shared.api.post("/v3/voices/speech", json=body).json()["data"]
    sound = httpx.get(said["audio_url"]).content
    asset_id = upload(shared, sound, "audio/wav").json()["data"]["asset_id"]

    by_asset = shared.completed(script=None, voice_id=None, audio_asset_id=asset_id)
    by_link = shared.completed(
        script=None, voice_id=None, audio_url=said["audio_url"], caption={}
    )

    assert by_asset["duration"] == by_link["duration"] == said["duration"]
    assert body["text"] in httpx.get(by_link["subtitle_url"]).text


def test_other_peoples_sound_is_measured(shared):
    asset_id = upload(shared, tone(1.5)).json()["data"]["asset_id"]

    video = shared.completed(script=None, audio_asset_id=asset_id)

    assert video["duration"] == pytest.approx(1.5)


def test_an_expired_link_to_sound_is_refused(start):
    sandbox = start(link_life_s=60)
    url = upload(sandbox, tone(1)).json()["data"]["url"]

    sandbox.advance(61)
    body = avatar(script=None, audio_url=url)
    reply = sandbox.api.post("/v3/videos", json=body)

    assert reply.json()["error"]["code"] == "download_failed"


def test_a_picture_is_no_sound(shared):
    asset_id = upload(shared, picture()).json()["data"]["asset_id"]

    reply = shared.create(script=None, audio_asset_id=asset_id)

    assert reply.json()["error"]["param"] == "audio_asset_id"
