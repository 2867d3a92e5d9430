import hashlib
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.errors import PreviewError
from heygen_nb.finishing import Finish, finish as finish_film
from heygen_nb.finishing.film import loudness_lufs
from heygen_nb.preview import (
    EspeakVoice,
    Scene,
    Word,
    probe_video,
    read_sound,
    render_scene,
)
from heygen_nb.preview.scene import Stage
from heygen_nb.preview.video import pictures_at

ENGLISH = "Every word lights up when it is heard. Numbers such as 1,250 are fine, too."


@pytest.fixture(scope="module")
def film(make_film):
    return make_film(script=ENGLISH)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def finish(film, target, wish):
    pages = finish_film(film, target, wish)
    return SimpleNamespace(path=target, pages=pages, facts=probe_video(target))


def tracks(path):
    """Return the bytes of picture and sound, and the tags."""
    with av.open(str(path)) as container:
        found = {"video": b"", "audio": b""}
        for packet in container.demux():
            found[packet.stream.type] += bytes(packet)
        return found["video"], found["audio"], dict(container.metadata)


def lufs(path):
    sound, facts = read_sound(path), probe_video(path)
    return loudness_lufs(sound.samples, sound.sample_rate, facts.channels)


def test_a_finished_film_has_captions_loudness_and_labels(film, out):
    before = hashlib.sha256(film.read_bytes()).hexdigest()

    made = finish(
        film,
        out / "done.mp4",
        Finish(script=ENGLISH, title="My film", label="Made by AI"),
    )

    assert hashlib.sha256(film.read_bytes()).hexdigest() == before
    assert [path.name for path in out.iterdir()] == ["done.mp4"]
    _video, _audio, tags = tracks(made.path)
    assert (tags["title"], tags["comment"]) == ("My film", "Made by AI")
    assert lufs(made.path) == pytest.approx(-14, abs=1)
    facts = probe_video(film)
    assert (made.facts.width, made.facts.height) == (360, 640)
    assert made.facts.duration_s == pytest.approx(facts.duration_s, abs=0.04)
    shown = " ".join(page.text for page in made.pages).replace("\n", " ")
    assert shown == ENGLISH
    head = made.path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_what_is_not_touched_is_copied(film, out):
    video, audio, _tags = tracks(film)

    plain = Finish(captions=False, loudness_lufs=None, title="Only a title")
    labelled = finish(film, out / "a.mp4", plain)
    lettered = finish(film, out / "b.mp4", Finish(script=ENGLISH, loudness_lufs=None))
    louder = finish(film, out / "c.mp4", Finish(captions=False))

    assert tracks(labelled.path)[:2] == (video, audio)
    assert tracks(lettered.path)[1] == audio
    assert tracks(lettered.path)[0] != video
    assert tracks(louder.path)[0] == video
    assert tracks(louder.path)[1] != audio


def test_a_sound_that_is_loud_enough_is_left_alone(film, out):
    once = finish(film, out / "once.mp4", Finish(captions=False))
    twice = finish(once.path, out / "twice.mp4", Finish(captions=False))

    assert lufs(once.path) > lufs(film) + 1
    assert lufs(twice.path) == pytest.approx(lufs(once.path), abs=1.5)


@pytest.mark.parametrize("amplitude", [1.0, 0.1, 0.02])
def test_loudness_is_what_the_standard_says_of_a_sine(amplitude):
    # BS.1770: a full-scale sine of 997 Hz in one channel is -3.01 LUFS.
    time = np.arange(48_000 * 5) / 48_000
    sine = (amplitude * np.sin(2 * np.pi * 997 * time)).astype(np.float32)

    expected = -3.01 + 20 * np.log10(amplitude)
    assert loudness_lufs(sine, 48_000, 1) == pytest.approx(expected, abs=0.1)
    assert loudness_lufs(sine, 48_000, 2) == pytest.approx(expected + 3.01, abs=0.1)


def test_pauses_do_not_count_as_quiet_speech():
    time = np.arange(48_000 * 5) / 48_000
    sine = (0.1 * np.sin(2 * np.pi * 997 * time)).astype(np.float32)
    paused = np.concatenate([sine, np.zeros(48_000 * 20, np.float32)])

    alone = loudness_lufs(sine, 48_000, 1)
    assert loudness_lufs(paused, 48_000, 1) == pytest.approx(alone, abs=0.3)
    assert loudness_lufs(np.zeros(48_000, np.float32), 48_000, 1) == -70


def test_loudness_is_gated_once_relative_to_the_mean():
    sine = np.sin(np.arange(480_000) * (2 * np.pi * 997 / 48_000)).astype(np.float32)
    alone = loudness_lufs(sine, 48_000, 1)
    # -13 dB is within 10 dB of the mean of all, and not of that of what is loud
    levels = np.sqrt([1.0, 0.05, 0.001, 0.001]).astype(np.float32)

    mixed = loudness_lufs(np.concatenate([sine * a for a in levels]), 48_000, 1)

    assert mixed == pytest.approx(alone + 10 * np.log10(0.525), abs=0.1)


def test_captions_stand_where_the_animatic_has_them(make_film, out):
    speech = EspeakVoice().speak(ENGLISH)
    film = make_film(speech=speech, colour=(16, 20, 48), draw=lambda *_: None)
    stage = Stage(Scene(script=ENGLISH, short_side_px=360), speech)

    made = finish(film, out / "a.mp4", Finish(script=ENGLISH, words=speech.words))

    assert [(p.lines, p.start_s) for p in made.pages] == [
        (p.lines, p.start_s) for p in stage.pages
    ]
    planes = tuple(np.zeros((640 >> s, 360 >> s), np.uint8) for s in (0, 1, 1))
    for frame in range(36):
        stage.paint(frame, planes)
    (shown,) = pictures_at(made.path, [35 / 25])
    yellow = np.asarray(shown)[:, :, 2].astype(int) + 60 < np.asarray(shown)[:, :, 1]
    drawn = planes[1].repeat(2, 0).repeat(2, 1) < 70
    below = slice(400, 640)  # the ring of the avatar is of that colour, too
    for axis in (0, 1):
        ours, theirs = (
            np.flatnonzero(part[below].sum(axis=axis) > 5) for part in (yellow, drawn)
        )
        assert abs(ours[0] - theirs[0]) <= 2
        assert abs(ours[-1] - theirs[-1]) <= 2


def test_a_wide_film_is_cut_to_a_phones_canvas_around_the_speaker(make_film, out):
    def sides(image, _number):
        image.paste((200, 40, 40), (0, 0, 320, 360))
        image.paste((40, 40, 200), (320, 0, 640, 360))

    film = make_film(size=(640, 360), draw=sides, script="Hello there.")

    def corner(name, focus):
        wish = Finish(captions=False, aspect_ratio="9:16", focus=focus)
        made = finish(film, out / name, wish)
        assert (made.facts.width, made.facts.height) == (360, 640)
        (picture,) = pictures_at(made.path, [0.2])
        return picture.getpixel((20, 300)), picture.getpixel((340, 300))

    left, right = corner("left.mp4", (0.1, 0.5)), corner("mid.mp4", (0.5, 0.5))

    assert left[0][0] > 150 < left[1][0]  # red on both sides
    assert right[0][0] > 150
    assert right[1][2] > 150


def test_a_cut_film_keeps_its_colours(out):
    colours = Scene(script="-", background="#c83c28", use_avatar=False, bars=False)
    film, cut = out / "red.mp4", out / "cut.mp4"
    render_scene(colours, film, speech=EspeakVoice().speak("One."))

    finish(film, cut, Finish(captions=False, aspect_ratio="1:1"))

    before, after = (pictures_at(path, [0.5])[0] for path in (film, cut))
    seen = after.getpixel((360, 100))
    assert seen == pytest.approx(before.getpixel((360, 380)), abs=3)


def test_a_film_of_that_shape_already_is_not_encoded_again(film, out):
    wish = Finish(captions=False, loudness_lufs=None, aspect_ratio="9:16")

    made = finish(film, out / "same.mp4", wish)

    assert tracks(made.path)[0] == tracks(film)[0]


@pytest.mark.parametrize(
    "wish",
    [
        Finish(script="one two three four", aspect_ratio="1:1"),
        Finish(captions=False),
        Finish(captions=False, loudness_lufs=None),
    ],
)
def test_picture_and_sound_stay_in_step(wish, make_film, out):
    rate, at_s = 22_050, 1.6
    samples = np.zeros(rate * 3, np.float32)
    time = np.arange(rate // 5) / rate
    samples[round(at_s * rate) :][: len(time)] = np.sin(2 * np.pi * 440 * time) * 0.5
    beep = type(EspeakVoice().speak("a"))(samples, rate, (Word("one", 1.6, 1.8),))

    def flash(image, number):
        if number >= round(at_s * 25):
            image.paste((255, 255, 255), (0, 0, 360, 200))

    film = make_film(speech=beep, draw=flash, gain=1.0)

    made = finish(film, out / "done.mp4", wish)

    sound = read_sound(made.path)
    heard = np.flatnonzero(np.abs(sound.samples) > 0.05)[0] / sound.sample_rate
    with av.open(str(made.path)) as container:
        seen = next(
            frame.time
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray")[:60].mean() > 180
        )
    assert heard == pytest.approx(seen, abs=0.04)
    assert seen == pytest.approx(at_s, abs=0.04)


def test_captions_change_even_while_the_picture_stands(out):
    words = "One two three four five six seven eight nine ten eleven twelve."
    scene = Scene(script=words, captions=False, use_avatar=False, short_side_px=240)
    speech = EspeakVoice().speak(words)
    speech.samples[:] = 0  # nothing moves: a picture a second
    film = out / "still.mp4"
    render_scene(scene, film, speech=speech)

    wish = Finish(script=words, words=speech.words, with_avatar=False)
    made = finish(film, out / "done.mp4", wish)

    with av.open(str(made.path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    for word in speech.words:
        assert min(abs(time - word.start_s) for time in times) <= 0.04


def test_a_failure_leaves_the_finished_film_that_was_there(film, out):
    target = out / "done.mp4"
    target.write_text("the one before")
    broken = out / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:3000])

    with pytest.raises(PreviewError, match=r"broken\.mp4"):
        finish(broken, target, Finish(script=ENGLISH))

    assert target.read_text() == "the one before"
    assert len(list(out.iterdir())) == 2


def test_a_film_without_sound_gets_what_can_be_had(out):
    path = out / "mute.mp4"
    with av.open(str(path), "w") as written:
        video = written.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 180, 320, "yuv420p"
        for _ in range(50):
            image = Image.new("RGB", (180, 320), "navy")
            written.mux(video.encode(av.VideoFrame.from_image(image)))
        written.mux(video.encode(None))

    wish = Finish(script="One two.", words=(Word("One", 0, 1), Word("two.", 1, 2)))
    made = finish(path, out / "done.mp4", wish)

    assert made.facts.channels == 0
    assert len(made.pages) == 1


@pytest.mark.parametrize("ratio", [None, "1:1"])
def test_a_film_of_odd_sides_gets_even_ones(ratio, out):
    path = out / "odd.mp4"
    with av.open(str(path), "w") as written:
        video = written.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 181, 323, "yuv420p"
        for _ in range(25):
            image = Image.new("RGB", (181, 323), "navy")
            written.mux(video.encode(av.VideoFrame.from_image(image)))
        written.mux(video.encode(None))

    wish = Finish(script="One", words=(Word("One", 0, 1),), aspect_ratio=ratio)
    made = finish(path, out / "done.mp4", wish)

    assert (made.facts.width, made.facts.height) == (180, 180 if ratio else 322)
    assert len(made.pages) == 1


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")  # Dask's own, about its dashboard's port
def test_a_hundred_films_are_lettered_anew_by_a_dask_cluster(make_film, out):
    distributed = pytest.importorskip("distributed")
    film = make_film(script="One, two, three.", size=(180, 320))
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor()
        made = [
            executor.submit(
                finish_film, film, out / f"{n}.mp4", Finish(script=f"One, two, {n}.")
            )
            for n in range(100)
        ]
        done = [future.result() for future in made]

    assert [pages[0].words[-1].text for pages in done] == [f"{n}." for n in range(100)]
    films = [out / f"{n}.mp4" for n in range(100)]
    assert all(probe_video(film).duration_s > 0.5 for film in films)
