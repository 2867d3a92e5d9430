from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from heygen_nb.drafts import check_draft, read_drafts
from heygen_nb.errors import DraftError, HeygenNbError
from heygen_nb.models import Draft, short_id


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, name="draft.md"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_drafts(file, tmp_path)

    return write_and_read


def test_a_markdown_draft_has_front_matter_and_a_script(read):
    [draft] = read(
        "---\nid: a1b2c3d4\ncaption: |\n  Two\n  lines\ntitle: T\nvoice: Clara\n"
        "avatar: look_1\nduration: 45\n---\n\nHello there.\n\nBye.\n"
    )

    assert draft == Draft(
        id="a1b2c3d4",
        script="Hello there.\n\nBye.",
        caption="Two\nlines",
        title="T",
        voice="Clara",
        avatar="look_1",
        duration=45,
    )


def test_a_draft_needs_no_front_matter_and_no_caption(read):
    [draft] = read("Just say this.")

    assert draft.script == "Just say this."
    assert draft.caption == ""


def test_an_id_is_a_text_even_when_it_looks_like_a_number(read):
    assert read("---\nid: 00123456\n---\nx")[0].id == "00123456"
    assert read("---\nid: 1e5\n---\nx")[0].id == "1e5"
    assert read("---\nid: '#a1b2c3d4'\n---\nx")[0].id == "a1b2c3d4"


def test_a_file_without_an_id_gets_one_from_its_place(read, tmp_path):
    assert read("x", "a.md")[0].id == short_id("a.md")
    assert read("changed", "a.md")[0].id == short_id("a.md")
    assert read("x", "b.md")[0].id != short_id("a.md")


def test_yaml_holds_one_draft_or_a_list(read):
    [one] = read("script: Hi\ncaption: c\n", "a.yaml")
    two = read("- script: Hi\n- script: Ho\n  id: second\n", "b.yml")

    assert one.script == "Hi"
    assert [draft.script for draft in two] == ["Hi", "Ho"]
    assert two[0].id == short_id("b.yml:1")
    assert two[1].id == "second"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_a_row_a_draft(read, separator):
    drafts = read(
        f"id{separator}script{separator}duration\n"
        f'a{separator}"Hi{separator} you"{separator}20\nb{separator}Ho{separator}\n',
        "a.csv",
    )

    assert [(d.id, d.script, d.duration) for d in drafts] == [
        ("a", f"Hi{separator} you".strip(), 20),
        ("b", "Ho", None),
    ]


def test_a_byte_order_mark_of_excel_does_no_harm(read):
    assert read("\ufeffscript\nHi\n", "a.csv")[0].script == "Hi"


def test_a_duration_in_a_draft_follows_the_same_rule(read, caplog):
    assert read("---\nduration: 5\n---\nx")[0].duration == 15
    assert "draft.md" in caplog.text


@pytest.mark.parametrize(
    ("text", "name", "parts"),
    [
        (b"\xd0\xff\xfe", "a.md", ["a.md", "UTF-8"]),
        ("---\ncaption: x\nno end", "a.md", ["a.md, line 1", "---"]),
        ("---\ncaption: a: b\n---\nx", "a.md", ["a.md, line 2"]),
        ("---\ncaption: [a]\n---\nx", "a.md", ["a.md, line 2", "a text"]),
        ("---\ntitle: x\ncaptoin: x\n---\nx", "a.md", ["captoin", "caption"]),
        ("---\nscript: x\n---\nx", "a.md", ["script", "below"]),
        ("---\nid: a b\n---\nx", "a.md", ["a b"]),
        ("just words", "a.yaml", ["a.yaml, line 1", "key: value"]),
        ("- script: a\n- b\n", "a.yaml", ["a.yaml, line 2"]),
        ("", "a.yaml", ["no draft"]),
        ("title,caption\na,b\n", "a.csv", ["a.csv, line 1", "script"]),
        ("script,title\na,b,c\n", "a.csv", ["line 2", "more cells"]),
        ("script: \x00\n", "a.yaml", ["a.yaml"]),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(read, text, name, parts):
    with pytest.raises(DraftError) as caught:
        read(text, name)

    for part in parts:
        assert part in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DraftError, match=r"gone\.md"):
        read_drafts(tmp_path / "gone.md", tmp_path)
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(DraftError, match="directory"):
        read_drafts(tmp_path / "folder.md", tmp_path)


@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ('<break time="1s"/>', "empty"),
        ("x" * 5001, "5001"),
        ("🎬🎉 !!! …", "no words"),
        ("Hello {{ name }}, welcome.", "“{{ name }}” is not filled"),
        ("{% if name %}Hello.{% endif %}", "“{% if name %}” is not filled"),
    ],
)
def test_a_script_that_cannot_be_spoken_is_refused(script, part):
    with pytest.raises(DraftError, match=part):
        check_draft(Draft(script=script))


@pytest.mark.parametrize("script", ["x" * 5000, "Привет!", "7", "你好", "a 🎬"])
def test_a_script_that_can_be_spoken_passes(script):
    check_draft(Draft(script=script))


def test_running_a_cell_twice_means_the_same_draft():
    assert Draft(script="Hi").id == Draft(script="Hi").id
    assert Draft(script="Hi").id != Draft(script="Ho").id
    assert len(Draft(script="Hi").id) == 8


@settings(deadline=None)  # a busy machine is no fault
@given(st.binary(max_size=300), st.sampled_from(["a.md", "a.yaml", "a.csv"]))
def test_any_bytes_are_a_draft_or_a_clear_error(tmp_path_factory, content, name):
    folder = tmp_path_factory.mktemp("any", numbered=True)
    (folder / name).write_bytes(content)

    try:
        drafts = read_drafts(folder / name, folder)
    except HeygenNbError as error:
        assert name in str(error)  # noqa: PT017 - either way is right
    else:
        assert drafts
