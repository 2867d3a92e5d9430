"""Reading many rows: pages of the history, figures, what past renders teach."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from heygen_nb.ledger.database import LedgerPart
from heygen_nb.ledger.tables import Paid, PostRow, RenderRow, SpeechRow, searchable
from heygen_nb.models import NO_AVATAR, Payer

When = datetime | None
Allow = Callable[[float], None]
"""Gets what the day has cost so far; raises when there may be no more."""

NO_CREDIT = "insufficient_credit"  # the code of what waits for money
# no index of its own: all that lists ask for stands in ``renders_listed``
_STATE = RenderRow.state.concat("")
_HERE = _STATE == "downloaded"
_LISTED: dict[str, sa.ColumnElement[bool]] = {
    "completed": _STATE.in_(("completed", "downloaded")),
    "sent": _HERE & RenderRow.posted,
    "unsent": _HERE & ~RenderRow.posted,
    "unchecked": _HERE & RenderRow.findings.is_(None),
    "faulty": _HERE & (RenderRow.findings != ""),
}
_FIGURES = (
    *("draft_id", "state", "engine", "currency", "quoted", "error_code"),
    *("target_s", "estimate_s", "duration_s"),
    *("created_at", "submitted_at", "processing_at", "completed_at"),
)


def spent_today(session: Session, payer: Payer, now: datetime, currency: str) -> float:
    """Return what an account has spent and reserved since local midnight.

    A render counts on the day it was planned, with its cost once that is known. What
    a film made here has cost stands with its speech.
    """
    midnight = datetime.combine(now.astimezone().date(), time.min).astimezone()
    elsewhere = RenderRow.cost.is_not(None) & (RenderRow.engine == NO_AVATAR)
    counted: tuple[tuple[type[Paid], Any], ...] = (
        (RenderRow, ~elsewhere),
        (SpeechRow, sa.true()),
    )
    total = 0.0
    for table, counts in counted:
        amount = sa.func.sum(sa.func.coalesce(table.cost, table.reserved_cost))
        mine = table.of(payer), table.currency == currency
        query = sa.select(amount).where(*mine, counts, table.created_at >= midnight)
        total += session.scalar(query) or 0.0
    return total


def _within(
    since: When, until: When, table: type[Paid] = RenderRow
) -> list[sa.ColumnElement[bool]]:
    begun = [table.created_at >= since] if since else []
    return [*begun, table.created_at < until] if until else begun


class History(LedgerPart):
    """Reads renders page by page, whatever their number."""

    def page(
        self,
        *,
        status: str | None = None,
        words: str = "",
        since: When = None,
        until: When = None,
        before: RenderRow | None = None,
        by: str = "",
        limit: int = 50,
    ) -> Sequence[RenderRow]:
        """Return renders, newest first.

        Args:
            status: Only those; ``completed`` counts downloaded ones too. Or only
                films that are ``sent``, ``unsent``, ``unchecked`` or ``faulty``.
            words: They stand in the title, or are the draft's id: as one phrase if
                any render has it, else all of them anywhere.
            since: Only those planned at that time or later.
            until: Only those planned before that time.
            before: The last one of the page before.
            by: ``title``, or ``oldest``; by default the newest first.
            limit: How many at most.
        """
        wishes = _within(since, until)
        if status:
            wishes.append(_LISTED.get(status, _STATE.in_((status,))))
        first = RenderRow.words if by == "title" else RenderRow.created_at
        key = (first, RenderRow.id)
        order = key if by else tuple(map(sa.desc, key))
        if before:
            place, last = sa.tuple_(*key), (getattr(before, first.key), before.id)
            wishes.append(place > last if by else place < last)
        query = sa.select(RenderRow.id).where(*wishes).order_by(*order).limit(limit)
        phrase = searchable(words)
        exact = [RenderRow.words.contains(phrase)]
        loose = [RenderRow.words.contains(word) for word in phrase.split()]
        ways = [exact, loose] if loose else [[]]
        if loose and before:  # a page goes on in the way of the one before
            ways = [exact if phrase in before.words else loose]
        with self.database.reading() as session:
            for meant in ways:
                if ids := session.scalars(query.where(*meant)).all():
                    break
            rows = sa.select(RenderRow).where(RenderRow.id.in_(ids))
            return session.scalars(rows.order_by(*order)).all()

    def pages(self) -> Iterator[Sequence[RenderRow]]:
        """Yield all renders, newest first, a page at a time."""
        last = None
        while rows := self.page(before=last, limit=500):
            yield rows
            last = rows[-1]

    def unfinished(self, payer: Payer) -> Sequence[RenderRow]:
        """Return what is not done yet, oldest first.

        That is what is on its way, what a person has to decide about unless there
        is a newer attempt, and what is still to be posted.
        """
        row, newer = RenderRow, aliased(RenderRow)
        newest = ~sa.exists().where(
            newer.of(payer),
            newer.draft_id == row.draft_id,
            newer.revision == row.revision,
            newer.attempt > row.attempt,
        )
        refused = (row.error_code == NO_CREDIT) & (row.state == "failed")
        posted = sa.exists().where(PostRow.render_id == row.id)
        open_ones = (
            row.state.in_(("planned", "submitted", "completed"))
            | (((row.state == "unknown") | refused) & newest)
            | ((row.state == "downloaded") & row.send_to.is_not(None) & ~posted)
        )
        query = sa.select(row).where(row.of(payer), open_ones)
        return self._all(query.order_by(row.created_at, row.id))

    def elsewhere(self, payer: Payer) -> int:
        """Return how many orders of this backend wait for other payers."""
        query = sa.select(sa.func.count(RenderRow.id)).where(
            RenderRow.backend == payer.backend,
            ~RenderRow.of(payer),
            RenderRow.state.in_(("planned", "submitted", "completed", "unknown")),
        )
        return self._one(query) or 0


class Facts(LedgerPart):
    """Reads what is learned from and told in figures: a few columns of many rows."""

    def newest(self, backend: str) -> datetime | None:
        """Return when the newest finished render was finished."""
        newest = sa.select(sa.func.max(RenderRow.completed_at))
        return self._one(newest.where(RenderRow.backend == backend))

    def spoken(self, backend: str, limit: int = 1000) -> Sequence[Any]:
        """Return script, voice, speed, seconds spoken and language, newest first."""
        seconds = RenderRow.duration_s - RenderRow.pad_s
        columns = (RenderRow.script, RenderRow.voice_id, RenderRow.speed, seconds)
        return self._finished(backend, limit, *columns, RenderRow.language)

    def times(self, backend: str, limit: int = 1000) -> Sequence[Any]:
        """Return seconds, three times, engine and resolution.

        The times are those of submission, begin of processing, if it was seen, and
        completion.
        """
        row = RenderRow
        times = (row.submitted_at, row.processing_at, row.completed_at)
        made = (row.engine, row.inputs["resolution"].as_string())
        return self._finished(backend, limit, row.duration_s, *times, *made)

    def _finished(self, backend: str, limit: int, *columns: Any) -> Sequence[Any]:
        query = sa.select(*columns).where(
            RenderRow.backend == backend,
            RenderRow.completed_at.is_not(None),
            RenderRow.submitted_at.is_not(None),
            RenderRow.duration_s > 0,
        )
        return self._rows(query.order_by(sa.desc(RenderRow.created_at)).limit(limit))

    def voice_of(self, backend: str, wish: str) -> str:
        """Return the voice that a setting was last understood as; empty if never."""
        query = sa.select(RenderRow.voice_id).where(
            RenderRow.backend == backend, RenderRow.inputs["voice"].as_string() == wish
        )
        return self._one(query.order_by(sa.desc(RenderRow.created_at))) or ""

    def keeps_scene(self, backend: str, look_id: str) -> bool:
        """Tell whether a film of that look has shown another background than asked."""
        query = sa.select(RenderRow.id).where(
            RenderRow.backend == backend,
            RenderRow.avatar_id == look_id,
            RenderRow.inputs["scene"].as_string() == "own",
        )
        return self._one(query) is not None

    def backgrounds(self, limit: int = 24) -> list[str]:
        """Return the colours and links of past renders, the last used one first.

        Files stand in the inputs as ``sha256:…``: where they lie says nothing.
        """
        value = RenderRow.inputs["background_url"].as_string().label("value")
        query = sa.select(value).where(value != "", value.not_like("sha256:%"))
        newest = sa.desc(sa.func.max(RenderRow.created_at))
        return list(self._all(query.group_by("value").order_by(newest).limit(limit)))

    def spent_today(self, payer: Payer, currency: str) -> float:
        """Return what is spent and reserved since local midnight."""
        with self.database.reading() as session:
            return spent_today(session, payer, self._now(), currency)

    def reserved(self, payer: Payer, currency: str) -> float:
        """Return what is set aside for orders that are not billed yet."""
        query = sa.select(sa.func.sum(RenderRow.reserved_cost))
        mine = RenderRow.of(payer), RenderRow.currency == currency
        return self._one(query.where(*mine)) or 0.0

    def figures(
        self, backend: str, *, since: When = None, until: When = None
    ) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return what figures need of a time, oldest first.

        Returns:
            Renders; and cost, currency and time of paid speeches.
        """
        # read once: asked for each render, SQLite may take the index of states for it
        chat_id = sa.func.min(PostRow.chat_id).label("chat_id")
        sent = sa.select(PostRow.render_id, chat_id).where(PostRow.state == "sent")
        posted = sent.group_by(PostRow.render_id).subquery()
        # what a film made here has cost stands with its speech
        cost = sa.case((RenderRow.engine == NO_AVATAR, 0.0), else_=RenderRow.cost)
        renders = (
            sa.select(
                *(getattr(RenderRow, name) for name in _FIGURES),
                RenderRow.inputs["finishes"].as_integer().label("finishes"),
                cost.label("cost"),
                posted.c.chat_id,
            )
            .outerjoin(posted, posted.c.render_id == RenderRow.id)
            .where(RenderRow.backend == backend, *_within(since, until))
        )
        paid = SpeechRow.backend == backend, SpeechRow.cost.is_not(None)
        speeches = sa.select(
            SpeechRow.cost, SpeechRow.currency, SpeechRow.created_at
        ).where(*paid, *_within(since, until, SpeechRow))
        return (
            self._rows(renders.order_by(RenderRow.created_at)),
            self._rows(speeches.order_by(SpeechRow.created_at)),
        )
