"""A post's life: stored first, sent once, never repeated blindly, settled by a person.

A post that surely is in no chat takes the caption and the chat that hold now. One
that may be in a chat is shown to a person, and so is one that is half in another chat.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from heygen_nb import errors, finishing, preview
from heygen_nb.chats import MAX_FILE_BYTES, chat_of, split_caption
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import UNSENT, Hold, PostRow, RenderRow, taken_over
from heygen_nb.log import ProgressCallback, Report
from heygen_nb.models import Post, Video
from heygen_nb.renderer.account import Account, turn
from heygen_nb.renderer.advance import advance, fetched, waited
from heygen_nb.renderer.finish import ai_label

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.telegram import TelegramPoster

    _Send = Callable[[], Awaitable[int]]

FRESH = timedelta(hours=24)  # older posts would surprise their readers
_MAX_COVER_BYTES = 10_000_000  # as any photo of Telegram's
_ELSEWHERE_S = 1.0  # between two looks at a post that another process sends


class Posting:
    """The chat of the settings, and what one account posts there.

    Args:
        settings: Name the bot and the chat; in the sandbox it has its own.
        account: Whose videos are posted.
    """

    def __init__(self, settings: Settings, account: Account) -> None:
        self.settings = settings
        self._account = account
        self._posts = account.ledger.posts
        self._stored_name = ""

    @property
    def chat_id(self) -> str:
        """Where posts go; empty when that is not set."""
        if self._account.sandbox:
            return self._account.sandbox.chat_id
        chat = chat_of(self.settings.telegram_chat_id)
        thread = self.settings.telegram_thread_id
        return f"{chat}/{thread}" if chat and thread and "/" not in chat else chat

    async def _chat(self) -> str:
        """Return the chat's name in the ledger: people write one chat in many ways."""
        if not self._stored_name:
            names = [self.chat_id]
            if not self._account.sandbox:
                with suppress(errors.HeygenNbError):  # sending will tell
                    async with self._open() as poster:
                        names += await poster.names(self.chat_id)
            known = await asyncio.to_thread(self._posts.name_of, names)
            self._stored_name = known or self.chat_id
        return self._stored_name

    async def check(self) -> str:
        """Return the bot's and the chat's name; nothing is posted.

        Raises:
            ConfigError: The bot's token or the chat is not set.
            DeliveryError: The token or the chat does not work.
        """
        async with self._open() as poster:
            bot, chat = await poster.check(self.chat_id)
        return f"@{bot} → {chat}"

    async def send(
        self,
        video: Video,
        caption: str | None = None,
        *,
        again: bool = False,
        asked_at: datetime | None = None,
        progress: ProgressCallback | None = None,
    ) -> Post:
        """Post a video; a long caption goes on in a second message.

        Args:
            video: It is downloaded first if needed.
            caption: Plain text, at most 5,120 characters in all; by default what the
                draft of its render has now.
            again: Post even if it is in the chat already, or may be.
            asked_at: When that was, if not now: what is old is only listed.
            progress: Told when the post was sent now, not earlier.

        Raises:
            DeliveryError: It is surely not in the chat.
            DeliveryUnsureError: It may be; a person has to look.
            ConfigError: This video must not go to this chat.
        """
        if caption is None:
            caption = await self._caption_now(await self._render(video.render_id))
        self._check_backend(video)
        self._bot()  # nothing is stored without one
        if video.path is None:
            video = await fetched(self._account, video)
        texts, chat_id = self._texts(caption), await self._chat()
        while True:
            plan = partial(self._posts.plan, video.render_id or None, chat_id=chat_id)
            whose = {"video_id": video.video_id, "backend": video.backend}
            rows = await asyncio.to_thread(plan, **whose, texts=texts, again=again)
            _check_age(rows, asked_at)
            post = await self._deliver(rows[0].id, video, texts, progress=progress)
            if post.chat_id == chat_id:  # else another process was faster
                return post

    async def unfinished(self) -> list[list[PostRow]]:
        """Return the posts to go on with, oldest first.

        One that failed a day ago is over, and so is one that another replaced.
        """
        going_on, backend = [], self._account.payer.backend
        for rows in await asyncio.to_thread(self._posts.unfinished, backend):
            states = {row.state for row in rows}
            old = states <= {"failed", "sent"} and not _is_fresh(rows[0].created_at)
            unsent = states <= {*UNSENT}
            if not old and not (unsent and await self._replaced_by(rows[0])):
                going_on.append(rows)
        return going_on

    async def take_up(self, post: PostRow, video: Video) -> Post:
        """Send what of a stored post is not in the chat yet.

        Args:
            post: Its first message.
            video: See :meth:`video_of`.

        Raises:
            DeliveryError: Surely not all of it is in the chat.
            DeliveryUnsureError: It may be; a person has to look.
        """
        rows = await asyncio.to_thread(self._posts.parts, post.id)
        _check_age(rows, post.created_at)
        texts = None
        if post.render_id:
            row = await self._render(post.render_id)
            # a text of its own was given by hand and stays
            before = (self._texts(row.caption), split_caption(row.caption))
            if [part.text for part in rows] in before:
                texts = self._texts(await self._caption_now(row))
        return await self._deliver(post.id, video, texts)

    async def resend(self, post_id: int) -> Post:
        """Send a post that a person says is not in the chat.

        Raises:
            DeliveryError: It is in the chat, or could not be sent.
        """
        posts = await asyncio.to_thread(self._posts.parts, post_id)
        first, video = posts[0].id, await self.video_of(posts[0])
        self._bot()
        async with self._account.hold(PostRow, first) as hold:
            if hold is None:
                raise taken_over(post_id)
            rows = await asyncio.to_thread(self._posts.parts, first)
            state = next(row.state for row in rows if row.id == post_id)
            if state == "sent":
                problem = _("Post {id} is in the chat already.")
                raise errors.DeliveryError(problem, id=post_id)
            if state == "sending":
                await self._record(hold, post_id, "unsure")
            if state != "planned":
                await self._record(hold, post_id, "planned")
            newer = await self._replaced_by(rows[0])
            if newer and all(row.state != "sent" for row in rows):
                problem = _("Post {newer} came in the place of post {id}.")
                raise errors.DeliveryError(problem, newer=newer, id=post_id)
        return await self._deliver(first, video, anywhere=True)

    async def mark_sent(self, post_id: int) -> None:
        """Note that a post is in the chat, as a person has seen.

        Raises:
            LedgerError: There is no such post, or another process is sending it.
        """
        posts = await asyncio.to_thread(self._posts.parts, post_id)
        async with self._account.hold(PostRow, posts[0].id) as hold:
            if hold is None:
                raise taken_over(post_id)
            await self._record(hold, post_id, "sent")

    async def video_of(self, post: PostRow) -> Video:
        """Return the video of a stored post, with its file here."""
        if post.render_id is None:
            video = await waited(self._account, post.video_id)
            return await fetched(self._account, video)
        return await advance(self._account, post.render_id)

    def _texts(self, caption: str) -> list[str]:
        """Return the messages of a post: the caption, labelled if that is wished."""
        if self.settings.ai_label in ("caption", "both"):
            caption = f"{caption.strip()}\n\n{ai_label()}"
        return split_caption(caption)

    def _bot(self) -> tuple[SecretStr, str]:
        """Return the token and the address of the bot."""
        settings, sandbox = self.settings, self._account.sandbox
        if sandbox:
            return SecretStr(sandbox.bot_token), sandbox.telegram_base_url
        if not settings.telegram_bot_token:
            hint = _("Make a bot with @BotFather and set TELEGRAM_BOT_TOKEN.")
            raise errors.ConfigError(_("There is no Telegram bot token."), hint=hint)
        if not settings.telegram_chat_id:
            hint = _("Set telegram_chat_id, such as @my_channel or -1001234567890.")
            raise errors.ConfigError(_("There is no Telegram chat."), hint=hint)
        return settings.telegram_bot_token, settings.telegram_base_url

    def _open(self) -> TelegramPoster:
        from heygen_nb.telegram import TelegramPoster  # noqa: PLC0415 - 6 MB, for posts only

        token, base_url = self._bot()
        return TelegramPoster(token, base_url=base_url)

    def _check_backend(self, video: Video) -> None:
        if video.backend != self._account.payer.backend:
            problem = _("A sandbox video can only be posted to the sandbox chat.")
            raise errors.ConfigError(problem)

    async def _render(self, render_id: str) -> RenderRow:
        return await asyncio.to_thread(self._account.ledger.render, render_id)

    async def _caption_now(self, row: RenderRow) -> str:
        """Return a render's caption, or its draft's if that was saved later."""
        draft = await asyncio.to_thread(self._account.ledger.drafts.get, row.draft_id)
        newer = draft if draft and draft.updated_at > row.created_at else row
        return newer.caption

    async def _replaced_by(self, post: PostRow) -> int | None:
        chat_id = await self._chat()
        return await asyncio.to_thread(self._posts.replaced_by, post, chat_id)

    async def _deliver(
        self,
        first_id: int,
        video: Video,
        texts: Sequence[str] | None = None,
        *,
        anywhere: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Post:
        """Send what of a stored post is not in the chat, once no other process does."""
        self._check_backend(video)
        report = Report(progress, video.draft_id)
        while True:
            async with self._account.hold(PostRow, first_id) as hold:
                # a post that is lost to another process is looked at again
                with suppress(errors.TakenOverError):
                    if hold:
                        rows = await self._unsent(hold, texts, anywhere=anywhere)
                        await self._send_all(hold, rows, video, report)
                        break
            await asyncio.sleep(_ELSEWHERE_S)
        done = await asyncio.to_thread(self._posts.parts, first_id)
        return Post(
            id=first_id,
            video_id=video.video_id,
            chat_id=done[0].chat_id,
            status="sent",
            message_ids=tuple(row.message_id for row in done if row.message_id),
            sent_at=done[-1].sent_at,
        )

    async def _unsent(
        self, hold: Hold, texts: Sequence[str] | None, *, anywhere: bool
    ) -> list[PostRow]:
        """Return what is to be sent, brought up to date.

        What may be in the chat, or would go to another one, is left to a person.
        """
        chat_id = await self._chat()
        rows = await asyncio.to_thread(self._posts.renew, hold, chat_id, texts)
        for row in rows:
            about: dict[str, Any] = {"id": row.id, "post_id": row.id}
            if row.state == "sending":  # by a process that did not live to tell
                lost = _("no answer came")
                await self._record(hold, row.id, "unsure", error_message=lost)
            if row.state in ("sending", "unsure"):
                may_be = _("Post {id} may be in the chat already: its answer was lost.")
                hint = _look_first(row.id)
                raise errors.DeliveryUnsureError(may_be, hint=hint, **about)
            if row.state != "sent" and row.chat_id != chat_id and not anywhere:
                about["chat"] = row.chat_id
                hint = _("Send the rest there with: heygen-nb resend {id}.")
                problem = _(
                    "The beginning of post {id} is in the chat {chat}, which is not set"
                    " now."
                )
                raise errors.DeliveryError(problem, hint=hint, **about)
        return [row for row in rows if row.state != "sent"]

    async def _send_all(
        self, hold: Hold, rows: Sequence[PostRow], video: Video, report: Report
    ) -> None:
        async with turn("posting", await self._chat()), self._open() as poster:
            # one at a time: Telegram takes about 20 posts a minute
            for row in rows:
                send: _Send = partial(poster.send_message, row.chat_id, row.text)
                if not row.part:  # all that can fail before is done before
                    post = partial(_video_post, poster, row, video, self.settings)
                    send = await asyncio.to_thread(post)
                await self._record(hold, row.id, "sending")
                try:
                    hold.check()  # the laptop may have slept since
                    message_id = await send()
                except (errors.TakenOverError, errors.DeliveryError) as error:
                    state, error.post_id = "failed", row.id
                    if isinstance(error, errors.DeliveryUnsureError):
                        state, error.hint = "unsure", _look_first(row.id)
                    await self._record(hold, row.id, state, error_message=error.message)
                    raise
                await self._record(hold, row.id, "sent", message_id=message_id)
        if rows:
            await report("completed", _("📱 Video sent to Telegram"))

    async def _record(
        self, hold: Hold, post_id: int, state: str, **fields: Any
    ) -> None:
        told = {"error_message": None, **fields}
        await asyncio.to_thread(self._posts.record, hold, post_id, state, **told)


def _video_post(
    poster: TelegramPoster, row: PostRow, video: Video, settings: Settings
) -> _Send:
    """Return what posts a video; its file is small enough by then, and has a cover."""
    path, cover = video.path, None
    if path is None:
        raise errors.DeliveryError(_("The video has no file yet: download it first."))
    if path.stat().st_size > MAX_FILE_BYTES:
        smaller = path.with_suffix(".telegram.mp4")
        path = finishing.shrink_video(path, smaller, max_bytes=MAX_FILE_BYTES)
    if settings.telegram_cover_s:
        cover = path.with_suffix(".cover.jpg")
        [picture] = preview.pictures_at(path, [settings.telegram_cover_s])
        cover.write_bytes(preview.small_jpeg(picture, _MAX_COVER_BYTES))
    facts, small = preview.probe_video(path), video.thumbnail
    return partial(
        poster.send_video,
        row.chat_id,
        path,
        caption=row.text,
        width=facts.width,
        height=facts.height,
        duration=max(1, round(facts.duration_s)),
        thumbnail=small if small and small.is_file() else None,
        cover=cover,
        start_timestamp=settings.telegram_start_s or None,
    )


def _is_fresh(asked_at: datetime) -> bool:
    return datetime.now(UTC) - asked_at < FRESH


def _check_age(rows: Sequence[PostRow], asked_at: datetime | None) -> None:
    """Refuse to send by itself what was asked for long ago; the unsure goes on."""
    states, post_id = {row.state for row in rows}, rows[0].id
    waits = states <= {"planned", "failed", "sent"} and states != {"sent"}
    if asked_at and waits and not _is_fresh(asked_at):
        problem = _("Post {id} is older than a day, so it was not sent.")
        hint = _("Send it with: heygen-nb resend {id}.")
        raise errors.DeliveryError(problem, hint=hint, id=post_id, post_id=post_id)


def _look_first(post_id: int) -> str:
    hint = _(
        "Look into the chat. If it is there: heygen-nb mark-sent {id};"
        " if not: heygen-nb resend {id}."
    )
    return hint.format(id=post_id)
