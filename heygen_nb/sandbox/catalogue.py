"""The voices and looks of the stand-in, the same ones in every sandbox."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Literal

Gender = Literal["female", "male"]
Ownership = Literal["public", "private"]

# 1,200 public voices: 300 English, 120 Russian, 30 of each other language.
_CODES = (
    "English en, Russian ru, German de, French fr, Spanish es, Italian it, "
    "Portuguese pt, Polish pl, Dutch nl, Turkish tr, Ukrainian uk, Czech cs, "
    "Swedish sv, Danish da, Norwegian nb, Finnish fi, Greek el, Romanian ro, "
    "Hungarian hu, Bulgarian bg, Serbian sr, Croatian hr, Arabic ar, Hindi hi, "
    "Indonesian id, Vietnamese vi, Korean ko, Chinese cmn"
)
_LANGUAGES = [(language, code) for language, code in map(str.split, _CODES.split(", "))]
_COUNTS = {"en": 300, "ru": 120}
# The first of a language, chosen by ear: name, gender, words per minute,
# espeak variant, pitch, pause between sentences.
_NICEST: dict[str, tuple[tuple[str, Gender, int, str, int, float], ...]] = {
    "en": (
        ("Clara", "female", 158, "f2", 52, 0.30),
        ("Oliver", "male", 152, "m3", 42, 0.32),
        ("Maya", "female", 166, "f4", 56, 0.26),
        ("Theo", "male", 147, "m7", 46, 0.36),
    ),
    "ru": (
        ("Алиса", "female", 146, "f2", 52, 0.30),
        ("Михаил", "male", 139, "m3", 42, 0.34),
        ("Вера", "female", 151, "f4", 55, 0.27),
        ("Тимур", "male", 143, "m7", 46, 0.32),
    ),
}
_OWN: tuple[tuple[str, str, Gender, int], ...] = (
    ("My voice", "en", "female", 161),
    ("My calm voice", "en", "male", 138),
    ("Мой голос", "ru", "female", 144),
)
_FEMALE = "Ada Bella Dora Elena Freya Grace Hana Iris Jana Katya Lena Mila Nora Olga"
_MALE = "Adam Boris Carl Daniel Emil Felix Georg Hugo Ivan Jonas Karim Leon Marco Noah"
_NAMES: dict[Gender, list[str]] = {"female": _FEMALE.split(), "male": _MALE.split()}
_STYLES = ("Friendly", "Calm", "Newscast", "Bright", "Warm", "Story", "Lively", "Soft")
LOOKS = 900
_OWN_LOOKS = ("Me at the desk", "Me outdoors", "Me, close-up", "Me on stage")
_SETTINGS = ("studio", "office", "sofa", "terrace", "library", "kitchen")
_SHAPES = ("portrait", "landscape", "square")
# What an avatar is, and the engines that take it.
_KINDS = (
    ("studio_avatar", "avatar_iv", "avatar_iii"),
    ("photo_avatar", "avatar_iv"),
    ("digital_twin", "avatar_iv", "avatar_v"),
)


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice; how fast it speaks is nothing a client is told.

    Attributes:
        code: espeak language.
        words_per_minute: At speed 1, before the noise of each text.
        pause_s: Silence between sentences at speed 1.
        starfish: Whether ``/v3/voices/speech`` takes it.
    """

    number: int
    voice_id: str
    name: str
    language: str
    code: str
    gender: Gender
    type: Ownership
    words_per_minute: int
    pitch: int
    variant: str
    pause_s: float
    starfish: bool


@dataclass(frozen=True, slots=True)
class Look:
    """An avatar's look, as HeyGen shows it; its id is what ``avatar_id`` takes.

    ``number``, ``group_name`` and ``ownership`` are not shown.
    """

    number: int
    id: str
    name: str
    group_id: str
    group_name: str
    avatar_type: str
    gender: Gender
    ownership: Ownership
    preferred_orientation: str
    supported_api_engines: tuple[str, ...]
    default_voice_id: str
    status: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of its picture."""
        sizes = {"portrait": (540, 720), "landscape": (960, 540)}
        return sizes.get(self.preferred_orientation, (640, 640))


@lru_cache
def voices() -> dict[str, Voice]:
    """Return all voices by id: private, then public in the order of the listing."""
    made = [_own_voice(*own, number=i) for i, own in enumerate(_OWN)]
    # The nicest of English and Russian lead; then language after language.
    rows = [(*language, i) for language in _LANGUAGES[:2] for i in (0, 1)]
    for language, code in _LANGUAGES:
        indexes = range(2 if code in _NICEST else 0, _COUNTS.get(code, 30))
        rows += [(language, code, i) for i in indexes]
    made += [_public_voice(*row, number=n) for n, row in enumerate(rows, len(made))]
    return {voice.voice_id: voice for voice in made}


def _own_voice(name: str, code: str, gender: Gender, wpm: int, *, number: int) -> Voice:
    language = {"en": "English", "ru": "Russian"}[code]
    like = _public_voice(
        language, code, 10 if gender == "female" else 11, number=number
    )
    return replace(
        like,
        voice_id=f"voice_own_{number + 1:02}",
        name=name,
        type="private",
        words_per_minute=wpm,
        starfish=number != 1,
    )


def _public_voice(language: str, code: str, index: int, *, number: int) -> Voice:
    voice_id = f"voice_{code}_{index + 1:03}"
    dice = random.Random(voice_id)  # noqa: S311 - the same voices everywhere
    gender: Gender = "female" if index % 2 == 0 else "male"
    names = _NAMES[gender]
    name = f"{names[index // 2 % len(names)]} - {_STYLES[index // 8 % len(_STYLES)]}"
    wpm, pitch = dice.randint(128, 186), dice.randint(38, 62)
    variant = f"{gender[0]}{dice.randint(1, 4)}"
    pause_s = dice.uniform(0.15, 0.5)
    if index < len(_NICEST.get(code, ())):
        name, gender, wpm, variant, pitch, pause_s = _NICEST[code][index]
    return Voice(
        number=number,
        voice_id=voice_id,
        name=name,
        language=language,
        code=code,
        gender=gender,
        type="public",
        words_per_minute=wpm,
        pitch=pitch,
        variant=variant,
        pause_s=pause_s,
        starfish=index < 4 or dice.random() < 0.6,  # noqa: PLR2004 - the nicest always
    )


@lru_cache
def looks() -> dict[str, Look]:
    """Return all looks by id, the account's own first."""
    own = [_own_look(i) for i in range(len(_OWN_LOOKS))]
    public = [_public_look(i, number=i + len(own)) for i in range(LOOKS - len(own))]
    return {look.id: look for look in own + public}


def _own_look(index: int) -> Look:
    last = index == len(_OWN_LOOKS) - 1
    return replace(
        _public_look(index, number=index),
        id=f"look_own_{index + 1:02}",
        name=_OWN_LOOKS[index],
        group_id="group_own",
        group_name="Me",
        avatar_type="photo_avatar" if index == 1 else "digital_twin",
        ownership="private",
        default_voice_id="voice_own_01",
        status="processing" if last else "completed",
    )


def _public_look(index: int, *, number: int) -> Look:
    person, setting = divmod(index, len(_SETTINGS))
    gender: Gender = "female" if person % 2 == 0 else "male"
    again, who = divmod(person // 2, len(_NAMES[gender]))
    name = _NAMES[gender][who] + (f" {again + 1}" if again else "")
    avatar_type, *engines = _KINDS[person % 3]
    dice = random.Random(f"look {index}")  # noqa: S311 - the same looks everywhere
    return Look(
        number=number,
        id=f"look_{person + 1:03}_{setting + 1}",
        name=f"{name}, {_SETTINGS[setting]}",
        group_id=f"group_{person + 1:03}",
        group_name=name,
        avatar_type=avatar_type,
        gender=gender,
        ownership="public",
        preferred_orientation=dice.choice(_SHAPES) if setting else _SHAPES[0],
        supported_api_engines=tuple(engines),
        default_voice_id=f"voice_en_{1 if gender == 'female' else 2:03}",
    )


def voice_view(voice: Voice, preview_url: str) -> dict[str, Any]:
    """Return a voice as the listing shows it."""
    return {
        "voice_id": voice.voice_id,
        "name": voice.name,
        "language": voice.language,
        "gender": voice.gender,
        "type": voice.type,
        "preview_audio_url": preview_url,
        "support_pause": True,
        "support_locale": voice.code in ("en", "es", "pt"),
    }


def look_view(look: Look, picture_url: str) -> dict[str, Any]:
    """Return a look as HeyGen shows it."""
    width, height = look.size
    hidden = ("number", "group_name", "ownership")
    shown = {name: v for name, v in asdict(look).items() if name not in hidden}
    picture = {"preview_image_url": picture_url, "preview_video_url": None}
    size = {"image_width": width, "image_height": height}
    return {**shown, **picture, **size, "tags": [look.name.split(", ")[-1]]}


def group_views(ownership: Ownership | None, link: Any) -> list[dict[str, Any]]:
    """Return the avatars (groups of looks), own ones first."""
    groups: dict[str, list[Look]] = {}
    for look in looks().values():
        if ownership in (None, look.ownership):
            groups.setdefault(look.group_id, []).append(look)
    return [
        {
            "id": group_id,
            "name": members[0].group_name,
            "created_at": 1_760_000_000 + members[0].number,
            "looks_count": len(members),
            "gender": members[0].gender,
            "default_voice_id": members[0].default_voice_id,
            "preview_image_url": link(members[0]),
            "preview_video_url": None,
            "status": members[0].status,
        }
        for group_id, members in groups.items()
    ]
