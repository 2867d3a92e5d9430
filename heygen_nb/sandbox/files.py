"""Files: uploads, and links on a path of its own that need no key and expire."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import shutil
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import av
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, PlainTextResponse, Response

from heygen_nb.preview.speech import Word
from heygen_nb.sandbox import speech as sound
from heygen_nb.sandbox.catalogue import voices
from heygen_nb.sandbox.envelope import Refusal, data, found, invalid
from heygen_nb.sandbox.pictures import look_picture
from heygen_nb.sandbox.rendering import Part
from heygen_nb.sandbox.state import Asset, Spoken

if TYPE_CHECKING:
    from starlette.requests import Request

    from heygen_nb.sandbox.state import State

_LIMIT_BYTES = 32 * 1024 * 1024
_UNKNOWN_S = 10.0  # what audio behind somebody else's link counts as
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"%PDF-", "application/pdf"),
)
_SAME = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "image/jpg": "image/jpeg",
    "text/plain": "application/x-subrip",
    "text/srt": "application/x-subrip",
}
_PREVIEWS = {
    "ru": "Здравствуйте! Так звучит мой голос.",
    "en": "Hello! This is what my voice sounds like.",
}


class Files:
    """The file host and the assets of the account."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._secret = state.fact("link_secret", secrets.token_hex).encode()
        self.assets = state.load(Asset)
        self.spoken = state.load(Spoken)
        self.requests_with_key = 0

    def path(self, place: str) -> Path:
        """Return where the file of a link lives."""
        return self._state.folder / "files" / place

    def link(self, request: Request, place: str) -> str:
        """Return a fresh signed link, good for ``link_life_s``."""
        expires = str(int(self._state.clock.now() + self._state.options.link_life_s))
        signed = f"?Expires={expires}&Signature={self._sign(place, expires)}"
        return f"{request.base_url}files/{quote(place)}{signed}"

    async def serve(self, request: Request) -> Response:
        """Answer ``GET /files/…``: whole or in ranges, without a key."""
        self._note_key(request)
        place = request.path_params["place"]
        query = request.query_params
        path = self.path(place)
        if not self._valid(place, query.get("Expires"), query.get("Signature")):
            return Response(
                "<Error><Code>AccessDenied</Code></Error>", 403, media_type="text/xml"
            )
        if not path.is_file():
            return PlainTextResponse("Not Found", 404)
        kind = {".srt": "application/x-subrip"}.get(path.suffix)
        return FileResponse(path, media_type=kind)

    async def picture(self, request: Request) -> Response:
        """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
        self._note_key(request)
        try:
            drawn = await asyncio.to_thread(look_picture, request.path_params["id"])
        except KeyError:
            return PlainTextResponse("Not Found", 404)
        return Response(drawn, media_type="image/jpeg")

    async def sample(self, request: Request) -> Response:
        """Answer ``GET /files/voices/{id}.wav``: the voice says a sentence."""
        self._note_key(request)
        voice = voices().get(request.path_params["id"])
        if voice is None:
            return PlainTextResponse("Not Found", 404)
        say = sound.model if self._state.options.fast else sound.speak
        text = _PREVIEWS.get(voice.code, _PREVIEWS["en"])
        speech = await asyncio.to_thread(say, voice, text, 1.0)
        return Response(sound.to_wav(speech), media_type="audio/wav")

    async def upload(self, request: Request) -> Response:
        """Answer ``POST /v3/assets``."""
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise invalid("file", "a multipart field with the file is required")
            content = await file.read()
            mime_type = _checked_type(content, file.content_type)
            name = Path(file.filename or "").name or "file"
        asset = Asset(
            id=f"asset_{secrets.token_hex(12)}",
            name=name,
            mime_type=mime_type,
            size_bytes=len(content),
        )
        target = self.path(_place(asset))
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        self.assets[asset.id] = asset
        self._state.save(asset)
        return data(self._view(asset, request))

    def asset(self, asset_id: str, family: str, param: str) -> Path:
        """Return the file of an asset of that family (``image``, ``audio``).

        Raises:
            Refusal: 404 for an unknown one, 400 for one of another type.
        """
        asset = found(self.assets, asset_id, "asset", param)
        if not asset.mime_type.startswith(family):
            raise invalid(param, f"is {asset.mime_type}; {family} is needed here")
        return self.path(_place(asset))

    def linked(self, url: str, param: str) -> Path | str:
        """Return the file behind one of our own links, any other link as it is.

        Raises:
            Refusal: 400 when our own link has expired.
        """
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            return url
        place = parts.path.removeprefix("/files/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if place == parts.path or not self.path(place).is_file():
            return url
        if not self._valid(place, query.get("Expires"), query.get("Signature")):
            raise Refusal(
                400, "download_failed", f"{param}: the link answers 403", param=param
            )
        return self.path(place)

    def sound(self, source: Path | str) -> Part:
        """Return a sound as a part of a video, with its words if we spoke it."""
        if isinstance(source, str):
            return Part(sound=source, duration_s=_UNKNOWN_S)
        spoken = self.spoken.get(sound.sound_id(source))
        if spoken is None:
            return Part(sound=source, duration_s=_length_s(source))
        words = tuple(Word(*word) for word in spoken.words)
        return Part(spoken.script, None, 1.0, source, words, spoken.duration)

    def keep_speech(self, content: bytes, spoken: Spoken) -> str:
        """Keep speech; return its place."""
        place = f"speech/{spoken.id}.wav"
        target = self.path(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.spoken[spoken.id] = spoken
        self._state.save(spoken)
        return place

    def remove_video(self, video_id: str) -> None:
        """Delete a video's files."""
        shutil.rmtree(self.path(f"videos/{video_id}"), ignore_errors=True)

    def _note_key(self, request: Request) -> None:
        # A client that sends its key here would hand it to a stranger.
        sent = {"x-api-key", "authorization"} & set(request.headers)
        self.requests_with_key += bool(sent)

    def _view(self, asset: Asset, request: Request) -> dict[str, Any]:
        return {
            "asset_id": asset.id,
            "url": self.link(request, _place(asset)),
            "mime_type": asset.mime_type,
            "size_bytes": asset.size_bytes,
        }

    def _sign(self, place: str, expires: str) -> str:
        text = f"{place}\0{expires}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]

    def _valid(self, place: str, expires: str | None, signature: str | None) -> bool:
        if not expires or not signature or not expires.isdigit():
            return False
        right = hmac.compare_digest(
            signature.encode(), self._sign(place, expires).encode()
        )
        return right and int(expires) > self._state.clock.now()


def _place(asset: Asset) -> str:
    return f"assets/{asset.id}/{asset.name}"


def _checked_type(content: bytes, claimed: str | None) -> str:
    if len(content) > _LIMIT_BYTES:
        raise Refusal(
            413, "payload_too_large", "file: over the limit of 32 MB", param="file"
        )
    found = next((t for at, mark, t in _MAGIC if content[at:].startswith(mark)), None)
    if found is None and b"-->" in content[:1000]:
        found = "application/x-subrip"
    if found is None:
        raise invalid("file", "must be png, jpeg, mp4, webm, mp3, wav, pdf or srt")
    claim = _SAME.get(claimed or "", claimed or found)
    if claim not in (found, "application/octet-stream"):
        raise invalid("file", f"is {found}, not {claimed} as the upload says")
    return found


def _length_s(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        pass
    try:
        with av.open(str(path), "r") as container:
            return float((container.duration or 0) / av.time_base)
    except av.FFmpegError:
        raise Refusal(
            400, "download_failed", "audio: the file cannot be read as sound"
        ) from None
