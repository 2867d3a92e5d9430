"""One question to a language model, its answer streamed; the ``openai`` SDK asks."""

import asyncio
import importlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from heygen_nb import errors
from heygen_nb.files import shipped
from heygen_nb.i18n import gettext as _
from heygen_nb.models import check_address, is_loopback
from heygen_nb.network import make_client
from heygen_nb.scripts import TextCallback
from heygen_nb.scripts.answers import FOUND, growing

CONNECT_S, SILENCE_S = 10.0, 120.0  # a local model may have to be loaded first
REPEATS = 2  # of what was not answered, by the SDK; Retry-After up to two minutes
MAX_ANSWER_CHARS, MAX_SAID_CHARS = 60_000, 200
_LOOK_AGAIN = 1.02  # growth of an answer after which its texts are read once more
_CANNOT = (400, 415, 422, 501)  # how servers say that they do not know a wish
_WISH_WORDS = re.compile(
    r"response.?format|json.?(?:schema|object|mode)|structured|grammar|stream",
    re.IGNORECASE,
)
_TOLD = shipped("scripts/problems.yaml")


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


@dataclass
class ModelServer:
    """Talks to one model on one server.

    Args:
        model: Its name there.
        base_url: Of the server, mostly ending in ``/v1``.
        api_key: Empty for a server on this machine that needs none.
        silence_s: Seconds without a sign after which it is given up.

    Raises:
        ConfigError: Model or key is not set, the address or the key cannot be one,
            or the extra is missing.
    """

    model: str
    base_url: str
    api_key: str = field(default="", repr=False)
    silence_s: float = SILENCE_S

    def __post_init__(self) -> None:
        if not self.model:
            raise self.error("unset")
        if not self.api_key and not is_loopback(self.base_url):
            raise self.error("no key")
        check_address(self.base_url)
        self._wishes: dict[str, Any] = FOUND["wishes"]
        if not self.api_key.isascii() or not self.api_key.isprintable():
            raise self.error("odd key")
        try:
            self._openai = importlib.import_module("openai")
            importlib.import_module("json_repair")
        except ImportError:
            raise self.error("no package") from None

    async def complete(
        self, messages: list[dict[str, str]], on_text: TextCallback | None = None
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
            local=is_loopback(self.base_url),
            follow_redirects=False,  # the key is for this address only
        )
        async with self._openai.AsyncOpenAI(
            api_key=self.api_key or "none",
            base_url=self.base_url,
            max_retries=REPEATS,
            timeout=self._openai.Timeout(self.silence_s, connect=CONNECT_S),
            http_client=http,
        ) as client:
            while True:
                answer = Answer()
                asked = {"model": self.model, "messages": messages, **self._wishes}
                try:
                    async with asyncio.timeout(5 * self.silence_s):
                        await self._read(client, asked, answer, on_text)
                except self._openai.APIError as exc:
                    if self._wishes and not answer.text and _cannot(exc):
                        self._wishes = {}  # for good: the next question is asked so
                        continue
                    raise self._failure(exc, answer) from None
                except TimeoutError:
                    raise self.error("slow") from None
                except json.JSONDecodeError:
                    raise self.error("strange") from None
                return answer

    async def _read(
        self,
        client: Any,
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
                raise self.error("strange") from None
            if error := chunk.get("error"):  # whatever the status
                said = _said(_dict(error).get("message", error))
                raise self._openai.APIError(said, stream.response.request, body=error)
            if not isinstance(chunk.get("choices"), list):
                raise self.error("strange")
            answer.take(chunk)
        answer.ended = answer.ended or "stop"

    def _failure(self, exc: Any, answer: Answer) -> errors.HeygenNbError:
        """Return our error for one of the SDK's, without the key in it."""
        status = getattr(exc, "status_code", 0)
        said = str(exc.message or exc)
        said = said.replace(self.api_key, "…") if self.api_key else said
        if isinstance(exc, self._openai.APITimeoutError):
            reason = "slow"
        elif isinstance(exc, self._openai.APIConnectionError):
            reason = "cut" if answer.text else "away"
        else:  # from 500 on it is the server's own fault
            reason = _reason(exc) or ("failed" if status >= 500 else "refused")  # noqa: PLR2004
        return self.error(reason, said or str(status or "?"))

    def error(self, reason: str, said: str = "") -> errors.HeygenNbError:
        """Return the error for a reason, with what the server or the model said."""
        problems, here = _TOLD["problems"], f"{reason} here"
        local = is_loopback(self.base_url) and here in problems
        told = problems[here if local else reason]
        said = " ".join(said.split())[:MAX_SAID_CHARS]
        message, hint = (
            _(text).format(said=said, model=self.model, address=self.base_url)
            for text in (told["message"], told["hint"])
        )
        kind: type[errors.HeygenNbError]
        kind = getattr(errors, told.get("error", "ScriptError"))
        return kind(message.strip(), hint=hint)


def _cannot(exc: Any) -> bool:
    """Tell whether a server refused the way we ask, not what we ask for."""
    if getattr(exc, "status_code", 0) in _CANNOT and _reason(exc) is None:
        return True
    return bool(_WISH_WORDS.search(_words(exc)))


def _reason(exc: Any) -> str | None:
    """Return the reason that a refusal names."""
    status, words = getattr(exc, "status_code", 0), _words(exc)
    for reason, statuses, pattern in _TOLD["refusals"]:
        if status in statuses or re.search(pattern, words, re.IGNORECASE):
            return str(reason)
    return None


def _words(exc: Any) -> str:
    return " ".join(str(part) for part in (exc.code, exc.type, exc.message, exc))
