import io
import itertools

import numpy as np
import pytest
from PIL import Image

from heygen_nb.preview import Scene
from heygen_nb.preview.drawing import (
    ON_DARK,
    ON_LIGHT,
    lay_out,
    paint_background,
    palette_for,
    to_patch,
)
from heygen_nb.preview.scene import Stage, loudness

SIZES = [(720, 1280), (1280, 720), (720, 720), (720, 900), (900, 720), (1080, 1920)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_avatar", [True, False])
@pytest.mark.parametrize("with_captions", [True, False])
def test_nothing_overlaps_and_all_is_in_the_picture(size, with_avatar, with_captions):
    layout = lay_out(*size, with_avatar=with_avatar, with_captions=with_captions)

    boxes = [layout.avatar, layout.meter, layout.captions]
    for box in boxes:
        left, top, right, bottom = box.corners
        assert 0 <= left <= right <= size[0]
        assert 0 <= top <= bottom <= size[1]
        assert not any(value % 2 for value in box.corners)
    for one, other in itertools.combinations(boxes, 2):
        apart = one.corners[3] <= other.y or other.corners[3] <= one.y
        assert apart or not one.height or not other.height


def test_a_phone_keeps_its_own_buttons_free():
    layout = lay_out(1080, 1920)

    assert layout.captions.corners[3] <= 1920 * 0.8
    assert (1080 - layout.text_width) / 2 >= 1080 * 0.09


def run(stage, frames, size=(720, 1280)):
    planes = tuple(
        np.zeros((size[1] >> shift, size[0] >> shift), np.uint8) for shift in (0, 1, 1)
    )
    changed = [stage.paint(number, planes) for number in range(frames)]
    return planes, changed


def test_the_picture_rests_in_silence(tone):
    speech = tone("word").padded(6)
    stage = Stage(Scene(script="-"), speech)

    _planes, changed = run(stage, 125)

    assert changed[0]
    assert sum(changed[75:]) <= 2  # a blink at most


def test_the_mouth_opens_with_the_voice(tone):
    box = lay_out(720, 1280).avatar
    speech = tone("word word")
    silent = tone("word word").padded(0)
    silent.samples[:] = 0

    def mouth(speech):
        planes, _changed = run(Stage(Scene(script="-"), speech), 7)
        middle = box.y + box.height // 2
        return planes[0][middle : middle + box.height // 4, 260:460].astype(int)

    assert np.abs(mouth(speech) - mouth(silent)).max() > 60


def test_a_picture_of_the_look_is_shown_with_its_upper_middle(picture, tone):
    box = lay_out(720, 1280).avatar
    scene = Scene(script="-", avatar_image=picture)

    (y, u, v), _changed = run(Stage(scene, tone("word")), 1)

    centre = box.x + box.width // 2, box.y + box.height // 2 - box.height // 8
    skin = to_patch(Image.new("RGB", (2, 2), (240, 210, 180))).planes
    seen = y[centre[1], centre[0]], u[centre[1] // 2, centre[0] // 2]
    assert seen == pytest.approx((skin[0][0, 0], skin[1][0, 0]), abs=2)
    assert v.shape == (640, 360)


@pytest.mark.parametrize(
    ("background", "palette"),
    [
        ("#ffffff", ON_LIGHT),
        ("#fdf1e3-#f7c9b6", ON_LIGHT),
        ("#101010", ON_DARK),
        (None, ON_DARK),
    ],
)
def test_letters_read_well_on_any_background(background, palette):
    picture = paint_background(background, 180, 320)

    assert palette_for(picture, (20, 200, 160, 260)) is palette


def test_a_bright_photo_is_darkened_under_the_captions():
    white = Image.new("RGB", (90, 160), "white")
    data = _png(white)

    picture = paint_background(data, 180, 320)

    assert palette_for(picture, (20, 200, 160, 260)) is ON_DARK


def test_a_see_through_picture_lies_on_white():
    picture = paint_background(_png(Image.new("RGBA", (9, 16))), 180, 320)

    assert min(picture.getpixel((5, 5))) > 150


def _png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def test_colours_become_what_bt709_says():
    for colour, expected in [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 0, 255), (32, 240, 118)),
    ]:
        planes = to_patch(Image.new("RGB", (2, 2), colour)).planes
        assert [int(p[0, 0]) for p in planes] == pytest.approx(expected, abs=1)


def test_loudness_is_relative(tone):
    speech = tone("a b c d")
    quiet = tone("a b c d")
    quiet.samples[:] *= 0.05

    assert loudness(speech, 0.08, 20) == pytest.approx(loudness(quiet, 0.08, 20), 1e-3)
