"""Reading what a language model answers, whole or still growing."""

from __future__ import annotations

import re
from typing import Any, Literal

from heygen_nb.scripts.order import Written

KEYS = ("title", "script", "caption")
SCHEMA = {
    "type": "object",
    "properties": {key: {"type": "string"} for key in KEYS},
    "required": list(KEYS),
    "additionalProperties": False,
}
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_BREAK = re.compile(r"</?break\b([^>]*)>", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s)\b", re.IGNORECASE)
_MAX_PAUSE_S = 10


def whole(text: str) -> Written | None:
    """Return the texts of a finished answer; None when there is no script in it.

    Fences and words around the object do not matter.
    """
    text = _THOUGHTS.sub("", text)
    start, end = text.find("{"), text.rfind("}")
    values = _parsed(text[start : end + 1]) if 0 <= start < end else {}
    written = Written(*(_text(values, key) for key in KEYS))
    return written if any(c.isalnum() for c in written.script) else None


def growing(text: str) -> tuple[str, str, str] | None:
    """Return title, script and caption as far as they have come."""
    text = _THOUGHTS.sub("", text)
    start = text.find("{")
    values = _parsed(text[start:], partial=True) if start >= 0 else {}
    if not values:
        return None
    title, script, caption = (_text(values, key) for key in KEYS)
    return title, script, caption


def _parsed(text: str, *, partial: bool = False) -> dict[str, Any]:
    from jiter import from_json  # noqa: PLC0415 - comes with the extra, like openai

    mode: Literal["trailing-strings", "off"] = "trailing-strings" if partial else "off"
    try:
        value = from_json(text.encode(errors="replace"), partial_mode=mode)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    text = value.strip() if isinstance(value, str) else ""
    return _BREAK.sub(_pause, text) if key == "script" else text


def _pause(tag: re.Match[str]) -> str:
    """Return a pause as HeyGen takes it; one without a time is left out."""
    time = _TIME.search(tag[1])
    if not time:
        return ""
    seconds = float(time[1].replace(",", ".")) / (1 if time[2].lower() == "s" else 1000)
    return f'<break time="{min(seconds, _MAX_PAUSE_S):g}s"/>'
