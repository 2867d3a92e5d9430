"""Posting a video to Telegram: stored first, sent once, never repeated blindly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from heygen_nb.errors import ConfigError, DeliveryError, DeliveryUnsureError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Post
from heygen_nb.preview import probe_video, shrink_video
from heygen_nb.telegram import MAX_FILE_BYTES, TelegramPoster, split_caption

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.ledger import Ledger
    from heygen_nb.ledger import Post as PostRow
    from heygen_nb.models import Video
    from heygen_nb.sandbox.handle import SandboxHandle


class Chat:
    """One Telegram chat, the ledger beside it.

    Args:
        poster: Telegram.
        chat_id: Where posts go.
        ledger: Every message is stored before it is sent.
        backend: ``sandbox`` or ``heygen``: whose videos may go there.
    """

    def __init__(
        self, poster: TelegramPoster, chat_id: str, ledger: Ledger, backend: str
    ) -> None:
        self._poster = poster
        self._chat_id = chat_id
        self._ledger = ledger
        self._backend = backend

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
        if video.path is None:
            raise DeliveryError(_("The video has no file yet: download it first."))
        if video.backend != self._backend:
            raise ConfigError(
                _("A sandbox video can only be posted to the sandbox chat.")
            )
        texts = split_caption(caption) or [""]
        rows = [] if again else await self._begun(video.video_id)
        if not rows:
            rows = await asyncio.to_thread(
                self._ledger.plan_posts,
                video.render_id or None,
                video_id=video.video_id,
                backend=self._backend,
                chat_id=self._chat_id,
                texts=texts,
            )
        done = [await self._deliver(row, video) for row in rows]
        return Post(
            id=done[0].id,
            video_id=video.video_id,
            chat_id=self._chat_id,
            status="sent",
            message_ids=tuple(row.message_id for row in done if row.message_id),
            sent_at=done[-1].sent_at,
        )

    async def _begun(self, video_id: str) -> Sequence[PostRow]:
        """Return the messages of an earlier post that must not be made twice."""
        return await asyncio.to_thread(
            self._ledger.latest_post, video_id, self._backend, self._chat_id
        )

    async def _deliver(self, row: PostRow, video: Video) -> PostRow:
        if row.state == "sent":
            return row
        if row.state in ("sending", "unsure"):
            raise _unsure(row.id)
        await asyncio.to_thread(self._ledger.record_post, row.id, "sending")
        try:
            message_id = await self._message(row, video)
        except DeliveryUnsureError as error:
            await self._settle(row, "unsure", error)
            error.post_id = row.id
            raise
        except DeliveryError as error:
            await self._settle(row, "failed", error)
            error.post_id = row.id
            raise
        return await asyncio.to_thread(
            self._ledger.record_post, row.id, "sent", message_id=message_id
        )

    async def _settle(self, row: PostRow, state: str, error: DeliveryError) -> None:
        await asyncio.to_thread(
            self._ledger.record_post, row.id, state, error_message=error.message
        )

    async def _message(self, row: PostRow, video: Video) -> int:
        if row.part:
            return await self._poster.send_message(self._chat_id, row.text)
        path = await asyncio.to_thread(_small_enough, Path(str(video.path)))
        facts = await asyncio.to_thread(probe_video, path)
        return await self._poster.send_video(
            self._chat_id,
            path,
            caption=row.text,
            width=facts.width,
            height=facts.height,
            duration_s=facts.duration_s,
            thumbnail=video.thumbnail,
        )


@asynccontextmanager
async def open_chat(
    settings: Settings, ledger: Ledger, sandbox: SandboxHandle | None
) -> AsyncIterator[Chat]:
    """Connect to the chat of the settings, or to the sandbox's own.

    Raises:
        ConfigError: The bot's token or the chat is not set.
    """
    if sandbox:
        token, chat_id = SecretStr(sandbox.bot_token), sandbox.chat_id
        base_url, backend = sandbox.telegram_base_url, "sandbox"
    else:
        token, chat_id = _telegram_settings(settings)
        base_url, backend = settings.telegram_base_url, "heygen"
    async with TelegramPoster(token, base_url=base_url or None) as poster:
        yield Chat(poster, chat_id, ledger, backend)


def _telegram_settings(settings: Settings) -> tuple[SecretStr, str]:
    if not settings.telegram_bot_token:
        raise ConfigError(
            _("There is no Telegram bot token."),
            hint=_("Make a bot with @BotFather and set TELEGRAM_BOT_TOKEN."),
        )
    if not settings.telegram_chat_id:
        raise ConfigError(
            _("There is no Telegram chat."),
            hint=_("Set telegram_chat_id, such as @my_channel or -1001234567890."),
        )
    return settings.telegram_bot_token, settings.telegram_chat_id


def _small_enough(path: Path) -> Path:
    if path.stat().st_size <= MAX_FILE_BYTES:
        return path
    smaller = path.with_suffix(".telegram.mp4")
    return shrink_video(path, smaller, max_bytes=MAX_FILE_BYTES)


def _unsure(post_id: int) -> DeliveryUnsureError:
    error = DeliveryUnsureError(
        _("Post {id} may be in the chat already: its answer was lost.").format(
            id=post_id
        ),
        hint=_("Look into the chat before it is sent again."),
    )
    error.post_id = post_id
    return error
