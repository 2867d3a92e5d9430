"""Answers as models of all kinds give them; none is asked for a second time."""

from __future__ import annotations

import json
import re

import pytest

from heygen_nb.scripts import Written
from heygen_nb.scripts.answers import growing, whole

TITLE, CAPTION = "Morning coffee", "Try it! ☕ #coffee"
SCRIPT = 'Warm the cup first. It\'s "clean", I hope?\n\nThen pour: twice {really}.'
PLAIN = "Warm the cup first. Then pour."
WRITTEN = Written(TITLE, PLAIN, CAPTION)
OBJECT = json.dumps({"title": TITLE, "script": PLAIN, "caption": CAPTION})
LETTERS = json.dumps(json.loads(OBJECT), ensure_ascii=False)
UGLY = json.dumps({"title": TITLE, "script": SCRIPT, "caption": CAPTION})
DRAFT = '{"title": "A", "script": "No, this is not good enough.", "caption": "B"}'

SHAPES = {
    "as asked": OBJECT,
    "letters as they are": LETTERS,
    "trailing comma": OBJECT.replace("}", ",\n}"),
    "words after": f"{OBJECT}\n\nEnjoy it {{really}}!",
    "words before": f"Here {{you}} go, the script: {OBJECT}",
    "fence": f"```json\n{OBJECT}\n```",
    "fence with words": f"Sure!\n```\n{OBJECT}\n```\nMore?",
    "thoughts": f"<think>Write {DRAFT}?</think>\n{OBJECT}",
    "thoughts closed alone": f"Maybe {DRAFT}\n</think>\n\n{OBJECT}",
    "thoughts of another name": f"<thinking>{DRAFT}</thinking>{OBJECT}",
    "thoughts of Magistral": f"[THINK]{DRAFT}[/THINK]{OBJECT}",
    "thoughts of Kimi": f"◁think▷{DRAFT}◁/think▷{OBJECT}",
    "channels": "<|channel|>analysis<|message|>Hm, {x}.<|end|><|start|>assistant"
    f"<|channel|>final<|message|>{OBJECT}<|return|>",
    "thoughts never closed": f"<think>I write: {OBJECT}",
    "a second try": f"{DRAFT}\nBetter:\n{OBJECT}",
    "single quotes": str(json.loads(OBJECT)),
    "names without quotes": f'{{title: "{TITLE}", script: "{PLAIN}", '
    f'caption: "{CAPTION}"}}',
    "curly quotes": re.sub(r'"(.*?)"', r"“\1”", LETTERS),
    "no closing brace": OBJECT.rstrip("}"),
    "no closing quote": OBJECT[:-2],
    "one brace too many": OBJECT + "}}",
    "two braces": "{" + OBJECT + "}",
    "no braces": OBJECT.strip("{}"),
    "no commas": OBJECT.replace('", "', '"\n"'),
    "comments": OBJECT.replace(', "', ', // here\n"'),
    "joined texts": OBJECT.replace("first. ", 'first. " + "'),
    "long quotes": OBJECT.replace(f'"{PLAIN}"', f'"""\n{PLAIN}\n"""'),
    "back quotes": OBJECT.replace(f'"{PLAIN}"', f"`{PLAIN}`"),
    "a list": f"[{OBJECT}]",
    "an object inside": f'{{"result": {{"video": {OBJECT}}}}}',
    "an object in a text": json.dumps(OBJECT),
    "a call": f"script({OBJECT});",
    "other cases": OBJECT.replace("title", "Title").replace("script", "SCRIPT"),
    "translated names": OBJECT.replace('"title"', '"Заголовок"')
    .replace('"script"', '"Сценарий"')
    .replace('"caption"', '"Подпись"'),
    "other names": OBJECT.replace('"script"', '"voiceover"'),
    "an object a line": f'{{"title": "{TITLE}"}}\n{{"script": "{PLAIN}"}}\n'
    f'{{"caption": {json.dumps(CAPTION)}}}',
    "headings": f"# Title\n{TITLE}\n\n## Script\n{PLAIN}\n\n## Caption\n{CAPTION}",
    "bold labels": f"**Title:** {TITLE}\n\n**Script:** {PLAIN}\n\n"
    f"**Caption:** {CAPTION}",
    "labels with words": f"Title: {TITLE}\nScript (30 seconds):\n{PLAIN}\n"
    f"Caption: {CAPTION}",
    "numbered labels": f"1. **Title**: {TITLE}\n2. **Script**:\n{PLAIN}\n"
    f"3. **Caption**: {CAPTION}",
    "tags": f"<title>{TITLE}</title>\n<script>\n{PLAIN}\n</script>\n"
    f"<caption>{CAPTION}</caption>",
    "scenes": json.dumps(
        {
            "title": TITLE,
            "scenes": [{"narration": s} for s in PLAIN.split("\n")],
            "caption": CAPTION,
        }
    ),
    "a title and the text": f"**Title: {TITLE}**\n\n{PLAIN}\n\nCaption: {CAPTION}",
    "YAML of blocks": f"title: {TITLE}\nscript: |\n  {PLAIN}\ncaption: {CAPTION}",
    "YAML": f'title: "{TITLE}"\nscript: "{PLAIN}"\ncaption: "{CAPTION}"',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_script_is_found_in_whatever_carries_it(shape):
    assert whole(SHAPES[shape]) == WRITTEN


@pytest.mark.parametrize(
    ("answer", "script"),
    [
        (UGLY, SCRIPT),
        (UGLY.replace("\\n", "\n"), SCRIPT),
        (UGLY.replace("\\n", "\n").replace('\\"', '"'), SCRIPT),
        (UGLY.replace("\\n", "\r\n\t"), SCRIPT.replace("\n", "\r\n\t")),
        ('{"script": ["One.", "Two."]}', "One.\nTwo."),
        (
            '{"script": [{"speaker": "N", "text": "One."}, {"text": "Two."}]}',
            "One.\nTwo.",
        ),
        (
            '{"script": {"intro": "One.", "body": "Two.", "end": "3."}}',
            "One.\nTwo.\n3.",
        ),
        ('{"scenes": [{"narration": "One."}, {"narration": "Two."}]}', "One.\nTwo."),
        ('{"content": {"title": "T", "script": "One."}}', "One."),
        ('{"title": null, "script": "One.", "caption": 7}', "One."),
        ('{"script": "One. <break time="1s"/> Two."}', 'One. <break time="1s"/> Two.'),
        (
            '{"script": "The word "coffee", they say, is old."}',
            'The word "coffee", they say, is old.',
        ),
    ],
)
def test_what_stands_in_a_script_is_kept(answer, script):
    assert whole(answer).script == script


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I am only a text.",
        "[1, 2]",
        '{"title": "x"}',
        '{"script": " … "}',
        "{" * 9000,
        "<think>" + "x " * 100,
        "null",
        '"',
        "{}",
        '{"script": {"script": 3}}',
    ],
)
def test_where_there_is_no_script_none_is_found(answer):
    assert whole(answer) is None


@pytest.mark.parametrize("length", range(1, len(OBJECT)))
def test_half_a_script_is_never_taken_for_a_whole_one(length):
    found = whole(OBJECT[:length], cut=True)

    assert found is None or found.script == PLAIN
    assert found is None or found.caption in ("", CAPTION)
    assert (found is not None) == (length > OBJECT.index('", "caption'))


def test_a_growing_answer_shows_more_and_more():
    answer = f"</think>```json\n{UGLY}"
    shown = [growing(answer[:n]) for n in range(len(answer) + 1)]
    scripts = [texts[1] for texts in shown if texts]

    assert [len(s) for s in scripts] == sorted(len(s) for s in scripts)
    assert shown[-1] == (TITLE, SCRIPT, CAPTION)
    assert len(set(scripts)) > len(SCRIPT) * 0.8
