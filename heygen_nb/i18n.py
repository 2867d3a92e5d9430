"""The user's language: gettext catalogues, English being the message id.

Call ``_("…")`` where the text is shown, never at import: the language may change.
"""

from __future__ import annotations

import gettext as _gettext
import locale
import os
from functools import lru_cache
from pathlib import Path

# All languages of the panels and messages, by their own names. A script may be
# written in others: models.SCRIPT_LANGUAGES.
LANGUAGES = {"en": "English", "ru": "Русский"}
_LOCALE_DIR = Path(__file__).parent / "locale"
_chosen = "auto"


def set_language(language: str) -> None:
    """Choose the language of all later messages.

    Args:
        language: One of :data:`LANGUAGES`, or ``auto`` (from the system's locale).
    """
    global _chosen  # noqa: PLW0603 - one language a process, like gettext's own
    _chosen = language


def current_language() -> str:
    """Return the one of :data:`LANGUAGES` that messages are shown in now."""
    return _chosen if _chosen in LANGUAGES else _system_language()


def _system_language() -> str:
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((n for n in names if n), None) or locale.getlocale()[0] or ""
    # "Russian_Russia" is what Windows says
    code = locale.normalize(name.partition("_")[0])[:2].casefold()
    return code if code in LANGUAGES else "en"


@lru_cache
def _catalogue(language: str) -> _gettext.NullTranslations:
    return _gettext.translation(
        "heygen_nb", _LOCALE_DIR, languages=[language], fallback=True
    )


def gettext(message: str) -> str:
    """Return the message in the user's language; fill it with ``.format`` after."""
    return _catalogue(current_language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the message that the count asks for."""
    return _catalogue(current_language()).ngettext(singular, plural, count)


def later(message: str) -> str:
    """Mark a message that is translated only when it is shown."""
    return message


_ = gettext


def at_line(name: str, line: int) -> str:
    """Return where something stands in a file, for messages."""
    return _("{file}, line {line}").format(file=name, line=line)
