"""How fast the animatic is: against moviepy 2, against real time, against x264.

    python benchmarks/preview.py [RUNS]        # 3 by default; about 8 minutes

Every way draws the same scene from the same speech: 30 s, 25 frames a second, of
which 12.5 a second differ, plus one for each word. A run is a process of its own;
wall and CPU seconds and memory are those of the whole process and its children,
imports included. Ways take turns, so that a slow minute of the machine hits all.
"""

# ruff: noqa: PLC0415, SLF001 - each way imports only its own; parts are borrowed

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SCRIPT = (
    "Every word lights up exactly when it is spoken, so a bad line is heard before a"
    " cent is spent. Try it with your own script: change a sentence, press the button,"
    " and watch the result a moment later. Numbers such as 1,250 or 45% are fine, too."
    " Nothing leaves this machine, and nothing is paid. When the words are right, the"
    " same script goes to HeyGen, and a real presenter says it. Not before. That is all"
    " there is to it: write, look, decide."
)
LENGTH_S = 30.0
FPS = 25


def scene(side: int = 1080) -> Any:
    from heygen_nb.preview import Scene

    return Scene(script=SCRIPT, short_side_px=side)


def text_to_files(folder: Path, side: int) -> float:
    """Return the length of the video; nothing is prepared, the voice included."""
    from heygen_nb.preview import render_scene

    return render_scene(scene(side), folder / "ours.mp4").duration_s


def ours(folder: Path) -> float:
    """Return the CPU seconds without those of starting Python."""
    from heygen_nb.preview import render_scene

    speech = pickle.loads((folder / "speech").read_bytes())
    before = time.process_time()
    render_scene(scene(), folder / "ours.mp4", speech=speech)
    return time.process_time() - before


def floor(folder: Path) -> float:
    """Return the CPU seconds x264 alone needs for frames that are in memory."""
    from fractions import Fraction

    import av
    import numpy as np

    from heygen_nb.preview import video
    from heygen_nb.preview.scene import Stage

    speech = pickle.loads((folder / "speech").read_bytes())
    stage = Stage(scene(), speech)
    frame, spent, kept = av.VideoFrame(*scene().size, "yuv420p"), 0.0, []
    shown = video.planes_of(frame)
    planes = tuple(np.zeros_like(plane) for plane in shown)
    with video.new_mp4(folder / "floor.mp4") as container:
        stream = video.add_picture(container, scene().size, FPS, Fraction(1, FPS))
        stream.options = {"preset": "ultrafast", "qp": video._QP}
        for number in range(stage.frame_count):
            if stage.paint(number, planes):
                kept.append((number, [plane.copy() for plane in planes]))
            if len(kept) < 60 and number < stage.frame_count - 1:
                continue
            for position, held in kept:
                for target, plane in zip(shown, held, strict=True):
                    target[:] = plane
                frame.pts = position
                before = time.process_time()
                container.mux(stream.encode(frame))
                spent += time.process_time() - before
            kept = []
        before = time.process_time()
        container.mux(stream.encode(None))
    return spent + time.process_time() - before


class Pieces:
    """The scene's parts as RGB arrays, for whoever draws with moviepy."""

    def __init__(self, folder: Path) -> None:
        from unittest import mock

        import numpy as np

        from heygen_nb.preview import drawing, scene as stage

        class Pixels:
            def __init__(self, image: Any, x: int = 0, y: int = 0) -> None:
                self.x, self.y, self.array = x, y, np.asarray(image.convert("RGB"))
                self.cover = None
                if image.mode == "RGBA":
                    self.cover = np.asarray(image.getchannel("A"), np.uint16)[..., None]

            def put_on(self, canvas: Any, right: int = 0) -> None:
                height, width = self.array.shape[:2]
                x = self.x + right
                place = canvas[self.y : self.y + height, x : x + width]
                if self.cover is None:
                    place[:] = self.array
                    return
                mixed = self.array * self.cover + place * (255 - self.cover)
                place[:] = mixed // 255

        self.speech = pickle.loads((folder / "speech").read_bytes())
        mock.patch.object(drawing, "to_patch", Pixels).start()
        mock.patch.object(stage, "to_patch", Pixels).start()
        self.stage = stage.Stage(scene(), self.speech)
        width, height = scene().size
        self.canvas = np.zeros((height, width, 3), np.uint8)


def sound(folder: Path) -> Any:
    from moviepy import AudioFileClip

    return AudioFileClip(str(folder / "speech.wav"))


def moviepy_documented(folder: Path) -> None:
    """Clips with a start and an end on each other, as its documentation composes."""
    from moviepy import CompositeVideoClip, ImageClip, TextClip, VideoClip

    from heygen_nb.preview.drawing import _FONTS, lay_out, text_width

    pieces = Pieces(folder)
    stage, layout = pieces.stage, lay_out(*scene().size)
    size, box = layout.font_px, layout.captions
    font = str(_FONTS / "NotoSans.ttf")
    clips = [ImageClip(stage._base.array)]

    def face(time_s: float) -> Any:
        step = min(int(time_s * FPS) // 2, len(stage._levels) - 1)
        ring = stage._rings[round(stage._swell[step] * 4)].array.copy()
        mouth = stage._parts[round(stage._levels[step] * 7)]
        y, x = mouth.y - layout.avatar.y, mouth.x - layout.avatar.x
        height, width = mouth.array.shape[:2]
        ring[y : y + height, x : x + width] = mouth.array
        return ring

    def bars(time_s: float) -> Any:
        step = min(int(time_s * FPS) // 2, len(stage._levels) - 1)
        recent = stage._levels[max(step - 11, 0) : step + 1][::-1]
        stage._meter.paint(recent, pieces.canvas)
        x0, y0, x1, y1 = layout.meter.corners
        return pieces.canvas[y0:y1, x0:x1]

    stage._base.put_on(pieces.canvas)
    for draw, place in ((face, layout.avatar), (bars, layout.meter)):
        clip = VideoClip(draw, duration=LENGTH_S)
        clips.append(clip.with_position((place.x, place.y)))
    for page in stage.pages:
        top = box.y + (box.height - len(page.lines) * layout.line_px) / 2
        for row, line in enumerate(page.lines):
            widths = [text_width(word.text, size) for word in line]
            x = (
                box.x
                + (box.width - sum(widths) - layout.space_px * (len(line) - 1)) / 2
            )
            y = round(top + layout.line_px * row)
            for word, width in zip(line, widths, strict=True):
                text = {
                    "font": font,
                    "text": word.text,
                    "font_size": size,
                    "margin": (8, 12),
                }
                at = (round(x) - 8, y)
                plain = TextClip(color="white", **text).with_position(at)
                clips.append(plain.with_start(page.start_s).with_end(page.end_s))
                if word.end_s > word.start_s:
                    lit = TextClip(color="#181424", bg_color="#ffcc40", **text)
                    lit = lit.with_position(at).with_start(word.start_s)
                    clips.append(lit.with_end(word.end_s))
                x += width + layout.space_px
    video = CompositeVideoClip(clips).with_duration(LENGTH_S)
    video.with_audio(sound(folder)).write_videofile(
        str(folder / "moviepy.mp4"), fps=FPS, audio_codec="aac", logger=None
    )


def moviepy_tuned(folder: Path) -> None:
    """One canvas, patched by hand, and x264's fastest preset."""
    from moviepy import VideoClip

    pieces = Pieces(folder)
    drawn = -1

    def frame(time_s: float) -> Any:
        nonlocal drawn
        number = min(round(time_s * FPS), pieces.stage.frame_count - 1)
        while drawn < number:
            drawn += 1
            pieces.stage.paint(drawn, pieces.canvas)
        return pieces.canvas

    video = VideoClip(frame, duration=LENGTH_S)
    video.with_audio(sound(folder)).write_videofile(
        str(folder / "tuned.mp4"),
        fps=FPS,
        audio_codec="aac",
        preset="ultrafast",
        logger=None,
    )


WAYS = {
    "moviepy 2, as documented": moviepy_documented,
    "moviepy 2, tuned by hand": moviepy_tuned,
    "ours": ours,
    "x264 alone": floor,
    "text to files, 1080": lambda folder: text_to_files(folder, 1080),
    "text to files, 720": lambda folder: text_to_files(folder, 720),
}


def prepare(folder: Path) -> None:
    """Speak once; cut or pad to 30 s."""
    import av

    from heygen_nb.preview import EspeakVoice

    speech = EspeakVoice().speak(SCRIPT)
    speech = speech.padded(LENGTH_S - speech.duration_s)
    (folder / "speech").write_bytes(pickle.dumps(speech))
    with av.open(str(folder / "speech.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=speech.sample_rate)
        stream.layout = "mono"
        samples = (speech.samples * 32767).astype("int16")[None, :]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = speech.sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    print(f"{speech.duration_s:.1f} s of speech, {len(speech.words)} words")


def measure(way: str, folder: Path, program: str = __file__) -> dict[str, float]:
    """Run one way in a process of its own; watch its memory and its children's."""
    import psutil

    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, program, "--way", way, str(folder)], stdout=subprocess.PIPE
    )
    family, peak = psutil.Process(process.pid), 0
    while True:
        pid, _status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        try:
            members = [family, *family.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in members))
        except psutil.Error:
            pass
        time.sleep(0.02)
    wall = time.perf_counter() - began
    output = process.stdout.read().decode()
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mb": peak / 1e6,
        "told": float(output or 0),
    }


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        seen: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _run in range(runs):
            for way, results in seen.items():
                results.append(measure(way, folder))
    middle = {
        way: {key: statistics.median(r[key] for r in results) for key in results[0]}
        for way, results in seen.items()
    }
    middle["x264 alone"]["cpu"] = middle["x264 alone"]["told"]
    report(middle, runs)


def report(middle: dict[str, dict[str, float]], runs: int) -> None:
    print(f"median of {runs}, 1080x1920 if not said otherwise, {os.cpu_count()} cores")
    print(f"{'':26}{'wall s':>8}{'CPU s':>8}{'MB':>6}{'x real time':>13}")
    for way, m in middle.items():
        alone = way == "x264 alone"
        wall = "" if alone else f"{m['wall']:.2f}"
        memory = "" if alone else f"{m['mb']:.0f}"
        length = m["told"] if way.startswith("text") else LENGTH_S
        speed = "" if alone else f"{length / m['wall']:.1f}"
        print(f"{way:26}{wall:>8}{m['cpu']:8.2f}{memory:>6}{speed:>13}")
    us, floor_cpu = middle["ours"], middle["x264 alone"]["cpu"]
    for way in ("moviepy 2, as documented", "moviepy 2, tuned by hand"):
        wall, cpu = middle[way]["wall"] / us["wall"], middle[way]["cpu"] / us["cpu"]
        print(f"ours against {way}: {wall:.1f}x faster by wall, {cpu:.1f}x by CPU")
    print(f"ours against x264 alone: {us['told'] / floor_cpu:.2f}x its CPU")
    print(f"    with starting Python: {us['cpu'] / floor_cpu:.2f}x")
    print(json.dumps(middle))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        told = WAYS[sys.argv[2]](Path(sys.argv[3]))
        if told:
            print(told)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
