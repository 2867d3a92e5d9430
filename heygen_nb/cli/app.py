"""Turning the declaration of a command into one of Typer's."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, get_type_hints

import typer

from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable

_Options = TypeVar("_Options")

app = typer.Typer(
    name="heygen-nb",
    help=_("A short script becomes a talking-avatar video and a Telegram post."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    name: str, runs: str, about: str, **more: Any
) -> Callable[[type[_Options]], type[_Options]]:
    """Make a command of the class that lists its arguments.

    Args:
        name: As it is typed.
        runs: ``module:function`` beside this one; it gets the arguments as that
            class, and returns the exit code. It is loaded when the command runs, so
            that --help is quick.
        about: Its help text.
        **more: For Typer's ``command``.
    """

    def declare(options: type[_Options]) -> type[_Options]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(options)
        hints = get_type_hints(made, include_extras=True)

        def run(**given: Any) -> None:
            module, _colon, function = runs.partition(":")
            loaded = importlib.import_module(f"heygen_nb.cli.{module}")
            raise typer.Exit(getattr(loaded, function)(made(**given)))

        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # read by Typer
            [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty
                    if field.default is MISSING
                    else field.default,
                    annotation=hints[field.name],
                )
                for field in fields(made)  # type: ignore[arg-type] # it is a dataclass
            ]
        )
        run.__annotations__ = hints
        app.command(name, help=about, **more)(run)
        return made

    return declare
