"""A render's life for one account: plan, submit, wait, download."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING

from heygen_nb.clock import Clock
from heygen_nb.errors import (
    InvalidRequestError,
    RenderFailedError,
    TakenOverError,
    WaitTimeoutError,
)
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import RenderRow
from heygen_nb.renderer import tell
from heygen_nb.renderer.batch import Batches
from heygen_nb.renderer.bill import Bills
from heygen_nb.renderer.holding import Holding
from heygen_nb.renderer.order import Planner
from heygen_nb.renderer.submit import Submitter, not_known
from heygen_nb.renderer.tell import Report
from heygen_nb.renderer.wait import Pace, Patience, Waiting
from heygen_nb.renderer.watch import Watcher

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.ledger import Hold, Ledger
    from heygen_nb.models import Draft, Video
    from heygen_nb.money import Rates
    from heygen_nb.renderer.account import Connection
    from heygen_nb.renderer.archive import Archive
    from heygen_nb.renderer.catalogue import Catalogue
    from heygen_nb.renderer.resolve import Resolver
    from heygen_nb.renderer.speech import Speaker
    from heygen_nb.renderer.tell import ProgressCallback

log = logging.getLogger("heygen_nb.renderer")
_CLOCK = Clock()


class Renderer:
    """Renders drafts for one account, with everything it needs handed in.

    Args:
        connection: Who pays, and where.
        client: HeyGen.
        ledger: Where every step is stored first.
        catalogue: All voices and avatars, to choose from.
        resolver: Finds voices and avatars.
        archive: Keeps finished files.
        rates: For quotes.
        speaker: Makes speech of exact length.
        max_concurrent: Renders in flight at once.
        clock: Time of day, passed time, and waiting.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        client: HeyGenClient,
        ledger: Ledger,
        catalogue: Catalogue,
        resolver: Resolver,
        archive: Archive,
        rates: Rates,
        speaker: Speaker,
        max_concurrent: int = 10,
        clock: Clock = _CLOCK,
    ) -> None:
        self.connection = connection
        self.account = connection.account
        self.client = client
        self.ledger = ledger
        self.catalogue = catalogue
        self.resolver = resolver
        self.rates = rates
        self.archive = archive
        self.max_concurrent = max_concurrent
        self.planner = Planner(
            self.account,
            client,
            ledger,
            resolver=resolver,
            rates=rates,
            speaker=speaker,
            now=clock.now,
        )
        self.bills = Bills(self.account, client, ledger, now=clock.now)
        self.holding = Holding(ledger)
        self.batches = Batches(
            client, ledger, self.holding, sleep=clock.sleep, uptime=clock.uptime
        )
        self._slots = asyncio.Semaphore(max_concurrent)
        self._clock = clock
        self._submitter = Submitter(
            client, ledger, sleep=clock.sleep, uptime=clock.uptime
        )
        self._watcher = Watcher(client, sleep=clock.sleep)
        self._waiting = Waiting(self, self._watcher, clock)

    async def close(self) -> None:
        """Stop watching; renders at HeyGen go on."""
        await self._watcher.close()
        await self.batches.close()
        await self.holding.close()

    async def render(
        self,
        draft: Draft,
        settings: Settings,
        *,
        again: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Video:
        """Plan, create, wait and download; see the steps for what they raise."""
        row = await self.planner.plan(draft, settings, again=again, progress=progress)
        return await self.finish(row.id, Pace.of(settings), progress=progress)

    async def create(
        self,
        draft: Draft,
        settings: Settings,
        *,
        again: bool = False,
        progress: ProgressCallback | None = None,
    ) -> RenderRow:
        """Have a draft rendered, unless it already is or is on its way.

        Args:
            draft: What to render.
            settings: Effective settings for this draft.
            again: Pay for another video of an unchanged draft.
            progress: Gets the log lines.

        Returns:
            The render, with its video id.
        """
        row = await self.planner.plan(draft, settings, again=again, progress=progress)
        pace, report = Pace.of(settings), Report(progress, draft.id)
        patience = Patience(pace, self._clock.uptime)
        while row.state == "planned":
            async with self.holding(RenderRow, row.id) as hold:
                if hold:
                    return await self._accepted(hold, pace, report)
            await self._pause(row.video_id or "", pace, patience, report)
            row = await asyncio.to_thread(self.ledger.render, row.id)
        return _usable(row)

    async def finish(
        self,
        render_id: str,
        pace: Pace | None = None,
        *,
        progress: ProgressCallback | None = None,
    ) -> Video:
        """Take a planned render as far as it goes; another process may be at it.

        Raises:
            WaitTimeoutError: Not done in time; it goes on at HeyGen.
            HeygenNbError: What :meth:`create` and :meth:`wait` raise.
        """
        pace = pace or Pace()
        patience = Patience(pace, self._clock.uptime)
        while True:
            row = await asyncio.to_thread(self.ledger.render, render_id, self.account)
            report, video_id = Report(progress, row.draft_id), row.video_id or ""
            counts = row.state == "planned" and not row.batch_key
            del row
            async with (
                self._slots if counts else nullcontext(),
                self.holding(RenderRow, render_id) as hold,
            ):
                if hold:
                    try:
                        return await self._go_on(hold, pace, report)
                    except TakenOverError as error:
                        log.warning("%s", error)
            await self._pause(video_id, pace, patience, report)

    async def _pause(
        self, video_id: str, pace: Pace, patience: Patience, report: Report
    ) -> None:
        """Let the process that has the render do its work."""
        if patience.is_over():
            line = tell.timed_out(video_id, patience.waited_s)
            raise WaitTimeoutError(line, video_id=video_id)
        await report("pending", tell.elsewhere())
        await self._clock.sleep(pace.interval_s)

    async def _go_on(self, hold: Hold, pace: Pace, report: Report) -> Video:
        row = await self._accepted(hold, pace, report)
        video_id, kept = row.video_id or "", self.archive.kept(row)
        del row  # of a thousand that wait each would keep its script and body
        if kept:
            await report("completed", tell.already_made(video_id))
            return kept
        video = await self._waiting.wait(video_id, report, pace, hold=hold)
        return await self.archive.keep(video, hold)

    async def _accepted(self, hold: Hold, pace: Pace, report: Report) -> RenderRow:
        """Bring a render to where it has a video id.

        Raises:
            OutcomeUnknownError: A person has to decide.
            ApiError: HeyGen refuses it.
            RenderFailedError: It has failed.
        """
        row = await asyncio.to_thread(self.ledger.render, str(hold.id))
        if row.state == "planned":
            await report("pending", tell.submitting())
        while row.state == "planned":
            if row.batch_key:
                row = await self.batches.settle(row, hold, pace)
            else:
                await self.bills.open(row)
                row = await self._submitter.submit(row, hold)
        return _usable(row)

    async def wait(
        self,
        video_id: str,
        *,
        progress: ProgressCallback | None = None,
        interval_s: float = 10.0,
        timeout_s: float = 900.0,
    ) -> Video:
        """Wait for a video to be rendered.

        Args:
            video_id: Which one; any video of this account.
            progress: Called after every look.
            interval_s: Seconds between two looks.
            timeout_s: Seconds after which waiting stops; they count anew after the
                computer slept for more than ten minutes.

        Raises:
            RenderFailedError: HeyGen could not render it, or it was deleted.
            WaitTimeoutError: The time is up; the render goes on.
            NotAuthorizedError: The key is not accepted.
        """
        report = Report(progress)
        return await self._waiting.wait(video_id, report, Pace(interval_s, timeout_s))

    async def download(self, video: Video) -> Video:
        """Bring the files of a completed video into the archive.

        Raises:
            DownloadError: Not everything could be fetched or stored.
        """
        row = await asyncio.to_thread(
            self.ledger.render_of_video, self.account, video.video_id
        )
        if row is None:
            return await self.archive.keep(video)
        return self.archive.kept(row) or await self.finish(row.id)


def _usable(row: RenderRow) -> RenderRow:
    """Return a render that has a video id, else raise what became of it."""
    if row.state == "unknown":
        raise not_known(row)
    if row.state == "rejected":
        raise InvalidRequestError(
            row.error_message or _("HeyGen refused it."),
            code=row.error_code,
            hint=_("Render the draft again to try once more."),
            charged=False,
        )
    if row.state == "failed":
        raise RenderFailedError(
            _("HeyGen could not render video {id}: {reason}.").format(
                id=row.video_id, reason=row.error_message or row.error_code
            ),
            video_id=row.video_id or "",
            failure_code=row.error_code,
            hint=_("HeyGen does not charge failed renders. Change the draft or retry."),
        )
    return row
