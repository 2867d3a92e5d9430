"""The prompts: files of this package, each replaced by the user's of that name."""

from __future__ import annotations

from pathlib import Path

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.scripts.library import TEMPLATES
from heygen_nb.templates import Template

PROMPTS = "prompts"
_SHIPPED = Path(__file__).parent / PROMPTS
_LANGUAGES = {"en": "English", "ru": "Russian"}


def prompt(name: str, home: Path, values: dict[str, object]) -> str:
    """Return the prompt of that name with the values put in.

    Args:
        name: Such as ``write``.
        home: Folder whose ``templates/prompts`` may hold another one.
        values: What it may use.

    Raises:
        DraftError: It cannot be read, or uses what there is not.
    """
    own = home / TEMPLATES / PROMPTS / f"{name}.md"
    file = own if own.exists() else _SHIPPED / f"{name}.md"
    try:
        source = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(file=file, reason=exc),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None
    return Template(source, where=f"{PROMPTS}/{file.name}").render(values).strip()


def language_name(language: str) -> str:
    """Return what a prompt calls a language; a word of the user's is kept short."""
    return _LANGUAGES.get(language) or " ".join(language.split())[:40]
