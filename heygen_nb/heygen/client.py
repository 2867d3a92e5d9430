"""HeyGenClient: one method an endpoint of HeyGen's API v3."""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from heygen_nb.errors import BadReplyError, InvalidRequestError
from heygen_nb.heygen import wire
from heygen_nb.heygen.transport import UPLOAD_S, WRITE_S, Transport
from heygen_nb.i18n import gettext as _

log = logging.getLogger("heygen_nb.heygen")

MAX_STATUS_IDS = 100
_PAGE, _LOOK_PAGE = 100, 50  # the most the schemas allow
_MAX_PAGES = 1_000
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")

_Model = TypeVar("_Model", bound=BaseModel)
_Query = Mapping[str, str]


class HeyGenClient(Transport):
    """HeyGen's API v3 for one key. Use it as an async context manager.

    What costs money (``create_…``) is sent exactly once, whatever comes back; the
    rest is repeated when the failure may pass.
    """

    async def create_video(
        self, body: str, *, idempotency_key: str
    ) -> wire.CreatedVideo:
        """Order one video (paid): send the JSON text as it is, once."""
        return await self._create(wire.CreatedVideo, "videos", body, idempotency_key)

    async def create_batch(self, body: str, *, idempotency_key: str) -> str:
        """Order up to 100 videos (paid), once; return the batch's id.

        Whether HeyGen heeds the key here is not documented.
        """
        key, path = idempotency_key, "videos/batches"
        return (await self._create(wire.BatchCreated, path, body, key)).batch_id

    async def create_speech(
        self, body: str, *, idempotency_key: str
    ) -> wire.SpeechReply:
        """Have a text spoken (paid, at once), once.

        Whether HeyGen heeds the key here is not documented.
        """
        key, path = idempotency_key, "voices/speech"
        return await self._create(wire.SpeechReply, path, body, key)

    async def get_video(self, video_id: str) -> wire.VideoReply:
        """Return a video with fresh links.

        Raises:
            NotFoundError: With the code ``video_not_found``, HeyGen has no such
                video; without it, something else did not find its way.
        """
        return await self._get(wire.VideoReply, "videos", video_id)

    async def list_videos(
        self, *, title: str | None = None
    ) -> AsyncIterator[wire.VideoReply]:
        """Yield all videos; ``title`` is a part of it. The order is not documented."""
        query = {} if title is None else {"title": title}
        async for video in self._pages("/v3/videos", wire.VideoReply, query):
            yield video

    async def video_statuses(self, video_ids: Sequence[str]) -> list[wire.StatusRow]:
        """Return what up to 100 videos do, in one request.

        The word ``not_found`` is among the statuses; a video may also be missing
        from the answer.
        """
        query = {"video_ids": ",".join(video_ids)}
        content = await self.repeat("GET", "/v3/videos/statuses", query=query)
        return list(_readable(wire.StatusRow, content.get("data")))

    async def get_batch(self, batch_id: str) -> wire.BatchReply:
        """Return a batch with the items of all its pages."""
        pages = self._raw_pages(_path("videos", "batches", batch_id), {}, _PAGE)
        read = [page async for page in pages]
        items = [item for page in read for item in _list(page.get("items"))]
        return _parsed(wire.BatchReply, read[0] | {"items": items})

    async def list_voices(
        self, *, engine: str | None = None
    ) -> AsyncIterator[wire.VoiceReply]:
        """Yield the account's own voices, then the public ones."""
        seen: set[str] = set()
        for kind in ("private", "public"):
            query = {"type": kind} | ({"engine": engine} if engine else {})
            async for voice in self._pages("/v3/voices", wire.VoiceReply, query):
                if voice.voice_id not in seen:
                    seen.add(voice.voice_id)
                    yield voice

    async def get_voice(self, voice_id: str) -> wire.VoiceReply:
        """Return one voice with a fresh link to its sample; not whose voice it is."""
        return await self._get(wire.VoiceReply, "voices", voice_id)

    async def list_looks(
        self, *, ownership: Literal["private", "public"] | None = None
    ) -> AsyncIterator[wire.LookReply]:
        """Yield avatar looks: the account's own, then the public ones, or one kind."""
        for kind in (ownership,) if ownership else ("private", "public"):
            path, query = "/v3/avatars/looks", {"ownership": kind}
            async for look in self._pages(path, wire.LookReply, query, _LOOK_PAGE):
                yield look

    async def get_look(self, look_id: str) -> wire.LookReply:
        """Return one avatar look."""
        return await self._get(wire.LookReply, "avatars", "looks", look_id)

    async def me(self) -> wire.AccountReply:
        """Return the key's account and balance; free, so it tries the key too."""
        return await self._get(wire.AccountReply, "users", "me")

    async def upload_asset(
        self, name: str, content: bytes, mime_type: str
    ) -> wire.AssetReply:
        """Upload a file of up to 32 MB (free; a repeat leaves a second copy)."""
        files = {"file": (name, content, mime_type)}
        reply = await self.repeat("POST", "/v3/assets", files=files, limit_s=UPLOAD_S)
        return _parsed(wire.AssetReply, reply.get("data"))

    async def get_asset(self, asset_id: str) -> wire.AssetReply:
        """Return an uploaded file; HeyGen has it a few seconds after the upload.

        Raises:
            NotFoundError: It is not there, or not yet (seen live, August 2026).
        """
        return await self._get(wire.AssetReply, "assets", asset_id)

    async def _create(
        self, model: type[_Model], path: str, body: str, key: str
    ) -> _Model:
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise ValueError("an idempotency key is 1 to 255 of A-Z a-z 0-9 _ - : .")
        sent: dict[str, Any] = {"body": body, "idempotency_key": key}
        content = await self.once("POST", f"/v3/{path}", limit_s=WRITE_S, **sent)
        return _parsed(model, content.get("data"))

    async def _get(self, model: type[_Model], *place: str) -> _Model:
        content = await self.repeat("GET", _path(*place))
        return _parsed(model, content.get("data"))

    async def _pages(
        self, path: str, model: type[_Model], query: _Query, limit: int = _PAGE
    ) -> AsyncIterator[_Model]:
        async for content in self._raw_pages(path, query, limit):
            for item in _readable(model, content.get("data")):
                yield item

    async def _raw_pages(
        self, path: str, query: _Query, limit: int
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield page after page; a batch keeps its paging fields inside ``data``."""
        seen: set[str] = set()
        page_query: dict[str, str | int] = {**query, "limit": limit}
        while len(seen) < _MAX_PAGES:
            content = await self.repeat("GET", path, query=page_query)
            data = content.get("data")
            page = data if isinstance(data, dict) else content
            yield page
            token = page.get("next_token")
            if not page.get("has_more", token):
                return
            # half a list must not pass for a whole one: a video that is not in it
            # would be taken for never made
            if not isinstance(token, str) or not token or token in seen:
                break
            seen.add(token)
            page_query["token"] = token
        raise _unreadable("next_token")


def _path(*place: str) -> str:
    """Return an address; each part stays one, so that no id can name another route."""
    for part in place:
        if not part.strip("."):
            raise InvalidRequestError(_("“{id}” is not an id."), id=part, charged=False)
    return "/".join(["/v3", *(quote(part, safe="") for part in place)])


def _parsed(model: type[_Model], data: Any) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        where = ".".join(str(part) for part in exc.errors()[0]["loc"]) or "data"
    raise _unreadable(where)  # outside: the cause would show signed links


def _readable(model: type[_Model], data: Any) -> Iterator[_Model]:
    for item in _list(data):
        try:
            yield _parsed(model, item)
        except BadReplyError as error:
            # a video that is left out would be taken for never made; of voices and
            # looks one bad row must not hide the others (seen live, August 2026)
            if model is wire.VideoReply:
                raise
            log.warning("%s", error)


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise _unreadable("data")
    return data


def _unreadable(where: str) -> BadReplyError:
    return BadReplyError(
        _("HeyGen's answer is not as documented: {where}."),
        where=where,
        status=200,
        hint=_("Try again later; if it stays so, look for a newer heygen-nb."),
    )
