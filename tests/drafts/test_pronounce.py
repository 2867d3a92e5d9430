from __future__ import annotations

import json

import pytest

import heygen_nb as hg
from heygen_nb.drafts.spoken import pronounced, rules_of, save_rule
from heygen_nb.errors import ConfigError
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.animatic import scene_of

TEXT = "HeyGen met heygen's twin. SQL and My SQL, <break time='1s'/> SQLite."


@pytest.fixture
def rules(home):
    def write(text):
        (home / "pronounce.yaml").write_text(text, encoding="utf-8")
        return home

    return write


def test_words_and_phrases_are_said_as_the_file_says(rules):
    home = rules("HeyGen: hey jen  # the firm\nSQL: sequel\nMy SQL: my squeal\n")

    assert pronounced(TEXT, home, "en") == (
        "hey jen met hey jen's twin. sequel and my squeal, <break time='1s'/> SQLite."
    )


def test_a_rule_of_one_language_leaves_the_other_alone(rules):
    home = rules(
        "- word: замок\n  said: за́мок\n  language: ru\n- {word: time, said: thyme}\n"
    )

    assert pronounced("Замок и замо́к. time", home, "ru") == "за́мок и замо́к. thyme"
    assert pronounced("замок <break time='1s'/>", home, "en").endswith("time='1s'/>")
    assert pronounced("замок", home, "en") == "замок"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("HeyGen: hey jen\nSQL: [1, 2]\n", 2),
        ("HeyGen: hey jen\nSQL:\n", 1),
        ("- word: a\n  said: b\n- word: a\n  said: b\n  language: xx\n", 3),
        ("- word: a\n  said: b\n- word: c\n", 3),
        ("HeyGen hey jen\n", 1),
        ("a: b\n\tc: d\n", 2),
    ],
)
def test_a_bad_file_is_an_error_with_its_line(rules, text, line):
    home = rules(text)

    with pytest.raises(ConfigError, match=rf"pronounce\.yaml, line {line}\b"):
        rules_of(home)


def test_rules_are_set_and_taken_out_and_comments_stay(rules):
    home = rules("# ours\nHeyGen: hey jen\n")

    save_rule(home, "SQL", "sequel")
    save_rule(home, "HeyGen", "")

    assert rules_of(home) == (("SQL", "sequel", ""),)
    assert (home / "pronounce.yaml").read_text() == "# ours\nSQL: sequel\n"
    save_rule(home, "SQL", "")
    assert rules_of(home) == ()


@pytest.mark.anyio
async def test_it_is_said_in_the_video_and_never_stands_in_captions(rules, sandbox):
    draft = hg.Draft(id="spoken01", script="HeyGen speaks for itself today. " * 8)
    settings = sandbox.settings(captions="own")
    plain = await hg.render_video(draft, settings=settings)
    home = rules("Nobody: no body\n")
    assert (await hg.render_video(draft, settings=settings)).video_id == plain.video_id
    rules("HeyGen: hey jen\n")

    video = await hg.render_video(draft, settings=settings)

    assert video.video_id != plain.video_id
    assert len(sandbox.charges()) == 2
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        row = ledger.render(video.render_id)
    assert json.loads(row.body)["script"].startswith("hey jen speaks")
    assert row.script == draft.script
    srt = video.subtitles.read_text()
    assert "HeyGen" in srt
    assert "jen " not in srt


@pytest.mark.anyio
async def test_it_is_heard_in_the_preview_and_not_seen(rules, sandbox, tmp_path):
    rules("SQL: sequel\n")
    draft = hg.Draft(script="SQL is a language for questions.")
    settings = sandbox.settings(captions="own")

    scene = await scene_of(draft, settings, 240)
    path = await hg.preview_draft(draft, tmp_path / "a.mp4", settings=settings)

    assert scene.said == "sequel is a language for questions."
    assert "SQL is" in path.with_suffix(".srt").read_text().replace("\n", " ")


@pytest.mark.anyio
async def test_a_script_that_its_rules_make_too_long_is_refused_free(rules, sandbox):
    rules("cat: a big, soft and very quiet cat\n")
    draft = hg.Draft(script="The cat sleeps. " * 300)

    with pytest.raises(hg.HeygenNbError, match="script"):
        await hg.render_video(draft, settings=sandbox.settings())

    assert sandbox.charges() == []
