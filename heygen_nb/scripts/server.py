"""One question to a language model, its answer streamed and read.

The ``openai`` SDK asks. Models behind local servers put a script into broken JSON,
under headings or between thoughts; asking again would be paid for again, so what is
there is taken.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from heygen_nb.errors import ConfigError, ScriptError, ScriptNotAuthorizedError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import check_address, is_loopback
from heygen_nb.network import make_client
from heygen_nb.scripts import TextCallback, Written

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_FOUND = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text("utf-8"))
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
Message = dict[str, str]

CONNECT_S, SILENCE_S = 10.0, 120.0  # a local model may have to be loaded first
REPEATS = 2  # of what was not answered, by the SDK; Retry-After up to two minutes
MAX_ANSWER_CHARS, MAX_SAID_CHARS = 60_000, 200
_LOOK_AGAIN = 1.02  # growth of an answer after which its texts are read once more
_WISHES: dict[str, Any] = _FOUND["wishes"]
_CANNOT = (400, 415, 422, 501)  # how servers say that they do not know a wish
_WISH_WORDS = re.compile(
    r"response.?format|json.?(?:schema|object|mode)|structured|grammar|stream",
    re.IGNORECASE,
)
_TOLD = yaml.safe_load(Path(__file__).with_name("problems.yaml").read_text("utf-8"))


@dataclass(slots=True)
class Answer:
    """An answer as far as it has come.

    Attributes:
        text: What the model said.
        aside: What it said elsewhere: as a call of a function, or while thinking.
        refusal: Why it does not want to.
        ended: Why it stopped; empty when the answer broke off.
    """

    text: str = ""
    aside: str = ""
    refusal: str = ""
    ended: str = ""

    def take(self, chunk: Any) -> None:
        """Add what came; nobody has checked it, so anything may be missing."""
        for choice in _list(_dict(chunk).get("choices")):
            said = _dict(choice.get("delta") or choice.get("message"))
            self.text += _said(said.get("content") or choice.get("text"))
            for name in ("reasoning_content", "reasoning"):
                self.aside += _said(said.get(name))
            calls = [call.get("function") for call in _list(said.get("tool_calls"))]
            for function in (*calls, said.get("function_call")):
                self.aside += _said(_dict(function).get("arguments"))
            self.refusal += _said(said.get("refusal"))
            self.ended = _said(choice.get("finish_reason")) or self.ended


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [*map(_dict, value)] if isinstance(value, list) else []


def _said(value: Any) -> str:
    """Return a text, the texts of a list of parts, or an object as JSON."""
    if isinstance(value, list):
        return "".join(_said(part.get("text")) for part in _list(value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else ""


class ModelServer:
    """Talks to one model on one server.

    Args:
        model: Its name there.
        base_url: Of the server, mostly ending in ``/v1``.
        api_key: Empty for a server on this machine that needs none.
        silence_s: Seconds without a sign after which it is given up.

    Raises:
        ConfigError: The address or the key cannot be one, or the extra is missing.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        silence_s: float = SILENCE_S,
    ) -> None:
        self._model = model
        self._base_url = check_address(base_url)
        self._api_key = api_key
        self._silence_s = silence_s
        self._wishes = _WISHES
        if not api_key.isascii() or not api_key.isprintable():
            raise ConfigError(
                _("OPENAI_API_KEY has signs that no key has."),
                hint=_("Copy it once more, without spaces or quotes."),
            )
        try:
            self._openai = importlib.import_module("openai")
            importlib.import_module("json_repair")
        except ImportError:
            raise ConfigError(
                _("The package for language models is not installed."),
                hint=_('Install it: pip install "heygen-nb[llm]"'),
            ) from None

    async def complete(
        self, messages: list[Message], on_text: TextCallback | None = None
    ) -> Answer:
        """Return the answer to the messages; that is one paid completion.

        Args:
            messages: What was said so far.
            on_text: Gets title, script and caption as they grow.

        Raises:
            ScriptError: No answer came.
        """
        http = make_client(
            self._openai.DefaultAsyncHttpxClient,
            local=is_loopback(self._base_url),
            follow_redirects=False,  # the key is for this address only
        )
        async with self._openai.AsyncOpenAI(
            api_key=self._api_key or "none",
            base_url=self._base_url,
            max_retries=REPEATS,
            timeout=self._openai.Timeout(self._silence_s, connect=CONNECT_S),
            http_client=http,
        ) as client:
            while True:
                answer = Answer()
                asked = {"model": self._model, "messages": messages, **self._wishes}
                try:
                    async with asyncio.timeout(5 * self._silence_s):
                        await self._read(client, asked, answer, on_text)
                except self._openai.APIError as exc:
                    if self._wishes and not answer.text and _cannot(exc):
                        self._wishes = {}  # for good: the next question is asked so
                        continue
                    raise self._failure(exc, answer) from None
                except TimeoutError:
                    raise self._error("slow") from None
                except json.JSONDecodeError:
                    raise self._error("strange") from None
                return answer

    async def _read(
        self,
        client: AsyncOpenAI,
        asked: dict[str, Any],
        answer: Answer,
        on_text: TextCallback | None,
    ) -> None:
        # untyped: what comes is as the server sends it, not as the SDK expects it
        stream = await client.post(
            "/chat/completions",
            cast_to=object,
            body=asked,
            stream=True,
            stream_cls=self._openai.AsyncStream[object],
        )
        async with stream:
            if "event-stream" not in stream.response.headers.get("content-type", ""):
                self._take_whole(answer, await stream.response.aread(), stream)
                return
            looked, shown = 0, None
            async for chunk in stream:
                answer.take(chunk)
                if on_text and len(answer.text) > looked * _LOOK_AGAIN:
                    looked, texts = len(answer.text), growing(answer.text)
                    if texts and texts != shown:
                        on_text(*texts)
                        shown = texts
                if len(answer.text) > MAX_ANSWER_CHARS:
                    return

    def _take_whole(self, answer: Answer, body: bytes, stream: Any) -> None:
        """Take the answer of a server that does not stream, or does not say so."""
        text = body.decode(errors="replace").strip()
        events = re.findall(r"^data:\s*(\{.*)$", text, re.MULTILINE)
        for event in events or [text]:
            try:
                chunk = _dict(json.loads(event))
            except (ValueError, RecursionError):
                raise self._error("strange") from None
            if error := chunk.get("error"):  # whatever the status
                said = _said(_dict(error).get("message", error))
                raise self._openai.APIError(said, stream.response.request, body=error)
            if not isinstance(chunk.get("choices"), list):
                raise self._error("strange")
            answer.take(chunk)
        answer.ended = answer.ended or "stop"

    def _failure(self, exc: Exception, answer: Answer) -> ScriptError:
        """Return our error for one of the SDK's, without the key in it."""
        status = getattr(exc, "status_code", None)
        said = str(getattr(exc, "message", None) or exc)
        said = said.replace(self._api_key, "…") if self._api_key else said
        if isinstance(exc, self._openai.APITimeoutError):
            reason = "slow"
        elif isinstance(exc, self._openai.APIConnectionError):
            reason = "cut" if answer.text else "away"
        elif not (reason := _reason(exc) or ""):
            # from 500 on it is the server's own fault
            reason = "failed" if status and status >= 500 else "refused"  # noqa: PLR2004
        return self._error(reason, said or str(status or "?"))

    def _error(self, reason: str, said: str = "") -> ScriptError:
        here = f"{reason} here"
        if is_loopback(self._base_url) and here in _TOLD["problems"]:
            reason = here
        return problem(reason, said, model=self._model, address=self._base_url)


def problem(reason: str, said: str = "", **values: str) -> ScriptError:
    """Return the error for a reason, with what the server or the model said."""
    values["said"] = " ".join(said.split())[:MAX_SAID_CHARS]
    told = _TOLD["problems"][reason]
    message, hint = (_(text).format(**values) for text in told.values())
    kind = ScriptNotAuthorizedError if reason == "key" else ScriptError
    return kind(message.strip(), hint=hint)


def _cannot(exc: Exception) -> bool:
    """Tell whether a server refused the way we ask, not what we ask for."""
    status = getattr(exc, "status_code", None)
    if status in _CANNOT and _reason(exc) is None:
        return True
    return bool(_WISH_WORDS.search(_words(exc)))


def _reason(exc: Exception) -> str | None:
    """Return the reason that a refusal names."""
    status, words = getattr(exc, "status_code", None), _words(exc)
    for reason, statuses, pattern in _TOLD["refusals"]:
        if status in statuses or re.search(pattern, words, re.IGNORECASE):
            return str(reason)
    return None


def _words(exc: Exception) -> str:
    parts = (getattr(exc, name, None) for name in ("code", "type", "message"))
    return " ".join(str(part) for part in (*parts, exc) if part)


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
    for part in (without_thoughts(text), text):
        for read in (_repaired, _labelled):
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
