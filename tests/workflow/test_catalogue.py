from __future__ import annotations

import asyncio
import io
import wave
from datetime import timedelta

import pytest
from PIL import Image

import heygen_nb as hg
from heygen_nb import preview
from heygen_nb.errors import PreviewError
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer.catalogue import THUMB_BYTES, age_text
from heygen_nb.ui.state import SharedState

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_voices")]

SAMPLES, PICTURES = "GET /files/voices/{id}.wav", "GET /files/looks/{id}.jpg"
ONE_VOICE, ONE_LOOK = "GET /v3/voices/{id}", "GET /v3/avatars/looks/{id}"


@pytest.fixture
async def shared(sandbox):
    shared = SharedState(sandbox.settings())
    yield shared
    await shared.close()


@pytest.fixture
async def catalogue(shared):
    async with shared.account() as account:
        yield account.catalogue


async def test_voices_and_avatars_are_found_by_what_they_are(sandbox):
    settings = sandbox.settings()

    russian = await hg.voices("михаил", language="русский", settings=settings)
    women = await hg.voices(language="ru", gender="f", settings=settings)
    sofas = await hg.avatars("sofa portrait", settings=settings)

    assert [(voice.name, voice.exact) for voice in russian] == [("Михаил", True)]
    assert len(women) == 61
    assert women[0].own
    assert {avatar.orientation for avatar in sofas} <= {"portrait"}
    assert await hg.voices("Clra", settings=settings) == []
    assert sandbox.charges() == []


async def test_they_are_listed_once_and_anew_when_asked(sandbox):
    settings = sandbox.settings()
    await hg.avatars(settings=settings)
    pages = sandbox.requests("GET /v3/avatars/looks")

    await hg.avatars("office", settings=settings)
    assert sandbox.requests("GET /v3/avatars/looks") == pages == 19

    await hg.avatars(refresh=True, settings=settings)
    assert sandbox.requests("GET /v3/avatars/looks") == 2 * pages


async def test_a_sample_is_fetched_once_and_without_the_key(catalogue, sandbox):
    voice = (await catalogue.voices())[0]

    sample = await catalogue.shown(voice)
    again = await catalogue.shown(voice)

    with wave.open(io.BytesIO(sample)) as sound:
        assert sound.getnframes()
    assert again == sample
    assert sandbox.requests(SAMPLES) == 1
    assert sandbox.ledger()["file_requests_with_key"] == 0


async def test_a_picture_is_kept_small(catalogue, sandbox):
    avatar = next(a for a in await catalogue.avatars() if a.own)

    thumb = await catalogue.shown(avatar)
    assert await catalogue.shown(avatar) == thumb

    assert len(thumb) <= THUMB_BYTES
    assert Image.open(io.BytesIO(thumb)).format == "JPEG"
    assert sandbox.requests(PICTURES) == 1
    assert sandbox.ledger()["file_requests_with_key"] == 0


async def test_a_link_that_has_expired_is_asked_for_once_more(catalogue, sandbox):
    base = sandbox.handle.base_url
    voice = (await catalogue.voices())[0]
    avatar = (await catalogue.avatars())[0]
    old_voice = voice.model_copy(update={"sample_url": f"{base}/files/gone.wav"})
    old_look = avatar.model_copy(update={"picture_url": f"{base}/files/gone.jpg"})

    assert await catalogue.shown(old_voice)
    assert await catalogue.shown(old_look)

    assert sandbox.requests(ONE_VOICE) == 1
    assert sandbox.requests(ONE_LOOK) == 1


async def test_a_sandbox_at_another_port_is_no_trouble(catalogue):
    voice = (await catalogue.voices())[0]
    moved = voice.model_copy(update={"sample_url": "http://127.0.0.1:1/files/x.wav"})

    assert await catalogue.shown(moved)


async def test_a_file_that_cannot_be_had_is_said_so_without_its_link(
    catalogue, sandbox
):
    sandbox.fault("status", "/files/*", status=403)
    voice = (await catalogue.voices())[0]

    with pytest.raises(PreviewError, match="answers 403") as caught:
        await catalogue.shown(voice)

    assert sandbox.handle.base_url not in str(caught.value)
    assert sandbox.requests(ONE_VOICE) == 1


async def test_a_web_page_is_no_sample(catalogue, sandbox):
    sandbox.fault("html", "/files/*")
    voice = (await catalogue.voices())[0]

    with pytest.raises(PreviewError):
        await catalogue.shown(voice)


async def test_ids_from_outside_cannot_leave_the_folder(catalogue, sandbox, home):
    look = (await catalogue.avatars())[0]
    evil = look.model_copy(update={"id": "../../../evil"})

    await catalogue.shown(evil)

    assert list(home.parent.rglob("*evil*")) == []


async def test_the_age_of_a_list_is_told(shared):
    assert shared.listing("voices") is None
    await shared.listed("voices", refresh=True)
    await shared.listed("avatars", refresh=True)

    for kind in ("voices", "avatars"):
        assert shared.listing(kind).age < timedelta(minutes=1)
        assert shared.listing(kind).trouble is None


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=30), "fresh list"),
        (timedelta(minutes=5), "list of 5 min ago"),
        (timedelta(hours=3, minutes=50), "list of 3 h ago"),
        (timedelta(days=3), "list of 3 d ago"),
    ],
)
def test_ages_are_told_in_words(age, words):
    assert age_text(age) == words


async def test_pictures_come_a_few_at_a_time(catalogue, sandbox, monkeypatch):
    running, most = 0, 0
    real = preview.fetch_image

    async def counted(url, **options):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await real(url, **options)
        finally:
            running -= 1

    monkeypatch.setattr(preview, "fetch_image", counted)
    looks = (await catalogue.avatars())[:12]

    await asyncio.gather(*map(catalogue.shown, looks))

    assert most == 4


def test_links_stay_out_of_the_repr():
    link = "https://files.example/x?Signature=secret"

    assert "secret" not in repr(Voice(id="v", name="V", sample_url=link))
    assert "secret" not in repr(Avatar(id="a", name="A", picture_url=link))
