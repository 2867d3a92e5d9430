from __future__ import annotations

import base64
import json
from io import BytesIO

import pytest
from PIL import Image

from heygen_nb.config import Settings
from heygen_nb.errors import ConfigError, DraftError
from heygen_nb.models import Draft
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.background import NOT_UPLOADED
from heygen_nb.renderer.request import make_plan
from heygen_nb.renderer.resolve import picture_and_sound, revision_of
from heygen_nb.timing import SpeechModel, Spoken

pytestmark = pytest.mark.anyio

STILL = {"heygen_use_avatar": False, "no_avatar": "heygen"}

ENGLISH = "Hello there. This is a short script about nothing at all."


@pytest.fixture
async def plan(sandbox):
    async with open_account(sandbox.settings()) as account:

        async def make(script=ENGLISH, model=None, asset_id="", **changes):
            account.spoken = None, model or SpeechModel()
            plan = await make_plan(account, Draft(script=script), Settings(**changes))
            plan.asset_id = asset_id
            return plan

        yield make


def body_of(plan):
    return json.loads(plan.new.body)


async def test_an_avatar_video_names_avatar_voice_speed_and_picture(plan):
    made = await plan(heygen_voice="Clara", heygen_background_url="#102030")

    body = body_of(made)
    assert body["type"] == "avatar"
    assert body["script"] == ENGLISH
    assert body["voice_id"] == made.new.voice_id
    assert body["aspect_ratio"] == "9:16"
    assert body["resolution"] == "1080p"
    assert body["background"] == {"type": "color", "value": "#102030"}
    assert body["engine"] == {"type": "avatar_v"}
    assert body["caption"] == {"file_format": "srt"}
    assert 0.9 <= body["voice_settings"]["speed"] <= 1.15


async def test_without_an_avatar_a_scene_with_a_picture_is_narrated(plan, sandbox):
    picture = f"{sandbox.handle.base_url}/files/looks/look_own_01.jpg"
    made = await plan(**STILL, heygen_background_url=picture)

    scene, silence = body_of(made)["scenes"]
    assert body_of(made)["type"] == "studio"
    assert scene["source"] == {"type": "url", "url": picture}
    assert scene["script"] == ENGLISH
    assert silence["source"] == scene["source"]
    assert silence["duration"] == made.new.pad_s
    assert made.new.estimate_s == made.quote.seconds == 30
    assert made.avatar == ""


async def test_a_plain_colour_without_an_avatar_becomes_a_picture(plan):
    made = await plan(
        heygen_use_avatar=False,
        no_avatar="heygen",
        heygen_background_url="#102030",
        resolution="720p",
    )

    source = body_of(made)["scenes"][0]["source"]
    picture = Image.open(BytesIO(base64.b64decode(source["data"])))
    assert source["media_type"] == "image/png"
    assert picture.size == (720, 1280)
    assert picture.convert("RGB").getpixel((5, 5)) == (0x10, 0x20, 0x30)


@pytest.mark.parametrize("use_avatar", [True, False])
async def test_a_file_is_known_by_its_content_and_shown_as_an_asset(
    plan, home, sandbox, use_avatar
):
    Image.new("RGB", (9, 9)).save(home / "sea.png")
    wish = {"heygen_background_url": "sea.png", "heygen_use_avatar": use_avatar}
    wish["no_avatar"] = "heygen"

    quoted = await plan(**wish)
    made = await plan(asset_id="asset_7", **wish)

    body = body_of(made)
    place = body["background"] if use_avatar else body["scenes"][0]["source"]
    assert place.pop("type") == ("image" if use_avatar else "asset_id")
    assert place == {"asset_id": "asset_7"}
    assert NOT_UPLOADED in quoted.new.body
    assert quoted.new.revision == made.new.revision
    assert made.new.inputs["background_url"] == f"sha256:{made.cast.picture.sha256}"
    assert sandbox.requests("POST /v3/assets") == 0


@pytest.mark.parametrize(
    ("captions", "style"), [("own", None), ("off", None), ("heygen", "default")]
)
async def test_heygen_burns_captions_in_only_when_they_are_to_be_its_own(
    plan, captions, style
):
    asked = body_of(await plan(captions=captions))["caption"]

    assert asked["file_format"] == "srt"  # ours take their times from it
    assert asked.get("style") == style


async def test_a_wish_takes_a_voice_of_that_language_and_names_it(plan):
    made = await plan("Привет, мир!", heygen_voice="ru-RU-Neural2-A")

    assert "Russian" in made.voice
    assert made.new.voice_id in made.voice
    assert not any("languages" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("script", "voice"),
    [("Привет, мир!", "en-US-Neural2-F"), ("Hello, world!", "ru-RU-Neural2-A")],
)
async def test_a_voice_of_another_language_than_the_script_is_a_warning(
    plan, script, voice
):
    made = await plan(script, heygen_voice=voice)

    assert any("two languages" in warning for warning in made.warnings)


async def test_a_script_that_is_too_long_tells_what_to_cut(plan):
    made = await plan(ENGLISH * 20, video_duration=45)

    [warning] = made.warnings
    assert "target 45 s: cut about" in warning
    assert made.new.speed == 1.15


async def test_a_script_that_is_too_short_tells_what_to_add(plan):
    made = await plan("Too short.", video_duration=45)

    assert "add about" in made.warnings[0]
    assert made.new.speed == 0.9


async def test_silence_at_the_end_is_told(plan):
    made = await plan("Too short.", video_duration=45, **STILL)

    assert "of silence are added" in made.warnings[0]


async def test_the_bounds_of_the_speed_are_settings(plan):
    made = await plan("Too short.", min_speed=0.8, max_speed=1.0)
    long = await plan(ENGLISH * 20, min_speed=0.8, max_speed=1.0)

    assert made.new.speed == 0.8
    assert long.new.speed == 1.0


async def test_a_voice_that_was_heard_is_planned_with_what_it_taught(plan):
    voice = (await plan()).new.voice_id
    slow = [Spoken(f"{ENGLISH} {n}", voice, 1.0, 7.0) for n in range(10)]

    plain = await plan(video_duration=60)
    taught = await plan(video_duration=60, model=SpeechModel(slow))

    assert taught.new.estimate_s > plain.new.estimate_s * 1.2


async def test_exact_length_needs_a_starfish_voice(plan):
    with pytest.raises(ConfigError, match="speech without a video"):
        await plan(heygen_voice="My calm voice", length_mode="exact")

    assert (await plan(heygen_voice="Clara", length_mode="exact")).quote.speech > 0


@pytest.mark.parametrize("voice", ["Nobody At All", "zz-ZZ-Neural2-A", "xx"])
async def test_an_unknown_voice_is_an_error_that_names_some(plan, voice):
    with pytest.raises(ConfigError, match=voice) as caught:
        await plan(heygen_voice=voice)

    assert "voice_" in caught.value.hint


async def test_a_typing_mistake_in_a_voice_shows_the_nearest(plan):
    with pytest.raises(ConfigError) as caught:
        await plan(heygen_voice="Clarra")

    assert "Clara" in caught.value.hint


async def test_an_unknown_avatar_is_an_error(plan):
    with pytest.raises(ConfigError, match="look_gone"):
        await plan(heygen_avatar_id="look_gone")


async def test_an_empty_avatar_takes_the_first_own_one(plan):
    made = await plan()

    assert made.new.avatar_id.startswith("look_own")
    assert made.avatar


async def test_an_engine_the_avatar_has_not_is_an_error(plan):
    with pytest.raises(ConfigError, match="avatar_ix") as caught:
        await plan(avatar_engine="avatar_ix")

    assert "avatar_iv" in caught.value.hint


@pytest.mark.parametrize("url", ["ftp://x/a.png", "picture.png", "#12", "javascript:1"])
async def test_a_background_that_is_no_address_is_refused(plan, url):
    with pytest.raises(ConfigError, match="background"):
        await plan(heygen_background_url=url)


@pytest.mark.parametrize("path", ["/chat", "/nothing-here"])
async def test_a_background_link_without_a_picture_is_refused(plan, sandbox, path):
    with pytest.raises(ConfigError, match="heygen_background_url"):
        await plan(heygen_background_url=f"{sandbox.handle.base_url}{path}")


async def test_an_empty_script_never_gets_as_far_as_heygen(plan, sandbox):
    with pytest.raises(DraftError):
        await plan("   ")

    assert set(sandbox.ledger()["requests"]) <= {"GET /v3/users/me"}


async def test_the_quote_is_seconds_times_rate(plan):
    quote = (await plan()).quote

    assert quote.amount == pytest.approx(quote.seconds * quote.rate, abs=0.01)
    assert quote.source


def revision(draft, **changes):
    settings = draft_settings(draft, Settings(**changes))
    return revision_of(picture_and_sound(draft, settings))


async def test_the_revision_follows_what_changes_the_video_and_nothing_else():
    draft = Draft(id="a", script="Hi")

    assert revision(draft) == revision(draft.model_copy(update={"caption": "new"}))
    assert revision(draft) == revision(draft, telegram_chat_id="7", poll_interval_s=3)
    assert revision(draft) != revision(draft.model_copy(update={"script": "Ho"}))
    assert revision(draft) != revision(draft.model_copy(update={"duration": 45}))
    for change in (
        {"video_duration": 45},
        {"heygen_voice": "Clara"},
        STILL,
        {"heygen_background_url": "#102030"},
        {"aspect_ratio": "1:1"},
        {"resolution": "720p"},
        {"captions": "heygen"},
        {"heygen_avatar_id": "look_1"},
        {"length_mode": "exact"},
        {"min_speed": 0.95},
    ):
        assert revision(draft) != revision(draft, **change), change
    for change in ({"captions": "off"}, {"loudness": 0}):  # finished here, for nothing
        assert revision(draft) == revision(draft, **change), change


@pytest.mark.parametrize(
    ("script", "captions", "warned"),
    [
        ("Hello 𐕰𐕱 there, my friends.", "own", True),
        ("Hello 𐕰𐕱 there, my friends.", "heygen", False),
        ("Ünïcödé, ελληνικά и кириллица.", "own", False),
    ],
)
async def test_letters_that_no_font_has_are_told_before_paying(
    plan, script, captions, warned
):
    warnings = (await plan(script, captions=captions)).warnings

    assert any("𐕰𐕱: the captions" in warning for warning in warnings) == warned
