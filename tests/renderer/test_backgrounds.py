from __future__ import annotations

import asyncio
import os
import zlib
from datetime import UTC, datetime
from io import BytesIO
from struct import pack

import av
import pytest
from PIL import Image
from sqlalchemy import update

import heygen_nb as hg
from heygen_nb.clock import Clock
from heygen_nb.config import Settings
from heygen_nb.errors import (
    ConfigError,
    HeygenNbError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
)
from heygen_nb.files import media_type
from heygen_nb.ledger import Ledger
from heygen_nb.ledger.tables import AssetRow
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.background import MAX_BYTES, identity, picture_of, uploaded
from heygen_nb.renderer.order import ToRender, order, order_all, quote_all
from heygen_nb.renderer.resolve import picture_and_sound, revisions_of

pytestmark = pytest.mark.anyio

STILL = {"heygen_use_avatar": False, "no_avatar": "heygen"}

UPLOADS, CREATES = "POST /v3/assets", "POST /v3/videos"
SCRIPT = "Hello there, this is said before a picture of our own."


def png(color="#204060", size=(64, 64)):
    stream = BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def jpeg(size=(640, 480)):
    stream = BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


def bomb_png():
    """A PNG of a few bytes whose header promises four thousand million pixels."""
    head = pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def draft(number=1, background="sea.png"):
    return hg.Draft(id=f"d{number}", script=SCRIPT, background=background)


@pytest.fixture
def sea(home):
    path = home / "sea.png"
    path.write_bytes(png())
    return path


@pytest.fixture
def bodies(home):
    """Every stored request, oldest first."""

    def read():
        with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
            return [row.body for rows in ledger.history.pages() for row in rows][::-1]

    return read


async def test_a_file_is_uploaded_once_for_drafts_and_processes(sandbox, sea, bodies):
    await hg.render_video(draft(1), settings=sandbox.settings())
    await hg.render_video(draft(2), settings=sandbox.settings())  # a new connection

    assert sandbox.requests(UPLOADS) == 1
    assert len(sandbox.charges()) == 2
    first, second = (body.partition('"background":')[2][:80] for body in bodies())
    assert '"asset_id":"asset_' in first
    assert first == second


async def test_a_file_from_elsewhere_is_named_before_it_is_uploaded(
    sandbox, sea, tmp_path
):
    elsewhere = tmp_path / "elsewhere.png"
    elsewhere.write_bytes(png())
    async with open_account(sandbox.settings()) as account:
        own, foreign = await quote_all(
            account, [draft(1), draft(2, str(elsewhere))], sandbox.settings()
        )

    assert not any("background" in warning for warning in own.warnings)
    assert str(elsewhere) in foreign.warnings[-1]
    assert sandbox.requests(UPLOADS) == 0


async def test_a_file_is_the_whole_picture_without_an_avatar(sandbox, sea, bodies):
    settings = sandbox.settings(**STILL)
    await hg.render_video(draft(), settings=settings)

    assert bodies()[0].count('"asset_id":"asset_') == 2  # and the silence
    assert len(sandbox.charges()) == 1


async def test_the_video_shows_the_uploaded_picture(make_sandbox, home):
    sandbox = make_sandbox(fast=False)
    Image.new("RGB", (90, 160), "#00ff00").save(home / "green.png")
    settings = sandbox.settings(
        heygen_use_avatar=False,
        no_avatar="heygen",
        captions="off",
        resolution="720p",
        video_duration=15,
    )
    video = await hg.render_video(
        hg.Draft(id="d1", script="One.", background="green.png"), settings=settings
    )

    with av.open(str(video.path)) as film:
        frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
    red, green, blue = (int(part) for part in frame[20, 20])
    assert green > max(red, blue) + 20
    assert sandbox.requests(UPLOADS) == 1


async def test_a_setting_and_video_config_may_name_a_file(sandbox, sea, bodies):
    plain = hg.Draft(id="d1", script=SCRIPT)
    settings = sandbox.settings(heygen_background_url=str(sea))
    await hg.render_video(plain, settings=settings)
    await hg.render_video(
        hg.Draft(id="d2", script=SCRIPT),
        settings=sandbox.settings(),
        config={"background_url": "sea.png"},
    )

    assert all("asset_id" in body for body in bodies())
    assert sandbox.requests(UPLOADS) == 1


async def test_two_drafts_planned_at_once_upload_once(sandbox, sea):
    settings = sandbox.settings()
    async with open_account(settings) as account:
        jobs = [
            ToRender(draft(n), draft_settings(draft(n), settings)) for n in range(20)
        ]
        ordered = await order_all(account, jobs)
        rows = [account.ledger.render(render_id) for render_id in ordered]

    assert sandbox.requests(UPLOADS) == 1
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert len({row.body.partition("asset_id")[2][:40] for row in rows}) == 1


async def test_a_quote_sends_nothing(sandbox, sea):
    settings = sandbox.settings()
    async with open_account(settings) as account:
        [plan] = await quote_all(account, [draft()], settings)

    assert plan.cast.picture.path == sea
    assert sandbox.requests(UPLOADS) == 0
    assert sandbox.charges() == []


async def test_a_moved_file_is_not_paid_again_and_a_changed_one_is(sandbox, sea, home):
    settings = sandbox.settings()
    first = await hg.render_video(draft(), settings=settings)
    (home / "elsewhere").mkdir()
    moved = sea.rename(home / "elsewhere" / "other.png")

    again = await hg.render_video(draft(background=str(moved)), settings=settings)
    assert again.video_id == first.video_id
    assert len(sandbox.charges()) == 1

    moved.write_bytes(png("#ff0000"))
    await hg.render_video(draft(background=str(moved)), settings=settings)
    assert len(sandbox.charges()) == 2
    assert sandbox.requests(UPLOADS) == 2


async def test_a_vanished_file_stops_a_plan_and_no_resume(sandbox, sea):
    settings = sandbox.settings()
    async with open_account(settings) as account:
        wish = draft_settings(draft(), settings)
        render_id = await order(account, draft(), wish)
        row = account.ledger.render(render_id)
    sea.unlink()

    with pytest.raises(ConfigError, match=r"sea\.png: there is no such file"):
        await hg.render_video(draft(), settings=settings)
    assert sandbox.requests(CREATES) == 0

    assert [o.status for o in await hg.resume(settings=settings)] == ["completed"]
    assert len(sandbox.charges()) == 1
    async with open_account(settings) as account:
        assert account.ledger.render(row.id).body == row.body


async def test_a_lost_asset_is_forgotten_and_uploaded_anew(sandbox, sea, bodies, home):
    settings = sandbox.settings()
    await hg.render_video(draft(1), settings=settings)
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        _swap_assets(ledger)

    with pytest.raises(NotFoundError) as caught:
        await hg.render_video(draft(2), settings=settings)
    assert caught.value.charged is False
    assert sandbox.requests(UPLOADS) == 1  # nothing is repeated by itself
    assert len(sandbox.charges()) == 1

    await hg.render_video(draft(2), settings=settings)
    assert sandbox.requests(UPLOADS) == 2
    assert len(sandbox.charges()) == 2
    refused, made = bodies()[1:]
    assert refused.split("asset_id")[1][:30] != made.split("asset_id")[1][:30]


async def test_a_lost_asset_of_a_batch_is_uploaded_anew_once(sandbox, sea, home):
    settings = sandbox.settings(max_concurrent_renders=1)
    await hg.render_video(draft(0), settings=settings)
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        _swap_assets(ledger)
    drafts = [draft(n) for n in (1, 2)]

    videos = await hg.render_batch(drafts, settings=settings)
    assert [v.failure_code for v in videos] == ["asset_not_found"] * 2
    videos = await hg.render_batch(drafts, settings=settings)

    assert all(video.path for video in videos)
    assert sandbox.requests(UPLOADS) == 2
    assert len(sandbox.charges()) == 3


def _swap_assets(ledger):
    """Let the ledger remember an asset that HeyGen does not have."""
    with ledger.database.writing() as session:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)  # a young one may still turn up
        gone = {"asset_id": "asset_long_gone", "created_at": long_ago}
        session.execute(update(AssetRow).values(**gone))


async def test_a_render_that_failed_for_its_asset_gets_another_one(sandbox, sea):
    settings = sandbox.settings()
    sandbox.fault("failed_render", "*", code="asset_not_found")
    with pytest.raises(HeygenNbError):
        await hg.render_video(draft(), settings=settings)

    await hg.render_video(draft(), settings=settings)
    assert sandbox.requests(UPLOADS) == 2
    assert len(sandbox.charges()) == 1


async def test_a_refusal_for_another_reason_keeps_the_upload(sandbox, sea):
    settings = sandbox.settings()
    sandbox.fault("status", "/v3/videos", method="POST", status=400, code="bad")
    with pytest.raises(InvalidRequestError):
        await hg.render_video(draft(), settings=settings)

    await hg.render_video(draft(), settings=settings)
    assert sandbox.requests(UPLOADS) == 1


async def test_a_lost_answer_to_an_upload_is_free_and_repeated(sandbox, sea):
    async def at_once(_seconds):
        await asyncio.sleep(0)

    sandbox.fault("drop", "/v3/assets", after=True)
    settings = sandbox.settings()
    async with open_account(settings, clock=Clock(sleep=at_once)) as account:
        await advance(
            account, await order(account, draft(), draft_settings(draft(), settings))
        )

    assert sandbox.requests(UPLOADS) == 2
    assert len(sandbox.charges()) == 1


async def test_a_refused_upload_pays_for_nothing(sandbox, sea):
    sandbox.fault("status", "/v3/assets", status=413, code="payload_too_large")
    with pytest.raises(InvalidRequestError) as caught:
        await hg.render_video(
            draft(),
            settings=sandbox.settings(length_mode="exact", heygen_voice="Clara"),
        )

    assert caught.value.charged is False
    assert sandbox.requests(CREATES) == sandbox.requests("POST /v3/voices/speech") == 0


async def test_another_account_uploads_its_own(make_sandbox, sea):
    first = make_sandbox()
    await hg.render_video(draft(), settings=first.settings())
    second = make_sandbox(api_key="another-key-of-ours")
    settings = second.settings(heygen_api_key="another-key-of-ours")
    await hg.render_video(draft(), settings=settings)

    assert first.requests(UPLOADS) + second.requests(UPLOADS) == 2


async def test_exact_length_goes_with_a_file(sandbox, sea, bodies):
    settings = sandbox.settings(length_mode="exact", heygen_voice="Clara")
    await hg.render_video(draft(), settings=settings)

    assert '"audio_url":"http' in bodies()[0]  # of a fresh speech
    assert '"background":{"type":"image","asset_id":"asset_' in bodies()[0]
    assert sandbox.requests(UPLOADS) == 1


async def test_a_file_that_changes_while_it_is_planned_is_not_paid(
    sandbox, sea, monkeypatch
):
    settings = sandbox.settings()
    async with open_account(settings) as account:
        wish = draft_settings(draft(), settings)

        async def then_change(*args):
            asset_id = await uploaded(*args)
            sea.write_bytes(png("#ff0000"))
            return asset_id

        monkeypatch.setattr("heygen_nb.renderer.order.uploaded", then_change)
        with pytest.raises(ConfigError, match="just been changed"):
            await order(account, draft(), wish)

    assert sandbox.requests(CREATES) == 0


async def test_a_file_is_sent_as_it_was_checked(sea, home):
    picture = picture_of("sea.png", home)
    sea.write_bytes(png("#ff0000"))

    with pytest.raises(ConfigError, match="just been changed"):
        picture.read()


async def test_limits_hold_for_a_file_too(sandbox, sea):
    with pytest.raises(LimitError):
        await hg.render_video(
            draft(), settings=sandbox.settings(max_cost_per_render=0.0001)
        )

    assert sandbox.charges() == []


@pytest.mark.parametrize(
    ("background", "with_avatar", "without"),
    [
        ("", "35096c69eb39cf62", "d14c111d58362550"),
        ("#102030", "d902d045f4c8d268", "bfc378e3d531a9ed"),
        ("https://example.com/a.png", "16f3beb37f8ff29f", "82075e13cc0e3586"),
    ],
)
async def test_what_was_rendered_before_there_were_files_is_not_paid_again(
    background, with_avatar, without
):
    draft = hg.Draft(id="a", script="Hi")
    for avatar, earlier in ((True, with_avatar), (False, without)):
        chosen = Settings(heygen_background_url=background, heygen_use_avatar=avatar)
        inputs = picture_and_sound(draft, chosen)

        assert earlier in revisions_of(draft, inputs)


async def test_a_path_may_be_absolute_from_home_or_from_the_user(
    home, sea, monkeypatch
):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))

    known = {picture_of(v, home).sha256 for v in ("sea.png", "~/sea.png", str(sea))}
    assert len(known) == 1
    assert identity("sea.png", home) == f"sha256:{known.pop()}"


async def test_a_jpeg_is_known_by_its_bytes_whatever_its_name(home):
    (home / "photo.png").write_bytes(jpeg())

    assert media_type(picture_of("photo.png", home).read()) == "image/jpeg"


async def test_what_is_uploaded_is_upright_and_not_larger_than_heygen_takes(
    sandbox, home, tmp_path
):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = Image.new("RGB", (3000, 1500), "#204060")
    photo.save(home / "photo.jpg", exif=exif)

    await hg.render_video(draft(background="photo.jpg"), settings=sandbox.settings())

    (sent,) = (tmp_path / "sandbox" / "files" / "assets").rglob("*.jpeg")
    with Image.open(sent) as image:
        assert image.size == (1000, 2000)


HOSTILE = {
    "page.png": (b"<html><script>alert(1)</script>", "neither PNG nor JPEG"),
    "drawing.png": (b"<svg onload='alert(1)'/>", "neither PNG nor JPEG"),
    "clip.jpg": (b"\0\0\0\x18ftypmp42" + bytes(99), "neither PNG nor JPEG"),
    "empty.png": (b"", "empty"),
    "cut.png": (png(size=(400, 400))[:-200], "damaged"),
    "cut.jpg": (jpeg()[:3000], "damaged"),
    "start.png": (b"\x89PNG\r\n\x1a\n", "no picture"),
    "bomb.png": (bomb_png(), "million pixels"),
    "big.png": (png() + bytes(MAX_BYTES), "32.0 MB, more than 32 MB"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_that_is_no_picture_is_refused_by_name(name, home, sandbox):
    content, reason = HOSTILE[name]
    (home / name).write_bytes(content)

    with pytest.raises(ConfigError, match=reason) as caught:
        await hg.render_video(draft(background=name), settings=sandbox.settings())

    assert name in caught.value.message
    assert "JPEG" in caught.value.hint
    assert caught.value.charged is not True
    assert sandbox.requests(CREATES) == sandbox.requests(UPLOADS) == 0


@pytest.mark.parametrize(
    "value",
    [
        "nothing.png",
        "folder",
        "loop.png",
        "pipe.png",
        "nul\0.png",
        "~nobody-at-all/x.png",
        "x" * 5000,
        "data:image/png;base64,AAAA",
        "/proc/self/mem",
    ],
)
async def test_a_path_that_leads_to_no_file_is_refused(value, home):
    (home / "folder").mkdir()
    (home / "loop.png").symlink_to(home / "loop.png")
    os.mkfifo(home / "pipe.png")  # reading it would never end

    with pytest.raises(ConfigError, match="background") as caught:
        picture_of(value, home)
    assert len(caught.value.message) < 400


async def test_a_file_that_must_not_be_read_is_refused(home, sea, monkeypatch):
    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ConfigError, match="Permission denied"):
        picture_of("sea.png", home)


@pytest.mark.parametrize("value", ["file:///etc/passwd", "ftp://x/a.png", "#12", "#"])
async def test_other_addresses_and_half_colours_are_no_files(value, home):
    assert picture_of(value, home) is None
    assert identity(value, home) == value
