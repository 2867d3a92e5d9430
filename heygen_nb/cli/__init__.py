"""The command line: every command with its arguments, each declared once.

A class lists what a command takes, and ``help.yaml`` says what it is for; the function
named beside it gets it filled in, and is loaded only then, so that --help is quick.
"""

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
from typer.models import ParameterInfo

from heygen_nb.errors import HeygenNbError
from heygen_nb.files import shipped
from heygen_nb.i18n import LANGUAGES, gettext as _
from heygen_nb.models import AspectRatio

_Options = TypeVar("_Options")
_HistoryStatus = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown"
]
# as many as there are, which a type checker cannot know
_Language = Literal[("auto", *LANGUAGES)]  # type: ignore[valid-type]
_Backend = Literal["auto", "heygen", "sandbox"]

_HELP = shipped("cli/help.yaml")

app = typer.Typer(
    name="heygen-nb",
    help=_("A short script becomes a talking-avatar video and a Telegram post."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    name: str, room: str, **more: Any
) -> Callable[[type[_Options]], type[_Options]]:
    """Make a command of the class that lists its arguments.

    Args:
        name: As it is typed, and in ``help.yaml``.
        room: The module beside this one with its function, ``run_<name>``, which
            gets the arguments as that class and returns the exit code, if not 0.
        **more: For Typer's ``command``.
    """
    about = _HELP[name]
    purpose = about["message"]

    def declare(options: type[_Options]) -> type[_Options]:
        for key, told in about.get("options", {}).items():
            option, text = getattr(options, key), told["message"]
            if not isinstance(option, ParameterInfo):
                setattr(options, key, option := Option(option))
            option.help = _(text)
        made = dataclass(frozen=True, slots=True, kw_only=True)(options)

        def run(**given: Any) -> None:
            loaded = importlib.import_module(f"heygen_nb.cli.{room}")
            function = getattr(loaded, f"run_{name.replace('-', '_')}")
            raise typer.Exit(function(made(**given)) or 0)

        # read by Typer
        run.__signature__ = inspect.signature(made, eval_str=True)  # type: ignore[attr-defined]
        app.command(name, help=_(purpose), **more)(run)
        return made

    return declare


def _required(metavar: str | None = None) -> Any:
    return Argument(..., metavar=metavar, show_default=False)


_TEMPLATE: Any = Option(None, "--template", "-t", metavar="FILE.md")
_AS_JSON: Any = Option(False, "--json", help=_("One object a line on stdout."))
_WORDS: Any = Argument(None, metavar="TEXT", show_default=False)
_REFRESH: Any = Option(False, "--refresh", help=_("Fetch the list anew."))
_LIMIT: Any = Option(20, "--limit", "-n", min=1)


@command("demo", "local")
class DemoOptions:
    """Arguments of ``demo``."""

    language: _Language = Option("auto", "--language", "-l")


@command("render", "films")
class RenderOptions:
    """Arguments of ``render``."""

    files: list[Path] = _required("FILE...")
    template: Path | None = _TEMPLATE
    sample: bool = False
    send: bool | None = Option(None, "--send/--no-send")
    again: bool = False
    yes: bool = Option(False, "--yes", "-y")
    engine: str | None = None
    max_cost: float | None = Option(None, min=0)
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("resume", "records")
class ResumeOptions:
    """Arguments of ``resume``."""

    adopt: tuple[str, str] | None = Option(None, metavar="RENDER VIDEO_ID")
    again: str | None = Option(None, metavar="RENDER")
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("history", "records")
class HistoryOptions:
    """Arguments of ``history``."""

    status: _HistoryStatus | None = None
    since: datetime | None = None
    limit: int = _LIMIT
    as_json: bool = _AS_JSON


@command("export", "records")
class ExportOptions:
    """Arguments of ``export``."""

    output: Path = Option(..., "--output", "-o", metavar="FILE", show_default=False)
    kind: Literal["csv", "json"] = Option("csv", "--format", "-f")


@command("finish", "films")
class FinishOptions:
    """Arguments of ``finish``."""

    drafts: list[str] = _required("DRAFT...")
    captions: bool | None = Option(None, "--captions/--no-captions")
    aspect_ratio: AspectRatio | None = Option(None, "--aspect-ratio")
    loudness: float | None = None


@command("resend", "records")
class ResendOptions:
    """Arguments of ``resend``."""

    post: int = _required()


@command("mark-sent", "records")
class MarkSentOptions(ResendOptions):
    """Arguments of ``mark-sent``."""


@command("sandbox", "local")
class ServeOptions:
    """Arguments of ``sandbox``."""

    port: int = Option(8017, min=0, max=65535)
    fast: bool = False


@command("doctor", "doctor")
class DoctorOptions:
    """Arguments of ``doctor``."""

    live: bool = Option(False, "--live")
    backend: _Backend | None = None


@command("lab", "local", context_settings={"ignore_unknown_options": True})
class LabOptions:
    """Arguments of ``lab``: what is not ours goes on to JupyterLab."""

    arguments: list[str] | None = Argument(None, show_default=False)


@command("preview", "local")
class PreviewOptions:
    """Arguments of ``preview``."""

    file: Path = _required("FILE")
    output: Path | None = Option(None, "--output", "-o", metavar="OUT.mp4")
    template: Path | None = _TEMPLATE
    share: bool = False


@command("voices", "listing")
class VoiceOptions:
    """Arguments of ``voices``."""

    text: list[str] | None = _WORDS
    language: str = Option("", "--language", "-l")
    gender: str = Option("", "--gender", "-g")
    refresh: bool = _REFRESH
    limit: int = _LIMIT
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("avatars", "listing")
class AvatarOptions:
    """Arguments of ``avatars``."""

    text: list[str] | None = _WORDS
    own: bool = Option(False, "--own")
    refresh: bool = _REFRESH
    limit: int = _LIMIT
    backend: _Backend | None = None
    as_json: bool = _AS_JSON


@command("write", "write")
class WriteOptions:
    """Arguments of ``write``."""

    topic: str = Argument("", show_default=False)
    number: int = Option(1, "--number", "-n", min=1, max=20)
    form: str = Option("", "--format", "-f")
    tone: str = ""
    language: str | None = Option(None, "--language", "-l")
    duration: float | None = Option(None, "--duration", "-d")
    seed: int | None = None
    offline: bool = False
    output: Path | None = Option(None, "--output", "-o", metavar="FOLDER")
    source: Path | None = Option(None, "--from", metavar="FILE")
    change: Literal["shorten", "lengthen", "another", "translate"] | None = None
    formats: bool = Option(False, "--formats")
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
