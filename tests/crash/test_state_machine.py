"""No order of events leads to two creates without a settled answer for the first.

HeyGen is a few lines here: what is tried is the ledger, the planner and the
submitter, killed, repeated, delayed, and left without their ledger in any order.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from heygen_nb.clock import Clock
from heygen_nb.errors import (
    ApiError,
    ForbiddenError,
    InvalidRequestError,
    NotAuthorizedError,
    NotSentError,
    OutcomeUnknownError,
    PaymentRequiredError,
    RateLimitedError,
    ReplyLostError,
    RequestInProgressError,
    ServerError,
)
from heygen_nb.heygen.wire import CreatedVideo, VideoReply
from heygen_nb.ledger import Ledger, RenderRow, title_token
from heygen_nb.log import Report
from heygen_nb.models import Payer
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.order import made_before
from heygen_nb.renderer.submit import submit

ACCOUNT = Payer("heygen", "https://api.heygen.com", "fingerprint")
KEY_LIFE = timedelta(hours=24)


def new_render(draft_id):
    return RenderRow(
        draft_id=draft_id,
        revision="r",
        body='{"type": "avatar"}',
        script="s",
        inputs={},
        voice_id="v",
        caption="",
        title="",
        engine="",
        currency="usd",
    )


REFUSALS = {
    "400": InvalidRequestError,
    "401": NotAuthorizedError,
    "402": PaymentRequiredError,
    "403": ForbiddenError,
    "429": RateLimitedError,
    "409": RequestInProgressError,
    "not sent": NotSentError,
    "lost before": ReplyLostError,
    "500 before": ServerError,
}
ANSWERS = ["ok", "lost after", "500 after", "killed before", "killed after", *REFUSALS]


class Killed(BaseException):
    """The process is gone: nothing may catch it."""


class FakeHeyGen:
    def __init__(self):
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.keys = {}
        self.jobs = {}
        self.answers = []
        self.reads_fail = False

    def server_time(self):
        return self.now

    async def me(self):
        self._maybe_fail()

    def _maybe_fail(self):
        if self.reads_fail:
            raise NotAuthorizedError("reads fail", charged=False)

    async def list_videos(self, *, title):
        self._maybe_fail()
        for video_id, found in self.jobs.items():
            if title in found:
                yield VideoReply(id=video_id, status="completed", title=found)

    async def create_video(self, body, *, idempotency_key):
        answer = self.answers.pop(0) if self.answers else "ok"
        if answer == "killed before":
            raise Killed
        if answer in REFUSALS:
            charged = None if answer in ("lost before", "500 before", "409") else False
            raise REFUSALS[answer](answer, charged=charged, retry_after_s=0.0)
        video_id, since = self.keys.get(idempotency_key, (None, None))
        if video_id is None or self.now - since >= KEY_LIFE:
            video_id = f"video{len(self.jobs)}"
            self.jobs[video_id] = body.partition('"title":"')[2].partition('"')[0]
            self.keys[idempotency_key] = video_id, self.now
        if answer == "killed after":
            raise Killed
        if answer == "lost after":
            raise ReplyLostError(answer)
        if answer == "500 after":
            raise ServerError(answer)
        return CreatedVideo(video_id=video_id, status="waiting")


async def no_sleep(_seconds):
    pass


class FewDrafts(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.heygen = FakeHeyGen()
        self.allowed = dict.fromkeys("abc", 1)
        self.ledger = self.open()

    def open(self):
        file = self.folder / f"ledger{len(list(self.folder.iterdir()))}.db"
        shutil.copyfile(EMPTY, file)
        return Ledger(f"sqlite:///{file}", now=lambda: self.heygen.now)

    @rule(
        draft_id=st.sampled_from("abc"),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=7),
        reads_fail=st.booleans(),
        again=st.booleans(),
    )
    def ask_for_it(self, draft_id, answers, reads_fail, again):
        self.heygen.answers = answers
        before = len(self.heygen.jobs)
        row, charged = asyncio.run(
            self.render(draft_id, again=again, reads_fail=reads_fail)
        )
        self.heygen.reads_fail = False
        if charged is False and row is not None and row.state != "submitted":
            made = [t for t in self.heygen.jobs.values() if t == row.token]
            assert made == [], "told as free, but it was made"
        if row is not None and row.state == "rejected":
            assert len(self.heygen.jobs) == before

    async def render(self, draft_id, *, again, reads_fail):
        account = Account(
            payer=ACCOUNT,
            client=self.heygen,
            ledger=self.ledger,
            catalogue=None,
            rates=None,
            clock=Clock(now=lambda: self.heygen.now, sleep=no_sleep),
            home=self.folder,
            videos=self.folder,
        )
        draft = new_render(draft_id)
        standing = self.ledger.find(ACCOUNT, draft_id, "r")
        made = await made_before(account, draft_id, ["r"])
        row, new = self.ledger.plan(ACCOUNT, draft, again=again, **made)
        if new and again and (made.get("made_attempt") or standing):
            self.allowed[draft_id] += 1  # a person's word: pay for another
        self.heygen.reads_fail = reads_fail
        if row.state != "planned":
            return row, None
        hold = self.ledger.leases.take(RenderRow, row.id)
        charged = None
        try:
            await submit(account, hold, row, Report(None))
        except (ApiError, OutcomeUnknownError) as error:
            charged = error.charged
        except Killed:
            pass
        self.ledger.leases.release(hold)
        return self.ledger.render(row.id), charged

    @rule(hours=st.sampled_from([1, 19, 21, 25, 60]))
    def time_goes_by(self, hours):
        self.heygen.now += timedelta(hours=hours)

    @rule()
    def the_ledger_is_lost(self):
        self.ledger.close()
        self.ledger = self.open()

    @invariant()
    def nothing_is_made_twice(self):
        for draft_id, allowed in getattr(self, "allowed", {}).items():
            tokens = {title_token(draft_id, "r", attempt) for attempt in range(1, 40)}
            made = [token for token in self.heygen.jobs.values() if token in tokens]
            assert len(made) <= allowed

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()
            shutil.rmtree(self.folder)


EMPTY = Path(tempfile.mkdtemp()) / "empty.db"
atexit.register(shutil.rmtree, EMPTY.parent)
Ledger(f"sqlite:///{EMPTY}").close()

TestFewDrafts = FewDrafts.TestCase
TestFewDrafts.settings = settings(
    max_examples=50,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
