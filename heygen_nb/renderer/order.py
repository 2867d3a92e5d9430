"""Many drafts in one call: side by side, or in one request when there are more."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from heygen_nb.errors import HeygenNbError
from heygen_nb.ledger import (
    TOKEN_PREFIX,
    MadeBefore,
    RenderRow,
    title_token,
)
from heygen_nb.money import Limits
from heygen_nb.renderer import tell
from heygen_nb.renderer.background import Uploads, changed
from heygen_nb.renderer.batch import STOPS_ALL
from heygen_nb.renderer.request import make_plan, picture_and_sound, revision_of
from heygen_nb.renderer.speech import MAX_CALLS, Wish
from heygen_nb.renderer.submit import token_of
from heygen_nb.renderer.tell import Report
from heygen_nb.timing import SpeechModel, Spoken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.heygen import HeyGenClient, VideoReply
    from heygen_nb.ledger import Allow, Ledger, NewRender
    from heygen_nb.models import Draft, Payer, Quote, Video
    from heygen_nb.money import Rates
    from heygen_nb.renderer.advance import Renderer
    from heygen_nb.renderer.request import Plan
    from heygen_nb.renderer.resolve import Resolver
    from heygen_nb.renderer.speech import Audio, Speaker
    from heygen_nb.renderer.tell import ProgressCallback
    from heygen_nb.renderer.wait import Pace

YOUNG = timedelta(days=30)  # a ledger that may have replaced a lost one
_MAX_ATTEMPTS = 20


class Planner:
    """Decides what a draft needs, for one account.

    Args:
        account: Who pays.
        client: HeyGen; asked only for what can be had for free.
        ledger: Where intents are stored.
        resolver: Finds voices and avatars.
        rates: For quotes.
        speaker: Makes speech of exact length.
        now: The time, aware UTC.
    """

    def __init__(
        self,
        account: Payer,
        client: HeyGenClient,
        ledger: Ledger,
        *,
        resolver: Resolver,
        rates: Rates,
        speaker: Speaker,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._client = client
        self._ledger = ledger
        self._resolver = resolver
        self._rates = rates
        self._speaker = speaker
        self._uploads = Uploads(account, client, ledger)
        self._now = now
        self._taught: tuple[datetime | None, SpeechModel] | None = None
        self._made: dict[str, VideoReply] | None = None
        self._turn = asyncio.Lock()  # the first one reads all voices for the others

    async def quote(
        self, draft: Draft, settings: Settings, *, again: bool = False
    ) -> Plan | None:
        """Say what rendering a draft would use and cost; None if it costs nothing.

        Nothing is stored or sent for it; what is raised is that of :meth:`plan`.
        """
        if not again and await self._standing(draft, settings):
            return None
        return await self._make(draft, settings)

    async def model(self) -> SpeechModel:
        """Return what this ledger's renders have taught about lengths."""
        backend, facts = self._account.backend, self._ledger.facts
        newest = await asyncio.to_thread(facts.newest, backend)
        if self._taught is None or self._taught[0] != newest:
            rows = await asyncio.to_thread(facts.spoken, backend)
            self._taught = newest, SpeechModel(Spoken(*row) for row in rows)
        return self._taught[1]

    async def spent_today(self) -> float:
        """Return what is spent and reserved since local midnight."""
        return await asyncio.to_thread(
            self._ledger.facts.spent_today,
            self._account,
            self._now(),
            self._rates.currency,
        )

    async def _make(
        self,
        draft: Draft,
        settings: Settings,
        audio: Audio | None = None,
        asset_id: str = "",
    ) -> Plan:
        return await make_plan(
            draft,
            settings,
            self._resolver,
            self._rates,
            model=await self.model(),
            audio=audio,
            asset_id=asset_id,
        )

    async def plan(
        self,
        draft: Draft,
        settings: Settings,
        *,
        again: bool = False,
        send_to: str | None = None,
        progress: ProgressCallback | None = None,
    ) -> RenderRow:
        """Store the intent to render a draft, or find the one that stands.

        Args:
            draft: What to render.
            settings: Effective settings for this draft.
            again: Pay for another video of an unchanged draft.
            send_to: Chat it is to be posted to, so that resume can do it.
            progress: Gets the log lines.
        """
        report = Report(progress, draft.id)
        standing = None if again else await self._standing(draft, settings)
        if standing:
            wished = draft.caption, send_to or standing.send_to
            if wished != (standing.caption, standing.send_to):
                await asyncio.to_thread(self._ledger.wish, standing.id, *wished)
            return standing
        await report("pending", tell.started(draft.id))
        plan, made = await self._decide(draft, settings, report, again=again)
        allow = _allow(plan.quote, settings)
        new = plan.new.model_copy(update={"send_to": send_to})
        row, _new = await asyncio.to_thread(
            self._ledger.plan, self._account, new, again=again, made=made, allow=allow
        )
        return row

    async def _decide(
        self, draft: Draft, settings: Settings, report: Report, *, again: bool
    ) -> tuple[Plan, MadeBefore | None]:
        """Make the plan, and first all that its body needs: picture and speech."""
        audio, asset_id = None, ""
        try:
            async with self._turn:
                plan = await self._make(draft, settings)
                made = await self._made_before(plan.new)
            if picture := plan.picture:
                asset_id = await self._uploads.asset_id(picture, report)
        except HeygenNbError as error:
            error.charged = False  # nothing that costs was sent yet
            raise
        await report("pending", tell.chosen(plan.voice, plan.avatar))
        for warning in plan.warnings:
            await report("pending", f"⚠️ {warning}")
        if settings.length_mode == "exact" and not (made and made.video_id):
            await report("pending", tell.speaking())
            audio = await self._say(plan, settings, again=again)
        if audio or picture:
            plan = await self._make(draft, settings, audio, asset_id)
        if picture and plan.picture != picture:
            raise changed(picture.path)
        return plan, made

    async def speak(self, draft: Draft, settings: Settings) -> Audio:
        """Make the speech of a draft (paid, once), to be heard before the video is.

        In exact mode :meth:`plan` renders that very sound and pays for no other.
        """
        exact = settings.model_copy(update={"length_mode": "exact"})
        return await self._say(await self._make(draft, exact), exact)

    async def _say(
        self, plan: Plan, settings: Settings, *, again: bool = False
    ) -> Audio:
        # what was spoken already is among what the day has cost
        allow = _allow(plan.quote, settings, calls=1)
        return await self._speaker.say(_wish(plan, settings), allow=allow, again=again)

    async def _standing(self, draft: Draft, settings: Settings) -> RenderRow | None:
        """Return the attempt that must not be paid a second time.

        Raises:
            ConfigError: The background is a file that is not there.
        """
        inputs = await asyncio.to_thread(picture_and_sound, draft, settings)
        return await asyncio.to_thread(
            self._ledger.find, self._account, draft.id, revision_of(inputs)
        )

    async def _made_before(self, new: NewRender) -> MadeBefore | None:
        """Look at HeyGen for what a ledger that is gone may have ordered.

        Titles are derived from the draft on purpose; one listing shows all of them.
        """
        if self._made is None:
            began = await asyncio.to_thread(self._ledger.began, self._account)
            young = began is None or self._now() - began < YOUNG
            videos = self._client.list_videos(title=TOKEN_PREFIX)
            self._made = {token_of(v): v async for v in videos} if young else {}
        for attempt in range(_MAX_ATTEMPTS, 0, -1):
            token = title_token(new.draft_id, new.revision, attempt)
            if video := self._made.get(token):
                return MadeBefore(
                    attempt, video.id if video.status != "failed" else None
                )
        return None


def _wish(plan: Plan, settings: Settings) -> Wish:
    new = plan.new
    return Wish(
        draft_id=new.draft_id,
        script=new.script,
        voice_id=new.voice_id,
        target_s=settings.video_duration,
        speed=new.speed,
        slowest=settings.min_speed,
        fastest=settings.max_speed,
        expected_s=plan.length.seconds - new.pad_s,
    )


def _allow(quote: Quote, settings: Settings, *, calls: int = 0) -> Allow:
    """Return the question whether the day allows a video, and calls for speech."""
    amount = quote.at_most - quote.speech * (1 - calls / MAX_CALLS)

    def allow(spent: float) -> None:
        Limits.of(settings).check(amount, spent, quote.currency)

    return allow


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """A draft to render, its effective settings, and who wants to hear of it."""

    draft: Draft
    settings: Settings
    progress: ProgressCallback | None = None


class Many:
    """Renders side by side; a wrong key or an empty balance stops the rest."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._turn = asyncio.Semaphore(renderer.max_concurrent)
        self._stopped: HeygenNbError | None = None

    async def plan(
        self, jobs: Sequence[Job], *, again: bool = False, send_to: str | None = None
    ) -> list[RenderRow | HeygenNbError]:
        """Store all intents; send them together if they are too many to go singly.

        Args:
            jobs: What to render.
            again: Pay for new videos of unchanged drafts.
            send_to: Chat they are to be posted to.

        Returns:
            A render a job, or what is wrong with it, in their order.
        """

        async def plan(job: Job) -> RenderRow:
            async with self._turn:
                self._go_on_unless_stopped()
                return await self._renderer.planner.plan(
                    job.draft,
                    job.settings,
                    again=again,
                    send_to=send_to,
                    progress=job.progress,
                )

        rows = await asyncio.gather(*(self._guarded(plan(job)) for job in jobs))
        new = {
            row.id: row
            for row in rows
            if not isinstance(row, HeygenNbError)
            and row.state == "planned"
            and not row.unanswered
        }
        if len(new) > self._renderer.max_concurrent and not self._stopped:
            await self._guarded(self._renderer.batches.send(list(new.values())))
        return rows

    async def finish(
        self,
        row: RenderRow | HeygenNbError,
        pace: Pace,
        progress: ProgressCallback | None = None,
    ) -> Video | HeygenNbError:
        """Take a planned render as far as it goes; return what stopped it."""
        if isinstance(row, HeygenNbError):
            return row
        return await self._guarded(self._finish(row.id, pace, progress))

    async def _finish(
        self, render_id: str, pace: Pace, progress: ProgressCallback | None
    ) -> Video:
        row = await asyncio.to_thread(self._renderer.ledger.render, render_id)
        counts = row.state == "planned" and not row.batch_key
        del row
        async with self._turn if counts else nullcontext():
            if counts:
                self._go_on_unless_stopped()
            return await self._renderer.finish(render_id, pace, progress=progress)

    def _go_on_unless_stopped(self) -> None:
        if self._stopped:
            raise self._stopped

    async def _guarded(self, step: Awaitable[_T]) -> _T | HeygenNbError:
        try:
            return await step
        except HeygenNbError as error:
            if isinstance(error, STOPS_ALL):
                self._stopped = self._stopped or error
            return error
