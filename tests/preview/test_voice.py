import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.preview import EspeakVoice, Narration, voice

TEXT = "This is a sentence of some length, with a pause. And here is another one."


def test_words_are_those_of_the_script_in_rising_order():
    speech = EspeakVoice().speak("Visit https://example.com 🎉 — it has 1,250 pages.")

    assert [word.text for word in speech.words] == [
        "Visit",
        "https://example.com",
        "🎉",
        "—",
        "it",
        "has",
        "1,250",
        "pages.",
    ]
    times = [time for word in speech.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= speech.duration_s + 1e-6
    silent = [w.text for w in speech.words if w.start_s == w.end_s]
    assert silent == ["🎉", "—"]


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.25, 1.5])
def test_speed_divides_the_length(speed):
    normal = EspeakVoice().speak(TEXT).duration_s

    assert EspeakVoice().speak(TEXT, speed=speed).duration_s == pytest.approx(
        normal / speed, rel=0.05
    )


def test_a_break_lasts_as_long_as_asked_at_any_speed():
    for speed in (0.5, 1.0, 1.5):
        with_break = EspeakVoice().speak('One <break time="2s"/> two', speed=speed)
        first, second = with_break.words

        assert second.start_s - first.end_s == pytest.approx(2, abs=0.03)


def test_two_words_that_are_one_event_share_its_time():
    words = EspeakVoice("en").speak("The capital of the world").words

    assert all(word.end_s > word.start_s for word in words)


def test_a_word_without_blanks_lasts_over_its_sentences():
    (word,) = (speech := EspeakVoice("ja").speak("こんにちは。元気ですか")).words

    assert word.end_s == pytest.approx(speech.duration_s, abs=0.05)


def test_samples_are_what_the_contract_says():
    speech = EspeakVoice().speak("Hello")

    assert speech.samples.dtype == np.float32
    assert speech.samples.ndim == 1
    assert 0.1 < np.abs(speech.samples).max() <= 1


def test_padding_is_silence_at_the_end():
    speech = EspeakVoice().speak("Hello")

    padded = speech.padded(0.5)

    assert padded.duration_s == pytest.approx(speech.duration_s + 0.5, abs=0.001)
    assert padded.words == speech.words
    assert not padded.samples[len(speech.samples) :].any()


@pytest.mark.parametrize("script", ["", " \n ", "🎉", "!!!", "\x00\x01", "<break/>x"])
def test_odd_scripts_do_not_disturb(script):
    assert isinstance(EspeakVoice().speak(script), Narration)


def test_an_unknown_language_is_named():
    with pytest.raises(PreviewError, match="xx-none"):
        EspeakVoice("xx-none").speak("Hello")


def test_threads_do_not_mix_their_voices():
    alone = EspeakVoice("ru").speak("Раз два три четыре пять").duration_s
    jobs = [("ru", "Раз два три четыре пять"), ("en", "One two three four")] * 6

    with ThreadPoolExecutor(4) as pool:
        spoken = list(pool.map(lambda job: EspeakVoice(job[0]).speak(job[1]), jobs))

    assert [s.duration_s for s in spoken[::2]] == pytest.approx([alone] * 6, rel=0.03)


def test_a_voice_travels_to_another_process():
    voice = EspeakVoice("ru", words_per_minute=150, variant="f2")

    assert pickle.loads(pickle.dumps(voice)) == voice


def test_without_the_voice_there_is_a_sentence(monkeypatch):
    """Alpine has no wheel of it."""
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    # the library itself stays: it does not bear to be started a second time
    monkeypatch.setattr(voice, "_library", voice._library.__wrapped__)

    with pytest.raises(PreviewError, match="could not be loaded"):
        EspeakVoice().speak("Hello")
