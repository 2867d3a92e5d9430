import re

import pytest

from heygen_nb.preview.text import detect_language, plan_utterances, script_words


def spoken(script, language=None):
    plan = plan_utterances(script, language)
    return " ".join(" ".join(part.text for part in plan).split())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "It costs $1,250.50 today",
            "It costs one thousand two hundred fifty dollars and fifty cents today",
        ),
        ("1,000,000 people, 5-7 times", "one million people, five to seven times"),
        ("See https://www.example.com/a?b=c#d.", "See example dot com slash a."),
        (
            "Cats, dogs, etc. and e.g. mice",
            "Cats, dogs, et cetera and for example mice",
        ),
        ("*Bold* and _slanted_ `code`", "Bold and slanted code"),
        ("Party 🎉👨‍👩‍👧 time ❤️", "Party time"),
        (
            "Call +7 912 345 67 89",
            "Call plus seven, nine one two, three four five, six seven, eight nine",
        ),
        ("No. I will not", "No. I will not"),
        ("bell\x07 and null\x00 here", "bell and null here"),
    ],
)
def test_english_is_rewritten_as_a_person_would_say_it(script, said):
    assert spoken(script) == said


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Цена 1 000 000 руб. за штуку", "Цена один миллион рублей за штуку"),
        ("Чай, кофе и т.д. Потом обед", "Чай, кофе и так далее. Потом обед"),
        ("Чай и т. п. потом обед", "Чай и тому подобное потом обед"),
        ("Это 20 ₽ или $5", "Это двадцать рублей или пять долларов"),
        ("Сайт https://example.com тут", "Сайт example точка com тут"),
    ],
)
def test_russian_is_rewritten_as_a_person_would_say_it(script, said):
    assert spoken(script) == said


def test_other_languages_are_left_to_the_voice():
    assert spoken("Das kostet $20, z. B. 5-7", "de") == "Das kostet $20, z. B. 5-7"


def test_a_line_break_is_a_blank_and_an_empty_line_a_pause():
    plan = plan_utterances("One line\nand its end\n\nAnother part")

    assert [p.text.split() for p in plan] == [
        ["One", "line", "and", "its", "end"],
        ["Another", "part"],
    ]


def test_each_spoken_character_knows_its_word():
    script = "Он купил 5 штук или 6"

    (part,) = plan_utterances(script)

    said = {}
    for char, token in zip(part.text, part.tokens, strict=True):
        said[token] = said.get(token, "") + char
    assert [said[n] for n in range(6)] == [
        *("Он", "купил", "пять", "штук", "или", "шесть")
    ]


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ('<break time="1s"/>', 1.0),
        ("<break time='250ms' />", 0.25),
        ("<BREAK TIME=2s>", 2.0),
        ("<break/>", 0.5),
        ('<break time="99999s"/>', 10.0),
    ],
)
def test_break_tags_become_silence_and_are_no_words(tag, seconds):
    script = f"One {tag} two"

    assert [p.break_s for p in plan_utterances(script)] == [0.0, seconds, 0.0]
    assert script_words(script) == ["One", "two"]


def test_sentences_are_said_apart_but_initials_and_numbers_do_not_end_them():
    plan = plan_utterances("A. S. Pushkin paid 3.50 there. Then he left! Did he?")

    assert [part.text.strip() for part in plan] == [
        "A. S. Pushkin paid three point five zero there.",
        "Then he left!",
        "Did he?",
    ]


def test_words_in_another_alphabet_are_said_in_its_language():
    plan = plan_utterances("Say привет to them", "en")

    assert [(p.language, p.text.strip()) for p in plan] == [
        ("en", "Say"),
        ("ru", "привет"),
        ("en", "to them"),
    ]
    assert len(plan_utterances("Открой Microsoft Word", "ru")) == 1


@pytest.mark.parametrize(
    ("script", "language"),
    [
        ("Hello there", "en"),
        ("Привет всем, see https://very.long.example.com/path/to/it", "ru"),
        ("你好 世界", "cmn"),
        ("漢字とかな", "ja"),
        ("12345 🎉", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_most_words(script, language):
    assert detect_language(script) == language


def test_words_keep_their_spelling_and_lose_what_cannot_be_shown():
    assert script_words("«Да»,\tна́до! \x00 🎉 \ud800x") == ["«Да»,", "на́до!", "🎉", "x"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("цена 1 299,99 ₽ за 5 кг", ["цена", "1 299,99 ₽", "за", "5 кг"]),
        ("в\xa0доме № 5", ["в доме", "№ 5"]),
        ("12 345 678 people, 50 %", ["12 345 678", "people,", "50 %"]),
        ("in 2024 100 people", ["in", "2024", "100", "people"]),
    ],
)
def test_an_amount_is_one_word_of_the_captions(script, words):
    plan = plan_utterances(script)

    assert [word.replace("\xa0", " ") for word in script_words(script)] == words
    assert {t for part in plan for t in part.tokens} - {-1} == set(range(len(words)))


def test_words_said_otherwise_one_by_one_keep_their_own_place():
    (utterance,) = plan_utterances("и т. д.", "ru")

    words = re.finditer(r"\S+", utterance.text)
    assert [(w[0], {*utterance.tokens[w.start() : w.end()]}) for w in words] == [
        ("и", {0}),
        ("так", {1}),
        ("далее.", {2}),
    ]
