import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.preview import Scene, probe_video, render_scene


def test_a_script_becomes_a_video_with_subtitles_and_a_picture(tmp_path):
    rendered = render_scene(Scene(script="Hello, world!"), tmp_path / "x.mp4")

    facts = probe_video(rendered.path)
    assert (facts.width, facts.height) == (720, 1280)
    assert facts.duration_s == pytest.approx(rendered.duration_s, abs=0.05)
    assert "Hello, world!" in rendered.subtitles.read_text()
    assert rendered.thumbnail.read_bytes().startswith(b"\xff\xd8")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_script_without_words_is_refused(tmp_path):
    with pytest.raises(PreviewError, match="no words"):
        render_scene(Scene(script="🎉 !!!"), tmp_path / "x.mp4")

    assert list(tmp_path.iterdir()) == []
