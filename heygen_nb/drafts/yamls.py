"""YAML as people write it: maps of texts, each text as it stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator

_NULL = "tag:yaml.org,2002:null"
_BLOCKS = ("|", ">")


class YamlText(str):
    """A scalar as it was written: an id such as 00123456 or 1e5 is a text.

    Attributes:
        line: Of the file at which the text begins.
    """

    __slots__ = ("line",)

    line: int


def yaml_maps(
    text: str, name: str, expected: str
) -> Iterator[tuple[int, dict[str, YamlText]]]:
    """Yield the line and the texts of one map, or of each map of a list.

    Args:
        text: The YAML.
        name: The file's, for messages.
        expected: What to say when there is no map.

    Raises:
        DraftError: It is no YAML, or more than maps of texts.
    """
    node = _composed(text, name)
    if node is None:
        return
    for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode):
            raise DraftError(
                _("{where}: expected “key: value” lines.").format(
                    where=_("{file}, line {line}").format(file=name, line=line)
                ),
                hint=expected,
            )
        yield line, _texts(item, name)


def _composed(text: str, name: str) -> yaml.Node | None:
    try:
        # CSafeLoader is quicker, and a crash of the process when nested too deeply
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        raise DraftError(
            _("{file}, line {line}: {problem}.").format(
                file=name, line=mark.line + 1 if mark else "?", problem=exc.problem
            ),
            hint=_('Put texts with a colon or quotes into straight quotes: "…".'),
        ) from None
    except yaml.YAMLError as exc:  # control characters
        reason = str(exc).splitlines()[0]
        raise DraftError(f"{name}: {reason}") from None
    except RecursionError:
        raise DraftError(
            _("{file}: lists and maps are nested too deeply.").format(file=name)
        ) from None


def _texts(node: yaml.MappingNode, name: str) -> dict[str, YamlText]:
    texts: dict[str, YamlText] = {}
    for key, value in node.value:
        where = _("{file}, line {line}").format(
            file=name, line=value.start_mark.line + 1
        )
        if not isinstance(key, yaml.ScalarNode) or not isinstance(
            value, yaml.ScalarNode
        ):
            raise DraftError(
                _("{where}: a text belongs here, not a list or a map.").format(
                    where=where
                ),
                hint=_('Put it into straight quotes: "…".'),
            )
        if key.value in texts:
            raise DraftError(
                _("{where}: the key “{key}” stands there twice.").format(
                    where=where, key=key.value
                )
            )
        text = YamlText("" if value.tag == _NULL else value.value)
        text.line = value.start_mark.line + 1 + (value.style in _BLOCKS)
        texts[str(key.value)] = text
    return texts
