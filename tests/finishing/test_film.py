import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing import make_film
from heygen_nb.preview import EspeakVoice, Scene, probe_video, read_sound
from heygen_nb.preview.video import pictures_at

SCRIPT = "A film without an avatar. Its words are said by a voice, and seen."


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "said.wav"
    speech = EspeakVoice().speak(SCRIPT)
    with av.open(str(path), "w") as written:
        stream = written.add_stream("pcm_s16le", rate=speech.sample_rate)
        stream.layout = "mono"
        samples = (speech.samples * 32767).astype("int16")[None, :]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = speech.sample_rate
        written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    return path


def same_length(path, sound):
    facts = probe_video(path)
    assert facts.duration_s == pytest.approx(read_sound(sound).duration_s, abs=0.08)
    return facts


@pytest.mark.parametrize("background", [None, "#ffffff", "picture"])
def test_a_voice_and_a_background_are_a_film(background, sound, tmp_path):
    if background == "picture":
        background = tmp_path / "wall.png"
        Image.new("RGB", (90, 160), (30, 90, 120)).save(background)
    scene = Scene(script=SCRIPT, background=background, short_side_px=360)

    made = tmp_path / "film.mp4"
    make_film(sound, made, scene)

    facts = same_length(made, sound)
    assert (facts.width, facts.height, facts.channels) == (360, 640, 1)
    srt = made.with_suffix(".srt").read_text().replace("\n", " ")
    assert "without an avatar." in srt


def test_bars_are_there_only_if_they_are_wished_and_words_come_later(sound, tmp_path):
    def spread(**wishes):
        scene = Scene(script=SCRIPT, background="#204060", short_side_px=240, **wishes)
        make_film(sound, tmp_path / "film.mp4", scene)
        (picture,) = pictures_at(tmp_path / "film.mp4", [1.0])
        return np.asarray(picture.convert("L")).astype(int).std()

    plain = spread(bars=False)

    assert plain < 1.5
    assert spread(bars=True) > plain + 1


def test_silence_brings_a_film_to_its_length(sound, tmp_path):
    said_s = read_sound(sound).duration_s
    scene = Scene(script=SCRIPT, short_side_px=240)

    film, said = make_film(sound, tmp_path / "film.mp4", scene, length_s=said_s + 2)

    assert film.duration_s == pytest.approx(said_s + 2, abs=0.05)
    assert said.duration_s == pytest.approx(said_s, abs=0.01)
    assert said.words[-1].end_s == pytest.approx(said_s, abs=0.3)


def test_a_moving_background_begins_again_at_its_end(sound, tmp_path):
    loop = tmp_path / "loop.mp4"
    with av.open(str(loop), "w") as written:
        stream = written.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(10):  # a second: black, then white
            grey = np.full((180, 320, 3), 255 * (number >= 5), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    scene = Scene(script=SCRIPT, background=loop, short_side_px=240)

    make_film(sound, tmp_path / "film.mp4", scene)

    shown = pictures_at(tmp_path / "film.mp4", [0.2, 0.7, 2.2, 2.7])
    greys = [np.asarray(picture.convert("L")).mean() for picture in shown]
    assert greys[0] < 20 > greys[2]
    assert greys[1] > 235 < greys[3]
    assert shown[0].size == (240, 426)
