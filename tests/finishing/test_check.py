from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing import Finish, check_film, finish
from heygen_nb.preview import EspeakVoice

SCRIPT = (
    "Every word lights up exactly when it is spoken, so a bad line is heard early."
    " Try it with your own script and see."
)


@pytest.fixture(scope="module")
def speech():
    return EspeakVoice().speak(SCRIPT)


WISH = Finish(script=SCRIPT)
BARE = replace(WISH, captions=False)


@pytest.fixture(scope="module")
def finished(make_film, speech, tmp_path_factory):
    film = make_film(speech=speech, colour=(32, 64, 96))
    target = tmp_path_factory.mktemp("done") / "done.mp4"
    finish(film, target, replace(WISH, words=speech.words))
    return film, target


@pytest.fixture
def look(speech, tmp_path):
    """Look at a film that was finished as ``finished`` is, or otherwise."""

    def look(film, wish=None, background="#204060", ratio="9:16"):
        wish = wish or replace(WISH, words=speech.words)
        frames = tmp_path / "frames"
        return check_film(film, wish, frames, ratio=ratio, background=background)

    return look


@pytest.fixture
def kinds(look):
    return lambda *args, **hopes: {found.kind for found in look(*args, **hopes)}


def test_a_good_film_passes(finished, look, tmp_path):
    assert look(finished[1]) == []
    assert not (tmp_path / "frames").exists()


def test_a_finding_has_its_second_and_a_picture(finished, look, speech):
    (finding,) = look(finished[1], background="#c83c28")

    assert finding.kind == "background"
    assert 0 < finding.second < speech.duration_s
    with Image.open(finding.frame) as picture:
        assert picture.format == "JPEG"


def test_missing_captions_are_seen(finished, kinds):
    assert kinds(finished[0]) == {"captions"}


def test_another_size_is_told_once(finished, kinds):
    assert kinds(finished[1], ratio="16:9") == {"size"}


def test_a_speech_cut_off_is_heard_although_the_film_is_long(make_film, speech, look):
    part = replace(speech, samples=speech.samples[: len(speech.samples) * 2 // 5])
    film = make_film(speech=part, seconds=speech.duration_s, colour=(32, 64, 96))

    found = look(film, BARE)

    assert [finding.kind for finding in found] == ["cut"]
    assert found[0].second == pytest.approx(part.duration_s, abs=0.2)


def test_a_silent_film_is_told(make_film, speech, kinds):
    film = make_film(speech=speech, gain=0.0, colour=(32, 64, 96))

    assert kinds(film, BARE) == {"silent"}


def freeze(image, number):
    side = image.width // 6
    x = round((0.5 + 0.4 * np.sin(min(number, 40) / 9)) * (image.width - side))
    image.paste((200, 120, 80), (x, side, x + side, 2 * side))


def darken(image, number):
    if number > 50:
        image.paste((0, 0, 0), (0, 0, *image.size))


@pytest.mark.parametrize(("draw", "kind"), [(freeze, "frozen"), (darken, "black")])
def test_a_picture_that_stops_is_seen(draw, kind, make_film, kinds):
    film = make_film(script=SCRIPT, draw=draw, colour=(32, 64, 96))

    found = kinds(film, BARE, background=None)

    assert kind in found
    assert found <= {kind, "frozen"}


def test_a_picture_that_is_meant_to_stand_may_stand(make_film, speech, kinds):
    film = make_film(speech=speech, draw=lambda *_: None, colour=(0, 0, 0))
    still = replace(BARE, with_avatar=False)

    assert kinds(film, still, background="#000000") == set()


def test_a_plain_grey_is_not_taken_for_a_picture_of_its_brightness(
    make_film, kinds, tmp_path
):
    noise = np.random.default_rng(55).integers(0, 255, (9, 9, 3), np.uint8)
    photo = tmp_path / "photo.png"
    Image.fromarray(noise).resize((450, 360), Image.Resampling.BICUBIC).save(photo)
    film = make_film(size=(450, 360), script="Hello there.", colour=(122, 127, 136))

    assert "background" in kinds(film, Finish(), background=photo, ratio="5:4")


def test_a_background_picture_is_known_again_after_a_crop(make_film, kinds, tmp_path):
    stripes = Image.new("RGB", (640, 360))
    for x in range(0, 640, 80):
        stripes.paste(((x * 5) % 255, 90, 255 - x // 3), (x, 0, x + 80, 360))
    stripes.save(tmp_path / "stripes.png")

    def draw(image, number):
        image.paste(stripes)
        image.paste((200, 120, 80), (300, 200 + number % 9, 340, 300))

    film = make_film(size=(640, 360), draw=draw, script="Hello there, my friend.")
    wish = Finish(captions=False, aspect_ratio="9:16")
    cut = tmp_path / "cut.mp4"
    finish(film, cut, wish)

    hope = {"background": tmp_path / "stripes.png", "ratio": "16:9"}
    assert kinds(cut, wish, **hope) == set()
    grey = Image.new("RGB", (640, 360), (90, 120, 60))
    grey.save(tmp_path / "grey.png")
    hope["background"] = tmp_path / "grey.png"
    assert kinds(cut, wish, **hope) == {"background"}


def test_a_small_film_is_only_listened_to(make_film, kinds):
    film = make_film(size=(144, 256), script=SCRIPT)

    assert kinds(film, WISH, ratio="1:1") == set()
