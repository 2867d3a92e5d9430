from __future__ import annotations

from functools import partial

import pytest

from heygen_nb.i18n import set_language
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer.resolve import language_label, search, voice_filter
from heygen_nb.sandbox.catalogue import voices


@pytest.fixture(scope="module")
def find():
    items = [
        Voice(
            id=voice.voice_id,
            name=voice.name,
            language=voice.language,
            gender=voice.gender,
            own=voice.type == "private",
        )
        for voice in voices().values()
    ]
    return partial(search, items)


def speaks(language, wish):
    return voice_filter(wish, "")(Voice(id="v", name="V", language=language))


def names(found):
    return [item.name for item in found.items]


def test_nothing_typed_shows_all_own_ones_first(find):
    found = find("")

    assert len(found.items) == 1203
    assert names(found)[:3] == ["My voice", "My calm voice", "Мой голос"]


def test_all_words_have_to_fit_whatever_their_case(find):
    found = find("RUSSIAN михаил")

    assert [(v.name, v.language) for v in found.items] == [("Михаил", "Russian")]


@pytest.mark.parametrize("typed", ["ru", "русский", "Russ", "русск"])
def test_a_language_is_found_by_all_its_names(find, typed):
    found = find(typed)

    assert len(found.items) == 121
    assert {voice.language for voice in found.items} == {"Russian"}


def test_male_is_not_a_part_of_female(find):
    assert {voice.gender for voice in find("male").items} == {"male"}


def test_the_best_match_comes_first(find):
    assert names(find("clara"))[0] == "Clara"
    assert names(find("ada bright"))[0].startswith("Ada ")
    assert find("voice_ru_003").items[0].name == "Вера"


def test_own_ones_come_before_better_matches():
    public, mine = Voice(id="p", name="Ann"), Voice(id="m", name="Joann", own=True)

    assert names(search([public, mine], "ann")) == ["Joann", "Ann"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("Clra", "Clara"), ("olivr english", "Oliver"), ("Михоил", "Михаил")],
)
def test_a_typing_mistake_finds_the_nearest(find, typed, meant):
    found = find(typed)

    assert found.near
    assert names(found)[0] == meant
    assert len(found.items) <= 5


def test_nonsense_finds_nothing(find):
    found = find("qqqzzz")

    assert (list(found.items), found.near) == ([], True)


def test_a_filter_holds_for_the_nearest_too(find):
    found = find("Clra", lambda voice: voice.language == "German")

    assert list(found.items) == []


def test_avatars_are_found_by_shape_and_kind():
    one = Avatar(id="a", name="Ann", orientation="portrait", kind="photo_avatar")
    two = Avatar(id="b", name="Ann", orientation="landscape", kind="digital_twin")

    assert search([one, two], "ann landscape").items == [two]
    assert search([one, two], "photo").items == [one]


@pytest.mark.parametrize(
    ("wish", "fits"),
    [("", True), ("Spanish", True), ("es", True), ("испан", True), ("s", False)],
)
def test_a_language_may_be_wished_for_in_many_ways(wish, fits):
    assert speaks("Spanish", wish) is fits


def test_a_code_is_no_beginning_of_another_language():
    assert not speaks("Estonian", "es")
    assert speaks("Chinese (Mandarin)", "zh")
    assert speaks("Multilingual", "multi")


def test_genders_may_be_shortened():
    voice = Voice(id="v", name="V", gender="Female")

    assert [voice_filter("", wish)(voice) for wish in ("f", "m", "")] == [
        True,
        False,
        True,
    ]


def test_languages_are_labelled_in_the_users_language():
    assert language_label("Russian") == "Russian"
    set_language("ru")
    assert language_label("Russian") == "Русский"
    assert language_label("Klingon!") == "Klingon!"
