"""What a draft consists of, and what keeps a script from being spoken."""

from __future__ import annotations

import difflib
import logging
import re
from typing import TYPE_CHECKING

from heygen_nb.config import check_duration
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

log = logging.getLogger("heygen_nb.drafts")

MAX_SCRIPT_CHARS = 5000  # HeyGen's usage limits
FIELDS = (
    "id",
    "title",
    "caption",
    "voice",
    "avatar",
    "background",
    "duration",
    "script",
)
_PAUSE = re.compile(r"<break[^>]*>", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}")


def check_draft(draft: Draft) -> None:
    """Refuse a script that cannot be spoken, before anything is sent.

    Raises:
        DraftError: The script is empty, too long, has nothing to say, or is a
            template that nobody has filled.
    """
    spoken = _PAUSE.sub(" ", draft.script)
    if not spoken.strip():
        raise DraftError(
            _("Draft #{id}: the script is empty.").format(id=draft.id),
            hint=_("Write what the avatar should say."),
        )
    if len(draft.script) > MAX_SCRIPT_CHARS:
        raise DraftError(
            _("Draft #{id}: the script has {count} characters.").format(
                id=draft.id, count=len(draft.script)
            ),
            hint=_("HeyGen takes at most {limit}: shorten it or split it.").format(
                limit=MAX_SCRIPT_CHARS
            ),
        )
    if not any(character.isalnum() for character in spoken):
        raise DraftError(
            _("Draft #{id}: the script has no words.").format(id=draft.id),
            hint=_("Emoji and signs are not spoken: write at least one word."),
        )
    if found := _PLACEHOLDER.search(spoken):
        raise DraftError(
            _("Draft #{id}: the placeholder “{text}” is not filled.").format(
                id=draft.id, text=found[0]
            ),
            hint=_("Render the table with this file as its template, or put words."),
        )


def check_keys(keys: Iterable[str], where: str) -> None:
    """Refuse what is no field of a draft.

    Raises:
        DraftError: Names the key and the nearest field.
    """
    for key in keys:
        if key not in FIELDS:
            raise DraftError(
                _("{where}: unknown key “{key}”.").format(where=where, key=key),
                hint=near(key, FIELDS)
                or _("Allowed keys: {keys}.").format(keys=", ".join(FIELDS)),
            )


def near(word: str, words: Iterable[str]) -> str:
    """Return a question whether the nearest of the words is meant; "" if none is."""
    folded = {known.casefold(): known for known in words}
    found = difflib.get_close_matches(word.casefold(), folded, n=1)
    return _("Did you mean “{near}”?").format(near=folded[found[0]]) if found else ""


def make_draft(values: Mapping[str, str], where: str, default_id: str) -> Draft:
    """Make a draft of texts whose keys are known to be right.

    Raises:
        DraftError: The id cannot be one.
    """
    draft_id = id_of(values) or default_id
    if not re.fullmatch(r"[A-Za-z0-9_\-.]{1,64}", draft_id):
        raise DraftError(
            _("{where}: the id “{id}” has other signs than A-Z 0-9 _ - .").format(
                where=where, id=draft_id[:80]
            ),
            hint=_("Leave the id out to have one made."),
        )
    return Draft(
        id=draft_id,
        script=values.get("script", "").strip(),
        caption=values.get("caption", "").strip(),
        title=" ".join(values.get("title", "").split()),
        voice=values.get("voice", "").strip() or None,
        avatar=values.get("avatar", "").strip() or None,
        background=values.get("background", "").strip() or None,
        duration=_duration(values.get("duration", "").strip(), where),
    )


def id_of(values: Mapping[str, str]) -> str:
    """Return the id that stands among the texts, without its ``#``."""
    return values.get("id", "").strip().removeprefix("#")


def _duration(value: str, where: str) -> int | None:
    if not value:
        return None
    seconds, reason = check_duration(value)
    if reason:
        log.warning("%s: duration: %s", where, reason)
    return seconds
