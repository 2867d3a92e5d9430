"""Exact length: the speech is made first, and that very sound is rendered.

Each call is paid, so its intent is stored before it is sent, its sound is kept here
and as an asset, and a call whose answer was lost is never repeated by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.errors import (
    ApiError,
    DownloadError,
    LimitError,
    OutcomeUnknownError,
    PreviewError,
)
from heygen_nb.files import media_type
from heygen_nb.heygen import SpeechRequest
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import SpeechRow
from heygen_nb.renderer.holding import turn
from heygen_nb.renderer.submit import UNCLEAR
from heygen_nb.timing import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.ledger import Allow, Ledger
    from heygen_nb.models import Payer
    from heygen_nb.money import Rates
    from heygen_nb.renderer.archive import Downloader

MAX_CALLS = 3  # for one draft, whatever its texts were
_NEAR_S = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be said, and how long it is to take.

    Attributes:
        speed: To begin with.
        slowest: Lowest natural speed.
        fastest: Highest natural speed.
        expected_s: At ``speed``; for the money set aside.
    """

    draft_id: str
    script: str
    voice_id: str
    target_s: float
    speed: float
    slowest: float
    fastest: float
    expected_s: float

    def better_than(self, said: SpeechRow) -> float:
        """Return the speed that should bring it to the target."""
        wished = said.speed * (said.duration_s or 0) / self.target_s
        return round(min(self.fastest, max(self.slowest, wished)), 3)

    def off_s(self, said: SpeechRow) -> float:
        """Return the seconds by which a speech misses the target."""
        return abs((said.duration_s or 0) - self.target_s)


@dataclass(frozen=True, slots=True)
class Audio:
    """A speech ready to be rendered; ``path`` is its sound, to be listened to."""

    asset_id: str
    duration_s: float
    speed: float
    path: Path

    @property
    def length(self) -> Estimate:
        """Its length, measured and so without an interval."""
        return Estimate(self.duration_s, self.duration_s, self.duration_s)


class Speaker:
    """Makes speech of a wished length for one account.

    Args:
        account: Who pays.
        client: HeyGen.
        ledger: Where every call is stored first.
        rates: For the money set aside.
        downloader: Fetches the sound.
        folder: Where sounds are kept.
    """

    def __init__(
        self,
        account: Payer,
        client: HeyGenClient,
        ledger: Ledger,
        *,
        rates: Rates,
        downloader: Downloader,
        folder: Path,
    ) -> None:
        self._account = account
        self._client = client
        self._ledger = ledger
        self._rates = rates
        self._downloader = downloader
        self._folder = folder

    async def say(self, wish: Wish, *, allow: Allow, again: bool = False) -> Audio:
        """Return the speech nearest to the target; what was made before is reused.

        Args:
            wish: What, who, how long.
            allow: Gets what today has cost; refuses what is too much.
            again: Pay for another call although an answer was lost.

        Raises:
            OutcomeUnknownError: An answer was lost; it may have been charged.
            LimitError: It would cost too much, or three calls brought nothing.
            TakenOverError: Another process makes this speech right now.
            ApiError: HeyGen refused; nothing was charged.
            DownloadError: It was made and paid, but its sound could not be had.
        """
        key = hashlib.sha256(f"{wish.voice_id}\0{wish.script}".encode()).hexdigest()[
            :40
        ]
        async with turn("speech", self._account, key):
            made = await asyncio.to_thread(
                self._ledger.speech.of_text, self._account, key
            )
            if not again and any(row.state in ("sending", "unknown") for row in made):
                raise _lost(wish.draft_id)
            usable = [
                row
                for row in made
                if row.state == "done"
                and (row.asset_id or self._sound(row).exists())
                and wish.slowest <= row.speed <= wish.fastest
            ]
            said = await self._tune(wish, key, usable, allow, known=len(made))
            return await self._ready(said)

    async def _tune(
        self, wish: Wish, key: str, usable: list[SpeechRow], allow: Allow, *, known: int
    ) -> SpeechRow:
        while True:
            best = min(usable, key=wish.off_s, default=None)
            speed = wish.better_than(best) if best else wish.speed
            heard = speed in {row.speed for row in usable}
            if best and (wish.off_s(best) <= _NEAR_S or heard):
                return best
            said = await self._call(wish, f"{key}:{speed}", speed, allow, known)
            known += 1
            if said is None and best is None:
                raise LimitError(
                    _("{count} speeches were made for this draft, none usable.").format(
                        count=MAX_CALLS
                    ),
                    hint=_("Begin a new draft, or set length_mode to estimate."),
                    charged=False,
                )
            if said is None or (best and wish.off_s(said) >= wish.off_s(best)):
                return best or said  # type: ignore[return-value] # one of them is
            usable.append(said)

    async def _call(
        self, wish: Wish, text_key: str, speed: float, allow: Allow, known: int
    ) -> SpeechRow | None:
        """Make one paid call; None when there were enough of them."""
        seconds = wish.expected_s * wish.speed / speed
        new = SpeechRow(
            draft_id=wish.draft_id,
            text_key=text_key,
            voice_id=wish.voice_id,
            speed=speed,
            reserved_cost=self._rates.speech * seconds,
            currency=self._rates.currency,
        )
        row = await asyncio.to_thread(
            self._ledger.speech.plan,
            self._account,
            new,
            allow=allow,
            max_calls=MAX_CALLS,
            known=known,
        )
        if row is None:
            return None
        body = SpeechRequest(text=wish.script, voice_id=wish.voice_id, speed=speed)
        try:
            reply = await self._client.create_speech(
                body.to_json(), idempotency_key=f"hnb-s-{row.id}-{text_key}"
            )
        except UNCLEAR:
            await self._record(row, state="unknown")
            raise _lost(wish.draft_id) from None
        except ApiError as error:
            await self._record(row, state="rejected", reserved_cost=0.0)
            error.charged = False
            raise
        row = await self._record(
            row,
            state="done",
            duration_s=reply.duration_s,
            cost=round(self._rates.speech * reply.duration_s, 6),
            reserved_cost=0.0,
            words=[word.model_dump() for word in reply.word_timestamps or ()],
        )
        await self._fetch(row, reply.audio_url)
        return row

    async def _fetch(self, row: SpeechRow, url: str) -> None:
        async def link(_fresh: bool) -> str:  # noqa: FBT001 - Downloader's protocol
            return url

        target = self._sound(row)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            await self._downloader.fetch(
                link, target, video_id="", check=lambda path: _mime(path.read_bytes())
            )
        except DownloadError as error:
            raise DownloadError(
                _("The speech was made, but its sound could not be fetched."),
                video_id="",
                hint=_("Try again: another one costs about a hundredth of the video."),
            ) from error

    async def _ready(self, row: SpeechRow) -> Audio:
        """Return the sound as an asset, since HeyGen's link to it expires."""
        path = self._sound(row)
        if not row.asset_id:
            content = await asyncio.to_thread(path.read_bytes)
            name = f"{row.text_key[:12]}.{'wav' if content[:1] == b'R' else 'mp3'}"
            asset = await self._client.upload_asset(name, content, _mime(content))
            row = await self._record(row, asset_id=asset.asset_id)
        return Audio(row.asset_id or "", row.duration_s or 0.0, row.speed, path)

    def _sound(self, row: SpeechRow) -> Path:
        return self._folder / f"{row.text_key.replace(':', '-')}-{row.id}"

    async def _record(self, row: SpeechRow, **fields: object) -> SpeechRow:
        record: Callable[..., SpeechRow] = self._ledger.speech.record
        return await asyncio.to_thread(record, row.id, **fields)


def _mime(content: bytes) -> str:
    kind = media_type(content)
    if kind.startswith("audio/"):
        return kind
    raise PreviewError(_("This is no sound file."))


def _lost(draft_id: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        _("The speech for #{id} may have been paid: HeyGen's answer was lost.").format(
            id=draft_id
        ),
        render_id="",
        hint=_(
            "Render with --again to pay for another one,"
            " or set length_mode to estimate."
        ),
    )
