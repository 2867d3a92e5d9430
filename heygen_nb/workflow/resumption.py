"""Taking up whatever is not finished, and settling what only a person can."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from heygen_nb.errors import DeliveryError, HeygenNbError, LedgerError, TakenOverError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import PostRow, RenderRow
from heygen_nb.models import Draft
from heygen_nb.money import Limits
from heygen_nb.renderer import Many, Pace
from heygen_nb.workflow.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from heygen_nb.models import Post, Video
    from heygen_nb.renderer import ProgressCallback
    from heygen_nb.workflow.session import Session

FRESH = timedelta(hours=24)  # older posts would surprise their readers


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
        stored = await asyncio.to_thread(
            self._ledger.posts.unfinished, self._renderer.account.backend
        )
        return [
            outcome
            for post_id in stored
            if post_id not in handled and (outcome := await self._post(post_id))
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
        try:
            async with self._session.chat() as chat:
                posts = await chat.plan(made, row.caption, chat_id=row.send_to)
        except HeygenNbError as error:
            return Outcome.of_video(made).not_posted(error)
        return await self._deliver(posts, made, asked_at=row.created_at)

    async def _post(self, post_id: int) -> Outcome | None:
        """Go on with a stored post; None when it failed so long ago that it is over."""
        posts = await asyncio.to_thread(self._ledger.posts.parts, post_id)
        old = not _is_fresh(posts[0].created_at)
        if old and all(post.state in ("failed", "sent") for post in posts):
            return None
        try:
            video = await video_of(self._session, posts[0])
        except HeygenNbError as error:
            return self._session.failed("", error)
        return await self._deliver(posts, video, asked_at=posts[0].created_at)

    async def _deliver(
        self, posts: list[PostRow], video: Video, *, asked_at: datetime
    ) -> Outcome:
        outcome = Outcome.of_video(video)
        waiting = any(post.state in ("planned", "failed") for post in posts)
        settled = all(post.state in ("planned", "failed", "sent") for post in posts)
        if waiting and settled and not _is_fresh(asked_at):
            return outcome.not_posted(_too_old(posts[0].id))
        try:
            return outcome.posted(await self._session.deliver(posts[0].id, video))
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
        row.engine, row.estimate_s or 0.0, resolution=row.inputs.get("resolution", "")
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


async def resend(session: Session, post_id: int) -> Post:
    """Send a post that a person says is not in the chat.

    Raises:
        DeliveryError: It is in the chat, or could not be sent.
    """
    ledger = session.renderer.ledger
    posts = await asyncio.to_thread(ledger.posts.parts, post_id)
    video = await video_of(session, posts[0])
    async with session.renderer.holding(PostRow, posts[0].id) as hold:
        if hold is None:
            raise _elsewhere(post_id)
        post = _one_of(await asyncio.to_thread(ledger.posts.parts, post_id), post_id)
        if post.state == "sent":
            raise DeliveryError(
                _("Post {id} is in the chat already.").format(id=post_id)
            )
        if post.state == "sending":
            await asyncio.to_thread(ledger.posts.record, hold, post_id, "unsure")
        if post.state != "planned":
            await asyncio.to_thread(ledger.posts.record, hold, post_id, "planned")
    return await session.deliver(posts[0].id, video)


async def mark_sent(session: Session, post_id: int) -> None:
    """Note that a post is in the chat, as a person has seen.

    Raises:
        LedgerError: There is no such post, or another process is sending it.
    """
    ledger = session.renderer.ledger
    posts = await asyncio.to_thread(ledger.posts.parts, post_id)
    async with session.renderer.holding(PostRow, posts[0].id) as hold:
        if hold is None:
            raise _elsewhere(post_id)
        await asyncio.to_thread(
            ledger.posts.record, hold, post_id, "sent", error_message=None
        )


async def video_of(session: Session, post: PostRow) -> Video:
    """Return the video of a stored post, with its file here."""
    renderer = session.renderer
    if post.render_id is None:
        video = await renderer.wait(post.video_id)
        return await renderer.archive.keep(video)
    row = await asyncio.to_thread(renderer.ledger.render, post.render_id)
    return renderer.archive.kept(row) or await renderer.finish(row.id)


def _is_fresh(asked_at: datetime) -> bool:
    return datetime.now(UTC) - asked_at < FRESH


def _one_of(posts: list[PostRow], post_id: int) -> PostRow:
    return next(post for post in posts if post.id == post_id)


def _too_old(post_id: int) -> DeliveryError:
    error = DeliveryError(
        _("Post {id} is older than a day, so it was not sent.").format(id=post_id),
        hint=_("Send it with: heygen-nb resend {id}.").format(id=post_id),
    )
    error.post_id = post_id
    return error


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
