from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import fmean, median

import pytest
from hypothesis import given, settings, strategies as st

from heygen_nb.sandbox import rendering as sound
from heygen_nb.sandbox.catalogue import voices
from heygen_nb.timing import (
    MAX_SPEED,
    MIN_SPEED,
    USUAL_S,
    PastRender,
    RenderTimes,
    SpeechModel,
    Spoken,
    estimate_s,
    script_language,
)

TEXTS = {
    "en": (
        "Your coffee machine remembers more than you think.",
        "Every morning, at seven sharp, it warms the water and waits for you.",
        "We asked three hundred people what they drink before work.",
        "Most of them said tea; some said nothing at all!",
        "So here is a small idea: write the evening's plan on one card.",
        "Would you like to know what happened next?",
        "Nobody expected the answer, and yet it was written on the wall.",
        "Keep it short, keep it kind, and keep the door open.",
    ),
    "ru": (
        "Ваша кофеварка помнит больше, чем кажется.",
        "Каждое утро, ровно в семь, она греет воду и ждёт вас.",
        "Мы спросили триста человек, что они пьют перед работой.",
        "Большинство ответило: чай; некоторые не пьют ничего!",
        "Поэтому вот простая мысль: запишите планы на вечер на одной карточке.",
        "Хотите узнать, что случилось дальше?",
        "Никто не ожидал такого ответа, хотя он был написан на стене.",
        "Говорите коротко, говорите по-доброму и не закрывайте дверь.",
    ),
}
ENGLISH, RUSSIAN = (" ".join(TEXTS[name]) for name in ("en", "ru"))


def scripts(language, count, seed=1):
    """Scripts of 15 to 60 seconds, none like another."""
    dice = random.Random(seed)
    return [
        " ".join(dice.choices(TEXTS[language], k=dice.randint(4, 14)))
        for _ in range(count)
    ]


def spoken_by(voice, texts, speed=1.0):
    return [
        Spoken(t, voice.voice_id, speed, sound.model(voice, t, speed).duration_s)
        for t in texts
    ]


def voices_of(language, count):
    return [v for v in voices().values() if v.code == language][:count]


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

    assert 110 < words_per_minute < 190


def test_pauses_speed_and_numbers_count():
    assert estimate_s('Hi <break time="2s"/> there') == pytest.approx(
        estimate_s("Hi there") + 2
    )
    assert estimate_s("Hi", speed=2) == pytest.approx(estimate_s("Hi") / 2)
    assert estimate_s("In 1984 we met") > estimate_s("In June we met")
    assert estimate_s("") == 0
    assert estimate_s('Hi <break time="1..2s"/> there') < 2


@pytest.mark.parametrize("text", [ENGLISH, RUSSIAN])
def test_the_words_for_a_time_take_about_that_time(text):
    words = SpeechModel().words_for(estimate_s(text), language=script_language(text))

    assert words == pytest.approx(len(text.split()), rel=0.1)


def test_the_words_for_a_time_are_those_of_the_voice():
    slow = [Spoken(ENGLISH, "slow", 1.0, 2 * estimate_s(ENGLISH), "en")] * 20
    model = SpeechModel(slow)

    assert model.words_for(30, voice_id="slow") < 0.7 * SpeechModel().words_for(30)
    assert model.words_for(30, voice_id="slow", language="ru") > 55
    assert model.words_for(0.1) == 1


def test_speed_stays_natural():
    fit = SpeechModel().fit

    assert fit("Hi.", 60).speed == MIN_SPEED
    assert fit(ENGLISH * 5, 15).speed == MAX_SPEED
    assert fit(ENGLISH, estimate_s(ENGLISH)).speed == 1


@pytest.mark.parametrize("language", ["en", "ru"])
def test_ten_renders_teach_a_voice(language):
    before, after, inside = [], [], []
    for seed, voice in enumerate(voices_of(language, 20)):
        rows = spoken_by(voice, scripts(language, 25, seed))
        plain, taught = SpeechModel(), SpeechModel(rows[:10])
        for row in rows[10:]:
            before.append(abs(plain.estimate(row.script).seconds / row.duration_s - 1))
            found = taught.estimate(row.script, voice_id=voice.voice_id)
            after.append(abs(found.seconds / row.duration_s - 1))
            inside.append(found.low_s <= row.duration_s <= found.high_s)

    assert fmean(after) < 0.03  # the noise of each text alone is 0.015
    assert fmean(after) < fmean(before) / 2
    assert 0.7 < fmean(inside) < 0.95


def test_one_render_moves_an_estimate_less_than_many():
    rows = [Spoken(t, "v", 1.0, 1.35 * estimate_s(t)) for t in scripts("en", 30)]

    found = [
        SpeechModel(rows[:count]).estimate(ENGLISH, voice_id="v")
        for count in (0, 1, 5, 30)
    ]

    lengths = [estimate.seconds / estimate_s(ENGLISH) for estimate in found]
    assert lengths == sorted(set(lengths))
    assert lengths[0] == pytest.approx(1)
    assert lengths[-1] == pytest.approx(1.35, rel=0.02)
    assert found[0].high_s - found[0].low_s > found[-1].high_s - found[-1].low_s


def test_other_voices_teach_what_an_unknown_one_starts_from():
    slow = [
        Spoken(row.script, f"v{i}", 1.0, 1.3 * estimate_s(row.script))
        for i, voice in enumerate(voices_of("ru", 4))
        for row in spoken_by(voice, scripts("ru", 5, i))
    ]

    model = SpeechModel(slow)

    assert model.estimate(RUSSIAN, voice_id="new").seconds > 1.1 * estimate_s(RUSSIAN)
    assert model.estimate(ENGLISH).seconds == pytest.approx(estimate_s(ENGLISH))


def test_the_speed_of_a_past_render_is_taken_out():
    voice = voices_of("en", 1)[0]
    texts = scripts("en", 10)

    normal = SpeechModel(spoken_by(voice, texts))
    fast = SpeechModel(spoken_by(voice, texts, speed=1.15))

    assert fast.estimate(ENGLISH, voice_id=voice.voice_id).seconds == pytest.approx(
        normal.estimate(ENGLISH, voice_id=voice.voice_id).seconds, rel=0.01
    )


def heard(speeds, *, follow, language="en", voice_id="v"):
    """Films of a voice whose length follows its speed only so far."""
    return [
        Spoken(text, voice_id, speed, 1.1 * estimate_s(text) / speed**follow, language)
        for text, speed in zip(scripts(language, len(speeds)), speeds, strict=True)
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_two_films_of_different_speed_tell_a_stiff_voice(language):
    stiff = SpeechModel(heard((0.9, 1.1), follow=0.05, language=language))
    supple = SpeechModel(heard((0.9, 1.1), follow=1.0, language=language))
    script = scripts(language, 1, seed=9)[0]

    def ratio(model):
        how = {"voice_id": "v", "language": language}
        slow = model.estimate(script, speed=0.9, **how).seconds
        return slow / model.estimate(script, speed=1.1, **how).seconds

    assert ratio(stiff) < 1.06
    assert ratio(supple) == pytest.approx(1.1 / 0.9, rel=0.03)


def test_a_stiff_voice_is_brought_to_length_by_words():
    model = SpeechModel(heard((0.9, 1.0, 1.1), follow=0.05))
    plain_s = model.estimate(ENGLISH, voice_id="v").seconds

    fit = model.fit(ENGLISH, plain_s / 1.1, voice_id="v")

    assert fit.length.seconds > plain_s / 1.05
    assert fit.cut_words > 3


def test_a_voice_nobody_heard_is_planned_half_way_by_speed():
    seconds = estimate_s(ENGLISH)

    fit = SpeechModel().fit(ENGLISH, seconds / 1.1)
    long = SpeechModel().fit(ENGLISH, seconds * 1.1)

    assert fit.speed == pytest.approx(1.05, abs=0.01)
    assert fit.cut_words > 2
    assert long.speed == pytest.approx(0.95, abs=0.01)
    assert long.add_words > 2


def test_a_voice_known_to_follow_is_planned_by_speed_alone():
    model = SpeechModel(heard((0.9, 1.1), follow=1.0))
    plain_s = model.estimate(ENGLISH, voice_id="v").seconds

    fit = model.fit(ENGLISH, plain_s / 1.1, voice_id="v")

    assert fit.speed == pytest.approx(1.1, abs=0.01)
    assert (fit.cut_words, fit.add_words) == (0, 0)


def test_films_of_one_speed_say_nothing_about_another():
    model = SpeechModel(heard([0.95] * 12, follow=0.05))

    known = model.estimate(ENGLISH, voice_id="v", speed=0.95)
    other = model.estimate(ENGLISH, voice_id="v", speed=1.15)

    assert known.seconds == pytest.approx(1.1 * estimate_s(ENGLISH), rel=0.03)
    width = (known.high_s - known.low_s) / known.seconds
    assert (other.high_s - other.low_s) / other.seconds > 2 * width


def test_one_absurd_row_does_not_spoil_a_voice():
    voice = voices_of("en", 1)[0]
    rows = spoken_by(voice, scripts("en", 10))

    spoilt = SpeechModel([*rows, Spoken(ENGLISH, voice.voice_id, 1.0, 500.0)])

    good = SpeechModel(rows).estimate(ENGLISH, voice_id=voice.voice_id).seconds
    found = spoilt.estimate(ENGLISH, voice_id=voice.voice_id).seconds
    assert found == pytest.approx(good, rel=0.1)


def test_a_script_that_cannot_fit_tells_how_many_words_are_too_many():
    model, seconds = SpeechModel(), estimate_s(ENGLISH * 2)

    long = model.fit(ENGLISH * 2, seconds / 2)
    short = model.fit(ENGLISH, seconds)

    words = len((ENGLISH * 2).split())
    assert long.speed == MAX_SPEED
    assert long.cut_words == pytest.approx(words * (1 - MAX_SPEED / 2), abs=1)
    assert long.add_words == 0
    assert short.speed == MIN_SPEED
    assert short.add_words > 0
    assert model.fit(ENGLISH, seconds / 2).cut_words == 0


@given(st.text(max_size=300), st.floats(1, 100))
@settings(deadline=None, max_examples=60)
def test_any_text_has_a_finite_length(text, target_s):
    fit = SpeechModel().fit(text, target_s)

    assert math.isfinite(fit.length.seconds)
    assert 0 <= fit.length.low_s <= fit.length.seconds <= fit.length.high_s
    assert MIN_SPEED <= fit.speed <= MAX_SPEED


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 4000)), max_size=20),
    st.lists(st.floats(0, 10_000), min_size=2, max_size=30),
)
@settings(deadline=None, max_examples=60)
def test_progress_never_falls_and_never_is_whole(history, looks):
    past = [PastRender(v, r) for v, r in history]
    clock = RenderTimes(past).clock(PastRender(30, 0))

    fractions = [clock.fraction(seconds) for seconds in looks]

    assert fractions == sorted(fractions)
    assert all(0 <= fraction < 1 for fraction in fractions)
    assert all(clock.eta_s(s) is None or clock.eta_s(s) > 0 for s in looks)


@pytest.mark.parametrize("video_s", [5, 30, 300])
def test_a_first_render_takes_minutes_whatever_its_length(video_s):
    """One to five of them, and up to fifteen at peak hours (seen live, 2026)."""
    clock = RenderTimes().clock(PastRender(video_s, 0))

    assert clock.eta_s(0) == pytest.approx(USUAL_S)
    assert 60 < USUAL_S < 300 < clock.late_s < 900
    assert clock.fraction(900) < 1


def test_progress_is_learned_from_past_renders():
    fast = RenderTimes([PastRender(30, 60)] * 9).clock(PastRender(30, 0))
    slow = RenderTimes([PastRender(30, 600)] * 9).clock(PastRender(30, 0))

    assert fast.fraction(30) > slow.fraction(30)
    assert fast.eta_s(0) == pytest.approx(60, rel=0.2)
    assert slow.eta_s(0) == pytest.approx(600, rel=0.2)


def test_a_longer_video_and_another_engine_take_longer():
    dice = random.Random(4)
    past = [
        PastRender(s := dice.uniform(15, 60), 10 * s * (2 if i % 2 else 1), "ab"[i % 2])
        for i in range(60)
    ]
    times = RenderTimes(past)

    assert times.clock(PastRender(60, 0, "a")).eta_s(0) > 1.25 * (
        times.clock(PastRender(20, 0, "a")).eta_s(0)
    )
    assert times.clock(PastRender(30, 0, "b")).eta_s(0) > 1.4 * (
        times.clock(PastRender(30, 0, "a")).eta_s(0)
    )


def test_a_late_render_says_so_and_goes_on_slowly():
    clock = RenderTimes([PastRender(30, 300)] * 30).clock(PastRender(30, 0))
    late_s = clock.late_s

    steps = [clock.fraction(late_s * n) for n in (1, 1.5, 2, 3)]
    assert steps == sorted(set(steps))
    assert steps[-1] < 0.99
    assert clock.eta_s(20 * late_s) is None
    assert clock.interval_s(20 * late_s) is None


def history(kind, count, dice):
    """An account of its own: queue and render times as ``kind`` says."""
    usual_s, power = math.exp(dice.gauss(math.log(150), 0.5)), dice.uniform(0.3, 0.9)
    queue, rows = dice.uniform(0.1, 0.5), []

    def noise():
        value = dice.gauss(0, 0.35)
        tail = math.sqrt(dice.gammavariate(1.5, 2) / 3) if kind == "tails" else 1
        return math.exp(value / tail)

    for i in range(count):
        seconds, hour = dice.uniform(15, 60), dice.randrange(24)
        now_s = usual_s * (2.2 if kind == "shift" and 2 * i >= count > 1 else 1)
        now_s *= 1.6 if kind == "hours" and hour < 8 else 1
        queued_s = now_s * queue * noise()
        made_s = now_s * (1 - queue) * noise() * (seconds / 30) ** power
        took_s = queued_s + made_s
        rows.append(PastRender(seconds, took_s, "e", "1080p", hour, made_s))
    return rows


MANY = pytest.param(400, 4, marks=pytest.mark.soak)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["steady", "tails", "shift", "hours"])
@pytest.mark.parametrize(("count", "accounts"), [(1, 3000), (20, 60), (100, 10), MANY])
def test_the_interval_holds_and_the_guess_beats_simple_ones(kind, count, accounts):
    dice = random.Random(f"{kind}{count}")
    inside, ours, constant, mean = [], [], [], []

    for _ in range(accounts):
        rows = history(kind, count, dice)
        for i, row in enumerate(rows):
            if count > 100 and i % 3:
                continue
            clock = RenderTimes(rows[:i][::-1]).clock(row)
            low, high = clock.interval_s(0)
            inside.append(low <= row.render_s <= high)
            if i >= 20:
                ours.append(abs(clock.eta_s(0) - row.render_s))
                constant.append(abs(USUAL_S - row.render_s))
                before = fmean(past.render_s for past in rows[:i])
                mean.append(abs(before - row.render_s))

    assert 0.75 <= fmean(inside) <= 0.88, fmean(inside)
    if ours:
        assert median(ours) < min(median(constant), median(mean))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["steady", "tails", "shift", "hours"])
@pytest.mark.parametrize(("count", "accounts"), [(1, 3000), (20, 60), (100, 20), MANY])
def test_once_the_queue_is_over_only_the_processing_counts(kind, count, accounts):
    dice, step = random.Random(f"{kind}{count}x"), 1 + count // 70
    told = {0: Told(), 45: Told()}

    for _ in range(accounts):
        rows = history(kind, count, dice)
        for i, row in enumerate(rows[::step]):
            before = rows[: i * step]
            times = RenderTimes(before[::-1])
            for spent_s, errors in told.items():
                if row.processing_s > spent_s:
                    errors.look(times, before, row, spent_s)

    for errors in told.values():
        assert 0.75 <= fmean(errors.inside) <= 0.88, fmean(errors.inside)
        if errors.ours:
            others = [median(e) for e in (errors.blind, errors.constant, errors.mean)]
            assert median(errors.ours) < min(others), (median(errors.ours), others)


@dataclass
class Told:
    """How far off the clock was, and others, so long after the queue."""

    inside: list[bool] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    blind: list[float] = field(default_factory=list)
    constant: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)

    def look(self, times, before, row, spent_s):
        left_s = row.processing_s - spent_s
        now_s = row.render_s - left_s
        clock, unaware = times.clock(row), times.clock(row)
        clock.leave_queue(row.render_s - row.processing_s)
        low, high = clock.interval_s(now_s) or (0, math.inf)
        self.inside.append(low <= left_s <= high)
        if len(before) >= 20:
            self.ours.append(abs((clock.eta_s(now_s) or 0) - left_s))
            self.blind.append(abs((unaware.eta_s(now_s) or 0) - left_s))
            self.constant.append(abs(0.7 * USUAL_S - spent_s - left_s))
            usual_s = fmean(past.processing_s for past in before)
            self.mean.append(abs(usual_s - spent_s - left_s))


def test_the_percent_never_falls_when_the_queue_was_longer_or_shorter():
    times = RenderTimes([PastRender(30, 300, processing_s=200)] * 30)
    for queued_s in (0, 20, 100, 400, 4000):
        clock = times.clock(PastRender(30, 0))
        before = [clock.fraction(second) for second in range(0, queued_s, 10)]

        clock.leave_queue(queued_s)
        after = [clock.fraction(queued_s + second) for second in range(0, 2000, 10)]

        shown = before + after
        assert shown == sorted(shown)
        assert shown[-1] < 1
        assert clock.eta_s(queued_s) == pytest.approx(200, rel=0.1)
        assert clock.eta_s(queued_s + 100) == pytest.approx(100, rel=0.2)


def test_a_queue_ends_once():
    clock = RenderTimes().clock(PastRender(30, 0))

    clock.leave_queue(100)
    left_s = clock.eta_s(150)
    clock.leave_queue(150)

    assert clock.eta_s(150) == left_s


def test_learning_from_ten_thousand_rows_takes_an_instant():
    texts = scripts("en", 400)
    spoken = [Spoken(f"{texts[i % 400]} {i}.", "v", 1.0, 30) for i in range(10_000)]
    times = [
        PastRender(30, 300 + i % 60, processing_s=200 + i % 50) for i in range(10_000)
    ]

    begun = time.process_time()
    model = SpeechModel(spoken[:1000])  # what the ledger hands out
    RenderTimes(times)
    fitted = time.process_time()
    for word in range(50):
        model.estimate(f"{ENGLISH} {word}", voice_id="v")
    typed = time.process_time()

    assert fitted - begun < 1.0  # of a processor's time
    assert (typed - fitted) / 50 < 0.01


def test_importing_it_loads_no_numbers_library():
    code = "import sys, heygen_nb.timing; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
