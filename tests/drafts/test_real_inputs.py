"""What people really put in; each sample stands for its kind."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings, strategies as st

from heygen_nb.drafts import check_draft, drafts_from, read_drafts, what_is_said
from heygen_nb.drafts.read import drafts_in
from heygen_nb.drafts.table import read_table
from heygen_nb.errors import DraftError
from heygen_nb.models import Draft

FRONT = "---\ntitle: Morning\ncaption: One small step\nduration: 20\n---\n"
SAID = "Good morning, friends. Today we learn one small thing."


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\n",
        "\ufeff\n",
        "\ufeff\ufeff",
        "<!-- draft -->\n",
        " \t\n\u200b\u2060\n",
        "%% mine %%\n\n<!-- two\nlines -->\n",
        "[//]: # (hidden)\n",
        "\r\n\r\n",
    ],
)
def test_front_matter_is_read_whatever_invisible_stands_before_it(before):
    [draft] = drafts_in(f"{before}{FRONT}{SAID}\n".encode(), "a.md")

    assert (draft.title, draft.caption, draft.duration) == (
        "Morning",
        "One small step",
        20,
    )
    assert draft.script == SAID


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: Morning\nduration: 20\n\nGood morning.", 1),
        ("Hello, friends.\n---\ntitle: Morning\n---\nGood morning.", 3),
        ("***\ntitle: Morning\n***\nGood morning.", 2),
        ("+++\ntitle = 'Morning'\n+++\nGood morning.", 2),
        ("```yaml\ncaption: Morning\n```\nGood morning.", 2),
        ("—\ntitle: Morning\n—\nGood morning.", 2),
        ("> title: Morning\n\nGood morning.", 1),
        ("- **Voice:** Maya\n\nGood morning.", 1),
        ("Тема: Утро\nПодпись: Шаг\n\nДоброе утро.", 1),
        ("author: Bob\ndate: 2024-01-05\n\nGood morning.", 1),
        ("HEYGEN_API_KEY=sk_1\n", 1),
        ("Good morning.\n\ncaption: One small step\n", 3),
        (f"{FRONT}{FRONT}Good morning.", 7),
        ("telegram_chat_id: -100\n\nGood morning.", 1),
    ],
)
def test_nothing_that_looks_like_settings_is_spoken(text, line):
    with pytest.raises(DraftError, match=f"line {line} looks like a setting"):
        drafts_in(text.encode(), "a.md")


def test_settings_in_a_script_are_refused_in_every_path():
    with pytest.raises(DraftError, match="looks like a setting"):
        check_draft(Draft(script="title: Morning\n\nGood morning."))
    with pytest.raises(DraftError, match="looks like a setting"):
        drafts_from([{"script": "caption: x\n\nGood morning."}])


@pytest.mark.parametrize(
    "script",
    [
        "Remember: drink water.\nNote: eat well.",
        "Alice: how are you?\nBob: fine.",
        "My resolution: more sleep.",
        "One rule = one habit.",
        "Say it: I can.",
    ],
)
def test_plain_speech_with_colons_is_no_setting(script):
    check_draft(Draft(script=script))


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("caption: #morning #mindset", "#morning #mindset"),
        ("caption: New video #morning #mindset", "New video #morning #mindset"),
        ("подпись: Новое видео #утро", "Новое видео #утро"),
        ("caption: 'New #morning'", "New #morning"),
        ("caption: |\n  New\n  #morning", "New\n#morning"),
    ],
)
def test_a_hashtag_is_no_comment(text, caption):
    [draft] = drafts_in(f"---\n{text}\n---\n{SAID}".encode(), "a.md")

    assert draft.caption == caption


@pytest.mark.parametrize(
    "text",
    [
        "caption: New # morning",
        "caption: New\n  #morning",
        "caption: 'New' #morning",
        "caption: | #morning\n  New",
        "caption: #morning\n  New",
        "caption: &tag New",
        "caption: !bang New",
    ],
)
def test_a_text_is_never_shortened_in_silence(text):
    with pytest.raises(DraftError, match="straight quotes"):
        drafts_in(f"---\n{text}\n---\n{SAID}".encode(), "a.md")


def test_hashtags_in_yaml_belong_to_the_texts():
    content = b"- script: Good morning, friends #1 tip\n  caption: New video #morning\n"

    [draft] = drafts_in(content, "a.yaml")

    assert draft.script == "Good morning, friends #1 tip"
    assert draft.caption == "New video #morning"


def test_what_is_typed_without_quotes_stays_what_was_typed():
    text = (
        "- {script: Hi there., id: 007, title: 2024-01-05, voice: on, avatar: 1e5}\n"
        "- {script: Hi again., id: 1_000, background: '#203040', duration: 20 }\n"
    )

    first, second = drafts_in(text.encode(), "a.yaml")

    assert (first.id, first.title) == ("007", "2024-01-05")
    assert (first.voice, first.avatar) == ("on", "1e5")
    assert (second.id, second.background) == ("1_000", "#203040")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.json", '[{"script": "Good morning, friends.", "caption": "Hello"}]'),
        ("c.srt", "1\n00:00:00,000 --> 00:00:02,000\nGood morning, friends.\n"),
        ("d.html", "<p>Hello</p>"),
        ("e.toml", "a = 1"),
        ("f.docx", "PK"),
        (".env", "A=1"),
        ("script", "Hello"),
    ],
)
def test_other_files_are_refused_by_name(name, content):
    with pytest.raises(DraftError, match=r"is no draft.*Markdown"):
        drafts_in(content.encode(), name)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('[{"script": "Good morning, friends.", "caption": "Hello"}]', "JSON"),
        ('{"script": "Good morning."}', "JSON"),
        ("1\n00:00:00,000 --> 00:00:02,000\nGood morning, friends.\n", "SRT"),
        ("WEBVTT\n\n00:00.000 --> 00:02.000\nHi\n", "SRT"),
        ("<!DOCTYPE html>\n<html></html>", "XML"),
        ('<?xml version="1.0"?><a/>', "XML"),
        ("{\\rtf1 Hello}", "RTF"),
        ("script;caption\nGood morning.;Hello\n", "CSV"),
    ],
)
@pytest.mark.parametrize("ending", [".md", ".txt"])
def test_other_content_is_refused_whatever_its_ending_says(content, kind, ending):
    with pytest.raises(DraftError, match=kind):
        drafts_in(content.encode(), f"a{ending}")


def test_a_link_to_settings_is_no_draft_and_one_out_of_home_is_named(tmp_path, caplog):
    home = tmp_path / "project"
    home.mkdir()
    (tmp_path / ".env").write_text("HEYGEN_API_KEY=sk_1\n")
    (tmp_path / "other.md").write_text("Good morning.")
    (home / "a.md").symlink_to(tmp_path / ".env")
    (home / "b.md").symlink_to(tmp_path / "other.md")
    (home / "c.md").symlink_to("/dev/zero")
    os.mkfifo(home / "d.md")

    for name in "acd":
        with pytest.raises(DraftError):
            read_drafts(home / f"{name}.md", home)
    assert read_drafts(home / "b.md", home)[0].script == "Good morning."
    assert str(tmp_path / "other.md") in caplog.text


def test_too_large_and_too_deep_files_are_refused_in_words():
    with pytest.raises(DraftError, match="larger than 1 MB"):
        drafts_in(b"- script: x\n" * 100_000, "a.yaml")
    with pytest.raises(DraftError, match="nested too deeply"):
        drafts_in(b"- " + b"[" * 20_000, "a.yaml")


MARKDOWN = """# Hook

**Good morning**, [friends](https://example.com/page?utm=1)!

- one
- two

> quote

1. first
2. second

![pic](pic.png)

`code` ~~no~~ [[Wiki link|shown]] ==mark== footnote[^1]

[^1]: a note

| a | b |
|---|---|
| 1 | 2 |
 Today we learn one small thing.
"""


def test_markdown_is_not_spoken():
    assert what_is_said(MARKDOWN).text == (
        "Good morning, friends!\n\none\ntwo\n\nquote\n\nfirst\nsecond\n\n"
        "code shown mark footnote\n\nToday we learn one small thing."
    )


def test_comments_are_not_spoken_and_are_told():
    said = what_is_said(
        f"{SAID}\n\n<!-- note to self -->\n%% obsidian comment %%\n[//]: # (hidden)\n"
    )

    assert said.text == SAID
    assert said.left_out == (
        "<!-- note to self -->",
        "%% obsidian comment %%",
        "[//]: # (hidden)",
    )


@pytest.mark.parametrize(
    ("script", "said", "left_out"),
    [
        ("Narrator: Hello.", "Hello.", "Narrator:"),
        ("**Narrator:** Hello.", "Hello.", "Narrator:"),
        ("Диктор: Привет.", "Привет.", "Диктор:"),
        ("[upbeat music] Hello.", "Hello.", "[upbeat music]"),
        ("Hello (smiles) there.", "Hello there.", "(smiles)"),
        ("Привет (улыбается)!", "Привет!", "(улыбается)"),
        ("*laughs* Hello.", "Hello.", "*laughs*"),
        ("[0:00 - 0:05] Hello.", "Hello.", "[0:00 - 0:05]"),
        ("On screen: SALE\nHello.", "Hello.", "On screen: SALE"),
        ("Hello. #morning #mindset", "Hello.", "#mindset"),
        ("See https://a.b/c?d=1#e.", "See.", "https://a.b/c?d=1#e"),
        ("Write to me@x.com today.", "Write to today.", "me@x.com"),
        ("Join t.me/channel now.", "Join now.", "t.me/channel"),
        ("Follow @channel!", "Follow!", "@channel"),
        ("Visit (https://x.y).", "Visit.", "https://x.y"),
        ("## Scene 2\nHello.", "Hello.", "## Scene 2"),
    ],
)
def test_labels_directions_hashtags_and_addresses_are_not_spoken(
    script, said, left_out
):
    found = what_is_said(script)

    assert found.text == said
    assert left_out in found.left_out


@pytest.mark.parametrize(
    "script",
    [
        "Good morning, friends!\n\nIt is 5:30 now, 24/7 and/or Booking.com.",
        "5 * 3 = 15, 2*3*4, snake_case_name, C# and AT&T.",
        "We walked (about 5 km) home.",
        'Stop. <break time="1s"/> Go on.',
        "  Two  spaces,\n\n\n and three lines.  ",
        "Tip #1: drink water. 1️⃣ 🔥 — да!",
        "За́мок и замо́к. «Кавычки» — тире.",
        "Say it: I can. I <3 you.",
        "3. 2. 1. Go!",
        "3... 2... 1... Пуск!",
        "Our price: $20. Music is life; sound matters.",
    ],
)
def test_a_script_without_remarks_is_said_as_it_is(script):
    assert what_is_said(script).text == script
    assert what_is_said(script).left_out == ()


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(alphabet="ab #*_-[]()!|>`~:1.\n@/\\%<"))
def test_what_is_said_is_said_the_same_again(script):
    once = what_is_said(script).text

    assert what_is_said(once).text == once


@pytest.mark.parametrize(
    "part", ["|", "[a", "(smiles", "*a", "- ", "~~", "%%", "#", "```a\n"]
)
def test_no_script_takes_long(part):
    what_is_said(part * (20_000 // len(part)))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Hello\0 there.", "U+0000"),
        ("Hello \x1b[31m there.", "U+001B"),
        ("Hello \ufffd there.", "U+FFFD"),
        ("Hello, {{ name }}.", "{{ name }}"),
        ("Hello, {name}.", "{name}"),
        ("Hello, %name%.", "%name%"),
        ("Hello, [Your name].", "[Your name]"),
        ("Привет, [имя].", "[имя]"),
        ("We earned #REF! this year.", "#REF!"),
        ("Мы заработали #Н/Д.", "#Н/Д"),
        ("Tom &amp; Jerry.", "write “&”"),
        ("Tom&#39;s.", "write “'”"),
        ("<b>Hello</b> there.", "<b>"),
    ],
)
@pytest.mark.parametrize("field", ["script", "caption", "title"])
def test_what_nobody_should_hear_or_read_is_refused_in_every_path(text, part, field):
    texts = {"script": "Good morning.", field: text}

    with pytest.raises(DraftError) as caught:
        check_draft(Draft(**texts))
    assert part in caught.value.message
    with pytest.raises(DraftError):
        drafts_from([texts])


@pytest.mark.parametrize(
    "content",
    [
        b"sep=;\nscript;caption\nGood morning, friends.;Hello\n",
        b"\xef\xbb\xbfsep=;\r\nscript;caption\r\nGood morning, friends.;Hello\r\n",
        b'"sep=;"\nscript;caption\nGood morning, friends.;Hello\n',
        b'script,caption,,,\n,,,,\n"Good morning, friends.",Hello,,,\n,,,,\n',
        b'\n\nscript,,caption\n"Good morning, friends.",,Hello\n',
        "Сценарий\tПодпись\nGood morning, friends.\tHello\n".encode("utf-16"),
        "Текст;Подпись\nGood morning, friends.;Hello\n".encode(),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(content):
    for name in ("a.csv", "a.tsv"):
        [draft] = drafts_in(content, name)

        assert draft.script == "Good morning, friends."
        assert draft.caption == "Hello"


def test_a_tsv_is_a_table():
    content = b"script\tcaption\nGood morning, friends.\tHello\nSecond script.\tBye\n"

    drafts = drafts_in(content, "a.tsv")

    assert [d.caption for d in drafts] == ["Hello", "Bye"]


def test_a_sheet_of_one_column_needs_no_quotes():
    [draft] = drafts_in(b"script\nGood morning, friends; hello.\n", "a.csv")

    assert draft.script == "Good morning, friends; hello."


def test_the_line_of_a_mistake_counts_the_separator_line():
    with pytest.raises(DraftError, match="line 4"):
        drafts_in(b"sep=;\nscript;caption\nHi there.;a\nHi;b;c\n", "a.csv")


def test_a_name_of_an_upload_is_all_that_a_message_says_of_its_place():
    with pytest.raises(DraftError) as caught:
        drafts_in("имя\nАнна\n".encode("cp1251"), "table.csv")

    assert str(caught.value).startswith("table.csv cannot be read: line 1 is not UTF-8")


class Frame:
    """Stands for a DataFrame."""

    def __init__(self, columns, rows):
        self.columns = columns
        self._rows = rows

    def to_dict(self, _kind):
        return [dict(zip(self.columns, row, strict=True)) for row in self._rows]


def test_two_columns_of_one_name_are_refused_in_a_data_frame_too():
    with pytest.raises(DraftError, match="two columns are called “script”"):
        drafts_from(Frame(["script", "script"], [["a", "b"]]))


def test_blank_rows_and_columns_of_a_data_frame_do_not_count():
    nan = float("nan")
    frame = Frame(
        ["script", "Unnamed: 1"], [["Good morning.", nan], [nan, nan], ["Hi.", nan]]
    )

    assert [d.script for d in drafts_from(frame)] == ["Good morning.", "Hi."]


def test_headings_in_the_users_words_are_the_fields():
    table = [{"Тема": "Утро", "Сценарий": "Привет.", "Голос": "Maya", "Подпись": "Шаг"}]

    [draft] = drafts_from(table)

    assert (draft.title, draft.script) == ("Утро", "Привет.")
    assert (draft.voice, draft.caption) == ("Maya", "Шаг")


def test_two_headings_for_one_field_are_refused():
    with pytest.raises(DraftError, match="script"):
        drafts_from([{"Текст": "Привет.", "Сценарий": "Пока."}])


def test_other_columns_are_given_a_field_or_left_out():
    table = [{"What to say": "Hello.", "Send time": "10:00", "Length": 20}]

    with pytest.raises(DraftError, match="unknown key"):
        drafts_from(table)
    [draft] = drafts_from(table, columns={"What to say": "script", "Send time": ""})

    assert (draft.script, draft.duration) == ("Hello.", 20)


def test_a_typed_template_keeps_caption_and_title_of_the_table():
    table = [{"name": "Anna", "Тема": "Утро", "Подпись": "Шаг", "Голос": "Maya"}]

    [draft] = drafts_from(table, "Hello, {{ name }}!")

    assert draft.script == "Hello, Anna!"
    assert (draft.title, draft.caption, draft.voice) == ("Утро", "Шаг", "Maya")


def test_a_new_caption_column_does_not_change_the_ids_of_rows():
    [before] = drafts_from([{"name": "Anna"}], "Hello, {{ name }}!")
    [after] = drafts_from([{"name": "Anna", "caption": "x"}], "Hello, {{ name }}!")

    assert before.id == after.id


@pytest.mark.parametrize("missing", ["nan", "NaN", "<NA>", "NaT", "NULL"])
def test_a_missing_value_is_blank(missing):
    table = read_table("a.csv", f"script,voice\nHi.,{missing}\n".encode())

    assert table.rows[0].cells["voice"] == ""


def test_a_number_that_a_spreadsheet_has_shortened_is_refused():
    with pytest.raises(DraftError, match="shortened"):
        drafts_from([{"phone": "7,91612E+10"}], "Call {{ phone }}!")


def test_a_wrong_column_is_told_at_the_header():
    with pytest.raises(DraftError, match="line 1: there is no column “script”"):
        drafts_in(b"name,city\nAnna,Rome\n", "people.csv")
    with pytest.raises(DraftError, match="line 1: unknown key “captoin”"):
        drafts_in(b"script,captoin\nHi there.,x\n", "people.csv")
