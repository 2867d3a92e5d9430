import numpy as np
import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.preview import Scene, probe_video
from heygen_nb.preview.captions import to_srt
from heygen_nb.preview.drawing import lay_out
from heygen_nb.preview.scene import Stage

FRAME_S = 0.04


def test_the_video_lasts_as_long_as_the_speech(short_video):
    rendered, speech, decoded = short_video

    assert decoded.video_s == pytest.approx(speech.duration_s, abs=FRAME_S)
    assert decoded.audio_s == pytest.approx(speech.duration_s, abs=FRAME_S)
    assert decoded.duration_s == pytest.approx(speech.duration_s, abs=FRAME_S)
    assert rendered.duration_s == pytest.approx(decoded.video_s, abs=0.001)


def test_the_video_is_what_players_and_telegram_expect(short_video):
    rendered, _speech, decoded = short_video
    head = rendered.path.read_bytes()

    assert decoded.pix_fmt == "yuv420p"
    assert decoded.colours == (1, 1, 1, 1)  # BT.709, studio range
    assert head.index(b"moov") < head.index(b"mdat")
    facts = probe_video(rendered.path)
    assert (facts.width, facts.height) == (rendered.width, rendered.height)
    assert (facts.width, facts.height) == (720, 1280)


def test_sound_and_picture_lie_side_by_side_in_the_file(short_video):
    _rendered, _speech, decoded = short_video
    reached = {"video": 0.0, "audio": 0.0}
    apart = []
    for _position, kind, dts in sorted(decoded.packets):
        reached[kind] = dts
        apart.append(abs(reached["video"] - reached["audio"]))

    assert max(apart) < 0.5


def test_a_still_costs_no_frames_but_one_a_second(out, tone, decode, render):
    speech = tone("word").padded(4)

    rendered = render(Scene(script="-"), out / "x.mp4", speech=speech)

    gaps = np.diff(decode(rendered.path).times)
    assert 0.9 < gaps.max() <= 1.0
    assert len(gaps) < 40


def test_the_sound_is_the_speech(short_video):
    _rendered, speech, decoded = short_video
    heard = decoded.samples[: len(speech.samples)]

    assert decoded.rate == speech.sample_rate
    assert np.corrcoef(heard, speech.samples[: len(heard)])[0, 1] > 0.99


@pytest.mark.parametrize(
    "script",
    [
        "Monday, Tuesday, water, silver, yellow, garden.",
        "Город, дерево, вода, молоко, река, зима.",
    ],
)
def test_a_word_lights_up_when_it_is_heard(script, out, decode, render):
    rendered = render(Scene(script=script), out / "x.mp4")

    decoded = decode(rendered.path)
    heard, lit = _sound_onsets(decoded), _pill_onsets(decoded)
    assert len(heard) == len(lit) == 6
    assert np.abs(np.subtract(heard, lit)).max() <= 0.08


def _sound_onsets(decoded):
    """When sound begins after at least 60 ms of silence."""
    step = decoded.rate // 200
    whole = decoded.samples[: len(decoded.samples) // step * step]
    loud = np.abs(whole).reshape(-1, step).max(axis=1) > 0.03
    onsets, quiet = [], 99
    for index, is_loud in enumerate(loud):
        if is_loud and quiet >= 12:
            onsets.append(index * step / decoded.rate)
        quiet = 0 if is_loud else quiet + 1
    return onsets


def _pill_onsets(decoded):
    """When the yellow behind a word jumps to another place."""
    box = lay_out(720, 1280).captions
    rows = slice(box.y // 2, (box.y + box.height) // 2)
    onsets, before = [], None
    for time_s, frame in zip(decoded.times, decoded.frames, strict=True):
        blue = frame[1280 : 1280 + 320].reshape(640, 360)[rows]
        red = frame[1280 + 320 :].reshape(640, 360)[rows]
        yellow = (blue < 70) & (red > 135)
        across = np.flatnonzero(yellow.sum(axis=0) > 3)
        down = np.flatnonzero(yellow.sum(axis=1) > 3)
        place = (across[0], across[-1], down[0]) if len(across) and len(down) else None
        if place and (not before or np.abs(np.subtract(place, before)).max() > 4):
            onsets.append(time_s)
        before = place
    return onsets


def test_the_subtitles_are_the_captions(short_video):
    rendered, speech, _decoded = short_video
    stage = Stage(Scene(script="-"), speech)

    assert rendered.subtitles.read_text(encoding="utf-8") == to_srt(stage.pages)
    shown = [word.text for page in stage.pages for word in page.words]
    assert shown == [word.text for word in speech.words]


def test_speech_made_elsewhere_is_taken_as_it_is(out, tone, render):
    speech = tone("these are other words")

    rendered = render(Scene(script="unused"), out / "x.mp4", speech=speech)

    assert "these are other words" in rendered.subtitles.read_text().replace("\n", " ")


@pytest.mark.parametrize("rate", [8000, 22_000, 24_000, 44_100, 96_000])
def test_speech_of_any_rate_keeps_its_length(rate, out, tone, decode, render):
    speech = tone("one two three", rate=rate)
    scene = Scene(script="-", short_side_px=240)

    rendered = render(scene, out / "x.mp4", speech=speech)

    decoded = decode(rendered.path)
    assert decoded.audio_s == pytest.approx(speech.duration_s, abs=FRAME_S)
    assert np.abs(decoded.samples).max() > 0.3


def test_silence_made_elsewhere_is_shown_too(out, tone, render):
    speech = tone("")
    speech = speech.padded(2)

    rendered = render(Scene(script="-"), out / "x.mp4", speech=speech)

    assert rendered.duration_s == pytest.approx(2)
    assert rendered.subtitles.read_text() == ""


@pytest.mark.parametrize("ratio", ["9:16", "16:9", "1:1", "4:5", "5:4"])
def test_each_shape_is_rendered_at_its_size(ratio, out, tone, render):
    scene = Scene(script="-", aspect_ratio=ratio, short_side_px=360)

    rendered = render(scene, out / "x.mp4", speech=tone("Привет 🎉"))

    facts = probe_video(rendered.path)
    across, down = map(int, ratio.split(":"))
    assert min(facts.width, facts.height) == 360
    assert facts.width / facts.height == pytest.approx(across / down, rel=0.01)


def test_three_files_and_nothing_else_are_left(out, tone, render):
    rendered = render(Scene(script="-"), out / "my.clip.mp4", speech=tone("a"))

    assert {path.name for path in out.iterdir()} == {
        "my.clip.mp4",
        "my.clip.srt",
        "my.clip.jpg",
    }
    assert rendered.thumbnail.read_bytes().startswith(b"\xff\xd8")
    assert rendered.thumbnail.stat().st_size < 200_000


@pytest.mark.parametrize("script", ["", "🎉 !!!", ' <break time="1s"/> '])
def test_a_script_without_words_is_refused(script, out, render):
    with pytest.raises(PreviewError, match="no words"):
        render(Scene(script=script), out / "x.mp4")

    assert list(out.iterdir()) == []


@pytest.mark.parametrize("bad", ["no-such.png", b"<html>not a picture</html>", "#12"])
def test_a_background_that_is_no_picture_is_refused(bad, out, tone, render):
    with pytest.raises(PreviewError, match="cannot be read"):
        render(Scene(script="-", background=bad), out / "x.mp4", speech=tone("a"))


def test_a_place_that_cannot_be_written_is_an_error_with_the_name(out, tone, render):
    (out / "file").write_text("in the way")

    with pytest.raises(PreviewError, match=r"clip\.mp4"):
        render(Scene(script="-"), out / "file" / "clip.mp4", speech=tone("a"))


def test_a_full_disk_leaves_nothing_half_written(out, tone, monkeypatch, render):
    def refuse(self, *_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)

    with pytest.raises(PreviewError, match="No space left"):
        render(Scene(script="-"), out / "x.mp4", speech=tone("a"))

    assert list(out.iterdir()) == []
