"""The application, and the choices and flags that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NoReturn

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


Backend = Annotated[BackendName | None, typer.Option()]
AsJson = Annotated[bool, typer.Option("--json", help=_("One object a line on stdout."))]
Refresh = Annotated[bool, typer.Option("--refresh", help=_("Fetch the list anew."))]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1)]


def name_of(backend: BackendName | None) -> str | None:
    """Return the backend that was asked for."""
    return backend.value if backend else None


def end(code: int) -> NoReturn:
    """End the command with that exit code."""
    raise typer.Exit(code)
