"""Getting one render accepted exactly once, whatever happens to the answers.

The stored body goes out under the stored key, and only here. A refusal settles an
attempt only if no earlier send of it is unanswered; otherwise the video is looked
for by its title, and what cannot be settled is left to a person.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from heygen_nb import errors
from heygen_nb.heygen.refusals import hint_for
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import ENDED_UNPAID, NO_CREDIT, Hold, RenderRow, token_of
from heygen_nb.log import Report, log
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.speech import asset_of_sound

KEY_LIFE = timedelta(hours=20)  # HeyGen keeps a key for 24 h: a wide margin
MAX_REPEATS = 5
MAX_WAIT_S, MAX_WAITS_S = 300.0, 1800.0  # one that the server names, and all of them
SEARCH_PAUSES_S = (0, 10, 30)
NOTHING_MADE = (errors.NotSentError, errors.RateLimitedError)
# What HeyGen refuses for seconds only, and then takes (seen live, 2026).
PASSING_PAUSES_S, YOUNG_ASSET = (5, 15, 30), timedelta(minutes=2)

DELETED = "deleted"  # our code of a video that HeyGen had and has no more
FALLBACK_ENGINE = "avatar_iii"  # the only one that most public looks take
# what HeyGen's refusals of a background and of an engine say (seen live, 2026)
_MATTING = re.compile(r"matting|background.removal|remove_back")
_LINKS = {"asset_id": "url", "audio_asset_id": "audio_url"}
_ENGINE = re.compile(r"engine|does.not.support.avatar")


@dataclass(slots=True)
class Waits:
    """Waits as a server asks for, never for longer than is bearable.

    Attributes:
        account: Its clock.
        report: Told of every wait that the server asked for.
    """

    account: Account
    report: Report
    _waited_s: float = 0.0

    async def wait(self, error: errors.ApiError, usual_s: float) -> bool:
        """Wait for what the server asked for, else the usual time.

        Returns:
            False, at once, if there is no time for that.
        """
        asked_s = error.retry_after_s
        left_s = min(MAX_WAIT_S, MAX_WAITS_S - self._waited_s)
        if isinstance(error, NOTHING_MADE) and (asked_s or 0) > left_s:
            return False
        wait_s = min(usual_s if asked_s is None else asked_s, MAX_WAIT_S)
        self._waited_s += max(wait_s, 1.0)  # nobody is asked for ever
        if asked_s:
            line = _("⏳ HeyGen asks to wait: {seconds} s")
            await self.report("pending", line.format(seconds=round(wait_s)))
        await self.account.clock.sleep(wait_s)
        return True


async def submit(
    account: Account, hold: Hold, row: RenderRow, report: Report
) -> RenderRow:
    """Have a planned render accepted, or find out that it was.

    Raises:
        ApiError: Refused (``charged`` is False), or not settled yet
            (``charged`` is None; a later call goes on).
        OutcomeUnknownError: It cannot be settled by machine.
        TakenOverError: Another process goes on with it.
        LedgerError: A step could not be stored; nothing is sent then.
    """
    try:
        if row.state == "unknown":
            adopted, count = await _adopted(account, hold, row)
            if adopted:
                return adopted
            # HeyGen's keys are not known to count for a batch
            if count or row.batch_key or await _key_is_dead(account, row):
                raise not_known(row)
            # while the key lives, the same request is sent again
            row = await record(account, hold, "reopened", state="planned")
        return await _settle(account, hold, row, report)
    except errors.ApiError as error:
        # whatever failed last: an earlier send may have been accepted
        now = await asyncio.to_thread(account.ledger.render, row.id)
        if now.unanswered:
            error.charged = None
        raise


async def _settle(
    account: Account, hold: Hold, row: RenderRow, report: Report
) -> RenderRow:
    repeats, waits, pauses = 0, Waits(account, report), iter(PASSING_PAUSES_S)
    unclear = row.unanswered
    while row.state == "planned":
        if row.unanswered and await _key_is_dead(account, row):
            return await _search(account, hold, row)
        at = await _server_time(account) or account.clock.now()
        row = await asyncio.to_thread(account.ledger.before_send, hold, at)
        hold.check()  # the laptop may have slept since
        try:
            created = await account.client.create_video(
                row.body, idempotency_key=row.idempotency_key
            )
        except errors.ApiError as error:
            passing = await _may_pass(account, row, error)
            if passing and (pause_s := next(pauses, None)):
                log.warning("#%s: %s", row.draft_id, error)
                await account.clock.sleep(pause_s)
                continue
            if passing and (adopted := (await _adopted(account, hold, row))[0]):
                return adopted
            row = await _after_error(
                account, hold, row, error, earlier_unanswered=unclear
            )
            unclear = row.unanswered
            if row.error_message and not unclear:
                await report("pending", f"⚠️ {row.error_message}")
            repeats += not isinstance(error, errors.RateLimitedError)
            usual_s = min(2.0**repeats, 30)
            if repeats >= MAX_REPEATS or not await waits.wait(error, usual_s):
                if row.unanswered:
                    return await _search(account, hold, row)
                raise
        else:
            row = await accepted(account, hold, created.video_id, "submitted")
    return row


async def _server_time(account: Account, *, ask: bool = False) -> datetime | None:
    """Return the later of HeyGen's clock and ours: a key may die too early only."""
    if ask or account.client.server_time() is None:
        await account.client.me()
    at = account.client.server_time()
    return at and max(at, account.clock.now())


async def _key_is_dead(account: Account, row: RenderRow) -> bool:
    """Tell whether repeating might make a second video.

    The time is read from the server just now: a laptop may have slept since.
    """
    at = await _server_time(account, ask=True)
    if row.first_sent_at is None or at is None:
        return True
    return not timedelta(minutes=-5) < at - row.first_sent_at < KEY_LIFE


async def _after_error(
    account: Account,
    hold: Hold,
    row: RenderRow,
    error: errors.ApiError,
    *,
    earlier_unanswered: bool,
) -> RenderRow:
    """Store what a failed send means; the state says whether to go on."""
    log.warning("#%s: %s", row.draft_id, error)
    # a gateway's 409 may stand for "still in progress"
    gateways = isinstance(error, errors.ConflictError) and error.code is None
    if gateways or isinstance(error, errors.UNCLEAR):
        return row
    nothing_made = isinstance(error, NOTHING_MADE)
    if earlier_unanswered and not nothing_made:
        return await _search(account, hold, row)
    error.charged = None if earlier_unanswered else False
    told = {"error_code": error.code or str(error.status)}
    told["error_message"] = error.message
    new_key = {"idempotency_key": f"{row.token}:{row.sends}"}
    if not earlier_unanswered and (other := await _other_form(account, row, error)):
        other |= {"unanswered": False, **new_key}
        return await record(account, hold, "changed", **other)
    # what is refused for lack of money waits until there is some
    poor = isinstance(error, errors.PaymentRequiredError)
    waits = {**told, **new_key} if poor else {}
    row = await record(account, hold, "refused", unanswered=earlier_unanswered, **waits)
    if poor or isinstance(error, errors.QuotaExceededError):
        raise error
    if not nothing_made:
        told |= {"state": "rejected"}
        row = await record(account, hold, "rejected", reserved_cost=0.0, **told)
        await forget_what_failed(account, row)
        raise error
    return row


async def _may_pass(account: Account, row: RenderRow, error: errors.ApiError) -> bool:
    """Tell a refusal that the same request under the same key may overcome.

    A create was told "not found" although the video was made; a file that was
    uploaded just now is not known for some seconds.
    """
    if isinstance(error, errors.NotFoundError) and error.code == "resource_not_found":
        return not error.param
    if error.code != "asset_not_found":
        return False
    since = account.clock.now() - YOUNG_ASSET
    young = account.ledger.assets.young
    return await asyncio.to_thread(young, row.account, assets_in(row.body), since)


async def _search(account: Account, hold: Hold, row: RenderRow) -> RenderRow:
    """Look for the video by its title; adopt the only one, else ask a person."""
    # a new video may be listed a little late
    adopted, count = await _adopted(account, hold, row, SEARCH_PAUSES_S)
    if adopted:
        return adopted
    told = {"state": "unknown", "error_code": f"found_{count}"}
    raise not_known(await record(account, hold, "unknown", **told))


async def _adopted(
    account: Account, hold: Hold, row: RenderRow, pauses_s: Sequence[int] = (0,)
) -> tuple[RenderRow | None, int]:
    """Adopt the only video of a render's title; also tell how many there are."""
    hits: list[str] = []
    for pause_s in pauses_s:
        if not hits:
            await account.clock.sleep(pause_s)
            videos = account.client.list_videos(title=row.token)
            hits = [v.id async for v in videos if token_of(v.title) == row.token]
    if len(hits) != 1:
        return None, len(hits)
    return await accepted(account, hold, hits[0], "adopted"), 1


async def accepted(
    account: Account, hold: Hold, video_id: str, event: str, **more: object
) -> RenderRow:
    """Store that a render is this video; a failure says that it may be paid."""
    fields = {"video_id": video_id, "unanswered": False, "error_code": None, **more}
    try:
        return await record(account, hold, event, state="submitted", **fields)
    except errors.TakenOverError:
        raise
    except errors.LedgerError as error:
        told, problem = _("HeyGen accepted video {id}, but: {problem}"), error.message
        hint = _(
            "Make the ledger usable, then render the same draft again:"
            " it is not paid a second time."
        )
        raise errors.LedgerError(
            told, hint=hint, charged=True, id=video_id, problem=problem
        ) from None


async def record(
    account: Account, hold: Hold, name: str, **fields: object
) -> RenderRow:
    """Store what happened to a render; see :meth:`Ledger.record`."""
    return await asyncio.to_thread(account.ledger.record, hold, name, **fields)  # type: ignore[arg-type] # columns of any type


def not_known(row: RenderRow) -> errors.OutcomeUnknownError:
    """Return the error that asks a person to look."""
    problem = _("Render {id} may have been paid: HeyGen's answer was lost.")
    hint = _(
        "Look among your videos at HeyGen for {token}. If it is there:"
        " heygen-nb resume --adopt {id} VIDEO_ID; if not: resume --again {id}."
    )
    return errors.OutcomeUnknownError(
        problem, hint=hint, render_id=row.id, id=row.id, token=row.token
    )


def reason_of(code: str, message: str | None) -> str:
    """Return why a video was not made: in HeyGen's words, else in ours."""
    ours = {DELETED: _("the video was deleted"), NO_CREDIT: _("the credit is used up")}
    return message or ours.get(code, _("HeyGen does not say why"))


def not_rendered(
    video_id: str, code: str, message: str | None
) -> errors.PaymentRequiredError | errors.RenderFailedError:
    """Return the error of a video that HeyGen took and did not make."""
    reason = reason_of(code, message).rstrip(".")
    if code == NO_CREDIT:
        problem = _("The HeyGen balance or plan is not enough: {detail}.")
        hint = _("Top up the API balance at HeyGen or change the plan, then go on.")
        return errors.PaymentRequiredError(
            problem, hint=hint, code=code, charged=False, detail=reason
        )
    free = _("HeyGen does not charge failed renders. Change the draft or retry.")
    return errors.RenderFailedError(
        _("HeyGen could not render video {id}: {reason}."),
        hint=hint_for(code) or free,
        video_id=video_id,
        code=code or errors.RenderFailedError.code,
        charged=None if code == DELETED else False,
        id=video_id,
        reason=reason,
    )


async def _other_form(
    account: Account, row: RenderRow, error: errors.ApiError
) -> dict[str, Any]:
    """Return the columns of a request that HeyGen may take instead of a refused one.

    A file that HeyGen still does not know is named by its link, a sound whose link
    has expired by its asset. A background cannot be taken away from a look that was
    not trained for matting, and some looks list no engine and take one only: both are
    a 400 (seen live, July to October 2026). Nothing was made of the refused one.
    """
    body, links, columns = json.loads(row.body), account.asset_links, dict[str, Any]()
    told = f"{error.param} {error.message}".casefold()
    refused = isinstance(error, errors.InvalidRequestError)
    sound = row.inputs.get("sound") if error.code == "download_failed" else None
    for part in _parts(body):
        if sound and part.pop("audio_url", None):
            part["audio_asset_id"] = await asset_of_sound(account, sound)
        for name, link in _LINKS.items():
            if error.code == "asset_not_found" and part.get(name) in links:
                part[link] = links.pop(part.pop(name))  # each of them once
                if part.get("type") == name:
                    part["type"] = link
    engine = body.get("engine", {}).get("type", FALLBACK_ENGINE)
    chosen = row.inputs.get("engine") == "auto" and engine != FALLBACK_ENGINE
    if refused and _MATTING.search(told) and body.pop("remove_background", False):
        columns["inputs"] = {**row.inputs, "scene": "own"}
        columns["error_message"] = _("This avatar keeps its own background.")
    elif refused and chosen and _ENGINE.search(told):
        words = _("This avatar does not take {engine}: {other} is used.")
        words = words.format(engine=engine, other=FALLBACK_ENGINE)
        body["engine"]["type"] = columns["engine"] = FALLBACK_ENGINE
        columns["error_message"] = words
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {} if text == row.body else {"body": text, **columns}


async def forget_what_failed(account: Account, row: RenderRow) -> None:
    """Drop what is known of the look and the files of an attempt that ended unpaid.

    The look may have changed since it was told of. Files are uploaded again, which
    is free: so it does not matter that ``resource_not_found`` may be about the voice.
    """
    if row.state not in ENDED_UNPAID:
        return
    if row.avatar_id:
        account.catalogue.used(row.inputs.get("avatar_id", "")).forget()
    if "not_found" in (row.error_code or ""):
        forget = account.ledger.assets.forget
        await asyncio.to_thread(forget, row.account, assets_in(row.body))


def assets_in(body: str) -> set[str]:
    """Return the assets that a stored request shows and plays."""
    parts = _parts(json.loads(body))
    return {part[name] for part in parts for name in _LINKS if name in part}


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what of a request may name a file."""
    scenes = body.get("scenes", [])
    sources = [scene.get("source") for scene in scenes]
    return [part for part in (body, body.get("background"), *scenes, *sources) if part]
