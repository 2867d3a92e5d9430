from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from pydantic import SecretStr

import heygen_nb as hg
from heygen_nb.errors import ConfigError, NotAuthorizedError, ServerError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.models import Payer
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.catalogue import Catalogue, catalogue_folder
from heygen_nb.renderer.resolve import look_meant, voice_meant

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_voices")]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VOICES, LOOKS = "GET /v3/voices", "GET /v3/avatars/looks"


class HeyGen:
    """An account with a few voices, on one page each; counts what it is asked."""

    def __init__(self):
        self.own = [voice("v_own", "My voice", type="private")]
        self.public = [voice("v_ann", "Ann"), voice("v_bob", "Bob", gender="male")]
        self.starfish = ["v_ann"]
        self.looks = {"private": [], "public": [{"id": "l_1", "name": "Sofa"}]}
        self.asked = 0
        self.status = 200

    def __call__(self, request):
        self.asked += 1
        if self.status != 200:
            return httpx.Response(self.status, json={"error": {"code": "x"}})
        query = request.url.params
        if request.url.path.endswith("/looks"):
            rows = self.looks[query["ownership"]]
        elif "/looks/" in request.url.path:
            look_id = request.url.path.split("/")[-1]
            rows = [row for rows in self.looks.values() for row in rows]
            return httpx.Response(
                200, json={"data": next(row for row in rows if row["id"] == look_id)}
            )
        else:
            rows = self.own if query["type"] == "private" else self.public
            if query.get("engine"):
                rows = [row for row in rows if row["voice_id"] in self.starfish]
        return httpx.Response(200, json={"data": rows, "has_more": False})


def voice(voice_id, name, **more):
    kind = {"type": "public", "language": "English", "gender": "female"}
    return {"voice_id": voice_id, "name": name, **kind, **more}


@pytest.fixture
def heygen():
    return HeyGen()


@pytest.fixture
def clock():
    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def process(heygen, home, clock):
    """What a process of its own sees: a new catalogue on the same home folder."""

    @asynccontextmanager
    async def start(folder=home / "lists"):
        async def no_wait(_seconds):
            pass

        async with HeyGenClient(
            SecretStr("k" * 20), transport=httpx.MockTransport(heygen), sleep=no_wait
        ) as client:
            yield Catalogue(client, folder, now=clock)

    return start


def account_with(catalogue):
    """What choosing a voice needs of an account."""
    return SimpleNamespace(catalogue=catalogue)


async def test_a_second_process_does_not_list_again_for_a_day(process, heygen, clock):
    async with process() as catalogue:
        first = await catalogue.voices()
        looks = await catalogue.avatars()
    asked = heygen.asked

    clock.now += timedelta(hours=23)
    async with process() as catalogue:
        assert await catalogue.voices() == first
        assert list(await catalogue.avatars()) == list(looks)
        assert catalogue.said.age == timedelta(hours=23)
    assert heygen.asked == asked

    clock.now += timedelta(hours=2)
    async with process() as catalogue:
        await catalogue.voices()
    assert heygen.asked == 2 * asked - 2  # the looks were not asked for


async def test_a_look_to_order_with_is_asked_for_once_by_all(process, heygen, clock):
    [look] = heygen.looks["public"]
    look["supported_api_engines"] = ["avatar_iii"]
    for _process in range(2):
        async with process() as catalogue:
            told = await look_meant(account_with(catalogue), "l_1")
            assert told.supported_api_engines == ("avatar_iii",)
    assert heygen.asked == 1

    look["supported_api_engines"] = ["avatar_v"]
    async with process() as catalogue:
        account = account_with(catalogue)
        asked = await look_meant(account, "l_1", refresh=True)
        await catalogue.avatars(refresh=True)
        asked_for = heygen.asked
        listed = await look_meant(account, "l_1")
        assert asked.supported_api_engines == listed.supported_api_engines
        assert heygen.asked == asked_for + 1
    clock.now += timedelta(hours=25)
    async with process() as catalogue:
        await look_meant(account_with(catalogue), "l_1")
    assert heygen.asked == asked_for + 2


async def test_a_new_own_look_is_the_first_one_within_the_hour(process, heygen, clock):
    async with process() as catalogue:
        assert (await look_meant(account_with(catalogue), "")).id == "l_1"
    heygen.looks["private"] = [{"id": "mine", "status": "completed"}]

    clock.now += timedelta(minutes=61)

    async with process() as catalogue:
        assert (await look_meant(account_with(catalogue), "")).id == "mine"


@pytest.mark.parametrize("status", ["processing", "pending_consent"])
async def test_a_look_that_is_not_ready_is_asked_for_again(process, heygen, status):
    [look] = heygen.looks["public"]
    look["status"] = status
    async with process() as catalogue:
        account = account_with(catalogue)
        with pytest.raises(ConfigError, match="cannot be used yet"):
            await look_meant(account, "l_1")

        look["status"] = "completed"

        assert (await look_meant(account, "l_1")).id == "l_1"


async def test_voices_are_told_apart(process):
    async with process() as catalogue:
        own, ann, bob = await catalogue.voices()

    assert (own.own, ann.own) == (True, False)
    assert (own.exact, ann.exact, bob.exact) == (False, True, False)


async def test_links_stay_out_of_every_repr(process, heygen):
    heygen.public[0]["preview_audio_url"] = "https://files.example/a?Signature=secret"
    heygen.looks["public"][0]["preview_image_url"] = "https://files.example/?secret"

    async with process() as catalogue:
        assert "secret" not in repr(await catalogue.voices())
        assert "secret" not in repr(await catalogue.avatars())


async def test_a_list_of_yesterday_is_better_than_none(process, heygen, clock, caplog):
    async with process() as catalogue:
        await catalogue.voices()
    clock.now += timedelta(days=3)
    heygen.status = 503

    async with process() as catalogue:
        voices = await catalogue.voices()
        assert catalogue.said.age == timedelta(days=3)
        assert isinstance(catalogue.said.trouble, ServerError)
    assert [voice.name for voice in voices] == ["My voice", "Ann", "Bob"]
    assert "kept list" in caplog.text


async def test_without_a_list_the_trouble_is_raised(process, heygen):
    heygen.status = 503

    async with process() as catalogue:
        with pytest.raises(ServerError):
            await catalogue.voices()


async def test_a_refused_key_is_no_reason_for_an_old_list(process, heygen, clock):
    async with process() as catalogue:
        await catalogue.voices()
        clock.now += timedelta(days=2)
        heygen.status = 401

        with pytest.raises(NotAuthorizedError):
            await catalogue.voices()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"items": 1}'])
async def test_a_broken_file_is_ignored_and_written_anew(process, home, content):
    (home / "lists").mkdir()
    file = home / "lists" / "voices.json"
    file.write_bytes(content)

    async with process() as catalogue:
        assert len(await catalogue.voices()) == 3

    assert b"v_ann" in file.read_bytes()
    assert [f.name for f in (home / "lists").glob("*.part")] == []


async def test_a_folder_that_cannot_be_written_stops_nothing(process, home):
    (home / "lists").write_text("a file is in the way")

    async with process() as catalogue:
        assert len(await catalogue.voices()) == 3


async def test_two_at_once_ask_once_and_two_processes_do_no_harm(process, heygen):
    async with process() as one, process() as two:
        await asyncio.gather(one.voices(), one.voices(), two.voices())
        assert await one.voices() == await two.voices()

    assert heygen.asked <= 2 * 4


async def test_what_is_not_listed_is_looked_for_once_more(process, heygen):
    async with process() as catalogue:
        await catalogue.voices()
    heygen.own.append(voice("v_new", "Made since", type="private"))

    async with process() as catalogue:
        found = await voice_meant(account_with(catalogue), "made since")
        asked = heygen.asked
        with pytest.raises(ConfigError, match="no voice “Nobody”"):
            await voice_meant(account_with(catalogue), "Nobody")
    assert found.voice_id == "v_new"
    assert heygen.asked == asked  # this very process has just asked


async def test_no_voice_is_said_to_be_missing_while_heygen_is_away(process, heygen):
    async with process() as catalogue:
        await catalogue.voices()
    heygen.status = 503

    async with process() as catalogue:
        for _again in range(2):
            with pytest.raises(ServerError):
                await voice_meant(account_with(catalogue), "Nobody")
        assert (await voice_meant(account_with(catalogue), "Ann")).voice_id == "v_ann"


async def test_a_name_that_became_the_only_one_is_found(process, heygen):
    heygen.public.append(voice("v_ann2", "Ann"))
    async with process() as catalogue:
        await catalogue.voices()
    heygen.public.pop()

    async with process() as catalogue:
        assert (await voice_meant(account_with(catalogue), "Ann")).voice_id == "v_ann"


async def test_exact_length_is_asked_about_once_more_too(process, heygen):
    async with process() as catalogue:
        await catalogue.voices()
    heygen.starfish.append("v_bob")

    async with process() as catalogue:
        finder = account_with(catalogue)
        await voice_meant(finder, "Bob", speaks_first=True)
        with pytest.raises(ConfigError, match="cannot make speech without a video"):
            await voice_meant(finder, "My voice", speaks_first=True)


async def test_the_first_looks_are_shown_before_all_are_there(process, heygen):
    heygen.looks["public"] = [{"id": f"l{n}", "name": "Look"} for n in range(120)]
    seen = []

    async with process() as catalogue:
        looks = await catalogue.avatars(on_part=lambda part: seen.append(len(part)))

    assert (seen, len(looks)) == ([50, 100], 120)


async def test_a_look_without_a_word_on_it_has_the_shape_of_its_picture(
    process, heygen
):
    size = {"image_width": 100, "image_height": 200}
    heygen.looks["private"] = [{"id": "l", "name": "Me", "status": "processing"} | size]

    async with process() as catalogue:
        mine, other = await catalogue.avatars()

    assert (mine.own, mine.ready, mine.orientation) == (True, False, "portrait")
    assert (other.own, other.ready, other.orientation) == (False, True, "")


def test_no_two_accounts_share_a_folder(home):
    accounts = [
        Payer("heygen", "https://api.heygen.com", "a"),
        Payer("heygen", "https://api.heygen.com", "b"),
        Payer("heygen", "https://elsewhere.example", "a"),
        Payer("sandbox", "https://api.heygen.com", "a"),
    ]

    assert len({catalogue_folder(home, account) for account in accounts}) == 4


async def test_a_render_reads_its_voice_from_the_kept_list(sandbox):
    script = "Hello there, this is a script."
    await hg.render_video(hg.Draft(script=script), settings=sandbox.settings())
    pages = sandbox.requests(VOICES)

    await hg.render_video(
        hg.Draft(script=script + " Another one."), settings=sandbox.settings()
    )

    assert pages == 13
    assert sandbox.requests(VOICES) == pages
    assert len(sandbox.charges()) == 2


async def test_another_account_never_sees_this_ones_voices(make_sandbox, tmp_path):
    first = make_sandbox()
    await hg.render_video(hg.Draft(script="Hello there."), settings=first.settings())
    pages = first.requests(VOICES)
    other = make_sandbox(api_key="another-key-of-the-same-person")

    async with open_account(other.settings()) as account:
        await account.catalogue.voices()

    assert first.requests(VOICES) == pages
    assert other.requests(VOICES) > 0


async def test_an_unknown_voice_costs_one_refresh_and_nothing_else(sandbox):
    async with open_account(sandbox.settings()) as account:
        await account.catalogue.said.get()
    pages = sandbox.requests(VOICES)

    with pytest.raises(ConfigError, match="There is no voice “Nobody”"):
        await hg.render_video(
            hg.Draft(script="Hello there.", voice="Nobody"), settings=sandbox.settings()
        )

    assert sandbox.requests(VOICES) == 2 * pages
    assert sandbox.charges() == []


async def test_looks_of_one_name_are_told_apart(heygen, process):
    heygen.looks["private"] = [{"id": "mine", "name": "Sofa"}]
    heygen.looks["public"] = [
        {"id": "l_1", "name": "Sofa"},
        {"id": "l_2", "name": "Desk"},
        {"id": "l_3", "name": "Sofa"},
    ]

    async with process() as catalogue:
        looks = await catalogue.avatars()

    labels = [look.label for look in looks]
    assert labels == ["Sofa", "Sofa #2", "Desk", "Sofa #3"]
