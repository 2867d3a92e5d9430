"""Keeping a draft twice: in the ledger, where the Studio lists it, and as a file."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import yaml

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import ledger_url

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.models import Draft

MAX_SLUG_CHARS = 40


class _Dumper(yaml.SafeDumper):
    """Writes several lines as several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def keep_draft(draft: Draft, settings: Settings, folder: Path) -> Path:
    """Store a new draft in the ledger, and write it to a file that was not there.

    Args:
        draft: Its id is new.
        settings: Whose ledger.
        folder: Of the file; made if need be.

    Returns:
        The file, ``<title>-<id>.md``.

    Raises:
        DraftError: The file cannot be written; the ledger has the draft.
        LedgerError: The ledger cannot be written.
    """
    with Ledger(ledger_url(settings)) as ledger:
        ledger.drafts.save(draft, over=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write_new(folder, f"{_slug(draft.title)}-{draft.id}", _markdown(draft))
    except OSError as exc:
        raise DraftError(
            _("{folder} cannot be written to: {reason}.").format(
                folder=folder, reason=exc.strerror or exc
            ),
            hint=_("Draft #{id} is kept and stands in the Studio.").format(id=draft.id),
        ) from None


def _write_new(folder: Path, name: str, text: str) -> Path:
    for number in itertools.count(1):
        file = folder / (f"{name}.md" if number == 1 else f"{name}-{number}.md")
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            continue
        return file
    raise AssertionError  # pragma: no cover - the numbers do not end


def _markdown(draft: Draft) -> str:
    values = draft.model_dump(exclude={"script"}, exclude_defaults=True)
    # the order of a file that a person would write
    values = {"id": draft.id, **values}
    front = yaml.dump(
        values, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000
    )
    return f"---\n{front}---\n{draft.script}\n"


def _slug(title: str) -> str:
    words = "-".join(re.findall(r"\w+", title.casefold()))
    return words[:MAX_SLUG_CHARS].strip("-_") or "draft"
