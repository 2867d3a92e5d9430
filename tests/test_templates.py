from __future__ import annotations

import time

import pytest

from heygen_nb.errors import DraftError
from heygen_nb.templates import Empty, EmptyValueError, Template


def test_values_are_put_in_and_never_compiled():
    template = Template("Hello, {{ name }}!", where="a.md")

    assert template.names == {"name"}
    code = "{{ ''.__class__ }}"
    assert template.render({"name": code}) == f"Hello, {code}!"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ name.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{{ 'x' * 1000000 }}",
        "{% for letter in name %}{{ letter * 9999 }}{% endfor %}",
        "{{ name + 1 }}",
        "{{ 1 / 0 }}",
        "{{ missing }}",
        "{{ range(10) }}",
        "{% include 'other' %}",
        "{{ 'x' * 10000000000 }}",
        "{{ name * 10000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
    ],
)
def test_what_a_template_may_not_do_is_a_clear_error(source):
    with pytest.raises(DraftError, match=r"^a\.md"):
        Template(source, where="a.md").render({"name": "abc"})


def test_a_mistake_is_told_with_the_line_of_the_file():
    with pytest.raises(DraftError, match=r"a\.md, line 6"):
        Template("one\ntwo {{ name", where="a.md", line=5)


def test_a_much_too_long_template_is_refused():
    with pytest.raises(DraftError, match="100000"):
        Template("x" * 100_001, where="a.md")


def test_an_empty_value_is_false_and_leaves_no_hole():
    template = Template("one\n{% if a %}{{ a }}{% endif %}\n{{ b }}", where="t", line=4)
    assert template.lines == {"a": 5, "b": 6}
    assert template.render({"a": Empty("a"), "b": "B"}) == "one\n\nB"

    with pytest.raises(EmptyValueError, match=r"t, line 6") as caught:
        template.render({"a": "A", "b": Empty("b")})

    assert caught.value.name == "b"


def test_numbers_can_be_multiplied():
    assert Template("{{ 3 * 4 }}", where="t").render({}) == "12"


@pytest.mark.parametrize(
    "source",
    [
        '{{ "%999999999d" % 1 }}',
        '{{ "%*d" % (999999999, 1) }}',
        '{{ "%999999999d"|format(1) }}',
        '{{ "{:999999999}".format(1) }}',
        '{{ "x"|center(999999999) }}',
        '{{ "x".center(999999999) }}',
        '{{ "x".ljust(999999999) }}',
        '{{ "7".zfill(999999999) }}',
        "{{ name|indent(999999999) }}",
        '{{ name|batch(999999999, "x")|list }}',
        '{{ name|slice(999999999, "x")|list }}',
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
        "{% for x in name recursive %}{{ loop(name) }}{% endfor %}",
        "{% block b %}{{ self.b() }}{% endblock %}",
        "{% for a in s %}" * 6 + "{% set x = 1 %}" + "{% endfor %}" * 6,
        "{% for a in s %}{% for b in s %}{% set x = s|upper %}{% endfor %}{% endfor %}",
        "{% set x = s %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
        "{% set x = s %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
        "{% set x %}{{ s }}{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40,
        "{% set x = [s] %}" + "{% set x = [x, x] %}" * 40 + "{{ x }}",
        "{% set x = s %}" + "{% set x = x|replace('a', x) %}" * 9 + "{{ x }}",
        "{{ s.replace('a', s)|length }}",
        "{{ s|join(s) }}",
        "{{ 1|round(999999999) }}",
        "{{ s|xmlattr }}",
        "{{ " + "9999999999 * " * 2000 + "1 }}",
    ],
)
def test_no_template_runs_long_or_makes_a_huge_text(source):
    begun = time.monotonic()

    with pytest.raises(DraftError) as caught:
        Template(source, where="a.md").render({"name": "abc", "s": "a" * 2000})

    assert "a.md" in caught.value.message
    assert "\n" not in str(caught.value)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% for a in name %}{{ loop.index }}{{ a }} {% endfor %}", "1a 2b 3c "),
        ("{{ name ~ '-' ~ 5 }}", "abc-5"),
        ("{{ 'a' + name }}", "aabc"),
        ("{{ [name, 'x']|join(', ') }}", "abc, x"),
        ("{{ '%s'|format(name) }}", "abc"),
        ("{{ '{:>5}'.format(name) }}", "  abc"),
        ("{{ name|center(9)|trim|title }}", "Abc"),
        ("{% set x = name|upper %}{{ x }}", "ABC"),
        ("{% set x %}<{{ name }}>{% endset %}{{ x }}", "<abc>"),
        ("{{ name|replace('b', '-') }}{{ 7 % 4 }}", "a-c3"),
        ("{{ 300000|round|int + 150000 }}", "450000"),
        ("{{ name|default('x') }}{{ name|length }}", "abc3"),
    ],
)
def test_what_texts_need_still_works(source, text):
    assert Template(source, where="a.md").render({"name": "abc"}) == text


def test_a_template_may_be_used_for_many_rows():
    template = Template("{% for a in s %}{{ a|upper }}{% endfor %}", where="a.md")

    for _row in range(5):  # each has all of its work left
        assert len(template.render({"s": "a" * 5_000})) == 5_000
