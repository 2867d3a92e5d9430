"""Files: uploads, speech, and signed links that need no key and expire."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import av
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from heygen_nb.files import media_type
from heygen_nb.preview.video import read_sound
from heygen_nb.preview.voice import Word
from heygen_nb.sandbox import api, rendering
from heygen_nb.sandbox.catalogue import CATALOGUE, voices
from heygen_nb.sandbox.rendering import SoundPart
from heygen_nb.sandbox.state import State

_LIMIT_BYTES = 32 * 1024 * 1024


class Files:
    """The file host, the assets of the account and its spoken texts."""

    def __init__(self, state: State) -> None:
        self.options = state.options
        self._state = state
        self._secret = state.fact("link_secret", secrets.token_hex()).encode()

    def path(self, place: str) -> Path:
        """Return where the file of a link lives."""
        return self._state.folder / "files" / place

    def _keep(self, place: str, content: bytes) -> None:
        self.path(place).parent.mkdir(parents=True, exist_ok=True)
        self.path(place).write_bytes(content)

    def link(self, request: Request, place: str) -> str:
        """Return a fresh signed link, good for ``link_life_s``."""
        expires = str(int(self._state.clock.now() + self.options.link_life_s))
        signed = f"?Expires={expires}&Signature={self._sign(place, expires)}"
        return f"{request.base_url}files/{quote(place)}{signed}"

    def _sign(self, place: str, expires: str) -> str:
        text = f"{place}\0{expires}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]

    def _valid(self, place: str, query: Mapping[str, str]) -> bool:
        expires = query.get("Expires", "")
        signed = query.get("Signature", "").encode()
        right = hmac.compare_digest(signed, self._sign(place, expires).encode())
        return right and int(expires) > self._state.clock.now()

    async def serve(self, request: Request) -> Response:
        """Answer ``GET /files/…``: whole or in ranges, without a key."""
        place = request.path_params["place"]
        if not self._valid(place, request.query_params):
            denied = "<Error><Code>AccessDenied</Code></Error>"
            return Response(denied, 403, media_type="text/xml")
        if not self.path(place).is_file():
            return PlainTextResponse("Not Found", 404)
        return FileResponse(self.path(place))

    async def upload(self, request: Request) -> Response:
        """Answer ``POST /v3/assets``."""
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise api.invalid("file", "a multipart field with the file is required")
            content = await file.read()
            name = Path(file.filename or "").name or "file"
        if len(content) > _LIMIT_BYTES:
            problem = "file: over the limit of 32 MB"
            raise api.Refusal(413, "payload_too_large", problem, param="file")
        if not (kind := media_type(content)):
            raise api.invalid("file", "is no png, jpeg, mp4, webm, mp3, wav, pdf, srt")
        number, now = f"asset_{secrets.token_hex(12)}", self._state.clock.now()
        asset = {"id": number, "name": name, "mime_type": kind, "uploaded_at": now}
        place = _place(asset)
        self._keep(place, content)
        self._state.put("Asset", number, asset)
        url, size_bytes = self.link(request, place), len(content)
        return api.data(asset_id=number, url=url, mime_type=kind, size_bytes=size_bytes)

    async def get_asset(self, request: Request) -> Response:
        """Answer ``GET /v3/assets/{id}``."""
        asset = api.found(self._ready(), request.path_params["id"], "asset")
        owner = self._state.fact("account")
        return api.data(
            id=asset["id"],
            name=asset["name"],
            type=asset["mime_type"].partition("/")[0],
            owner=owner,
            space_id=f"space-{owner}",
            uploaded_at=int(asset["uploaded_at"]),
            url=self.link(request, _place(asset)),
            folder_id=None,
        )

    async def sample(self, request: Request) -> Response:
        """Answer ``GET /files/voices/{id}.wav``; kept once it was spoken."""
        voice = api.found(voices(), request.path_params["id"], "voice")
        place = f"voices/{voice.voice_id}.wav"
        if not self.path(place).exists():
            if self.options.fast:
                sound = rendering.hum(100 + 4 * voice.pitch)
            else:
                hello = CATALOGUE["languages"][voice.code][1]
                sound = await asyncio.to_thread(rendering.speak, voice, hello, 1.0)
            self._keep(place, sound.to_wav())
        return FileResponse(self.path(place))

    async def say(self, request: Request) -> Response:
        """Answer ``POST /v3/voices/speech``: spoken at once, measured, charged.

        Whether HeyGen heeds an idempotency key here is not known: a repeat is paid.
        """
        asked = api.parse("speech", await api.json_body(request))
        voice = api.found(voices(), asked["voice_id"], "voice", "voice_id")
        if not voice.starfish:
            raise api.invalid("voice_id", "does not support the starfish engine")
        purse, said = request.state.purse, (voice, asked["text"], asked["speed"])
        rate = CATALOGUE["rates"]["speech"][purse]
        api.require(self._state, purse, rate * rendering.model(*said).duration_s)
        say = rendering.model if self.options.fast else rendering.speak
        speech = await asyncio.to_thread(say, *said)
        content, length_s = speech.to_wav(), round(speech.duration_s, 3)
        number = hashlib.sha256(content).hexdigest()
        place = f"speech/{number}.wav"
        self._keep(place, content)
        words = [(w.text, w.start_s, w.end_s) for w in speech.words]
        spoken = {"script": said[1], "duration": length_s, "words": words}
        self._state.put("Speech", number, spoken)
        price = round(rate * speech.duration_s, 6)
        self._state.charge(kind="speech", ref=number, purse=purse, amount=price)
        return api.data(
            audio_url=self.link(request, place),
            duration=length_s,
            word_timestamps=[
                {"word": word, "start": round(start, 3), "end": round(end, 3)}
                for word, start, end in words
            ],
            request_id=secrets.token_hex(16),
        )

    def asset(self, asset_id: str, family: str, param: str) -> Path:
        """Return the file of an asset of that family, ``image`` or ``audio``."""
        if asset_id in self._state.assets and asset_id not in self._ready():
            # Seen as a 400 and as a 404, for some seconds after the upload.
            message = f"Asset {asset_id} not found"
            raise api.Refusal(400, "asset_not_found", message, param=param)
        asset = api.found(self._state.assets, asset_id, "asset", param)
        if not asset["mime_type"].startswith(family):
            kind = asset["mime_type"]
            raise api.invalid(param, f"is {kind}; {family} is needed here")
        return self.path(_place(asset))

    def _ready(self) -> dict[str, dict[str, Any]]:
        until = self._state.clock.now() - self.options.asset_s
        assets = self._state.assets
        return {name: a for name, a in assets.items() if a["uploaded_at"] <= until}

    def linked(self, url: str, param: str) -> Path | str:
        """Return the file behind one of our own links, any other link as it is."""
        parts = urlsplit(url)
        place = parts.path.removeprefix("/files/")
        ours = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not ours or not self.path(place).is_file():
            return url
        if not self._valid(place, dict(parse_qsl(parts.query))):
            problem = f"{param}: the link answers 403"
            raise api.Refusal(400, "download_failed", problem, param=param)
        return self.path(place)

    def sound(self, source: Path | str) -> SoundPart:
        """Return a sound as a part of a video, with its words if we spoke it.

        Somebody else's link is refused: no sound is fetched.
        """
        problem = api.Refusal(400, "download_failed", "audio: cannot be had or read")
        if isinstance(source, str):
            raise problem
        if spoken := self._state.speech.get(file_hash(source)):
            words = tuple(Word(*word) for word in spoken["words"])
            make = partial(read_sound, source, words)
            return SoundPart(spoken["duration"], make, spoken["script"])
        try:
            with av.open(str(source), "r") as container:
                length_s = (container.duration or 0) / av.time_base
        except av.FFmpegError:
            raise problem from None
        return SoundPart(length_s, partial(read_sound, source))


def file_hash(path: Path) -> str:
    """Return what a file is recognised by after its way through an upload."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(asset: dict[str, Any]) -> str:
    return f"assets/{asset['id']}/{asset['name']}"
