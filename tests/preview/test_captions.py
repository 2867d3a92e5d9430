import re

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from PIL import features

from heygen_nb.preview import EspeakVoice, Scene, Word, render_scene
from heygen_nb.preview.captions import lay_out_pages, to_srt
from heygen_nb.preview.drawing import lay_out, text_width, undrawable
from heygen_nb.preview.scene import Stage
from heygen_nb.preview.text import script_words

ANY_TEXT = st.one_of(
    st.text(max_size=300),
    st.text(
        st.sampled_from("aя🎉👨‍👩‍👧\u0301 \n\t\x00\x1b\u200b\u202eع中.,!?<>/-1"),
        max_size=5000,
    ),
    st.text("Wя", min_size=200, max_size=5000),
)


def pages_of(text, width=20, max_lines=3, word_s=0.3):
    words = [
        Word(word, n * word_s, (n + 1) * word_s) for n, word in enumerate(text.split())
    ]
    return lay_out_pages(
        words,
        measure=len,
        width=width,
        max_lines=max_lines,
        duration_s=len(words) * word_s,
    )


def test_pages_have_at_most_so_many_lines_none_too_wide():
    pages = pages_of("Some words of different lengths follow each other here. " * 5)

    assert all(1 <= len(page.lines) <= 3 for page in pages)
    assert all(len(line) <= 20 for page in pages for line in page.text.split("\n"))


def test_a_page_ends_with_its_sentence():
    pages = pages_of("First thing. Second one! Third?")

    assert [page.text for page in pages] == ["First thing.", "Second one!", "Third?"]


def test_a_short_form_does_not_end_a_page():
    words = [Word("Dear", 0, 0.3), Word("Dr.", 0.3, 0.5), Word("Who.", 0.52, 1)]

    (page,) = lay_out_pages(words, measure=len, width=20, max_lines=3, duration_s=1)

    assert page.text == "Dear Dr. Who."


def test_an_emoji_after_the_full_stop_stays_with_the_sentence():
    words = [Word("Done.", 0, 1), Word("🎉", 1, 1), Word("Next.", 1.2, 2)]

    pages = lay_out_pages(words, measure=len, width=20, max_lines=3, duration_s=2)

    assert [page.text for page in pages] == ["Done. 🎉", "Next."]


def test_no_page_is_left_with_a_lonely_word():
    pages = pages_of("one two three four five six seven eight nine ten eleven", 12, 2)

    assert min(len(page.words) for page in pages) >= 2


def test_a_long_word_is_broken_and_its_time_shared():
    (page,) = pages_of("x" * 50)

    assert [len(word.text) for word in page.words] == [20, 20, 10]
    ends = [word.end_s for word in page.words]
    assert ends == pytest.approx([0.12, 0.24, 0.3])


def test_an_address_is_broken_where_it_is_joined():
    (page,) = pages_of("https://example.com/path-to/page")

    assert page.text == "https://example.com/\npath-to/page"


def test_stress_marks_are_for_the_voice_only():
    assert pages_of("за\u0301мок cafe\u0301")[0].text == "замок café"


def test_a_page_goes_when_nothing_is_said_for_long():
    words = [Word("One", 0, 0.5), Word("two", 5, 5.5)]

    first, second = lay_out_pages(
        words, measure=len, width=20, max_lines=3, duration_s=6
    )

    assert 0.5 < first.end_s < 2
    assert second.start_s == 5


def test_srt_is_as_players_read_it():
    srt = to_srt(pages_of("One two! Three.", word_s=3600.5))

    assert srt == (
        "1\n00:00:00,000 --> 02:00:01,000\nOne two!\n\n"
        "2\n02:00:01,000 --> 03:00:01,500\nThree.\n\n"
    )


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=ANY_TEXT)
@example(text="я" * 5000)
@example(text="🎉" * 5000)
@example(text="a\u0301\u0302\u0303" * 1250)
def test_any_text_is_laid_out(text):
    shown = script_words(text)
    words = [Word(word, n * 0.3, n * 0.3 + 0.3) for n, word in enumerate(shown)]
    width = 500.0

    pages = lay_out_pages(
        words,
        measure=lambda part: text_width(part, 49),
        width=width,
        max_lines=3,
        duration_s=len(words) * 0.3,
    )

    assert all(1 <= len(page.lines) <= 3 for page in pages)
    joined = "".join(word.text for page in pages for word in page.words)
    assert re.sub(r"\s", "", joined) == re.sub(r"\s|\u0301", "", "".join(shown))
    for page in pages:
        assert page.start_s <= page.end_s
        for line in page.lines:
            wide = sum(text_width(word.text, 49) for word in line)
            assert wide <= width * 1.01 or len(line) == 1


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=120))
def test_any_text_is_spoken_and_encoded(text, tmp_path_factory):
    speech = EspeakVoice().speak("Well: " + text)
    output = tmp_path_factory.mktemp("any") / "x.mp4"

    render_scene(Scene(script="-", short_side_px=240), output, speech=speech)

    assert output.stat().st_size > 1000


def test_captions_can_be_off(tone):
    """The SRT has them all the same."""
    stage = Stage(Scene(script="-", captions=False), tone("a b"))
    planes = tuple(
        np.zeros((1280 >> shift, 720 >> shift), np.uint8) for shift in (0, 1, 1)
    )
    stage.paint(0, planes)
    below = lay_out(720, 1280, with_captions=False).meter.corners[3]

    assert stage.pages[0].text == "a b"
    assert planes[0][below:].max() < 120


def test_a_word_slightly_too_long_makes_the_letters_smaller_instead(tone):
    stage = Stage(Scene(script="-"), tone("Достопримечательности города"))

    assert stage.pages[0].words[0].text == "Достопримечательности"


def test_a_keycap_is_one_picture_of_the_emoji_font():
    widths = {round(text_width(f"{char}\ufe0f\u20e3", 40)) for char in "17#*"}

    assert len(widths) == 1  # a digit and an empty box would be as wide as the digit


@pytest.mark.skipif(not features.check("raqm"), reason="nothing here joins letters")
@pytest.mark.parametrize(
    "word", ["\u0938\u094d\u0924\u094d\u0930\u0940", "\u0644\u0627"]
)
def test_letters_that_belong_together_are_joined(word):
    apart = sum(text_width(char, 40) for char in word if char.isalpha())

    assert undrawable(word) or 0 < text_width(word, 40) < apart


def test_letters_that_nothing_here_can_join_are_named(monkeypatch):
    monkeypatch.setattr(features, "check", lambda _name: False)

    assert undrawable("Да, नम سل 5") == "नमسل"
