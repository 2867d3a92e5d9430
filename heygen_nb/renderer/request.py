"""From a draft to the exact request: everything is decided before it is stored."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.drafts import OVERRULES, check_draft, left_out_text, what_is_said
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
from heygen_nb.money import amount_text
from heygen_nb.renderer.background import COLOR, NOT_UPLOADED, Picture, foreign
from heygen_nb.renderer.resolve import (
    Cast,
    about_captions,
    choose_cast,
    describe_voice,
    finish_of,
    picture_and_sound,
    revisions_of,
    words_said,
)
from heygen_nb.renderer.speech import (
    FILM_NEAR_S,
    MAX_CALLS,
    NEAR_S,
    Audio,
    Wish,
    settled,
)
from heygen_nb.timing import Estimate, Fit, SpeechModel, Spoken, script_language

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    ``length`` is that of the whole video, with an 80 % interval. ``wish`` is the speech
    that exact mode makes of it first. ``picture`` is a file that has to be uploaded
    before ``new`` can be sent. ``instead`` are the quotes of the look's other engines
    and of a film without an avatar.
    """

    new: NewRender
    wish: Wish
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
        words = {NO_AVATAR: _("no avatar")}
        return " · ".join(
            f"{words.get(quote.engine, quote.engine)}"
            f" {amount_text(quote.amount, quote.currency)}"
            for quote in quotes
        )


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
    left_out, script = left_out_text(draft.script), what_is_said(draft.script).text
    language, target_s = script_language(script), settings.video_duration
    cast = await choose_cast(account, settings, spoken=audio is not None)
    wish, fit = await _wish(
        account, draft, settings, cast, language=language, audio=audio
    )
    spoken, here = (audio or fit).length, cast.engine == NO_AVATAR
    # what silence brings a video without an avatar to its length
    missing_s = round(target_s - spoken.seconds, 1)
    pad_s = 0.0 if cast.look or missing_s < _LEAST_PAD_S else missing_s
    length = Estimate(*(seconds + pad_s for seconds in spoken))
    first = not audio and (here or settings.length_mode == "exact")
    speaks = first and not await settled(account, wish)
    quote = _quote(account, settings, cast, spoken, length, speaks=speaks)
    new = _new_render(
        draft,
        settings,
        cast,
        audio,
        body=_body(settings, cast, wish, audio, pad_s=pad_s, asset_id=asset_id),
        script=script,
        language=language,
        speed=wish.speed,
        estimate_s=round(length.seconds, 1),
        pad_s=pad_s,
        quoted=quote.amount,
        reserved_cost=quote.at_most,
        currency=quote.currency,
    )
    return Proposal(
        new=new,
        wish=wish,
        quote=quote,
        length=length,
        voice=describe_voice(cast.voice),
        avatar=cast.look.name if cast.look else "",
        warnings=(
            *about_captions(script, settings),
            *filter(None, [left_out]),
            *_about_voice(script, language, cast.voice),
            *_about_length(fit, target_s, pad_s),
            *await _about_look(account, settings, cast),
            *(foreign(cast.picture, settings.home) if cast.picture else ()),
        ),
        picture=cast.picture,
        instead=_instead(account, settings, cast, length.seconds),
    )


async def _wish(
    account: Account,
    draft: Draft,
    settings: Settings,
    cast: Cast,
    *,
    language: str,
    audio: Audio | None,
) -> tuple[Wish, Fit]:
    """Return what is to be said, and how near a script comes to its length."""
    voice_id, target_s = cast.voice.voice_id, settings.video_duration
    slowest, fastest = settings.min_speed, settings.max_speed
    said = words_said(what_is_said(draft.script).text, settings)
    model = await speech_model(account)
    fit = model.fit(
        said,
        target_s,
        voice_id=voice_id,
        language=language,
        slowest=slowest,
        fastest=fastest,
    )
    wish = Wish(
        draft_id=draft.id,
        script=said,
        voice_id=voice_id,
        target_s=target_s,
        speed=(audio or fit).speed,
        slowest=slowest,
        fastest=fastest,
        expected_s=(audio or fit).length.seconds,
        near_s=FILM_NEAR_S if cast.engine == NO_AVATAR else NEAR_S,
    )
    return wish, fit


def _quote(
    account: Account,
    settings: Settings,
    cast: Cast,
    spoken: Estimate,
    length: Estimate,
    *,
    speaks: bool,
) -> Quote:
    """Return the cost; ``speaks`` tells that speech may still be paid for."""
    here = cast.engine == NO_AVATAR
    exact = settings.length_mode == "exact" and not here
    paid = spoken if here else length  # silence made here is free
    quote = account.rates.quote(
        cast.engine,
        paid.seconds,
        longest_s=paid.high_s,
        resolution=settings.resolution,
        look_type=cast.look.avatar_type if cast.look else "",
        speech_s=MAX_CALLS * length.seconds if exact and speaks else 0.0,
    )
    if not here:
        return quote
    # the voice may have to be asked again, for a better length
    most = {"at_most": MAX_CALLS * quote.at_most}
    return quote.model_copy(update=most if speaks else {"amount": 0.0, "at_most": 0.0})


async def speech_model(account: Account) -> SpeechModel:
    """Return what this ledger's renders have taught about lengths."""
    backend, facts = account.payer.backend, account.ledger.facts
    newest = await asyncio.to_thread(facts.newest, backend)
    if account.spoken is None or account.spoken[0] != newest:
        rows = await asyncio.to_thread(facts.spoken, backend)
        account.spoken = newest, SpeechModel(Spoken(*row) for row in rows)
    return account.spoken[1]


def _instead(
    account: Account, settings: Settings, cast: Cast, seconds: float
) -> tuple[Quote, ...]:
    """Return what the same script would cost otherwise; nothing where all is free."""
    if cast.look is None or account.sandbox:
        return ()
    quote, resolution = account.rates.quote, settings.resolution
    others = [e for e in cast.look.supported_api_engines if e != cast.engine]
    kind = cast.look.avatar_type
    return tuple(
        quote(engine, seconds, resolution=resolution, look_type=kind)
        for engine in (*others, NO_AVATAR)
    )


def _new_render(
    draft: Draft, settings: Settings, cast: Cast, audio: Audio | None, **decided: Any
) -> NewRender:
    """Return what is stored; ``decided`` is what depends on the length."""
    inputs = picture_and_sound(draft, settings)
    revision, *earlier = revisions_of(draft, inputs)
    own = {name: getattr(draft, name) for name in OVERRULES}
    sound = audio.path.name if audio else ""
    finish = finish_of(settings)
    return NewRender(
        draft_id=draft.id,
        revision=revision,
        earlier=tuple(earlier),
        caption=draft.caption,
        title=draft.title,
        inputs={**inputs, "draft": own, "finish": finish, "sound": sound},
        voice_id=cast.voice.voice_id,
        voice_name=cast.voice.name,
        avatar_id=cast.look.id if cast.look else "",
        look_type=cast.look.avatar_type if cast.look else "",
        engine=cast.engine,
        target_s=settings.video_duration,
        **decided,
    )


def _about_voice(script: str, language: str, voice: VoiceReply) -> Iterator[str]:
    spoken = language, (voice.language or "").partition(" ")[0]
    if spoken in (("ru", "English"), ("en", "Russian")):
        text = _("The script and the voice are of two languages: {voice}.")
        yield text.format(voice=describe_voice(voice))
    if "<break" in script and not voice.support_pause:
        text = _("{voice} does not heed <break> pauses.")
        yield text.format(voice=describe_voice(voice))


def _about_length(fit: Fit, target_s: float, pad_s: float) -> Iterator[str]:
    if abs(fit.length.seconds - target_s) <= _CLOSE * target_s:
        return
    length = _("{length:.0f} s at this voice, target {target:.0f} s:").format(
        length=fit.length.seconds, target=target_s
    )
    if pad_s:
        words = _("{seconds:.0f} s of silence are added").format(seconds=pad_s)
        yield f"{length} {words}"
    elif count := fit.cut_words or fit.add_words:
        words = (
            ngettext("cut about {count} word", "cut about {count} words", count)
            if fit.cut_words
            else ngettext("add about {count} word", "add about {count} words", count)
        )
        yield f"{length} {words.format(count=count)}"


async def _about_look(account: Account, settings: Settings, cast: Cast) -> list[str]:
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


def _body(
    settings: Settings,
    cast: Cast,
    wish: Wish,
    audio: Audio | None,
    *,
    pad_s: float,
    asset_id: str,
) -> dict[str, Any]:
    """Return what HeyGen is asked for, or what a film made here is made of.

    Args:
        settings: Effective settings.
        cast: Who speaks, and before what.
        wish: What is said.
        audio: In exact mode the speech made of it.
        pad_s: Silence at the end, of a video without an avatar.
        asset_id: Of the background, if that is a file and uploaded.
    """
    if cast.engine == NO_AVATAR:
        return _narrated_body(wish, settings)
    asset_id = (asset_id or NOT_UPLOADED) if cast.picture else ""
    spoken: dict[str, Any] = {
        "script": wish.script,
        "voice_id": wish.voice_id,
        "voice_settings": VoiceSettings(speed=wish.speed),
    }
    if audio:
        by_link = {"audio_url": audio.link}
        spoken = by_link if audio.link else {"audio_asset_id": audio.asset_id}
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


def _narrated_body(wish: Wish, settings: Settings) -> dict[str, Any]:
    """Return what is stored of a film made here: its speech, and what is shown."""
    return {
        "text": wish.script,
        "voice_id": wish.voice_id,
        "speed": wish.speed,
        "slowest": wish.slowest,
        "fastest": wish.fastest,
        "film": {
            "background": settings.heygen_background_url,
            "aspect_ratio": settings.aspect_ratio,
            "short_side_px": SIDES_PX[settings.resolution],
            "bars": settings.voice_bars,
        },
    }


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
    """Return the picture of a video without an avatar; see :func:`_behind_avatar`.

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
