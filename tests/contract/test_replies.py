"""Every reply of the stand-in, against what HeyGen answers."""

import io

import httpx
import pytest
from PIL import Image

from heygen_nb.sandbox.app import SandboxOptions, create_app
from heygen_nb.sandbox.server import run_in_thread

BODY = {"type": "avatar", "avatar_id": "look_own_01", "script": "Hello there."}


@pytest.fixture
def check(contract):
    return lambda name, reply: contract[name].check_reply(reply)


@pytest.fixture
def serve(tmp_path):
    def serve(**options):
        chosen = SandboxOptions(fast=True, pending_s=0, **options)
        return run_in_thread(create_app(tmp_path, chosen))

    return serve


@pytest.fixture
def api(serve):
    with serve(processing_s=0) as handle, client(handle) as api:
        yield api


def client(handle):
    key = {"X-Api-Key": handle.api_key}
    return httpx.Client(base_url=handle.base_url, headers=key)


def test_videos(api, check):
    body = BODY | {"title": "t", "caption": {"style": "default"}}
    video_id = check("video_create", api.post("/v3/videos", json=body))["video_id"]
    check("video_get", api.get(f"/v3/videos/{video_id}"))
    assert check("video_list", api.get("/v3/videos?title=t"))
    ids = f"video_ids={video_id},nope"
    check("video_statuses_list", api.get(f"/v3/videos/statuses?{ids}"))


def test_running_and_failed_videos(serve, check):
    with serve(processing_s=1000) as handle, client(handle) as api:
        api.post("/_sandbox/faults", json={"kind": "failed_render"})
        video_id = api.post("/v3/videos", json=BODY).json()["data"]["video_id"]
        check("video_get", api.get(f"/v3/videos/{video_id}"))
        api.post("/_sandbox/clock", json={"advance_s": 2000})
        failed = check("video_get", api.get(f"/v3/videos/{video_id}"))
    assert failed["failure_code"] == "rendering_failed"


def test_batches(serve, check):
    with serve(processing_s=1000, concurrency=1) as handle, client(handle) as api:
        videos = [BODY, BODY, BODY | {"voice_id": "nope"}]
        created = api.post("/v3/videos/batches", json={"videos": videos})
        batch_id = check("video_batches_create", created)["batch_id"]
        batch = check("video_batches_get", api.get(f"/v3/videos/batches/{batch_id}"))
        rows = api.get(f"/v3/videos/statuses?batch_ids={batch_id}")
        check("video_statuses_list", rows)
    words = [item["status"] for item in batch["items"]]
    assert words == ["processing", "queued", "failed"]


def test_voices(api, check):
    check("voice_list", api.get("/v3/voices?limit=100"))
    check("voice_list", api.get("/v3/voices?type=private"))
    check("voice_get", api.get("/v3/voices/voice_own_01"))
    body = {"text": "Hello.", "voice_id": "voice_en_001"}
    check("voice_speech_create", api.post("/v3/voices/speech", json=body))


def test_avatars(api, check):
    check("avatar_looks_list", api.get("/v3/avatars/looks?limit=50"))
    check("avatar_looks_get", api.get("/v3/avatars/looks/look_own_04"))
    check("avatar_looks_get", api.get("/v3/avatars/looks/look_001_1"))


def test_assets(api, check):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    files = {"file": ("a.png", buffer.getvalue(), "image/png")}
    check("asset_create", api.post("/v3/assets", files=files))


@pytest.mark.parametrize("kind", ["wallet", "subscription", "usage_based"])
def test_the_account(serve, check, kind):
    with serve(billing_type=kind) as handle, client(handle) as api:
        check("user_me_get", api.get("/v3/users/me"))
