"""From a draft to the exact request: everything is decided before it is stored."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.drafts import OVERRULES, check_draft, left_out_text, what_is_said
from heygen_nb.drafts.pronounce import PRONOUNCE_NAME, pronounced
from heygen_nb.heygen.wire import (
    AssetSource,
    AvatarVideo,
    Caption,
    ColorBackground,
    Engine,
    ImageBackground,
    ImageScene,
    InlineSource,
    LookReply,
    StudioVideo,
    UrlSource,
    VoiceReply,
    VoiceSettings,
    shape_of,
)
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ledger import NewRender
from heygen_nb.models import NO_AVATAR, Draft, Quote
from heygen_nb.renderer.background import (
    COLOR,
    NOT_UPLOADED,
    Picture,
    foreign,
    identity,
)
from heygen_nb.renderer.resolve import (
    about_captions,
    background_meant,
    choose_engine,
    describe_voice,
    look_meant,
    must_speak_first,
    voice_meant,
)
from heygen_nb.renderer.speech import MAX_CALLS, Audio
from heygen_nb.timing import Estimate, Fit, SpeechModel, Spoken, script_language

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.renderer.account import Account

_MATTED = ("photo_avatar", "digital_twin")  # others show a background by themselves
SIDES_PX = {"720p": 720, "1080p": 1080, "4k": 2160}
_PLAIN_COLOR = "#1b2440"  # background-only video when no background is given
_LEAST_PAD_S = 0.3
_CLOSE = 0.03  # share of the target that nobody notices


@dataclass(frozen=True, slots=True)
class Proposal:
    """What will be sent, what it should cost, and what the user should know.

    ``length`` is that of the whole video, with an 80 % interval. ``picture`` is a
    file that has to be uploaded before ``new`` can be sent. ``instead`` are the quotes
    of the look's other engines and of a film without an avatar.
    """

    new: NewRender
    quote: Quote
    length: Estimate
    voice: str
    avatar: str
    warnings: tuple[str, ...]
    picture: Picture | None = None
    instead: tuple[Quote, ...] = ()

    @property
    def prices(self) -> str:
        """What each engine of the look costs, and no avatar; empty if all is free."""
        quotes = (self.quote, *self.instead) if self.instead else ()
        return " · ".join(
            _("no avatar {amount:.2f}").format(amount=quote.amount)
            if quote.engine == NO_AVATAR
            else f"{quote.engine} {quote.amount:.2f}"
            for quote in quotes
        )


def picture_and_sound(draft: Draft, settings: Settings) -> dict[str, Any]:
    """Return all that changes the video: caption and title do not.

    A background that is a file is read, 32 MB at most.

    Raises:
        ConfigError: There is no such file.
    """
    use_avatar, picture = settings.heygen_use_avatar, settings.heygen_background_url
    usual = type(settings).model_fields
    # only when changed: what was rendered before there were these is not paid again
    tuned = {
        name: value
        for name in ("length_mode", "min_speed", "max_speed", "fit")
        if (value := getattr(settings, name)) != usual[name].default
    }
    if not use_avatar and settings.films_here:
        tuned |= {
            "no_avatar": "local",
            **({} if settings.voice_bars else {"bars": False}),
        }
    script = what_is_said(draft.script).text
    if (said := _pronounced(script, settings)) != script:
        tuned["said"] = said
    return {
        **tuned,
        "script": script,
        "voice": settings.heygen_voice,
        "use_avatar": use_avatar,
        "avatar_id": settings.heygen_avatar_id if use_avatar else "",
        "engine": settings.avatar_engine if use_avatar else "",
        "background_url": picture and identity(picture, settings.home),
        "duration": settings.video_duration,
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        # Ours are put on afterwards: they change nothing that is paid for.
        "captions": settings.captions == "heygen" and not settings.films_here,
    }


def _pronounced(script: str, settings: Settings) -> str:
    if not (settings.home / PRONOUNCE_NAME).exists():
        return script
    return pronounced(script, settings.home, script_language(script))


def finish_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that finish a film; they are no part of the revision."""
    shown = settings.captions == "own"
    if settings.captions == "heygen":  # who cannot burn any into a film made here
        shown = settings.films_here
    wish = {"captions": shown, "loudness": settings.loudness}
    labelled = settings.ai_label in ("metadata", "both")
    return {**wish, "label": True} if labelled else wish


def revision_of(inputs: dict[str, Any]) -> str:
    """Return 16 hex digits that change whenever picture or sound would."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def revisions_of(draft: Draft, inputs: dict[str, Any]) -> tuple[str, ...]:
    """Return the revision, and those that older rules made of the same draft.

    Once the script was sent as it was written, with all that is not said now, captions
    were HeyGen's unless they were off, and films without an avatar HeyGen's too. Who
    bought a film then does not pay again; it is taken as it is.
    """
    of_heygen = {k: v for k, v in inputs.items() if k not in ("no_avatar", "bars")}
    scripts = inputs["script"], draft.script
    captions = dict.fromkeys((inputs["captions"], True))
    made = (
        revision_of({**known, "script": script, "captions": burned_in})
        for known in (inputs, of_heygen)
        for burned_in in captions
        for script in scripts
    )
    return tuple(dict.fromkeys(made))


async def make_plan(
    account: Account,
    draft: Draft,
    settings: Settings,
    *,
    audio: Audio | None = None,
    asset_id: str = "",
) -> Proposal:
    """Decide voice, avatar, speed and body of a draft; nothing is sent for it.

    Args:
        account: Whose voices and avatars there are.
        draft: What is to be spoken.
        settings: Effective settings for this draft.
        audio: The speech that was made for it, in exact mode.
        asset_id: Of the background, if that is a file; without it the body can be
            quoted, not sent.

    Raises:
        DraftError: The script cannot be spoken.
        ConfigError: Voice, avatar, engine or background do not fit.
    """
    check_draft(draft)
    written, left_out = draft, left_out_text(draft.script)
    draft = draft.model_copy(update={"script": what_is_said(draft.script).text})
    said = _pronounced(draft.script, settings)
    here = settings.films_here
    exact = settings.length_mode == "exact" and not here
    cast = await _choose_cast(account, settings, here=here, spoken=audio is not None)
    model = await speech_model(account)
    fit = _fit(said, settings, cast.voice, model)
    length = audio.length if audio else fit.length
    pad_s = 0.0 if cast.look else _pad_s(length.seconds, settings.video_duration)
    paid = length if here else length.later(pad_s)  # silence made here is free
    length = length.later(pad_s)
    quote = account.rates.quote(
        cast.engine,
        paid.seconds,
        longest_s=paid.high_s,
        resolution=settings.resolution,
        look_type=cast.look.avatar_type if cast.look else "",
        speech_s=MAX_CALLS * length.seconds if exact and not audio else 0.0,
    )
    speed = audio.speed if audio else fit.speed
    if here:
        # the voice may have to be asked again, for a better length
        quote = quote.model_copy(update={"at_most": MAX_CALLS * quote.at_most})
        body = _narrated(said, cast.voice.voice_id, speed, settings)
    else:
        voiced = _voiced(said, cast.voice, speed, audio)
        uploaded = (asset_id or NOT_UPLOADED) if cast.picture else ""
        body = _body(voiced, settings, cast, pad_s, uploaded)
    return Proposal(
        new=_new_render(draft, written, settings, cast, body, audio=audio).model_copy(
            update={
                "speed": speed,
                "estimate_s": round(length.seconds, 1),
                "pad_s": pad_s,
                "quoted": quote.amount,
                "reserved_cost": quote.at_most,
                "currency": quote.currency,
            }
        ),
        quote=quote,
        length=length,
        voice=describe_voice(cast.voice),
        avatar=cast.look.name if cast.look else "",
        warnings=(
            *about_captions(draft, settings),
            *filter(None, [left_out]),
            *_warnings(draft, cast.voice, settings.video_duration, fit, pad_s),
            *await _about_look(account, settings, cast),
            *(foreign(cast.picture, settings.home) if cast.picture else ()),
        ),
        picture=cast.picture,
        instead=_instead(account, settings, cast, length.seconds),
    )


async def speech_model(account: Account) -> SpeechModel:
    """Return what this ledger's renders have taught about lengths."""
    backend, facts = account.payer.backend, account.ledger.facts
    newest = await asyncio.to_thread(facts.newest, backend)
    if account.spoken is None or account.spoken[0] != newest:
        rows = await asyncio.to_thread(facts.spoken, backend)
        account.spoken = newest, SpeechModel(Spoken(*row) for row in rows)
    return account.spoken[1]


def _narrated(
    script: str, voice_id: str, speed: float, settings: Settings
) -> dict[str, Any]:
    """Return what is stored of such a film: its speech, and what is shown."""
    return {
        "text": script,
        "voice_id": voice_id,
        "speed": speed,
        "slowest": settings.min_speed,
        "fastest": settings.max_speed,
        "film": {
            "background": settings.heygen_background_url,
            "aspect_ratio": settings.aspect_ratio,
            "short_side_px": SIDES_PX[settings.resolution],
            "bars": settings.voice_bars,
        },
    }


def _instead(
    account: Account, settings: Settings, cast: _Cast, seconds: float
) -> tuple[Quote, ...]:
    """Return what the same script would cost otherwise; nothing where all is free."""
    if cast.look is None or account.sandbox:
        return ()
    kind = {"resolution": settings.resolution, "look_type": cast.look.avatar_type}
    engines = [e for e in cast.look.supported_api_engines if e != cast.engine]
    return tuple(account.rates.compare(engines, seconds, **kind))


def _fit(said: str, settings: Settings, voice: VoiceReply, model: SpeechModel) -> Fit:
    return model.fit(
        said,
        settings.video_duration,
        voice_id=voice.voice_id,
        language=script_language(said),
        slowest=settings.min_speed,
        fastest=settings.max_speed,
    )


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who speaks, what moves and before which file; no look: background only."""

    voice: VoiceReply
    look: LookReply | None
    engine: str
    picture: Picture | None


async def _choose_cast(
    account: Account, settings: Settings, *, here: bool, spoken: bool
) -> _Cast:
    speaks_first = here or settings.length_mode == "exact"
    background = settings.heygen_background_url
    picture = await background_meant(account, background, moving=here)
    voice = await voice_meant(account, settings.heygen_voice, speaks_first=speaks_first)
    if speaks_first and not spoken:
        await must_speak_first(account, voice)
    if here:  # the picture stays on this machine
        return _Cast(voice, None, NO_AVATAR, None)
    if not settings.heygen_use_avatar:
        return _Cast(voice, None, "studio", picture)
    look = await look_meant(account, settings.heygen_avatar_id)
    engine = choose_engine(look, settings.avatar_engine)
    return _Cast(voice, look, engine, picture)


def _voiced(
    said: str, voice: VoiceReply, speed: float, audio: Audio | None
) -> dict[str, Any]:
    if audio:
        by_link = {"audio_url": audio.link}
        return by_link if audio.link else {"audio_asset_id": audio.asset_id}
    return {
        "script": said,
        "voice_id": voice.voice_id,
        "voice_settings": VoiceSettings(speed=speed),
    }


def _new_render(
    draft: Draft,
    written: Draft,
    settings: Settings,
    cast: _Cast,
    body: dict[str, Any],
    *,
    audio: Audio | None,
) -> NewRender:
    inputs = picture_and_sound(draft, settings)
    revision, *earlier = revisions_of(written, inputs)
    own = {name: getattr(draft, name) for name in OVERRULES}
    return NewRender(
        draft_id=draft.id,
        revision=revision,
        earlier=tuple(earlier),
        body=body,
        script=draft.script,
        caption=draft.caption,
        title=draft.title,
        inputs={
            **inputs,
            "draft": own,
            "finish": finish_of(settings),
            "sound": audio.path.name if audio else "",
        },
        voice_id=cast.voice.voice_id,
        voice_name=cast.voice.name,
        language=script_language(draft.script),
        avatar_id=cast.look.id if cast.look else "",
        look_type=cast.look.avatar_type if cast.look else "",
        engine=cast.engine,
        target_s=settings.video_duration,
    )


def _pad_s(spoken_s: float, target_s: float) -> float:
    """Return the silence that brings a video without an avatar to its length."""
    missing_s = round(target_s - spoken_s, 1)
    return missing_s if missing_s >= _LEAST_PAD_S else 0.0


def _warnings(
    draft: Draft, voice: VoiceReply, target_s: float, fit: Fit, pad_s: float
) -> list[str]:
    found = []
    spoken = script_language(draft.script), (voice.language or "").partition(" ")[0]
    if spoken in (("ru", "English"), ("en", "Russian")):
        found.append(
            _("The script and the voice are of two languages: {voice}.").format(
                voice=describe_voice(voice)
            )
        )
    if "<break" in draft.script and not voice.support_pause:
        found.append(
            _("{voice} does not heed <break> pauses.").format(
                voice=describe_voice(voice)
            )
        )
    if abs(fit.length.seconds - target_s) <= _CLOSE * target_s:
        return found
    length = _("{length:.0f} s at this voice, target {target:.0f} s:").format(
        length=fit.length.seconds, target=target_s
    )
    if pad_s:
        words = _("{seconds:.0f} s of silence are added").format(seconds=pad_s)
        found.append(f"{length} {words}")
    elif count := fit.cut_words or fit.add_words:
        words = (
            ngettext("cut about {count} word", "cut about {count} words", count)
            if fit.cut_words
            else ngettext("add about {count} word", "add about {count} words", count)
        )
        found.append(f"{length} {words.format(count=count)}")
    return found


async def _about_look(account: Account, settings: Settings, cast: _Cast) -> list[str]:
    if cast.look is None:
        return []
    found, kind = [], cast.look.avatar_type
    if settings.heygen_background_url:
        keeps, backend = account.ledger.facts.keeps_scene, account.payer.backend
        if await asyncio.to_thread(keeps, backend, cast.look.id):
            text = _(
                "Avatar “{name}” has shown its own background before, and may again."
            )
            found.append(text.format(name=cast.look.name))
    # seen live, September 2026: the newer engines render 1080p and scale it up
    real = cast.engine == "avatar_iii" and kind != "photo_avatar"
    if settings.resolution == "4k" and not real:
        found.append(_("This avatar is rendered at 1080p and scaled up to 4K."))
    return found


def framing(look: LookReply, settings: Settings) -> Literal["cover", "contain"]:
    """Return how a look fills the canvas; always sent, as HeyGen's choice has bars.

    Seen live, August 2026: a landscape look on 9:16 came with bars; a studio look of
    the canvas's shape was cut at the chest.
    """
    if settings.fit != "auto":
        return settings.fit
    width, height = map(int, settings.aspect_ratio.split(":"))
    same = look.shape == shape_of(width, height)
    return "contain" if same and look.avatar_type == "studio_avatar" else "cover"


def _body(
    spoken: dict[str, Any], settings: Settings, cast: _Cast, pad_s: float, asset_id: str
) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        # Without a style it is only a file of subtitles: ours take their times from it.
        "caption": Caption(style="default" if settings.captions == "heygen" else None),
    }
    if cast.look is None:
        picture = _whole_picture(settings, asset_id)
        scenes = [ImageScene(source=picture, **spoken)]
        if pad_s:
            scenes.append(ImageScene(source=picture, duration=pad_s))
        return StudioVideo(scenes=tuple(scenes), **frame).to_dict()
    wished, matted = settings.heygen_background_url, cast.look.avatar_type in _MATTED
    return AvatarVideo(
        avatar_id=cast.look.id,
        engine=Engine(type=cast.engine),
        background=_behind_avatar(settings, asset_id) if wished else None,
        remove_background=True if wished and matted else None,
        fit=framing(cast.look, settings),
        **spoken,
        **frame,
    ).to_dict()


def _behind_avatar(
    settings: Settings, asset_id: str
) -> ColorBackground | ImageBackground | None:
    """Return what a request says to stand behind the avatar.

    Args:
        settings: Effective settings.
        asset_id: Of the picture, if it is a file; else empty.
    """
    value = settings.heygen_background_url
    if asset_id:
        return ImageBackground(asset_id=asset_id)
    if COLOR.fullmatch(value):
        return ColorBackground(value=value)
    return ImageBackground(url=value) if value else None


def _whole_picture(
    settings: Settings, asset_id: str
) -> AssetSource | UrlSource | InlineSource:
    """Return the picture of a video without an avatar; see above.

    v3 has no scene of a plain colour without an avatar: it gets a picture.
    """
    value = settings.heygen_background_url
    if asset_id:
        return AssetSource(asset_id=asset_id)
    if value and not COLOR.fullmatch(value):
        return UrlSource(url=value)
    data = _plain_png(value or _PLAIN_COLOR, settings)
    return InlineSource(media_type="image/png", data=data)


def _plain_png(color: str, settings: Settings) -> str:
    from PIL import Image  # noqa: PLC0415 - 50 ms, only for this kind of video

    wide, high = (int(part) for part in settings.aspect_ratio.split(":"))
    unit = SIDES_PX[settings.resolution] / min(wide, high)
    palette = Image.new("P", (round(wide * unit), round(high * unit)))
    palette.putpalette(bytes.fromhex(color[1:]))
    stream = BytesIO()
    palette.save(stream, "PNG", optimize=True, bits=1)
    return base64.b64encode(stream.getvalue()).decode()
