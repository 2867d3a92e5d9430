from __future__ import annotations

import json
from pathlib import Path

import pytest

KEYS = [
    "draft_id",
    "render_id",
    "revision",
    "video_id",
    "backend",
    "status",
    "path",
    "subtitles",
    "thumbnail",
    "duration_s",
    "target_s",
    "cost",
    "sent",
    "post_id",
    "error",
]


@pytest.fixture
def render(run, sandbox):
    def command(*arguments, **environ):
        return run("render", *arguments, **{**sandbox.environ(), **environ})

    return command


def test_a_draft_file_becomes_a_video(render, draft_file, sandbox):
    ran = render(draft_file())

    assert ran.code == 0
    assert "📤 Sending script to the HeyGen API..." in ran.out
    assert "✅ Video created! ID: " in ran.out
    assert ".mp4 (" in ran.out
    assert len(sandbox.charges()) == 1
    assert sandbox.ledger()["posts"] == []


def test_json_is_one_object_a_line_and_progress_goes_to_stderr(render, draft_file):
    ran = render("--json", draft_file("Hello one."), draft_file("Hello two.", "b.md"))

    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert {row["status"] for row in rows} == {"completed"}
    assert all(Path(row["path"]).is_absolute() for row in rows)
    assert all(row["error"] is None and row["sent"] is False for row in rows)
    assert all(row["backend"] == "heygen" and row["target_s"] == 30 for row in rows)
    assert "Video created" in ran.err


def test_send_posts_the_video_once(render, draft_file, sandbox):
    file = draft_file("---\ncaption: Look!\n---\nHello there.")

    first = json.loads(render("--json", "--send", file).out)
    second = json.loads(render("--json", "--send", file).out)

    [post] = sandbox.ledger()["posts"]
    assert post["text"] == "Look!"
    assert first["sent"] is True
    assert second["sent"] is True
    assert first["post_id"] == second["post_id"]
    assert len(sandbox.charges()) == 1


def test_auto_send_is_off_unless_set(render, draft_file, sandbox):
    render(draft_file())
    assert sandbox.ledger()["posts"] == []

    render(draft_file(), HEYGEN_NB_TELEGRAM_AUTO_SEND="true")
    assert len(sandbox.ledger()["posts"]) == 1


def test_no_send_wins_over_auto_send(render, draft_file, sandbox):
    render("--no-send", draft_file(), HEYGEN_NB_TELEGRAM_AUTO_SEND="true")

    assert sandbox.ledger()["posts"] == []


def test_a_long_caption_goes_on_in_a_second_message(render, draft_file, sandbox):
    caption = "word " * 900

    ran = render("--send", draft_file(f"---\ncaption: {caption}\n---\nHello there."))

    assert ran.code == 0
    video, text = sandbox.ledger()["posts"]
    assert len(video["text"]) <= 1024
    assert (video["text"] + " " + text["text"]).split() == caption.split()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("🎬 🎉", "no words"),
        ("x " * 2600, "5199"),
        ("---\ncaption: a: b\n---\nx", "line 2"),
        ("---\nvoice: Nobody\n---\nHello there.", "Nobody"),
        ("---\navatar: look_gone\n---\nHello there.", "look_gone"),
    ],
)
def test_a_bad_draft_ends_with_2_and_costs_nothing(
    render, draft_file, sandbox, text, part
):
    ran = render(draft_file(text))

    assert ran.code == 2
    assert part in ran.err
    assert sandbox.requests("POST /v3/videos") == 0


def test_a_bad_draft_among_good_ones_stops_before_paying(render, draft_file, sandbox):
    ran = render(draft_file(), draft_file("", "empty.md"))

    assert ran.code == 2
    assert sandbox.ledger()["requests"] == {}


def test_a_file_that_is_not_there_and_one_that_is_a_folder(render, home):
    assert render(home / "gone.md").code == 2
    assert render(home).code == 2


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ("a: [\n", "line"),
        ("heygen_voice: [a]\n", "heygen_voice"),
        ("heygen_background_url: picture.png\n", "heygen_background_url"),
        ("avatar_engine: avatar_ix\n", "avatar_iv"),
    ],
)
def test_bad_settings_end_with_2_and_make_nothing(
    render, draft_file, home, config, part
):
    (home / "config.yaml").write_text(config)

    ran = render(draft_file())

    assert ran.code == 2
    assert part in ran.err
    assert not (home / "videos").exists()


def test_a_wrong_key_ends_with_3(render, draft_file, sandbox):
    ran = render("--json", draft_file(), HEYGEN_API_KEY="sk_wrong_key")

    error = json.loads(ran.out)["error"] if ran.out else None
    assert ran.code == 3
    assert "sk_wrong_key" not in ran.text
    assert error is None or error["charged"] is False
    assert sandbox.charges() == []


def test_heygen_without_a_key_ends_with_3(run, draft_file):
    ran = run("render", "--backend", "heygen", draft_file())

    assert ran.code == 3
    assert "HEYGEN_API_KEY" in ran.err


def test_an_empty_balance_stops_the_rest_with_one_message(render, draft_file, sandbox):
    sandbox.set_balance(0)
    files = [draft_file(f"Hello number {n}.", f"{n}.md") for n in range(3)]

    ran = render("--json", *files, HEYGEN_NB_MAX_CONCURRENT_RENDERS="1")

    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 1
    assert [row["status"] for row in rows] == ["rejected"] * 3
    assert all(row["error"]["charged"] is False for row in rows)
    assert sandbox.requests("POST /v3/videos/batches") == 1
    assert sandbox.requests("POST /v3/videos") == 0


def test_beyond_max_cost_nothing_is_sent(render, draft_file, sandbox):
    ran = render("--max-cost", "0.01", draft_file())

    assert ran.code == 2
    assert "--max-cost" in ran.err
    assert sandbox.requests("POST /v3/videos") == 0


def test_the_quote_names_voice_and_avatar_before_paying(render, draft_file):
    ran = render("--max-cost", "100", draft_file())

    assert ran.code == 0
    assert "💰" in ran.err
    assert "My voice" in ran.err


def test_on_a_terminal_a_no_pays_nothing(render, draft_file, sandbox, monkeypatch):
    monkeypatch.setattr("heygen_nb.cli.console.on_terminal", lambda: True)
    monkeypatch.setattr("heygen_nb.cli.console.ask", lambda _question: False)

    assert render(draft_file()).code == 2
    assert sandbox.requests("POST /v3/videos") == 0


def test_a_time_out_ends_with_4_and_prints_the_id(run, make_sandbox, draft_file):
    sandbox = make_sandbox(pending_s=60)

    ran = run(
        "render", draft_file(), **sandbox.environ(), HEYGEN_NB_WAIT_TIMEOUT_S="0.1"
    )

    assert ran.code == 4
    [job] = sandbox.ledger()["jobs"]
    assert job["id"] in ran.text


def test_a_failed_render_ends_with_1_and_says_it_was_free(render, draft_file, sandbox):
    sandbox.fault("failed_render", "*", code="rendering_failed")

    ran = render(draft_file())

    assert ran.code == 1
    assert "Nothing was charged." in ran.err


def test_a_post_whose_answer_is_lost_ends_with_5(render, draft_file, sandbox):
    sandbox.fault("drop", "/bot*/sendVideo", after=True)

    ran = render("--json", "--send", draft_file())

    row = json.loads(ran.out)
    assert ran.code == 5
    assert row["sent"] == "unsure"
    assert row["path"]
    again = json.loads(render("--json", "--send", draft_file()).out)
    assert again["sent"] == "unsure"
    assert len(sandbox.ledger()["posts"]) == 1


def test_a_wrong_chat_leaves_the_video(render, draft_file, sandbox):
    ran = render("--json", "--send", draft_file(), TELEGRAM_CHAT_ID="12345")

    row = json.loads(ran.out)
    assert ran.code != 0
    assert row["status"] == "completed"
    assert row["sent"] is False
    assert "chat" in row["error"]["message"].lower()


def test_no_telegram_token_is_told_after_the_video_is_safe(run, sandbox, draft_file):
    environ = sandbox.environ()
    del environ["TELEGRAM_BOT_TOKEN"]

    ran = run("render", "--json", "--send", draft_file(), **environ)

    row = json.loads(ran.out)
    assert ran.code == 2
    assert row["path"]
    assert "TELEGRAM_BOT_TOKEN" in row["error"]["hint"]


def test_a_read_only_home_is_told_before_anything_is_paid(
    render, draft_file, home, sandbox
):
    file = draft_file()
    (home / "heygen_nb.db").mkdir()

    ran = render(file)

    assert ran.code == 1
    assert "ledger" in ran.err
    assert sandbox.charges() == []


def test_a_videos_folder_that_cannot_be_made_keeps_the_id(
    render, draft_file, home, sandbox
):
    (home / "videos").write_text("a file is in the way")

    ran = render(draft_file())

    assert ran.code == 1
    [job] = sandbox.ledger()["jobs"]
    assert job["id"] in ran.text
    (home / "videos").unlink()
    assert render(draft_file()).code == 0
    assert len(sandbox.charges()) == 1


def test_the_messages_are_in_russian_when_asked(render, draft_file):
    ran = render(draft_file(), HEYGEN_NB_LANGUAGE="ru")

    assert "📤 Отправка скрипта в HeyGen API..." in ran.out


def test_beyond_the_limits_of_the_settings_nothing_is_sent(render, draft_file, sandbox):
    dear = render("--yes", draft_file(), HEYGEN_NB_MAX_COST_PER_RENDER="0.01")

    assert dear.code == 2
    assert "max_cost_per_render" in dear.err
    assert sandbox.charges() == []


@pytest.mark.parametrize("yes", [True, False])
def test_on_a_terminal_a_person_may_pass_a_limit(
    render, draft_file, sandbox, monkeypatch, yes
):
    monkeypatch.setattr("heygen_nb.cli.console.on_terminal", lambda: True)
    monkeypatch.setattr("heygen_nb.cli.console.ask", lambda _question: yes)

    ran = render(draft_file(), HEYGEN_NB_MAX_COST_PER_DAY="0.01")

    assert "a day" in ran.err
    assert "Balance: $100.00" in ran.err
    assert (ran.code, len(sandbox.charges())) == ((0, 1) if yes else (2, 0))
