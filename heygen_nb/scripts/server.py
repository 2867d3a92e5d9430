"""One question to a language model, its answer streamed; the ``openai`` SDK inside."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import yaml

from heygen_nb.errors import ConfigError, ScriptError, ScriptNotAuthorizedError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import check_address, is_loopback
from heygen_nb.network import make_client
from heygen_nb.scripts.answers import SCHEMA, growing

if TYPE_CHECKING:
    from types import ModuleType

    from openai import AsyncOpenAI

    from heygen_nb.scripts.formats import TextCallback

Message = dict[str, str]

CONNECT_S, SILENCE_S = 10.0, 120.0  # a local model may have to be loaded first
REPEATS = 2  # of what was not answered, by the SDK; Retry-After up to two minutes
MAX_ANSWER_CHARS, MAX_SAID_CHARS = 60_000, 200
_LOOK_AGAIN = 1.02  # growth of an answer after which its texts are read once more
_WISHES: dict[str, Any] = {
    "stream": True,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "script", "strict": True, "schema": SCHEMA},
    },
}
_CANNOT = (400, 415, 422, 501)  # how servers say that they do not know a wish
_WISH_WORDS = re.compile(
    r"response.?format|json.?(?:schema|object|mode)|structured|grammar|stream",
    re.IGNORECASE,
)
_TOLD = yaml.safe_load(Path(__file__).with_name("problems.yaml").read_text("utf-8"))


class _StrangeAnswerError(Exception):
    """What came is no completion."""


class _ErrorInAnswerError(Exception):
    """The server told in its answer what went wrong."""


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
        """Add what came; the SDK does not check it, so anything may be missing."""
        for choice in getattr(chunk, "choices", None) or ():
            said = getattr(choice, "delta", None) or getattr(choice, "message", None)
            words = getattr(said, "content", None) or getattr(choice, "text", None)
            self.text += _said(words)
            for name in ("reasoning_content", "reasoning"):
                self.aside += _said(getattr(said, name, None))
            calls = getattr(said, "tool_calls", None) or ()
            functions = [getattr(call, "function", None) for call in calls]
            for function in (*functions, getattr(said, "function_call", None)):
                self.aside += _said(getattr(function, "arguments", None))
            self.refusal += _said(getattr(said, "refusal", None))
            self.ended = _said(getattr(choice, "finish_reason", None)) or self.ended


def _said(value: Any) -> str:
    """Return a text, the texts of a list of parts, or an object as JSON."""
    if isinstance(value, list):
        parts = [vars(p) if isinstance(p, SimpleNamespace) else p for p in value]
        return "".join(_said(p.get("text")) for p in parts if isinstance(p, dict))
    if isinstance(value, dict | SimpleNamespace):
        return json.dumps(value, default=vars, ensure_ascii=False)
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
        self._openai = _sdk()

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
        async with self._client() as client:
            while True:
                answer = Answer()
                try:
                    async with asyncio.timeout(5 * self._silence_s):
                        await self._read(client, messages, answer, on_text)
                except (self._openai.APIError, _ErrorInAnswerError) as exc:
                    if self._wishes and not answer.text and _cannot(exc):
                        self._wishes = {}  # for good: the next question is asked so
                        continue
                    raise self._failure(exc, answer) from None
                except TimeoutError:
                    raise self._error("slow") from None
                except (_StrangeAnswerError, json.JSONDecodeError):
                    raise self._error("strange") from None
                return answer

    def _client(self) -> AsyncOpenAI:
        http = make_client(
            self._openai.DefaultAsyncHttpxClient,
            local=is_loopback(self._base_url),
            follow_redirects=False,  # the key is for this address only
        )
        client: AsyncOpenAI = self._openai.AsyncOpenAI(
            api_key=self._api_key or "none",
            base_url=self._base_url,
            max_retries=REPEATS,
            timeout=self._openai.Timeout(self._silence_s, connect=CONNECT_S),
            http_client=http,
        )
        return client

    async def _read(
        self,
        client: AsyncOpenAI,
        messages: list[Message],
        answer: Answer,
        on_text: TextCallback | None,
    ) -> None:
        completions: Any = client.chat.completions
        asked = {"model": self._model, "messages": messages, **self._wishes}
        if not self._wishes:
            reply = await completions.with_raw_response.create(**asked)
            _take_whole(answer, reply.content)
            return
        async with await completions.create(**asked) as stream:
            if "event-stream" not in stream.response.headers.get("content-type", ""):
                _take_whole(answer, await stream.response.aread())
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


def _take_whole(answer: Answer, body: bytes) -> None:
    """Take the answer of a server that does not stream, or does not say that it does.

    Raises:
        _StrangeAnswerError: It is none.
        _ErrorInAnswerError: It tells of an error, whatever its status.
    """
    text = body.decode(errors="replace").strip()
    events = re.findall(r"^data:\s*(\{.*)$", text, re.MULTILINE)
    for event in events or [text]:
        try:
            chunk = json.loads(event, object_hook=lambda o: SimpleNamespace(**o))
        except (ValueError, RecursionError, TypeError):
            raise _StrangeAnswerError from None
        if error := getattr(chunk, "error", None):
            raise _ErrorInAnswerError(_said(getattr(error, "message", error)))
        if not isinstance(getattr(chunk, "choices", None), list):
            raise _StrangeAnswerError
        answer.take(chunk)
    answer.ended = answer.ended or "stop"


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


def _sdk() -> ModuleType:
    try:
        importlib.import_module("json_repair")
        return importlib.import_module("openai")
    except ImportError:
        raise ConfigError(
            _("The package for language models is not installed."),
            hint=_('Install it: pip install "heygen-nb[llm]"'),
        ) from None
