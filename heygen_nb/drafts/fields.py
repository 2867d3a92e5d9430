"""The fields of a draft as texts: keys of files read and written, columns, headings.

The list itself is :class:`heygen_nb.models.Draft`; all of this follows from it.
"""

import difflib
import logging
import re
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from heygen_nb import i18n
from heygen_nb.config import check_duration
from heygen_nb.errors import DraftError
from heygen_nb.files import draft_error, os_errors_as, shipped
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft

log = logging.getLogger("heygen_nb.drafts")

FIELDS = Draft.model_fields
OVERRULES = {  # what a draft says itself stands above these settings
    "voice": "heygen_voice",
    "avatar": "heygen_avatar_id",
    "background": "heygen_background_url",
    "duration": "video_duration",
}
WORDS = shipped("drafts/words.yaml")
MAX_SLUG_CHARS = 40
wrong = partial(draft_error, "drafts/problems.yaml")
_SIGNS = re.compile(r"[\W_]+")


def _folded(heading: str) -> str:
    return _SIGNS.sub(" ", heading).strip().casefold() or heading.strip()


_HEADINGS = {
    _folded(heading): name
    for name in FIELDS
    for heading in (name, *WORDS["headings"].get(name, ()))
}


def field_of(heading: str) -> str:
    """Return the field that a heading in the user's words means; "" if none does."""
    return _HEADINGS.get(_folded(heading), "")


def label(field: str) -> str:
    """Return the name of a field in the user's language."""
    return i18n.gettext(FIELDS[field].title or field)


def by_field(values: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the texts by field, where a key is a field's heading.

    Raises:
        DraftError: A key means no field, or two mean the same one.
    """
    texts: dict[str, str] = {}
    for key, text in values.items():
        field = field_of(key)
        if not field:
            hint, keys = near(key, FIELDS), ", ".join(FIELDS)
            raise wrong("unknown_key", where, hint, key=key, keys=keys)
        if field in texts:
            raise wrong("field_twice", where, field=field)
        texts[field] = text
    return texts


def near(word: str, words: Iterable[str]) -> str:
    """Return a question whether the nearest of the words is meant; "" if none is."""
    folded = {known.casefold(): known for known in words}
    found = difflib.get_close_matches(word.casefold(), folded, n=1)
    return _("Did you mean “{near}”?").format(near=folded[found[0]]) if found else ""


def make_draft(texts: Mapping[str, str], where: str, default_id: str) -> Draft:
    """Make a draft of texts whose keys are known to be right.

    Raises:
        DraftError: The id cannot be one.
    """
    values: dict[str, Any] = {name: text.strip() for name, text in texts.items()}
    values["title"] = " ".join(texts.get("title", "").split())
    values["id"] = draft_id = id_of(texts) or default_id
    if not re.fullmatch(r"[A-Za-z0-9_\-.]{1,64}", draft_id):
        raise wrong("id", where, id=draft_id[:80])
    if wished := values.pop("duration", ""):
        values["duration"], reason = check_duration(wished)
        if reason:
            log.warning("%s: duration: %s", where, reason)
    filled = {name: value for name, value in values.items() if value}
    return Draft.model_validate({"script": "", **filled})


def id_of(values: Mapping[str, str]) -> str:
    """Return the id that stands among the texts, without its ``#``."""
    return values.get("id", "").strip().removeprefix("#")


class _Dumper(yaml.SafeDumper):
    """Writes several lines as several lines."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def write_draft(draft: Draft, folder: Path) -> Path:
    """Write a draft to a file that was not there, ``<title>-<id>.md``.

    Raises:
        DraftError: It cannot be written; the draft is said to stand in the ledger.
    """
    values = draft.model_dump(exclude={"script"}, exclude_defaults=True)
    front = yaml.dump(
        values, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000
    )
    words = "-".join(re.findall(r"\w+", draft.title.casefold()))
    name = f"{words[:MAX_SLUG_CHARS].strip('-_') or 'draft'}-{draft.id}"
    files = (folder / f"{name}{f'-{n}' if n > 1 else ''}.md" for n in count(1))
    text = _("{folder} cannot be written to: {reason}.")
    hint = _("Draft #{id} is kept and stands in the Studio.")
    with os_errors_as(DraftError, text, hint, folder=folder, id=draft.id):
        folder.mkdir(parents=True, exist_ok=True)
        file = next(file for file in files if not file.exists())
        with file.open("x", encoding="utf-8") as stream:
            stream.write(f"---\n{front}---\n{draft.script}\n")
    return file
