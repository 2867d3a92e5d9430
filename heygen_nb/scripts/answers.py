"""Reading what a language model answers, whole or still growing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.address import is_loopback
from heygen_nb.errors import ScriptError, ScriptNotAuthorizedError
from heygen_nb.i18n import gettext as _
from heygen_nb.scripts.formats import Written

if TYPE_CHECKING:
    from collections.abc import Callable

    import openai

MAX_SAID_CHARS = 200
REFUSALS = (400, 422)  # how servers say that they do not know a kind of answer
_TOO_LONG = re.compile(
    r"context.?(?:length|window|size)|prompt is too long|too many tokens", re.IGNORECASE
)
_TOO_LARGE, _SERVER_FAILED = 413, 500


def failure(
    exc: openai.APIError, *, model: str, base_url: str, api_key: str, started: bool
) -> ScriptError:
    """Return our error for one of openai's.

    Args:
        exc: What the SDK raised after its repeats.
        model: Asked for.
        base_url: Of the server.
        api_key: Never shown, even if the server repeats it.
        started: The answer had begun to come.
    """
    import openai  # noqa: PLC0415 - an extra, and a third of a second

    if isinstance(exc, openai.APITimeoutError):
        return too_slow()
    if isinstance(exc, openai.APIConnectionError):
        return broken_off() if started else _unreachable(base_url)
    said = exc.message
    if api_key:
        said = said.replace(api_key, "…")
    said = " ".join(said.split())[:MAX_SAID_CHARS]
    if is_too_long(exc):
        return ScriptError(
            _("The text is too long for the model {model}.").format(model=model),
            hint=_("Shorten the topic or the draft, or set a model with more context."),
        )
    status = getattr(exc, "status_code", None)
    if status in _KNOWN:
        return _KNOWN[status](model, base_url, exc)
    if status and status >= _SERVER_FAILED:
        return ScriptError(
            _("The language model's server failed (status {status}).").format(
                status=status
            ),
            hint=_("Nothing was changed. Try again in a minute."),
        )
    return ScriptError(
        _("The language model refused: {said}").format(said=said or status or "?"),
        hint=_("Check script_model and the server's address."),
    )


def too_slow() -> ScriptError:
    """Return the error for a model that keeps silent."""
    return ScriptError(
        _("The language model took too long to answer."),
        hint=_("Nothing was changed. Try again, or set a smaller model."),
    )


def broken_off() -> ScriptError:
    """Return the error for half an answer."""
    return ScriptError(
        _("The answer of the language model broke off."),
        hint=_("Nothing was changed. Try again."),
    )


def refused(said: str) -> ScriptError:
    """Return the error for a model that does not want to."""
    return ScriptError(
        _("The language model declined to write this. {said}")
        .format(said=" ".join(said.split())[:MAX_SAID_CHARS])
        .strip(),
        hint=_("Put the topic into other words."),
    )


def unreadable(said: str) -> ScriptError:
    """Return the error for an answer without a script in it."""
    said = " ".join(said.split())[:MAX_SAID_CHARS]
    return ScriptError(
        _("The language model answered without a script: “{said}”").format(said=said)
        if said
        else _("The language model answered nothing."),
        hint=_("Try again, or set a model that is good at JSON."),
    )


def not_a_server(base_url: str) -> ScriptError:
    """Return the error for an address that answers with something else."""
    return ScriptError(
        _("What answers at {address} does not speak OpenAI's API.").format(
            address=base_url
        ),
        hint=_("The address mostly ends in /v1: check HEYGEN_NB_SCRIPT_BASE_URL."),
    )


def is_too_long(exc: openai.APIError) -> bool:
    """Tell whether the server refused because of too much text."""
    status = getattr(exc, "status_code", None)
    if exc.code == "context_length_exceeded" or status == _TOO_LARGE:
        return True
    return status in REFUSALS and bool(_TOO_LONG.search(exc.message))


def _unreachable(base_url: str) -> ScriptError:
    if is_loopback(base_url):
        return ScriptError(
            _("Nothing answers at {address}.").format(address=base_url),
            hint=_("Is Ollama or LM Studio running there?"),
        )
    return ScriptError(
        _("The language model's server cannot be reached: {address}.").format(
            address=base_url
        ),
        hint=_("Check the connection and HEYGEN_NB_SCRIPT_BASE_URL."),
    )


def _not_authorized(_model: str, _url: str, _exc: openai.APIError) -> ScriptError:
    return ScriptNotAuthorizedError(
        _("The language model's server does not accept the key."),
        hint=_("Check OPENAI_API_KEY in the environment or in .env."),
    )


def _forbidden(model: str, _url: str, _exc: openai.APIError) -> ScriptError:
    return ScriptError(
        _("This key may not use the model {model}.").format(model=model),
        hint=_("Set another script_model, or ask for access."),
    )


def _not_found(model: str, base_url: str, _exc: openai.APIError) -> ScriptError:
    hint = _("Check script_model, and that the address ends in /v1 if it should.")
    if is_loopback(base_url):
        hint = _("Load it first, such as with “ollama pull {model}”.").format(
            model=model
        )
    return ScriptError(
        _("There is no model {model} at {address}.").format(
            model=model, address=base_url
        ),
        hint=hint,
    )


def _too_many(_model: str, _url: str, exc: openai.APIError) -> ScriptError:
    if exc.code == "insufficient_quota":
        return ScriptError(
            _("The account of the language model has no credit left."),
            hint=_("Top it up, or write offline."),
        )
    return ScriptError(
        _("The language model's server has too much to do."),
        hint=_("Nothing was changed. Try again in a minute."),
    )


_KNOWN: dict[int, Callable[[str, str, openai.APIError], ScriptError]] = {
    401: _not_authorized,
    403: _forbidden,
    404: _not_found,
    429: _too_many,
}


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
