"""The commands. Each loads what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import sys
from datetime import datetime  # noqa: TC003 - Typer reads the annotations
from pathlib import Path  # noqa: TC003
from typing import Annotated

import typer

from heygen_nb.cli.app import (
    AsJson,
    Backend,
    ExportKind,
    HistoryStatus,
    Language,
    Limit,
    app,
    end,
    name_of,
)
from heygen_nb.i18n import gettext as _


@app.command(help=_("Make a video from an example: no key, no internet, free."))
def demo(
    language: Annotated[Language, typer.Option("--language", "-l")] = Language.AUTO,
) -> None:
    from heygen_nb.cli.demo import run_demo

    end(run_demo(language.value))


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
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.render import RenderOptions, run_render

    options = RenderOptions(
        send=send,
        again=again,
        yes=yes,
        max_cost=max_cost,
        backend=name_of(backend),
        as_json=as_json,
        template=template,
        sample=sample,
    )
    end(run_render(files, options))


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
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.resume import ResumeOptions, run_resume

    name = name_of(backend)
    end(run_resume(ResumeOptions(adopt, again, name, as_json)))


@app.command(help=_("Show what was rendered and posted, newest first."))
def history(
    *,
    status: Annotated[HistoryStatus | None, typer.Option(help=_("Only those."))] = None,
    since: Annotated[
        datetime | None, typer.Option(help=_("Only from that day on."))
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.history import run_history

    name = status.value if status else None
    end(run_history(status=name, since=since, limit=limit, as_json=as_json))


@app.command(help=_("Write the whole history to a file."))
def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", show_default=False)
    ],
    *,
    kind: Annotated[ExportKind, typer.Option("--format", "-f")] = ExportKind.CSV,
) -> None:
    from heygen_nb.cli.history import run_export

    end(run_export(output, "csv" if kind is ExportKind.CSV else "json"))


@app.command(help=_("Send a post again that is not in the chat."))
def resend(post: Annotated[int, typer.Argument(show_default=False)]) -> None:
    from heygen_nb.cli.posts import run_resend

    end(run_resend(post))


@app.command("mark-sent", help=_("Note that an unsure post is in the chat."))
def mark_sent(post: Annotated[int, typer.Argument(show_default=False)]) -> None:
    from heygen_nb.cli.posts import run_mark_sent

    end(run_mark_sent(post))


@app.command(help=_("Serve the local stand-in for HeyGen and Telegram."))
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8017,
    *,
    fast: Annotated[
        bool, typer.Option(help=_("Give a ready-made film instead of rendering."))
    ] = False,
) -> None:
    from heygen_nb.cli.sandbox import run_sandbox

    end(run_sandbox(port, fast=fast))


@app.command(help=_("Check keys, voice, avatar, chat, fonts and disk."))
def doctor(
    backend: Backend = None,
) -> None:
    from heygen_nb.cli.doctor import run_doctor

    end(run_doctor(name_of(backend)))


@app.command(
    help=_("Open JupyterLab on the first notebook."),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def lab(context: typer.Context) -> None:
    from heygen_nb.cli.lab import run_lab

    end(run_lab(context.args))


from heygen_nb.cli import inputs  # noqa: E402, F401 - in --help they come after these


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
