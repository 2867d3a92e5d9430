"""A Telegram bot server with one bot and one chat, for python-telegram-bot.

Limits, texts and shapes of errors are those of the public Bot API server.
"""

from __future__ import annotations

import io
import json
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.state import Post

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from heygen_nb.sandbox.state import State

    Handler = Callable[["Mapping[str, Any]"], Awaitable[dict[str, Any]]]

CHAT_ID = "-1001234567890"
_CHAT_NAME = "@sandbox_chat"
_BOT = {"id": 7000000001, "is_bot": True, "first_name": "Sandbox bot"}
_FILE_BYTES = 50 * 1024 * 1024
_THUMBNAIL_BYTES = 200_000
_THUMBNAIL_PX = 320
_CAPTION = 1024
_TEXT = 4096


class _Error(Exception):
    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description


class Telegram:
    """The bot, its chat and what was posted there."""

    def __init__(self, state: State) -> None:
        self._state = state
        token = f"{_BOT['id']}:SANDBOX{secrets.token_hex(14)}"
        self.bot_token = state.fact("bot_token", lambda: token)
        self.posts = state.load(Post)
        self.methods: dict[str, Handler] = {
            "getMe": self._get_me,
            "getChat": self._get_chat,
            "sendMessage": self._send_message,
            "sendVideo": self._send_video,
            "sendDocument": self._send_document,
        }

    def route(self, method: str) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of ``/bot<token>/<method>``."""
        handler = self.methods[method]

        async def endpoint(request: Request) -> Response:
            if request.path_params["token"] != self.bot_token:
                return _refusal(_Error(401, "Unauthorized"))
            try:
                result = await handler(await _arguments(request))
            except _Error as exc:
                return _refusal(exc)
            finally:
                await request.close()
            return JSONResponse({"ok": True, "result": result})

        return endpoint

    def file(self, post_id: str, name: str) -> Path:
        """Return where a post's ``file`` or ``thumbnail`` lives."""
        return self._state.folder / "telegram" / post_id / name

    async def _get_me(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {**_BOT, "username": "sandbox_bot", "can_join_groups": True}

    async def _get_chat(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        gifts = "unlimited_gifts limited_gifts unique_gifts gifts_from_channels"
        accepted = dict.fromkeys([*gifts.split(), "premium_subscription"], False)
        more = {"accent_color_id": 0, "max_reaction_count": 11}
        return _chat(arguments) | more | {"accepted_gift_types": accepted}

    async def _send_message(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        chat = _chat(arguments)
        text = str(arguments.get("text", ""))
        if not text.strip():
            raise _Error(400, "Bad Request: message text is empty")
        if _length(text) > _TEXT:
            raise _Error(400, "Bad Request: message is too long")
        post = self._new("sendMessage", text, arguments)
        return self._message(post, chat) | {"text": text}

    async def _send_video(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        chat = _chat(arguments)
        post = await self._with_file("sendVideo", "video", arguments)
        numbers = {n: _int(arguments, n) for n in ("width", "height", "duration")}
        video = _file(post) | numbers | self._keep_thumbnail(post, arguments)
        return self._message(post, chat) | {"video": video, "caption": post.text}

    async def _send_document(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        chat = _chat(arguments)
        post = await self._with_file("sendDocument", "document", arguments)
        document = _file(post) | self._keep_thumbnail(post, arguments)
        return self._message(post, chat) | {"document": document, "caption": post.text}

    async def _with_file(
        self, method: str, field: str, arguments: Mapping[str, Any]
    ) -> Post:
        caption = str(arguments.get("caption", ""))
        if _length(caption) > _CAPTION:
            raise _Error(400, "Bad Request: message caption is too long")
        upload = _attached(arguments, field)
        if upload is None:
            problem = "wrong file identifier/HTTP URL specified"
            raise _Error(400, f"Bad Request: {problem}")
        if not upload.size:
            raise _Error(400, "Bad Request: file must be non-empty")
        if upload.size > _FILE_BYTES:
            raise _Error(413, "Request Entity Too Large")
        post = self._new(method, caption, arguments)
        post.file_name = upload.filename or field
        post.mime_type = upload.content_type
        post.size_bytes = upload.size
        target = self.file(post.id, "file")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            shutil.copyfileobj(upload.file, out)
        return post

    def _keep_thumbnail(
        self, post: Post, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Keep a thumbnail that follows the rules; Telegram ignores any other."""
        upload = _attached(arguments, "thumbnail")
        content = upload.file.read() if upload else b""
        try:
            image = Image.open(io.BytesIO(content), formats=("JPEG",))
        except UnidentifiedImageError:
            return {}
        if len(content) > _THUMBNAIL_BYTES or max(image.size) > _THUMBNAIL_PX:
            return {}
        post.thumbnail_bytes = len(content)
        self.file(post.id, "thumbnail").write_bytes(content)
        width, height = image.size
        sizes = {"width": width, "height": height, "file_size": len(content)}
        ids = {"file_id": f"thumb{post.id}", "file_unique_id": f"t{post.id}"}
        return {"thumbnail": ids | sizes}

    def _new(self, method: str, text: str, arguments: Mapping[str, Any]) -> Post:
        fields = {
            name: value
            for name, value in arguments.items()
            if isinstance(value, str) and name not in ("text", "caption")
        }
        number = str(len(self.posts) + 1)
        now = self._state.clock.now()
        post = Post(id=number, method=method, at=now, text=text, fields=fields)
        self.posts[post.id] = post
        self._state.save(post)
        return post

    @staticmethod
    def _message(post: Post, chat: dict[str, Any]) -> dict[str, Any]:
        base = {"message_id": int(post.id), "date": int(post.at), "chat": chat}
        return base | {"sender_chat": chat}


def _refusal(exc: _Error) -> Response:
    status, text = exc.status, exc.description
    error = {"ok": False, "error_code": status, "description": text}
    return JSONResponse(error, status)


async def _arguments(request: Request) -> Mapping[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(await request.body())
        except ValueError:
            raise _Error(400, "Bad Request: can't parse JSON object") from None
        return {name: str(value) for name, value in body.items()}
    return {**request.query_params, **await request.form()}


def _chat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    chat_id = str(arguments.get("chat_id", ""))
    if not chat_id:
        raise _Error(400, "Bad Request: chat_id is empty")
    if chat_id not in (CHAT_ID, _CHAT_NAME):
        raise _Error(400, "Bad Request: chat not found")
    name = _CHAT_NAME.removeprefix("@")
    kind = {"type": "channel", "title": "Sandbox chat", "username": name}
    return {"id": int(CHAT_ID), **kind}


def _attached(arguments: Mapping[str, Any], field: str) -> UploadFile | None:
    value = arguments.get(field)
    if isinstance(value, str) and value.startswith("attach://"):
        value = arguments.get(value.removeprefix("attach://"))
    return value if isinstance(value, UploadFile) else None


def _file(post: Post) -> dict[str, Any]:
    ids = {"file_id": f"file{post.id}", "file_unique_id": f"f{post.id}"}
    facts = {"file_name": post.file_name, "mime_type": post.mime_type}
    return {**ids, **facts, "file_size": post.size_bytes}


def _int(arguments: Mapping[str, Any], name: str) -> int:
    text = str(arguments.get(name, "0"))
    return int(text) if text.isascii() and text.isdigit() else 0


def _length(text: str) -> int:
    """Return the length as Telegram counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2
