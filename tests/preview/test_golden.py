"""Frames compared with those in ``golden/``, so that a change of looks is seen.

After a wanted change: delete the pictures, run this once (it fails and draws
them), look at them, commit them.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygen_nb.preview import Scene
from heygen_nb.preview.scene import Stage

GOLDEN = Path(__file__).parent / "golden"
FRAME = 40

SCENES = {
    "vertical-en": ("Every word lights up when it is spoken 🎉", {}),
    "vertical-ru-light": (
        "Каждое слово загорается вовремя",
        {"background": "#fdf1e3-#f7c9b6"},
    ),
    "wide": ("Wide pictures for a course", {"aspect_ratio": "16:9"}),
    "square-background-only": (
        "Только фон и слова",
        {"aspect_ratio": "1:1", "use_avatar": False, "badge": "SANDBOX"},
    ),
    "photo": ("A picture of the look", {"aspect_ratio": "4:5"}),
}


def frame_of(name, tone, picture, text=None):
    script, looks = SCENES[name]
    if name == "photo":
        looks = looks | {"avatar_image": picture, "background": picture}
    stage = Stage(Scene(script="-", short_side_px=360, **looks), tone(text or script))
    width, height = Scene(script="-", short_side_px=360, **looks).size
    planes = tuple(
        np.zeros((height >> shift, width >> shift), np.uint8) for shift in (0, 1, 1)
    )
    for frame in range(FRAME + 1):
        stage.paint(frame, planes)
    y, u, v = planes
    doubled = [y] + [plane.repeat(2, 0).repeat(2, 1) for plane in (u, v)]
    merged = Image.merge("YCbCr", [Image.fromarray(plane) for plane in doubled])
    return merged.convert("RGB").reduce(2)


def kept(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def difference(one, other):
    """Mean difference of the worst patch of 6x6 pixels; letters may shift by one."""
    if one.size != other.size:
        return 255.0
    apart = np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max(axis=2)
    return float(np.asarray(Image.fromarray(apart.astype(np.uint8)).reduce(6)).max())


@pytest.mark.parametrize("name", SCENES)
def test_the_frame_looks_as_it_did(name, tone, picture):
    path = GOLDEN / f"{name}.png"
    drawn = frame_of(name, tone, picture)
    if not path.exists():
        GOLDEN.mkdir(exist_ok=True)
        drawn.save(path, optimize=True)
        pytest.fail(f"{path.name} was drawn: look at it and commit it")

    assert difference(drawn, kept(path)) < 48


def test_the_comparison_sees_other_words(tone, picture):
    drawn = frame_of("wide", tone, picture, "Wide pictures for the class")

    assert difference(drawn, kept(GOLDEN / "wide.png")) > 48
