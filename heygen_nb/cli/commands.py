"""Every command with its arguments, each declared once.

A class lists what a command takes; the function named beside it gets it filled in.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Typer reads the annotations
from pathlib import Path  # noqa: TC003
from typing import Annotated, Literal

from typer import Argument, Option

from heygen_nb.cli.app import app, command
from heygen_nb.i18n import LANGUAGES
from heygen_nb.i18n import gettext as _
from heygen_nb.models import AspectRatio  # noqa: TC001 - Typer reads it

__all__ = ["app"]


_HistoryStatus = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown"
]
# as many as there are, which a type checker cannot know
_Language = Literal[("auto", *LANGUAGES)]  # type: ignore[valid-type]
_Backend = Annotated[Literal["auto", "heygen", "sandbox"] | None, Option()]
_AsJson = Annotated[bool, Option("--json", help=_("One object a line on stdout."))]
_Refresh = Annotated[bool, Option("--refresh", help=_("Fetch the list anew."))]
_Limit = Annotated[int, Option("--limit", "-n", min=1)]
_Words = Annotated[list[str] | None, Argument(metavar="TEXT", show_default=False)]
_PostId = Annotated[int, Argument(show_default=False)]


@command(
    "demo",
    "demo:run_demo",
    _("Make a video from an example: no key, no internet, free."),
)
class DemoOptions:
    """Arguments of ``demo``."""

    language: Annotated[_Language, Option("--language", "-l")] = "auto"


@command(
    "render",
    "render:run_render",
    _("Render draft files (.md, .yaml, .csv); pays only once for each."),
)
class RenderOptions:
    """Arguments of ``render``."""

    files: Annotated[list[Path], Argument(metavar="FILE...", show_default=False)]
    template: Annotated[
        Path | None,
        Option(
            "--template",
            "-t",
            metavar="FILE.md",
            help=_("Each file is a table whose rows fill this draft."),
        ),
    ] = None
    sample: Annotated[
        bool, Option(help=_("Render only the first that is not rendered yet."))
    ] = False
    send: Annotated[
        bool | None,
        Option("--send/--no-send", help=_("Post it to Telegram when done.")),
    ] = None
    again: Annotated[
        bool, Option(help=_("Pay for another video of an unchanged draft."))
    ] = False
    yes: Annotated[bool, Option("--yes", "-y", help=_("Do not ask before paying."))] = (
        False
    )
    engine: Annotated[
        str | None, Option(help=_("Of the avatar, such as avatar_iii; see the quote."))
    ] = None
    max_cost: Annotated[
        float | None, Option(min=0, help=_("Pay at most this much in this run."))
    ] = None
    backend: _Backend = None
    as_json: _AsJson = False


@command(
    "resume",
    "resume:run_resume",
    _("Take up every render and post that is not finished."),
)
class ResumeOptions:
    """Arguments of ``resume``."""

    adopt: Annotated[
        tuple[str, str] | None,
        Option(metavar="RENDER VIDEO_ID", help=_("This video is the one it had lost.")),
    ] = None
    again: Annotated[
        str | None,
        Option(metavar="RENDER", help=_("Pay for another try of this render.")),
    ] = None
    backend: _Backend = None
    as_json: _AsJson = False


@command(
    "history",
    "history:run_history",
    _("Show what was rendered and posted, newest first."),
)
class HistoryOptions:
    """Arguments of ``history``."""

    status: Annotated[_HistoryStatus | None, Option(help=_("Only those."))] = None
    since: Annotated[datetime | None, Option(help=_("Only from that day on."))] = None
    limit: _Limit = 20
    as_json: _AsJson = False


@command("export", "history:run_export", _("Write the whole history to a file."))
class ExportOptions:
    """Arguments of ``export``."""

    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", show_default=False)
    ]
    kind: Annotated[Literal["csv", "json"], Option("--format", "-f")] = "csv"


@command(
    "finish",
    "finish:run_finish",
    _("Put captions, canvas and loudness on films anew, for nothing."),
)
class FinishOptions:
    """Arguments of ``finish``."""

    drafts: Annotated[list[str], Argument(metavar="DRAFT...", show_default=False)]
    captions: Annotated[
        bool | None, Option("--captions/--no-captions", help=_("Words on the picture."))
    ] = None
    aspect_ratio: Annotated[
        AspectRatio | None, Option("--aspect-ratio", help=_("Cut to another canvas."))
    ] = None
    loudness: Annotated[
        float | None, Option(help=_("In LUFS, such as -14; 0 leaves the sound."))
    ] = None


@command("resend", "posts:run_resend", _("Send a post again that is not in the chat."))
class ResendOptions:
    """Arguments of ``resend``."""

    post: _PostId


@command(
    "mark-sent", "posts:run_mark_sent", _("Note that an unsure post is in the chat.")
)
class MarkSentOptions:
    """Arguments of ``mark-sent``."""

    post: _PostId


@command(
    "sandbox",
    "sandbox:run_sandbox",
    _("Serve the local stand-in for HeyGen and Telegram."),
)
class ServeOptions:
    """Arguments of ``sandbox``."""

    port: Annotated[int, Option(min=0, max=65535)] = 8017
    fast: Annotated[
        bool, Option(help=_("Give a ready-made film instead of rendering."))
    ] = False


@command(
    "doctor", "doctor:run_doctor", _("Check keys, voice, avatar, chat, fonts and disk.")
)
class DoctorOptions:
    """Arguments of ``doctor``."""

    live: Annotated[
        bool,
        Option("--live", help=_("Tell what differs at HeyGen from what we rely on.")),
    ] = False
    backend: _Backend = None


@command(
    "lab",
    "lab:run_lab",
    _("Open JupyterLab on the first notebook."),
    context_settings={"ignore_unknown_options": True},
)
class LabOptions:
    """Arguments of ``lab``: what is not ours goes on to JupyterLab."""

    arguments: Annotated[list[str] | None, Argument(show_default=False)] = None


@command(
    "preview",
    "preview:run_preview",
    _("See and hear a draft on this machine, free and in seconds."),
)
class PreviewOptions:
    """Arguments of ``preview``."""

    file: Annotated[Path, Argument(metavar="FILE", show_default=False)]
    output: Annotated[Path | None, Option("--output", "-o", metavar="OUT.mp4")] = None
    template: Annotated[
        Path | None,
        Option(
            "--template",
            "-t",
            metavar="FILE.md",
            help=_("The file is a table; its first row fills this draft."),
        ),
    ] = None
    share: Annotated[bool, Option(help=_("1080 pixels wide, to show around."))] = False


@command(
    "voices", "listing:run_voices", _("Find a voice: by words, language or gender.")
)
class VoiceOptions:
    """Arguments of ``voices``."""

    text: _Words = None
    language: Annotated[
        str, Option("--language", "-l", help=_("Such as Russian or ru."))
    ] = ""
    gender: Annotated[str, Option("--gender", "-g")] = ""
    refresh: _Refresh = False
    limit: _Limit = 20
    backend: _Backend = None
    as_json: _AsJson = False


@command("avatars", "listing:run_avatars", _("Find an avatar look: by words."))
class AvatarOptions:
    """Arguments of ``avatars``."""

    text: _Words = None
    own: Annotated[bool, Option("--own", help=_("Only your own."))] = False
    refresh: _Refresh = False
    limit: _Limit = 20
    backend: _Backend = None
    as_json: _AsJson = False


@command(
    "write",
    "write:run_write",
    _("Write drafts about a topic, offline or by a language model."),
)
class WriteOptions:
    """Arguments of ``write``."""

    topic: Annotated[str, Argument(show_default=False)] = ""
    number: Annotated[
        int, Option("--number", "-n", min=1, max=20, help=_("Versions."))
    ] = 1
    form: Annotated[
        str, Option("--format", "-f", help=_("Such as horoscope; see --formats."))
    ] = ""
    tone: Annotated[str, Option(help=_("Such as warm; for the model."))] = ""
    language: Annotated[str | None, Option("--language", "-l", help=_("en or ru."))] = (
        None
    )
    duration: Annotated[
        float | None, Option("--duration", "-d", help=_("Seconds, 15 to 60."))
    ] = None
    seed: Annotated[
        int | None, Option(help=_("The same seed, the same offline text."))
    ] = None
    offline: Annotated[bool, Option(help=_("Do not ask the model."))] = False
    output: Annotated[Path | None, Option("--output", "-o", metavar="FOLDER")] = None
    source: Annotated[
        Path | None, Option("--from", metavar="FILE", help=_("Rewrite this draft."))
    ] = None
    change: Annotated[
        Literal["shorten", "lengthen", "another", "translate"] | None,
        Option(help=_("What to do with it.")),
    ] = None
    formats: Annotated[
        bool, Option("--formats", help=_("List the formats and end."))
    ] = False
    as_json: _AsJson = False
