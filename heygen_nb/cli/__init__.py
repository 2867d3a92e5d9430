"""The command line: every command with its arguments, each declared once.

A class lists what a command takes; the function named beside it gets it filled in,
and is loaded only then, so that --help is quick.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, dataclass_transform

import typer
from typer import Argument, Option

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import LANGUAGES, gettext as _
from heygen_nb.models import AspectRatio

_Options = TypeVar("_Options")
_HistoryStatus = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown"
]
# as many as there are, which a type checker cannot know
_Language = Literal[("auto", *LANGUAGES)]  # type: ignore[valid-type]
_Backend = Literal["auto", "heygen", "sandbox"]

app = typer.Typer(
    name="heygen-nb",
    help=_("A short script becomes a talking-avatar video and a Telegram post."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    name: str, room: str, about: str, **more: Any
) -> Callable[[type[_Options]], type[_Options]]:
    """Make a command of the class that lists its arguments.

    Args:
        name: As it is typed.
        room: The module beside this one with its function, ``run_<name>``, which
            gets the arguments as that class and returns the exit code, if not 0.
        about: Its help text.
        **more: For Typer's ``command``.
    """

    def declare(options: type[_Options]) -> type[_Options]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(options)

        def run(**given: Any) -> None:
            loaded = importlib.import_module(f"heygen_nb.cli.{room}")
            function = getattr(loaded, f"run_{name.replace('-', '_')}")
            raise typer.Exit(function(made(**given)) or 0)

        # read by Typer
        run.__signature__ = inspect.signature(made, eval_str=True)  # type: ignore[attr-defined]
        app.command(name, help=about, **more)(run)
        return made

    return declare


def _required(metavar: str | None = None) -> Any:
    return Argument(..., metavar=metavar, show_default=False)


_FILL = _("A table's rows fill this draft.")
_TEMPLATE: Any = Option(None, "--template", "-t", metavar="FILE.md", help=_FILL)
_AS_JSON: Any = Option(False, "--json", help=_("One object a line on stdout."))
_WORDS: Any = Argument(None, metavar="TEXT", show_default=False)
_REFRESH: Any = Option(False, "--refresh", help=_("Fetch the list anew."))
_LIMIT: Any = Option(20, "--limit", "-n", min=1)


@command("demo", "local", _("Make a video from an example: no key, no internet, free."))
class DemoOptions:
    """Arguments of ``demo``."""

    language: _Language = Option("auto", "--language", "-l")


@command(
    "render",
    "films",
    _("Render draft files (.md, .yaml, .csv); pays only once for each."),
)
class RenderOptions:
    """Arguments of ``render``."""

    files: list[Path] = _required("FILE...")
    template: Path | None = _TEMPLATE
    sample: bool = Option(
        False, help=_("Render only the first that is not rendered yet.")
    )
    send: bool | None = Option(
        None, "--send/--no-send", help=_("Post it to Telegram when done.")
    )
    again: bool = Option(False, help=_("Pay for another video of an unchanged draft."))
    yes: bool = Option(False, "--yes", "-y", help=_("Do not ask before paying."))
    engine: str | None = Option(
        None, help=_("Of the avatar, such as avatar_iii; see the quote.")
    )
    max_cost: float | None = Option(
        None, min=0, help=_("Pay at most this much in this run.")
    )
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("resume", "records", _("Take up every render and post that is not finished."))
class ResumeOptions:
    """Arguments of ``resume``."""

    adopt: tuple[str, str] | None = Option(
        None, metavar="RENDER VIDEO_ID", help=_("This video is the one it had lost.")
    )
    again: str | None = Option(
        None, metavar="RENDER", help=_("Pay for another try of this render.")
    )
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("history", "records", _("Show what was rendered and posted, newest first."))
class HistoryOptions:
    """Arguments of ``history``."""

    status: _HistoryStatus | None = Option(None, help=_("Only those."))
    since: datetime | None = Option(None, help=_("Only from that day on."))
    limit: int = _LIMIT
    as_json: bool = _AS_JSON


@command("export", "records", _("Write the whole history to a file."))
class ExportOptions:
    """Arguments of ``export``."""

    output: Path = Option(..., "--output", "-o", metavar="FILE", show_default=False)
    kind: Literal["csv", "json"] = Option("csv", "--format", "-f")


@command(
    "finish",
    "films",
    _("Put captions, canvas and loudness on films anew, for nothing."),
)
class FinishOptions:
    """Arguments of ``finish``."""

    drafts: list[str] = _required("DRAFT...")
    captions: bool | None = Option(
        None, "--captions/--no-captions", help=_("Words on the picture.")
    )
    aspect_ratio: AspectRatio | None = Option(
        None, "--aspect-ratio", help=_("Cut to another canvas.")
    )
    loudness: float | None = Option(
        None, help=_("In LUFS, such as -14; 0 leaves the sound.")
    )


@command("resend", "records", _("Send a post again that is not in the chat."))
class ResendOptions:
    """Arguments of ``resend``."""

    post: int = _required()


@command("mark-sent", "records", _("Note that an unsure post is in the chat."))
class MarkSentOptions(ResendOptions):
    """Arguments of ``mark-sent``."""


@command("sandbox", "local", _("Serve the local stand-in for HeyGen and Telegram."))
class ServeOptions:
    """Arguments of ``sandbox``."""

    port: int = Option(8017, min=0, max=65535)
    fast: bool = Option(False, help=_("Give a ready-made film instead of rendering."))


@command("doctor", "doctor", _("Check keys, voice, avatar, chat, fonts and disk."))
class DoctorOptions:
    """Arguments of ``doctor``."""

    live: bool = Option(
        False, "--live", help=_("Tell what differs at HeyGen from what we rely on.")
    )
    backend: _Backend | None = None


@command(
    "lab",
    "local",
    _("Open JupyterLab on the first notebook."),
    context_settings={"ignore_unknown_options": True},
)
class LabOptions:
    """Arguments of ``lab``: what is not ours goes on to JupyterLab."""

    arguments: list[str] | None = Argument(None, show_default=False)


@command(
    "preview", "local", _("See and hear a draft on this machine, free and in seconds.")
)
class PreviewOptions:
    """Arguments of ``preview``."""

    file: Path = _required("FILE")
    output: Path | None = Option(None, "--output", "-o", metavar="OUT.mp4")
    template: Path | None = _TEMPLATE
    share: bool = Option(False, help=_("1080 pixels wide, to show around."))


@command("voices", "listing", _("Find a voice: by words, language or gender."))
class VoiceOptions:
    """Arguments of ``voices``."""

    text: list[str] | None = _WORDS
    language: str = Option("", "--language", "-l", help=_("Such as Russian or ru."))
    gender: str = Option("", "--gender", "-g")
    refresh: bool = _REFRESH
    limit: int = _LIMIT
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("avatars", "listing", _("Find an avatar look: by words."))
class AvatarOptions:
    """Arguments of ``avatars``."""

    text: list[str] | None = _WORDS
    own: bool = Option(False, "--own", help=_("Only your own."))
    refresh: bool = _REFRESH
    limit: int = _LIMIT
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command(
    "write", "write", _("Write drafts about a topic, offline or by a language model.")
)
class WriteOptions:
    """Arguments of ``write``."""

    topic: str = Argument("", show_default=False)
    number: int = Option(1, "--number", "-n", min=1, max=20, help=_("Versions."))
    form: str = Option(
        "", "--format", "-f", help=_("Such as horoscope; see --formats.")
    )
    tone: str = Option("", help=_("Such as warm; for the model."))
    language: str | None = Option(None, "--language", "-l", help=_("en or ru."))
    duration: float | None = Option(
        None, "--duration", "-d", help=_("Seconds, 15 to 60.")
    )
    seed: int | None = Option(None, help=_("The same seed, the same offline text."))
    offline: bool = Option(False, help=_("Do not ask the model."))
    output: Path | None = Option(None, "--output", "-o", metavar="FOLDER")
    source: Path | None = Option(
        None, "--from", metavar="FILE", help=_("Rewrite this draft.")
    )
    change: Literal["shorten", "lengthen", "another", "translate"] | None = Option(
        None, help=_("What to do with it.")
    )
    formats: bool = Option(False, "--formats", help=_("List the formats and end."))
    as_json: bool = _AS_JSON


def main() -> None:
    """Run a command; a known error ends with its message and exit code."""
    from heygen_nb.log import PlainFormatter

    if logging.lastResort:  # where warnings go as long as there is no log file
        logging.lastResort.setFormatter(PlainFormatter())

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an emoji must not end the program
            stream.reconfigure(errors="replace")
    try:
        app()
    except (HeygenNbError, OSError) as error:
        from heygen_nb.cli.console import say_error

        if isinstance(error, OSError):  # a full or read-only disk, no temporary folder
            reason = f"{error.filename or ''} {error.strerror or error}.".strip()
            hint = _("Make room there or allow writing, then try again.")
            error = HeygenNbError(reason, hint=hint)
        say_error(error)
        sys.exit(error.exit_code)
