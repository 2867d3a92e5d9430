"""The only way onward: from whatever state a render is in to a film on this disk."""

import asyncio
from contextlib import nullcontext

from heygen_nb.clock import Pace, Patience
from heygen_nb.errors import STOPS_ALL, ApiError, InvalidRequestError, TakenOverError
from heygen_nb.heygen.refusals import hint_for
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import NO_CREDIT, Hold, RenderRow
from heygen_nb.log import ProgressCallback, Report, log
from heygen_nb.models import NO_AVATAR, Video
from heygen_nb.renderer import archive, batch, finish, narrated, submit, wait
from heygen_nb.renderer.account import Account

_PACE = Pace()


async def advance(
    account: Account,
    render_id: str,
    pace: Pace = _PACE,
    progress: ProgressCallback | None = None,
    *,
    until_submitted: bool = False,
) -> Video:
    """Take a render as far as it goes; another process may be at it.

    An order that was not accepted yet is sent, and so paid; nothing is ordered here.

    Args:
        account: Who pays.
        render_id: From :func:`heygen_nb.renderer.order.order`, or of the ledger.
        pace: How often to look, and how long to wait.
        progress: Gets every log line.
        until_submitted: Only to where HeyGen has it, which gives its video id.

    Raises:
        ApiError: HeyGen refuses it; ``charged`` tells whether it may cost.
        OutcomeUnknownError: A person has to decide.
        RenderFailedError: HeyGen could not render it.
        WaitTimeoutError: Not done in time; it goes on at HeyGen.
        DownloadError: It is done and stays at HeyGen: the film could not be fetched.
    """
    stops, patience = account.stops, None
    while True:
        row = await asyncio.to_thread(account.ledger.render, render_id, account.payer)
        report = Report(progress, row.draft_id)
        sends = row.state == "planned" and not row.batch_key
        if until_submitted and row.state in ("submitted", "completed", "downloaded"):
            return archive.video_of(account, row, status="processing")
        async with (
            account.slots if sends else nullcontext(),
            account.hold(RenderRow, render_id) as hold,
        ):
            if sends and account.stops != stops and account.stopped_by:
                raise account.stopped_by
            if hold:
                try:
                    row = await _accepted(account, hold, pace, report)
                    if until_submitted:
                        return archive.video_of(account, row, status="processing")
                    return await _fetched(account, hold, row, pace, report)
                except TakenOverError as error:
                    log.warning("%s", error)
                except STOPS_ALL as error:
                    account.stop(error)
                    raise
        if patience is None:
            patience = Patience(pace, account.clock.uptime)
            line = _("⏳ Another process works on this render: waiting for it")
            await report("pending", line)
        elif patience.is_over():
            raise wait.timed_out(row.video_id or "", patience)
        await account.clock.sleep(pace.interval_s)


async def _accepted(
    account: Account, hold: Hold, pace: Pace, report: Report
) -> RenderRow:
    """Bring a render to where it has a video id."""
    row = await asyncio.to_thread(account.ledger.render, str(hold.id))
    if row.state in ("planned", "unknown"):
        await report("pending", _("📤 Sending script to the HeyGen API..."))
    while row.state in ("planned", "unknown"):
        if row.batch_key and row.state == "planned":
            row = await batch.settle(account, hold, row, pace)
        elif row.engine == NO_AVATAR:
            row = await narrated.ask_for_speech(account, hold, row, report)
        else:
            row = await submit.submit(account, hold, row, report)
    code, message = row.error_code or "", row.error_message
    if row.state == "rejected":
        hint = hint_for(code) or _("Render the draft again to try once more.")
        told = message or _("HeyGen refused it.")
        raise InvalidRequestError(told, hint=hint, code=row.error_code, charged=False)
    if row.state == "failed":
        raise submit.not_rendered(row.video_id or "", code, message)
    return row


async def _fetched(
    account: Account, hold: Hold, row: RenderRow, pace: Pace, report: Report
) -> Video:
    """Wait for a video that HeyGen has taken, and bring it here."""
    video_id = row.video_id or ""
    video = archive.kept(account, row)
    if video:
        line = _("♻️ This draft has video {id} already: nothing is paid again")
        await report("completed", line.format(id=video_id))
    elif row.engine == NO_AVATAR:
        video = await narrated.make_film(account, hold, row, report)
    else:
        try:
            video = await wait.wait(account, video_id, report, pace, row=row, hold=hold)
        except ApiError as error:
            if error.code != NO_CREDIT:  # HeyGen goes on with it, and charges for it
                error.charged = None
            raise
        video = await archive.keep(account, video, report, hold)
    return await finish.finished(row, video, report)


async def fetched(account: Account, video: Video) -> Video:
    """Return a completed video with its files here.

    Raises:
        DownloadError: The film could not be fetched or stored; it stays at HeyGen.
    """
    row = await row_of(account, video.video_id)
    if row is None:
        return await archive.keep(account, video, Report(None))
    return archive.kept(account, row) or await advance(account, row.id)


async def waited(
    account: Account,
    video_id: str,
    pace: Pace = _PACE,
    progress: ProgressCallback | None = None,
) -> Video:
    """Wait for any video of the account; see :func:`heygen_nb.renderer.wait.wait`."""
    row = await row_of(account, video_id)
    if row and row.engine == NO_AVATAR:
        return await advance(account, row.id, pace, progress)
    return await wait.wait(account, video_id, Report(progress), pace, row=row)


async def row_of(account: Account, video_id: str) -> RenderRow | None:
    """Return the render of a video; None for one that the ledger does not know."""
    ledger, payer = account.ledger, account.payer
    return await asyncio.to_thread(ledger.render_of_video, payer, video_id)
