"""Prove that the catalogues are fresh and whole; ``--update`` makes them so.

The English text is the message id; ``locale/ru/…/heygen_nb.po`` is the source of
the Russian one and its ``.mo`` is committed beside it.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "heygen_nb"
FOLDER = PACKAGE / "locale" / "ru" / "LC_MESSAGES"
PO, MO = FOLDER / "heygen_nb.po", FOLDER / "heygen_nb.mo"
KEYWORDS = {"_": None, "gettext": None, "later": None, "ngettext": (1, 2)}
# What gettext needs, and nothing that changes with the day or Babel's version.
HEADER = (
    "Language: ru\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4"
    " && (n%100<10 || n%100>=20) ? 1 : 2);\n"
)
PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\w")


class _Headed(Catalog):
    """The messages of another catalogue, under our own header."""

    def __init__(self, catalogue: Catalog) -> None:
        about = "# Russian. The message ids are the English texts."
        super().__init__(locale="ru", charset="utf-8", header_comment=about)
        for message in catalogue:
            if message.id:
                self[message.id] = message

    def __iter__(self) -> Iterator[Message]:
        messages = super().__iter__()
        next(messages)
        yield Message("", HEADER)
        yield from messages


def texts_of(
    file: BinaryIO, *_wishes: object, options: object
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the texts under ``message`` and ``hint`` in a YAML file."""
    parts = [yaml.safe_load(file)]
    for part in parts:
        if isinstance(part, dict):
            told = (part[key] for key in ("message", "hint") if key in part)
            yield from ((0, "_", text, []) for text in told)
        if isinstance(part, dict | list):
            parts += part.values() if isinstance(part, dict) else part


@cache
def extracted() -> Catalog:
    """Return the messages that stand in the code."""
    catalogue = Catalog(locale="ru", project="heygen_nb", charset="utf-8")
    found = extract_from_dir(
        PACKAGE,
        method_map=[("**.py", "python"), ("**.yaml", texts_of)],
        keywords=KEYWORDS,
    )
    for file, _line, message, comments, _context in sorted(found, key=str):
        catalogue.add(message, locations=[(file, 0)], auto_comments=comments)
    return catalogue


def update() -> None:
    """Bring the .po to the code's messages and compile it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = read_catalogue() if PO.exists() else Catalog(locale="ru")
    known.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    known.obsolete.clear()
    with PO.open("wb") as file:
        write_po(file, _Headed(known), width=88, no_location=True)
    MO.write_bytes(compiled(known))


def read_catalogue() -> Catalog:
    """Return the Russian catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="ru", charset="utf-8")


def compiled(catalogue: Catalog) -> bytes:
    """Return the bytes of the .mo."""
    stream = BytesIO()
    write_mo(stream, _Headed(catalogue))
    return stream.getvalue()


def problems() -> list[str]:
    """Return what is missing, stale, or differs in its placeholders."""
    catalogue, ids = read_catalogue(), {m.id for m in extracted() if m.id}
    known = {message.id: message for message in catalogue if message.id}
    found = [f"missing in ru: {text!r}" for text in ids - known.keys()]
    found += [f"no longer in the code: {text!r}" for text in known.keys() - ids]
    for message in known.values():
        found += _faults(message)
    if not MO.exists() or MO.read_bytes() != compiled(catalogue):
        found.append(f"{MO.name} is stale")
    return sorted(found)


def _faults(message: Message) -> list[str]:
    originals = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = message.string
    translated = [strings] if isinstance(strings, str) else list(strings)
    if not all(translated):
        return [f"not translated: {message.id!r}"]
    if message.fuzzy:
        return [f"fuzzy: {message.id!r}"]
    wanted = set(PLACEHOLDER.findall(originals[-1]))
    return [
        f"placeholders differ: {message.id!r} / {text!r}"
        for text in translated
        if set(PLACEHOLDER.findall(text)) != wanted
    ]


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    complaints = problems()
    print("\n".join(complaints) or "messages: all translated and compiled")  # noqa: T201
    if complaints:
        sys.exit("run: make messages, then translate in the .po")
