import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.finishing import shrink_video
from heygen_nb.preview import make_thumbnail, pictures_at, probe_video, small_jpeg


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """Three seconds that are hard to compress, without sound."""
    path = tmp_path_factory.mktemp("noisy") / "noisy.mp4"
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for _ in range(75):
            pixels = random.integers(0, 255, (90, 160, 3), np.uint8)
            image = Image.fromarray(pixels).resize((640, 360))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x00\x00\x00\x18ftypmp42" * 9])
@pytest.mark.parametrize("use", [probe_video, lambda path: make_thumbnail(path, path)])
def test_what_is_no_video_is_refused_by_name(content, use, out):
    path = out / "clip.mp4"
    path.write_bytes(content)

    with pytest.raises(PreviewError, match=r"clip\.mp4"):
        use(path)


def test_a_missing_file_is_refused_by_name(out):
    with pytest.raises(PreviewError, match=r"none\.mp4"):
        probe_video(out / "none.mp4")


def test_half_a_video_is_refused(out, short_video):
    rendered, _speech, _decoded = short_video
    path = out / "half.mp4"
    path.write_bytes(rendered.path.read_bytes()[:3000])

    with pytest.raises(PreviewError, match=r"half\.mp4"):
        probe_video(path)


def test_the_thumbnail_fits_telegram(out, short_video):
    rendered, _speech, _decoded = short_video

    path = make_thumbnail(rendered.path, out / "t.jpg")

    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert image.size == (180, 320)
    assert path.stat().st_size < 200_000


def test_a_picture_gets_as_coarse_as_its_limit_asks(noisy):
    [picture] = pictures_at(noisy, [1.0])

    assert len(small_jpeg(picture)) > 40_000 >= len(small_jpeg(picture, 40_000))


def test_a_video_is_shrunk_to_fit_and_keeps_its_length(out, noisy):
    limit = 150_000
    before = noisy.stat().st_size

    path = shrink_video(noisy, out / "small.mp4", max_bytes=limit)

    assert before > 2 * limit
    assert path.stat().st_size <= limit
    assert noisy.stat().st_size == before
    assert probe_video(path).duration_s == pytest.approx(3, abs=0.1)
    assert [p.name for p in out.iterdir()] == ["small.mp4"]


def test_a_shrunk_animatic_keeps_sound_and_length(out, short_video):
    rendered, _speech, decoded = short_video
    limit = rendered.path.stat().st_size // 3

    path = shrink_video(rendered.path, out / "small.mp4", max_bytes=limit)

    assert path.stat().st_size <= limit
    with av.open(str(path)) as container:
        sound = np.concatenate(
            [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        )
        seconds = len(sound) / container.streams.audio[0].rate
    assert seconds == pytest.approx(decoded.audio_s, abs=0.1)
    assert np.abs(sound).max() > 0.1
    assert probe_video(path).duration_s == pytest.approx(decoded.duration_s, abs=0.1)


def test_a_video_that_cannot_fit_is_an_error_not_a_ruin(out, noisy):
    with pytest.raises(PreviewError, match="too long"):
        shrink_video(noisy, out / "small.mp4", max_bytes=10_000)

    assert list(out.iterdir()) == []
