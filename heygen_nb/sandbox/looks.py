"""The stand-in's looks, the same ones in every sandbox, of all three types."""

from __future__ import annotations

import io
import random
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image, ImageDraw
from starlette.responses import Response

from heygen_nb.sandbox.api import choice, data, found, options_of, page
from heygen_nb.sandbox.voices import person_name

if TYPE_CHECKING:
    from starlette.requests import Request

Matting = Literal["trained", "untrained", "ignored"]

_LOOKS = 900
_SETTINGS = ("studio", "office", "sofa", "terrace", "library", "kitchen")
_SIZES = {"portrait": (540, 960), "landscape": (960, 540), "square": (640, 640)}
_ENGINES = ("avatar_iv", "avatar_v", "avatar_iii")
# By type: what one person's looks take, and the next person's. Most studio looks are
# made for avatar_iii only; one that lists nothing takes that one, too.
_TAKEN = {
    "studio_avatar": ("avatar_iii", "avatar_iii", "avatar_iv avatar_iii", ""),
    "photo_avatar": ("avatar_iv avatar_iii", "avatar_iv"),
    "digital_twin": ("avatar_iv avatar_v avatar_iii", "avatar_iv avatar_iii"),
}
_MATTING: tuple[Matting, ...] = ("trained",) * 5 + ("untrained",) * 2 + ("ignored",)
# The account's own: name, type, status, matting.
_OWN: tuple[tuple[str, str, str, Matting], ...] = (
    ("Me at the desk", "digital_twin", "completed", "trained"),
    ("Me outdoors", "digital_twin", "completed", "ignored"),
    ("Me, close-up", "photo_avatar", "completed", "untrained"),
    ("Me on stage", "digital_twin", "processing", "trained"),
    ("Me with a hat", "digital_twin", "pending_consent", "trained"),
)
_COLOURS = ("#f3cdb2", "#d39c74", "#8c5a3c", "#2f4b6e", "#7d3c4a", "#3f6b58", "#8fa8c8")
_SKINS = 3  # the first of them
_HAIR = ("#2b1d14", "#5a3a22", "#b98a4a", "#8e3b1f", "#9aa0a6", "#16161a")
_HIDDEN = ("matting", "captioned")
_OF_A_GROUP = ("gender", "default_voice_id", "preview_image_url", "preview_video_url")


@dataclass(frozen=True, slots=True)
class SandboxLook:
    """A look as HeyGen shows it, and two things no client is told.

    Attributes:
        status: Only own looks have one.
        matting: Whether another background can be put behind a photo or a twin, is
            refused, or is paid for and not seen.
        captioned: Whether HeyGen ever burns captions into its films.
    """

    id: str
    name: str
    group_id: str
    avatar_type: str
    gender: str
    preferred_orientation: str
    image_width: int
    image_height: int
    supported_api_engines: tuple[str, ...]
    default_voice_id: str
    tags: tuple[str, ...]
    status: str | None = None
    matting: Matting = "trained"
    captioned: bool = True

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the engines that really take it."""
        return self.supported_api_engines or ("avatar_iii",)


@lru_cache
def looks(*, narrow: bool) -> dict[str, SandboxLook]:
    """Return all looks by id, the account's own first.

    ``narrow``: Each takes a few engines only.
    """
    made = []
    for index, (name, kind, status, matting) in enumerate(_OWN):
        own: dict[str, Any] = {
            "id": f"look_own_{index + 1:02}",
            "group_id": "group_own",
        }
        own |= {"name": name, "status": status, "default_voice_id": "voice_own_01"}
        look = _look(index, narrow=narrow, kind=kind)
        made.append(replace(look, matting=matting, captioned=True, **own))
    made += [_look(index, narrow=narrow) for index in range(_LOOKS - len(_OWN))]
    return {look.id: look for look in made}


def _look(index: int, *, narrow: bool, kind: str = "") -> SandboxLook:
    person, setting = divmod(index, len(_SETTINGS))
    gender = ("female", "male")[person % 2]
    kind = kind or [*_TAKEN][person % 3]
    engines = _TAKEN[kind][person // 3 % len(_TAKEN[kind])].split()
    shape = [*_SIZES][setting % 3]
    return SandboxLook(
        id=f"look_{person + 1:03}_{setting + 1}",
        name=f"{person_name(gender, person // 2)}, {_SETTINGS[setting]}",
        group_id=f"group_{person + 1:03}",
        avatar_type=kind,
        gender=gender,
        preferred_orientation=shape,
        image_width=_SIZES[shape][0],
        image_height=_SIZES[shape][1],
        supported_api_engines=tuple(engines) if narrow else _ENGINES,
        default_voice_id=f"voice_en_{person % 2 + 1:03}",
        tags=(_SETTINGS[setting],),
        matting=_MATTING[person // 3 % len(_MATTING)],
        captioned=person % 10 != 9,  # noqa: PLR2004 - the last of ten
    )


async def list_looks(request: Request) -> Any:
    """Answer ``GET /v3/avatars/looks``."""
    query = request.query_params
    fitting = [
        _view(look, request)
        for look in _owned(request)
        if query.get("avatar_type", "") in ("", look.avatar_type)
        and query.get("group_id", "") in ("", look.group_id)
    ]
    return page(enumerate(fitting), query, default=20, maximum=50)


async def list_groups(request: Request) -> Any:
    """Answer ``GET /v3/avatars``: each person once."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for look in _owned(request):
        groups.setdefault(look.group_id, []).append(_view(look, request))
    views = [
        {
            "id": group_id,
            "name": found_in[0]["name"].partition(",")[0],
            "looks_count": len(found_in),
            "created_at": 0,
            **{name: found_in[0][name] for name in _OF_A_GROUP},
            **dict.fromkeys(("consent_status", "error", "status")),
        }
        for group_id, found_in in groups.items()
    ]
    return page(enumerate(views), request.query_params, default=20, maximum=50)


async def get_look(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks/{id}``."""
    return data(_view(_found(request), request))


async def get_picture(request: Request) -> Response:
    """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
    return Response(_picture(_found(request)), media_type="image/jpeg")


def _owned(request: Request) -> list[SandboxLook]:
    ownership = choice(request.query_params, "ownership", "public", "private")
    return [
        look
        for look in looks(narrow=options_of(request).look_engines).values()
        if ownership in (None, "private" if look.status else "public")
    ]


def _found(request: Request) -> SandboxLook:
    known = looks(narrow=options_of(request).look_engines)
    return found(known, request.path_params["id"], "avatar")


def _view(look: SandboxLook, request: Request) -> dict[str, Any]:
    told = {name: value for name, value in asdict(look).items() if name not in _HIDDEN}
    link = f"{request.base_url}files/looks/{look.id}.jpg"
    nothing = dict.fromkeys(("error", "preview_video_url"))
    return told | nothing | {"preview_image_url": link}


def _picture(look: SandboxLook) -> bytes:
    """Draw somebody before a wall as a JPEG."""
    dice = random.Random(look.id)  # noqa: S311 - the same ones everywhere
    wall, clothes = dice.sample(_COLOURS[_SKINS:], 2)
    width, height = look.image_width, look.image_height
    image, unit = Image.new("RGB", (width, height), wall), min(width, height) / 8
    draw, x, y = ImageDraw.Draw(image), width / 2, height - 3.5 * unit
    for _frame in range(dice.randrange(4)):  # what hangs on the wall
        left, top = dice.uniform(0, width - 2 * unit), dice.uniform(0, height / 3)
        size = dice.uniform(1, 2) * unit
        draw.rectangle((left, top, left + size, top + size), fill=dice.choice(_HAIR))
    skin, hair = dice.choice(_COLOURS[:_SKINS]), dice.choice(_HAIR)
    draw.circle((x, y - 0.3 * unit), 1.65 * unit, fill=hair)
    if look.gender == "female":  # long hair
        sides = (x - 1.65 * unit, y - 0.3 * unit, x + 1.65 * unit, y + 2 * unit)
        draw.rectangle(sides, fill=hair)
    draw.circle((x, y), 1.45 * unit, fill=skin)
    for side in (-0.55, 0.55):
        draw.circle((x + side * unit, y), 0.14 * unit, fill=_HAIR[-1])
    smile = (x - 0.5 * unit, y, x + 0.5 * unit, y + 0.8 * unit)
    draw.arc(smile, 30, 150, fill=_HAIR[-1], width=round(unit / 10))
    chest = (x - 2.5 * unit, y + unit, x + 2.5 * unit, y + 6 * unit)
    draw.chord(chest, 180, 360, fill=clothes)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
