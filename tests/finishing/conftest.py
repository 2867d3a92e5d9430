import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.preview import EspeakVoice


@pytest.fixture(scope="session")
def make_film(tmp_path_factory):
    """Make films like HeyGen's: a moving picture, 25 a second, and stereo AAC."""

    def make(
        *,
        script="-",
        size=(360, 640),
        seconds=None,
        colour=(90, 110, 130),
        draw=None,
        gain=0.3,
        speech=None,
    ):
        path = tmp_path_factory.mktemp("film") / "film.mp4"
        speech = speech or EspeakVoice().speak(script)
        seconds = seconds or speech.duration_s
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as written:
            video = written.add_stream("libx264", rate=25)
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            video.options = {"crf": "20", "preset": "veryfast"}
            audio = written.add_stream("aac", rate=48_000)
            audio.layout = "stereo"
            samples = speech.padded(seconds - speech.duration_s).samples * gain
            said = av.AudioFrame.from_ndarray(samples[None, :], "fltp", "mono")
            said.sample_rate = speech.sample_rate
            for part in av.AudioResampler("fltp", "stereo", 48_000).resample(said):
                written.mux(audio.encode(part))
            for number in range(round(seconds * 25)):
                image = Image.new("RGB", size, colour)
                (draw or a_ball)(image, number)
                written.mux(video.encode(av.VideoFrame.from_image(image)))
            written.mux(video.encode(None))
            written.mux(audio.encode(None))
        return path

    return make


def a_ball(image, number):
    """Move a square through the upper part."""
    side = image.width // 6
    x = round((0.5 + 0.4 * np.sin(number / 9)) * (image.width - side))
    image.paste((200, 120, 80), (x, side, x + side, 2 * side))
