import io
import wave

import httpx
import pytest
from PIL import Image


def pages(shared, path, **params):
    token, rows = None, []
    while True:
        extra = {"token": token} if token else {}
        page = shared.api.get(path, params=params | extra).json()
        rows += page["data"]
        token = page["next_token"]
        if not page["has_more"]:
            return rows


def test_1200_public_voices_come_over_pages_and_private_ones_apart(shared):
    public = pages(shared, "/v3/voices", limit=100)
    private = pages(shared, "/v3/voices", type="private")

    ids = {voice["voice_id"] for voice in public}
    assert len(public) == len(ids) == 1200
    assert {voice["type"] for voice in private} == {"private"}
    assert {voice["language"] for voice in public[:4]} == {"English", "Russian"}


def test_voices_are_filtered(shared):
    found = pages(shared, "/v3/voices", limit=100, language="russian", gender="female")

    assert found
    assert {(v["language"], v["gender"]) for v in found} == {("Russian", "female")}


def test_900_looks_come_over_pages_own_ones_first(shared):
    looks = pages(shared, "/v3/avatars/looks", limit=50)
    own = pages(shared, "/v3/avatars/looks", ownership="private")

    assert len({look["id"] for look in looks}) == 900
    assert looks[: len(own)] == own
    words = {"completed", "processing", "pending_consent"}
    assert {look["status"] for look in own} == words
    assert {look["status"] for look in looks[len(own) :]} == {None}


def test_looks_of_a_group_and_of_a_type(shared):
    group = pages(shared, "/v3/avatars/looks", group_id="group_001")
    photos = pages(shared, "/v3/avatars/looks", avatar_type="photo_avatar", limit=50)

    assert len(group) == 6
    assert {look["avatar_type"] for look in photos} == {"photo_avatar"}


def test_a_look_has_a_picture_of_the_size_it_says(shared):
    look = shared.api.get("/v3/avatars/looks/look_003_2").json()["data"]

    picture = Image.open(io.BytesIO(httpx.get(look["preview_image_url"]).content))

    assert picture.size == (look["image_width"], look["image_height"])


@pytest.mark.parametrize(
    "path",
    ["/v3/voices?limit=101", "/v3/voices?type=mine", "/v3/avatars/looks?limit=51"],
)
def test_bad_filters_are_refused(shared, path):
    assert shared.api.get(path).status_code == 400


def test_an_unknown_look_is_404(shared):
    reply = shared.api.get("/v3/avatars/looks/nope")

    assert reply.json()["error"]["code"] == "avatar_not_found"


def sound(sample):
    with wave.open(io.BytesIO(sample)) as file:
        frames = file.readframes(file.getnframes())
        return file.getnframes() / file.getframerate(), set(frames)


def test_every_voice_has_a_sample_that_needs_no_key_and_is_heard(shared):
    voice = pages(shared, "/v3/voices", type="private")[0]

    seconds, loudness = sound(httpx.get(voice["preview_audio_url"]).content)

    assert seconds > 0.2
    assert len(loudness) > 2
    one = shared.api.get(f"/v3/voices/{voice['voice_id']}").json()["data"]
    assert one["preview_audio_url"] == voice["preview_audio_url"]


def test_samples_are_spoken_in_the_voices_own_language_and_sound(start):
    sandbox = start(fast=False)
    base = f"{sandbox.handle.base_url}/files/voices"

    said = [
        httpx.get(f"{base}/{voice_id}.wav").content
        for voice_id in ("voice_ru_001", "voice_ru_002", "voice_cmn_001")
    ]

    assert len(set(said)) == 3
    assert min(sound(sample)[0] for sample in said) > 0.8
    assert httpx.get(f"{base}/nobody.wav").status_code == 404


def test_looks_do_not_look_alike(shared):
    looks = pages(shared, "/v3/avatars/looks", ownership="public", limit=50)[:40]

    pictures = {httpx.get(look["preview_image_url"]).content for look in looks}

    assert len(pictures) == 40
