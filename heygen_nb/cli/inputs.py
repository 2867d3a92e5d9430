"""The commands for what goes into a draft: its text, its voice, its looks."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from heygen_nb.cli.app import (
    AsJson,
    Backend,
    ChangeKind,
    Limit,
    Refresh,
    app,
    end,
    name_of,
)
from heygen_nb.i18n import gettext as _


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

    end(run_preview(file, output, template=template, share=share))


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
    refresh: Refresh = False,
    limit: Limit = 20,
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.voices import VoiceOptions, run_voices

    options = VoiceOptions(
        text=" ".join(text or ()),
        language=language,
        gender=gender,
        refresh=refresh,
        limit=limit,
        backend=name_of(backend),
        as_json=as_json,
    )
    end(run_voices(options))


@app.command(help=_("Find an avatar look: by words."))
def avatars(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", show_default=False)
    ] = None,
    *,
    own: Annotated[bool, typer.Option("--own", help=_("Only your own."))] = False,
    refresh: Refresh = False,
    limit: Limit = 20,
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.avatars import AvatarOptions, run_avatars

    options = AvatarOptions(
        text=" ".join(text or ()),
        own=own,
        refresh=refresh,
        limit=limit,
        backend=name_of(backend),
        as_json=as_json,
    )
    end(run_avatars(options))


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
    as_json: AsJson = False,
) -> None:
    from heygen_nb.cli.write import WriteOptions, run_formats, run_rewrite, run_write

    options = WriteOptions(
        number, form, tone, language, duration, seed, offline, output, as_json
    )
    if formats:
        end(run_formats(language))
    if source:
        end(run_rewrite(source, change.value if change else "another", options))
    if change:
        raise typer.BadParameter(_("--change needs --from FILE."))
    end(run_write(topic, options))
