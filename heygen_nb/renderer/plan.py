"""From a draft to the exact request: everything is decided before it is stored."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from heygen_nb.drafts import check_draft
from heygen_nb.heygen import (
    AvatarVideo,
    Caption,
    ColorBackground,
    Engine,
    ImageBackground,
    ImageScene,
    InlineSource,
    StudioVideo,
    UrlSource,
    VoiceSettings,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import NewRender
from heygen_nb.renderer.resolve import COLOR, choose_engine, describe_voice
from heygen_nb.timing import estimate_s, script_language, speed_for

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.heygen import LookReply, VoiceReply
    from heygen_nb.models import Draft, Quote
    from heygen_nb.money import Rates
    from heygen_nb.renderer.resolve import Resolver

PLAIN_COLOR = "#1b2440"  # background-only video when no background is given
_SIDES = {"720p": 720, "1080p": 1080, "4k": 2160}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, what it should cost, and what the user should know."""

    new: NewRender
    quote: Quote
    voice: str
    avatar: str
    warnings: tuple[str, ...]


def draft_settings(draft: Draft, settings: Settings) -> Settings:
    """Lay what the draft itself says over the settings."""
    own = {
        "heygen_voice": draft.voice,
        "heygen_avatar_id": draft.avatar,
        "video_duration": draft.duration,
    }
    return settings.model_copy(
        update={k: v for k, v in own.items() if v not in (None, "")}
    )


def picture_and_sound(draft: Draft, settings: Settings) -> dict[str, Any]:
    """Return all that changes the video: caption and title do not."""
    use_avatar = settings.heygen_use_avatar
    return {
        "script": draft.script,
        "voice": settings.heygen_voice,
        "use_avatar": use_avatar,
        "avatar_id": settings.heygen_avatar_id if use_avatar else "",
        "engine": settings.avatar_engine if use_avatar else "",
        "background_url": settings.heygen_background_url,
        "duration": settings.video_duration,
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        "captions": settings.captions,
    }


def revision_of(inputs: dict[str, Any]) -> str:
    """Return 16 hex digits that change whenever picture or sound would."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def make_plan(
    draft: Draft, settings: Settings, resolver: Resolver, rates: Rates
) -> Plan:
    """Decide voice, avatar, speed and body of a draft; nothing is sent for it.

    Args:
        draft: What is to be spoken.
        settings: Effective settings, see :func:`draft_settings`.
        resolver: Finds voices and avatars.
        rates: For the quote.

    Raises:
        DraftError: The script cannot be spoken.
        ConfigError: Voice, avatar, engine or background do not fit.
    """
    check_draft(draft)
    await resolver.background(settings.heygen_background_url)
    voice = await resolver.voice(settings.heygen_voice)
    look = None
    if settings.heygen_use_avatar:
        look = await resolver.look(settings.heygen_avatar_id)
    engine = choose_engine(look, settings.avatar_engine) if look else "studio"
    language = script_language(draft.script)
    target_s = settings.video_duration
    speed = speed_for(draft.script, target_s, language)
    length_s = estimate_s(draft.script, language, speed=speed)
    quote = rates.quote(engine, length_s)
    inputs = picture_and_sound(draft, settings)
    spoken = {
        "script": draft.script,
        "voice_id": voice.voice_id,
        "voice_settings": VoiceSettings(speed=speed),
    }
    body = _body(spoken, settings, look, engine)
    new = NewRender(
        draft_id=draft.id,
        revision=revision_of(inputs),
        body=json.loads(body.to_json()),
        script=draft.script,
        caption=draft.caption,
        title=draft.title,
        inputs=inputs,
        voice_id=voice.voice_id,
        voice_name=voice.name,
        language=language,
        avatar_id=look.id if look else "",
        engine=engine,
        speed=speed,
        target_s=target_s,
        estimate_s=round(length_s, 1),
        reserved_cost=quote.amount,
        currency=quote.currency,
    )
    return Plan(
        new=new,
        quote=quote,
        voice=describe_voice(voice),
        avatar=look.name if look else "",
        warnings=tuple(_warnings(language, voice, target_s, length_s)),
    )


def _warnings(
    language: str, voice: VoiceReply, target_s: float, length_s: float
) -> list[str]:
    found = []
    if language == "ru" and (voice.language or "").startswith("English"):
        found.append(
            _("The script is Russian, but the voice is English: {voice}.").format(
                voice=describe_voice(voice)
            )
        )
    if abs(length_s - target_s) > 0.15 * target_s:
        found.append(
            _("About {length:.0f} s at a natural speed; {target:.0f} s asked.").format(
                length=length_s, target=target_s
            )
        )
    return found


def _body(
    spoken: dict[str, Any], settings: Settings, look: LookReply | None, engine: str
) -> AvatarVideo | StudioVideo:
    frame: dict[str, Any] = {
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        "caption": Caption(style="default") if settings.captions else None,
    }
    background = settings.heygen_background_url
    if look is None:
        # v3 has no scene of a plain colour without an avatar: it gets a picture
        scene = ImageScene(source=_picture(background, settings), **spoken)
        return StudioVideo(scenes=(scene,), **frame)
    return AvatarVideo(
        avatar_id=look.id,
        engine=Engine(type=engine),
        background=_background(background),
        **spoken,
        **frame,
    )


def _background(value: str) -> ColorBackground | ImageBackground | None:
    if not value:
        return None
    if COLOR.fullmatch(value):
        return ColorBackground(value=value)
    return ImageBackground(url=value)


def _picture(value: str, settings: Settings) -> UrlSource | InlineSource:
    if value and not COLOR.fullmatch(value):
        return UrlSource(url=value)
    return InlineSource(
        media_type="image/png", data=_plain_png(value or PLAIN_COLOR, settings)
    )


def _plain_png(color: str, settings: Settings) -> str:
    from PIL import Image  # noqa: PLC0415 - 50 ms, only for this kind of video

    wide, high = (int(part) for part in settings.aspect_ratio.split(":"))
    unit = _SIDES[settings.resolution] / min(wide, high)
    palette = Image.new("P", (round(wide * unit), round(high * unit)))
    palette.putpalette(bytes.fromhex(color[1:]))
    stream = BytesIO()
    palette.save(stream, "PNG", optimize=True, bits=1)
    return base64.b64encode(stream.getvalue()).decode()
