"""Ordering: the only way to a new render, and so to anything that is paid.

Quote, limits, and the intent that is stored before it is sent; nothing is sent for
a render here but a batch. :mod:`heygen_nb.renderer.advance` does the rest.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from heygen_nb import errors, ledger
from heygen_nb.config import Settings
from heygen_nb.drafts import check_draft
from heygen_nb.i18n import gettext as _
from heygen_nb.log import ProgressCallback, Report, log
from heygen_nb.models import NO_AVATAR, Draft, Quote
from heygen_nb.money import amount_text, check_limits
from heygen_nb.renderer import resolve, settings_for, speech
from heygen_nb.renderer.account import Account, turn
from heygen_nb.renderer.background import changed, uploaded
from heygen_nb.renderer.batch import send_together
from heygen_nb.renderer.request import Proposal, length_of, make_plan, set_price
from heygen_nb.renderer.submit import accepted

YOUNG = timedelta(days=30)  # a ledger that may have replaced a lost one
_MAX_ATTEMPTS = 20


class ToRender(NamedTuple):
    """A draft to order, its effective settings, and who wants to hear of it."""

    draft: Draft
    settings: Settings
    progress: ProgressCallback | None = None


async def order(
    account: Account,
    draft: Draft,
    settings: Settings,
    *,
    again: bool = False,
    send_to: str | None = None,
    progress: ProgressCallback | None = None,
) -> str:
    """Store the intent to render a draft, or find the one that stands.

    Only a person's word leads here: what is ordered is paid. In exact mode its
    speech is made, and paid, at once.

    Args:
        account: Who pays.
        draft: What to render.
        settings: Effective settings for this draft.
        again: Pay for another video of an unchanged draft.
        send_to: Chat it is to be posted to, so that resume can do it.
        progress: Gets the log lines.

    Returns:
        The id of the render, for :func:`heygen_nb.renderer.advance.advance`.

    Raises:
        DraftError: The script cannot be spoken.
        ConfigError: A setting does not fit; nothing was sent.
        LimitError: It costs more than the settings allow.
        ApiError: HeyGen refused; ``charged`` tells whether it may cost.
    """
    report = Report(progress, draft.id)
    if not again and (row := await _standing(account, draft, settings)):
        wished = draft.caption, send_to or row.send_to, resolve.finish_of(settings)
        if wished != (row.caption, row.send_to, row.inputs.get("finish")):
            await asyncio.to_thread(account.ledger.wish, row.id, *wished)
        return row.id
    line = _("🎬 Creating video for script #{id}...")
    await report("pending", line.format(id=draft.id))
    plan, made = await _decide(account, draft, settings, report, again=again)
    if warning := await short_of(account, plan.quote):
        await report("pending", f"⚠️ {warning}")
    new, allow = plan.new, _allow(plan.quote, settings)
    new.send_to = send_to
    stored, _new = await asyncio.to_thread(
        account.ledger.plan, account.payer, new, again=again, allow=allow, **made
    )
    return stored.id


async def order_all(
    account: Account,
    wanted: Sequence[ToRender],
    *,
    again: bool = False,
    send_to: str | None = None,
) -> list[str | errors.HeygenNbError]:
    """Order many drafts; send them together if they are too many to go singly.

    A wrong key or an empty purse stops the rest.

    Returns:
        The id of a render a draft, or what is wrong with it, in their order.
    """
    order_one = partial(order, account, again=again, send_to=send_to)
    stops, places = account.stops, asyncio.Semaphore(account.at_once)

    async def one(wish: ToRender) -> str | errors.HeygenNbError:
        async with places:
            if account.stops != stops and account.stopped_by:
                return account.stopped_by
            try:
                return await order_one(
                    wish.draft, wish.settings, progress=wish.progress
                )
            except errors.HeygenNbError as error:
                if isinstance(error, errors.STOPS_ALL):
                    account.stop(error)
                return error

    ordered = await asyncio.gather(*(one(wish) for wish in wanted))
    render_ids = {item for item in ordered if isinstance(item, str)}
    waiting = await asyncio.to_thread(account.ledger.unsent, list(render_ids))
    if len(waiting) > account.at_once and account.stops == stops:
        try:
            await send_together(account, waiting, Report(wanted[0].progress))
        except errors.STOPS_ALL as error:
            account.stop(error)
            return [error if item in waiting else item for item in ordered]
        except errors.HeygenNbError as error:
            log.warning("%s", error)
    return ordered


async def quote_all(
    account: Account,
    drafts: Sequence[Draft],
    settings: Settings,
    *,
    again: bool = False,
    most: int | None = None,
) -> list[Proposal]:
    """Return what will be used and paid, without the drafts that cost nothing.

    Nothing is stored or sent for it; what is raised is that of :func:`order`.

    Args:
        account: Who pays.
        drafts: To render.
        settings: Without the drafts' own.
        again: Pay for another video of unchanged drafts.
        most: How many are wanted, the first of them; all by default.
    """
    plans: list[Proposal] = []
    for draft in drafts:
        if len(plans) == most:
            break
        chosen = settings_for(draft, settings)
        if again or not await _standing(account, draft, chosen):
            plans.append(await make_plan(account, draft, chosen))
    return plans


async def over_limit(
    account: Account, plans: Sequence[Proposal], settings: Settings
) -> errors.LimitError | None:
    """Return what rendering these would pass; None if it is within all limits."""
    spent_today, currency = account.ledger.facts.spent_today, account.rates.currency
    spent = await asyncio.to_thread(spent_today, account.payer, currency)
    for plan in plans:
        try:
            _allow(plan.quote, settings, calls=speech.MAX_CALLS)(spent)
        except errors.LimitError as error:
            return error
        spent += plan.quote.at_most
    return None


async def short_of(account: Account, quoted: Quote) -> str:
    """Say it when an order is the one that the purse is not enough for any more."""
    balance = await account.balance() if quoted.amount else None
    if balance is None or balance[1] != quoted.currency:
        return ""
    reserved = await asyncio.to_thread(
        account.ledger.facts.reserved, account.payer, quoted.currency
    )
    left = balance[0] - reserved
    if left >= quoted.amount or (reserved and left < 0):  # said before
        return ""
    return _("The balance of {balance} is not enough: {amount} is ordered.").format(
        balance=amount_text(*balance),
        amount=amount_text(reserved + quoted.amount, quoted.currency),
    )


async def heard(account: Account, plan: Proposal) -> Path:
    """Have a draft's speech made (paid, once), before the video is; return the sound.

    The plan is of exact length: :func:`order` renders that sound, and pays no other.

    Raises:
        DownloadError: It lies at HeyGen, and its sound was deleted here.
        HeygenNbError: It could not be made, or would cost too much.
    """
    path = (await _say(account, plan)).path
    if not path.exists():
        text = _("The sound {file} was deleted; the speech itself is not lost.")
        hint = _("Render the draft: what was paid for is used.")
        raise errors.DownloadError(text, hint=hint, file=path.name)
    return path


async def say_phrase(
    account: Account,
    text: str,
    settings: Settings,
    agreed: Callable[[str, float], Awaitable[bool]],
) -> Path | None:
    """Have HeyGen's voice say a phrase (paid, once); return the sound.

    Args:
        account: Who pays.
        text: The phrase.
        settings: With the voice and the limits.
        agreed: Asked before anything is paid, with the voice and the upper end of the
            cost; 0 when that sound is here already.

    Returns:
        The sound; None after a no.

    Raises:
        DraftError: It cannot be said.
        ConfigError: The voice of the settings cannot make speech.
        OutcomeUnknownError: The answer was lost; it may have been charged.
        LimitError: It would cost too much.
        ApiError: HeyGen refused; nothing was charged.
        DownloadError: It was made and paid, but its sound could not be had.
    """
    draft = Draft(script=text)
    check_draft(draft)
    voice = await resolve.voice_meant(account, settings.heygen_voice, speaks_first=True)
    length = await length_of(account, text, voice_id=voice.voice_id)
    wish = speech.Wish(
        draft_id=draft.id,
        text=text,
        voice_id=voice.voice_id,
        target_s=length.seconds,
        expected_s=length.high_s,
        near_s=math.inf,  # any length is the right one
        each_text=True,
    )
    here = await speech.settled(account, wish)
    cost = 0.0 if here else account.rates.speech * length.high_s
    if not await agreed(resolve.describe_voice(voice), cost):
        return None
    allow = partial(check_limits, settings, cost, currency=account.rates.currency)
    try:
        return (await speech.say(account, wish, allow=allow)).path
    except errors.OutcomeUnknownError:
        problem = _("This phrase may have been paid: HeyGen's answer was lost.")
        hint = _("To pay for another speech, spell it a little differently.")
        raise errors.OutcomeUnknownError(problem, hint=hint, render_id="") from None


async def order_again(account: Account, render_id: str, settings: Settings) -> str:
    """Order another attempt at a render that failed, or whose answer was lost.

    Raises:
        LedgerError: The render is still on its way, or it is done.
        LimitError: It costs more than the settings allow.
    """
    row = await asyncio.to_thread(account.ledger.render, render_id, account.payer)
    if row.state not in ("unknown", "failed", "rejected"):
        raise _settled(row)
    seconds, longest_s = row.estimate_s or 0.0, 0.0
    if row.inputs.get("length_mode") != "exact":  # a speech is measured
        spoken = {"voice_id": row.voice_id, "language": row.language}
        length = await length_of(account, row.script, speed=row.speed, **spoken)
        # as far above the estimate as the model may be wrong
        longest_s = seconds + length.high_s - length.seconds
    kind = {"resolution": row.inputs.get("resolution", ""), "look_type": row.look_type}
    quoted = account.rates.quote(row.engine, seconds, longest_s=longest_s, **kind)
    again = row.another(quoted=quoted.amount, reserved_cost=quoted.at_most)
    plan, allow = account.ledger.plan, _allow(quoted, settings)
    row, new = await asyncio.to_thread(
        plan, account.payer, again, again=True, allow=allow
    )
    if not new:
        raise _settled(row)
    return row.id


async def adopt(account: Account, render_id: str, video_id: str) -> None:
    """Say that a video at HeyGen is the one a render had lost.

    Raises:
        LedgerError: The render is settled, or the video is another render's.
        NotFoundError: HeyGen has no such video.
    """
    payer = account.payer
    row = await asyncio.to_thread(account.ledger.render, render_id, payer)
    if not (row.state == "unknown" or (row.state == "planned" and row.unanswered)):
        raise _settled(row)
    owner = await asyncio.to_thread(account.ledger.render_of_video, payer, video_id)
    if owner:
        problem = _("Video {id} belongs to render {render}.")
        raise errors.LedgerError(problem, id=video_id, render=owner.id)
    video = await account.client.get_video(video_id)
    async with account.hold(ledger.RenderRow, row.id) as hold:
        if hold is None:
            raise ledger.taken_over(row.id)
        await accepted(account, hold, video.id, "adopted")


def _settled(row: ledger.RenderRow) -> errors.LedgerError:
    problem = _("Render {id} is {state}: there is nothing to decide.")
    hint = _("Go on with it by heygen-nb resume.")
    return errors.LedgerError(problem, hint=hint, id=row.id, state=row.state)


async def _standing(
    account: Account, draft: Draft, settings: Settings
) -> ledger.RenderRow | None:
    """Return the attempt that must not be paid a second time.

    Raises:
        ConfigError: The background is a file that is not there.
    """
    inputs = await asyncio.to_thread(resolve.picture_and_sound, draft, settings)
    revisions = resolve.revisions_of(draft, inputs)
    find = account.ledger.find
    return await asyncio.to_thread(find, account.payer, draft.id, *revisions)


async def _decide(
    account: Account, draft: Draft, settings: Settings, report: Report, *, again: bool
) -> tuple[Proposal, dict[str, Any]]:
    """Make the plan, and first all that its body needs: picture and speech."""
    try:
        await account.identify()
        async with turn("order", account):  # the first one reads all voices for all
            plan = await make_plan(account, draft, settings)
            revisions = resolve.revisions_of(draft, plan.inputs)
            made = {"earlier": revisions[1:]}
            if plan.cast.engine != NO_AVATAR:  # else it is not made at HeyGen
                made |= await made_before(account, draft.id, revisions)
        if picture := plan.cast.picture:
            file = picture.sha256, picture.path.name, picture.read
            plan.asset_id = await uploaded(account, *file, report)
    except errors.HeygenNbError as error:
        error.charged = False  # nothing that costs was sent yet
        # under another key it may have been
        if isinstance(error, errors.NotAuthorizedError):
            waiting = account.ledger.history.elsewhere
            if await asyncio.to_thread(waiting, account.payer):
                error.charged = None
        raise
    line = _("🎤 Voice: {voice} · avatar: {avatar}")
    if not plan.avatar:
        line = _("🎤 Voice: {voice} · background only")
    await report("pending", line.format(voice=plan.voice, avatar=plan.avatar))
    for warning in plan.warnings:
        await report("pending", f"⚠️ {warning}")
    exact = settings.length_mode == "exact" and not settings.films_here
    if exact and (again or not made.get("made_video_id")):
        line = _("🎙️ Making the speech first, for the exact length...")
        await report("pending", line)
        plan.audio = await _say(account, plan, again=again)
        await set_price(account, plan)
    find = partial(resolve.picture_and_sound, draft, settings)
    if picture and plan.inputs != await asyncio.to_thread(find):
        raise changed(picture.path)
    return plan, made


async def _say(
    account: Account, plan: Proposal, *, again: bool = False
) -> speech.Audio:
    # what was spoken already is among what the day has cost
    allow = _allow(plan.quote, plan.settings, calls=1)
    audio = await speech.say(account, plan.wish, allow=allow, again=again)
    if audio.link or audio.asset_id:
        return audio
    asset_id = await speech.asset_of_sound(account, audio.path.name)
    return replace(audio, asset_id=asset_id)


def _allow(quoted: Quote, settings: Settings, *, calls: int = 0) -> ledger.Allow:
    """Return the question whether the day allows a video, and calls for speech."""
    unspoken = quoted.speech * (1 - calls / speech.MAX_CALLS)
    amount = max(quoted.amount, quoted.at_most) - unspoken
    return partial(check_limits, settings, amount, currency=quoted.currency)


async def made_before(
    account: Account, draft_id: str, revisions: Sequence[str]
) -> dict[str, Any]:
    """Look at HeyGen for what a ledger that is gone may have ordered.

    Titles are derived from the draft on purpose; one listing shows all of them. It
    is no reason to stop when that fails: the key is the same as well.

    Returns:
        The ``made_`` arguments of :meth:`Ledger.plan`, if there is something.
    """
    if account.made_before is None:
        began = await asyncio.to_thread(account.ledger.began, account.payer)
        young = began is None or account.clock.now() - began < YOUNG
        videos = account.client.list_videos(title=ledger.TOKEN_PREFIX)
        try:
            found = {ledger.token_of(v.title): v async for v in videos} if young else {}
        except errors.STOPS_ALL:
            raise
        except errors.ApiError as error:
            log.warning("%s", error)
            return {}
        account.made_before = found
    known = product(revisions, range(_MAX_ATTEMPTS, 0, -1))
    for revision, attempt in known:
        token = ledger.title_token(draft_id, revision, attempt)
        if video := account.made_before.get(token):
            whole = video.id if video.status != "failed" else None
            return {"made_attempt": attempt, "made_video_id": whole}
    return {}
