from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import heygen_nb as hg
from heygen_nb import i18n
from heygen_nb.errors import ConfigError
from heygen_nb.models import Quote
from heygen_nb.timing import SpeechModel, estimate_s
from heygen_nb.ui.display import register, video_html
from heygen_nb.ui.html import (
    caption_html,
    clock,
    failure_html,
    markup,
    money_text,
    panel_words,
    script_html,
    thumb_html,
)


@pytest.fixture
def formats(monkeypatch):
    shell = InteractiveShell()
    register(shell.display_formatter)
    return lambda thing: shell.display_formatter.format(thing)[0]


def test_a_draft_is_a_card_in_a_cell_and_text_in_a_console(formats):
    shown = formats(hg.Draft(id="a1", title="<i>Leo</i>", script="Slow down."))

    assert "&lt;i&gt;Leo&lt;/i&gt;" in shown["text/html"]
    assert shown["text/plain"].startswith("#a1 <i>Leo</i> (about")


def test_a_video_plays_by_its_relative_path_and_is_not_embedded(formats):
    path = Path.cwd() / "videos" / "a b.mp4"
    video = hg.Video(video_id="v1", status="completed", path=path, duration_s=29.44)

    shown = formats(video)

    assert 'src="videos/a%20b.mp4"' in shown["text/html"]
    assert "base64" not in shown["text/html"]
    assert "29.4 s" in shown["text/plain"]


def test_a_quote_is_one_line(formats):
    quote = Quote(
        amount=1.5, currency="usd", seconds=30, rate=0.05, engine="e", source="table"
    )

    assert "about 30 s: $1.50 (table)" in formats(quote)["text/plain"]
    assert "💰" in formats(quote)["text/html"]


@pytest.fixture
def cell(home, capsys):
    """Run a cell; return what is shown of its error."""
    shell = InteractiveShell()

    def run(code):
        shell.run_cell(f"import heygen_nb as hg\n\n{code}")
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("await hg.render_video('text')", "A Draft is expected, not 'text'."),
        ("await hg.render_batch(hg.Draft(script='a'))", "A list of drafts is"),
        ("await hg.render_batch(['a'])", "A Draft is expected, not 'a'."),
        ("await hg.send_video('a.mp4')", "A Video is expected, not 'a.mp4'."),
        ("await hg.send_video(hg.resume())", "put await before it."),
        ("await hg.wait_video(5)", "The id of a video is expected, not 5."),
        ("await hg.rewrite_draft(5, '')", "hg.Draft(script='text') makes one."),
        ("hg.Draft('text')", "hg.Draft(script='text') makes one."),
        ("hg.Draft(script='a', duration='long')", "a number from 15 to 60"),
        ("hg.update_video_config(wishes=3)", "There is no video setting 'wishes'."),
    ],
)
def test_a_mistake_in_a_cell_is_told_in_words_without_our_lines(cell, code, told):
    shown = cell(code)

    assert told in shown
    assert f"→ 3: {code}" in shown
    assert "heygen_nb/" not in shown
    assert len(shown.strip().splitlines()) <= 3


def test_an_option_that_the_magic_does_not_know_is_told(cell):
    shown = cell(
        "%load_ext heygen_nb\nget_ipython().run_cell('%%avatar --wrong\\nHi.')"
    )

    assert "unrecognized arguments: --wrong" in shown
    assert "heygen_nb/" not in shown


def test_a_panel_outside_of_a_notebook_says_where_it_belongs():
    with pytest.raises(hg.HeygenNbError, match="the last line of a cell"):
        hg.Studio()


def test_run_works_without_a_loop_and_inside_of_one():
    async def answer():
        await asyncio.sleep(0)
        return 42

    assert hg.run(answer()) == 42


@pytest.mark.parametrize(
    ("target_s", "expected"),
    [(10, "too long: cut"), (60, "short: add"), (28, "fits at speed")],
)
def test_the_counter_says_how_a_script_fits(target_s, expected):
    script = "Leo, today the stars ask you to slow down. " * 10
    assert 27 < estimate_s(script) < 33

    html = script_html(script, target_s, SpeechModel().fit(script, target_s))

    assert expected in html
    assert "90 words" in html
    assert f"of {target_s}" in html
    assert "English" in html
    short = "One two."
    assert "about 1 s of 30" in script_html(short, 30, SpeechModel().fit(short, 30))


def test_a_caption_is_counted_as_telegram_counts():
    assert "2 of 1024" in caption_html("♌️")
    assert "2 of 1024" in caption_html("🎬")
    assert "second message" in caption_html("x" * 1025)


def test_texts_and_paths_are_harmless():
    assert "<script>" not in markup("<script>")
    assert "onerror" not in video_html(Path('x" onerror="alert(1).mp4')).replace(
        "%20onerror", ""
    )
    assert thumb_html(None, "x") == '<span class="hg-thumb"></span>'


def test_clocks_read_as_one_expects():
    assert [clock(s) for s in (0, 161, 3725)] == ["00:00", "02:41", "1:02:05"]


def test_hints_name_what_there_is_to_click():
    hint = "Check HEYGEN_API_KEY; `heygen-nb doctor` tries it."
    html = failure_html(ConfigError("No.", hint=hint))

    assert "HEYGEN" not in html
    assert "heygen-nb" not in html
    assert "“HeyGen API key” in the settings; “Test connection” tries it." in html


def test_amounts_read_as_one_expects_and_the_sandbox_plays():
    assert money_text((99.5, "usd")) == "balance $99.50"
    assert money_text((99.5, "usd"), sandbox=True) == "play money $99.50"
    i18n.set_language("ru")
    assert money_text((12, "credits")) == "баланс 12.00 кредита"


HINTS = (
    "Choose another voice; `heygen-nb voices --refresh` lists those there are.",
    (
        "Look among your videos at HeyGen for {token}. If it is there: heygen-nb resume"
        " --adopt {id} VIDEO_ID; if not: resume --again {id}."
    ),
    (
        "Look into the chat. If it is there: heygen-nb mark-sent {id};"
        " if not: heygen-nb resend {id}."
    ),
    "To pay for another speech: heygen-nb resume --again {id}.",
    "Go on with it by heygen-nb resume.",
    "Begin a new draft, or set length_mode to estimate.",
    (
        "`heygen-nb voices` marks those that can. Choose one of them, or length_mode:"
        " estimate; without an avatar, no_avatar: heygen."
    ),
    (
        "Set heygen_background_url, or the draft's background, to a colour like"
        " #203040, a link with https://, or a PNG or JPEG file of up to 32 MB."
        " The panel converts other pictures."
    ),
    "Nothing was sent. Shorten it, or raise max_cost_per_render.",
    "Nothing was sent. Wait for tomorrow, or raise max_cost_per_day.",
    "Check script_model and the server's address.",
    "Set OPENAI_API_KEY in the environment or in .env.",
)


@pytest.mark.parametrize("hint", HINTS)
def test_no_hint_of_a_panel_is_for_programmers(hint):
    for language in ("en", "ru"):
        i18n.set_language(language)
        told = i18n.gettext(hint).format(id="42", token="hgnb")
        assert (told == hint.format(id="42", token="hgnb")) == (language == "en")

        words = panel_words(told)

        assert not re.search(r"heygen-nb|\w_\w|--|\.env", words), words
        assert re.search("[“«].+[”»]|Generation|Генерация", words)


def test_the_editor_counts_and_shows_what_is_said():
    plain, marked = (
        script_html(script, 30, SpeechModel().fit("Good morning.", 30))
        for script in ("Good morning.", "Narrator: Good morning. #hello")
    )

    assert marked.startswith(plain)
    assert "<summary>Not said: “Narrator:”, “#hello”.</summary>" in marked
    assert "<p>Good morning.</p>" in marked
