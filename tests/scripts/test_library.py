from __future__ import annotations

import pytest

from heygen_nb.errors import DraftError
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts import ScriptRequest, offline
from heygen_nb.scripts.offline import formats
from heygen_nb.timing import estimate_s

FRONT = "---\nlabel: Weather\nlanguage: en\n"


@pytest.fixture
def own(home):
    (home / "templates").mkdir()

    def put(text, name="weather.md"):
        (home / "templates" / name).write_text(text, "utf-8")

    return put


@pytest.fixture
def write(home):
    def one(topic="Sun", **order):
        order = {"format": "weather", "seed": 1, **order}
        return offline.write(ScriptRequest(topic, **order), home, estimate_s)

    return one


def test_a_format_of_the_users_own_is_listed_and_used(own, write, home):
    own(
        f"{FRONT}title: The {{{{ subject }}}}\ncaption: 'Look: {{{{ date }}}}'\n---\n"
        'Today: {{ subject }}, said {{ tone }}.\n{{ pick("Really.") }}\n'
        '{{ more("Take a coat.") }}'
    )

    written = write(tone="softly", target_s=60)

    assert ("weather", "Weather") in [(f.name, f.label) for f in formats(home, "en")]
    assert "weather" not in [f.name for f in formats(home, "ru")]
    assert written.title == "The Sun"
    assert written.caption.startswith("Look: ")
    assert written.script == "Today: Sun, said softly. Really. Take a coat."


def test_a_format_may_replace_one_of_ours(own, write):
    own(f"{FRONT}name: tip\n---\nMy own tip.")

    assert write(format="tip").script == "My own tip."


def test_a_template_for_tables_is_no_format(own, home):
    own("---\ntitle: Hello {{ name }}\n---\nHello {{ name }}.", "greet.md")
    own("No front matter at all.", "plain.md")

    assert len(formats(home, "en")) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{FRONT}---\nOne.\n{{{{ subject", r"weather\.md, line 6"),
        (f"{FRONT}---\nOne {{{{ nobody }}}}.", r"weather\.md: 'nobody' is undefined"),
        (f"{FRONT}---\n{{{{ pick() }}}}", r"weather\.md: .*choose from"),
        (f"{FRONT}---\n{{{{ ''.__class__ }}}}", r"weather\.md: "),
        (f"{FRONT}---\n", "writes nothing"),
        (f"{FRONT}title: '{{{{ x'\n---\nOne.", r"weather\.md, title, line 1"),
        (f"{FRONT}---\n{{{{ sign.name }}}}", "no sign of the zodiac"),
        ("---\nlabel: W\nlanguage: en\nOne.", r"weather\.md, line 1: .*not closed"),
        ("---\nlabel: W\nlanguage: 'en\n---\nOne.", r"weather\.md, line \d"),
        ("---\nlabel: W\nlanguage: fr\n---\nOne.", "does not fit"),
        ("---\nlabel: W\nlanguage: en\nlenght: 3\n---\nOne.", "does not fit"),
        ("---\nlabel: W\nlanguage: [en]\n---\nOne.", "a text belongs here"),
        ("---\nlabel: \x01\nlanguage: en\n---\nOne.", r"weather\.md: "),
    ],
)
def test_a_broken_format_is_told_with_its_file(own, write, text, message):
    own(text)

    with pytest.raises(DraftError, match=message):
        write()


def test_a_broken_format_does_not_hide_the_others(own, write, home, caplog):
    own("---\nlabel: W\n")

    assert len(formats(home, "en")) == 5
    assert "weather.md" in caplog.text
    assert write(format="tip").script


def test_an_unknown_format_names_those_there_are(write):
    with pytest.raises(DraftError, match="“weather”") as failed:
        write()

    assert "horoscope" in failed.value.hint


def test_a_file_without_a_label_is_told_to_need_one(own, write):
    own("Just words about {{ subject }}.")

    with pytest.raises(DraftError, match=r"weather\.md is no format: .*no label"):
        write()


@pytest.mark.parametrize("name", ["../secret", "a/b", "x" * 5000])
def test_a_format_is_never_read_from_elsewhere(write, home, name):
    (home / "secret.md").write_text(f"{FRONT}---\nSecret.")

    with pytest.raises(DraftError, match="no format"):
        write(format=name)


def test_another_language_is_a_name_and_a_file(write, tmp_path, monkeypatch):
    folder = tmp_path / "formats"
    (folder / "de").mkdir(parents=True)
    (folder / "de" / "tip.md").write_text(
        "---\nlabel: Tipp\nlanguage: de\n---\nHeute, am {{ date }}: {{ subject }}."
    )
    monkeypatch.setattr(offline, "SHIPPED", folder)
    monkeypatch.setitem(SCRIPT_LANGUAGES, "de", "German")

    script = write("Kaffee 2026-11-22", format="", language="de").script

    assert script == "Heute, am 22. November: Kaffee 2026-11-22."
