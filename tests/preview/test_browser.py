import functools
import http.server
import threading
import time

import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing import Finish, finish
from heygen_nb.preview.video import pictures_at

# The system's browser; None is Playwright's own.
pytestmark = pytest.mark.browser

PLAY = """async () => {
  window.video = document.querySelector("video");
  const file = await (await fetch("short.mp4")).blob();
  video.src = URL.createObjectURL(file);  // seekable, though this server has no ranges
  video.muted = true;
  video.play();
}"""
SHOT = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = 90; canvas.height = 160;
  const brush = canvas.getContext("2d");
  brush.drawImage(video, 0, 0, 90, 160);
  return Array.from(brush.getImageData(0, 0, 90, 160).data);
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
    finish(rendered.path, tmp_path / "short.mp4", wish)
    return tmp_path / "short.mp4"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Player:
    """The film in a real browser.

    Nothing here waits for an event of the page: a busy browser may skip it, and what
    it draws comes later than it says. So it is asked again and again.
    """

    def __init__(self, browser, site):
        self.page = browser.new_page()
        self.page.goto(site)
        self.page.evaluate(PLAY)
        self.until("video.currentTime > 0.3")
        self.page.evaluate("() => video.pause()")

    def until(self, condition):
        self.page.wait_for_function(condition, timeout=100_000, polling=50)

    def shows(self, time_s, matches):
        """The picture at that time, once it matches; else the last one seen."""
        self.page.evaluate("time => { video.currentTime = time }", time_s)
        self.until("!video.seeking")
        until = time.monotonic() + 60
        while True:
            pixels = np.array(self.page.evaluate(SHOT), np.uint8).reshape(160, 90, 4)
            if matches(pixels) or time.monotonic() > until:
                return pixels
            self.page.wait_for_timeout(50)

    def __getattr__(self, name):
        return self.page.evaluate(f"() => video.{name}")


def test_a_real_browser_plays_and_seeks(site, short_video, browser):
    _rendered, _speech, decoded = short_video

    player = Player(browser, site)
    assert player.duration == pytest.approx(decoded.duration_s, abs=0.05)
    assert player.videoWidth == 720
    assert player.webkitAudioDecodedByteCount > 0
    late = player.shows(6.5, lambda seen: _apart(seen, decoded, 6.5) < 8)
    early = player.shows(0.5, lambda seen: _apart(seen, decoded, 0.5) < 8)

    assert _apart(late, decoded, 6.5) < 8
    assert _apart(early, decoded, 0.5) < 8
    assert _apart(early, decoded, 6.5) > 8


def _apart(pixels, decoded, time_s):
    """Mean difference of the browser's picture and ours at that time, in grey."""
    grey = np.asarray(Image.fromarray(pixels[:, :, :3]).convert("L"), float)
    index = max(i for i, t in enumerate(decoded.times) if t <= time_s + 1e-6)
    ours = Image.fromarray(decoded.frames[index][:1280]).resize((90, 160))
    luma = (np.asarray(ours, float) - 16) * 255 / 219
    return float(np.abs(grey - luma).mean())


@pytest.mark.soak
@pytest.mark.parametrize("video", [True], indirect=True)
def test_a_finished_film_plays_and_seeks_too_and_suits_telegram(site, video, browser):
    player = Player(browser, site)

    assert player.videoWidth == 720
    assert player.webkitAudioDecodedByteCount > 0
    early, late = pictures_at(video, [0.5, 6.5])
    for time_s, picture in ((6.5, late), (0.5, early)):
        ours = np.asarray(picture.resize((90, 160)), float)

        def alike(seen, ours=ours):
            return np.abs(seen[:, :, :3] - ours).mean() < 8

        assert alike(player.shows(time_s, alike))
    content = video.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays while it loads
    assert len(content) < 50_000_000
    with av.open(str(video)) as film:
        picture, sound = film.streams
        assert (picture.codec.name, picture.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec.name == "aac"
