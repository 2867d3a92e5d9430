"""A Telegram bot server with one bot, one chat and its page.

Limits, texts and shapes of errors are those of the public Bot API server.
"""

import contextlib
import io
import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from heygen_nb.sandbox.api import json_body
from heygen_nb.sandbox.state import State

_FOLDER = Path(__file__).parent
_BOT, _CHAT, _OTHER_CHAT, _CHAT_DETAILS = json.loads(
    (_FOLDER / "telegram.json").read_text("utf-8")
).values()
CHAT_ID = str(_CHAT["id"])
_CHATS = {CHAT_ID: _CHAT, "@sandbox_chat": _CHAT, "@sandbox_other": _OTHER_CHAT}
_FILE_BYTES = 50 * 1024 * 1024
_THUMBNAIL_BYTES = 200_000
_THUMBNAIL_PX = 320
# A method's file, its text, and what Telegram calls a text over the limit.
_KINDS = {
    "sendMessage": ("", "text", 4096, "message"),
    "sendVideo": ("video", "caption", 1024, "message caption"),
    "sendDocument": ("document", "caption", 1024, "message caption"),
}
_templates = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)


class _Error(Exception):
    """A refusal, with its HTTP status and the words of Telegram."""


class Telegram:
    """The bot, its chat and what was posted there."""

    def __init__(self, state: State) -> None:
        self._state = state
        token = f"{_BOT['id']}:SANDBOX{secrets.token_hex(14)}"
        self.bot_token = state.fact("bot_token", token)

    def routes(self) -> list[Route]:
        """Return the routes of the bot and of the chat's page."""
        # A route for each method: requests are counted by route.
        return [
            *(
                Route(f"/bot{{token}}/{name}", self._answer, methods=["GET", "POST"])
                for name in ["getMe", "getChat", *_KINDS, "{method}"]
            ),
            Route("/chat", self._page),
            Route("/chat/{id}/{name}", self._file),
        ]

    async def _answer(self, request: Request) -> Response:
        """Answer ``/bot<token>/<method>``."""
        try:
            if "json" in request.headers.get("content-type", ""):
                body = await json_body(request)
                return self._result(request, {name: str(body[name]) for name in body})
            async with request.form() as form:
                return self._result(request, {**request.query_params, **form})
        except _Error as exc:
            status, text = exc.args
            error = {"ok": False, "error_code": status, "description": text}
            return JSONResponse(error, status)

    def _result(self, request: Request, arguments: Mapping[str, Any]) -> Response:
        if request.path_params["token"] != self.bot_token:
            raise _Error(401, "Unauthorized")
        method, result = request.url.path.rpartition("/")[2], _BOT
        if method != "getMe":
            if method not in ("getChat", *_KINDS):
                raise _Error(404, "Not Found")
            chat = _CHATS.get(str(arguments.get("chat_id", "")).lower())
            if chat is None:
                raise _Error(400, "Bad Request: chat not found")
            result = chat | _CHAT_DETAILS
            if method in _KINDS:
                told = {"chat": chat, "sender_chat": chat}
                result = told | self._post(method, arguments)
        return JSONResponse({"ok": True, "result": result})

    def _post(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Take a message, or refuse it in Telegram's words."""
        kind, field, most, words = _KINDS[method]
        text = str(arguments.get(field, ""))
        # Telegram counts in units of UTF-16
        if len(text.encode("utf-16-le")) // 2 > most:
            raise _Error(400, f"Bad Request: {words} is too long")
        if not kind and not text.strip():
            raise _Error(400, "Bad Request: message text is empty")
        fields = {
            name: value
            for name, value in arguments.items()
            if isinstance(value, str) and name not in ("text", "caption")
        }
        number, now = str(len(self._state.posts) + 1), self._state.clock.now()
        post = {"id": number, "method": method, "at": now, "text": text}
        post["fields"] = fields
        message = {"message_id": int(number), "date": int(now), field: text}
        if kind:
            message[kind] = self._keep_file(post, kind, arguments)
        self._state.put("Post", number, post)
        return message

    def _keep_file(
        self, post: dict[str, Any], kind: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        upload = _attached(arguments, kind)
        if upload is None:
            raise _Error(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if not upload.size:
            raise _Error(400, "Bad Request: file must be non-empty")
        if upload.size > _FILE_BYTES:
            raise _Error(413, "Request Entity Too Large")
        target = self._path(post["id"], "file")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            shutil.copyfileobj(upload.file, out)
        told = {"file_name": upload.filename, "mime_type": upload.content_type}
        post |= told | {"size_bytes": upload.size}
        file = _file_id("file", post["id"], upload.size) | told
        for name in ("width", "height", "duration"):
            file[name] = int(post["fields"].get(name, 0))
        thumbnail = _attached(arguments, "thumbnail")
        content = thumbnail.file.read() if thumbnail else b""
        with contextlib.suppress(UnidentifiedImageError):
            image = Image.open(io.BytesIO(content), formats=("JPEG",))
            if len(content) <= _THUMBNAIL_BYTES and max(image.size) <= _THUMBNAIL_PX:
                post["thumbnail_bytes"] = len(content)  # Telegram ignores any other
                self._path(post["id"], "thumbnail").write_bytes(content)
                size = {"width": image.width, "height": image.height}
                shown = _file_id("thumbnail", post["id"], len(content))
                file["thumbnail"] = shown | size
        return file

    def _path(self, post_id: str, name: str) -> Path:
        return self._state.folder / "telegram" / post_id / name

    async def _page(self, request: Request) -> Response:
        """Answer ``GET /chat``, in Russian for those who prefer it."""
        accepted = request.headers.get("accept-language", "").casefold()
        codes = (part.strip()[:2] for part in accepted.split(","))
        posts = [
            {"post": post, "time": datetime.fromtimestamp(post["at"], UTC).astimezone()}
            for post in self._state.posts.values()
        ]
        language = next((code for code in codes if code in ("en", "ru")), "en")
        page = _templates.get_template("chat.html")
        return HTMLResponse(page.render(language=language, posts=posts))

    async def _file(self, request: Request) -> Response:
        """Answer ``GET /chat/{id}/{file|thumbnail}``."""
        number, name = request.path_params["id"], request.path_params["name"]
        post, path = self._state.posts.get(number), self._path(number, name)
        if post is None or not path.is_file():
            return Response("Not Found", 404)
        kind = "image/jpeg" if name == "thumbnail" else post["mime_type"] or ""
        shown = kind.startswith(("image/jpeg", "video/"))
        # What somebody posted must never run as a page of this site.
        return FileResponse(
            path,
            media_type=kind if shown else None,
            filename=None if shown else post["file_name"],
            headers={"X-Content-Type-Options": "nosniff"},
        )


def _attached(arguments: Mapping[str, Any], field: str) -> UploadFile | None:
    value = arguments.get(field)
    if isinstance(value, str):
        value = arguments.get(value.removeprefix("attach://"))
    return value if isinstance(value, UploadFile) else None


def _file_id(kind: str, post_id: str, size_bytes: int) -> dict[str, Any]:
    unique = f"{kind}{post_id}"
    return {"file_id": unique, "file_unique_id": unique, "file_size": size_bytes}
