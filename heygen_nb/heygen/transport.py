"""One HTTP request to HeyGen: sent once or repeated, its failure named.

Nothing here knows an endpoint. No exception of httpx leaves this module, not even
as a cause: its frames hold the headers, and with them the key.
"""

import asyncio
import logging
import random as _random
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from pydantic import SecretStr
from pydantic_core import from_json

from heygen_nb import __version__, errors
from heygen_nb.clock import uptime_s
from heygen_nb.heygen.refusals import refusal
from heygen_nb.i18n import gettext as _
from heygen_nb.models import check_address, is_loopback
from heygen_nb.network import NOT_SENT, make_client, trust_hint

log = logging.getLogger("heygen_nb.heygen")

READ_S, WRITE_S, UPLOAD_S = 30.0, 120.0, 600.0
MAX_BODY_BYTES = 10_000_000
MAX_ASKED_WAIT_S = 300.0  # a server that asks for a day is asked again
_CONNECT_S = 10.0
_BASE_WAIT_S, _MAX_WAIT_S = 1.0, 30.0
_JITTER = 0.25
_UNTRUSTED = "certificate"
_IDS = ("X-Request-Id", "X-Amzn-Request-Id", "X-Amzn-Trace-Id")


class Transport:
    """Sends calls with the account's key.

    Args:
        api_key: The account's key, or the access token of a session.
        base_url: https, or http on this machine.
        renewed: Reads the token of a session again; given, the token goes out as
            Bearer and spends the credits of the plan instead of the wallet.
        transport: What carries the requests; for tests.
        sleep: Waits between repeats; for tests.
        random: Jitter of the waits, 0 to 1; for tests.
        max_retries: How often a read is repeated.

    Raises:
        ConfigError: The address is not safe for a key, or the key cannot be one.
    """

    def __init__(
        self,
        api_key: SecretStr,
        *,
        base_url: str = "https://api.heygen.com",
        renewed: Callable[[], SecretStr | None] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = _random.random,
        max_retries: int = 4,
    ) -> None:
        for name in ("httpx", "httpcore"):  # at INFO they log addresses
            logging.getLogger(name).setLevel(logging.WARNING)
        self._renewed = renewed
        self._sleep = sleep
        self._random = random
        self._max_retries = max_retries
        self._server_clock: tuple[datetime, float] | None = None
        self._http = make_client(
            httpx.AsyncClient,
            local=is_loopback(base_url),
            base_url=check_address(base_url),
            headers={
                "X-HeyGen-Source": "heygen-nb",
                "User-Agent": f"heygen-nb/{__version__}",
                "Accept": "application/json",
            },
            transport=transport,
            follow_redirects=False,  # the key stays with the host it is meant for
        )
        self._use_key(api_key)

    def _use_key(self, key: SecretStr) -> None:
        text = key.get_secret_value()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise errors.ConfigError(
                _("The HeyGen key is empty or has characters no key has."),
                hint=_("Copy HEYGEN_API_KEY again, without spaces and line breaks."),
            )
        self._key = key
        if self._renewed:
            self._http.headers["Authorization"] = f"Bearer {text}"
        else:
            self._http.headers["X-Api-Key"] = text

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._http.aclose()

    def server_time(self) -> datetime | None:
        """Return HeyGen's clock now (aware UTC); None before the first answer."""
        if self._server_clock is None:
            return None
        then, noted_s = self._server_clock
        return then + timedelta(seconds=uptime_s() - noted_s)

    async def repeat(self, *call: str, **content: Any) -> dict[str, Any]:
        """Send a call that changes nothing, again when the failure may pass."""
        for attempt in range(self._max_retries):
            try:
                return await self.once(*call, **content)
            except errors.ApiError as error:
                if not _may_pass(error):
                    raise
                jitter = 1 + _JITTER * (2 * self._random() - 1)
                wait_s = min(_BASE_WAIT_S * 2**attempt, _MAX_WAIT_S) * jitter
                if error.retry_after_s is not None:
                    wait_s = min(error.retry_after_s, _MAX_WAIT_S)
                text = _("{problem} Trying again in {seconds:.0f} s.").format(
                    problem=error.message, seconds=wait_s
                )
            log.warning("%s", text)
            await self._sleep(wait_s)
        return await self.once(*call, **content)

    async def once(self, *call: str, **content: Any) -> dict[str, Any]:
        """Send a call exactly once and return the JSON object of the answer.

        A session that has ended is the one exception: 401 made nothing, so the call
        goes out once more if HeyGen's own tools have renewed the token meanwhile.

        Args:
            *call: Method and path.
            **content: ``query``, ``body`` (JSON as it is), ``idempotency_key``,
                ``files``; ``limit_s`` is how long a silence of the server may last.

        Raises:
            NotSentError: No connection was made.
            ReplyLostError: It was sent, and no whole answer came back.
            BadReplyError: A 2xx or 3xx answer that is not what HeyGen sends.
            ApiError: HeyGen's refusal, by status and code.
        """
        try:
            return await self._send(*call, **content)
        except errors.NotAuthorizedError:
            token = await asyncio.to_thread(self._renewed) if self._renewed else None
            if token is None or token == self._key:
                raise
            self._use_key(token)
        return await self._send(*call, **content)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: str | None = None,
        idempotency_key: str | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        limit_s: float = READ_S,
    ) -> dict[str, Any]:
        kind = None if body is None else "application/json"
        headers = {"Content-Type": kind, "Idempotency-Key": idempotency_key}
        failure: errors.NetworkError
        try:
            async with (
                # a server that trickles bytes never trips the limit on a silence
                asyncio.timeout(2 * limit_s),
                self._http.stream(
                    method,
                    path,
                    params=query or {},
                    content=None if body is None else body.encode(),
                    files=files,
                    headers={name: text for name, text in headers.items() if text},
                    timeout=httpx.Timeout(limit_s, connect=_CONNECT_S),
                ) as response,
            ):
                if date := _http_date(response.headers.get("Date", "")):
                    self._server_clock = (date, uptime_s())
                answer = await _read(response)
        except NOT_SENT as exc:
            failure = _not_sent(exc)
        except (httpx.HTTPError, TimeoutError) as exc:
            failure = errors.ReplyLostError(
                _("HeyGen's answer was lost: {reason}."),
                reason=type(exc).__name__,
                hint=_("Check the internet connection, then try again."),
            )
        else:
            return self._content(response, answer)
        raise failure  # outside of the handlers, so that no cause hangs on it

    def _content(self, response: httpx.Response, body: bytes) -> dict[str, Any]:
        content: Any = None
        with suppress(ValueError):  # HTML, nothing, a part: the status has to do
            content = from_json(body, allow_inf_nan=False)
        told = isinstance(content, dict) and not content.get("error")
        if response.is_success and told:  # v1 and v2 put errors into a 200
            return dict(content)
        ids = [response.headers[name] for name in _IDS if name in response.headers]
        raise refusal(
            response.status_code,
            content,
            request_id=ids[0] if ids else None,
            retry_after_s=self._retry_after_s(response),
            hide=self._key.get_secret_value(),
            session=self._renewed is not None,
        )

    def _retry_after_s(self, response: httpx.Response) -> float | None:
        text = response.headers.get("Retry-After", "")
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
            return min(float(text), MAX_ASKED_WAIT_S)
        if date := _http_date(text):
            now = self.server_time() or datetime.now(UTC)
            return min(max(0.0, (date - now).total_seconds()), MAX_ASKED_WAIT_S)
        return None


def _may_pass(error: errors.ApiError) -> bool:
    match error:
        case errors.RateLimitedError():
            return not isinstance(error, errors.QuotaExceededError)
        case errors.ServerError() | errors.NetworkError() | errors.BadReplyError():
            return error.code != _UNTRUSTED
    return False


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                break
    except httpx.HTTPError:
        if not response.is_error:
            raise
        # a refusal is told by its status, whatever became of its body
    return bytes(body)


def _not_sent(exc: httpx.HTTPError) -> errors.NotSentError:
    # connecting knows no headers yet, so the words of httpx are safe to show
    text, reason = _("HeyGen cannot be reached: {reason}."), str(exc).rstrip(".")
    text = text.format(reason=reason or type(exc).__name__)
    hint, code = _("Check the internet connection and the proxy, then try again."), None
    if trusting := trust_hint(exc):
        text = _("HeyGen cannot be reached: its certificate is not trusted here.")
        hint, code = trusting, _UNTRUSTED
    return errors.NotSentError(text, hint=hint, charged=False, code=code)


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # a date of the year 1 has no UTC
        return None
