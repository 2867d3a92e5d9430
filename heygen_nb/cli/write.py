"""``write``: a topic in, draft files out."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.live import Live
from rich.text import Text

from heygen_nb.cli import WriteOptions, console
from heygen_nb.cli.console import err, say
from heygen_nb.config import Settings, check_duration, load_settings
from heygen_nb.drafts import check_draft, read_drafts, what_is_said, write_draft
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ledger import Ledger
from heygen_nb.log import printable
from heygen_nb.models import SCRIPT_LANGUAGES, Draft
from heygen_nb.renderer.account import ledger_url
from heygen_nb.scripts import ScriptRequest, TextCallback
from heygen_nb.timing import script_language
from heygen_nb.writing import Writing, open_writing

FOLDER = "drafts"


def run_write(options: WriteOptions) -> None:
    """Write drafts about a topic, write some anew, or list the formats."""
    if options.change and not options.source:
        raise DraftError(_("--change needs --from FILE."))
    asyncio.run(_write(options, load_settings()))


async def _write(options: WriteOptions, settings: Settings) -> None:
    old, folder = list[Draft](), settings.home / FOLDER
    if options.source:  # read before anything is opened
        old, folder = read_drafts(options.source, settings.home), options.source.parent
    for draft in old:
        check_draft(draft)
    writing = await open_writing(settings)
    if options.formats:
        _list_formats(options.language, writing)
        return
    with _growing() as on_text:
        async for draft in _drafts(writing, options, settings, old, on_text):
            with Ledger(ledger_url(settings)) as ledger:
                ledger.drafts.save(draft, over=0)
            path = write_draft(draft, (options.output or folder).absolute())
            _show(draft, path, writing, settings, as_json=options.as_json)


async def _drafts(
    writing: Writing,
    options: WriteOptions,
    settings: Settings,
    old: list[Draft],
    on_text: TextCallback | None,
) -> AsyncIterator[Draft]:
    """Yield new drafts about the topic, or one anew for each old one."""
    seconds = settings.video_duration
    if options.duration is not None:
        seconds, reason = check_duration(options.duration)
        if reason:
            say(_("⚠️ --duration: {reason}"), err, reason=reason)
    for draft in old:
        new = await writing.rewrite(
            draft.model_copy(update={"duration": seconds} if options.duration else {}),
            options.change or "another",
            language=options.language,
            on_text=on_text,
        )
        yield new.model_copy(update={"id": secrets.token_hex(4)})
    if options.source:
        return
    request = ScriptRequest(
        topic=options.topic,
        format=options.form,
        tone=options.tone,
        language=options.language or script_language(options.topic),
        target_s=seconds,
        seed=options.seed,
        offline=options.offline,
    )
    async for draft in writing.write(request, options.number, on_text):
        yield draft


def _list_formats(language: str | None, writing: Writing) -> None:
    names = [language] if language else SCRIPT_LANGUAGES
    found = [(name, form) for name in names for form in writing.formats(name)]
    for name, form in found:
        say(f"{name}  {form.name:<12} {form.label}")
    if not found:
        raise DraftError(
            _("There is no format in “{language}”."),
            hint=_("Ready ones are in: {languages}."),
            language=language,
            languages=", ".join(SCRIPT_LANGUAGES),
        )


@contextmanager
def _growing() -> Iterator[TextCallback | None]:
    """Show the text while it grows, where somebody looks; it vanishes when done."""
    if not console.err.is_terminal:
        yield None
        return
    with Live(console=console.err, transient=True, refresh_per_second=8) as live:
        yield lambda *texts: live.update(
            Text(printable("\n".join(filter(None, texts))))
        )


def _show(
    draft: Draft, path: Path, writing: Writing, settings: Settings, *, as_json: bool
) -> None:
    words = len(what_is_said(draft.script).text.split())
    seconds = writing.seconds(draft.script)
    length = ngettext(
        "{count} word, about {seconds:.0f} s",
        "{count} words, about {seconds:.0f} s",
        words,
        seconds=seconds,
    )
    line = f"📝 #{draft.id} {path} ({length})"
    if as_json:
        row = {
            "draft_id": draft.id,
            "path": str(path),
            "title": draft.title,
            "words": words,
            "seconds": round(seconds, 1),
            "target_s": draft.duration or settings.video_duration,
        }
        line = json.dumps(row, ensure_ascii=False)
    say(line)
    if note := writing.note(draft):
        say(f"⚠️ #{draft.id} {note}", err)
