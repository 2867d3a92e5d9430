from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.usefixtures("all_voices")

VOICES = "GET /v3/voices"


def test_voices_are_listed_with_what_matters_for_choosing(run, sandbox):
    ran = run("voices", **sandbox.environ())

    assert ran.code == 0
    assert "My voice · own" in ran.out
    assert "showing 20 of 1203 · fresh list; --refresh fetches it anew" in ran.out
    clara = next(line for line in ran.out.splitlines() if "voice_en_001" in line)
    assert "✓" in clara
    assert "English" in clara


def test_the_voice_in_use_is_marked(run, sandbox):
    ran = run("voices", "clara", HEYGEN_NB_HEYGEN_VOICE="clara", **sandbox.environ())

    assert "👉" in next(line for line in ran.out.splitlines() if "Clara" in line)


def test_words_language_and_gender_narrow_the_list(run, sandbox):
    ran = run(
        "voices", "-l", "ru", "--gender", "f", "-n", "500", "--json",
        **sandbox.environ(),
    )  # fmt: skip

    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert len(rows) == 61
    assert {(row["language"], row["gender"]) for row in rows} == {("Russian", "female")}
    assert "sample_url" not in rows[0]


def test_a_second_command_does_not_list_again_but_says_how_old_it_is(
    run, sandbox, home
):
    run("voices", **sandbox.environ())
    pages = sandbox.requests(VOICES)
    for file in home.rglob(".catalogue/*/*.json"):
        text = file.read_text("utf-8")
        old = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() - 3 * 3600))
        now = time.strftime("%Y-%m-%dT%H", time.gmtime())
        file.write_text(text.replace(now, old, 1), "utf-8")

    ran = run("voices", "русский", **sandbox.environ())

    assert sandbox.requests(VOICES) == pages
    assert "list of 3 h ago" in ran.out

    assert "fresh list" in run("voices", "--refresh", **sandbox.environ()).out
    assert sandbox.requests(VOICES) == 2 * pages


def test_a_typing_mistake_ends_with_2_and_the_nearest(run, sandbox):
    ran = run("voices", "Clra", **sandbox.environ())

    assert ran.code == 2
    assert "Nothing fits “Clra”." in ran.err
    assert "Clara (voice_en_001)" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("command", ["voices", "avatars"])
def test_nonsense_says_what_to_do(run, sandbox, command):
    ran = run(command, "qqqzzz", **sandbox.environ())

    assert ran.code == 2
    assert "--refresh" in ran.err


def test_avatars_are_listed_own_ones_first_and_the_present_one_marked(run, sandbox):
    ran = run("avatars", **sandbox.environ())

    assert ran.code == 0
    assert "showing 20 of 900" in ran.out
    mine = next(line for line in ran.out.splitlines() if "look_own_01" in line)
    assert mine.startswith("👉")
    rows = [json.loads(line) for line in run("avatars", "--json").out.splitlines()]
    assert [row["name"] for row in rows if not row["ready"]] == [
        "Me on stage",
        "Me with a hat",
    ]


def test_own_avatars_alone(run, sandbox):
    ran = run("avatars", "--own", "--json", **sandbox.environ())

    assert {json.loads(line)["own"] for line in ran.out.splitlines()} == {True}
    assert len(ran.out.splitlines()) == 5


@pytest.mark.parametrize("command", ["voices", "avatars"])
def test_without_heygen_an_old_list_is_shown_and_it_is_said(run, sandbox, command):
    run(command, **sandbox.environ())
    sandbox.fault("status", "/v3/*", status=429, code="quota_exceeded", times=None)

    ran = run(command, "--refresh", **sandbox.environ())

    assert ran.code == 0
    assert "showing 20" in ran.out
    assert "could not be fetched now" in ran.err


@pytest.mark.parametrize("command", ["voices", "avatars"])
def test_a_wrong_key_ends_with_3(run, sandbox, command):
    environ = {**sandbox.environ(), "HEYGEN_API_KEY": "a-key-that-is-not-right"}

    ran = run(command, **environ)

    assert ran.code == 3
    assert ran.err.count("❌") == 1


def test_names_from_heygen_are_no_markup(run, sandbox, home):
    run("avatars", **sandbox.environ())
    (file,) = home.rglob(".catalogue/*/looks.json")
    text = file.read_text("utf-8").replace("Me outdoors", "[red]Me[/red] [link=x]")
    file.write_text(text, "utf-8")

    assert "[red]Me[/red] [link=x]" in run("avatars", **sandbox.environ()).out


def test_listing_costs_nothing(run, sandbox):
    run("voices", **sandbox.environ())
    run("avatars", **sandbox.environ())

    assert sandbox.charges() == []
