from __future__ import annotations

import asyncio
import re

import pytest

import heygen_nb as hg
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError, ScriptError
from heygen_nb.scripts import ScriptRequest
from heygen_nb.timing import SpeechModel, Spoken, estimate_s
from heygen_nb.ui.state import SharedState
from heygen_nb.writing import Writing

pytestmark = pytest.mark.anyio

SENTENCE = "A good cup of coffee begins with warm water and a little patience. "
HALF_A_MINUTE = (SENTENCE * 7).strip()


@pytest.fixture
def writing_with(fake_model, home):
    """A Writing under settings of the test's own; the model is set by default."""

    def make(known=(), **changes):
        environ = {
            "HEYGEN_NB_HOME": str(home),
            "HEYGEN_NB_SCRIPT_BASE_URL": fake_model.base_url,
        }
        changes = {"script_model": "m1", **changes}
        settings = load_settings(environ=environ, **changes)
        return Writing(lambda: settings, *known)

    return make


async def versions(writing, order, number=1, on_text=None):
    return [draft async for draft in writing.write(order, number, on_text)]


async def test_without_a_model_nothing_is_asked_of_anybody(writing_with, fake_model):
    writing = writing_with(script_model="")

    drafts = await versions(writing, ScriptRequest("Leo", seed=1), 3)

    assert not writing.has_model
    assert len({draft.script for draft in drafts}) == 3
    assert len({draft.id for draft in drafts}) == 3
    assert all(len(draft.id) == 8 and int(draft.id, 16) >= 0 for draft in drafts)
    assert fake_model.asked == []


@pytest.mark.parametrize("order", [{"format": "horoscope"}, {"offline": True}])
async def test_a_ready_format_or_offline_leaves_the_model_alone(
    writing_with, fake_model, order
):
    shown = []
    order = ScriptRequest("Leo", **order)

    [draft] = await versions(
        writing_with(), order, on_text=lambda *texts: shown.append(texts)
    )

    assert "Leo" in draft.script
    assert shown == [(draft.title, draft.script, draft.caption)]
    assert fake_model.asked == []


async def test_with_a_model_it_writes_each_version(writing_with, fake_model):
    fake_model.say(HALF_A_MINUTE, title="One")
    fake_model.say(HALF_A_MINUTE, title="Two")
    shown = []

    order = ScriptRequest("Leo", format="interview")
    drafts = await versions(
        writing_with(), order, 2, lambda *texts: shown.append(texts)
    )

    assert [draft.title for draft in drafts] == ["One", "Two"]
    assert fake_model.completions == 2
    assert shown[-1] == ("Two", HALF_A_MINUTE, "A post")
    prompts = [asked["messages"][0]["content"] for asked in fake_model.asked]
    assert prompts[0] != prompts[1]  # each is told which version it is


async def test_versions_made_before_a_failure_are_there(writing_with, fake_model):
    fake_model.say(HALF_A_MINUTE)
    fake_model.fail(401)
    written = writing_with().write(ScriptRequest("Leo"), 3)

    assert (await anext(written)).script == HALF_A_MINUTE
    with pytest.raises(ScriptError):
        await anext(written)


@pytest.mark.parametrize(("target_s", "kept"), [(45, 45), (30, None), (90, 60)])
async def test_a_length_of_its_own_stays_with_the_draft(writing_with, target_s, kept):
    [draft] = await versions(
        writing_with(script_model=""), ScriptRequest("Leo", target_s=target_s)
    )

    assert draft.duration == kept


@pytest.mark.parametrize(
    ("voice", "topic", "language", "wish"),
    [
        ("en-US-Neural2-F", "Leo", "en", None),
        ("en-US-Neural2-F", "Лев", "ru", "ru-RU-Neural2-A"),
        ("ru-RU-Neural2-A", "Leo", "en", "en-US-Neural2-F"),
        ("My own voice", "Лев", "ru", None),
    ],
)
async def test_a_script_is_not_left_to_a_voice_of_another_language(
    writing_with, voice, topic, language, wish
):
    writing = writing_with(script_model="", heygen_voice=voice)

    [draft] = await versions(writing, ScriptRequest(topic, language=language))

    assert draft.voice == wish


async def test_rewriting_keeps_everything_but_the_texts(writing_with, fake_model):
    fake_model.say(HALF_A_MINUTE, title="", caption="")
    draft = hg.Draft(id="d1", script="Old.", title="T", voice="v", caption="Old post")

    new = await writing_with().rewrite(draft, "lengthen")

    assert new == draft.model_copy(update={"script": HALF_A_MINUTE})
    assert draft.script == "Old."


@pytest.mark.parametrize(
    ("script", "language", "name"),
    [
        ("Hello there.", None, "Russian"),
        ("Привет всем.", None, "English"),
        ("Hello there.", "German", "German"),
    ],
)
async def test_translations_go_where_they_should(
    writing_with, fake_model, script, language, name
):
    fake_model.say("Guten Tag.")

    await writing_with().rewrite(
        hg.Draft(script=script), "translate", language=language
    )

    assert f"into {name}." in fake_model.asked[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        (None, "ru-RU-Neural2-A"),
        ("en-GB-Neural2-B", "ru-RU-Neural2-A"),
        ("ru-RU-Wavenet-C", "ru-RU-Wavenet-C"),
        ("Maya", "Maya"),  # a name that somebody has chosen
    ],
)
async def test_a_translation_gets_a_voice_of_its_language(
    writing_with, fake_model, own, kept
):
    fake_model.say("Доброе утро всем, кто слушает.")

    new = await writing_with().rewrite(
        hg.Draft(script="Good morning.", voice=own), "translate"
    )

    assert new.voice == kept


async def test_a_failed_rewriting_leaves_the_draft(writing_with, fake_model):
    fake_model.text("", refusal="No.")
    draft = hg.Draft(script="Old.")

    with pytest.raises(ScriptError):
        await writing_with().rewrite(draft, "another")

    assert draft == hg.Draft(script="Old.")


async def test_without_a_model_rewriting_says_how_to_set_one(writing_with, fake_model):
    with pytest.raises(ConfigError, match="No language model") as failed:
        await writing_with(script_model="").rewrite(hg.Draft(script="Hi."), "shorten")

    assert "script_model" in failed.value.hint
    assert "HEYGEN_NB_SCRIPT_BASE_URL" in failed.value.hint
    assert fake_model.asked == []


async def test_a_server_elsewhere_needs_a_key(writing_with):
    writing = writing_with(script_base_url="https://api.example.com/v1")

    with pytest.raises(ConfigError, match="no key"):
        await versions(writing, ScriptRequest("Leo"))


async def test_a_slow_voice_gets_fewer_words(writing_with, fake_model):
    past = [Spoken(HALF_A_MINUTE, "slow", 1, 60, "en")] * 20
    known = SpeechModel(past), {"en-US-Neural2-F": "slow"}
    fake_model.say(HALF_A_MINUTE)

    await versions(writing_with(known), ScriptRequest("Leo"))
    await versions(writing_with(), ScriptRequest("Leo"))

    def words(number):
        text = fake_model.asked[number]["messages"][0]["content"]
        return int(re.search(r"about (\d+) words", text)[1])

    # the slow one's script misses, so it was asked for twice
    assert words(0) < 0.7 * words(2)


async def test_a_script_that_misses_its_length_is_told(writing_with):
    writing = writing_with()

    assert writing.note(hg.Draft(script=HALF_A_MINUTE)) == ""
    note = writing.note(hg.Draft(script=HALF_A_MINUTE, duration=60))
    seconds = round(estimate_s(HALF_A_MINUTE))
    assert note == f"About {seconds} s to speak instead of 60 s."


async def test_the_desk_writes_under_its_settings():
    shared = SharedState()

    assert "horoscope" in [format_.name for format_ in shared.writing.formats("ru")]
    assert not shared.writing.has_model
    await shared.close()


async def test_the_public_functions_write_and_rewrite(fake_model, monkeypatch, home):
    drafts = await hg.write_drafts("Лев", 2, format="horoscope", duration=20, seed=4)

    assert [draft.duration for draft in drafts] == [20, 20]
    assert drafts[0].title.startswith("Лев, ")

    monkeypatch.setenv("HEYGEN_NB_SCRIPT_MODEL", "m1")
    monkeypatch.setenv("HEYGEN_NB_SCRIPT_BASE_URL", fake_model.base_url)
    fake_model.say("Short.")
    new = await hg.rewrite_draft(drafts[0], "translate")
    assert (new.id, new.script) == (drafts[0].id, "Short.")


async def test_cancelling_stops_at_once(writing_with, fake_model):
    fake_model.say(HALF_A_MINUTE, cut=0, silent=True)
    started = asyncio.Event()

    task = asyncio.create_task(
        versions(writing_with(), ScriptRequest("Leo"), 1, lambda *_texts: started.set())
    )
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
