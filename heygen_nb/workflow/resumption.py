"""Taking up whatever is not finished, and settling what only a person can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.errors import HeygenNbError, LedgerError, TakenOverError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import RenderRow
from heygen_nb.models import Draft
from heygen_nb.money import Limits
from heygen_nb.renderer import Many, Pace
from heygen_nb.workflow.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from heygen_nb.ledger import PostRow
    from heygen_nb.renderer import ProgressCallback
    from heygen_nb.workflow.session import Session


class Resumption:
    """One run of resume; safe beside others, on this machine or elsewhere.

    Args:
        session: Whose account's renders and whose backend's posts are taken up.
        progress: Gives each draft its callback.
    """

    def __init__(
        self,
        session: Session,
        progress: Callable[[Draft], ProgressCallback] | None = None,
    ) -> None:
        self._session = session
        self._renderer = session.renderer
        self._ledger = session.renderer.ledger
        self._progress = progress
        self._many = Many(session.renderer)

    async def run(self) -> list[Outcome]:
        """Settle, wait, download and post; return an outcome for each."""
        rows = await asyncio.to_thread(
            self._ledger.history.unfinished, self._renderer.account
        )
        outcomes = await asyncio.gather(*(self.finish(row) for row in rows))
        return outcomes + await self.posts({outcome.post_id for outcome in outcomes})

    async def posts(self, handled: Container[int | None]) -> list[Outcome]:
        """Go on with stored posts, apart from those that were handled already."""
        return [
            await self._post(rows[0])
            for rows in await self._session.posting.unfinished()
            if not any(row.id in handled for row in rows)
        ]

    async def finish(self, row: RenderRow) -> Outcome:
        """Take one render as far as it goes, and post it if that was asked for."""
        draft = Draft(id=row.draft_id, script=row.script)
        callback = self._progress(draft) if self._progress else None
        made = await self._many.finish(row, Pace.of(self._session.settings), callback)
        if isinstance(made, HeygenNbError):
            return self._session.failed(row.draft_id, made, row)
        if row.send_to is None:
            return Outcome.of_video(made)
        outcome = Outcome.of_video(made)
        try:
            sent = await self._session.posting.send_render(
                made, asked_at=row.created_at, progress=callback
            )
        except HeygenNbError as error:
            return outcome.not_posted(error)
        return outcome.posted(sent)

    async def _post(self, post: PostRow) -> Outcome:
        posting = self._session.posting
        try:
            video = await posting.video_of(post)
        except HeygenNbError as error:
            return self._session.failed("", error)
        outcome = Outcome.of_video(video)
        try:
            return outcome.posted(await posting.take_up(post, video))
        except HeygenNbError as error:
            return outcome.not_posted(error)


async def adopt(session: Session, render_id: str, video_id: str) -> None:
    """Say that a video at HeyGen is the one a render had lost.

    Raises:
        LedgerError: The render is settled, or the video is another render's.
        NotFoundError: HeyGen has no such video.
    """
    ledger, account = session.renderer.ledger, session.renderer.account
    row = await asyncio.to_thread(ledger.render, render_id, account)
    if not (row.state == "unknown" or (row.state == "planned" and row.unanswered)):
        raise _settled(row)
    owner = await asyncio.to_thread(ledger.render_of_video, account, video_id)
    if owner:
        raise LedgerError(
            _("Video {id} belongs to render {render}.").format(
                id=video_id, render=owner.id
            )
        )
    video = await session.renderer.client.get_video(video_id)
    async with session.renderer.holding(RenderRow, row.id) as hold:
        if hold is None:
            raise _elsewhere(row.id)
        await asyncio.to_thread(
            ledger.record,
            hold,
            "adopted",
            state="submitted",
            video_id=video.id,
            unanswered=False,
            error_code=None,
        )


async def pay_again(session: Session, render_id: str) -> RenderRow:
    """Plan another attempt at a render that failed, or whose answer was lost.

    Raises:
        LedgerError: The render is still on its way, or it is done.
    """
    renderer = session.renderer
    row = await asyncio.to_thread(renderer.ledger.render, render_id, renderer.account)
    if row.state not in ("unknown", "failed", "rejected"):
        raise _settled(row)
    quote = renderer.rates.quote(
        row.engine,
        row.estimate_s or 0.0,
        resolution=row.inputs.get("resolution", ""),
        look_type=row.look_type,
    )
    limits = Limits.of(session.settings)

    def allow(spent: float) -> None:
        limits.check(quote.amount, spent, quote.currency)

    row, new = await asyncio.to_thread(
        renderer.ledger.plan_again,
        render_id,
        reserved_cost=quote.amount,
        allow=allow,
    )
    if not new:
        raise _settled(row)
    return row


def _settled(row: RenderRow) -> LedgerError:
    return LedgerError(
        _("Render {id} is {state}: there is nothing to decide.").format(
            id=row.id, state=row.state
        ),
        hint=_("Go on with it by heygen-nb resume."),
    )


def _elsewhere(row_id: str | int) -> TakenOverError:
    return TakenOverError(
        _("Another process is at work on {id}.").format(id=row_id),
        hint=_("Wait until it is done."),
    )
