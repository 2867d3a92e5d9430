from __future__ import annotations

import os
import time
from functools import partial
from io import BytesIO

import pytest
from PIL import Image, ImageCms

import heygen_nb as hg
from heygen_nb.api import settings_for
from heygen_nb.errors import ConfigError
from heygen_nb.files import media_type
from heygen_nb.renderer import reset_video_config
from heygen_nb.renderer.background import MAX_BYTES, MAX_SIDE_PX, picture_of
from heygen_nb.renderer.order import order
from heygen_nb.ui import backgrounds
from heygen_nb.ui.backgrounds import LISTED, label_of
from heygen_nb.ui.state import SharedState

pytestmark = pytest.mark.anyio

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
async def shared(sandbox):
    shared = SharedState(sandbox.settings(heygen_voice="en-US-Neural2-F"))
    yield shared
    await shared.close()


@pytest.fixture
def keep(shared):
    return partial(backgrounds.keep, shared.settings.home)


async def earlier(shared):
    home = shared.settings.home
    return await shared.read(partial(backgrounds.earlier, home))


def saved(kind, image=None, **options):
    stream = BytesIO()
    (image or halves()).save(stream, kind, **options)
    return stream.getvalue()


def halves(size=(60, 40)):
    """A picture that is red on the left and blue on the right."""
    image = Image.new("RGB", size, "#ff0000")
    image.paste("#0000ff", (size[0] // 2, 0, *size))
    return image


def opened(home, value):
    return Image.open(home / value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_picture_that_fits_is_kept_byte_for_byte(keep, home, kind):
    content = saved(kind)

    value = keep("my sea.of.TREES", content)

    assert value.startswith("backgrounds/")
    assert value.endswith(f"-my-sea-of.{'jpg' if kind == 'JPEG' else 'png'}")
    assert (home / value).read_bytes() == content
    assert picture_of(value, home)


async def test_the_same_picture_is_kept_once_whatever_its_name(keep, home):
    first = keep("a.png", saved("PNG"))

    assert keep("b.png", saved("PNG")) == first
    assert [p.name for p in (home / "backgrounds").iterdir()] == [first[12:]]


async def test_a_kept_file_that_was_spoilt_is_written_again(keep, home):
    value = keep("a.png", saved("PNG"))
    (home / value).write_bytes(b"spoilt")

    assert keep("a.png", saved("PNG")) == value
    assert (home / value).read_bytes() == saved("PNG")


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF"])
async def test_other_pictures_become_png(keep, home, kind):
    options = {"lossless": True} if kind == "WEBP" else {}

    value = keep(f"sea.{kind}", saved(kind, **options))

    assert value.endswith("-sea.png")
    with opened(home, value) as image:
        assert image.format == "PNG"
        assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
        assert image.convert("RGB").getpixel((55, 5)) == (0, 0, 255)


async def test_of_a_film_of_pictures_the_first_is_kept(keep, home):
    frames = [Image.new("RGB", (40, 40), c) for c in ("#ff0000", "#00ff00")]
    film = saved("GIF", frames[0], save_all=True, append_images=frames[1:])

    with opened(home, keep("film.gif", film)) as image:
        assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
        assert getattr(image, "n_frames", 1) == 1


async def test_what_exif_turns_is_turned_for_good(keep, home):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright

    value = keep("photo.jpg", saved("JPEG", exif=exif, quality=95))

    with opened(home, value) as image:
        assert image.size == (40, 60)
        assert image.getexif().get(0x0112) is None
        assert image.getpixel((20, 5))[0] > 200  # red is on top now
        assert image.getpixel((20, 55))[2] > 200


async def test_a_large_picture_is_made_smaller_and_keeps_its_shape(keep, home):
    value = keep("big.jpg", saved("JPEG", halves((6000, 3000))))

    with opened(home, value) as image:
        assert image.size == (MAX_SIDE_PX, MAX_SIDE_PX // 2)
        assert image.format == "JPEG"


async def test_see_through_parts_and_colour_profiles_survive(keep, home):
    layer = Image.new("RGBA", (3000, 30), (10, 20, 30, 99))

    with opened(home, keep("a.png", saved("PNG", layer, icc_profile=SRGB))) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((5, 5)) == (10, 20, 30, 99)
        assert image.info["icc_profile"] == SRGB


async def test_colours_of_print_become_those_of_screens(keep, home):
    print_ = saved("JPEG", Image.new("CMYK", (40, 40), (0, 255, 255, 0)))

    with opened(home, keep("print.jpg", print_)) as image:
        assert image.mode == "RGB"
        assert image.getpixel((5, 5))[0] > 200


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.png", "passwd"),
        ("..\\..\\windows\\system32\\x.png", "x"),
        ("/root/.ssh/id.png", "id"),
        ("a\0b.png", "a-b"),
        ("..", "picture"),
        ("", "picture"),
        ("CON.png", "CON"),
        ("лунный свет.webp", "лунный-свет"),
        ("🌙.png", "picture"),
        ("<img src=x onerror=1>.png", "img-src-x-onerror-1"),
        ("x" * 5000 + ".png", "x" * 40),
        ("ж" * 5000, "ж" * 40),
    ],
)
async def test_no_name_leads_out_of_the_folder(keep, home, name, kept):
    value = keep(name, saved("PNG"))

    assert value == f"backgrounds/{value[12:24]}-{kept}.png"
    assert (home / value).parent == home / "backgrounds"
    assert len(list(home.rglob("*.png"))) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (bytes(MAX_BYTES + 1_000_000), "33.0 MB, more than 32 MB"),
        (b"<html>no picture</html>", "no picture"),
        (b"<svg><script>alert(1)</script></svg>", "no picture"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "no picture"),
        (saved("PNG", halves((400, 400)))[:-150], "damaged"),
        (saved("JPEG", halves((400, 400)))[:1500], "damaged"),
        (saved("PNG", Image.new("1", (9000, 9000))), "million pixels"),
    ],
)
async def test_what_is_no_picture_is_refused_and_nothing_is_written(
    keep, home, content, reason
):
    with pytest.raises(ConfigError, match=reason) as caught:
        keep("sea.png", content)

    assert "sea.png" in caught.value.message
    assert caught.value.hint
    assert not (home / "backgrounds").exists()


async def test_a_folder_that_cannot_be_written_to_is_told(keep, home):
    (home / "backgrounds").write_text("in the way")

    with pytest.raises(ConfigError, match="could not be written"):
        keep("a.png", saved("PNG"))
    assert (home / "backgrounds").read_text() == "in the way"


async def test_a_disk_that_is_full_leaves_nothing_behind(keep, home, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(ConfigError, match="No space left"):
        keep("a.png", saved("PNG"))
    assert list((home / "backgrounds").iterdir()) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # its word on broken EXIF
async def test_spoilt_pictures_of_all_kinds_are_refused_not_thrown(keep):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "by the sea"
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = bytearray(saved(kind, halves((8, 8)), exif=exif))
        for at in range(0, len(whole), 3):
            spoilt = bytes(whole[:at] + b"\x7f" + whole[at + 1 :])
            for content in (spoilt, bytes(whole[:at])):
                try:
                    keep("x.png", content)
                except ConfigError as error:
                    assert error.hint  # noqa: PT017 - most of them, not all


async def test_earlier_ones_come_newest_first_with_their_looks(shared, home):
    old = backgrounds.keep(shared.settings.home, "old.png", saved("PNG"))
    os.utime(home / old, (1, 1))
    (home / "backgrounds" / "by hand.jpg").write_bytes(saved("JPEG"))
    (home / "backgrounds" / "broken.png").write_bytes(b"no picture")
    (home / "backgrounds" / ".part-x").write_bytes(saved("PNG"))
    (home / "backgrounds" / "folder").mkdir()

    found = await earlier(shared)

    assert list(found) == ["backgrounds/by hand.jpg", old]
    assert [label_of(value) for value in found] == ["by hand", "old"]
    assert all(thumb.startswith(b"\xff\xd8") for thumb in found.values())
    assert all(len(thumb) < 30_000 for thumb in found.values())


async def test_colours_and_links_that_were_rendered_come_after_them(shared, sandbox):
    picture = f"{sandbox.handle.base_url}/files/looks/look_own_01.jpg?Signature=secret"
    for n, background in enumerate(("#102030", picture, "#102030", "")):
        draft = hg.Draft(id=f"d{n}", script="Hello.", background=background)
        async with shared.account() as account:
            wish = settings_for(draft, shared.settings)
            await order(account, draft, wish)
    kept = backgrounds.keep(shared.settings.home, "sea.png", saved("PNG"))
    draft = hg.Draft(id="file", script="Hello.", background=kept)
    async with shared.account() as account:
        await order(account, draft, settings_for(draft, shared.settings))

    found = await earlier(shared)

    assert list(found) == [kept, "#102030", picture]
    assert label_of(picture) == "127.0.0.1 · look_own_01.jpg"
    assert found[picture] is None
    with Image.open(BytesIO(found["#102030"])) as swatch:
        assert (
            max(
                abs(a - b)
                for a, b in zip(swatch.getpixel((9, 9)), (16, 32, 48), strict=True)
            )
            < 4
        )


async def test_the_list_of_earlier_ones_is_bounded_and_quick_again(shared, home):
    for n in range(LISTED + 4):
        backgrounds.keep(
            shared.settings.home, "x.png", saved("PNG", Image.new("RGB", (9, n + 1)))
        )
    first = await earlier(shared)

    begun = time.process_time()
    again = await earlier(shared)

    assert len(first) == LISTED
    assert again == first
    assert time.process_time() - begun < 1


async def test_a_file_is_used_from_a_copy_that_stays(shared, home, tmp_path):
    photo = tmp_path / "photo.webp"
    photo.write_bytes(saved("WEBP"))

    value = await backgrounds.use(shared, f' "{photo}" ')
    photo.unlink()

    assert media_type(picture_of(value, home).read()) == "image/png"
    assert await backgrounds.use(shared, value) == value


async def test_a_file_put_into_the_folder_by_hand_is_used_where_it_is(shared, home):
    (home / "backgrounds").mkdir()
    (home / "backgrounds" / "sea.png").write_bytes(saved("PNG"))

    assert await backgrounds.use(shared, "backgrounds/sea.png") == "backgrounds/sea.png"
    assert len(list((home / "backgrounds").iterdir())) == 1


async def test_colours_links_and_nothing_are_used_as_they_are(shared, sandbox):
    link = f"{sandbox.handle.base_url}/files/looks/look_own_01.jpg"

    for value in ("", "#102030", link):
        assert await backgrounds.use(shared, value) == value


@pytest.mark.parametrize(
    "value", ["#12", "ftp://x/a.png", "http://127.0.0.1:9/a.png", "none.png", "."]
)
async def test_what_is_no_background_is_not_used(shared, value, home):
    with pytest.raises(ConfigError):
        await backgrounds.use(shared, value)

    assert not (home / "backgrounds").exists()


async def test_settings_take_a_file_if_it_is_a_picture(shared, home):
    (home / "page.png").write_bytes(b"<html>")
    kept = backgrounds.keep(shared.settings.home, "sea.png", saved("PNG"))

    with pytest.raises(ConfigError, match=r"page\.png"):
        await shared.save_settings(heygen_background_url="page.png")
    await shared.save_settings(heygen_background_url=kept)

    assert f"heygen_background_url: {kept}" in (home / "config.yaml").read_text()
    reset_video_config()


async def test_a_preview_is_made_anew_when_its_picture_has_changed(shared, home):
    draft = hg.Draft(id="d1", script="One.", background="sea.png")
    (home / "sea.png").write_bytes(saved("PNG"))
    first = await shared.preview(draft)
    (home / "sea.png").write_bytes(saved("PNG", halves((80, 80))))
    second = await shared.preview(draft)

    assert first != second
    (home / "sea.png").unlink()
    with pytest.raises(ConfigError, match="no such file"):
        await shared.preview(draft)
    with pytest.raises(ConfigError, match="no such file"):
        shared.jobs.start([draft])


async def test_a_look_is_there_for_what_can_be_seen(shared):
    kept = backgrounds.keep(shared.settings.home, "sea.png", saved("PNG"))

    assert backgrounds.look(shared.settings.home, kept).startswith(b"\xff\xd8")
    assert backgrounds.look(shared.settings.home, "#102030").startswith(b"\xff\xd8")
    for value in ("", "none.png", "https://x.example/a.png"):
        assert backgrounds.look(shared.settings.home, value) is None
