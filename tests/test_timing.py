from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygen_nb.timing import (
    MAX_SPEED,
    MIN_SPEED,
    PastRender,
    RenderClock,
    estimate_s,
    script_language,
    speed_for,
)

ENGLISH = "The quick brown fox jumps over the lazy dog near the river bank. " * 10
RUSSIAN = "Съешь же ещё этих мягких французских булок да выпей чаю. " * 10


@pytest.mark.parametrize(
    ("script", "language"),
    [
        ("Hello", "en"),
        ("Привет", "ru"),
        ("Привет, Bob", "ru"),
        ("Hello, Боб", "en"),
        ("12345", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_most_letters(script, language):
    assert script_language(script) == language


@pytest.mark.parametrize("script", [ENGLISH, RUSSIAN])
def test_an_estimate_is_near_what_voices_do(script):
    words_per_minute = len(script.split()) / estimate_s(script) * 60

    assert 90 < words_per_minute < 190


def test_pauses_and_speed_count():
    assert estimate_s('Hi <break time="2s"/> there') == pytest.approx(
        estimate_s("Hi there") + 2
    )
    assert estimate_s("Hi", speed=2) == pytest.approx(estimate_s("Hi") / 2)


def test_speed_stays_natural():
    assert speed_for("Hi.", 60) == MIN_SPEED
    assert speed_for(ENGLISH * 3, 15) == MAX_SPEED
    near = estimate_s(ENGLISH)
    assert speed_for(ENGLISH, near) == pytest.approx(1.0, abs=0.01)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 4000)), max_size=20),
    st.lists(st.floats(0, 10_000), min_size=2, max_size=30),
)
def test_progress_never_falls_and_never_is_whole(history, looks):
    clock = RenderClock([PastRender(v, r) for v, r in history], 30)

    fractions = [clock.fraction(seconds) for seconds in looks]

    assert fractions == sorted(fractions)
    assert all(0 <= fraction < 1 for fraction in fractions)


def test_progress_is_learned_from_past_renders():
    fast = RenderClock([PastRender(30, 60)] * 3, 30)
    slow = RenderClock([PastRender(30, 600)] * 3, 30)

    assert fast.fraction(30) > slow.fraction(30)
    assert fast.eta_s(30) == pytest.approx(30)
    assert fast.eta_s(90) is None
