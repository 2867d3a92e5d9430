import io
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from heygen_nb.preview import EspeakVoice, Narration, Scene, Word, render_scene

ENGLISH = (
    "Every word lights up exactly when it is spoken. 🎉 Numbers such as 1,250 or"
    " 45% are fine, too."
)


class Decoded:
    """A whole MP4 in memory: facts, packets, pictures with times, and the sound."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            self.duration_s = container.duration / av.time_base
            self.video_s = float(video.duration * video.time_base)
            self.audio_s = float(audio.duration * audio.time_base)
            context = video.codec_context
            self.pix_fmt = context.pix_fmt
            self.colours = (
                int(context.color_primaries),
                int(context.color_trc),
                int(context.colorspace),
                int(context.color_range),
            )
            self.packets = [
                (packet.pos, packet.stream.type, float(packet.dts * packet.time_base))
                for packet in container.demux()
                if packet.dts is not None
            ]
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
            self.times = [frame.time for frame in frames]
            self.frames = [frame.to_ndarray(format="yuv420p") for frame in frames]
        with av.open(str(path)) as container:
            sound = list(container.decode(audio=0))
            self.rate = sound[0].sample_rate
            self.samples = np.concatenate([part.to_ndarray()[0] for part in sound])


@pytest.fixture(scope="session")
def render():
    """Render a scene; return its three files and what the film is."""

    def render(scene, output, **given):
        facts = render_scene(scene, output, **given)
        files = {
            "path": output,
            "subtitles": output.with_suffix(".srt"),
            "thumbnail": output.with_suffix(".jpg"),
        }
        return SimpleNamespace(**files, **asdict(facts))

    return render


@pytest.fixture(scope="session")
def short_video(tmp_path_factory, render):
    speech = EspeakVoice().speak(ENGLISH)
    output = tmp_path_factory.mktemp("short") / "short.mp4"
    rendered = render(Scene(script=ENGLISH), output, speech=speech)
    return rendered, speech, Decoded(rendered.path)


@pytest.fixture
def decode():
    return Decoded


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def picture():
    """A picture with sharp shapes, as bytes."""
    image = Image.new("RGB", (900, 1200), (30, 90, 120))
    draw = ImageDraw.Draw(image)
    draw.ellipse((250, 150, 650, 600), (240, 210, 180))
    draw.rectangle((100, 700, 800, 1200), (200, 60, 60))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def tone():
    """A speech made of numbers, so that a picture of it is the same everywhere."""

    def make(text, word_s=0.4, gap_s=0.1, rate=22_050):
        words, now = [], 0.0
        for word in text.split():
            words.append(Word(word, now, now + word_s))
            now += word_s + gap_s
        time = np.arange(round(now * rate)) / rate
        beat = np.abs(np.sin(np.pi * time / (word_s + gap_s)))
        wave = np.sin(2 * np.pi * 220 * time) * beat * 0.5
        return Narration(wave.astype(np.float32), rate, tuple(words))

    return make
