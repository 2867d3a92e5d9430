"""What the stand-in has to choose from: voices and looks, the same ones everywhere.

Every voice has a rate and pauses no client is told, and every text shifts them
a little, so guessing a length from a word count is wrong here as it is there.
"""

import io
import json
import random
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image, ImageDraw
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.api import data, found, page


def _packaged(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))


CATALOGUE = _packaged("catalogue")  # what all voices and looks share, and the rates
_SHOWN = ("voice_id", "name", "language", "gender", "type", "support_pause")
# Its fields are named in the first row of voices.json.
SandboxVoice = SimpleNamespace


def _table(name: str) -> dict[str, dict[str, Any]]:
    names, *rows = _packaged(name)
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


@cache
def voices() -> dict[str, SandboxVoice]:
    """Return all voices by id: private, then public in the order of the listing.

    No client is told how they speak. ``starfish``: ``POST /v3/voices/speech`` takes
    it. ``stiff``: its length hardly follows the asked speed.
    """
    return {key: SandboxVoice(**row) for key, row in _table("voices").items()}


def _fits(request: Request, thing: dict[str, Any], *names: str) -> bool:
    """Tell whether a thing is what the request asks for; an empty word is none."""
    words = {name: request.query_params.get(name, "").casefold() for name in names}
    return all(words[name] in ("", thing[name].casefold()) for name in names)


async def list_voices(request: Request) -> Response:
    """Answer ``GET /v3/voices``: public ones unless asked otherwise."""
    asked = request.query_params
    kind, engine = asked.get("type") or "public", asked.get("engine")
    fitting = (
        _voice_view(request, voice)
        for voice in voices().values()
        if voice.type == kind
        and (not engine or (engine == "starfish" and voice.starfish))
        and _fits(request, vars(voice), "language", "gender")
    )
    return JSONResponse(page(request, enumerate(fitting), default=20))


async def get_voice(request: Request) -> Response:
    """Answer ``GET /v3/voices/{id}``, which tells other things than the listing."""
    view = _voice_view(request, found(voices(), request.path_params["id"], "voice"))
    del view["type"], view["support_locale"]
    return data(**view, created_at=None, failure_message=None, status=None)


def _voice_view(request: Request, voice: SandboxVoice) -> dict[str, Any]:
    link = f"{request.base_url}files/voices/{voice.voice_id}.wav"
    told: dict[str, Any] = {name: getattr(voice, name) for name in _SHOWN}
    return told | {"preview_audio_url": link, "support_locale": False}


@cache
def looks() -> dict[str, dict[str, Any]]:
    """Return all looks by id as HeyGen shows them, the account's own first.

    Two things no client is told. ``matting``: whether another background can be put
    behind a photo or a twin (``trained``), is refused (``untrained``), or is paid for
    and not seen (``ignored``). ``captioned``: whether HeyGen ever burns captions in.
    """
    return _table("looks")


async def list_looks(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks``."""
    owner = request.query_params.get("ownership")
    fitting = (
        _look_view(request, look)
        for look in looks().values()
        if owner in (None, "", "private" if look["status"] else "public")
        and _fits(request, look, "avatar_type", "group_id")
    )
    return JSONResponse(page(request, enumerate(fitting), default=20, maximum=50))


async def get_look(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks/{id}``."""
    return data(**_look_view(request, _found(request)))


async def get_picture(request: Request) -> Response:
    """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
    return Response(_picture(_found(request)), media_type="image/jpeg")


def _found(request: Request) -> dict[str, Any]:
    return found(looks(), request.path_params["id"], "avatar")


def _look_view(request: Request, look: dict[str, Any]) -> dict[str, Any]:
    told = look | dict.fromkeys(("error", "preview_video_url"))
    del told["matting"], told["captioned"]
    if not request.app.state.sandbox.state.options.look_engines:
        told["supported_api_engines"] = [*CATALOGUE["engines"]]
    link = f"{request.base_url}files/looks/{look['id']}.jpg"
    return told | {"preview_image_url": link}


def _picture(look: dict[str, Any]) -> bytes:
    """Draw somebody before a wall as a JPEG."""
    dice = random.Random(look["id"])  # noqa: S311 - the same ones everywhere
    wall, clothes = dice.sample(CATALOGUE["walls"], 2)
    skin, hair = dice.choice(CATALOGUE["skins"]), dice.choice(CATALOGUE["hair"])
    width, height = look["image_width"], look["image_height"]
    image, unit = Image.new("RGB", (width, height), wall), min(width, height) / 8
    draw, y = ImageDraw.Draw(image), height - 3.5 * unit
    x = width / 2 + dice.uniform(-1, 1) * unit
    draw.circle((x, y - 0.3 * unit), 1.65 * unit, fill=hair)
    if look["gender"] == "female":  # long hair
        sides = (x - 1.65 * unit, y - 0.3 * unit, x + 1.65 * unit, y + 2 * unit)
        draw.rectangle(sides, fill=hair)
    draw.circle((x, y), 1.45 * unit, fill=skin)
    for side in (-0.55, 0.55):
        draw.circle((x + side * unit, y), 0.14 * unit, fill="black")
    smile = (x - 0.5 * unit, y, x + 0.5 * unit, y + 0.8 * unit)
    draw.arc(smile, 30, 150, fill="black", width=round(unit / 10))
    chest = (x - 2.5 * unit, y + unit, x + 2.5 * unit, y + 6 * unit)
    draw.chord(chest, 180, 360, fill=clothes)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
