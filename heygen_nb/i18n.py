"""The user's language: gettext catalogues, English being the message id.

Call ``_("…")`` where the text is shown. What is shown for longer than a moment is
said :func:`again` when the language changes.
"""

import gettext as _gettext
import locale
import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

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
    if _chosen in LANGUAGES:
        return _chosen
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


class Message(str):
    """A text in the language of now, and what it takes to say it in another one.

    Args:
        ids: The English text; singular and plural where a number decides.
        number: It.
        values: What fills the text.
    """

    __slots__ = ("ids", "number", "values")
    ids: tuple[str, ...]
    number: int
    values: dict[str, Any]

    def __new__(
        cls, ids: tuple[str, ...], number: int = 0, values: dict[str, Any] | None = None
    ) -> Self:
        """Say it."""
        known = _catalogue(current_language())
        text = known.gettext(ids[0])
        if ids[1:]:
            text = known.ngettext(ids[0], ids[1], number)
        if values:
            text = text.format(**{name: again(value) for name, value in values.items()})
        message = super().__new__(cls, text)
        message.ids, message.number, message.values = ids, number, values or {}
        return message

    def format(self, *_args: object, **values: object) -> str:
        """Fill the text; of objects only their words are kept."""
        kept = {k: v if isinstance(v, _PLAIN) else str(v) for k, v in values.items()}
        return Message(self.ids, self.number, self.values | kept)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Be a plain text in other processes."""
        return str, (str(self),)


_PLAIN = (str, int, float, datetime)


def again(text: Any) -> Any:
    """Return a message in the language of now; whatever else is given as it is."""
    if isinstance(text, Message):
        return Message(text.ids, text.number, text.values)
    return text


def gettext(message: str) -> str:
    """Return the message in the user's language; fill it with ``.format`` after."""
    return Message((message,))


def ngettext(singular: str, plural: str, count: int, **values: object) -> str:
    """Return the form that the count asks for, filled with it and the values."""
    values["count"] = count
    return Message((singular, plural), count).format(**values)


def later(message: str) -> str:
    """Mark a message that is translated only when it is shown."""
    return message


_ = gettext


def at_line(name: str, line: int) -> str:
    """Return where something stands in a file, for messages."""
    return _("{file}, line {line}").format(file=name, line=line)


def problem_at(where: str, problem: str) -> str:
    """Return what is wrong at a place in a file or a draft, as a sentence."""
    return _("{where}: {problem}.").format(where=where, problem=problem)
