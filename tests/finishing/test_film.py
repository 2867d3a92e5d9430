import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing.film import Narrated, make_film
from heygen_nb.preview import EspeakVoice, probe_video, read_sound
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
    wish = Narrated(script=SCRIPT, background=background, short_side_px=360)

    made = make_film(sound, tmp_path / "film.mp4", wish)

    facts = same_length(made, sound)
    assert (facts.width, facts.height, facts.channels) == (360, 640, 1)
    srt = made.with_suffix(".srt").read_text().replace("\n", " ")
    assert "without an avatar." in srt


def test_bars_and_captions_are_there_only_if_they_are_wished(sound, tmp_path):
    def spread(**wishes):
        wish = Narrated(
            script=SCRIPT, background="#204060", short_side_px=240, **wishes
        )
        made = make_film(sound, tmp_path / "film.mp4", wish)
        (picture,) = pictures_at(made, [1.0])
        return np.asarray(picture.convert("L")).astype(int).std()

    plain = spread(bars=False, captions=False)

    assert plain < 1.5
    assert spread(bars=True, captions=False) > plain + 1
    assert spread(bars=False, captions=True) > plain + 1
