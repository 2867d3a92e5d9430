"""The web page that shows what was posted to the sandbox chat."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from heygen_nb.sandbox.telegram import Telegram

_TEXTS = {
    "en": {
        "title": "Sandbox chat",
        "subtitle": "what a Telegram channel would show",
        "empty": "Nothing here yet",
        "hint": "Posts of the sandbox bot appear here by themselves.",
        "megabytes": "MB",
        "note": "Local stand-in for Telegram: nobody else sees this.",
    },
    "ru": {
        "title": "Чат песочницы",
        "subtitle": "так это выглядело бы в Telegram-канале",
        "empty": "Пока пусто",
        "hint": "Сообщения бота песочницы появятся здесь сами.",
        "megabytes": "МБ",
        "note": "Локальная замена Telegram: кроме вас, этого никто не видит.",
    },
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True
)


class ChatPage:
    """``/chat`` and the files of its posts."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    async def page(self, request: Request) -> Response:
        """Answer ``GET /chat``, in Russian for those who prefer it."""
        accepted = request.headers.get("accept-language", "").casefold()
        language = _preferred(accepted)
        posts = [
            {"post": post, "time": datetime.fromtimestamp(post.at, UTC).astimezone()}
            for post in self._telegram.posts.values()
        ]
        page = _templates.get_template("chat.html").render(
            language=language, text=_TEXTS[language], posts=posts
        )
        return HTMLResponse(page)

    async def file(self, request: Request) -> Response:
        """Answer ``GET /chat/{id}/{file|thumbnail}``."""
        post = self._telegram.posts.get(request.path_params["id"])
        name = request.path_params["name"]
        if post is None or name not in ("file", "thumbnail"):
            return PlainTextResponse("Not Found", 404)
        path = self._telegram.file(post.id, name)
        if not path.is_file():
            return PlainTextResponse("Not Found", 404)
        kind = "image/jpeg" if name == "thumbnail" else post.mime_type
        # What somebody posted must never run as a page of this site.
        headers = {"X-Content-Type-Options": "nosniff"}
        if name == "thumbnail" or (kind or "").startswith("video/"):
            return FileResponse(path, media_type=kind, headers=headers)
        return FileResponse(path, filename=post.file_name, headers=headers)


def _preferred(accepted: str) -> str:
    languages = (part.split(";")[0].strip()[:2] for part in accepted.split(","))
    return next((language for language in languages if language in _TEXTS), "en")
