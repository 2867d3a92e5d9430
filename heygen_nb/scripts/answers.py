"""The texts of a script in what a language model answered.

Models behind local servers put a script into broken JSON, under headings or between
thoughts; asking again would be paid for again, so what is there is taken.
"""

import json
import re
from contextlib import suppress
from typing import Any

from heygen_nb.files import shipped
from heygen_nb.scripts import Written

FOUND = shipped("scripts/answers.yaml")
_NAMES: dict[str, list[str]] = FOUND["names"]
_ANY_NAME = "|".join(name for names in _NAMES.values() for name in names)
_THOUGHTS_BEGIN, _THOUGHTS_END, _SORRY = (
    re.compile(FOUND[name], re.IGNORECASE)
    for name in ("thoughts begin", "thoughts end", "sorry")
)
_MARK = re.compile(r"<\|\w+\|>|^\s*```\w*\s*$|<(/?)(?:title|caption)>", re.MULTILINE)
_SCRIPT_KEY = re.compile(r"""["'“]?(?:script|сценарий)["'”]?\s*[:=]""", re.IGNORECASE)
_FIRST_KEY = re.compile(rf"""["'“](?:{_ANY_NAME})["'”]\s*:""", re.IGNORECASE)
_LONG_QUOTES = re.compile(r'(?<=:)\s*("""|`)(.*?)\1', re.DOTALL)
_NEXT_OBJECT = re.compile(r"\}\s*\{")
_JOINED = re.compile(r'"\s*\+\s*"')
_LABEL = re.compile(
    rf"^[\s#>*_-]*(?:\d+[.)][\s*_]*)?({_ANY_NAME})"
    rf"[ *_]*(?:\([^)\n]*\))?[ *_]*(?::[*_]*|$)|<({_ANY_NAME})>",
    re.IGNORECASE | re.MULTILINE,
)
_BREAK = re.compile(r"</?break\b([^>]*)>", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s)\b", re.IGNORECASE)
_MAX_PAUSE_S = 10
_CUT = "\ue000"  # a private sign: where the answer broke off


def whole(text: str, *, cut: bool = False) -> Written | None:
    """Return the texts of a finished answer; None when there is no script in it.

    Args:
        text: What the model said, with all that stands around its object.
        cut: The answer broke off: a text that broke off with it does not count.
    """
    with suppress(ValueError, RecursionError):  # an object within a text
        inner = json.loads(text)
        text = inner if isinstance(inner, str) else text
    text += _CUT if cut else ""
    for part in (_without_thoughts(text), text):
        for read in (_repaired, _labelled):
            title, script, caption = _texts(read(part))
            if any(c.isalnum() for c in script) and _CUT not in script:
                title, caption = ("" if _CUT in t else t for t in (title, caption))
                return Written(title, _BREAK.sub(_pause, script), caption)
    return None


def prose(text: str) -> Written:
    """Return an answer that is a text and nothing else, a heading apart."""
    lines = _MARK.sub("", _without_thoughts(text)).strip().splitlines() or [""]
    title = ""
    if len(lines) > 1 and re.match(r"#|\*\*.*\*\*$", lines[0]):
        title = lines.pop(0).strip("#* ")
    return Written(title, _BREAK.sub(_pause, "\n".join(lines).strip()), "")


def refuses(script: str) -> bool:
    """Tell whether a model says that it will not write."""
    return _SORRY.match(script) is not None


def growing(text: str) -> Written | None:
    """Return title, script and caption as far as they have come."""
    found = _repaired(_without_thoughts(text), partial=True)
    return _texts(found) if found else None


def _without_thoughts(text: str) -> str:
    """Return what a model said after it had thought."""
    for end in _THOUGHTS_END.finditer(text):
        rest = text[end.end() :]
        if not _THOUGHTS_END.search(rest):
            return rest
    begin = _THOUGHTS_BEGIN.search(text)
    return text[: begin.start()] if begin else text


def _repaired(text: str, *, partial: bool = False) -> dict[str, Any]:
    """Return the object that a text means, with its mistakes put right."""
    text = _NEXT_OBJECT.sub(", ", text)
    ends = [key.start() for key in _SCRIPT_KEY.finditer(text)]
    start = text.rfind("{", 0, ends[-1] if ends else len(text) if partial else 0)
    first = _FIRST_KEY.search(text)
    if start < 0 and first:
        text, start = "{" + text[first.start() :], 0
    if start < 0:
        return {}
    text = _LONG_QUOTES.sub(
        lambda quoted: json.dumps(quoted[2].strip(), ensure_ascii=False), text[start:]
    )
    text = _JOINED.sub("", text)
    from json_repair import loads  # noqa: PLC0415 - an extra, like openai

    try:
        return _named(loads(text, stream_stable=partial))
    except (ValueError, RecursionError):
        return {}


def _named(value: Any) -> dict[str, Any]:
    """Return what stands under names, at whatever depth; the last word counts."""
    found: dict[str, Any] = {}
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for key, inner in item.items():
                name = str(key).strip().casefold()
                known = name in _ANY_NAME.split("|")
                if isinstance(inner, dict | list) and not (known and _flat(inner)):
                    found.update(_named(inner))
                elif known and inner is not None:
                    found[name] = inner
    return found


def _labelled(text: str) -> dict[str, Any]:
    """Return the texts below headings such as ``**Script:**`` or within tags."""
    labels, found = [*_LABEL.finditer(text)], {}
    ends = [*(label.start() for label in labels), len(text)][1:]
    for label, end in zip(labels, ends, strict=False):
        name = (label[1] or label[2]).casefold()
        words = _MARK.sub("", text[label.end() : end])
        words = re.sub(rf"</{name}>.*", "", words, flags=re.DOTALL | re.IGNORECASE)
        found[name] = words.strip(' \n"“”*-|>')
    title, _line, rest = _text(found, "title").partition("\n")
    if rest.strip() and not _text(found, "script"):  # no heading for the script
        found |= {"title": title.strip("*"), "script": rest}
    return found


def _texts(found: dict[str, Any]) -> Written:
    return Written(*(_text(found, key) for key in _NAMES))


def _text(found: dict[str, Any], key: str) -> str:
    names = (name for name in _NAMES[key] if name in found)
    return next(filter(None, (_flat(found[name]).strip() for name in names)), "")


def _flat(value: Any) -> str:
    """Return a text, or the texts of a list one below the other."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(_flat, value)))
    if isinstance(value, dict):
        said = [value[key] for key in FOUND["said"] if key in value]
        if said or _NAMES.keys().isdisjoint(map(str.casefold, value)):
            return _flat(said[0] if said else list(value.values()))
        return ""  # an answer of its own
    return value if isinstance(value, str) else ""


def _pause(tag: re.Match[str]) -> str:
    """Return a pause as HeyGen takes it; one without a time is left out."""
    time = _TIME.search(tag[1])
    if not time:
        return ""
    seconds = float(time[1].replace(",", ".")) / (1 if time[2].lower() == "s" else 1000)
    return f'<break time="{min(seconds, _MAX_PAUSE_S):g}s"/>'
