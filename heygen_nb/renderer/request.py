"""From a draft to the exact request: everything is decided before it is stored."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from itertools import starmap
from typing import Any, Literal

from heygen_nb.config import Settings
from heygen_nb.drafts import OVERRULES, check_draft, left_out_text
from heygen_nb.heygen import wire
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.ledger import RenderRow
from heygen_nb.models import NO_AVATAR, SCRIPT_LANGUAGES, Draft, Quote
from heygen_nb.money import amount_text
from heygen_nb.renderer import resolve, speech
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.background import COLOR, NOT_UPLOADED
from heygen_nb.timing import Estimate, Fit, SpeechModel, Spoken, script_language

_MATTED = ("photo_avatar", "digital_twin")  # others show a background by themselves
SIDES_PX = {"720p": 720, "1080p": 1080, "4k": 2160}
_PLAIN_COLOR = "#1b2440"  # background-only video when no background is given
_LEAST_PAD_S = 0.3
_CLOSE = 0.03  # share of the target that nobody notices


@dataclass(kw_only=True)
class Proposal:
    """What will be sent for a draft, what it should cost, and what a user should know.

    Attributes:
        inputs: All that changes the video.
        language: Of the script.
        fit: How near the script comes to its length.
        wish: The speech that is made of it, in exact mode beforehand.
        audio: The speech, once it is made.
        asset_id: Of the background, if that is a file; without it the body can be
            quoted, not sent.
        quote: The cost.
        others: That by the look's other engines, and without an avatar.
    """

    draft: Draft
    settings: Settings
    inputs: dict[str, Any]
    language: str
    cast: resolve.Cast
    voice: str
    avatar: str
    fit: Fit
    wish: speech.Wish
    audio: speech.Audio | None = None
    asset_id: str = ""
    quote: Quote = field(init=False)
    others: list[Quote] = field(init=False)
    warnings: list[str] = field(init=False)

    @property
    def pad_s(self) -> float:
        """The silence that brings a video without an avatar to its length."""
        spoken_s = (self.audio or self.fit).length.seconds
        missing_s = round(self.wish.target_s - spoken_s, 1)
        return 0.0 if self.cast.look or missing_s < _LEAST_PAD_S else missing_s

    @property
    def length(self) -> Estimate:
        """The length of the whole video, with an 80 % interval."""
        spoken = (self.audio or self.fit).length
        return Estimate(*(seconds + self.pad_s for seconds in spoken))

    @property
    def prices(self) -> str:
        """What each engine of the look costs, and no avatar; empty if all is free."""
        quotes = (self.quote, *self.others) if self.others else ()
        words = {NO_AVATAR: _("no avatar")}
        return " · ".join(
            f"{words.get(quote.engine, quote.engine)}"
            f" {amount_text(quote.amount, quote.currency)}"
            for quote in quotes
        )

    @property
    def new(self) -> RenderRow:
        """What is stored, and sent."""
        draft, cast, wish = self.draft, self.cast, self.wish
        own = {name: getattr(draft, name) for name in OVERRULES}
        sound = self.audio.path.name if self.audio else ""
        more = {"draft": own, "finish": resolve.finish_of(self.settings)}
        return RenderRow(
            draft_id=draft.id,
            revision=resolve.revision_of(self.inputs),
            body=json.dumps(_body(self)),
            script=self.inputs["script"],
            caption=draft.caption,
            title=draft.title,
            inputs={**self.inputs, **more, "sound": sound},
            voice_id=wish.voice_id,
            voice_name=cast.voice.name,
            language=self.language,
            avatar_id=cast.look.id if cast.look else "",
            look_type=cast.look.avatar_type if cast.look else "",
            engine=cast.engine,
            speed=(self.audio or self.fit).speed,
            target_s=wish.target_s,
            estimate_s=round(self.length.seconds, 1),
            pad_s=self.pad_s,
            quoted=self.quote.amount,
            reserved_cost=self.quote.at_most,
            currency=self.quote.currency,
        )


async def make_plan(account: Account, draft: Draft, settings: Settings) -> Proposal:
    """Decide voice, avatar, speed and body of a draft; nothing is sent for it.

    Raises:
        DraftError: The script cannot be spoken.
        ConfigError: Voice, avatar, engine or background do not fit.
    """
    check_draft(draft)
    inputs = await asyncio.to_thread(resolve.picture_and_sound, draft, settings)
    script, target_s = inputs["script"], settings.video_duration
    said, language = inputs.get("said", script), script_language(script)
    cast = await resolve.choose_cast(account, settings)
    bounds: dict[str, Any] = {
        "voice_id": cast.voice.voice_id,
        "slowest": settings.min_speed,
        "fastest": settings.max_speed,
    }
    fit = await asyncio.to_thread(
        lambda: speech_model(account).fit(said, target_s, language=language, **bounds)
    )
    plan = Proposal(
        draft=draft,
        settings=settings,
        inputs=inputs,
        language=language,
        cast=cast,
        voice=resolve.describe_voice(cast.voice),
        avatar=cast.look.name if cast.look else "",
        fit=fit,
        wish=speech.Wish(
            draft_id=draft.id,
            text=said,
            target_s=target_s,
            speed=fit.speed,
            expected_s=fit.length.seconds,
            near_s=speech.FILM_NEAR_S if cast.engine == NO_AVATAR else speech.NEAR_S,
            **bounds,
        ),
    )
    await set_price(account, plan)
    told = [left_out_text(draft.script), *resolve.about_captions(script, settings)]
    plan.warnings = [*filter(None, told + await _warnings(account, plan))]
    return plan


def speech_model(account: Account) -> SpeechModel:
    """Return what this ledger's renders have taught about lengths; blocks."""
    backend, facts = account.payer.backend, account.ledger.facts
    newest = facts.newest(backend)
    if account.spoken is None or account.spoken[0] != newest:
        account.spoken = newest, SpeechModel(starmap(Spoken, facts.spoken(backend)))
    return account.spoken[1]


async def length_of(account: Account, text: str, **known: Any) -> Estimate:
    """Return how long a text takes; see :meth:`SpeechModel.estimate`."""
    return await asyncio.to_thread(
        lambda: speech_model(account).estimate(text, **known)
    )


async def set_price(account: Account, plan: Proposal) -> None:
    """Note the cost, and that by the look's other engines and without an avatar."""
    cast, length, look = plan.cast, plan.length, plan.cast.look
    quote = partial(
        account.rates.quote,
        resolution=plan.settings.resolution,
        look_type=look.avatar_type if look else "",
    )
    film, exact = cast.engine == NO_AVATAR, plan.settings.length_mode == "exact"
    first = film or (exact and not plan.audio)
    speaks = first and not await speech.settled(account, plan.wish)
    plan.others = []
    if film:
        spoken = plan.fit.length  # silence made here is free
        cost = quote(NO_AVATAR, spoken.seconds, longest_s=spoken.high_s)
        # the voice may have to be asked again, for a better length
        most = {"at_most": speech.MAX_CALLS * cost.at_most}
        free = {"amount": 0.0, "at_most": 0.0}
        plan.quote = cost.model_copy(update=most if speaks else free)
        return
    plan.quote = quote(
        cast.engine,
        length.seconds,
        longest_s=length.high_s,
        speech_s=speech.MAX_CALLS * length.seconds if speaks else 0.0,
    )
    if look and not account.sandbox:  # there all is free
        engines = (*look.supported_api_engines, NO_AVATAR)
        plan.others = [quote(e, length.seconds) for e in engines if e != cast.engine]


def is_foreign(voice: wire.VoiceReply, script: str) -> bool:
    """Tell whether a voice speaks a language of scripts, but not that of this one."""
    spoken = (voice.language or "").partition(" ")[0]
    return spoken != SCRIPT_LANGUAGES[script] and spoken in SCRIPT_LANGUAGES.values()


async def _warnings(account: Account, plan: Proposal) -> list[str]:
    settings, cast, voice = plan.settings, plan.cast, plan.cast.voice
    found = [_about_length(plan.fit, plan.wish.target_s, plan.pad_s)]
    if is_foreign(voice, plan.language):
        text = _("The script and the voice are of two languages: {voice}.")
        found.append(text.format(voice=plan.voice))
    if "<break" in plan.wish.text and not voice.support_pause:
        text = _("{voice} does not heed <break> pauses.")
        found.append(text.format(voice=plan.voice))
    if (look := cast.look) and settings.heygen_background_url:
        keeps, backend = account.ledger.facts.keeps_scene, account.payer.backend
        text = _("Avatar “{name}” has shown its own background before, and may again.")
        kept = await asyncio.to_thread(keeps, backend, look.id)
        found.append(text.format(name=look.name) if kept else "")
    # seen live, September 2026: the newer engines render 1080p and scale it up
    plain = cast.engine == "avatar_iii" and look and look.avatar_type != "photo_avatar"
    if look and settings.resolution == "4k" and not plain:
        found.append(_("This avatar is rendered at 1080p and scaled up to 4K."))
    # a stranger's table may have asked for a file from elsewhere
    home, picture = settings.home.resolve(), cast.picture
    if picture and not picture.path.resolve().is_relative_to(home):
        text = _("A file from outside this folder goes to HeyGen as background: {file}")
        found.append(text.format(file=picture.path))
    return found


def _about_length(fit: Fit, target_s: float, pad_s: float) -> str:
    if abs(fit.length.seconds - target_s) <= _CLOSE * target_s:
        return ""
    length = _("{length:.0f} s at this voice, target {target:.0f} s:").format(
        length=fit.length.seconds, target=target_s
    )
    if pad_s:
        words = _("{seconds:.0f} s of silence are added").format(seconds=pad_s)
        return f"{length} {words}"
    if count := fit.cut_words:
        words = ngettext("cut about {count} word", "cut about {count} words", count)
    elif count := fit.add_words:
        words = ngettext("add about {count} word", "add about {count} words", count)
    else:
        return ""
    return f"{length} {words}"


def _body(plan: Proposal) -> dict[str, Any]:
    """Return what HeyGen is asked for; it refuses a field that it does not know.

    Of a film made here: what its speech is asked for, and what is shown.
    """
    settings, wish, audio, look = plan.settings, plan.wish, plan.audio, plan.cast.look
    value, ratio = settings.heygen_background_url, settings.aspect_ratio
    if plan.cast.engine == NO_AVATAR:
        asked = {name: getattr(wish, name) for name in speech.ASKED}
        side_px, bars = SIDES_PX[settings.resolution], settings.voice_bars
        film = {"background": value, "aspect_ratio": ratio, "short_side_px": side_px}
        return {**asked, "film": {**film, "bars": bars}}
    spoken: dict[str, Any] = {
        "script": wish.text,
        "voice_id": wish.voice_id,
        "voice_settings": {"speed": wish.speed},
    }
    if audio:
        by_link = {"audio_url": audio.link}
        spoken = by_link if audio.link else {"audio_asset_id": audio.asset_id}
    # Without a style it is only a file of subtitles: ours take their times from it.
    style = {"style": "default"} if settings.captions == "heygen" else {}
    frame: dict[str, Any] = {
        "aspect_ratio": ratio,
        "resolution": settings.resolution,
        "caption": {"file_format": "srt", **style},
    }
    kind, picture = "url", value
    if plan.cast.picture:
        kind, picture = "asset_id", plan.asset_id or NOT_UPLOADED
    plain = not plan.cast.picture and COLOR.fullmatch(value)
    if look is None:
        source = {"type": kind, kind: picture}
        if plain or not value:
            source = _still(value, settings)
        scene = {"type": "image", "source": source}
        silence = [{**scene, "duration": plan.pad_s}] if plan.pad_s else []
        return {"type": "studio", "scenes": [{**scene, **spoken}, *silence], **frame}
    if value:
        color = {"type": "color", "value": value}
        frame["background"] = color if plain else {"type": "image", kind: picture}
        if look.avatar_type in _MATTED:
            frame["remove_background"] = True
    engine = {"type": plan.cast.engine}
    shown = {"avatar_id": look.id, "engine": engine, "fit": framing(look, settings)}
    return {"type": "avatar", **shown, **spoken, **frame}


def framing(look: wire.LookReply, settings: Settings) -> Literal["cover", "contain"]:
    """Return how a look fills the canvas; always sent, as HeyGen's choice has bars.

    Seen live, August 2026: a landscape look on 9:16 came with bars; a studio look of
    the canvas's shape was cut at the chest.
    """
    if settings.fit != "auto":
        return settings.fit
    width, height = map(int, settings.aspect_ratio.split(":"))
    same = look.shape == wire.shape_of(width, height)
    return "contain" if same and look.avatar_type == "studio_avatar" else "cover"


def _still(color: str, settings: Settings) -> dict[str, str]:
    """Return the picture of a plain colour: v3 has no such scene without an avatar."""
    from PIL import Image  # noqa: PLC0415 - 50 ms, only for this kind of video

    wide, high = (int(part) for part in settings.aspect_ratio.split(":"))
    unit = SIDES_PX[settings.resolution] / min(wide, high)
    palette = Image.new("P", (round(wide * unit), round(high * unit)))
    palette.putpalette(bytes.fromhex((color or _PLAIN_COLOR)[1:]))
    stream = BytesIO()
    palette.save(stream, "PNG", optimize=True, bits=1)
    data = base64.b64encode(stream.getvalue()).decode()
    return {"type": "base64", "media_type": "image/png", "data": data}
