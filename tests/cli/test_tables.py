from __future__ import annotations

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TEMPLATE = "---\ntitle: {{ name }}\n---\nHello {{ name }}, welcome to the team."


@pytest.fixture
def render(run, sandbox):
    def command(*arguments, **environ):
        return run("render", *arguments, **{**sandbox.environ(), **environ})

    return command


@pytest.fixture
def table(home):
    """Write a table and its template; give the arguments that name them."""

    def write(*names):
        people = home / "people.csv"
        people.write_text("name\n" + "".join(f"{name}\n" for name in names), "utf-8")
        (home / "greeting.md").write_text(TEMPLATE, "utf-8")
        return people, "--template", home / "greeting.md"

    return write


@pytest.fixture
def answers(monkeypatch):
    """Sit at the terminal and give these answers; collects the questions."""

    def at_terminal(*given):
        questions, left = [], list(given)

        def ask(question):
            questions.append(question)
            return left.pop(0)

        monkeypatch.setattr("heygen_nb.cli.console.on_terminal", lambda: True)
        monkeypatch.setattr("heygen_nb.cli.console.ask", ask)
        return questions

    return at_terminal


def test_a_sample_is_one_charge_and_the_rest_are_the_others(render, table, sandbox):
    arguments = table("Anna", "Boris", "Clara", "Dmitri", "Eva")

    sample = render(*arguments, "--sample")
    assert sample.code == 0
    assert "--sample" in sample.err
    assert len(sandbox.charges()) == 1

    rest = render("--json", *arguments)
    rows = [json.loads(line) for line in rest.out.splitlines()]
    assert [row["status"] for row in rows] == ["completed"] * 5
    assert "1 row is rendered already" in rest.err
    assert len(sandbox.charges()) == 5


def test_a_second_run_costs_nothing_and_a_changed_row_costs_one(render, table, sandbox):
    render(*table("Anna", "Boris", "Clara"))
    assert len(sandbox.charges()) == 3

    assert render(*table("Anna", "Boris", "Clara")).code == 0
    assert len(sandbox.charges()) == 3

    render(*table("Anna", "Bea", "Clara"))
    assert len(sandbox.charges()) == 4


def test_rows_may_change_places_and_go(render, table, sandbox):
    render(*table("Anna", "Boris", "Clara"))

    render(*table("Clara", "Anna"))

    assert len(sandbox.charges()) == 3


def test_the_next_sample_is_the_next_row(render, table, sandbox):
    arguments = table("Anna", "Boris")
    scripts = []
    for _run in range(3):
        assert render(*arguments, "--sample").code == 0
        scripts.append(len(sandbox.charges()))

    assert scripts == [1, 2, 2]


def test_a_sample_in_json_is_one_object(render, table):
    ran = render("--json", "--sample", *table("Anna", "Boris"))

    assert json.loads(ran.out)["status"] == "completed"


def test_on_a_terminal_a_sample_is_offered_first(render, table, sandbox, answers):
    questions = answers(True, True)

    ran = render(*table(*"ABCD"))

    assert ran.code == 0
    assert questions == [
        "Render one of 4 rows first, as a sample?",
        "Render the other 3?",
    ]
    assert "3 videos" in ran.err
    assert len(sandbox.charges()) == 4


def test_who_does_not_like_the_sample_pays_for_it_alone(
    render, table, sandbox, answers
):
    answers(True, False)

    ran = render("--json", *table("Anna", "Boris", "Clara"))

    assert ran.code == 0
    assert json.loads(ran.out)["path"].endswith(".mp4")
    assert len(sandbox.charges()) == 1


def test_who_wants_no_sample_is_asked_about_all(render, table, sandbox, answers):
    questions = answers(False, True)

    render(*table("Anna", "Boris", "Clara"))

    assert questions[1] == "Render and pay?"
    assert len(sandbox.charges()) == 3


def test_two_times_no_pays_nothing(render, table, sandbox, answers):
    answers(False, False)

    assert render(*table("Anna", "Boris")).code == 2
    assert sandbox.requests("POST /v3/videos") == 0


def test_a_sample_that_fails_ends_the_run(render, table, sandbox, answers):
    sandbox.fault("failed_render", "*", code="rendering_failed")
    questions = answers(True)

    ran = render(*table("Anna", "Boris", "Clara"))

    assert ran.code == 1
    assert len(questions) == 1
    assert sandbox.requests("POST /v3/videos") == 1


def test_agreeing_to_a_dear_sample_is_no_agreement_to_dear_others(
    render, table, sandbox, answers
):
    answers(True, False)

    ran = render(*table("Anna", "Boris"), HEYGEN_NB_MAX_COST_PER_RENDER="0.01")

    assert ran.err.count("is over $0.01 for one render") == 2
    assert len(sandbox.charges()) == 1


def test_the_most_it_may_cost_counts_the_sample(render, table, sandbox, answers):
    answers(True, False)

    ran = render("--max-cost", "0.2", *table("Anna", "Boris"))

    [charge] = sandbox.charges()
    assert charge["amount"] < 0.2 < 2 * charge["amount"]
    assert ran.err.count("is more than --max-cost") == 1


def test_one_row_left_is_rendered_without_a_sample(render, table, sandbox, answers):
    questions = answers(True)

    render(*table("Anna"))

    assert questions == ["Render and pay?"]
    assert len(sandbox.charges()) == 1


def test_yes_asks_nothing(render, table, sandbox, answers):
    questions = answers()

    assert render("--yes", *table("Anna", "Boris")).code == 0
    assert questions == []
    assert len(sandbox.charges()) == 2


def test_a_bad_row_stops_before_anything_is_asked_for(render, table, sandbox):
    ran = render(*table("Anna", "{{ ''.__class__ }}", "Clara"))

    assert ran.code == 2
    assert "line 3 (row 2), column “name”" in ran.err
    assert sandbox.ledger()["requests"] == {}


def test_the_same_row_in_two_tables_is_paid_once(render, table, home, sandbox):
    people, *template = table("Anna", "Boris")
    (home / "more.csv").write_text("name\nBoris\nClara\n", "utf-8")

    render(people, home / "more.csv", *template)

    assert len(sandbox.charges()) == 3


def test_the_example_is_rendered(render, sandbox):
    ran = render(EXAMPLES / "people.csv", "-t", EXAMPLES / "templates" / "greeting.md")

    assert ran.code == 0
    assert {"#maria", "#james", "#aiko"} <= set(ran.out.split())
    assert len(sandbox.charges()) == 3


def test_preview_shows_the_first_row(run, table, home):
    people, *template = table("Anna", "Boris")

    ran = run("preview", people, *template)

    assert ran.code == 0
    [film] = (home / "previews").glob("*.mp4")
    assert film.stat().st_size > 1000
