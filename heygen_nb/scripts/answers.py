"""Reading what a language model answers: its script, however the answer carries it.

Models behind local servers put a script into broken JSON, under headings or between
thoughts. Asking again would be paid for again, so what is there is taken.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from heygen_nb.scripts.formats import Written

SCHEMA = {
    "type": "object",
    "properties": {key: {"type": "string"} for key in ("title", "script", "caption")},
    "required": ["title", "script", "caption"],
    "additionalProperties": False,
}
_FOUND = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
_NAMES: dict[str, list[str]] = _FOUND["names"]
_ANY_NAME = "|".join(name for names in _NAMES.values() for name in names)
_THOUGHTS_BEGIN, _THOUGHTS_END, SORRY = (
    re.compile(_FOUND[name], re.IGNORECASE)
    for name in ("thoughts begin", "thoughts end", "sorry")
)
_MARK = re.compile(r"<\|\w+\|>|^\s*```\w*\s*$|<(/?)(?:title|caption)>", re.MULTILINE)
_SCRIPT_KEY = re.compile(r"""["'“]?(?:script|сценарий)["'”]?\s*[:=]""", re.IGNORECASE)
_FIRST_KEY = re.compile(rf"""["'“](?:{_ANY_NAME})["'”]\s*:""", re.IGNORECASE)
_LONG_QUOTES = re.compile(r'(?<=:)\s*("""|`)(.*?)\1', re.DOTALL)
_JOINED = re.compile(r'"\s*\+\s*"')
_LABEL = re.compile(
    rf"^[\s#>*_-]*(?:\d+[.)][\s*_]*)?({_ANY_NAME})"
    rf"[ *_]*(?:\([^)\n]*\))?[ *_]*(?::[*_]*|$)|<({_ANY_NAME})>",
    re.IGNORECASE | re.MULTILINE,
)
_BREAK = re.compile(r"</?break\b([^>]*)>", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s)\b", re.IGNORECASE)
_MAX_PAUSE_S = 10
_json = partial(json.dumps, ensure_ascii=False)
_MOST_OBJECTS = 50
_CUT = "\ue000"  # a private sign: where the answer broke off


def whole(text: str, *, cut: bool = False) -> Written | None:
    """Return the texts of a finished answer; None when there is no script in it.

    Args:
        text: What the model said, with all that stands around its object.
        cut: The answer broke off: a text that broke off with it does not count.
    """
    text += _CUT if cut else ""
    for part in (without_thoughts(text), text):
        for read in (_objects, _repaired, _labelled):
            found = read(part)
            title, script, caption = (_text(found, key) for key in _NAMES)
            if any(c.isalnum() for c in script) and _CUT not in script:
                title, caption = ("" if _CUT in t else t for t in (title, caption))
                return Written(title, _with_pauses(script), caption)
    return None


def prose(text: str) -> Written:
    """Return an answer that is a text and nothing else, a heading apart."""
    lines = _MARK.sub("", without_thoughts(text)).strip().splitlines() or [""]
    title = ""
    if len(lines) > 1 and re.match(r"#|\*\*.*\*\*$", lines[0]):
        title = lines.pop(0).strip("#* ")
    return Written(title, _with_pauses("\n".join(lines).strip()), "")


def growing(text: str) -> tuple[str, str, str] | None:
    """Return title, script and caption as far as they have come."""
    found = _repaired(without_thoughts(text), partial=True)
    if not found:
        return None
    title, script, caption = (_text(found, key) for key in _NAMES)
    return title, script, caption


def without_thoughts(text: str) -> str:
    """Return what a model said after it had thought."""
    for end in _THOUGHTS_END.finditer(text):
        rest = text[end.end() :]
        if not _THOUGHTS_END.search(rest):
            return rest
    begin = _THOUGHTS_BEGIN.search(text)
    return text[: begin.start()] if begin else text


def _objects(text: str) -> dict[str, Any]:
    """Return the objects of a text as one; raw line breaks in texts do not matter."""
    decoder, found, at = json.JSONDecoder(strict=False), {}, 0
    for _round in range(_MOST_OBJECTS):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            found.update(_named(value))
    if not found and text.strip().startswith('"'):  # an object within a text
        with suppress(ValueError, RecursionError):
            value = decoder.raw_decode(text.strip())[0]
            return _objects(value)
    return found


def _repaired(text: str, *, partial: bool = False) -> dict[str, Any]:
    """Return the object that a text means, with its mistakes put right."""
    ends = [key.start() for key in _SCRIPT_KEY.finditer(text)]
    start = text.rfind("{", 0, ends[-1] if ends else len(text) if partial else 0)
    first = _FIRST_KEY.search(text)
    if start < 0 and first:
        text, start = "{" + text[first.start() :], 0
    if start < 0:
        return {}
    text = _JOINED.sub(
        "", _LONG_QUOTES.sub(lambda quoted: _json(quoted[2].strip()), text[start:])
    )
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
    labels = [*_LABEL.finditer(text)]
    ends = [*(label.start() for label in labels), len(text)][1:]
    found = {
        (label[1] or label[2]).casefold(): _MARK.sub("", text[label.end() : end])
        for label, end in zip(labels, ends, strict=False)
    }
    for name, words in found.items():
        told = re.sub(rf"</{name}>.*", "", words, flags=re.DOTALL | re.IGNORECASE)
        found[name] = told.strip(' \n"“”*-|>')
    title, _line, rest = _text(found, "title").partition("\n")
    if rest.strip() and not _text(found, "script"):  # no heading for the script
        found |= {"title": title.strip("*"), "script": rest}
    return found


def _text(found: dict[str, Any], key: str) -> str:
    names = (name for name in _NAMES[key] if name in found)
    return next(filter(None, (_flat(found[name]).strip() for name in names)), "")


def _flat(value: Any) -> str:
    """Return a text, or the texts of a list one below the other."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(_flat, value)))
    if isinstance(value, dict):
        said = [value[key] for key in _FOUND["said"] if key in value]
        if said or _NAMES.keys().isdisjoint(map(str.casefold, value)):
            return _flat(said[0] if said else list(value.values()))
        return ""  # an answer of its own
    return value if isinstance(value, str) else ""


def _with_pauses(script: str) -> str:
    return _BREAK.sub(_pause, script)


def _pause(tag: re.Match[str]) -> str:
    """Return a pause as HeyGen takes it; one without a time is left out."""
    time = _TIME.search(tag[1])
    if not time:
        return ""
    seconds = float(time[1].replace(",", ".")) / (1 if time[2].lower() == "s" else 1000)
    return f'<break time="{min(seconds, _MAX_PAUSE_S):g}s"/>'
