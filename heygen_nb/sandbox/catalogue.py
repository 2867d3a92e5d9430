"""The voices and looks of the stand-in, the same ones in every sandbox."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image, ImageDraw
from starlette.responses import JSONResponse, Response

from heygen_nb.sandbox.api import choice, data, found, page

if TYPE_CHECKING:
    from starlette.requests import Request

# 1,200 public voices: 300 English, 120 Russian, 30 of each other language.
_CODES = (
    "English en, Russian ru, German de, French fr, Spanish es, Italian it, "
    "Portuguese pt, Polish pl, Dutch nl, Turkish tr, Ukrainian uk, Czech cs, "
    "Swedish sv, Danish da, Norwegian nb, Finnish fi, Greek el, Romanian ro, "
    "Hungarian hu, Bulgarian bg, Serbian sr, Croatian hr, Arabic ar, Hindi hi, "
    "Indonesian id, Vietnamese vi, Korean ko, Chinese cmn"
)
_COUNTS = {"en": 300, "ru": 120}
# Chosen by ear: name, words per minute, espeak variant, pitch, pause.
_NICEST: dict[str, tuple[str, int, str, int, float]] = {
    "voice_en_001": ("Clara", 158, "f2", 52, 0.30),
    "voice_en_002": ("Oliver", 152, "m3", 42, 0.32),
    "voice_en_003": ("Maya", 166, "f4", 56, 0.26),
    "voice_en_004": ("Theo", 147, "m7", 46, 0.36),
    "voice_ru_001": ("Алиса", 146, "f2", 52, 0.30),
    "voice_ru_002": ("Михаил", 139, "m3", 42, 0.34),
    "voice_ru_003": ("Вера", 151, "f4", 55, 0.27),
    "voice_ru_004": ("Тимур", 143, "m7", 46, 0.32),
}
_OWN_VOICES = (
    ("My voice", "English", "en", 8),
    ("My calm voice", "English", "en", 13),
    ("Мой голос", "Russian", "ru", 8),
)
_NAMES = {
    "female": "Ada Bella Dora Elena Freya Grace Hana Iris Jana Katya Lena Mila",
    "male": "Adam Boris Carl Daniel Emil Felix Georg Hugo Ivan Jonas Leon Marco",
}
_STYLES = ("Friendly", "Calm", "Newscast", "Bright", "Warm", "Story", "Lively", "Soft")
_LOOKS = 900
_OWN_LOOKS = ("Me at the desk", "Me outdoors", "Me, close-up", "Me on stage")
_SETTINGS = ("studio", "office", "sofa", "terrace", "library", "kitchen")
_SIZES = {"portrait": (540, 720), "landscape": (960, 540), "square": (640, 640)}
# What an avatar is, and the engines that take it.
_KINDS = (
    ("studio_avatar", "avatar_iv", "avatar_iii"),
    ("photo_avatar", "avatar_iv"),
    ("digital_twin", "avatar_iv", "avatar_v"),
)
_COLOURS = ("#f3cdb2", "#d39c74", "#8c5a3c", "#2f4b6e", "#7d3c4a", "#3f6b58", "#8fa8c8")
_SKINS = 3  # the first of them
_HAIR = ("#2b1d14", "#5a3a22", "#b98a4a", "#8e3b1f", "#9aa0a6", "#16161a")
_OF_THE_FIRST = (
    "gender",
    "default_voice_id",
    "preview_image_url",
    "preview_video_url",
)
_SHOWN = ("voice_id", "name", "language", "gender", "type")


@dataclass(frozen=True, slots=True)
class SandboxVoice:
    """A voice; how fast it speaks is nothing a client is told."""

    voice_id: str
    name: str
    language: str
    gender: str
    code: str
    words_per_minute: int
    variant: str
    pitch: int
    pause_s: float
    starfish: bool
    type: Literal["public", "private"] = "public"


@lru_cache
def voices() -> dict[str, SandboxVoice]:
    """Return all voices by id: private, then public in the order of the listing."""
    made = [
        replace(
            _voice(language, code, index),
            voice_id=f"voice_own_{number:02}",
            name=name,
            type="private",
        )
        for number, (name, language, code, index) in enumerate(_OWN_VOICES, 1)
    ]
    rows = [
        (language, code, index)
        for language, code in map(str.split, _CODES.split(", "))
        for index in range(_COUNTS.get(code, 30))
    ]
    # Two nice ones of both languages of the product lead.
    rows.sort(key=lambda row: row[1] not in _COUNTS or row[2] > 1)
    made += [_voice(*row) for row in rows]
    return {voice.voice_id: voice for voice in made}


def _voice(language: str, code: str, index: int) -> SandboxVoice:
    voice_id = f"voice_{code}_{index + 1:03}"
    dice = random.Random(voice_id)  # noqa: S311 - the same voices everywhere
    gender = ("female", "male")[index % 2]
    name = f"{_name(gender, index // 2)} - {_STYLES[index // 8 % len(_STYLES)]}"
    variant = f"{gender[0]}{dice.randint(1, 4)}"
    sound = (name, dice.randint(128, 186), variant, dice.randint(38, 62), 0.3)
    name, wpm, variant, pitch, pause_s = _NICEST.get(voice_id, sound)
    return SandboxVoice(
        voice_id=voice_id,
        name=name,
        language=language,
        gender=gender,
        code=code,
        words_per_minute=wpm,
        variant=variant,
        pitch=pitch,
        pause_s=pause_s,
        starfish=index % 8 < 5,  # noqa: PLR2004 - the nicest and some others
    )


def _name(gender: str, number: int) -> str:
    names = _NAMES[gender].split()
    again, who = divmod(number, len(names))
    return names[who] + (f" {again + 1}" if again else "")


@lru_cache
def looks() -> dict[str, dict[str, Any]]:
    """Return all looks by id as HeyGen shows them, the account's own first."""
    own = [
        _look(index)
        | {
            "id": f"look_own_{index + 1:02}",
            "name": name,
            "group_id": "group_own",
            "avatar_type": "digital_twin",
            "default_voice_id": "voice_own_01",
            "status": "processing" if name == _OWN_LOOKS[-1] else "completed",
        }
        for index, name in enumerate(_OWN_LOOKS)
    ]
    public = map(_look, range(_LOOKS - len(own)))
    return {look["id"]: look for look in (*own, *public)}


def _look(index: int) -> dict[str, Any]:
    person, setting = divmod(index, len(_SETTINGS))
    gender = ("female", "male")[person % 2]
    avatar_type, *engines = _KINDS[person % 3]
    shape = [*_SIZES][setting % 3]
    return {
        "id": f"look_{person + 1:03}_{setting + 1}",
        "name": f"{_name(gender, person // 2)}, {_SETTINGS[setting]}",
        "group_id": f"group_{person + 1:03}",
        "avatar_type": avatar_type,
        "gender": gender,
        "preferred_orientation": shape,
        "supported_api_engines": engines,
        "default_voice_id": f"voice_en_{person % 2 + 1:03}",
        "status": None,  # only own ones have one
        "image_width": _SIZES[shape][0],
        "image_height": _SIZES[shape][1],
        "preview_video_url": None,
        "error": None,
        "tags": [_SETTINGS[setting]],
    }


def _picture(look: dict[str, Any]) -> bytes:
    """Draw somebody before a wall as a JPEG."""
    dice = random.Random(look["id"])  # noqa: S311 - the same ones everywhere
    wall, clothes = dice.sample(_COLOURS[_SKINS:], 2)
    width, height = look["image_width"], look["image_height"]
    image, unit = Image.new("RGB", (width, height), wall), min(width, height) / 8
    draw, middle = ImageDraw.Draw(image), width / 2
    for _frame in range(dice.randrange(4)):  # what hangs on the wall
        x, y = dice.uniform(0, width - 2 * unit), dice.uniform(0, height / 3)
        size = dice.uniform(1, 2) * unit
        draw.rectangle((x, y, x + size, y + size), fill=dice.choice(_HAIR))
    _draw_head(
        draw,
        (middle, height - 3.5 * unit),
        unit,
        skin=dice.choice(_COLOURS[:_SKINS]),
        hair=dice.choice(_HAIR),
        long=look["gender"] == "female",
    )
    draw.chord(
        (
            middle - 2.5 * unit,
            height - 2.5 * unit,
            middle + 2.5 * unit,
            height + 2.5 * unit,
        ),
        180,
        360,
        fill=clothes,
    )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def _draw_head(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    unit: float,
    *,
    skin: str,
    hair: str,
    long: bool,
) -> None:
    x, y = at
    draw.circle((x, y - 0.3 * unit), 1.65 * unit, fill=hair)
    if long:
        sides = (x - 1.65 * unit, y - 0.3 * unit, x + 1.65 * unit, y + 2 * unit)
        draw.rectangle(sides, fill=hair)
    draw.circle((x, y), 1.45 * unit, fill=skin)
    for side in (-0.55, 0.55):
        draw.circle((x + side * unit, y), 0.14 * unit, fill=_HAIR[-1])
    smile = (x - 0.5 * unit, y, x + 0.5 * unit, y + 0.8 * unit)
    draw.arc(smile, 30, 150, fill=_HAIR[-1], width=round(unit / 10))


async def list_voices(request: Request) -> Response:
    """Answer ``GET /v3/voices``: public ones unless asked otherwise."""
    query = request.query_params
    kind = choice(query, "type", "public", "private") or "public"
    engine = query.get("engine", "")
    language, gender = query.get("language", ""), query.get("gender", "")
    views = [
        {name: getattr(voice, name) for name in _SHOWN}
        | {"support_locale": False}
        | _sound(voice, request)
        for voice in voices().values()
        if voice.type == kind
        and (not engine or (engine == "starfish" and voice.starfish))
        and language.casefold() in ("", voice.language.casefold())
        and gender.casefold() in ("", voice.gender)
    ]
    rows, paging = page(enumerate(views), query, default=20)
    return JSONResponse({"data": rows, **paging})


async def get_voice(request: Request) -> Response:
    """Answer ``GET /v3/voices/{id}``, which tells less than the listing."""
    voice = found(voices(), request.path_params["id"], "voice")
    told = {name: getattr(voice, name) for name in _SHOWN if name != "type"}
    nothing = dict.fromkeys(("created_at", "failure_message", "status"))
    return data(told | nothing | _sound(voice, request))


def _sound(voice: SandboxVoice, request: Request) -> dict[str, Any]:
    link = f"{request.base_url}files/voices/{voice.voice_id}.wav"
    return {"preview_audio_url": link, "support_pause": True}


async def list_looks(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks``."""
    query = request.query_params
    ownership = choice(query, "ownership", "public", "private")
    fitting = [
        _view(look, request)
        for look in looks().values()
        if ownership in (None, "private" if look["status"] else "public")
        and query.get("avatar_type", "") in ("", look["avatar_type"])
        and query.get("group_id", "") in ("", look["group_id"])
    ]
    rows, paging = page(enumerate(fitting), query, default=20, maximum=50)
    return JSONResponse({"data": rows, **paging})


async def get_look(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks/{id}``."""
    look = found(looks(), request.path_params["id"], "avatar")
    return data(_view(look, request))


async def list_groups(request: Request) -> Response:
    """Answer ``GET /v3/avatars``: each person with as many looks as there are."""
    ownership = choice(request.query_params, "ownership", "public", "private")
    groups: dict[str, list[dict[str, Any]]] = {}
    for look in looks().values():
        if ownership in (None, "private" if look["status"] else "public"):
            groups.setdefault(look["group_id"], []).append(look)
    views = [
        {
            "id": group_id,
            "name": "Me" if first["status"] else first["name"].partition(",")[0],
            "looks_count": len([first, *others]),
            "created_at": 0,
            **{name: _view(first, request)[name] for name in _OF_THE_FIRST},
            **dict.fromkeys(("consent_status", "error", "status")),
        }
        for group_id, (first, *others) in groups.items()
    ]
    rows, paging = page(enumerate(views), request.query_params, default=20, maximum=50)
    return JSONResponse({"data": rows, **paging})


async def get_picture(request: Request) -> Response:
    """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
    look = found(looks(), request.path_params["id"], "avatar")
    return Response(_picture(look), media_type="image/jpeg")


def _view(look: dict[str, Any], request: Request) -> dict[str, Any]:
    return look | {
        "preview_image_url": f"{request.base_url}files/looks/{look['id']}.jpg"
    }
