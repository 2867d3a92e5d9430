"""``pronounce.yaml`` in home: words that are said otherwise than they are written.

    HeyGen: hey jen
    замок: за́мок

or, for one language only, a list of ``word``, ``said`` and ``language``. Previews,
speech and videos follow it, captions never do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from ruamel.yaml import YAML

from heygen_nb.errors import ConfigError
from heygen_nb.files import YamlReader, read_text, write_whole
from heygen_nb.i18n import at_line, gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

PRONOUNCE_NAME = "pronounce.yaml"
_MAX_BYTES = 1_000_000
_KEYS = {"word", "said", "language"}
_EDGE = "[\\w\u0301]"  # a stress mark belongs to its word


class Rule(NamedTuple):
    """How a word or phrase is said; without a language in texts of any."""

    word: str
    said: str = ""
    language: str = ""


def pronounced(text: str, home: Path, language: str) -> str:
    """Return a text as it is to be said; the very same one if no rule applies.

    Raises:
        ConfigError: The file cannot be read; names it and the line.
    """
    said = {
        " ".join(rule.word.casefold().split()): rule.said
        for rule in rules_of(home)
        if rule.language in ("", language)
    }
    if not said:
        return text
    words = sorted(said, key=len, reverse=True)  # a phrase goes before its words
    pattern = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)

    def instead(match: re.Match[str]) -> str:
        return said.get(" ".join(match[0].casefold().split()), match[0])

    # The time of a <break> is no word.
    whole = rf"<[^<>]*>|(?<!{_EDGE})(?:{pattern})(?!{_EDGE})"
    return re.sub(whole, instead, text, flags=re.IGNORECASE)


def rules_of(home: Path) -> tuple[Rule, ...]:
    """Return the rules of a home folder; none if it has no file of them.

    Raises:
        ConfigError: The file cannot be read; names it and the line.
    """
    file = home / PRONOUNCE_NAME
    try:
        found = file.stat()
    except OSError:
        return ()
    return _rules(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _rules(file: Path, _changed: int, _size: int) -> tuple[Rule, ...]:
    expected = _("It holds “word: how it is said” lines.")
    reader = YamlReader(str(file), expected, words=lambda _key: True, error=ConfigError)
    rules: list[Rule] = []
    for line, texts in reader.maps(_text(file)):
        if "word" in texts and texts.keys() <= _KEYS:
            found = [Rule(**texts)]
        else:
            found = [Rule(word, said) for word, said in texts.items()]
        for word, said, language in found:
            known = language in ("", *SCRIPT_LANGUAGES)
            if not (word.strip() and said.strip() and known):
                where = at_line(file.name, line)
                problem = _("a word, how it is said, and perhaps en or ru belong here")
                raise ConfigError(f"{where}: {problem}.", hint=expected)
        rules += found
    return tuple(rules)


def save_rule(home: Path, word: str, said: str) -> None:
    """Set how a word is said; nothing takes its rule out. Comments stay.

    Raises:
        ConfigError: The file is broken, or cannot be written.
    """
    file = home / PRONOUNCE_NAME
    rules_of(home)
    yaml, text = YAML(), StringIO()
    data = yaml.load(_text(file)) if file.exists() else None
    if isinstance(data, list):
        data[:] = [item for item in data if item.get("word") != word]
        if said:
            data.append({"word": word, "said": said})
    else:
        data = data or {}
        data.pop(word, None)
        if said:
            data[word] = said
    yaml.dump(data, text)
    try:
        write_whole(file, text.getvalue() if data else "")
    except OSError as error:
        raise _unusable(file, error) from None


def _text(file: Path) -> str:
    try:
        return read_text(file, _MAX_BYTES)
    except OSError as error:
        raise _unusable(file, error) from None


def _unusable(file: Path, error: OSError) -> ConfigError:
    text = _("{file} cannot be used: {reason}.")
    return ConfigError(text.format(file=file, reason=error.strerror or error))
