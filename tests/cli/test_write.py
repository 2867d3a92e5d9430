from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from heygen_nb.config import load_settings
from heygen_nb.drafts import read_drafts
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import ledger_url

HALF_A_MINUTE = (
    "A good cup of coffee begins with warm water and a little patience. " * 7
).strip()
KEY = "sk-proj-Secret0123456789"


@pytest.fixture
def write(run):
    def command(*arguments, **environ):
        return run("write", *arguments, **environ)

    return command


@pytest.fixture
def model(fake_model):
    return {
        "HEYGEN_NB_SCRIPT_MODEL": "m1",
        "HEYGEN_NB_SCRIPT_BASE_URL": fake_model.base_url,
        "OPENAI_API_KEY": KEY,
    }


def rows(ran):
    return [json.loads(line) for line in ran.out.splitlines()]


def in_ledger():
    with Ledger(ledger_url(load_settings())) as ledger:
        return {row.id: row for row in ledger.drafts.all()}


def test_each_version_becomes_a_file_and_stands_in_the_ledger(write, home):
    ran = write("Leo", "-n", 3, "--seed", 1, "--json")

    assert ran.code == 0
    found = rows(ran)
    assert len({row["draft_id"] for row in found}) == 3
    for row in found:
        path = Path(row["path"])
        assert path.parent == home / "drafts"
        assert path.name.startswith("leo-")
        [draft] = read_drafts(path, home)
        stored = in_ledger()[row["draft_id"]]
        assert draft.id == row["draft_id"]
        assert (draft.title, draft.caption) == (row["title"], stored.caption)
        assert draft.script == stored.script
        assert row["words"] == len(draft.script.split())
        assert abs(row["seconds"] - 30) < 4.5
        assert row["target_s"] == 30


def test_what_is_written_can_be_rendered_as_it_is(write, run, sandbox):
    [row] = rows(write("Лев", "-d", 20, "--json"))

    rendered = run("render", "--json", row["path"], **sandbox.environ())

    assert rendered.code == 0
    assert json.loads(rendered.out)["draft_id"] == row["draft_id"]
    assert json.loads(rendered.out)["target_s"] == 20
    assert len(sandbox.charges()) == 1


def test_people_read_path_words_and_seconds(write):
    ran = write("Leo", "--output", "texts")

    assert "texts/leo-" in ran.out
    assert "words, about" in ran.out


def test_formats_are_listed_in_both_languages(write):
    ran = write("--formats")

    assert "Daily horoscope" in ran.out
    assert "Гороскоп на день" in ran.out
    assert "Daily" not in write("--formats", "-l", "ru").out


def test_a_length_beyond_what_is_allowed_is_said(write):
    ran = write("Leo", "-d", 90, "--json")

    assert rows(ran)[0]["target_s"] == 60
    assert "at most 60 s" in ran.err


def test_the_model_writes_and_the_key_is_nowhere(write, model, fake_model, home):
    fake_model.say(HALF_A_MINUTE, title="On coffee", caption="☕\n#coffee")

    ran = write("Coffee", "--tone", "warm", "--json", **model)

    [row] = rows(ran)
    [draft] = read_drafts(row["path"], home)
    assert draft.caption == "☕\n#coffee"
    assert draft.script == HALF_A_MINUTE
    assert fake_model.completions == 1
    assert KEY not in ran.text
    assert not any(
        KEY.encode() in f.read_bytes() for f in home.rglob("*") if f.is_file()
    )


def test_a_terminal_shows_the_text_while_it_grows(
    write, model, fake_model, monkeypatch
):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("heygen_nb.cli.console.err", terminal)
    fake_model.say(HALF_A_MINUTE, title="On coffee")

    ran = write("Coffee", **model)

    assert "On coffee" in screen.getvalue()
    assert "patience" not in ran.out  # what grew has gone; the path stays


def test_offline_asks_nobody(write, model, fake_model):
    assert write("Coffee", "--offline", **model).code == 0
    assert fake_model.asked == []


def test_a_script_that_still_misses_is_said(write, model, fake_model):
    fake_model.say("Much too short.")

    ran = write("Coffee", "--json", **model)

    assert ran.code == 0
    assert "instead of 30 s" in ran.err
    assert fake_model.completions == 2


@pytest.mark.parametrize("change", [None, "shorten", "translate"])
def test_a_file_is_rewritten_into_a_new_one_beside_it(  # noqa: PLR0917
    write, model, fake_model, draft_file, home, change
):
    text = "---\nid: old1\ntitle: Tea\nvoice: v1\nduration: 30\n---\nOld script."
    (home / "mine").mkdir()
    file = draft_file(text, "mine/tea.md")
    fake_model.say(HALF_A_MINUTE, title="Tea two")
    flags = ["--change", change] if change else []

    [row] = rows(write("--from", file, *flags, "--json", **model))

    assert file.read_text() == text
    path = Path(row["path"])
    assert path.parent == home / "mine"
    [draft] = read_drafts(path, home)
    assert draft.id == row["draft_id"] != "old1"
    assert (draft.title, draft.voice, draft.duration) == ("Tea two", "v1", 30)
    assert row["draft_id"] in in_ledger()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "no topic"),
        (("Leo", "--format", "nope"), 2, "no format"),
        (("Space", "--format", "news"), 2, "needs points"),
        (("Leo", "--language", "de"), 2, "“de”"),
        (("Leo", "--change", "shorten"), 2, "--from FILE"),
        (("Leo", "-n", "0"), 2, "-n"),
        (("--from", "missing.md"), 2, "missing.md"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(write, home, arguments, code, message):
    ran = write(*arguments)

    assert ran.code == code
    assert message in ran.text
    assert not (home / "drafts").exists()


def test_rewriting_without_a_model_says_how_to_set_one(write, draft_file):
    ran = write("--from", draft_file(), "--change", "shorten")

    assert ran.code == 2
    assert "script_model" in ran.err


@pytest.mark.parametrize(("status", "code"), [(401, 3), (404, 1), (500, 1)])
def test_the_models_failures_have_their_exit_codes(
    write, model, fake_model, status, code
):
    fake_model.fail(status, body={"error": {"message": KEY}})

    ran = write("Coffee", **model)

    assert ran.code == code
    assert "👉" in ran.err
    assert KEY not in ran.text


def test_versions_before_a_failure_are_kept(write, model, fake_model, home):
    fake_model.say(HALF_A_MINUTE)
    fake_model.fail(401)

    ran = write("Coffee", "-n", 3, **model)

    assert ran.code == 3
    assert len(list((home / "drafts").iterdir())) == len(in_ledger()) == 1


def test_a_folder_that_cannot_be_written_leaves_the_draft_in_the_ledger(write, home):
    (home / "blocked").write_text("a file, not a folder")

    ran = write("Leo", "-o", "blocked")

    assert ran.code == 2
    [kept] = in_ledger()
    assert f"#{kept}" in ran.err


def test_a_file_that_is_there_is_never_overwritten(write, home, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda _n: "abcd1234")

    write("Leo", "--seed", 1)
    write("Leo", "--seed", 1)

    names = sorted(file.name for file in (home / "drafts").iterdir())
    assert len(names) == 2
    assert names[0].endswith("-abcd1234-2.md")


def test_a_language_without_formats_is_an_error_that_names_those_there_are(write):
    ran = write("--formats", "-l", "de")

    assert ran.code == 2
    assert "en, ru" in ran.err
