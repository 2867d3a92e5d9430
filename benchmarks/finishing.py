"""How fast a film is finished: against moviepy 2 doing the same, and x264 alone.

    python benchmarks/finishing.py [RUNS]        # 1 by default; about 3 minutes

The same 30 s of 1080x1920 get captions and -14 LUFS. moviepy encodes once as its
documentation has it and once with our settings, x264 alone with ours too. A run is a
process of its own; wall and CPU seconds and memory are those of the whole process and
its children.
"""

# ruff: noqa: PLC0415 - each way imports only its own

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from preview import LENGTH_S, SCRIPT, measure

SIZE = (1080, 1920)


def prepare(folder: Path) -> None:
    """Make a film like HeyGen's: a picture that moves everywhere, and stereo AAC."""
    import av
    import numpy as np
    from PIL import Image, ImageFilter

    from heygen_nb.finishing import timed_by_ear
    from heygen_nb.preview import EspeakVoice

    speech = EspeakVoice().speak(SCRIPT)
    speech = speech.padded(LENGTH_S - speech.duration_s)
    noise = np.random.default_rng(1).integers(60, 190, (240, 140, 3), np.uint8)
    wall = Image.fromarray(noise).resize((SIZE[0] + 60, SIZE[1] + 60))
    wall = wall.filter(ImageFilter.GaussianBlur(5))
    with av.open(str(folder / "film.mp4"), "w") as written:
        video = written.add_stream("libx264", rate=25)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.options = {"preset": "veryfast", "crf": "21"}
        audio = written.add_stream("aac", rate=48_000)
        audio.layout = "stereo"
        said = av.AudioFrame.from_ndarray(speech.samples[None] * 0.3, "fltp", "mono")
        said.sample_rate = speech.sample_rate
        for part in av.AudioResampler("fltp", "stereo", 48_000).resample(said):
            written.mux(audio.encode(part))
        for number in range(round(LENGTH_S * 25)):
            x = round(30 + 29 * np.sin(number / 20))
            y = round(30 + 29 * np.cos(number / 31))
            image = wall.crop((x, y, x + SIZE[0], y + SIZE[1]))
            written.mux(video.encode(av.VideoFrame.from_image(image)))
        written.mux(video.encode(None))
        written.mux(audio.encode(None))
    words = [
        (w.text, w.start_s, w.end_s) for w in timed_by_ear(SCRIPT, speech) if w.end_s
    ]
    (folder / "words.json").write_text(json.dumps(words))


def ours(folder: Path) -> float:
    """Return the CPU seconds without those of starting Python."""
    from heygen_nb.finishing import Finish, finish

    before = time.process_time()
    finish(folder / "film.mp4", folder / "ours.mp4", Finish(script=SCRIPT))
    return time.process_time() - before


def moviepy(folder: Path, **encoding: Any) -> None:
    """Clips of text with a start and an end, as its documentation composes."""
    from moviepy import CompositeVideoClip, TextClip, VideoFileClip
    from moviepy.audio.fx import AudioNormalize

    font = Path(__file__).parents[1] / "heygen_nb/preview/fonts/NotoSans.ttf"
    words = json.loads((folder / "words.json").read_text())
    film = VideoFileClip(str(folder / "film.mp4"))
    clips: list[Any] = [film]
    for start in range(0, len(words), 7):
        page = words[start : start + 7]
        text = " ".join(word for word, _start, _end in page)
        clip = TextClip(
            font=str(font),
            text=text,
            font_size=73,
            color="white",
            stroke_color="black",
            stroke_width=3,
            method="caption",
            size=(864, 350),
        )
        clip = clip.with_position((108, 1180)).with_start(page[0][1])
        clips.append(clip.with_end(max(page[-1][2], page[0][1] + 0.2)))
    made = CompositeVideoClip(clips).with_effects([])
    made = made.with_audio(film.audio.with_effects([AudioNormalize()]))
    made.write_videofile(
        str(folder / "moviepy.mp4"),
        fps=25,
        audio_codec="aac",
        temp_audiofile_path=str(folder),
        logger=None,
        **encoding,
    )


def moviepy_as_ours(folder: Path) -> None:
    """The same, encoded as we do."""
    from heygen_nb.finishing.film import BY_QUALITY

    options = dict(BY_QUALITY)
    preset = options.pop("preset")
    more = [part for name, value in options.items() for part in (f"-{name}", value)]
    moviepy(folder, preset=preset, ffmpeg_params=more)


def x264_alone(folder: Path, **options: str) -> float:
    """Return the CPU seconds of encoding the same pictures, and of nothing else."""
    import av

    from heygen_nb.finishing.film import BY_QUALITY

    spent = 0.0
    with (
        av.open(str(folder / "film.mp4")) as read,
        av.open("/dev/null", "w", "mp4") as to,
    ):
        video = to.add_stream("libx264", rate=25)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.options = options or BY_QUALITY
        video.codec_context.thread_count = 2
        for frame in read.decode(video=0):
            frame.pict_type = 0
            before = time.process_time()
            video.encode(frame)
            spent += time.process_time() - before
        before = time.process_time()
        video.encode(None)
        return spent + time.process_time() - before


WAYS = {
    "ours": ours,
    "moviepy 2": moviepy,
    "moviepy 2, encoding as ours": moviepy_as_ours,
    "x264 alone": x264_alone,
    "x264 veryfast crf 20": partial(x264_alone, preset="veryfast", crf="20"),
}


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        seen: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _run in range(runs):
            for way, results in seen.items():
                results.append(measure(way, folder, __file__))
        size = {file.name: file.stat().st_size / 1e6 for file in folder.glob("*.mp4")}
    middle = {
        way: {key: statistics.median(r[key] for r in results) for key in results[0]}
        for way, results in seen.items()
    }
    us = middle["ours"]
    print(f"median of {runs}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")
    for way in list(WAYS)[:3]:
        one = middle[way]
        line = f"{one['wall']:6.1f} s {one['cpu']:6.1f} CPU s {one['mb']:5.0f} MB"
        wall, cpu = one["wall"] / us["wall"], one["cpu"] / us["cpu"]
        print(f"{way:28}{line}  {wall:5.1f}x by wall, {cpu:.1f}x by CPU")
    for way in list(WAYS)[3:]:
        told, whole = middle[way]["told"], middle[way]["cpu"]
        line = f"{us['told'] / told:.2f}x its CPU, {us['cpu'] / whole:.2f}x"
        print(f"ours against {way}: {line} with reading the film")
    print("MB:", ", ".join(f"{name} {mb:.1f}" for name, mb in size.items()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        told = WAYS[sys.argv[2]](Path(sys.argv[3]))
        if told:
            print(told)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
