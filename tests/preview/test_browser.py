import functools
import http.server
import threading

import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing import Finish, finish
from heygen_nb.preview.video import pictures_at

# The system's browser; None is Playwright's own.
pytestmark = pytest.mark.browser

PLAY = """async () => {
  const video = document.querySelector("video");
  const file = await (await fetch("short.mp4")).blob();
  video.src = URL.createObjectURL(file);  // seekable, though this server has no ranges
  video.muted = true;
  await video.play();
  await new Promise(done => {
    video.ontimeupdate = () => video.currentTime > 0.3 && done();
  });
  const played = video.currentTime;
  video.pause();
  const shot = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 90; canvas.height = 160;
    const brush = canvas.getContext("2d");
    brush.drawImage(video, 0, 0, 90, 160);
    return Array.from(brush.getImageData(0, 0, 90, 160).data);
  };
  const seek = async time => {
    video.currentTime = time;
    let shown;  // a busy browser draws the picture later than it says it has sought
    do shown = await new Promise(done => video.requestVideoFrameCallback(
      (_now, picture) => done(picture.mediaTime)));
    while (Math.abs(shown - time) > 0.1);
    return shot();
  };
  const late = await seek(6.5), early = await seek(0.5);
  return {played, duration: video.duration, width: video.videoWidth, late, early,
          audio: video.webkitAudioDecodedByteCount};
}"""


@pytest.fixture
def site(video):
    """The folder of the video on a real port."""
    page = video.with_name("page.html")
    page.write_text("<video></video>")
    handler = functools.partial(Quiet, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page.html"
        server.shutdown()


@pytest.fixture
def video(request, short_video, tmp_path):
    """The animatic; or a film that was cut, lettered and made louder."""
    rendered, speech, _decoded = short_video
    if not getattr(request, "param", False):
        return rendered.path
    wish = Finish(words=speech.words, aspect_ratio="1:1", title="T", label="AI")
    return finish(rendered.path, tmp_path / "short.mp4", wish).path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_a_real_browser_plays_and_seeks(site, short_video, browser):
    _rendered, _speech, decoded = short_video

    page = browser.new_page()
    page.goto(site)
    seen = page.evaluate(PLAY)

    assert seen["played"] > 0.3
    assert seen["duration"] == pytest.approx(decoded.duration_s, abs=0.05)
    assert seen["width"] == 720
    assert seen["audio"] > 0
    assert _apart(seen["early"], decoded, 0.5) < 8
    assert _apart(seen["late"], decoded, 6.5) < 8
    assert _apart(seen["early"], decoded, 6.5) > 8


def _apart(pixels, decoded, time_s):
    """Mean difference of the browser's picture and ours at that time, in grey."""
    rgba = np.array(pixels, np.uint8).reshape(160, 90, 4)
    grey = np.asarray(Image.fromarray(rgba[:, :, :3]).convert("L"), float)
    index = max(i for i, t in enumerate(decoded.times) if t <= time_s + 1e-6)
    ours = Image.fromarray(decoded.frames[index][:1280]).resize((90, 160))
    luma = (np.asarray(ours, float) - 16) * 255 / 219
    return float(np.abs(grey - luma).mean())


@pytest.mark.soak
@pytest.mark.parametrize("video", [True], indirect=True)
def test_a_finished_film_plays_and_seeks_too_and_suits_telegram(site, video, browser):
    page = browser.new_page()
    page.goto(site)
    seen = page.evaluate(PLAY)

    assert seen["played"] > 0.3
    assert seen["width"] == 720
    assert seen["audio"] > 0
    shown = pictures_at(video, [0.5, 6.5])
    for pixels, picture in zip((seen["early"], seen["late"]), shown, strict=True):
        rgba = np.array(pixels, np.uint8).reshape(160, 90, 4)[:, :, :3]
        ours = np.asarray(picture.resize((90, 160)), float)
        assert np.abs(rgba - ours).mean() < 8
    content = video.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays while it loads
    assert len(content) < 50_000_000
    with av.open(str(video)) as film:
        picture, sound = film.streams
        assert (picture.codec.name, picture.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec.name == "aac"
