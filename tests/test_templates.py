from __future__ import annotations

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
