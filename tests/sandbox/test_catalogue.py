import io

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
    assert {look["status"] for look in own} == {"completed", "processing"}
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
