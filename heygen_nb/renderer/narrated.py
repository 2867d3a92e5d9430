"""Films without an avatar: HeyGen's speech is bought, the film is made here.

One more kind of order with the same states: it is submitted when its speech is there,
and completed when its film is made. A row's body is what the voice is asked for and,
under ``film``, what is shown; so it can be taken up again under any settings.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from heygen_nb import errors, finishing, preview
from heygen_nb.files import file_stem
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Hold, RenderRow
from heygen_nb.log import Report
from heygen_nb.models import Video
from heygen_nb.renderer import speech
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.archive import keep, video_of
from heygen_nb.renderer.background import background_source
from heygen_nb.renderer.finish import WORDS, in_other_process
from heygen_nb.renderer.submit import Waits, accepted, record
from heygen_nb.renderer.wait import clock_for, status_line
from heygen_nb.timing import RenderTimes

_USUAL_WAIT_S, _LOOK_S = 5.0, 1.0
_USUAL_S = 12.0  # that half a minute of film takes an ordinary laptop


async def ask_for_speech(
    account: Account, hold: Hold, row: RenderRow, report: Report
) -> RenderRow:
    """Have the speech of a film made (paid, once); what was made is used again.

    Raises:
        OutcomeUnknownError: An answer was lost; a person has to decide.
        ApiError: HeyGen refused; nothing was charged.
        LimitError: Three speeches of this text were not usable.
    """
    body = json.loads(row.body)
    wish = speech.Wish(
        draft_id=row.draft_id,
        target_s=row.target_s or 0.0,
        expected_s=(row.estimate_s or 0.0) - row.pad_s,
        near_s=speech.FILM_NEAR_S,
        each_text=True,
        **{name: body[name] for name in speech.ASKED},
    )
    # Only a person orders another attempt; that one may pay although an answer of
    # an earlier one was lost, but not twice.
    again = row.attempt > 1 and row.state == "planned" and not row.unanswered
    await record(account, hold, "asked", unanswered=True)
    hold.check()
    try:
        said = await _said(account, wish, Waits(account, report), again=again)
    except errors.OutcomeUnknownError as error:
        if row.state != "unknown":
            await record(account, hold, "unknown", state="unknown", error_code="lost")
        hint = _("To pay for another speech: heygen-nb resume --again {id}.")
        raise errors.OutcomeUnknownError(
            error.message, hint=hint.format(id=row.id), render_id=row.id
        ) from None
    except errors.ApiError as error:
        fields: dict[str, Any] = {}
        if isinstance(error, errors.InvalidRequestError):
            fields = {"state": "rejected", "reserved_cost": 0.0}
        if fields or isinstance(error, errors.PaymentRequiredError):
            fields |= {"error_code": error.code, "error_message": error.message}
        await record(account, hold, "refused", unanswered=False, **fields)
        raise
    calls = await speech.calls_of(account, wish)
    # what was bought for an earlier film of these words is not billed again
    cost = sum(call.cost or 0.0 for call in calls if call.created_at >= row.created_at)
    made: dict[str, Any] = {"cost": cost, "reserved_cost": 0.0, "speed": said.speed}
    made["inputs"] = {**row.inputs, "sound": said.path.name}
    return await accepted(account, hold, f"local-{row.id}", "submitted", **made)


async def _said(
    account: Account, wish: speech.Wish, waits: Waits, *, again: bool
) -> speech.Audio:
    while True:
        try:
            # The limits were asked when this was ordered, and its cost set aside.
            return await speech.say(
                account, wish, allow=lambda _spent: None, again=again
            )
        except errors.RateLimitedError as error:
            if not await waits.wait(error, _USUAL_WAIT_S):
                raise


async def make_film(
    account: Account, hold: Hold, row: RenderRow, report: Report
) -> Video:
    """Make the film of a speech that is here, as often as it is needed: free.

    Raises:
        DownloadError: The speech's sound was deleted, or the disk refused.
        PreviewError: The film could not be made.
        ConfigError: Its background is not there any more.
    """
    past = await asyncio.to_thread(account.ledger.facts.times, account.payer.backend)
    report.clock = clock_for(row, RenderTimes.of_rows(past, _USUAL_S, here=True))
    begun_s = account.clock.uptime()
    sound = _sound(account, row)
    shown = json.loads(row.body)["film"]
    shown["background"] = await background_source(
        shown["background"], account.home, allow_private=account.private
    )
    work = sound, preview.Scene(script=row.script, **shown), row.target_s or 0.0

    async def make(folder: Path) -> dict[str, Path]:
        target = folder / f"{file_stem(row.draft_id)}.mp4"
        making = asyncio.ensure_future(in_other_process(_make, target, *work))
        while not (await asyncio.wait({making}, timeout=_LOOK_S))[0]:
            elapsed_s = account.clock.uptime() - begun_s
            line = status_line("processing", elapsed_s)
            await report("processing", line, elapsed_s=elapsed_s)
        said_s, film_s = await making
        # so what the voice took can be learned from
        times = {"duration_s": film_s, "pad_s": film_s - said_s}
        await record(account, hold, "completed", state="completed", **times)
        elapsed_s = account.clock.uptime() - begun_s
        line = _("✅ Video created! ID: {id}").format(id=row.video_id)
        await report("completed", line, elapsed_s=elapsed_s)
        files = [target.with_suffix(ending) for ending in (".mp4", ".srt", ".jpg")]
        return dict(zip(("path", "subtitles", "thumbnail"), files, strict=True))

    return await keep(account, video_of(account, row), report, hold, make=make)


def _sound(account: Account, row: RenderRow) -> Path:
    sound = speech.kept_sound(account, str(row.inputs["sound"]))
    if sound.exists():
        return sound
    problem = _("The sound {file} was deleted: the film cannot be made of it.")
    hint = _("Render the draft with --again to buy its speech once more.")
    video_id = row.video_id or ""
    raise errors.DownloadError(problem, hint=hint, video_id=video_id, file=sound.name)


def _make(
    target: Path, sound: Path, scene: preview.Scene, length_s: float
) -> tuple[float, float]:
    """Make a film; return how long its speech was, and how long it is."""
    file = speech.words_beside(sound)
    told = json.loads(file.read_text("utf-8")) if file.exists() else []
    words = tuple(preview.Word(*word) for word in told)
    film, said = finishing.make_film(
        sound, target, scene, words=words, length_s=length_s
    )
    times = [(w.text, w.start_s, w.end_s) for w in said.words]
    target.with_name(WORDS).write_text(json.dumps(times, ensure_ascii=False), "utf-8")
    return said.duration_s, film.duration_s
