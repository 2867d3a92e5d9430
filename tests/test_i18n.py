from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
import re
import shutil
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from heygen_nb import errors, i18n
from heygen_nb.api import render_video, send_video
from heygen_nb.clock import Pace, Patience
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext, ngettext
from heygen_nb.models import Draft
from heygen_nb.renderer import wait

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "heygen_nb"

GETTEXT = {"_", "gettext", "ngettext"}
# everything a person reads comes through one of these
SHOWING = {"say", "ask"} | {
    name for name, kind in inspect.getmembers(errors, inspect.isclass)
}
SHOWN_KEYWORDS = {"hint", "help", "message"}
# full of SQL, HTML, words of other services and of the languages themselves
NOT_LOOKED_AT = (
    *("ledger/", "preview/", "sandbox/", "scripts/", "ui/"),
    "cli/live.py",  # a report in English, for an issue
    *("drafts/spoken.py", "readings.py"),  # words of the languages
    "renderer/request.py",  # what HeyGen's refusals say
    *("log.py", "models.py", "telegram.py", "templates.py"),
)
KEPT_WORDS = {"export", "UTF"}
PLACES = {"outside upper right"}  # in a chart, for its library
BUILT_IN_ERRORS = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
WORD = re.compile(r"(?<!\w)[^\W\d_]{2,}(?!\w)")
SENTENCE = re.compile(r"(?<!\w)[^\W\d_]{2,} [^\W\d_]{2,}(?!\w)")


@cache
def load_check():
    path = TESTS / "check_messages.py"
    spec = importlib.util.spec_from_file_location("check_messages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def check(tmp_path, monkeypatch):
    """The check, on copies of the catalogues that a test may spoil."""
    module = load_check()
    for name in ("PO", "MO"):
        copy = shutil.copy(getattr(module, name), tmp_path)
        monkeypatch.setattr(module, name, Path(copy))
    return module


@pytest.fixture(scope="module")
def russian():
    """(English, Russian) of each text, plural forms one by one."""
    pairs = []
    for message in load_check().read_catalogue():
        if isinstance(message.id, str):
            pairs.append((message.id, message.string))
        else:
            pairs += [(message.id[-1], form) for form in message.string]
    return [(english, text) for english, text in pairs if english]


def test_all_messages_are_translated_and_compiled():
    assert load_check().problems() == []


def test_bringing_fresh_catalogues_up_to_date_changes_nothing(check):
    before = check.PO.read_bytes(), check.MO.read_bytes()

    check.update()

    assert (check.PO.read_bytes(), check.MO.read_bytes()) == before


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"Ничего не отправлено."', '""', "not translated: 'Nothing was posted.'"),
        ("Видео создано! ID: {id}", "Видео: {uid}", "placeholders differ"),
        ("Скачивание %s: %s", "Скачивание", "placeholders differ"),
        ('"{count} роликов', '"{n} роликов', "placeholders differ"),
        ('msgid "Disk"', 'msgid "Disc"', "missing in ru: 'Disk'"),
        ('msgid "Disk"', 'msgid "Disc"', "no longer in the code: 'Disc'"),
        ('msgid "Disk"', '#, fuzzy\nmsgid "Disk"', "fuzzy: 'Disk'"),
        ("Нет ключа HeyGen.", "Ключа HeyGen нет.", "heygen_nb.mo is stale"),
    ],
)
def test_the_check_finds_a_spoilt_catalogue(check, old, new, complaint):
    text = check.PO.read_text("utf-8")
    assert old in text

    check.PO.write_text(text.replace(old, new, 1), "utf-8")

    assert [found for found in check.problems() if found.startswith(complaint)]


def test_translations_keep_emoji_and_names_of_code(russian):
    def kept(text):
        names = re.findall(r"`[^`]*`|https?://[\w.]*|--\w[\w-]*|\w+_\w+|@\w+", text)
        emoji = [sign for sign in text if unicodedata.category(sign) == "So"]
        return sorted(names), emoji

    assert [pair for pair in russian if kept(pair[0]) != kept(pair[1])] == []


def test_translations_begin_and_end_like_the_originals(russian):
    def edges(text):
        start = re.match(r"\s*", text)[0]
        text = text.removesuffix("и др.")  # its full stop ends no sentence
        end = re.search(r"(?:\.\.\.|[.:?!])?\s*$", text)[0]
        return start, end

    differ = [pair for pair in russian if edges(pair[0]) != edges(pair[1])]
    assert differ == []


def test_translations_use_russian_quotes_and_no_look_alike_letters(russian):
    wrong = re.compile(r"[“”„]|[A-Za-z][А-Яа-яЁё]|[А-Яа-яЁё][A-Za-z]")

    assert [text for _english, text in russian if wrong.search(text)] == []


LOG = [
    (
        lambda: wait.status_line("pending", 10),
        "⏳ Статус: pending (прошло 10с)",
        "⏳ Status: pending (10s elapsed)",
    ),
    (
        lambda: wait.status_line("processing", 20.4),
        "🎬 Статус: processing (прошло 20с)",
        "🎬 Status: processing (20s elapsed)",
    ),
    (
        lambda: wait.status_line("failed", 40, "bad avatar"),
        "❌ Статус: failed (прошло 40с): bad avatar",
        "❌ Status: failed (40s elapsed): bad avatar",
    ),
    (
        lambda: wait.status_line("moderating", 40),
        "🔄 Статус: moderating (прошло 40с)",
        "🔄 Status: moderating (40s elapsed)",
    ),
    (
        lambda: str(wait.timed_out("e5f6g7h8", Patience(Pace(), float))),
        (
            "⌛ Ожидание остановлено через 0с. "
            "Видео e5f6g7h8 не потеряно: ожидание можно продолжить"
        ),
        "⌛ Stopped waiting after 0s. Video e5f6g7h8 is not lost: waiting can go on",
    ),
]
RENDERED = {
    "en": [
        "🎬 Creating video for script #a1b2c3d4...",
        "📤 Sending script to the HeyGen API...",
        "✅ Video created! ID: {id}",
        "📱 Video sent to Telegram",
    ],
    "ru": [
        "🎬 Создание видео для сценария #a1b2c3d4...",
        "📤 Отправка скрипта в HeyGen API...",
        "✅ Видео создано! ID: {id}",
        "📱 Видео отправлено в Telegram",
    ],
}


@pytest.mark.parametrize(("line", "russian", "english"), LOG)
def test_the_log_reads_as_in_the_notes(line, russian, english):
    i18n.set_language("ru")
    assert line() == russian

    i18n.set_language("en")
    assert line() == english


@pytest.mark.anyio
@pytest.mark.parametrize("language", RENDERED)
async def test_a_render_is_told_as_in_the_notes(sandbox, caplog, language):
    settings = sandbox.settings(language=language)
    draft = Draft(id="a1b2c3d4", script="Hello there.")

    with caplog.at_level("INFO", "heygen_nb.renderer"):
        video = await render_video(draft, settings=settings)
        await send_video(video, settings=settings)

    told = "\n".join(caplog.messages)
    places = [told.find(line.format(id=video.video_id)) for line in RENDERED[language]]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [
        (0, "0 роликов", "0 videos"),
        (1, "1 ролик", "1 video"),
        (2, "2 ролика", "2 videos"),
        (5, "5 роликов", "5 videos"),
        (11, "11 роликов", "11 videos"),
        (21, "21 ролик", "21 videos"),
        (112, "112 роликов", "112 videos"),
        (122, "122 ролика", "122 videos"),
    ],
)
def test_a_number_gets_its_plural_form(count, russian, english):
    def shown():
        return ngettext(
            "{count} video, about {seconds:.0f} s: {amount}",
            "{count} videos, about {seconds:.0f} s: {amount}",
            count,
            seconds=30,
            amount="$1.50",
        )

    i18n.set_language("ru")
    assert shown() == f"{russian}, примерно 30 с: $1.50"

    i18n.set_language("en")
    assert shown() == f"{english}, about 30 s: $1.50"


def test_the_language_can_change_at_any_time():
    shown = []
    for language in ("en", "ru", "en", "ru"):
        i18n.set_language(language)
        assert i18n.current_language() == language
        shown.append(gettext("📱 Video sent to Telegram"))

    assert shown == ["📱 Video sent to Telegram", "📱 Видео отправлено в Telegram"] * 2


def test_an_error_keeps_the_language_it_was_raised_in():
    i18n.set_language("ru")
    error = DraftError(
        gettext("{file} holds no draft.").format(file="a.md"),
        hint=gettext("Write a script into it."),
    )
    i18n.set_language("en")

    assert str(error) == "В a.md нет ни одного черновика. Напишите в нём сценарий."


def test_an_error_fills_message_and_hint_and_knows_its_facts():
    error = errors.DownloadError(
        "{file} of {kept} is gone.",
        hint="See {file}.",
        file="a{b}",
        kept=2,
        expired=True,
    )

    assert str(error) == "a{b} of 2 is gone. See a{b}."
    assert error.expired
    with pytest.raises(TypeError, match="no 'film'"):
        errors.DownloadError("{file} is gone.", film="a")


def test_a_text_without_a_translation_stays_english():
    i18n.set_language("ru")

    assert gettext("No such message") == "No such message"
    assert ngettext("{count} thing", "{count} things", 1) == "1 thing"
    assert ngettext("{count} thing", "{count} things", 5) == "5 things"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LC_ALL": "ru_RU.UTF-8"}, "ru"),
        ({"LC_ALL": "ru"}, "ru"),
        ({"LC_ALL": "RU_ru.KOI8-R"}, "ru"),
        ({"LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_UA.UTF-8"}, "ru"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LC_ALL": "C", "LANG": "ru_RU.UTF-8"}, "en"),
        ({"LC_ALL": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"}, "ru"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "ru_RU.UTF-8"}, "en"),
    ],
)
def test_auto_takes_the_language_of_the_system(monkeypatch, environment, language):
    set_environment(monkeypatch, environment)

    assert i18n.current_language() == language
    assert gettext("📱 Video sent to Telegram").startswith("📱 Видео") == (
        language == "ru"
    )


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("Russian_Russia", "ru"),
        ("ru_RU", "ru"),
        ("English_United States", "en"),
        (None, "en"),
    ],
)
def test_auto_asks_the_system_when_no_variable_is_set(monkeypatch, name, language):
    set_environment(monkeypatch, {})
    monkeypatch.setattr(i18n.locale, "getlocale", lambda: (name, "cp1251"))

    assert i18n.current_language() == language


def test_a_chosen_language_wins_over_the_system(monkeypatch):
    set_environment(monkeypatch, {"LC_ALL": "ru_RU.UTF-8"})

    i18n.set_language("en")

    assert i18n.current_language() == "en"


def set_environment(monkeypatch, environment):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    i18n.set_language("auto")


def called(node: ast.AST) -> str:
    """The name of what is called, without the module or object before it."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", None) or getattr(function, "attr", "")


def translated(node: ast.AST) -> bool:
    """Tell a call of gettext's functions."""
    return isinstance(node, ast.Call) and called(node) in GETTEXT


def untranslated(node: ast.AST) -> Iterator[ast.Constant]:
    """String literals below the node that no gettext call holds."""
    if translated(node) or (isinstance(node, ast.Expr) and is_text(node.value)):
        return  # a docstring is the other thing nobody translates
    if isinstance(node, ast.Raise) and called(node.exc) in BUILT_IN_ERRORS:
        return  # a programmer's mistake, not a user's
    if isinstance(node, ast.keyword) and node.arg == "style":
        return  # of rich, such as "bold red"
    if is_text(node):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from untranslated(child)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def shown_parts(tree: ast.AST) -> Iterator[ast.AST]:
    """Arguments that a person is shown."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if called(node) in SHOWING:
            yield from node.args
        yield from (k.value for k in node.keywords if k.arg in SHOWN_KEYWORDS)


def bypassing(source: str) -> set[tuple[int, str]]:
    """(line, text) of what would be shown in English to everybody."""
    tree = ast.parse(source)
    sentences = [t for t in untranslated(tree) if SENTENCE.search(t.value)]
    words = [
        text
        for part in shown_parts(tree)
        for text in untranslated(part)
        if set(WORD.findall(text.value)) - KEPT_WORDS
    ]
    shown = {(text.lineno, text.value) for text in sentences + words}
    return {(line, text) for line, text in shown if text not in PLACES}


def sources() -> list[str]:
    return sorted(f.relative_to(PACKAGE).as_posix() for f in PACKAGE.rglob("*.py"))


def test_no_text_that_is_shown_bypasses_gettext():
    found = {
        name: texts
        for name in sources()
        if not name.startswith(NOT_LOOKED_AT)
        if (texts := bypassing((PACKAGE / name).read_text("utf-8")))
    }

    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'say("Done")',
        'say(f"Done: {path}")',
        'say("Ready: " + path)',
        'say("Ready: {path}".format(path=path))',
        'console.say("Done", err)',
        'raise DraftError("Empty")',
        'raise errors.DraftError(_("Empty"), hint="Write")',
        'raise DraftError(text, hint=_("Write") + " or leave it")',
        'typer.Option(help="Ask")',
        'text = "two words"',
    ],
)
def test_a_text_that_bypasses_gettext_is_found(source):
    assert bypassing(source)


@pytest.mark.parametrize(
    "source",
    [
        'say(_("Done"))',
        'say(_("Ready: {path}").format(path=path))',
        'say(ngettext("one thing", "many things", 2))',
        'say(f"✅ {name}: {value}")',
        'say(f"  export {name}={value}")',
        'raise DraftError(f"heygen_voice: {reason}", code="unsure")',
        'raise TypeError("no such thing")',
        '"""Docstrings are not shown."""',
    ],
)
def test_what_needs_no_translation_is_left_alone(source):
    assert bypassing(source) == set()


def test_every_message_of_the_code_can_be_extracted():
    extracted = {message.id for message in load_check().extracted()}
    lost = [
        (name, node.lineno, ast.unparse(node))
        for name in sources()
        for node in ast.walk(ast.parse((PACKAGE / name).read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in GETTEXT
        and not isinstance(node.args[0], ast.Name)  # of a table of messages
        and message_id(node) not in extracted
    ]

    assert lost == []


def message_id(call: ast.Call) -> str | tuple[str, ...] | None:
    wanted = 2 if called(call) == "ngettext" else 1
    texts = [argument.value for argument in call.args[:wanted] if is_text(argument)]
    if len(texts) < wanted:
        return None
    return texts[0] if wanted == 1 else tuple(texts)
