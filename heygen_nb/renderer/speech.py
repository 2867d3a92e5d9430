"""Exact length: the speech is made first, and that very sound is rendered.

Each call is paid, so its intent is stored before it is sent, its sound is kept here,
and a call whose answer was lost is never repeated by itself. What is still missing to
the target is stretched here instead of being paid for.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from heygen_nb import errors, preview
from heygen_nb.files import media_type, write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Allow, SpeechRow
from heygen_nb.log import log
from heygen_nb.renderer.account import Account, turn
from heygen_nb.renderer.background import uploaded
from heygen_nb.timing import Estimate

MAX_CALLS = 3  # for one draft, whatever its texts were
NEAR_S = 0.5  # by how much a speech may miss its length unstretched
FILM_NEAR_S = 0.02  # and that of a film made here: a picture or less
ASKED = ("text", "voice_id", "speed", "slowest", "fastest")  # of a wish, kept
_STRETCH = 0.12  # share of its length that a voice can be stretched by unheard


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be said, and how long it is to take.

    Attributes:
        speed: To begin with.
        slowest: Lowest natural speed.
        fastest: Highest natural speed.
        expected_s: At ``speed``; for the money set aside.
        near_s: By how much it may miss the target unstretched.
        each_text: Whether each text of the draft may be tried so often.
    """

    draft_id: str
    text: str
    voice_id: str
    target_s: float
    expected_s: float
    speed: float = 1.0
    slowest: float = 1.0
    fastest: float = 1.0
    near_s: float = NEAR_S
    each_text: bool = False

    @property
    def key(self) -> str:
        """What its text and voice are known by, at any speed."""
        return hashlib.sha256(f"{self.voice_id}\0{self.text}".encode()).hexdigest()[:40]

    def off_s(self, said: SpeechRow) -> float:
        """Return the seconds by which a speech misses the target."""
        return abs((said.duration_s or 0) - self.target_s)

    def within_reach(self, said: SpeechRow) -> bool:
        """Tell whether stretching a speech brings it to the target."""
        missing = self.target_s / (said.duration_s or 1) - 1
        return self.off_s(said) > self.near_s and abs(missing) <= _STRETCH

    def may_take(self, said: SpeechRow) -> bool:
        """Tell whether a speech was made, at a natural speed."""
        return said.state == "done" and self.slowest <= said.speed <= self.fastest

    def chosen(self, said: Sequence[SpeechRow]) -> tuple[SpeechRow | None, float]:
        """Return the best speech, if any, and the speed that would be a nearer one's.

        That is 0 when there is nothing better to be had.
        """
        best = min(said, key=self.off_s, default=None)
        if best is None:
            return None, self.speed
        wished = best.speed * (best.duration_s or 0) / self.target_s
        speed = round(min(self.fastest, max(self.slowest, wished)), 3)
        good = self.off_s(best) <= self.near_s or self.within_reach(best)
        return best, 0 if good or speed in {row.speed for row in said} else speed


@dataclass(frozen=True, slots=True)
class Audio:
    """A speech ready to be rendered; ``path`` is its sound, to be listened to.

    It may have HeyGen's own ``link``, which is good for a while only, or an asset.
    """

    duration_s: float
    speed: float
    path: Path
    asset_id: str = ""
    link: str = field(default="", repr=False)

    @property
    def length(self) -> Estimate:
        """Its length, measured and so without an interval."""
        return Estimate(self.duration_s, self.duration_s, self.duration_s)


async def say(
    account: Account, wish: Wish, *, allow: Allow, again: bool = False
) -> Audio:
    """Return the speech nearest to the target (paid); what was made is reused.

    Args:
        account: Who pays.
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
    async with turn("speech", account.payer, wish.key):
        made = await calls_of(account, wish)
        if not again and any(row.state in ("sending", "unknown") for row in made):
            raise _lost(wish)
        usable = [
            row for row in made if wish.may_take(row) and await _is_there(account, row)
        ]
        said = await _tune(account, wish, usable, allow=allow, known=len(made))
    path, seconds = sound_of(account, said), said.duration_s or 0.0
    if wish.within_reach(said):  # the rest is stretched, for nothing
        path = await asyncio.to_thread(_stretched, path, wish.target_s)
        speed = round(said.speed * seconds / wish.target_s, 3)
        return Audio(wish.target_s, speed, path)
    link = "" if said in made else said.sound_url or ""
    # an asset is of a ledger that kept it beside its speech
    return Audio(seconds, said.speed, path, said.asset_id or "", link)


async def settled(account: Account, wish: Wish) -> bool:
    """Tell whether the speech is here, and no nearer one would be paid for."""
    # a sound that is still to be fetched may be gone: it counts as one to be paid
    here = [
        row
        for row in await calls_of(account, wish)
        if wish.may_take(row) and _is_here(account, row)
    ]
    return not wish.chosen(here)[1]


async def calls_of(account: Account, wish: Wish) -> Sequence[SpeechRow]:
    """Return the calls for a text and its voice, at any speed."""
    calls = account.ledger.speech
    return await asyncio.to_thread(calls.of_text, account.payer, wish.key)


async def _tune(
    account: Account, wish: Wish, usable: list[SpeechRow], *, allow: Allow, known: int
) -> SpeechRow:
    """Make paid calls until one is near enough, or there were enough of them."""
    price_s, calls = account.rates.speech, account.ledger.speech
    plan = partial(
        calls.plan, allow=allow, max_calls=MAX_CALLS, each_text=wish.each_text
    )
    while True:
        best, speed = wish.chosen(usable)
        if best and not speed:
            return best
        new = SpeechRow(
            draft_id=wish.draft_id,
            text_key=f"{wish.key}:{speed}",
            voice_id=wish.voice_id,
            speed=speed,
            reserved_cost=price_s * wish.expected_s * wish.speed / speed,
            currency=account.rates.currency,
        )
        row = await asyncio.to_thread(plan, account.payer, new, known=known)
        known += 1
        said = row and await _sent(account, wish, row)
        if said and (best is None or wish.off_s(said) < wish.off_s(best)):
            usable.append(said)
        elif best:
            return best
        else:
            problem = _("{count} speeches were made for this draft, none usable.")
            hint = _("Begin a new draft, or set length_mode to estimate.")
            raise errors.LimitError(problem, hint=hint, count=MAX_CALLS, charged=False)


async def _sent(account: Account, wish: Wish, row: SpeechRow) -> SpeechRow:
    """Send a call that is stored, and bring its sound here."""
    asked = {"text": wish.text, "voice_id": row.voice_id, "speed": row.speed}
    try:
        reply = await account.client.create_speech(
            json.dumps(asked), idempotency_key=f"hnb-s-{row.id}-{row.text_key}"
        )
    except errors.UNCLEAR:
        await _record(account, row, state="unknown")
        raise _lost(wish) from None
    except errors.ApiError as error:
        await _record(account, row, state="rejected", reserved_cost=0.0)
        error.charged = False
        raise
    cost = round(account.rates.speech * reply.duration_s, 6)
    told = {"duration_s": reply.duration_s, "sound_url": reply.audio_url}
    row = await _record(account, row, state="done", **told, cost=cost, reserved_cost=0)
    if words := reply.word_timestamps:
        heard = [(word.word, word.start, word.end) for word in words]
        await asyncio.to_thread(write_words, sound_of(account, row), heard)
    await _fetch(account, row)
    return row  # which still has the link


async def _is_there(account: Account, row: SpeechRow) -> bool:
    """Tell whether a sound can be used; one that was not heard is fetched now."""
    if row.sound_url and not _is_here(account, row):
        try:
            await _fetch(account, row)
        except errors.DownloadError as error:
            if not error.expired:  # the host may be well again in a minute
                raise
            log.warning("%s", error)
    return _is_here(account, row)


def _is_here(account: Account, row: SpeechRow) -> bool:
    return bool(row.asset_id) or sound_of(account, row).exists()


async def _fetch(account: Account, row: SpeechRow) -> None:
    async def link(_fresh: bool) -> str:  # noqa: FBT001 - Downloader's protocol
        return row.sound_url or ""

    def check(path: Path) -> None:
        if not media_type(path.read_bytes()).startswith("audio/"):
            raise errors.PreviewError(_("This is no sound file."))

    target = sound_of(account, row)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        await account.downloader.fetch(link, target, video_id="", check=check)
    except (errors.DownloadError, OSError) as error:
        problem = _("The speech was made, but its sound could not be fetched.")
        hint = _("Try again: its link is kept and tried first.")
        expired = getattr(error, "expired", False)
        raise errors.DownloadError(problem, hint=hint, expired=expired) from error
    await _record(account, row, sound_url=None)


async def asset_of_sound(account: Account, name: str) -> str:
    """Return the asset of a kept sound, uploaded for free unless it is there."""
    content = await asyncio.to_thread(kept_sound(account, name).read_bytes)
    digest = hashlib.sha256(content).hexdigest()
    return await uploaded(account, digest, name, lambda: content)


def _stretched(path: Path, seconds: float) -> Path:
    target = path.with_name(f"{path.name}-{seconds:g}s")
    if not target.exists():
        sound = preview.read_sound(path)
        write_whole(target, preview.stretched(sound, seconds).to_wav())
        if (words := words_beside(path)).exists():
            by, told = seconds / sound.duration_s, json.loads(words.read_text("utf-8"))
            write_words(target, [(word, s * by, e * by) for word, s, e in told])
    return target


def sound_of(account: Account, row: SpeechRow) -> Path:
    """Return where the sound of a speech is kept."""
    return kept_sound(account, f"{row.text_key.replace(':', '-')}-{row.id}")


def kept_sound(account: Account, name: str) -> Path:
    """Return where a sound of that name is kept."""
    return account.videos / "speech" / name


def write_words(sound: Path, words: Iterable[tuple[str, float, float]]) -> None:
    """Keep the times at which the words of a sound begin and end."""
    write_whole(words_beside(sound), json.dumps(list(words), ensure_ascii=False))


def words_beside(sound: Path) -> Path:
    """Return where HeyGen's times of the words in a sound are kept."""
    return sound.with_name(f"{sound.name}.words.json")


async def _record(account: Account, row: SpeechRow, **fields: Any) -> SpeechRow:
    return await asyncio.to_thread(account.ledger.speech.record, row.id, **fields)


def _lost(wish: Wish) -> errors.OutcomeUnknownError:
    problem = _("The speech for #{id} may have been paid: HeyGen's answer was lost.")
    hint = _(
        "Render with --again to pay for another one, or set length_mode to estimate."
    )
    return errors.OutcomeUnknownError(
        problem, hint=hint, id=wish.draft_id, render_id=""
    )
