"""The oddities of the live service, each switched on by itself.

Seen by several users from July to October 2026; see docs/heygen-api.md.
"""

import io
from itertools import pairwise

import av
import httpx
import pytest
from PIL import Image

from ..serving import LOST_CREATE
from .conftest import avatar

COLOUR = {"type": "color", "value": "#2060c0"}
BLUE = (0x20, 0x60, 0xC0)
STUDIO = {"avatar_id": "look_001_2", "engine": {"type": "avatar_iii"}}  # landscape
PHOTO = {"avatar_id": "look_002_2"}
TWIN = {"avatar_id": "look_003_2"}
UNTRAINED = {"avatar_id": "look_own_03"}
IGNORING = {"avatar_id": "look_own_02"}
MATTED = {"remove_background": True}


def corners(sandbox, **changes):
    """Return the colours at the corners of a film, and what it shows is done."""
    video = sandbox.completed(background=COLOUR, **changes)
    with av.open(io.BytesIO(httpx.get(video["video_url"]).content)) as container:
        image = next(container.decode(video=0)).to_image()
    right, bottom = image.width - 2, image.height - 2
    at = [(1, 1), (right, 1), (1, bottom), (right, bottom)]
    return [image.getpixel(place) for place in at]


def like(colour, other):
    return all(abs(a - b) < 12 for a, b in zip(colour, other, strict=True))


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        (STUDIO, True),
        (STUDIO | MATTED, True),
        (PHOTO, False),
        (PHOTO | MATTED, True),
        (TWIN, False),
        (TWIN | MATTED, True),
        (IGNORING | MATTED, False),
    ],
)
@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1"])
def test_a_background_is_seen_behind_studio_looks_and_what_is_matted(
    start, changes, seen, ratio
):
    sandbox = start(matting=True)

    colours = corners(sandbox, aspect_ratio=ratio, **changes)

    assert [like(colour, BLUE) for colour in colours] == [seen] * 4


def test_a_picture_is_seen_behind_a_matted_look(start):
    sandbox = start(matting=True)
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), BLUE).save(buffer, "PNG")
    files = {"file": ("b.png", buffer.getvalue(), "image/png")}
    asset = sandbox.api.post("/v3/assets", files=files).json()["data"]["asset_id"]
    video = sandbox.completed(
        background={"type": "image", "asset_id": asset}, **TWIN, **MATTED
    )

    with av.open(io.BytesIO(httpx.get(video["video_url"]).content)) as container:
        image = next(container.decode(video=0)).to_image()

    assert like(image.getpixel((1, 1)), BLUE)


def test_an_untrained_look_refuses_the_flag_and_takes_no_money(start):
    sandbox = start(matting=True)

    refused = sandbox.create(background=COLOUR, **UNTRAINED, **MATTED)

    assert (refused.status_code, refused.json()["error"]["param"]) == (
        400,
        "remove_background",
    )
    assert "trained for matting" in refused.json()["error"]["message"]
    assert sandbox.create(background=COLOUR, **UNTRAINED).status_code == 200
    assert len(sandbox.ledger()["charges"]) == 1


@pytest.mark.parametrize(
    ("ratio", "fit", "bars"),
    [
        ("16:9", None, False),
        ("16:9", "contain", False),
        ("9:16", None, True),
        ("9:16", "contain", True),
        ("9:16", "cover", False),
        ("1:1", None, True),
        ("4:5", "contain", True),
        ("auto", "contain", False),
    ],
)
def test_a_look_of_another_shape_gets_black_bars(start, ratio, fit, bars):
    sandbox = start(bars=True, matting=True)

    colours = corners(sandbox, aspect_ratio=ratio, fit=fit, **TWIN)

    assert [like(colour, (0, 0, 0)) for colour in colours] == [bars] * 4


def test_a_background_leaves_no_bars(start):
    sandbox = start(bars=True, matting=True)

    colours = corners(sandbox, aspect_ratio="9:16", **STUDIO)

    assert all(like(colour, BLUE) for colour in colours)


def test_looks_are_of_three_types_and_most_studio_ones_know_one_engine(start):
    sandbox, looks, token = start(look_engines=True), [], ""
    while token is not None:
        query = {"limit": 50, "token": token}
        page = sandbox.api.get("/v3/avatars/looks", params=query).json()
        looks, token = looks + page["data"], page["next_token"]

    types = {look["avatar_type"] for look in looks}
    studio = [
        look["supported_api_engines"]
        for look in looks
        if look["avatar_type"] == "studio_avatar"
    ]
    assert types == {"studio_avatar", "photo_avatar", "digital_twin"}
    assert studio.count(["avatar_iii"]) > len(studio) / 2.1
    assert [] in studio
    shapes = {look["preferred_orientation"] for look in looks}
    assert shapes == {"portrait", "landscape", "square"}


@pytest.mark.parametrize("avatar_id", ["look_001_1", "look_010_1"])
def test_an_engine_that_a_look_does_not_know_is_refused(start, avatar_id):
    """The second one lists no engine at all."""
    sandbox = start(look_engines=True)

    refused = sandbox.create(avatar_id=avatar_id)
    taken = sandbox.create(avatar_id=avatar_id, engine={"type": "avatar_iii"})

    listed = sandbox.api.get(f"/v3/avatars/looks/{avatar_id}").json()["data"]
    assert listed["supported_api_engines"] in (["avatar_iii"], [])
    assert (refused.status_code, taken.status_code) == (400, 200)
    message = refused.json()["error"]["message"]
    assert "does not support Avatar IV video generation" in message
    assert len(sandbox.ledger()["charges"]) == 1


@pytest.mark.parametrize(
    ("avatar_id", "code"),
    [("look_own_04", "resource_not_ready"), ("look_own_05", "avatar_consent_required")],
)
def test_a_look_that_is_not_ready_cannot_be_used(sandbox, avatar_id, code):
    reply = sandbox.create(avatar_id=avatar_id)

    assert (reply.status_code, reply.json()["error"]["code"]) == (409, code)


def test_an_upload_appears_after_a_while_under_the_same_key(start):
    sandbox = start(asset_s=2.0)
    files = {"file": ("b.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    asset = sandbox.api.post("/v3/assets", files=files).json()["data"]["asset_id"]
    body = {"background": {"type": "image", "asset_id": asset}}

    young = sandbox.create("k", **body)
    hidden = sandbox.api.get(f"/v3/assets/{asset}")
    sandbox.advance(2)
    shown = sandbox.api.get(f"/v3/assets/{asset}")
    taken = sandbox.create("k", **body)

    assert (young.status_code, young.json()["error"]["code"]) == (
        400,
        "asset_not_found",
    )
    assert (hidden.status_code, shown.status_code) == (404, 200)
    assert shown.json()["data"]["id"] == asset
    assert taken.status_code == 200
    assert len(sandbox.ledger()["jobs"]) == 1


def test_a_fresh_speech_link_can_be_used_at_once(start):
    sandbox = start(asset_s=20.0)
    body = {"text": "At once.", "voice_id": "voice_en_001"}
    said = sandbox.api.post("/v3/voices/speech", json=body).json()["data"]

    made = sandbox.create(script=None, voice_id=None, audio_url=said["audio_url"])

    assert made.status_code == 200


@pytest.mark.parametrize(
    ("changes", "urls"),
    [
        ({}, (None, False)),
        ({"caption": {"file_format": "srt"}}, (None, True)),
        ({"caption": {"style": "default"}}, ("captioned", True)),
        ({"caption": {"style": "default"}, "avatar_id": "look_010_1"}, (None, True)),
    ],
)
def test_captions_are_burned_into_a_second_film_that_comes_later(start, changes, urls):
    """The last look never gets any, as some were seen to."""
    sandbox = start(captions_s=3.0)

    early = sandbox.completed(**changes)
    sandbox.advance(3)
    late = sandbox.video(early["id"])

    captioned, subtitles = urls
    assert early["captioned_video_url"] is None
    assert bool(late["captioned_video_url"]) == bool(captioned)
    assert bool(early["subtitle_url"]) == subtitles
    if captioned:
        plain, worded = (
            httpx.get(late[name]).content
            for name in ("video_url", "captioned_video_url")
        )
        assert plain != worded
    assert len(sandbox.ledger()["charges"]) == 1


def test_a_lack_of_credit_shows_as_a_failed_video(start):
    sandbox = start(credit_told="poll", balance=0.15, processing_s=5)

    replies = [sandbox.create() for _ in range(3)]
    sandbox.advance(6)
    videos = [sandbox.video(reply.json()["data"]["video_id"]) for reply in replies]

    assert [reply.status_code for reply in replies] == [200] * 3
    assert [video["status"] for video in videos] == ["completed", "completed", "failed"]
    assert videos[2]["failure_code"] == "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"
    assert "plan_credit" in videos[2]["failure_message"]
    assert len(sandbox.ledger()["charges"]) == 2


def test_a_lack_of_credit_shows_in_the_items_of_a_batch(start):
    sandbox = start(credit_told="poll", balance=0.15)
    videos = {"videos": [avatar()] * 3}

    made = sandbox.api.post("/v3/videos/batches", json=videos).json()["data"]
    batch = sandbox.api.get(f"/v3/videos/batches/{made['batch_id']}").json()["data"]

    words = [item["status"] for item in batch["items"]]
    assert words == ["completed", "completed", "failed"]
    code = batch["items"][2]["error"]["code"]
    assert code == "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"


def test_a_new_video_is_not_known_for_a_moment(start):
    sandbox = start(early_404_s=1.0)
    video_id = sandbox.create().json()["data"]["video_id"]

    early = sandbox.api.get(f"/v3/videos/{video_id}")
    rows = sandbox.api.get(f"/v3/videos/statuses?video_ids={video_id}").json()["data"]
    sandbox.advance(1)

    assert early.json()["error"]["code"] == "video_not_found"
    assert rows[0]["status"] == "not_found"
    assert sandbox.video(video_id)["status"] == "completed"


def test_a_create_can_say_not_found_although_it_made_the_video(sandbox):
    sandbox.fault(**LOST_CREATE)

    lost, again = sandbox.create("k"), sandbox.create("k")

    assert (lost.status_code, lost.json()["error"]["code"]) == (
        404,
        "resource_not_found",
    )
    [job] = sandbox.ledger()["jobs"]
    assert again.json()["data"]["video_id"] == job["id"]
    assert len(sandbox.ledger()["charges"]) == 1


def test_a_stiff_voice_hardly_follows_the_speed(start):
    sandbox = start()

    def length(voice, speed):
        made = sandbox.completed(voice_id=voice, voice_settings={"speed": speed})
        return made["duration"]

    usual = [length(voice, 1) for voice in ("voice_en_001", "voice_en_005")]
    fast = [length(voice, 1.5) for voice in ("voice_en_001", "voice_en_005")]

    assert fast[0] == pytest.approx(usual[0] / 1.5, rel=0.01)
    assert fast[1] == pytest.approx(usual[1] / 1.02, rel=0.01)


def test_some_voices_know_no_pauses_and_say_so(start):
    sandbox = start()
    script = 'One.<break time="5s"/>Two.'

    def gained(voice):
        plain = sandbox.completed(voice_id=voice, script="One. Two.")["duration"]
        made = sandbox.completed(voice_id=voice, script=script)["duration"]
        return made - plain

    told = [
        sandbox.api.get(f"/v3/voices/{voice}").json()["data"]["support_pause"]
        for voice in ("voice_en_001", "voice_en_006")
    ]
    assert told == [True, False]
    assert gained("voice_en_001") == pytest.approx(5, abs=0.6)
    assert gained("voice_en_006") == pytest.approx(0, abs=0.6)


def test_not_every_voice_speaks_for_itself(start):
    sandbox = start()

    def said(voice):
        body = {"text": "Hello.", "voice_id": voice}
        return sandbox.api.post("/v3/voices/speech", json=body).status_code

    assert (said("voice_en_001"), said("voice_en_006")) == (200, 400)


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        (STUDIO, 0.0167),
        (STUDIO | {"engine": {"type": "avatar_iv"}}, 0.0667),
        (PHOTO, 0.05),
        (PHOTO | {"engine": {"type": "avatar_iii"}}, 0.0433),
        (PHOTO | {"resolution": "4k"}, 0.0667),
        (TWIN, 0.0667),
        (TWIN | {"engine": {"type": "avatar_iii"}}, 0.0167),
        (TWIN | {"engine": {"type": "avatar_iii"}, "resolution": "4k"}, 0.02),
        (TWIN | {"engine": {"type": "avatar_v"}, "resolution": "4k"}, 0.0833),
    ],
)
def test_whole_seconds_are_billed_by_engine_type_and_resolution(sandbox, changes, rate):
    video = sandbox.completed(script="Billed by the second. " * 9, **changes)

    [charge] = sandbox.ledger()["charges"]
    assert charge["amount"] == pytest.approx(int(video["duration"]) * rate)
    assert video["duration"] % 1 > 0


def test_a_field_nobody_knows_is_refused_in_heygens_words(sandbox):
    reply = sandbox.create(script_speed=2)

    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, "script_speed")
    assert "Extra inputs are not permitted" in error["message"]


def as_session(sandbox):
    told = sandbox.handle.control("session", {})
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    return httpx.Client(base_url=sandbox.handle.base_url, headers=bearer)


def test_a_session_spends_the_credits_of_the_plan(sandbox):
    with as_session(sandbox) as api:
        before = api.get("/v3/users/me").json()["data"]
        made = api.post("/v3/videos", json=avatar()).json()["data"]
        video = api.get(f"/v3/videos/{made['video_id']}").json()["data"]
        after = api.get("/v3/users/me").json()["data"]
    key = sandbox.api.get("/v3/users/me").json()["data"]

    [charge] = sandbox.ledger()["charges"]
    assert (charge["purse"], charge["amount"]) == (
        "plan",
        -(-video["duration"] // 3) + 1,
    )
    left = [me["subscription"]["credits"]["premium_credits"] for me in (before, after)]
    assert left[0]["remaining"] - left[1]["remaining"] == charge["amount"]
    assert before["wallet"] is None
    assert key["wallet"]["remaining_balance"] == 100
    assert before["username"] == key["username"]


def test_a_session_ends_and_is_renewed(start):
    sandbox = start(session_life_s=60)
    with as_session(sandbox) as api:
        sandbox.advance(60)
        ended = api.get("/v3/users/me")
    with as_session(sandbox) as api:
        renewed = api.get("/v3/users/me")

    assert (ended.status_code, ended.json()["error"]["code"]) == (401, "unauthorized")
    assert renewed.status_code == 200


def test_an_empty_plan_says_so_though_the_wallet_is_full(start):
    sandbox = start(plan_credits=1)

    with as_session(sandbox) as api:
        refused = api.post("/v3/videos", json=avatar())

    assert refused.json()["error"]["code"] == "insufficient_credit"
    assert sandbox.create().status_code == 200


@pytest.mark.parametrize("times", [1, 8])
def test_a_canned_film_is_as_long_as_it_says_and_moves_and_is_heard(sandbox, times):
    video = sandbox.completed(script="Look! " * times)
    file = io.BytesIO(httpx.get(video["video_url"]).content)

    with av.open(file) as container:
        length_s = container.duration / av.time_base
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    file.seek(0)
    with av.open(file) as container:
        sound = [f.to_ndarray() for f in container.decode(audio=0)]

    assert length_s == pytest.approx(video["duration"], abs=0.6)
    assert len(frames) >= 24
    assert all((one != other).any() for one, other in pairwise(frames))
    assert max(abs(part).max() for part in sound) > 0.05
