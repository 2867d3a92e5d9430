"""``resume``, ``history``, ``export``, ``resend`` and ``mark-sent``."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def command(run, sandbox):
    """Run a command against the sandbox in place of HeyGen and Telegram."""

    def against_sandbox(*arguments, **environ):
        return run(*arguments, **sandbox.environ(), **environ)

    return against_sandbox


def test_resume_with_nothing_to_do_says_so(command):
    ran = command("resume")

    assert ran.code == 0
    assert "Nothing is left to do" in ran.out


def test_an_unsure_post_is_told_with_both_ways_to_settle_it(
    command, sandbox, draft_file
):
    sandbox.fault("drop", "*/sendVideo", after=True)
    command("render", "--send", "--yes", draft_file())

    ran = command("resume", "--json")

    [row] = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 5
    assert row["sent"] == "unsure"
    assert f"heygen-nb mark-sent {row['post_id']}" in row["error"]["hint"]
    assert f"heygen-nb resend {row['post_id']}" in row["error"]["hint"]
    assert command("mark-sent", row["post_id"]).code == 0
    assert command("resume").code == 0
    assert command("resend", row["post_id"]).code == 1
    assert len(sandbox.ledger()["posts"]) == 1


def test_resend_sends_once_more(command, sandbox, draft_file):
    sandbox.fault("drop", "*/sendVideo")
    command("render", "--send", "--yes", draft_file())

    ran = command("resend", 1)

    assert ran.code == 0
    assert len(sandbox.ledger()["posts"]) == 1


def test_history_shows_and_filters(command, draft_file):
    command("render", "--yes", draft_file("Hello there, number one.", "1.md"))
    command("render", "--yes", draft_file("Hello there, number two.", "2.md"))

    shown = command("history")
    ran = command("history", "--json", "--limit", "1", "--since", "2020-01-01")
    none = command("history", "--json", "--status", "failed")

    assert shown.code == ran.code == none.code == 0
    assert shown.out.count("completed") == 2
    [row] = [json.loads(line) for line in ran.out.splitlines()]
    assert row["status"] == "completed"
    assert row["downloaded_at"]
    assert none.out == ""


def test_export_writes_a_file(command, draft_file, home):
    command("render", "--yes", draft_file())

    ran = command("export", "--format", "json", "-o", home / "all.json")

    assert ran.code == 0
    [row] = json.loads((home / "all.json").read_text("utf-8"))
    assert row["status"] == "completed"


@pytest.mark.parametrize(
    "arguments",
    [
        ("resend", 99),
        ("mark-sent", 99),
        ("resume", "--again", "nobody"),
        ("resume", "--adopt", "nobody", "video"),
    ],
)
def test_what_is_not_there_is_told_by_name(command, arguments):
    ran = command(*arguments)

    assert ran.code == 1
    assert str(arguments[2 if len(arguments) > 2 else 1]) in ran.err


@pytest.mark.parametrize(
    "arguments", [("history", "--status", "odd"), ("export",), ("resend", "x")]
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    assert run(*arguments).code == 2


def test_a_film_is_finished_anew_for_nothing(command, sandbox, draft_file):
    file = draft_file()
    command("render", "--yes", file)
    about = json.loads(command("history", "--json").out.splitlines()[0])

    ran = command("finish", about["draft_id"], "--captions", "--aspect-ratio", "1:1")

    assert ran.code == 0
    assert ".mp4" in ran.out
    assert len(sandbox.charges()) == 1
    assert command("finish", "no-such-draft").code == 2


def test_what_waits_under_another_key_is_told_and_never_called_free(
    run, make_sandbox, draft_file
):
    environ = make_sandbox(processing_s=3600.0).environ()
    waits = {**environ, "HEYGEN_NB_WAIT_TIMEOUT_S": "0.1"}
    for name in ("1.md", "2.md"):
        draft_file(f"Hello there, this is {name}.", name)
        assert run("render", "--yes", name, **waits).code == 4

    environ["HEYGEN_API_KEY"] = "sk_wrong_key"
    resumed = run("resume", **environ)
    rendered = run("render", "--yes", "1.md", **environ)

    assert "2 renders were ordered with another key" in resumed.err
    assert "Nothing is left" not in resumed.text
    assert rendered.code == 3
    assert "Nothing was charged" not in resumed.text + rendered.text
    environ["HEYGEN_API_KEY"] = waits["HEYGEN_API_KEY"]
    assert run("resume", **waits).code == 4


def test_an_empty_purse_in_the_middle_is_said_once_and_resume_goes_on(
    command, sandbox, draft_file, home
):
    for number in range(3):
        draft_file(f"Number {number} is said in a few seconds. " * 6, f"{number}.md")
    drafts = [home / f"{number}.md" for number in range(3)]
    sandbox.fault("status", "/v3/videos", method="POST", status=402, skip=1, times=None)

    ran = command("render", "--yes", *drafts, HEYGEN_NB_MAX_CONCURRENT_RENDERS="3")

    paid, *waiting = _drafts(command)
    assert len(sandbox.charges()) == 1
    assert ran.err.count("Top up") == 1
    assert all(
        f"#{draft}" in ran.err.split("The same holds for:")[1] for draft in waiting
    )
    assert ran.err.split("The same holds for:")[1].count("#") == 2
    sandbox.clear_faults()
    assert command("resume").code == 0
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 3
    assert paid not in waiting


def _drafts(command):
    """Return the drafts, those with a film first."""
    rows = [json.loads(line) for line in command("history", "--json").out.splitlines()]
    rows.sort(key=lambda row: row["status"] != "completed")
    return [row["draft_id"] for row in rows]
