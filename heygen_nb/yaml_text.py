"""YAML as people write it: each value is the text that was typed.

So an id such as 00123 or -1001234567890_45 stays one, and a hashtag is no comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import yaml

from heygen_nb.errors import DraftError, HeygenNbError
from heygen_nb.i18n import at_line, gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_YAML_BYTES = 1_000_000  # some 2 s: the reader that survives deep nesting is slow
_DEEPEST = 200  # brackets; the reader gets slow, and fails at some 300
_NULL = "tag:yaml.org,2002:null"
_BLOCKS = ("|", ">")
_ANY = re.compile(r"(?:^|[ \t]+)#", re.MULTILINE)
_TAG = re.compile(r"(?:^|[ \t]+)#[^\s#]", re.MULTILINE)
_REMARK = re.compile(r"[ \t]+#(?=\s|$)")
_COMMENTS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|$))*")


class YamlText(str):
    """A value as it was written.

    Attributes:
        line: Of the file at which the text begins.
        is_null: Nothing was written, or ``null``.
    """

    __slots__ = ("is_null", "line")

    line: int
    is_null: bool


@dataclass
class YamlReader:
    """Reads maps of texts.

    Attributes:
        name: The file's, for messages.
        expected: What to say when there is no map, or a key's value is one.
        words: Tells whether a key's value is a text: a hashtag belongs to it.
        prose: Tells whether ``# …`` after it may be meant as text too.
        allowed: Says what the value of a key may be.
        error: What is raised.
    """

    name: str
    expected: str
    words: Callable[[str], bool]
    prose: Callable[[str], bool] = lambda _key: False
    allowed: Callable[[str], str] = lambda _key: _quote_it()
    error: type[HeygenNbError] = DraftError

    def maps(self, text: str) -> Iterator[tuple[int, dict[str, YamlText]]]:
        """Yield the line and the texts of one map, or of each map of a list.

        Raises:
            HeygenNbError: It is no YAML, more than maps of texts, or a text would be
                cut by a comment; names file and line.
        """
        node = self._composed(text)
        if node is None or node.tag == _NULL:
            return
        known: dict[int, dict[str, YamlText]] = {}  # an alias is the same node again
        for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            line = item.start_mark.line + 1
            if not isinstance(item, yaml.MappingNode):
                problem = _("expected “key: value” lines")
                raise self._wrong(line, problem, self.expected)
            if id(item) not in known:
                known[id(item)] = self._texts(item, text)
            yield line, known[id(item)]

    def _composed(self, text: str) -> yaml.Node | None:
        steps = ((char in "[{") - (char in "]}") for char in text)
        if max(accumulate(steps), default=0) > _DEEPEST:
            raise self._too_deep()
        try:
            # CSafeLoader is quicker, and a crash of the process when nested too deeply
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark
            line = mark.line + 1 if mark else 1
            raise self._wrong(line, str(exc.problem), _quote_it()) from None
        except yaml.YAMLError as exc:  # control characters
            raise self.error(f"{self.name}: {str(exc).splitlines()[0]}") from None
        except RecursionError:
            raise self._too_deep() from None

    def _too_deep(self) -> HeygenNbError:
        message = _("{file}: lists and maps are nested too deeply.")
        return self.error(message.format(file=self.name))

    def _texts(self, node: yaml.MappingNode, source: str) -> dict[str, YamlText]:
        texts: dict[str, YamlText] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                problem = _("a text belongs here, not a list or a map")
                raise self._wrong(line, problem, _quote_it())
            name = str(key.value)
            if not isinstance(value, yaml.ScalarNode):
                problem = _("{key}: a text belongs here, not a list or a map")
                raise self._wrong(line, problem.format(key=name), self.allowed(name))
            if name in texts:
                problem = _("the key “{key}” stands there twice").format(key=name)
                raise self._wrong(line, problem)
            tail = self._tail(name, key, value, source)
            is_null = value.tag == _NULL and not tail
            text = YamlText("" if is_null else value.value + tail)
            text.line = value.start_mark.line + 1 + (value.style in _BLOCKS)
            text.is_null = is_null
            texts[name] = text
        return texts

    def _tail(
        self, name: str, key: yaml.ScalarNode, value: yaml.ScalarNode, source: str
    ) -> str:
        """Return the end of a text that YAML takes for a comment: ``New #morning``."""
        if not self.words(name):
            return ""
        prose, block = self.prose(name), value.style in _BLOCKS
        start, end = value.start_mark.index, value.end_mark.index
        line_end = source.find("\n", start if block else end)
        line_end = len(source) if line_end < 0 else line_end
        before = source[key.end_mark.index : line_end if block else start]
        tail = "" if block else source[end:line_end].rstrip()
        if not _ANY.match(tail):
            tail = ""  # of another value, in braces
        if not prose:  # “# …” is a remark on a setting
            tail = _REMARK.split(tail)[0]
        whole = not value.style and _TAG.match(tail) and not _REMARK.search(tail)
        lost = [before] if whole or (value.style and not prose) else [before, tail]
        if not block:
            deeper = " " * (key.start_mark.column + 1)
            below = _COMMENTS.match(source, line_end + 1)
            lines = below[0].splitlines() if below else []
            lost += [line for line in lines if line.startswith(deeper)]
        is_lost = (_ANY if prose else _TAG).search
        if any(map(is_lost, lost)) or (prose and source[start : start + 1] in "&!"):
            problem = _("{key}: YAML would leave out a part of this text")
            line = value.end_mark.line + 1
            raise self._wrong(line, problem.format(key=name), _quote_it())
        return (tail if value.value else tail.strip()) if whole else ""

    def _wrong(self, line: int, problem: str, hint: str = "") -> HeygenNbError:
        where = at_line(self.name, line)
        return self.error(
            _("{where}: {problem}.").format(where=where, problem=problem), hint=hint
        )


def _quote_it() -> str:
    return _('Put the whole text into straight quotes: "…".')
