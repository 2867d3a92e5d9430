"""One question to a language model, its answer streamed; the ``openai`` SDK inside."""

from __future__ import annotations

import asyncio
import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heygen_nb.address import check_address, is_loopback
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.scripts import answers
from heygen_nb.scripts.answers import SCHEMA, growing, whole

if TYPE_CHECKING:
    from types import ModuleType

    import openai
    from openai import AsyncOpenAI

    from heygen_nb.scripts.formats import TextCallback

Message = dict[str, str]

CONNECT_S, SILENCE_S = 10.0, 120.0  # a local model may have to be loaded first
REPEATS = 2  # of what was not answered, by the SDK; Retry-After up to two minutes
MAX_ANSWER_CHARS = 60_000
_KINDS: tuple[dict[str, Any], ...] = (
    {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "script", "strict": True, "schema": SCHEMA},
        }
    },
    {"response_format": {"type": "json_object"}},
    {},
)


class _StrangeAnswerError(Exception):
    """What came is no completion."""


@dataclass(slots=True)
class _Reply:
    """An answer as far as it has come."""

    text: str = ""
    refusal: str = ""
    ended: str = ""


class Chat:
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
        self._kind = 0  # of answer that this server has not refused yet
        if not api_key.isascii() or not api_key.isprintable():
            raise ConfigError(
                _("OPENAI_API_KEY has signs that no key has."),
                hint=_("Copy it once more, without spaces or quotes."),
            )
        self._openai = _sdk()

    async def complete(
        self, messages: list[Message], on_text: TextCallback | None = None
    ) -> str:
        """Return the answer to the messages.

        Args:
            messages: What was said so far.
            on_text: Gets title, script and caption as they grow.

        Raises:
            ScriptError: No answer came, or the model declined.
        """
        async with self._client() as client:
            while True:
                reply = _Reply()
                try:
                    async with asyncio.timeout(5 * self._silence_s):
                        await self._read(client, messages, reply, on_text)
                except self._openai.APIError as exc:
                    if self._may_ask_simpler(exc):
                        self._kind += 1
                        continue
                    raise answers.failure(
                        exc,
                        model=self._model,
                        base_url=self._base_url,
                        api_key=self._api_key,
                        started=bool(reply.text),
                    ) from None
                except TimeoutError:
                    raise answers.too_slow() from None
                except (_StrangeAnswerError, json.JSONDecodeError):
                    raise answers.not_a_server(self._base_url) from None
                return _checked(reply)

    def _client(self) -> AsyncOpenAI:
        local = is_loopback(self._base_url)
        http = self._openai.DefaultAsyncHttpxClient(
            trust_env=not local,  # no proxy can reach our loopback
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

    def _may_ask_simpler(self, exc: openai.APIError) -> bool:
        refused = getattr(exc, "status_code", None) in answers.REFUSALS
        return refused and self._kind < len(_KINDS) - 1 and not answers.is_too_long(exc)

    async def _read(
        self,
        client: AsyncOpenAI,
        messages: list[Message],
        reply: _Reply,
        on_text: TextCallback | None,
    ) -> None:
        create: Any = client.chat.completions.create
        stream = await create(
            model=self._model, messages=messages, stream=True, **_KINDS[self._kind]
        )
        async with stream:
            if "event-stream" not in stream.response.headers.get("content-type", ""):
                _take_whole(reply, await stream.response.aread())
                return
            shown = None
            async for chunk in stream:
                _take(reply, chunk)
                texts = growing(reply.text) if on_text else None
                if on_text and texts and texts != shown:
                    on_text(*texts)
                    shown = texts
                if len(reply.text) > MAX_ANSWER_CHARS:
                    return


def _take(reply: _Reply, chunk: Any) -> None:
    # the SDK does not check what servers send: anything may be missing
    for choice in getattr(chunk, "choices", None) or ():
        delta = getattr(choice, "delta", None)
        reply.text += _said(getattr(delta, "content", None))
        reply.refusal += _said(getattr(delta, "refusal", None))
        reply.ended = _said(getattr(choice, "finish_reason", None)) or reply.ended


def _take_whole(reply: _Reply, body: bytes) -> None:
    """Take the answer of a server that does not stream."""
    try:
        choice = json.loads(body)["choices"][0]
        reply.text = _said(choice["message"].get("content"))
        reply.refusal = _said(choice["message"].get("refusal"))
        reply.ended = _said(choice.get("finish_reason")) or "stop"
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _StrangeAnswerError from None


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _checked(reply: _Reply) -> str:
    if reply.refusal or reply.ended == "content_filter":
        raise answers.refused(reply.refusal)
    if reply.ended in ("", "length") and reply.text and whole(reply.text) is None:
        raise answers.broken_off()
    return reply.text


def _sdk() -> ModuleType:
    try:
        return importlib.import_module("openai")
    except ImportError:
        raise ConfigError(
            _("The package for language models is not installed."),
            hint=_('Install it: pip install "heygen-nb[llm]"'),
        ) from None
