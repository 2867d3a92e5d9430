"""The commands. Each loads what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import sys
from datetime import datetime  # noqa: TC003 - Typer reads the annotations
from enum import StrEnum
from pathlib import Path  # noqa: TC003
from typing import Annotated

import typer

from heygen_nb.i18n import gettext as _

app = typer.Typer(
    name="heygen-nb",
    help=_("A short script becomes a talking-avatar video and a Telegram post."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class BackendName(StrEnum):
    """Who renders."""

    AUTO = "auto"
    HEYGEN = "heygen"
    SANDBOX = "sandbox"


class HistoryStatus(StrEnum):
    """What became of a render."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class ExportKind(StrEnum):
    """What kind of file."""

    CSV = "csv"
    JSON = "json"


class ChangeKind(StrEnum):
    """How a draft is rewritten."""

    SHORTEN = "shorten"
    LENGTHEN = "lengthen"
    ANOTHER = "another"
    TRANSLATE = "translate"


class Language(StrEnum):
    """Whose words are shown and spoken."""

    AUTO = "auto"
    EN = "en"
    RU = "ru"


@app.command(help=_("Make a video from an example: no key, no internet, free."))
def demo(
    language: Annotated[Language, typer.Option("--language", "-l")] = Language.AUTO,
) -> None:
    from heygen_nb.cli.demo import run_demo

    _exit(run_demo(language.value))


@app.command(help=_("Render draft files (.md, .yaml, .csv); pays only once for each."))
def render(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    *,
    template: Annotated[
        Path | None,
        typer.Option(
            "--template",
            "-t",
            metavar="FILE.md",
            help=_("Each file is a table whose rows fill this draft."),
        ),
    ] = None,
    sample: Annotated[
        bool, typer.Option(help=_("Render only the first that is not rendered yet."))
    ] = False,
    send: Annotated[
        bool | None,
        typer.Option("--send/--no-send", help=_("Post it to Telegram when done.")),
    ] = None,
    again: Annotated[
        bool, typer.Option(help=_("Pay for another video of an unchanged draft."))
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help=_("Do not ask before paying."))
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help=_("Pay at most this much in this run.")),
    ] = None,
    backend: Annotated[BackendName | None, typer.Option()] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.render import RenderOptions, run_render

    options = RenderOptions(
        send=send,
        again=again,
        yes=yes,
        max_cost=max_cost,
        backend=backend.value if backend else None,
        as_json=as_json,
        template=template,
        sample=sample,
    )
    _exit(run_render(files, options))


@app.command(help=_("Take up every render and post that is not finished."))
def resume(
    *,
    adopt: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="RENDER VIDEO_ID", help=_("This video is the one it had lost.")
        ),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(metavar="RENDER", help=_("Pay for another try of this render.")),
    ] = None,
    backend: Annotated[BackendName | None, typer.Option()] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.resume import ResumeOptions, run_resume

    name = backend.value if backend else None
    _exit(run_resume(ResumeOptions(adopt, again, name, as_json)))


@app.command(help=_("Show what was rendered and posted, newest first."))
def history(
    *,
    status: Annotated[HistoryStatus | None, typer.Option(help=_("Only those."))] = None,
    since: Annotated[
        datetime | None, typer.Option(help=_("Only from that day on."))
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.history import run_history

    name = status.value if status else None
    _exit(run_history(status=name, since=since, limit=limit, as_json=as_json))


@app.command(help=_("Write the whole history to a file."))
def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", show_default=False)
    ],
    *,
    kind: Annotated[ExportKind, typer.Option("--format", "-f")] = ExportKind.CSV,
) -> None:
    from heygen_nb.cli.history import run_export

    _exit(run_export(output, "csv" if kind is ExportKind.CSV else "json"))


@app.command(help=_("Send a post again that is not in the chat."))
def resend(post: Annotated[int, typer.Argument(show_default=False)]) -> None:
    from heygen_nb.cli.posts import run_resend

    _exit(run_resend(post))


@app.command("mark-sent", help=_("Note that an unsure post is in the chat."))
def mark_sent(post: Annotated[int, typer.Argument(show_default=False)]) -> None:
    from heygen_nb.cli.posts import run_mark_sent

    _exit(run_mark_sent(post))


@app.command(help=_("See and hear a draft on this machine, free and in seconds."))
def preview(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT.mp4")
    ] = None,
    *,
    template: Annotated[
        Path | None,
        typer.Option(
            "--template",
            "-t",
            metavar="FILE.md",
            help=_("The file is a table; its first row fills this draft."),
        ),
    ] = None,
    share: Annotated[
        bool, typer.Option(help=_("1080 pixels wide, to show around."))
    ] = False,
) -> None:
    from heygen_nb.cli.preview import run_preview

    _exit(run_preview(file, output, template=template, share=share))


@app.command(help=_("Find a voice: by words, language or gender."))
def voices(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", show_default=False)
    ] = None,
    *,
    language: Annotated[
        str, typer.Option("--language", "-l", help=_("Such as Russian or ru."))
    ] = "",
    gender: Annotated[str, typer.Option("--gender", "-g")] = "",
    refresh: Annotated[
        bool, typer.Option("--refresh", help=_("Fetch the list anew."))
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    backend: Annotated[BackendName | None, typer.Option()] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.voices import VoiceOptions, run_voices

    options = VoiceOptions(
        text=" ".join(text or ()),
        language=language,
        gender=gender,
        refresh=refresh,
        limit=limit,
        backend=backend.value if backend else None,
        as_json=as_json,
    )
    _exit(run_voices(options))


@app.command(help=_("Find an avatar look: by words."))
def avatars(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", show_default=False)
    ] = None,
    *,
    own: Annotated[bool, typer.Option("--own", help=_("Only your own."))] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help=_("Fetch the list anew."))
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    backend: Annotated[BackendName | None, typer.Option()] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.avatars import AvatarOptions, run_avatars

    options = AvatarOptions(
        text=" ".join(text or ()),
        own=own,
        refresh=refresh,
        limit=limit,
        backend=backend.value if backend else None,
        as_json=as_json,
    )
    _exit(run_avatars(options))


@app.command(help=_("Write drafts about a topic, offline or by a language model."))
def write(
    topic: Annotated[str, typer.Argument(show_default=False)] = "",
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=20, help=_("Versions."))
    ] = 1,
    *,
    form: Annotated[
        str, typer.Option("--format", "-f", help=_("Such as horoscope; see --formats."))
    ] = "",
    tone: Annotated[str, typer.Option(help=_("Such as warm; for the model."))] = "",
    language: Annotated[
        str | None, typer.Option("--language", "-l", help=_("en or ru."))
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", "-d", help=_("Seconds, 15 to 60."))
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help=_("The same seed, the same offline text."))
    ] = None,
    offline: Annotated[bool, typer.Option(help=_("Do not ask the model."))] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help=_("Rewrite this draft.")),
    ] = None,
    change: Annotated[
        ChangeKind | None, typer.Option(help=_("What to do with it."))
    ] = None,
    formats: Annotated[
        bool, typer.Option("--formats", help=_("List the formats and end."))
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("One object a line on stdout."))
    ] = False,
) -> None:
    from heygen_nb.cli.write import WriteOptions, run_formats, run_rewrite, run_write

    options = WriteOptions(
        number, form, tone, language, duration, seed, offline, output, as_json
    )
    if formats:
        _exit(run_formats(language))
    if source:
        _exit(run_rewrite(source, change.value if change else "another", options))
    if change:
        raise typer.BadParameter(_("--change needs --from FILE."))
    _exit(run_write(topic, options))


@app.command(help=_("Serve the local stand-in for HeyGen and Telegram."))
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8017,
    *,
    fast: Annotated[
        bool, typer.Option(help=_("Give a ready-made film instead of rendering."))
    ] = False,
) -> None:
    from heygen_nb.cli.sandbox import run_sandbox

    _exit(run_sandbox(port, fast=fast))


@app.command(help=_("Check keys, voice, avatar, chat, fonts and disk."))
def doctor(
    backend: Annotated[BackendName | None, typer.Option()] = None,
) -> None:
    from heygen_nb.cli.doctor import run_doctor

    _exit(run_doctor(backend.value if backend else None))


@app.command(
    help=_("Open JupyterLab on the first notebook."),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def lab(context: typer.Context) -> None:
    from heygen_nb.cli.lab import run_lab

    _exit(run_lab(context.args))


def main() -> None:
    """Run a command; a known error ends with its message and exit code."""
    from heygen_nb.cli.console import say_error
    from heygen_nb.errors import HeygenNbError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an emoji must not end the program
            stream.reconfigure(errors="replace")
    try:
        app()
    except HeygenNbError as error:
        say_error(error)
        sys.exit(error.exit_code)


def _exit(code: int) -> None:
    raise typer.Exit(code)
