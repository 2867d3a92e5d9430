"""Posting a video to Telegram: stored first, sent once, never repeated blindly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from heygen_nb.errors import (
    ConfigError,
    DeliveryError,
    DeliveryUnsureError,
    TakenOverError,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import PostRow
from heygen_nb.models import Post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from heygen_nb.config import Settings
    from heygen_nb.ledger import Hold, Ledger
    from heygen_nb.models import Video
    from heygen_nb.renderer import Renderer
    from heygen_nb.renderer.holding import Holding
    from heygen_nb.sandbox.process import SandboxHandle
    from heygen_nb.telegram import TelegramPoster

_ELSEWHERE_S = 1.0  # between two looks at a post that another process sends


class Chat:
    """One bot and its chat, the ledger beside it.

    Args:
        poster: Telegram.
        chat_id: Where new posts go.
        ledger: Every message is stored before it is sent.
        backend: ``sandbox`` or ``heygen``: whose videos may go there.
        holding: Takes a post while it is sent.
        sleep: Waits for another process.
    """

    def __init__(
        self,
        poster: TelegramPoster,
        chat_id: str,
        ledger: Ledger,
        backend: str,
        *,
        holding: Holding,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._poster = poster
        self._chat_id = chat_id
        self._posts = ledger.posts
        self._backend = backend
        self._holding = holding
        self._sleep = sleep

    async def check(self) -> str:
        """Return the bot's and the chat's name; nothing is posted.

        Raises:
            DeliveryError: The token or the chat does not work.
        """
        found = await self._poster.check(self._chat_id)
        return f"@{found.bot_name} → {found.chat_title}"

    async def send(
        self, video: Video, caption: str = "", *, again: bool = False
    ) -> Post:
        """Post a downloaded video; a long caption goes on in a second message.

        Args:
            video: With ``path``.
            caption: Plain text, at most 5,120 characters in all.
            again: Post even if it is in the chat already, or may be.

        Raises:
            DeliveryError: It is surely not in the chat.
            DeliveryUnsureError: It may be; a person has to look.
            ConfigError: This video must not go to this chat.
        """
        rows = await self.plan(video, caption, again=again)
        return await self.deliver(rows[0].id, video)

    async def plan(
        self,
        video: Video,
        caption: str = "",
        *,
        chat_id: str | None = None,
        again: bool = False,
    ) -> list[PostRow]:
        """Store the messages a post will be made of, or find those of an earlier one.

        Raises:
            ConfigError: This video must not go to this chat.
        """
        from heygen_nb.telegram import (  # noqa: PLC0415 - 6 MB, for posts only
            split_caption,
        )

        self._check_backend(video.backend)
        return await asyncio.to_thread(
            self._posts.plan,
            video.render_id or None,
            video_id=video.video_id,
            backend=self._backend,
            chat_id=chat_id or self._chat_id,
            texts=split_caption(caption),
            again=again,
        )

    async def deliver(self, post_id: int, video: Video) -> Post:
        """Send what of a stored post is not in the chat yet.

        Args:
            post_id: Of its first message.
            video: With ``path``.

        Raises:
            DeliveryError: Surely not all of it is in the chat.
            DeliveryUnsureError: It may be; a person has to look.
        """
        self._check_backend(video.backend)
        if video.path is None:
            raise DeliveryError(_("The video has no file yet: download it first."))
        while True:
            async with self._holding(PostRow, post_id) as hold:
                if hold:
                    try:
                        return await self._send_parts(hold, post_id, video)
                    except TakenOverError:
                        pass  # see what the other process makes of it
            await self._sleep(_ELSEWHERE_S)

    def _check_backend(self, backend: str) -> None:
        if backend != self._backend:
            raise ConfigError(
                _("A sandbox video can only be posted to the sandbox chat.")
            )

    async def _send_parts(self, hold: Hold, post_id: int, video: Video) -> Post:
        rows = await asyncio.to_thread(self._posts.parts, post_id)
        done = [await self._send_part(hold, row, video) for row in rows]
        return Post(
            id=post_id,
            video_id=video.video_id,
            chat_id=done[0].chat_id,
            status="sent",
            message_ids=tuple(row.message_id for row in done if row.message_id),
            sent_at=done[-1].sent_at,
        )

    async def _send_part(self, hold: Hold, row: PostRow, video: Video) -> PostRow:
        if row.state == "sent":
            return row
        if row.state == "sending":  # by a process that did not live to tell
            row = await self._record(hold, row, "unsure", _("no answer came"))
        if row.state == "unsure":
            raise _unsure(row.id)
        message = await self._prepared(row, video)
        await self._record(hold, row, "sending")
        try:
            hold.check()  # the laptop may have slept since
        except TakenOverError:
            await self._record(hold, row, "failed", _("not sent yet"))
            raise
        try:
            message_id = await message()
        except DeliveryError as error:
            unsure = isinstance(error, DeliveryUnsureError)
            await self._record(
                hold, row, "unsure" if unsure else "failed", error.message
            )
            error.post_id = row.id
            raise
        return await asyncio.to_thread(
            self._posts.record,
            hold,
            row.id,
            "sent",
            message_id=message_id,
            error_message=None,
        )

    async def _record(
        self, hold: Hold, row: PostRow, state: str, problem: str | None = None
    ) -> PostRow:
        return await asyncio.to_thread(
            self._posts.record, hold, row.id, state, error_message=problem
        )

    async def _prepared(
        self, row: PostRow, video: Video
    ) -> Callable[[], Awaitable[int]]:
        """Return what sends the message; all that can fail before is done."""
        if row.part:
            return lambda: self._poster.send_message(row.chat_id, row.text)
        from heygen_nb.preview import probe_video  # noqa: PLC0415 - 40 MB of codecs

        path = await asyncio.to_thread(_small_enough, Path(str(video.path)))
        facts = await asyncio.to_thread(probe_video, path)
        return lambda: self._poster.send_video(
            row.chat_id,
            path,
            caption=row.text,
            width=facts.width,
            height=facts.height,
            duration_s=facts.duration_s,
            thumbnail=video.thumbnail,
        )


@asynccontextmanager
async def open_chat(settings: Settings, renderer: Renderer) -> AsyncIterator[Chat]:
    """Connect to the chat of the settings, or to the sandbox's own.

    Raises:
        ConfigError: The bot's token or the chat is not set.
    """
    from heygen_nb import telegram  # noqa: PLC0415 - 6 MB, for posts only

    sandbox = renderer.connection.sandbox
    chat_id = chat_of(settings, sandbox)
    if sandbox:
        token, base_url = SecretStr(sandbox.bot_token), sandbox.telegram_base_url
    else:
        token, base_url = _token(settings, chat_id), settings.telegram_base_url
    async with telegram.TelegramPoster(token, base_url=base_url or None) as poster:
        yield Chat(
            poster,
            chat_id,
            renderer.ledger,
            renderer.account.backend,
            holding=renderer.holding,
        )


def chat_of(settings: Settings, sandbox: SandboxHandle | None) -> str:
    """Return where posts go; empty when that is not set."""
    return sandbox.chat_id if sandbox else settings.telegram_chat_id


def _token(settings: Settings, chat_id: str) -> SecretStr:
    if not settings.telegram_bot_token:
        raise ConfigError(
            _("There is no Telegram bot token."),
            hint=_("Make a bot with @BotFather and set TELEGRAM_BOT_TOKEN."),
        )
    if not chat_id:
        raise ConfigError(
            _("There is no Telegram chat."),
            hint=_("Set telegram_chat_id, such as @my_channel or -1001234567890."),
        )
    return settings.telegram_bot_token


def _small_enough(path: Path) -> Path:
    from heygen_nb.telegram import (  # noqa: PLC0415 - 6 MB, for posts only
        MAX_FILE_BYTES,
    )

    if path.stat().st_size <= MAX_FILE_BYTES:
        return path
    from heygen_nb.preview import shrink_video  # noqa: PLC0415 - 40 MB of codecs

    smaller = path.with_suffix(".telegram.mp4")
    return shrink_video(path, smaller, max_bytes=MAX_FILE_BYTES)


def _unsure(post_id: int) -> DeliveryUnsureError:
    error = DeliveryUnsureError(
        _("Post {id} may be in the chat already: its answer was lost.").format(
            id=post_id
        ),
        hint=_(
            "Look into the chat. If it is there: heygen-nb mark-sent {id};"
            " if not: heygen-nb resend {id}."
        ).format(id=post_id),
    )
    error.post_id = post_id
    return error
