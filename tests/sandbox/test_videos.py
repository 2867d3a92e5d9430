import base64
import email.utils

import httpx
import pytest

from heygen_nb.preview import probe_video

from .conftest import NOW, avatar


def test_without_or_with_a_wrong_key_the_answer_is_the_same_401(shared):
    missing = httpx.get(f"{shared.handle.base_url}/v3/users/me")
    wrong = shared.api.get("/v3/users/me", headers={"X-Api-Key": "nonsense"})
    bearer = {"Authorization": f"Bearer {shared.handle.api_key}"}
    no_session = httpx.get(f"{shared.handle.base_url}/v3/users/me", headers=bearer)

    for reply in (missing, wrong, no_session):
        assert (reply.status_code, reply.json()) == (401, missing.json())
    assert missing.json()["error"]["code"] == "unauthorized"


def test_a_video_goes_through_the_status_words_and_is_charged_when_finished(start):
    sandbox = start(pending_s=10, processing_s=20)

    created = sandbox.create().json()["data"]
    words, balances = [created["status"]], []
    for seconds in (0, 11, 20):
        sandbox.advance(seconds)
        words.append(sandbox.video(created["video_id"])["status"])
        balances.append(sandbox.ledger()["balance"])

    assert words == ["waiting", "pending", "processing", "completed"]
    assert balances[0] == balances[1] == 100
    assert balances[2] == pytest.approx(100 - sandbox.ledger()["charges"][0]["amount"])


def test_a_finished_video_opens_and_its_links_need_no_key(shared, tmp_path):
    video = shared.completed(caption={"file_format": "srt", "style": "default"})
    movie = httpx.get(video["video_url"])
    part = httpx.get(video["video_url"], headers={"Range": "bytes=100-199"})
    subtitles = httpx.get(video["subtitle_url"])
    thumbnail = httpx.get(video["thumbnail_url"])

    (tmp_path / "v.mp4").write_bytes(movie.content)
    assert probe_video(tmp_path / "v.mp4").duration_s > 0
    assert part.status_code == 206
    assert part.content == movie.content[100:200]
    assert "Welcome to lesson three." in subtitles.text
    assert thumbnail.headers["content-type"] == "image/jpeg"


def test_no_two_videos_have_the_same_bytes(shared):
    movies = {httpx.get(shared.completed()["video_url"]).content for _ in range(3)}

    assert len(movies) == 3


def test_a_link_expires_and_another_get_refreshes_it(start):
    sandbox = start(link_life_s=60)
    video = sandbox.completed()

    sandbox.advance(61)
    expired = httpx.get(video["video_url"])
    fresh = httpx.get(sandbox.video(video["id"])["video_url"])

    assert expired.status_code == 403
    assert fresh.status_code == 200


def test_a_link_cannot_be_made_up(shared):
    url = shared.completed()["video_url"]

    assert httpx.get(url.replace("Expires=1", "Expires=2")).status_code == 403
    assert httpx.get(url.split("?")[0]).status_code == 403


def test_a_key_that_reaches_the_file_host_is_noted(sandbox):
    video = sandbox.completed()

    httpx.get(video["video_url"])
    assert sandbox.ledger()["file_requests_with_key"] == 0
    sandbox.api.get(video["video_url"])
    assert sandbox.ledger()["file_requests_with_key"] == 1


def test_speed_divides_the_duration(shared):
    normal = shared.completed()["duration"]
    slow = shared.completed(voice_settings={"speed": 0.5})["duration"]

    assert slow == pytest.approx(2 * normal, abs=0.01)


def test_voices_have_rates_of_their_own_and_texts_a_noise(shared):
    text = "Every voice takes its own time for this sentence."
    by_voice = {
        shared.completed(script=text, voice_id=f"voice_en_{n:03}")["duration"]
        for n in range(1, 9)
    }
    swapped = shared.completed(script=text.replace("time", "emit"))["duration"]
    first = shared.completed(script=text)["duration"]

    assert len(by_voice) == 8
    assert swapped != first
    assert shared.completed(script=text)["duration"] == first


@pytest.mark.parametrize(
    ("param", "changes"),
    [
        ("type", {"type": "movie"}),
        ("avatar_id", {"avatar_id": None}),
        ("script", {"script": None}),
        ("script", {"script": ""}),
        ("script", {"script": "x" * 5001}),
        ("script", {"audio_url": "https://example.com/a.mp3"}),
        ("voice_settings.speed", {"voice_settings": {"speed": 1.6}}),
        ("voice_settings.pitch", {"voice_settings": {"pitch": 51}}),
        ("background.value", {"background": {"type": "color"}}),
        ("background.value", {"background": {"type": "color", "value": "red"}}),
        ("background.url", {"background": {"type": "image"}}),
        ("aspect_ratio", {"aspect_ratio": "3:2"}),
        ("resolution", {"resolution": "360p"}),
        ("engine.type", {"engine": {"type": "avatar_vi"}}),
        ("output_format", {"output_format": "webm"}),
        ("scripts", {"scripts": "misspelt"}),
    ],
)
def test_a_wrong_field_is_named(shared, param, changes):
    reply = shared.create(**changes)

    error = reply.json()["error"]
    assert reply.status_code == 400
    assert (error["code"], error["param"]) == ("invalid_parameter", param)
    assert error["message"].startswith(f"{param}: ")


def test_a_body_that_is_not_json_is_a_400(shared):
    reply = shared.api.post(
        "/v3/videos", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "body")


@pytest.mark.parametrize(
    ("status", "code", "changes"),
    [
        (404, "avatar_not_found", {"avatar_id": "look_x"}),
        (404, "voice_not_found", {"voice_id": "en-US-Neural2-F"}),
        (409, "resource_not_ready", {"avatar_id": "look_own_04"}),
        (404, "asset_not_found", {"background": {"type": "image", "asset_id": "x"}}),
    ],
)
def test_what_a_body_refers_to_must_exist(shared, status, code, changes):
    reply = shared.create(**changes)

    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


def test_a_look_speaks_with_its_default_voice(shared):
    assert shared.create(voice_id=None).status_code == 200


def test_a_studio_video_adds_its_scenes_up(shared):
    picture = {"type": "base64", "media_type": "image/png"}
    picture["data"] = base64.b64encode(b"\x89PNG").decode()
    said = {"type": "image", "source": picture, "script": "Chapter one."}
    said["voice_id"] = "voice_en_001"
    silent = {"type": "image", "source": picture, "duration": 2.5}

    def made(*scenes):
        body = {"type": "studio", "title": "s", "scenes": list(scenes)}
        created = shared.api.post("/v3/videos", json=body).json()["data"]
        return shared.video(created["video_id"])["duration"]

    assert made(said, silent) == pytest.approx(made(said) + 2.5, abs=0.01)


def test_a_scene_is_silent_or_spoken_not_both(shared):
    source = {"type": "asset_id", "asset_id": "a"}
    scene = {"type": "image", "source": source, "script": "x", "duration": 2}
    body = {"type": "studio", "scenes": [scene]}

    error = shared.api.post("/v3/videos", json=body).json()["error"]

    assert error["param"] == "scenes.0.script"


def test_the_same_key_gives_the_first_answer_for_24_hours(sandbox):
    first = sandbox.create("k:1")
    again = sandbox.create("k:1", script="Changed a little.")
    sandbox.advance(24 * 3600 + 1)
    later = sandbox.create("k:1")

    assert again.json() == first.json()
    assert later.json() != first.json()
    assert len(sandbox.ledger()["jobs"]) == 2


def test_a_refusal_does_not_use_up_the_key(start):
    sandbox = start(balance=0)

    refused = sandbox.create("k")
    sandbox.api.post("/_sandbox/balance", json={"balance": 10})
    accepted = sandbox.create("k")

    assert (refused.status_code, accepted.status_code) == (402, 200)
    assert refused.json()["error"]["code"] == "insufficient_credit"


@pytest.mark.parametrize("key", ["a b", "", "x" * 256, "ключ".encode()])
def test_a_malformed_key_is_refused(shared, key):
    headers = {"Idempotency-Key": key}
    reply = shared.api.post("/v3/videos", json=avatar(), headers=headers)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "Idempotency-Key"


def test_over_the_limit_a_create_is_told_to_wait_and_nothing_is_made(start):
    sandbox = start(concurrency=2, processing_s=5)

    replies = [sandbox.create(f"k{n}") for n in range(3)]
    sandbox.advance(6)
    again = sandbox.create("k2")

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].headers["Retry-After"] == "5"
    assert again.status_code == 200
    assert len(sandbox.ledger()["jobs"]) == 3


def test_money_of_running_renders_is_not_spent_twice(start):
    sandbox = start(balance=0.1, processing_s=5)

    statuses = [sandbox.create().status_code for _ in range(3)]

    assert statuses == [200, 402, 402]
    assert sandbox.ledger()["balance"] == 0.1


def test_a_failed_render_costs_nothing_and_says_why(sandbox):
    sandbox.fault("failed_render", code="no_face", match="t-1")

    video = sandbox.completed()

    assert (video["status"], video["failure_code"]) == ("failed", "no_face")
    assert video["failure_message"]
    assert sandbox.ledger()["charges"] == []
    assert sandbox.completed()["status"] == "completed"


def test_the_list_is_newest_first_filtered_by_title_and_paged(sandbox):
    titles = [f"Row {n} [tok-{n % 2}]" for n in range(5)]
    for title in titles:
        sandbox.create(title=title)

    seen, token = [], None
    while True:
        params = {"limit": 2, "title": "TOK-0"} | ({"token": token} if token else {})
        page = sandbox.api.get("/v3/videos", params=params).json()
        seen += [video["title"] for video in page["data"]]
        sandbox.create(title="New meanwhile [tok-0]")
        token = page["next_token"]
        if not page["has_more"]:
            break

    assert seen == [titles[4], titles[2], titles[0]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "token=%21"])
def test_bad_paging_is_refused(shared, query):
    assert shared.api.get(f"/v3/videos?{query}").status_code == 400


def test_bulk_statuses_know_what_is_not_there_and_take_100(sandbox):
    known = sandbox.create().json()["data"]["video_id"]

    reply = sandbox.api.get(f"/v3/videos/statuses?video_ids={known},nope").json()
    too_many = ",".join(str(n) for n in range(101))
    refused = sandbox.api.get(f"/v3/videos/statuses?video_ids={too_many}")

    assert [row["status"] for row in reply["data"]] == ["completed", "not_found"]
    assert refused.status_code == 400


def test_a_missing_video_is_told_from_a_missing_route(shared):
    video = shared.api.get("/v3/videos/nope")
    route = shared.api.get("/v3/no/such/route")

    assert video.json()["error"]["code"] == "video_not_found"
    assert video.json()["error"]["message"] == "Video nope not found"
    assert (route.status_code, route.json()["error"]["code"]) == (404, "not_found")


def test_a_deleted_video_is_gone_with_its_file_and_paid_for_all_the_same(start):
    sandbox = start(processing_s=5)
    video_id = sandbox.create().json()["data"]["video_id"]

    reply = sandbox.api.delete(f"/v3/videos/{video_id}")
    sandbox.advance(6)

    assert reply.json() == {"data": {"id": video_id, "deleted": True}}
    assert sandbox.api.get(f"/v3/videos/{video_id}").status_code == 404
    assert sandbox.api.get("/v3/videos").json()["data"] == []
    assert len(sandbox.ledger()["charges"]) == 1


def test_the_date_header_follows_the_sandboxs_clock(sandbox):
    sandbox.advance(3600)

    date = sandbox.api.get("/v3/users/me").headers["Date"]

    assert email.utils.parsedate_to_datetime(date).timestamp() == NOW + 3600


@pytest.mark.parametrize("kind", ["wallet", "subscription", "usage_based"])
def test_me_shows_exactly_the_block_of_its_billing_type(start, kind):
    me = start(billing_type=kind).api.get("/v3/users/me").json()["data"]

    blocks = ("wallet", "subscription", "usage_based")
    assert (me["billing_type"], [me[b] is None for b in blocks]) == (
        kind,
        [b != kind for b in blocks],
    )
