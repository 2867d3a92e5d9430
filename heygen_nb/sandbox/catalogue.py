"""The voices and looks of the stand-in, the same ones in every sandbox."""

from __future__ import annotations

import asyncio
import io
import random
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

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
    ("My voice", "English", "en", 8, 161),
    ("My calm voice", "English", "en", 9, 138),
    ("Мой голос", "Russian", "ru", 8, 144),
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
_SKIN = ("#f3cdb2", "#e8b894", "#d39c74", "#b57b55", "#8c5a3c", "#6b432d")
_HAIR = ("#2b2320", "#4a3226", "#7a5230", "#b98b4e", "#93402b", "#8d8a88")
_CLOTHES = ("#2f4b6e", "#7d3c4a", "#3f6b58", "#5b4a7a", "#b0703a", "#37474f")
_WALLS = ("#8fa8c8", "#cfa588", "#86b39b", "#9c90c4", "#c9b26c", "#7fa6b0")
_SHOWN = ("voice_id", "name", "language", "gender", "type")


@dataclass(frozen=True, slots=True)
class Voice:
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


@dataclass(frozen=True, slots=True)
class Look:
    """An avatar's look, as HeyGen shows it; its id is what ``avatar_id`` takes."""

    id: str
    name: str
    group_id: str
    avatar_type: str
    gender: str
    preferred_orientation: str
    supported_api_engines: tuple[str, ...]
    default_voice_id: str
    status: str | None = None

    @property
    def ownership(self) -> str:
        """Return whose it is; only own ones have a status."""
        return "private" if self.status else "public"


@lru_cache
def voices() -> dict[str, Voice]:
    """Return all voices by id: private, then public in the order of the listing."""
    made = [
        replace(
            _voice(language, code, index),
            voice_id=f"voice_own_{number:02}",
            name=name,
            words_per_minute=wpm,
            starfish=name != "My calm voice",
            type="private",
        )
        for number, (name, language, code, index, wpm) in enumerate(_OWN_VOICES, 1)
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


def _voice(language: str, code: str, index: int) -> Voice:
    voice_id = f"voice_{code}_{index + 1:03}"
    dice = random.Random(voice_id)  # noqa: S311 - the same voices everywhere
    gender = ("female", "male")[index % 2]
    name = f"{_name(gender, index // 2)} - {_STYLES[index // 8 % len(_STYLES)]}"
    variant = f"{gender[0]}{dice.randint(1, 4)}"
    sound = (name, dice.randint(128, 186), variant, dice.randint(38, 62), 0.3)
    name, wpm, variant, pitch, pause_s = _NICEST.get(voice_id, sound)
    return Voice(
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
def looks() -> dict[str, Look]:
    """Return all looks by id, the account's own first."""
    own = [
        replace(
            _look(index),
            id=f"look_own_{index + 1:02}",
            name=name,
            group_id="group_own",
            avatar_type="digital_twin",
            default_voice_id="voice_own_01",
            status="processing" if name == _OWN_LOOKS[-1] else "completed",
        )
        for index, name in enumerate(_OWN_LOOKS)
    ]
    public = map(_look, range(_LOOKS - len(own)))
    return {look.id: look for look in (*own, *public)}


def _look(index: int) -> Look:
    person, setting = divmod(index, len(_SETTINGS))
    gender = ("female", "male")[person % 2]
    avatar_type, *engines = _KINDS[person % 3]
    return Look(
        id=f"look_{person + 1:03}_{setting + 1}",
        name=f"{_name(gender, person // 2)}, {_SETTINGS[setting]}",
        group_id=f"group_{person + 1:03}",
        avatar_type=avatar_type,
        gender=gender,
        preferred_orientation=[*_SIZES][setting % 3],
        supported_api_engines=tuple(engines),
        default_voice_id=f"voice_en_{person % 2 + 1:03}",
    )


@lru_cache(maxsize=64)
def look_picture(look_id: str) -> bytes:
    """Draw the look as a JPEG: one face for all looks of a group."""
    look = looks()[look_id]
    face = random.Random(look.group_id)  # noqa: S311 - the same ones everywhere
    skin, hair = face.choice(_SKIN), face.choice(_HAIR)
    width, height = _SIZES[look.preferred_orientation]
    image = Image.new("RGB", (width, height), _WALLS[crc32(look_id.encode()) % 6])
    draw, unit = ImageDraw.Draw(image), min(width, height) / 7.6

    def box(left: float, top: float, right: float, bottom: float) -> list[float]:
        """Place a box given in heads, from the middle of the chin."""
        x, y = width / 2, height - unit * 3.3
        return [x + left * unit, y + top * unit, x + right * unit, y + bottom * unit]

    if look.gender == "female":
        draw.rounded_rectangle(box(-1.62, -3.7, 1.62, 0.9), unit * 1.5, fill=hair)
    draw.rounded_rectangle(
        box(-3.2, 0.55, 3.2, 6), unit * 1.9, fill=face.choice(_CLOTHES)
    )
    draw.rounded_rectangle(box(-0.62, -1, 0.62, 1), unit * 0.6, fill=skin)
    draw.ellipse(box(-1.3, -3.3, 1.3, 0), fill=skin)
    draw.chord(box(-1.42, -3.75, 1.42, -0.6), 195, 345, fill=hair)
    for side in (-0.52, 0.52):
        draw.ellipse(box(side - 0.13, -1.7, side + 0.13, -1.44), fill="#2a2523")
    draw.chord(box(-0.45, -1.2, 0.45, -0.55), 15, 165, fill="#b5524d")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


async def list_voices(request: Request) -> Response:
    """Answer ``GET /v3/voices``: public ones unless asked otherwise."""
    query = request.query_params
    kind = choice(query, "type", "public", "private") or "public"
    engine = query.get("engine", "")
    language, gender = query.get("language", ""), query.get("gender", "")
    views = [
        {name: getattr(voice, name) for name in _SHOWN}
        | {"preview_audio_url": None, "support_pause": True, "support_locale": False}
        for voice in voices().values()
        if voice.type == kind
        and (not engine or (engine == "starfish" and voice.starfish))
        and language.casefold() in ("", voice.language.casefold())
        and gender.casefold() in ("", voice.gender)
    ]
    rows, paging = page(enumerate(views), query, default=20)
    return JSONResponse({"data": rows, **paging})


async def list_looks(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks``."""
    query = request.query_params
    ownership = choice(query, "ownership", "public", "private")
    fitting = [
        look
        for look in looks().values()
        if ownership in (None, look.ownership)
        and query.get("avatar_type", "") in ("", look.avatar_type)
        and query.get("group_id", "") in ("", look.group_id)
    ]
    rows, paging = page(enumerate(fitting), query, default=20, maximum=50)
    return JSONResponse({"data": [_view(look, request) for look in rows], **paging})


async def get_look(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks/{id}``."""
    look = found(looks(), request.path_params["id"], "avatar")
    return data(_view(look, request))


async def get_picture(request: Request) -> Response:
    """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
    look = found(looks(), request.path_params["id"], "avatar")
    drawn = await asyncio.to_thread(look_picture, look.id)
    return Response(drawn, media_type="image/jpeg")


def _view(look: Look, request: Request) -> dict[str, Any]:
    width, height = _SIZES[look.preferred_orientation]
    return asdict(look) | {
        "preview_image_url": f"{request.base_url}files/looks/{look.id}.jpg",
        "preview_video_url": None,
        "image_width": width,
        "image_height": height,
        "tags": [look.name.split(", ")[-1]],
    }
