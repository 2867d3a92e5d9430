"""Videos and messages for a chat, through python-telegram-bot.

A post is never repeated when it may have arrived. No exception of the library leaves
this module, not even as a cause: its frames hold the token.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote

from pydantic import SecretStr
from pydantic_core import from_json
from telegram import Bot, InputFile
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from heygen_nb.chats import MAX_FILE_BYTES, ways_to
from heygen_nb.errors import DeliveryError, DeliveryRefusedError, DeliveryUnsureError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import check_address, is_loopback
from heygen_nb.network import NOT_SENT, make_client, trust_hint

log = logging.getLogger("heygen_nb.telegram")

_CONNECT_S, _READ_S, _UPLOAD_S = 10.0, 120.0, 600.0
_UNASKED_WAIT_S, _MAX_WAIT_S = 10.0, 120.0  # the sum for one post
_MAX_TEXT = 200
# half a surrogate pair never leaves the machine
_NOT_SENT = (*NOT_SENT, UnicodeEncodeError)
# what the library raises over an answer without the fields of a message
_ODD_ANSWER = (AttributeError, LookupError, TypeError, ValueError)
_UNKNOWN_CHAT = re.compile(
    r"chat not found|chat_id is empty|PEER_ID_INVALID", re.IGNORECASE
)
_NO_RIGHTS = re.compile(r"rights|administrator|FORBIDDEN", re.IGNORECASE)

_T = TypeVar("_T")


class TelegramPoster:
    """One bot's posts. Use it as an async context manager.

    Args:
        token: The bot's token from @BotFather.
        base_url: As python-telegram-bot takes it (ends in ``/bot``); https, or http
            on this machine. None means Telegram's own.
        sleep: Waits when Telegram asks for it; for tests.

    Raises:
        ConfigError: The address is not safe for a token.
        DeliveryRefusedError: The token cannot be one.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # at DEBUG and INFO they log addresses, and with them the token
        for name in ("telegram", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        address = check_address(base_url or "https://api.telegram.org/bot")
        if not re.fullmatch(r"[A-Za-z0-9_:-]+", token.get_secret_value()):
            raise _bad_token()
        self._token = token
        self._sleep = sleep
        self._request = make_client(
            lambda **options: _StatusRequest(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                write_timeout=_READ_S,
                media_write_timeout=_UPLOAD_S,
                pool_timeout=_READ_S,
                httpx_kwargs=options,
            ),
            local=is_loopback(address),
        )
        self._bot = Bot(
            token.get_secret_value(),
            base_url=address,
            request=self._request,
            get_updates_request=self._request,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._request.shutdown()

    async def check(self, chat_id: str) -> tuple[str, str]:
        """Return the names of bot and chat; nothing is posted.

        Raises:
            DeliveryError: Telegram cannot be reached or does not know the chat.
            DeliveryRefusedError: The token is wrong, or the bot is not wanted there.
        """
        bot = await self._read("getMe", chat_id)  # which does not heed the chat
        return _name(bot), _name(await self._read("getChat", chat_id)) or chat_id

    async def names(self, chat_id: str) -> list[str]:
        """Return what else a chat is called: its number, and its ``@name`` if any.

        Raises:
            DeliveryError: Telegram cannot be reached or does not know the chat.
        """
        chat, slash, thread = chat_id.partition("/")
        told = await self._read("getChat", chat)
        names = [str(told.get("id", "")), f"@{told.get('username', '')}"]
        return [f"{name}{slash}{thread}" for name in names if len(name) > 1]

    async def send_video(self, chat_id: str, path: Path, **looks: Any) -> int:
        """Post a video and return the id of its message.

        Args:
            chat_id: Number or ``@name`` of the chat; a forum's topic behind a slash.
            path: MP4 of at most ``MAX_FILE_BYTES``.
            **looks: Of the Bot API's sendVideo: ``caption`` is plain text of at most
                1,024 characters, see ``split_caption``; without ``width`` and
                ``height`` in pixels Telegram shows bigger files as squares;
                ``duration`` is in whole seconds; ``thumbnail`` is a JPEG of at most
                320 pixels and 200 kB.

        Raises:
            DeliveryError: Nothing was posted.
            DeliveryRefusedError: Telegram does not want this bot there.
            DeliveryUnsureError: It was sent and no answer came; never repeat it
                without a person's word.
        """

        async def post(chat: str, thread: int | None) -> int:
            with _open(path) as file:  # anew for each try, so from its start
                content = InputFile(file, filename=path.name, read_file_handle=False)
                looks.update(message_thread_id=thread, supports_streaming=True)
                message = await self._bot.send_video(chat, content, **looks)
            return message.message_id

        return await self._ask(chat_id, post, posting=True)

    async def send_message(self, chat_id: str, text: str) -> int:
        """Post a plain text and return its id; errors as in :meth:`send_video`."""

        async def post(chat: str, thread: int | None) -> int:
            sent = await self._bot.send_message(chat, text, message_thread_id=thread)
            return sent.message_id

        return await self._ask(chat_id, post, posting=True)

    async def _read(self, method: str, chat_id: str) -> dict[str, Any]:
        # the library's own get_chat fails over any field an older server leaves out
        async def read(chat: str, _thread: int | None) -> dict[str, Any]:
            url = f"{self._bot.base_url}/{method}?chat_id={quote(chat, safe='')}"
            result = await self._request.post(url)
            if not isinstance(result, dict):
                raise TypeError
            return result

        return await self._ask(chat_id, read)

    async def _ask(
        self,
        chat_id: str,
        call: Callable[[str, int | None], Awaitable[_T]],
        *,
        posting: bool = False,
    ) -> _T:
        """Call Telegram, again while it takes nothing for now (429), or a longer name.

        What it refused because it knows no such chat was surely not posted.
        """
        left_s = _MAX_WAIT_S
        chat, _slash, thread = chat_id.partition("/")
        ways = ways_to(chat)
        while True:
            try:
                return await call(ways[0], int(thread) if thread else None)
            except _RefusalError as refusal:
                if _UNKNOWN_CHAT.search(refusal.says) and len(ways) > 1:
                    ways.pop(0)
                    continue
                error = self._refused(refusal, posting=posting)
            except OSError as exc:
                text = _("The file cannot be read: {reason}.")
                hint = _("Nothing was posted. Download the video again.")
                error = DeliveryError(text, hint=hint, reason=exc.strerror)
            except (TelegramError, *_ODD_ANSWER) as exc:
                error = self._failed(exc, posting=posting)
            wait_s = error.retry_after_s
            if wait_s is None or wait_s > left_s:
                raise error  # outside of the handlers, so that no cause hangs on it
            left_s -= wait_s
            text = _("Telegram asks to wait {seconds:.0f} s.").format(seconds=wait_s)
            log.warning("%s", text)
            await self._sleep(wait_s)

    def _refused(self, refusal: _RefusalError, *, posting: bool) -> DeliveryError:
        """Name what Telegram's refusal means and what to do about it."""
        status, says, more = refusal.status, self._clean(refusal.says), refusal.more
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
            return _bad_token()
        if status // 100 != 4:  # noqa: PLR2004 - it is not the client's fault
            return _unanswered(f"HTTP {status}", posting=posting)
        kind, hint, wait_s = DeliveryError, _("Nothing was posted."), None
        if new_id := more.get("migrate_to_chat_id"):
            hint = _("The group has a new number: set telegram_chat_id to {id}.")
            hint = hint.format(id=new_id)
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            hint = _("Nothing was posted. Wait, then send it again.")
            wait_s = max(1.0, more.get("retry_after", _UNASKED_WAIT_S))
        elif status == HTTPStatus.FORBIDDEN or _NO_RIGHTS.search(says):
            kind = DeliveryRefusedError
            hint = _("Let the bot into the chat and allow it to post there.")
        elif _UNKNOWN_CHAT.search(says):
            hint = _("Check telegram_chat_id, and let the bot into that chat.")
        text = _("Telegram refuses: {says}.")
        return kind(text, hint=hint, says=says, retry_after_s=wait_s)

    def _failed(self, exc: Exception, *, posting: bool) -> DeliveryError:
        """Name what the library's error means: was anything sent?"""
        cause = exc.__cause__
        if hint := trust_hint(cause):
            text = _("Telegram cannot be reached: its certificate is not trusted here.")
            return DeliveryError(text, hint=hint)
        if isinstance(cause, _NOT_SENT):
            reason = self._clean(str(cause)) or type(cause).__name__
            text = _("Telegram cannot be reached: {reason}.")
            hint = _("Nothing was posted. Check the connection, then try again.")
            return DeliveryError(text, hint=hint, reason=reason)
        return _unanswered(type(cause or exc).__name__, posting=posting)

    def _clean(self, text: str) -> str:
        """Cut what a server wrote, and take the token out of it."""
        text = " ".join(text.split()).rstrip(".")
        return text.replace(self._token.get_secret_value(), "***")[:_MAX_TEXT]


class _RefusalError(TelegramError):
    """An answer that is no success, with the status the library would drop."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        self.status, self.more = status, told.get("parameters") or {}
        self.says = str(told.get("description") or f"HTTP {status}")
        super().__init__(self.says)


class _StatusRequest(HTTPXRequest):
    """Sorts answers by status; the library would do it by words, and log them."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **kwargs)
        answer: Any = None
        with suppress(ValueError):  # HTML or nothing: the status has to do
            answer = from_json(body)
        told = answer if isinstance(answer, dict) else {}
        if told.get("ok") is True:
            return status, body
        raise _RefusalError(status, told)


def _name(told: dict[str, Any]) -> str:
    names = (told.get(key) for key in ("title", "username", "first_name"))
    return next((str(name) for name in names if name), "")


def _unanswered(reason: str, *, posting: bool) -> DeliveryError:
    told = _("Telegram's answer was lost: {reason}.")
    if posting:  # whoever stored the post says what to do
        return DeliveryUnsureError(told, reason=reason)
    return DeliveryError(told, hint=_("Try again in a few minutes."), reason=reason)


def _bad_token() -> DeliveryRefusedError:
    problem = _("Telegram does not accept the bot's token.")
    hint = _("Check TELEGRAM_BOT_TOKEN; @BotFather shows it.")
    return DeliveryRefusedError(problem, hint=hint)


def _open(path: Path) -> BinaryIO:
    size, most = path.stat().st_size / 1e6, MAX_FILE_BYTES / 1e6
    if not 0 < size <= most:
        text = _("The file has {size:.1f} MB; Telegram takes up to {most:.0f} MB.")
        hint = _("Nothing was posted. Make the file smaller.")
        raise DeliveryError(text, hint=hint, size=size, most=most)
    return path.open("rb")
