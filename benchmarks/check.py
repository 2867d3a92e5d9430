"""What the check finds, and what it finds where nothing is: kinds x films.

    python benchmarks/check.py [FILMS]        # 200 by default; about 20 minutes

Good films of many settings are made as the sandbox makes them and finished; each is
then spoiled in every way. A number is how often a kind was told.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
from PIL import Image

from heygen_nb.finishing import Finish, check_film, finish, timed_by_ear
from heygen_nb.preview import EspeakVoice, Scene, render_scene

TEXTS = (
    (
        "Every word lights up exactly when it is spoken, so a bad line is heard early."
        " Try it with your own script: change a sentence, press the button, and watch."
    ),
    (
        "Сегодня мы говорим о простых вещах: сон, прогулка и стакан воды. Начните с"
        " одной привычки, и через месяц вы удивитесь, как легко стало вставать."
    ),
    (
        "Three tips for a calm Monday. 1️⃣ Write down what worries you. 2️⃣ Drink water."
        " 3️⃣ Walk for ten minutes, without your phone. See you tomorrow! 🎉"
    ),
    (
        "Всего 1 250 рублей, и доставка завтра! Закажите на сайте или позвоните нам с 9"
        " до 18. Мы ответим на все вопросы и поможем выбрать подходящее."
    ),
)
COLOURS = (None, "#ffffff", "#101820", "#f7c9b6", "#0a7d4f", "#000000", "picture")
RATIOS = ("9:16", "16:9", "1:1", "4:5", "5:4")


def photo(folder: Path, number: int) -> Path:
    """Draw something like a photo."""
    noise = np.random.default_rng(number).integers(0, 255, (9, 9, 3), np.uint8)
    path = folder / f"photo{number}.png"
    Image.fromarray(noise).resize((900, 900), Image.Resampling.BICUBIC).save(path)
    return path


def spoil(source: Path, target: Path, change: Any) -> None:
    """Write the film again with other pictures."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        picture, sound = read.streams.video[0], read.streams.audio[0]
        video = written.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = (
            picture.width,
            picture.height,
            "yuv420p",
        )
        video.codec_context.time_base = picture.time_base
        video.options = {"preset": "ultrafast"}
        audio = written.add_stream_from_template(sound)
        for packet in read.demux([picture, sound]):
            if packet.stream is sound:
                if packet.dts is not None:
                    packet.stream = audio
                    written.mux(packet)
                continue
            for frame in packet.decode():
                made = change(frame, frame.time / float(read.duration / av.time_base))
                made.pts, made.pict_type = frame.pts, 0
                made.time_base = frame.time_base
                written.mux(video.encode(made))
        written.mux(video.encode(None))


def black(frame: av.VideoFrame, share: float) -> av.VideoFrame:
    if share < 0.3:
        return frame
    made = np.zeros((frame.height, frame.width, 3), np.uint8)
    return av.VideoFrame.from_ndarray(made).reformat(format="yuv420p")


def freezer() -> Any:
    held: list[np.ndarray] = []

    def freeze(frame: av.VideoFrame, share: float) -> av.VideoFrame:
        if share < 0.4:
            return frame
        held.append(frame.to_ndarray()) if not held else None
        return av.VideoFrame.from_ndarray(held[0], "yuv420p")

    return freeze


def one(number: int, folder: Path) -> tuple[dict[str, list[str]], float]:
    """Make a good film and its spoiled ones; return what is told of each."""
    random = Random(number)
    script, speed = random.choice(TEXTS), random.uniform(0.75, 1.3)
    ratio, background = random.choice(RATIOS), random.choice(COLOURS)
    kept: Any = photo(folder, number) if background == "picture" else background
    voice = EspeakVoice(
        variant=random.choice([None, "f2", "m3"]), pitch=random.randint(30, 70)
    )
    speech = voice.speak(script, speed=speed)
    scene = Scene(
        script=script,
        aspect_ratio=ratio,
        short_side_px=random.choice([240, 360, 480]),
        background=kept,
        use_avatar=random.random() < 0.7,
        captions=False,
        badge="SANDBOX",
    )
    wish = Finish(
        script=script,
        words=speech.words if random.random() < 0.5 else (),
        with_avatar=scene.use_avatar,
        lit=random.random() < 0.8,
    )
    base = folder / str(number)
    base.mkdir()

    def film(name: str, scene: Scene = scene, said: Any = speech) -> Path:
        plain = base / f"{name}-plain.mp4"
        render_scene(scene, plain, speech=said)
        finish(plain, base / f"{name}.mp4", wish)
        return base / f"{name}.mp4"

    plain = render_scene(scene, base / "plain.mp4", speech=speech)
    good = film("good")
    look = partial(check_film, ratio=ratio, speed=speed, background=kept)
    wish = replace(wish, words=wish.words or timed_by_ear(script, speech))
    part = replace(speech, samples=speech.samples[: len(speech.samples) * 2 // 5])
    quiet = replace(speech, samples=speech.samples * 0)
    films = {
        "good": good,
        "cut": film("cut", said=part),
        "silent": film("silent", said=quiet),
        "captions": base / "plain.mp4",
    }
    spoil(good, base / "black.mp4", black)
    spoil(good, base / "frozen.mp4", freezer())
    films |= {"black": base / "black.mp4", "frozen": base / "frozen.mp4"}
    other = replace(scene, aspect_ratio="1:1" if ratio != "1:1" else "9:16")
    films["size"] = film("size", other)
    if kept:
        wrong = "#c83c28" if random.random() < 0.5 else "#7a7f88"
        films["background"] = film("background", replace(scene, background=wrong))
    began = time.process_time()
    look(good, wish, base / "frames")
    spent = (time.process_time() - began) / plain.duration_s
    told = {
        kind: [f.kind for f in look(path, wish, base / "frames")]
        for kind, path in films.items()
    }
    if told["good"] or any(k not in told[k] for k in films if k != "good"):
        print(number, ratio, background, scene.use_avatar, told, flush=True)
    return told, spent


def main(films: int) -> None:
    found, made, false = Counter[str](), Counter[str](), Counter[str]()
    spent = []
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(2) as pool:
        for told, cost in pool.map(partial(one, folder=Path(name)), range(films)):
            spent.append(cost)
            false.update(told.pop("good"))
            for kind, kinds in told.items():
                made[kind] += 1
                found[kind] += kind in kinds
    print(f"{'':12}{'found':>14}{'false alarms':>14}")
    for kind in made:
        share = f"{found[kind]}/{made[kind]}"
        print(f"{kind:12}{share:>14}{false[kind]:>8}/{films}")
    print(f"CPU seconds a second of film: {np.median(spent):.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
