"""Draw docs/images/animatic.png: the animatic's looks side by side.

    python benchmarks/looks/contact_sheet.py [OUT.png]

Each picture is a frame of a video that was rendered, encoded and decoded. The
portrait and the relief come with matplotlib (public domain).
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from matplotlib import cbook
from matplotlib.colors import LightSource
from PIL import Image

from heygen_nb.preview import Scene, render_scene

HEIGHT, GAP, PAPER = 480, 16, (246, 246, 250)
MAX_BYTES = 400_000


def portrait() -> bytes:
    with cbook.get_sample_data("grace_hopper.jpg") as picture:
        return picture.read()


def landscape() -> bytes:
    heights = cbook.get_sample_data("jacksboro_fault_dem.npz")["elevation"]
    import matplotlib as mpl  # noqa: PLC0415 - the colours only

    shaded = LightSource(315, 45).shade(
        heights, mpl.colormaps["copper"], vert_exag=0.05, blend_mode="soft"
    )
    image = Image.fromarray((shaded[:, :, :3] * 255).astype(np.uint8))
    data = io.BytesIO()
    image.resize((1600, 1400), Image.Resampling.BICUBIC).save(data, "PNG")
    return data.getvalue()


def scenes() -> list[list[tuple[float, dict[str, Any]]]]:
    return [
        [
            (1.1, {"script": "Every word lights up exactly when it is spoken. 🎉"}),
            (
                1.6,
                {
                    "script": "Каждое слово загорается тогда, когда его произносят.",
                    "avatar_image": portrait(),
                },
            ),
            (
                1.0,
                {
                    "script": "Светлый фон тоже хорош: буквы становятся тёмными.",
                    "background": "#fdf1e3-#f7c9b6",
                },
            ),
            (
                1.2,
                {
                    "script": "Background only, and the words carry it. 🚀",
                    "use_avatar": False,
                    "background": landscape(),
                },
            ),
        ],
        [
            (
                1.2,
                {
                    "script": "Wide pictures suit a course or a web page.",
                    "aspect_ratio": "16:9",
                    "background": "#0b3b46-#0f7a6c",
                },
            ),
            (
                1.5,
                {
                    "script": "Достопримечательности Санкт-Петербурга за минуту ✨",
                    "aspect_ratio": "1:1",
                    "background": landscape(),
                    "avatar_image": portrait(),
                },
            ),
        ],
        [
            (0.3, {"script": "Hi!", "aspect_ratio": "1:1", "background": "#e9edf5"}),
            (
                1.1,
                {
                    "script": "Marked as the sandbox's, without an avatar.",
                    "aspect_ratio": "16:9",
                    "use_avatar": False,
                    "badge": "SANDBOX",
                },
            ),
        ],
    ]


def frame_at(path: Path, time_s: float) -> Image.Image:
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            if frame.time >= time_s:
                break
        return Image.fromarray(
            frame.reformat(src_colorspace="ITU709", format="rgb24").to_ndarray()
        )


def row(pictures: list[tuple[float, dict[str, Any]]], folder: Path) -> Image.Image:
    shots = []
    for number, (time_s, looks) in enumerate(pictures):
        film = folder / f"{number}.mp4"
        render_scene(Scene(**looks), film)
        shot = frame_at(film, time_s)
        size = round(shot.width * HEIGHT / shot.height), HEIGHT
        shots.append(shot.resize(size, Image.Resampling.LANCZOS))
    width = sum(shot.width + GAP for shot in shots) - GAP
    strip = Image.new("RGB", (width, HEIGHT), PAPER)
    x = 0
    for shot in shots:
        strip.paste(shot, (x, 0))
        x += shot.width + GAP
    return strip


def main() -> None:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/animatic.png")
    with tempfile.TemporaryDirectory() as folder:
        strips = [row(pictures, Path(folder)) for pictures in scenes()]
    width = strips[0].width
    strips = [s.resize((width, round(s.height * width / s.width))) for s in strips]
    height = sum(strip.height + GAP for strip in strips) + GAP
    sheet = Image.new("RGB", (width + 2 * GAP, height), PAPER)
    y = GAP
    for strip in strips:
        sheet.paste(strip, (GAP, y))
        y += strip.height + GAP
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(output, optimize=True)
    print(f"{output}: {sheet.size}, {output.stat().st_size // 1000} kB")
    if output.stat().st_size > MAX_BYTES:
        sys.exit("too big for the README")


if __name__ == "__main__":
    main()
