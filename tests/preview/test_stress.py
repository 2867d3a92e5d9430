import numpy as np
import pytest

from heygen_nb.preview import EspeakVoice
from heygen_nb.preview.text import follow_stress, plan_utterances

READINGS = {"замок": "zam'ok", "мука": "m'uka#", "люблю": 'l;u"bl;\'"u"', "ток": "t'ok"}


def followed(script, readings=READINGS):
    (utterance,) = plan_utterances(script, "ru")
    return follow_stress(utterance, lambda word: readings[word])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("за́мок", "[[z'amVk]]"),
        ("ЗАМО́К", "[[zam'ok]]"),
        ("мука́", "[[muk'a]]"),
        ("Это за́мок там", "Это [[z'amVk]] там"),
    ],
)
def test_the_stress_goes_where_the_mark_is(script, said):
    assert followed(script).text == said


def test_each_phoneme_belongs_to_its_word():
    utterance = followed("Вот за́мок, вот")

    assert len(utterance.tokens) == len(utterance.text)
    assert {
        t for c, t in zip(utterance.text, utterance.tokens, strict=True) if c == "z"
    } == {1}
    assert utterance.tokens[-1] == 2


def test_a_word_whose_vowels_do_not_match_is_said_unmarked():
    assert followed("то́к", {"ток": "t'o k'a"}).text == "ток"


def test_the_marked_vowel_is_the_loud_one():
    first, last = (
        EspeakVoice("ru").speak(f"{word}.").samples for word in ("му́ка", "мука́")
    )

    def centre(samples):
        power = samples.astype(float) ** 2
        return (power * np.arange(len(power))).sum() / power.sum() / len(power)

    assert centre(first) < centre(last) - 0.1


def test_times_and_spelling_survive_the_mark():
    words = EspeakVoice().speak("Вот за́мок, а вот замо́к.").words

    assert [word.text for word in words] == ["Вот", "за́мок,", "а", "вот", "замо́к."]
    assert all(word.end_s > word.start_s for word in words)
