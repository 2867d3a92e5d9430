"""What keeps a script from being spoken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from heygen_nb.models import Draft

MAX_SCRIPT_CHARS = 5000  # HeyGen's usage limits
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
