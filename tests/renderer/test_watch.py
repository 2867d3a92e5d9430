from __future__ import annotations

import asyncio

import pytest

from heygen_nb.clock import Clock
from heygen_nb.errors import NotAuthorizedError, NotFoundError, ServerError
from heygen_nb.heygen.wire import StatusRow, VideoReply
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.wait import look

pytestmark = pytest.mark.anyio


class FakeHeyGen:
    """Answers each look with the next of its words; counts requests."""

    def __init__(self, *words):
        self.words = list(words)
        self.bulk, self.single = [], []
        self.left_out = set()

    def _word(self):
        return self.words.pop(0) if len(self.words) > 1 else self.words[0]

    async def video_statuses(self, ids):
        self.bulk.append(list(ids))
        word = self._word()
        if isinstance(word, Exception):
            raise word
        return [
            StatusRow(video_id=i, status=word) for i in ids if i not in self.left_out
        ]

    async def get_video(self, video_id):
        self.single.append(video_id)
        word = self._word()
        if isinstance(word, Exception):
            raise word
        return VideoReply(id=video_id, status=word)


async def no_sleep(_seconds):
    await asyncio.sleep(0)


def account_at(heygen):
    """What looking at videos needs of an account."""
    needless = ("payer", "ledger", "catalogue", "rates", "home", "videos")
    clock = Clock(sleep=no_sleep)
    return Account(client=heygen, clock=clock, **dict.fromkeys(needless))


async def words_of(account, video_id, count):
    looks = [await look(account, video_id, 1) for _look in range(count)]
    return [video and video.status for video in looks]


async def test_one_video_is_looked_at_by_itself():
    heygen = FakeHeyGen("pending", "processing", "completed")

    seen = await words_of(account_at(heygen), "v1", 3)

    assert seen == ["pending", "processing", "completed"]
    assert heygen.bulk == []


async def test_250_videos_are_three_requests_a_round():
    heygen = FakeHeyGen("processing")
    account = account_at(heygen)

    await asyncio.gather(*(words_of(account, f"v{n}", 1) for n in range(250)))

    assert [len(ids) for ids in heygen.bulk[:3]] == [100, 100, 50]
    assert heygen.single == []


async def test_only_what_has_ended_is_read_by_itself():
    heygen = FakeHeyGen("processing", "completed")
    account = account_at(heygen)

    seen = await asyncio.gather(*(words_of(account, v, 2) for v in ("v1", "v2")))

    assert seen == [["processing", "completed"]] * 2
    assert sorted(heygen.single) == ["v1", "v2"]


async def test_hours_of_errors_are_only_looks_that_failed():
    heygen = FakeHeyGen(*[ServerError("down")] * 500, "completed")

    seen = await words_of(account_at(heygen), "v1", 501)

    assert seen == [None] * 500 + ["completed"]


async def test_a_missing_video_is_told_and_a_gateways_404_is_not():
    gone = NotFoundError("gone", status=404, code="video_not_found")
    heygen = FakeHeyGen(NotFoundError("which route?", status=404), gone)

    seen = await words_of(account_at(heygen), "v1", 2)

    assert seen == [None, "missing"]


async def test_a_video_missing_in_the_bulk_answer_is_looked_at_by_itself():
    heygen = FakeHeyGen("processing")
    heygen.left_out = {"v1"}
    account = account_at(heygen)

    await asyncio.gather(*(words_of(account, v, 1) for v in ("v1", "v2")))

    assert heygen.single == ["v1"]


async def test_a_key_that_is_no_longer_accepted_ends_all_waiting():
    account = account_at(FakeHeyGen(NotAuthorizedError("no")))

    found = await asyncio.gather(
        *(words_of(account, v, 1) for v in ("v1", "v2")), return_exceptions=True
    )

    assert [type(error) for error in found] == [NotAuthorizedError] * 2


async def test_who_comes_as_the_last_one_leaves_is_not_forgotten():
    account = account_at(FakeHeyGen("processing"))

    async with asyncio.timeout(60):
        await words_of(account, "v1", 1)
        assert await words_of(account, "v2", 1) == ["processing"]
