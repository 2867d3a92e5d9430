from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import time

import pytest

import heygen_nb as hg
from heygen_nb.config import load_settings
from heygen_nb.drafts import DraftTemplate, drafts_from
from heygen_nb.drafts.spoken import MAX_SCRIPT_CHARS
from heygen_nb.errors import DraftError, TableError
from heygen_nb.models import Draft

HELLO = "Hello {{ name }}, nice to meet you."
FULL = """---
title: {{ name }} – {{ wish | default("a video") }}
caption: |
  For {{ name }}{% if company %} of {{ company }}{% endif %}
voice: "{{ voice or 'Clara' }}"
duration: {{ seconds }}
---
Hello {{ name }}!
We wish you {{ wish }}.
"""
ROW = {"name": "Anna", "wish": "luck", "company": "", "voice": "", "seconds": 20}


def problems(table, template=None):
    with pytest.raises(DraftError) as caught:
        drafts_from(table, template)
    assert caught.value.exit_code == 2
    return caught.value


def ids(rows, template=HELLO):
    return [draft.id for draft in drafts_from(rows, template)]


def test_every_field_of_a_draft_may_have_placeholders():
    [draft] = drafts_from([ROW], FULL)

    assert draft == Draft(
        id=draft.id,
        title="Anna – luck",
        caption="For Anna",
        voice="Clara",
        duration=20,
        script="Hello Anna!\nWe wish you luck.",
    )


def test_a_template_file_and_a_csv_are_all_it_takes(home):
    (home / "people.csv").write_text("name;city\nАнна;Омск\n", "utf-8")
    (home / "greeting.md").write_text(HELLO, "utf-8")

    [draft] = hg.drafts_from("people.csv", "greeting.md")

    assert draft.script == "Hello Анна, nice to meet you."


def test_without_a_template_the_columns_are_those_of_a_draft():
    drafts = drafts_from([{"script": "Hi there", "title": "T", "duration": 20.0}])

    assert [(d.script, d.title, d.duration) for d in drafts] == [("Hi there", "T", 20)]
    assert "Did you mean “script”?" in str(problems([{"skript": "Hi"}]))


def test_an_empty_cell_may_be_asked_about_but_not_put_in():
    optional = (
        "Hi{% if x %} {{ x }}{% endif %} {{ x or 'you' }} {{ x | default('you') }} "
        "{{ x if x else '' }}{% if x == '' %}!{% endif %}{% if x is defined %}?"
        "{% endif %}{% if not x %}.{% endif %}"
    )

    assert drafts_from([{"x": " "}], optional)[0].script == "Hi you you !."
    assert drafts_from([{"x": "A"}], optional)[0].script == "Hi A A A A?"


@pytest.mark.parametrize(
    "use",
    ["{{ x }}", "{{ x | upper }}", "{{ x ~ '!' }}", "{{ x + '!' }}", "{{ x[0] }}"],
)
def test_an_empty_cell_that_leaves_a_hole_names_row_and_column(use):
    error = problems([{"x": "A"}, {"x": None}], f"One\nHello {use}.")

    assert "row 2, column “x”" in str(error)
    assert "the template, line 2" in str(error)
    assert "{% if x %}" in error.hint


def test_a_hole_in_one_branch_concerns_only_the_rows_that_go_there():
    template = "Hi {% if vip %}{{ company }}{% else %}you{% endif %}"

    assert len(drafts_from([{"vip": False, "company": ""}], template)) == 1
    assert "“company”" in str(problems([{"vip": True, "company": ""}], template))


def test_a_missing_column_is_told_with_the_templates_line_and_the_near_one(home):
    (home / "t.md").write_text(
        "---\ntitle: x\n---\nHi {{ nmae }}\nto {{ Wish }} {{ nmae }}\n"
    )

    error = problems([{"name": "A", "wish": "B"}], "t.md")

    assert error.problems == (
        "t.md, line 4: the table has no column “nmae”. Did you mean “name”?",
        "t.md, line 5: the table has no column “Wish”. Did you mean “wish”?",
    )


@pytest.mark.parametrize("odd", ["\ue00099\ue001", "{{{{" * 20_000, "{%" * 40_000])
def test_odd_signs_in_a_template_do_no_harm(odd):
    begun = time.process_time()

    with contextlib.suppress(DraftError):
        assert odd in drafts_from([{"a": "x"}], f"Hello {odd}")[0].script

    assert time.process_time() - begun < 5


def test_a_column_that_is_only_asked_about_must_be_there_too():
    assert "“compny”" in str(
        problems([{"company": "x"}], "Hi{% if compny %} you{% endif %}")
    )


def test_all_problems_are_told_and_ten_are_shown():
    error = problems([{"name": ""} for _ in range(23)], HELLO)

    assert isinstance(error, TableError)
    assert len(error.problems) == 23
    assert error.message.count("•") == 10
    assert "23 problems" in error.message
    assert "13 more" in error.message


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "“{{” belongs into"),
        ("{% for x in y %}", "“{%” belongs into"),
        ("{# hidden #}", "“{#” belongs into"),
        ('=HYPERLINK("http://evil","x")', "a formula"),
        ("=cmd|'/C calc'!A0", "a formula"),
        ("<script>alert(1)</script>", "“<script>”"),
        ('x <img src=x onerror="alert(1)">', "“<img src"),
        ("a\x00b", "U+0000 at 2"),
        ("\x1b[31mred", "U+001B"),
        ("abc\u202etxt.exe", "U+202E at 4"),
        ("\ud800", "U+D800"),
        ("x" * 10_000_000, "10000000 characters"),
        ("&" + "x" * 20_000, "20001 characters"),
        ("x" * (MAX_SCRIPT_CHARS + 1), "characters"),
    ],
    ids=lambda value: value[:12].encode("unicode-escape").decode(),
)
@pytest.mark.parametrize("template", ["Hello {{ script }}", None])
def test_a_hostile_cell_is_refused_with_row_and_column(cell, part, template):
    error = problems([{"script": "fine"}, {"script": cell}], template)

    [problem] = error.problems
    assert problem.startswith("row 2")
    assert part in problem
    assert len(problem) < 300


@pytest.mark.parametrize(
    "cell",
    [
        "+7 999 123-45-67",
        "-5 degrees",
        "@anna",
        "I <3 you, a < b > c",
        "write to <anna@example.com>",
        'wait <break time="1s"/> <break></break> now',
        "emoji 👩‍👩‍👧 and } or {",
    ],
)
def test_what_people_write_is_left_alone(cell):
    [draft] = drafts_from([{"name": cell}], HELLO)

    assert cell in draft.script


def test_what_the_template_does_not_use_may_hold_anything():
    rows = [{"name": "A", "photo": "x" * 50_000, "note": "{{ x }}"}]

    assert len(drafts_from(rows, HELLO)) == 1


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{{ name.__class__.__mro__ }}", "unsafe"),
        ("{{ name.__init__.__globals__ }}", "unsafe"),
        ("{{ name | center(30000) }}", "20000 signs"),
        ("Hi {{ name", "line 1"),
        ("---\nname: x\n---\nHi {{ name }}", "unknown key"),
        ("---\ntitle: x\nHi {{ name }}", "not closed"),
        ("{% include 'x' %}", "the template"),
    ],
)
def test_a_bad_template_is_told(template, part):
    assert part in str(problems([{"name": "Anna"}], template))


@pytest.mark.parametrize(
    ("script", "part"),
    [("{{ a }}", "no words"), ("{% if 0 %}{{ a }}{% endif %}", "empty")],
)
def test_a_script_that_cannot_be_spoken_names_its_row(script, part):
    [problem] = problems([{"a": "🎬"}], script).problems

    assert problem.startswith("row 1")
    assert part in problem


def test_a_long_caption_is_fine():
    template = "---\ncaption: {{ text }}\n---\nHello there."

    assert len(drafts_from([{"text": "word " * 1000}], template)[0].caption) > 4000


# Ids


def test_rows_keep_their_ids_wherever_they_stand():
    rows = [{"name": f"Name {n}"} for n in range(50)]
    known = dict(zip((row["name"] for row in rows), ids(rows), strict=True))
    random.Random(1).shuffle(rows)
    rows = [{"name": "New one"}, *rows[:40]]

    again = dict(zip((row["name"] for row in rows), ids(rows), strict=True))

    assert len(set(known.values())) == 50
    assert all(len(value) == 8 and int(value, 16) >= 0 for value in known.values())
    assert {n: i for n, i in again.items() if n in known}.items() <= known.items()
    assert again["New one"] not in known.values()


def test_an_added_column_changes_no_id_until_a_row_uses_it(home):
    file = home / "greeting.md"
    file.write_text(HELLO)
    first = ids([{"name": "A"}, {"name": "B"}], file)

    rows = [{"name": "A", "team": ""}, {"name": "B", "team": "X"}]
    assert ids(rows, file) == first
    file.write_text(HELLO + "{% if team %} Go {{ team }}!{% endif %}")
    unchanged, changed = ids(rows, file)

    assert unchanged == first[0]
    assert changed != first[1]


def test_the_file_of_a_template_is_its_identity_not_its_text(home):
    file = home / "greeting.md"
    file.write_text(HELLO)
    first = ids([{"name": "A"}], file)
    file.write_text(HELLO.replace("nice", "so nice"))
    assert ids([{"name": "A"}], file) == first

    other = home / "other.md"
    other.write_text(HELLO)
    assert ids([{"name": "A"}], other) != first


def test_a_template_outside_of_home_is_known_by_its_name(tmp_path):
    folders = tmp_path / "one", tmp_path / "two"
    found = []
    for folder in folders:
        folder.mkdir()
        (folder / "greeting.md").write_text(HELLO)
        settings = load_settings(environ={"HEYGEN_NB_HOME": str(tmp_path / "home")})
        drafts = drafts_from([{"name": "A"}], folder / "greeting.md", settings=settings)
        found.append(drafts[0].id)

    assert found[0] == found[1]


def test_the_column_id_is_the_id_as_a_text(home):
    (home / "t.csv").write_text("id,name\n00123456,A\n1e5,B\n#c,C\n,D\n")

    found = ids("t.csv")

    assert found[:3] == ["00123456", "1e5", "c"]
    assert len(found[3]) == 8


def test_a_template_may_make_the_id():
    template = "---\nid: hello-{{ name }}\n---\n" + HELLO

    assert ids([{"id": "x", "name": "A"}], template) == ["hello-A"]
    assert "A-Z 0-9" in str(problems([{"name": "A B"}], template))


def test_two_rows_with_one_id_are_an_error_that_names_both():
    rows = [
        {"id": "x", "name": "A"},
        {"id": "y", "name": "B"},
        {"id": "x", "name": "C"},
    ]

    [problem] = problems(rows, HELLO).problems

    assert problem == "row 3, column “id”: “x” is the id of row 1 too"


def test_repeated_rows_are_one_draft_and_that_is_told(caplog):
    rows = [{"name": "A", "mail": "1"}, {"name": "A", "mail": "2"}, {"name": "B"}]

    with caplog.at_level(logging.WARNING):
        assert len(drafts_from(rows, HELLO)) == 2

    assert "1 row repeats an earlier one" in caplog.text


def test_rows_whose_hashes_begin_alike_stay_two_drafts_in_any_order():
    """8 hex digits of two different rows are the same once in some 65,000 rows."""
    digests = _twins()
    twins = [{"name": name} for name in digests]

    forth, back = ids(twins), ids(twins[::-1])

    low, high = sorted(digests.values())
    assert set(forth) == {low[:8], high[:16]}
    assert forth == back[::-1]


def _twins():
    """Two names and the digests of their rows, which begin alike, found by trying."""
    identity = DraftTemplate(HELLO, load_settings().home).identity
    seen = {}
    for number in range(1_000_000):
        name = f"n{number}"
        content = f'["{identity}", [["name", "{name}"]]]'
        digest = hashlib.sha256(content.encode()).hexdigest()
        first, other = seen.setdefault(digest[:8], (name, digest))
        if first != name:
            return {first: other, name: digest}
    raise AssertionError
