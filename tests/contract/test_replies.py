"""Every reply of the stand-in, against what HeyGen answers."""

import io
import json

import httpx
import jsonschema
import pytest
from PIL import Image

from heygen_nb.sandbox.state import SandboxOptions

from ..serving import CALM, INSTANT, sandbox_in_thread
from .conftest import closed

BODY = {"type": "avatar", "avatar_id": "look_own_01", "script": "Hello there."}


@pytest.fixture
def check(contract):
    return lambda name, reply: contract[name].check_reply(reply)


@pytest.fixture
def serve(tmp_path):
    def serve(**options):
        chosen = SandboxOptions(**(INSTANT | CALM | options))
        return sandbox_in_thread(tmp_path, chosen)

    return serve


@pytest.fixture
def api(serve):
    with serve(processing_s=0) as live, client(live) as api:
        yield api


def client(live):
    key = {"X-Api-Key": live.handle.api_key}
    return httpx.Client(base_url=live.handle.base_url, headers=key)


def test_videos(api, check):
    body = BODY | {"title": "t", "caption": {"style": "default"}}
    video_id = check("video_create", api.post("/v3/videos", json=body))["video_id"]
    check("video_get", api.get(f"/v3/videos/{video_id}"))
    assert check("video_list", api.get("/v3/videos?title=t"))
    ids = f"video_ids={video_id},nope"
    check("video_statuses_list", api.get(f"/v3/videos/statuses?{ids}"))


def test_running_and_failed_videos(serve, check):
    with serve(processing_s=1000) as live, client(live) as api:
        live.faults.add("failed_render")
        video_id = api.post("/v3/videos", json=BODY).json()["data"]["video_id"]
        check("video_get", api.get(f"/v3/videos/{video_id}"))
        live.handle.control("clock", {"advance_s": 2000})
        failed = check("video_get", api.get(f"/v3/videos/{video_id}"))
    assert failed["failure_code"] == "rendering_failed"


def test_batches(serve, check):
    with serve(processing_s=1000, concurrency=1) as live, client(live) as api:
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
    with serve(billing_type=kind) as live, client(live) as api:
        check("user_me_get", api.get("/v3/users/me"))


def lacking(schema, value, where=""):
    """Where a field that may be null is left out, or one that may not is null."""
    if isinstance(value, list):
        for row in value[:3]:
            yield from lacking(schema["items"], row, f"{where}[]")
    elif isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from lacking(inner, value[name], f"{where}.{name}")
            elif "null" in inner["type"]:
                yield f"{where}.{name} is left out"


LISTED = {
    "video_get": "videos/{video}",
    "video_list": "videos",
    "video_statuses_list": "videos/statuses?video_ids={video},nope",
    "video_batches_get": "videos/batches/{batch}",
    "voice_list": "voices",
    "voice_get": "voices/voice_en_001",
    "avatar_list": "avatars?limit=50",
    "avatar_looks_list": "avatars/looks?limit=50",
    "avatar_looks_get": "avatars/looks/look_own_01",
    "asset_get": "assets/{asset}",
    "user_me_get": "users/me",
    "template_list": "templates",
    "webhook_endpoints_list": "webhooks/endpoints",
    "webhook_events_list": "webhooks/events",
    "webhook_event_types_list": "webhooks/event-types",
}


def test_no_field_is_left_out_and_none_invented(api, schemas):
    """As HeyGen's own command line client reads them."""
    files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    batch = {"videos": [BODY, BODY | {"voice_id": "nope"}]}
    made = {
        "video": api.post("/v3/videos", json=BODY).json()["data"]["video_id"],
        "batch": api.post("/v3/videos/batches", json=batch).json()["data"]["batch_id"],
        "asset": api.post("/v3/assets", files=files).json()["data"]["asset_id"],
    }

    for name, path in LISTED.items():
        schema = json.loads((schemas / f"{name}.json").read_text("utf-8"))
        reply = api.get("/v3/" + path.format(**made)).json()
        validator = jsonschema.Draft202012Validator(closed(schema["response_schema"]))
        validator.validate(reply)
        assert [*lacking(schema["response_schema"], reply)] == [], name
