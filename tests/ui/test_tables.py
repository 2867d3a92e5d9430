from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from html import unescape

import pytest

from heygen_nb.drafts import read_table
from heygen_nb.models import Draft
from heygen_nb.ui.base import Panel
from heygen_nb.ui.table import TableCard

pytestmark = pytest.mark.anyio

HELLO = "---\ntitle: {{ name }}\n---\nHello {{ name }}, welcome to the team."


class CardPanel(Panel):
    def _build(self):
        self.added = []
        self.card = TableCard(self)
        return (self.card,)

    async def open_draft(self, draft_id):
        self.added.append(draft_id)


@pytest.fixture
async def panel(shared, home):
    (home / "templates").mkdir()
    (home / "templates" / "hello.md").write_text(HELLO)
    panel = CardPanel(shared)
    await panel.idle()
    yield panel
    panel.close()
    await shared.settled()


@pytest.fixture
def card(panel):
    return panel.card


async def upload(panel, *names, content=None, file="people.csv"):
    rows = "".join(f"{name}\n" for name in names)
    content = f"name\n{rows}".encode() if content is None else content
    panel.card.u_table.value = (
        {
            "name": file,
            "type": "text/csv",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": datetime(2026, 11, 3, tzinfo=UTC),
        },
    )
    await settled(panel)


async def settled(panel):
    await asyncio.sleep(0.02)
    await panel.idle()


async def choose(panel, stem):
    options = dict(panel.card.d_template.options)
    panel.card.d_template.value = options[stem]
    await settled(panel)


async def click(panel, button):
    button.click()
    await settled(panel)


async def answer(panel, until, *, yes):
    question = panel.question
    await until(lambda: panel.question)
    question = panel.question
    (question.yes if yes else question.no).click()
    text = unescape(question.text.value)
    await settled(panel)
    return text


async def ready(panel, *names):
    """A card whose drafts are in the list."""
    await upload(panel, *names)
    await choose(panel, "hello")
    await click(panel, panel.card.actions["add"])


def shown(card):
    return unescape(card.result.value + card.place.html)


def visible(card, *parts):
    return [
        part in card.actions.offered
        if isinstance(part, str)
        else "hg-off" not in part._dom_classes
        for part in parts
    ]


async def test_a_good_table_takes_away_what_was_said_of_a_bad_one(panel, card):
    await upload(panel, content=b"", file="empty.csv")
    assert "empty.csv" in panel.told

    await upload(panel, "Anna")

    assert panel.told == ""


async def test_a_table_shows_its_placeholders_and_asks_for_a_text(panel, card):
    await upload(panel, content=b"First name;wish\nAnna;luck\n")

    assert "{{ First_name }}" in shown(card)
    assert "❌" not in shown(card)
    assert visible(card, card.t_template, "add") == [True, False]


async def test_a_typed_template_is_filled_with_the_first_row(panel, card):
    await upload(panel, "Anna", "Boris")

    card.t_template.value = "Hello {{ name }}, nice day."
    await settled(panel)

    assert "Hello Anna, nice day." in shown(card)
    assert card.actions["add"].description == "Add 2 drafts"


async def test_a_template_of_home_is_chosen_from_the_list(panel, card):
    await upload(panel, "Anna")
    await choose(panel, "hello")

    assert "Hello Anna, welcome to the team." in shown(card)
    assert visible(card, card.t_template, "add") == [False, True]


async def test_a_table_of_drafts_needs_no_template(panel, card):
    await upload(panel, content=b"script,title\nHello there.,T\n")

    assert "Hello there." in shown(card)
    assert visible(card, "add") == [True]


async def test_problems_are_listed_and_nothing_can_be_added(panel, card, shared):
    await upload(panel, "Anna", "{{ 1 }}", *(["<b>"] * 12))
    await choose(panel, "hello")

    assert "line 3 (row 2), column “name”" in shown(card)
    assert "… and 3 more" in shown(card)
    assert "<b>" not in card.place.html
    assert visible(card, "add") == [False]
    await card.add()
    assert (await shared.drafts.search("", limit=9))[1] == 0


async def test_a_file_that_is_no_table_is_told(panel, card):
    await upload(panel, "Anna")
    await upload(panel, content=b"\xcf\xf0\xe8", file="old.csv")

    assert "old.csv" in unescape(panel.told)
    assert "UTF-8" in panel.told
    assert card.table is None
    assert visible(card, "add") == [False]


async def test_what_a_cell_holds_is_text_on_the_page(panel, card):
    await upload(panel, content=b"script\nWrite to <a@b.c> & me\n")

    assert "&lt;a@b.c&gt; &amp; me" in card.result.value


async def test_the_drafts_are_added_once(panel, card, shared):
    await ready(panel, "Anna", "Boris")

    rows, total = await shared.drafts.search("", limit=9)
    assert total == 2
    assert panel.added == [rows[0].draft.id]
    assert rows[0].draft.title == "Anna"
    assert "2 of 2" in card.place.html
    assert visible(card, "add", "sample", "rest") == [False, True, False]

    await ready(panel, "Boris", "Anna", "Clara")
    assert "1 of 3" in card.place.html
    assert (await shared.drafts.search("", limit=9))[1] == 3


@pytest.mark.parametrize("take", [True, False])
async def test_a_text_of_ones_own_is_not_written_over_unasked(
    panel, card, shared, until, take
):
    await upload(panel, "Anna")
    await choose(panel, "hello")
    theirs = card.drafts[0]
    mine = Draft(id=theirs.id, script="My own words.")
    await shared.drafts.save(mine, over=0)

    card.actions["add"].click()
    await answer(panel, until, yes=take)

    assert (await shared.drafts.get(mine.id)).draft == (theirs if take else mine)


async def test_a_sample_is_one_charge_and_the_rest_are_the_others(
    panel, card, until, sandbox, shared
):
    await ready(panel, *"ABCDE")
    assert sandbox.requests("POST /v3/videos") == 0

    card.actions["sample"].click()
    asked = await answer(panel, until, yes=True)
    assert "Render this one row?" in asked
    assert "$" in asked
    assert len(sandbox.charges()) == 1
    assert card.actions["rest"].description == "🎬 Render the other 4"
    assert visible(card, "rest") == [True]

    card.actions["rest"].click()
    asked = await answer(panel, until, yes=True)
    assert "Render 4 drafts?" in asked
    await asyncio.gather(*(job.task for job in shared.jobs.all))
    assert len(sandbox.charges()) == 5

    await click(panel, card.actions["sample"])
    assert "rendered already" in card.place.html
    assert len(sandbox.charges()) == 5


async def test_no_is_no(panel, card, until, sandbox):
    await ready(panel, "Anna", "Boris")

    card.actions["sample"].click()
    await answer(panel, until, yes=False)

    assert sandbox.ledger()["jobs"] == []
    assert card.place.html == ""
    assert not card.actions["sample"].disabled


async def test_the_question_names_the_limit_that_would_be_passed(
    panel, card, until, shared, sandbox
):
    shared.settings = shared.settings.model_copy(update={"max_cost_per_render": 0.01})
    await ready(panel, "Anna")

    card.actions["sample"].click()
    asked = await answer(panel, until, yes=True)

    assert "is over $0.01 for one render" in asked
    assert len(sandbox.charges()) == 1


async def test_a_failed_sample_does_not_offer_the_rest(panel, card, until, sandbox):
    sandbox.fault("failed_render", "*", code="rendering_failed")
    await ready(panel, "Anna", "Boris")

    card.actions["sample"].click()
    await answer(panel, until, yes=True)

    assert visible(card, "rest") == [False]
    assert 'class="bad"' in card.place.html


async def test_another_table_ends_the_offer(panel, card, until):
    await ready(panel, "Anna", "Boris")
    card.actions["sample"].click()
    await answer(panel, until, yes=True)

    await upload(panel, "Clara")

    assert visible(card, "add", "sample", "rest") == [True, False, False]


async def test_a_double_click_asks_and_pays_once(
    panel, card, until, sandbox, monkeypatch
):
    await ready(panel, "Anna", "Boris")
    questions, ask = [], panel.ask

    def asked(*texts, **more):
        questions.append(texts)
        return ask(*texts, **more)

    monkeypatch.setattr(panel, "ask", asked)

    card.actions["sample"].click()
    card.actions["sample"].click()
    await answer(panel, until, yes=True)

    assert len(questions) == 1
    assert len(sandbox.charges()) == 1


async def test_what_was_edited_in_the_list_is_what_is_rendered(
    panel, card, until, shared
):
    await ready(panel, "Anna")
    (draft,) = card.drafts
    mine = draft.model_copy(update={"script": "My own words."})
    await shared.drafts.save(mine, over=1)

    card.actions["sample"].click()
    await answer(panel, until, yes=True)

    assert shared.jobs.all[0].draft == mine


async def test_another_table_while_a_question_is_open_changes_nothing_agreed(
    panel, card, until, shared
):
    await ready(panel, "Anna", "Boris")
    card.actions["sample"].click()
    await until(lambda: panel.question)
    card.table = read_table("people.csv", b"name\nClara\n")
    await card.fill()

    await answer(panel, until, yes=True)

    assert [job.draft.title for job in shared.jobs.all] == ["Anna"]
    assert visible(card, card.actions["add"], "rest") == [True, False]


async def test_a_key_that_is_set_while_the_question_is_open_pays_for_nothing(
    panel, card, until, shared, sandbox
):
    paying = shared.settings
    shared.settings = paying.model_copy(update={"backend": "sandbox"})
    await ready(panel, "Anna")

    card.actions["sample"].click()
    await until(lambda: panel.question)
    assert "$" not in panel.question.text.value
    shared.settings = paying
    panel.question.yes.click()
    await panel.idle()

    assert "settings have changed" in panel.told
    assert shared.jobs.all == []
    assert sandbox.charges() == []


async def test_another_language_leaves_the_numbers_on_the_buttons(panel, card, shared):
    await upload(panel, "Anna", "Boris")
    await choose(panel, "hello")

    shared.tell("language")

    assert card.actions["add"].description == "Add 2 drafts"


async def test_own_templates_come_before_those_of_the_package(card, home):
    (home / "templates" / "mine.md").write_text(HELLO)

    names = [path.name for path in card.templates()]

    assert names[:2] == ["hello.md", "mine.md"]
    assert "greeting.md" in names


async def test_columns_in_the_users_words_become_drafts_and_others_are_mapped(panel):
    text = "Сценарий,Подпись,Время,Кто\nПривет.,Шаг,10:00,Maya\n"
    await upload(panel, content=text.encode())

    [draft] = panel.card.drafts
    assert (draft.script, draft.caption) == ("Привет.", "Шаг")
    assert draft.voice != "Maya"

    who = panel.card.columns.children[3]
    assert (who.description, who.value) == ("Кто", "")
    who.value = "voice"
    await settled(panel)

    [draft] = panel.card.drafts
    assert draft.voice == "Maya"


async def test_a_typed_template_keeps_caption_and_title(panel):
    text = "name,Topic,Post text\nAnna,Welcome,New here\n"
    await upload(panel, content=text.encode())

    panel.card.t_template.value = "Hello {{ name }}, welcome to the team."
    await settled(panel)

    [draft] = panel.card.drafts
    assert (draft.title, draft.caption) == ("Welcome", "New here")
