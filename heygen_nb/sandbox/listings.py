"""The catalogue's endpoints: voices, avatars and looks, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox import catalogue
from heygen_nb.sandbox.envelope import choice, data, found, page

if TYPE_CHECKING:
    from starlette.requests import Request

    from heygen_nb.sandbox.catalogue import Look, Ownership, Voice

_OWNERSHIP = {"public", "private"}
_AVATAR_TYPES = {"studio_avatar", "digital_twin", "photo_avatar"}
_LOOKS_A_PAGE = 50


class Listings:
    """Read-only listings; the same for every account."""

    async def voices(self, request: Request) -> Response:
        """Answer ``GET /v3/voices``: public ones unless asked otherwise."""
        query = request.query_params
        kind = choice(query, "type", _OWNERSHIP) or "public"
        engine = query.get("engine")
        language, gender = query.get("language", ""), query.get("gender", "")
        fitting = (
            voice
            for voice in catalogue.voices().values()
            if voice.type == kind
            and (not engine or (engine == "starfish" and voice.starfish))
            and language.casefold() in ("", voice.language.casefold())
            and gender.casefold() in ("", voice.gender)
        )
        rows, paging = page(fitting, query, lambda voice: voice.number, default=20)
        views = [catalogue.voice_view(v, _sample(request, v)) for v in rows]
        return JSONResponse({"data": views, **paging})

    async def voice(self, request: Request) -> Response:
        """Answer ``GET /v3/voices/{id}``, which has other fields than the list."""
        voice = found(catalogue.voices(), request.path_params["id"], "voice")
        view = catalogue.voice_view(voice, _sample(request, voice))
        own = {"status": "complete" if voice.type == "private" else None}
        dropped = ("type", "support_locale")
        return data({k: v for k, v in view.items() if k not in dropped} | own)

    async def groups(self, request: Request) -> Response:
        """Answer ``GET /v3/avatars``."""
        query = request.query_params
        ownership = choice(query, "ownership", _OWNERSHIP)
        views = catalogue.group_views(
            cast("Ownership | None", ownership), lambda look: _picture(request, look)
        )
        return _paged(views, query)

    async def looks(self, request: Request) -> Response:
        """Answer ``GET /v3/avatars/looks``."""
        query = request.query_params
        ownership = choice(query, "ownership", _OWNERSHIP)
        kind = choice(query, "avatar_type", _AVATAR_TYPES)
        views = [
            catalogue.look_view(look, _picture(request, look))
            for look in catalogue.looks().values()
            if ownership in (None, look.ownership)
            and kind in (None, look.avatar_type)
            and query.get("group_id", "") in ("", look.group_id)
        ]
        return _paged(views, query)

    async def look(self, request: Request) -> Response:
        """Answer ``GET /v3/avatars/looks/{id}``."""
        look = found(catalogue.looks(), request.path_params["id"], "avatar")
        return data(catalogue.look_view(look, _picture(request, look)))


def _paged(views: list[dict[str, Any]], query: Any) -> Response:
    numbered = list(enumerate(views))
    rows, paging = page(
        numbered, query, lambda row: row[0], default=20, maximum=_LOOKS_A_PAGE
    )
    return JSONResponse({"data": [view for _, view in rows], **paging})


def _picture(request: Request, look: Look) -> str:
    return f"{request.base_url}files/looks/{look.id}.jpg"


def _sample(request: Request, voice: Voice) -> str:
    return f"{request.base_url}files/voices/{voice.voice_id}.wav"
