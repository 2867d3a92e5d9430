"""A refusal says "not charged" only when nothing can have been charged."""

from __future__ import annotations

import asyncio

import pytest

import heygen_nb as hg
from heygen_nb.api import settings_for
from heygen_nb.errors import ApiError, LedgerError, NetworkError, OutcomeUnknownError
from heygen_nb.renderer import submit
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import adopt, order, order_again

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_naps")]

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5)
POST = {"path": "/v3/videos", "method": "POST"}


def lose_the_reply(sandbox):
    """The job is accepted, and the client does not hear of it."""
    sandbox.fault("drop", **POST, after=True)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 429, 500])
async def test_a_refusal_of_the_repeat_does_not_settle_the_first(sandbox, status):
    lose_the_reply(sandbox)
    times = 3 if status == 429 else None
    sandbox.fault("status", **POST, status=status, times=times, retry_after_s=0)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 500])
async def test_while_nothing_can_be_read_it_may_have_been_charged(sandbox, status):
    settings = sandbox.settings()
    lose_the_reply(sandbox)
    sandbox.fault("status", **POST, status=status, times=None)
    # the first listing is that of a young ledger
    refused = {"status": status, "times": None}
    sandbox.fault("status", "/v3/videos", method="GET", skip=1, **refused)
    # and the first question who pays is answered
    sandbox.fault("status", "/v3/users/me", skip=1, **refused)

    with pytest.raises(ApiError) as caught:
        await hg.render_video(DRAFT, settings=settings)

    assert caught.value.charged is None
    sandbox.clear_faults()
    [outcome] = await hg.resume(settings=settings)
    assert outcome.status == "completed"
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_a_network_that_goes_away_after_a_lost_reply_proves_nothing(
    sandbox, monkeypatch
):
    settings = sandbox.settings()
    lose_the_reply(sandbox)
    real = submit._after_error

    async def unplugged(account, *args, **kwargs):
        monkeypatch.setattr(account.client._http, "_mounts", {}, raising=False)
        account.client._http.base_url = "http://127.0.0.1:9"
        return await real(account, *args, **kwargs)

    monkeypatch.setattr(submit, "_after_error", unplugged)

    with pytest.raises(NetworkError) as caught:
        await hg.render_video(DRAFT, settings=settings)

    assert caught.value.charged is None
    monkeypatch.undo()
    [outcome] = await hg.resume(settings=settings)
    assert outcome.status == "completed"
    assert len(sandbox.ledger()["jobs"]) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413])
async def test_a_refusal_of_the_first_send_is_free(sandbox, status):
    sandbox.fault("status", **POST, status=status)

    with pytest.raises(ApiError) as caught:
        await hg.render_video(DRAFT, settings=sandbox.settings())

    assert caught.value.charged is False
    assert sandbox.ledger()["jobs"] == []


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("drop", {"after": True}),
        ("cut", {}),
        ("empty", {"after": True}),
        ("truncated", {}),
        ("html", {"after": True}),
        ("error_in_200", {"after": True}),
        ("status", {"after": True, "status": 500}),
        ("status", {"after": True, "status": 502, "html": True}),
        ("status", {"after": True, "status": 504}),
    ],
)
@pytest.mark.parametrize("times", [1, None])
async def test_every_way_to_lose_a_reply_is_paid_once(sandbox, kind, rule, times):
    sandbox.fault(kind, **POST, **rule, times=times)

    video = await hg.render_video(DRAFT, settings=sandbox.settings())

    assert video.path.exists()
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


@pytest.mark.parametrize("hours", [21, 25])
async def test_a_key_that_may_be_dead_is_not_used_again(sandbox, children_of, hours):
    sandbox.fault("drop", **POST, after=True)
    children_of(sandbox).run([DRAFT], "reply lost", send=False)
    sandbox.clear_faults()
    sent = sandbox.requests("POST /v3/videos")
    sandbox.advance(hours * 3600)

    [outcome] = await hg.resume(settings=sandbox.settings())

    assert outcome.status == "completed"
    assert sandbox.requests("POST /v3/videos") == sent == 1
    assert len(sandbox.ledger()["jobs"]) == len(sandbox.charges()) == 1


async def test_with_a_dead_key_and_no_such_video_a_person_decides(sandbox, children_of):
    children_of(sandbox).run([DRAFT], "before the POST", send=False)
    sandbox.advance(21 * 3600)

    [outcome] = await hg.resume(settings=sandbox.settings())
    [again] = await hg.resume(settings=sandbox.settings())

    assert outcome.status == again.status == "unknown"
    assert outcome.exit_code == 5
    assert outcome.error.charged is None
    assert sandbox.requests("POST /v3/videos") == 0


async def test_a_key_that_was_only_ever_refused_lives_on(sandbox):
    settings = sandbox.settings()
    sandbox.fault("status", **POST, status=429, code="quota_exceeded")
    with pytest.raises(ApiError):
        await hg.render_video(DRAFT, settings=settings)
    sandbox.advance(30 * 3600)

    video = await hg.render_video(DRAFT, settings=settings)

    assert video.path.exists()
    assert len(sandbox.charges()) == 1


async def unknown_render(sandbox, children_of):
    children_of(sandbox).run([DRAFT], "before the POST", send=False)
    sandbox.advance(21 * 3600)
    [outcome] = await hg.resume(settings=sandbox.settings())
    return outcome.render_id


async def test_a_person_may_pay_again_for_what_is_unknown(sandbox, children_of):
    render_id = await unknown_render(sandbox, children_of)
    async with open_account(sandbox.settings()) as account:
        await order_again(account, render_id, sandbox.settings())

    [outcome] = await hg.resume(settings=sandbox.settings())

    assert outcome.status == "completed"
    assert outcome.render_id != render_id
    assert len(sandbox.charges()) == 1
    assert await hg.resume(settings=sandbox.settings()) == []


async def test_a_person_may_name_the_video_of_what_is_unknown(sandbox, children_of):
    render_id = await unknown_render(sandbox, children_of)
    other = DRAFT.model_copy(update={"id": "other"})
    settings = sandbox.settings()
    taken = await hg.create_video(other, settings=settings)
    async with open_account(settings) as account:
        client = account.client
        loose = await client.create_video(
            '{"type":"avatar","avatar_id":"look_own_01","script":"Found by hand"}',
            idempotency_key="by-hand",
        )

        with pytest.raises(LedgerError, match="belongs to"):
            await adopt(account, render_id, taken)
        with pytest.raises(ApiError):
            await adopt(account, render_id, "no-such-video")
        await adopt(account, render_id, loose.video_id)
        with pytest.raises(LedgerError, match="nothing to decide"):
            await adopt(account, render_id, loose.video_id)

    outcomes = await hg.resume(settings=settings)

    assert {o.video_id for o in outcomes} == {taken, loose.video_id}
    assert len(sandbox.charges()) == 2


@pytest.mark.parametrize("change", ["key", "address"])
async def test_nothing_is_sent_to_another_account(sandbox, children_of, change):
    children_of(sandbox).run([DRAFT], "before the POST", send=False)
    other = sandbox.settings(
        **{
            "key": {"heygen_api_key": "sk_another"},
            "address": {
                "heygen_base_url": sandbox.handle.base_url.replace(
                    "127.0.0.1", "localhost"
                )
            },
        }[change]
    )

    outcomes = await hg.resume(settings=other)

    assert outcomes == []
    assert sandbox.requests("POST /v3/videos") == 0
    [outcome] = await hg.resume(settings=sandbox.settings())
    async with open_account(other) as account:
        for settle in (
            adopt(account, outcome.render_id, "v"),
            order_again(account, outcome.render_id, other),
        ):
            with pytest.raises(LedgerError, match="another key"):
                await settle
    assert len(sandbox.charges()) == 1


async def test_a_wrong_key_stops_a_resume_at_its_first_send(sandbox):
    settings = sandbox.settings(max_concurrent_renders=1)
    async with open_account(settings) as account:
        for number in range(5):
            draft = DRAFT.model_copy(update={"id": f"d{number}"})
            chosen = settings_for(draft, settings)
            await order(account, draft, chosen)
    sandbox.fault("status", **POST, status=401, times=None)

    outcomes = await hg.resume(settings=settings)

    assert [outcome.exit_code for outcome in outcomes] == [3] * 5
    assert {outcome.error.charged for outcome in outcomes} == {False}
    assert sandbox.requests("POST /v3/videos") == 1


async def test_what_a_person_must_decide_is_not_rendered_by_asking_again(
    sandbox, children_of
):
    await unknown_render(sandbox, children_of)

    with pytest.raises(OutcomeUnknownError, match="may have been paid"):
        await hg.render_video(DRAFT, settings=sandbox.settings())

    await asyncio.sleep(0)
    assert sandbox.requests("POST /v3/videos") == 0
