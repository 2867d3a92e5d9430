import av
import numpy as np
import pytest
from PIL import Image

from heygen_nb.finishing import timed_by_ear, words_of_srt
from heygen_nb.preview import EspeakVoice, Word
from heygen_nb.preview.captions import Subtitles, said_as_written, set_pages
from heygen_nb.preview.drawing import lay_out, palette_for
from heygen_nb.preview.video import planes_of

SRT = """1
00:00:00,000 --> 00:00:01,500
Hello there,

2
00:00:02,000 --> 00:00:04,000
this costs twelve
dollars.
"""


def spans(words):
    return [(w.text, round(w.start_s, 2), round(w.end_s, 2)) for w in words]


@pytest.mark.parametrize("text", [SRT, SRT.replace("\n", "\r\n"), SRT.rstrip()])
def test_subtitles_share_their_time_by_letters(text):
    words = words_of_srt(text)

    assert [w.text for w in words] == [
        "Hello",
        "there,",
        "this",
        "costs",
        "twelve",
        "dollars.",
    ]
    assert (words[0].start_s, words[1].end_s) == (0, 1.5)
    assert words[1].start_s == pytest.approx(0.75)
    assert words[-1].end_s == pytest.approx(4)


def test_no_subtitles_have_no_words():
    assert words_of_srt("") == words_of_srt("1\nnot subtitles\n") == ()


def test_captions_spell_as_the_script_and_time_as_the_voice():
    heard = [
        Word(t, n, n + 1)
        for n, t in enumerate(["that", "is", "twelve", "dollars", "now"])
    ]

    words = said_as_written("That is $12 🎉 now!", heard)

    assert spans(words) == [
        ("That", 0, 1),
        ("is", 1, 2),
        ("$12", 2, 4),
        ("🎉", 4, 4),
        ("now!", 4, 5),
    ]


def test_words_nobody_heard_have_no_time_and_all_are_kept():
    words = said_as_written("One two — three", [Word("one", 1, 2), Word("three", 3, 4)])

    assert [w.text for w in words] == ["One", "two", "—", "three"]
    assert spans(words)[1:3] == [("two", 2, 2), ("—", 2, 2)]
    assert said_as_written("One", []) == (Word("One", 0, 0),)


@pytest.mark.parametrize(
    "script",
    [
        "This is a sentence of a certain length. Here comes another one! And a third.",
        "Это предложение обычной длины. Вот ещё одно! А здесь третье, последнее.",
    ],
)
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("variant", ["f2", "m3", "f5"])
def test_without_times_the_words_are_found_in_the_sound(script, variant, speed):
    for pause_s in (0.3, 0.6, 0.9):
        other = EspeakVoice(sentence_pause_s=pause_s, pitch=70, variant=variant)
        said = other.speak(script, speed=speed)

        words = timed_by_ear(script, said)

        pairs = zip(words, said.words, strict=True)
        off = [abs(ours.start_s - its.start_s) for ours, its in pairs]
        assert max(off) < 0.35
        assert np.mean(off) < 0.12


def test_silence_has_no_words():
    said = EspeakVoice().speak("Hello.")
    said.samples[:] = 0

    assert timed_by_ear("Hello.", said) == ()


@pytest.mark.parametrize("grey", [0, 60, 128, 200, 255])
@pytest.mark.parametrize("text", ["Readable words", "Понятные слова", "1️⃣ 2️⃣ 🎉 three"])
def test_letters_stand_out_on_any_film_at_360_pixels(grey, text):
    layout = lay_out(360, 640)
    words = [Word(t, n, n + 1) for n, t in enumerate(text.split())]
    layout, pages = set_pages(layout, words, 9)
    behind = Image.new("RGB", (360, 640), (grey, grey, grey))
    palette = palette_for(behind, layout.captions.corners)
    subtitles = Subtitles(pages, layout, palette, lit=False)
    frame = av.VideoFrame.from_image(behind).reformat(format="yuv420p")

    subtitles.put_on(planes_of(frame), 0.5)

    x0, y0, x1, y1 = layout.captions.corners
    box = frame.to_ndarray()[:640][y0:y1, x0:x1].astype(int)  # luma
    ink = 235 if palette.ink[0] > 128 else 40
    assert (abs(box - ink) < 20).sum() > 200  # letters …
    edge = np.abs(np.diff(box, axis=1)).max(axis=1)
    assert np.sort(edge)[-10:].min() > 60  # … with an edge against what is behind
