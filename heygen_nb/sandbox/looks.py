"""The stand-in's looks, the same ones in every sandbox, of all three types."""

from __future__ import annotations

import io
import random
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image, ImageDraw
from starlette.responses import Response

from heygen_nb.sandbox.api import choice, data, found, options_of, page
from heygen_nb.sandbox.voices import CATALOGUE, person_name

if TYPE_CHECKING:
    from starlette.requests import Request

_HIDDEN = ("matting", "captioned")


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
    matting: Literal["trained", "untrained", "ignored"]
    captioned: bool
    status: str | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the engines that really take it; one that lists none takes one."""
        return self.supported_api_engines or ("avatar_iii",)


@lru_cache
def looks(*, narrow: bool) -> dict[str, SandboxLook]:
    """Return all looks by id, the account's own first.

    ``narrow``: Each takes a few engines only.
    """
    own: dict[str, Any] = {"group_id": "group_own", "default_voice_id": "voice_own_01"}
    made = [
        _look(number - 1, narrow, own | row | {"id": f"look_own_{number:02}"})
        for number, row in enumerate(CATALOGUE["own_looks"], 1)
    ]
    public = range(CATALOGUE["looks"] - len(made))
    made += [_look(index, narrow, {}) for index in public]
    return {look.id: look for look in made}


def _look(index: int, narrow: bool, own: dict[str, Any]) -> SandboxLook:  # noqa: FBT001 - private
    person, setting = divmod(index, len(CATALOGUE["places"]))
    place, taken = CATALOGUE["places"][setting], CATALOGUE["engines_taken"]
    gender = ("female", "male")[person % 2]
    kind = own.get("avatar_type") or [*taken][person % 3]
    some = taken[kind][person // 3 % len(taken[kind])]
    shape = [*CATALOGUE["sizes"]][setting % 3]
    usual = {
        "id": f"look_{person + 1:03}_{setting + 1}",
        "name": f"{person_name(gender, person // 2)}, {place}",
        "group_id": f"group_{person + 1:03}",
        "avatar_type": kind,
        "gender": gender,
        "preferred_orientation": shape,
        "image_width": CATALOGUE["sizes"][shape][0],
        "image_height": CATALOGUE["sizes"][shape][1],
        "supported_api_engines": tuple(some if narrow else CATALOGUE["engines"]),
        "default_voice_id": f"voice_en_{person % 2 + 1:03}",
        "tags": (place,),
        "matting": CATALOGUE["matting"][person // 3 % len(CATALOGUE["matting"])],
        "captioned": person % 10 != 9,  # noqa: PLR2004 - the last of ten
    }
    return SandboxLook(**usual | own)


async def list_looks(request: Request) -> Any:
    """Answer ``GET /v3/avatars/looks``."""
    query = request.query_params
    ownership = choice(query, "ownership", "public", "private")
    kind, group = query.get("avatar_type", ""), query.get("group_id", "")
    fitting = (
        look
        for look in _known(request).values()
        if ownership in (None, "private" if look.status else "public")
        and kind in ("", look.avatar_type)
        and group in ("", look.group_id)
    )
    view = partial(_view, request)
    return page(enumerate(fitting), query, view, default=20, maximum=50)


async def get_look(request: Request) -> Response:
    """Answer ``GET /v3/avatars/looks/{id}``."""
    return data(_view(request, _found(request)))


async def get_picture(request: Request) -> Response:
    """Answer ``GET /files/looks/{id}.jpg``; drawn on demand."""
    return Response(_picture(_found(request)), media_type="image/jpeg")


def _known(request: Request) -> dict[str, SandboxLook]:
    return looks(narrow=options_of(request).look_engines)


def _found(request: Request) -> SandboxLook:
    return found(_known(request), request.path_params["id"], "avatar")


def _view(request: Request, look: SandboxLook) -> dict[str, Any]:
    told = {name: value for name, value in asdict(look).items() if name not in _HIDDEN}
    link = f"{request.base_url}files/looks/{look.id}.jpg"
    nothing = dict.fromkeys(("error", "preview_video_url"))
    return told | nothing | {"preview_image_url": link}


def _picture(look: SandboxLook) -> bytes:
    """Draw somebody before a wall as a JPEG."""
    dice = random.Random(look.id)  # noqa: S311 - the same ones everywhere
    wall, clothes = dice.sample(CATALOGUE["walls"], 2)
    skin, hair = dice.choice(CATALOGUE["skins"]), dice.choice(CATALOGUE["hair"])
    width, height = look.image_width, look.image_height
    image, unit = Image.new("RGB", (width, height), wall), min(width, height) / 8
    draw, y = ImageDraw.Draw(image), height - 3.5 * unit
    x = width / 2 + dice.uniform(-1, 1) * unit
    draw.circle((x, y - 0.3 * unit), 1.65 * unit, fill=hair)
    if look.gender == "female":  # long hair
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
