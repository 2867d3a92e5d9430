"""From a valid body to what is rendered, how long it gets and what it costs."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.sandbox.api import Refusal, found, invalid
from heygen_nb.sandbox.bodies import Background, ImageScene, Source, StudioVideo
from heygen_nb.sandbox.catalogue import looks, voices
from heygen_nb.sandbox.rendering import Order, Part, Ratio
from heygen_nb.sandbox.speech import model
from heygen_nb.sandbox.state import Charge, Fact

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.bodies import AvatarVideo, Speech
    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.state import State

# The sandbox's own prices: USD a second of finished video. HeyGen's are not
# published for all of these, so nothing may be learned from them.
RATES = {
    "avatar_iv": 0.05,
    "avatar_v": 0.0667,
    "avatar_iii": 0.02,
    "still": 0.01,
    "speech": 0.000667,
}
_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES: dict[str, Ratio] = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}


def cost(seconds: float, engine: str) -> float:
    """Return the price of so many seconds."""
    return round(seconds * RATES[engine], 6)


def order_of(body: AvatarVideo | StudioVideo, files: Files) -> Order:
    """Return what is to be made; refuse what is missing or does not fit."""
    look: dict[str, Any] | None = None
    background: str | Path | bytes | None
    if isinstance(body, StudioVideo):
        engine, parts, pictures = "still", [], []
        for number, scene in enumerate(body.scenes):
            pictures.append(_picture(scene.source, files, f"scenes.{number}.source"))
            parts.append(_part(scene, files, f"scenes.{number}."))
        background = pictures[0]
    else:
        look, engine = _ready_look(body), body.engine.type
        parts = [_part(body, files, default=look["default_voice_id"])]
        background = _picture(body.background, files, "background")
    shape = _SHAPES[look["preferred_orientation"]] if look else "16:9"
    return Order(
        parts=tuple(parts),
        engine=engine,
        ratio=shape if body.aspect_ratio == "auto" else body.aspect_ratio,
        short_side_px=_SHORT_SIDE[body.resolution],
        background=background,
        # Without a style HeyGen makes the SRT alone; one render cannot do both.
        captions=body.caption is not None,
    )


def _ready_look(body: AvatarVideo) -> dict[str, Any]:
    look = found(looks(), body.avatar_id, "avatar", "avatar_id")
    if look["status"] == "processing":
        message = f"Avatar {body.avatar_id} is still being processed"
        raise Refusal(409, "resource_not_ready", message, param="avatar_id")
    if body.engine.type not in look["supported_api_engines"]:
        able = ", ".join(look["supported_api_engines"])
        raise invalid("engine.type", f"this look supports {able}")
    return look


def _part(
    body: Speech, files: Files, at: str = "", *, default: str | None = None
) -> Part:
    if isinstance(body, ImageScene) and body.duration is not None:
        return Part(body.duration)
    if body.audio_asset_id is not None:
        param = f"{at}audio_asset_id"
        return files.sound(files.asset(body.audio_asset_id, "audio", param))
    if body.audio_url is not None:
        return files.sound(files.linked(body.audio_url, f"{at}audio_url"))
    voice_id = body.voice_id or default
    if voice_id is None:
        raise invalid(f"{at}voice_id", "is required with a script")
    voice = found(voices(), voice_id, "voice", f"{at}voice_id")
    script, speed = body.script or "", body.voice_settings.speed
    return Part(model(voice, script, speed).duration_s, script, voice, speed)


def _picture(
    source: Source | Background | None, files: Files, at: str
) -> str | Path | bytes | None:
    match source:
        case Background(value=str(colour)):
            return colour
        case Source(url=str(url)) | Background(url=str(url)):
            return files.linked(url, f"{at}.url")
        case Source(asset_id=str(asset_id)) | Background(asset_id=str(asset_id)):
            return files.asset(asset_id, "image", f"{at}.asset_id")
        case Source(data=str(text)):
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise invalid(f"{at}.data", "is not base64") from None
    return None


class Wallet:
    """The account's money: accepted jobs reserve it, finished ones take it."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.fact("paid_in", str(state.options.balance))

    @property
    def balance(self) -> float:
        """What is left, reserved money included."""
        return float(self._state.facts["paid_in"].value) - self._taken

    @balance.setter
    def balance(self, balance: float) -> None:
        self._state.put(Fact(id="paid_in", value=str(balance + self._taken)))

    @property
    def _taken(self) -> float:
        return sum(charge.amount for charge in self._state.charges.values())

    def require(self, amount: float) -> None:
        """Check that the money is there, or refuse with 402."""
        jobs = self._state.jobs.values()
        free = self.balance - sum(job.estimate for job in jobs if not job.ended)
        if amount > free:
            unit = self._state.options.currency
            message = f"This needs {amount:.2f} {unit}, {max(free, 0):.2f} is left"
            raise Refusal(402, "insufficient_credit", message)

    def charge(
        self, kind: Literal["video", "speech"], ref: str, amount: float, at: float
    ) -> None:
        """Take the money for something finished."""
        number = str(len(self._state.charges) + 1)
        self._state.put(Charge(id=number, kind=kind, ref=ref, amount=amount, at=at))

    def view(self) -> dict[str, Any]:
        """Return the billing part of ``GET /v3/users/me``."""
        left, options = round(self.balance, 4), self._state.options
        credits_ = {"premium_credits": {"remaining": int(left)}}
        blocks: dict[str, dict[str, Any]] = {
            "wallet": {"remaining_balance": left, "currency": options.currency},
            "subscription": {"plan": "creator", "credits": credits_},
            "usage_based": {"remaining_credits": left, "spending_current_usd": 0.0},
        }
        kind = options.billing_type
        return {"billing_type": kind, kind: blocks[kind]}
