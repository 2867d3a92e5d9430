"""Posts are counted in the stand-in's chat, which has a number and a name."""

from __future__ import annotations

import pytest

import heygen_nb as hg
from heygen_nb.api import render_drafts
from heygen_nb.errors import ConfigError, DeliveryError, DeliveryUnsureError
from heygen_nb.ledger import Ledger
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import ledger_url, open_account
from heygen_nb.reports import history_lines

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5, caption="Old")
OTHER_CHAT = "@sandbox_other"
TWO_PARTS = "A long sentence of a post. " * 60


@pytest.fixture
async def video(sandbox):
    return await hg.render_video(DRAFT, settings=sandbox.settings())


def texts(sandbox):
    return [post["text"] for post in sandbox.ledger()["posts"]]


def stored(home):
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        return ledger.posts.parts(1)


async def refuse(sandbox, video, caption="Old", status=400, **settings):
    sandbox.fault("status", "*/send*", status=status)
    with pytest.raises(DeliveryError):
        await hg.send_video(video, caption, settings=sandbox.settings(**settings))
    sandbox.clear_faults()


async def resume(sandbox, **settings):
    return await hg.resume(settings=sandbox.settings(**settings))


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("caption", ["New", "", TWO_PARTS])
async def test_a_refused_post_is_sent_with_the_corrected_caption(
    sandbox, video, caption, again
):
    await refuse(sandbox, video)

    settings = sandbox.settings()
    await hg.send_video(video, caption, again=again, settings=settings)
    await resume(sandbox)

    assert " ".join(texts(sandbox)) == caption.strip()
    assert sandbox.requests("POST /bot{token}/sendVideo") == 2


async def test_a_post_sent_to_another_chat_is_not_sent_to_the_old_one_as_well(
    sandbox, video, home
):
    await refuse(sandbox, video, status=403, telegram_chat_id=OTHER_CHAT)
    await hg.send_video(video, "Old", settings=sandbox.settings())

    assert await resume(sandbox) == []
    assert await resume(sandbox, telegram_chat_id=OTHER_CHAT) == []
    assert texts(sandbox) == ["Old"]
    assert sandbox.requests("POST /bot{token}/sendVideo") == 2
    assert [row.chat_id for row in stored(home)] == [sandbox.handle.chat_id]


async def test_a_refused_post_goes_to_the_chat_that_is_set_now(sandbox, video, home):
    await refuse(sandbox, video, status=403, telegram_chat_id=OTHER_CHAT)

    [outcome] = await resume(sandbox)

    assert outcome.sent is True
    assert texts(sandbox) == ["Old"]
    assert [row.chat_id for row in stored(home)] == [sandbox.handle.chat_id]


async def test_a_line_never_says_sent_and_why_it_is_not(sandbox, video):
    def told():
        [line] = history_lines(*opened)
        return line.sent, line.error and line.error.code

    settings = sandbox.settings()
    with Ledger(ledger_url(settings)) as ledger:
        opened = ledger, settings.videos_path
        await refuse(sandbox, video)
        assert told() == (False, "telegram")
        await hg.send_video(video, "Old", settings=settings)
        assert told() == (True, None)
        sandbox.fault("status", "*/send*", status=400)
        with pytest.raises(DeliveryError):
            await hg.send_video(video, "Old", again=True, settings=settings)
        assert told() == (False, "telegram")


@pytest.mark.parametrize(
    "written", ["@sandbox_chat", "https://t.me/Sandbox_Chat", "1234567890"]
)
async def test_a_chat_written_another_way_gets_no_second_post(sandbox, video, written):
    first = await hg.send_video(video, "Old", settings=sandbox.settings())

    settings = sandbox.settings(telegram_chat_id=written)
    again = await hg.send_video(video, "Old", settings=settings)

    assert again == first
    assert texts(sandbox) == ["Old"]


async def test_a_post_that_is_half_in_another_chat_waits_for_a_person(sandbox, video):
    sandbox.fault("status", "*/sendMessage", status=400)
    with pytest.raises(DeliveryError):
        await hg.send_video(
            video, TWO_PARTS, settings=sandbox.settings(telegram_chat_id=OTHER_CHAT)
        )
    sandbox.clear_faults()

    [outcome] = await resume(sandbox)

    assert OTHER_CHAT in outcome.error.message
    assert f"resend {outcome.post_id}" in outcome.error.hint
    assert len(texts(sandbox)) == 1
    async with open_account(sandbox.settings()) as account:
        post = await Posting(sandbox.settings(), account).resend(outcome.post_id)
    assert post.chat_id == OTHER_CHAT
    assert " ".join(texts(sandbox)) == TWO_PARTS.strip()


async def test_a_lost_answer_tells_at_once_how_to_settle_it(sandbox, video):
    sandbox.fault("drop", "*/sendVideo", after=True)

    with pytest.raises(DeliveryUnsureError) as caught:
        await hg.send_video(video, settings=sandbox.settings())

    post_id = caught.value.post_id
    assert f"heygen-nb mark-sent {post_id}" in caught.value.hint
    assert f"heygen-nb resend {post_id}" in caught.value.hint


async def test_a_post_that_may_be_elsewhere_is_not_sent_there_again(sandbox, video):
    sandbox.fault("drop", "*/sendVideo", after=True)
    elsewhere = sandbox.settings(telegram_chat_id=OTHER_CHAT)
    with pytest.raises(DeliveryUnsureError):
        await hg.send_video(video, settings=elsewhere)
    sandbox.clear_faults()

    [outcome] = await resume(sandbox)

    assert outcome.sent == "unsure"
    assert len(texts(sandbox)) == 1


async def test_a_post_that_another_one_replaced_is_not_sent_by_its_number(
    sandbox, video
):
    sandbox.fault("drop", "*/sendVideo", after=True)
    with pytest.raises(DeliveryUnsureError) as caught:
        await hg.send_video(video, settings=sandbox.settings())
    sandbox.clear_faults()
    await hg.send_video(video, "Once", again=True, settings=sandbox.settings())

    async with open_account(sandbox.settings()) as account:
        with pytest.raises(DeliveryError, match="in the place of post"):
            await Posting(sandbox.settings(), account).resend(caught.value.post_id)

    assert await resume(sandbox) == []
    assert len(texts(sandbox)) == 2


async def test_resume_posts_the_caption_that_the_draft_has_by_now(sandbox, home):
    sandbox.fault("status", "*/sendVideo", status=400)
    async with open_account(sandbox.settings()) as account:
        [outcome] = await render_drafts(account, sandbox.settings(), [DRAFT], send=True)
        drafts = account.ledger.drafts
        drafts.save(DRAFT.model_copy(update={"caption": "New"}), over=0)
    sandbox.clear_faults()

    [again] = await resume(sandbox)

    assert (outcome.sent, again.sent) == (False, True)
    assert texts(sandbox) == ["New"]


async def test_a_caption_given_by_hand_stays(sandbox, video):
    await refuse(sandbox, video, "By hand")
    async with open_account(sandbox.settings()) as account:
        drafts = account.ledger.drafts
        drafts.save(DRAFT.model_copy(update={"caption": "New"}), over=0)

    await resume(sandbox)

    assert texts(sandbox) == ["By hand"]


async def test_sent_is_said_only_of_what_is_sent_now(sandbox):
    said = []
    async with open_account(sandbox.settings()) as account:
        for _ in range(2):
            [outcome] = await render_drafts(
                account,
                sandbox.settings(),
                [DRAFT],
                send=True,
                progress=lambda _draft: said.append,
            )

    assert outcome.sent is True
    assert sum("Video sent" in progress.message for progress in said) == 1
    assert texts(sandbox) == ["Old"]


async def test_an_outcome_that_is_sent_has_no_error(sandbox):
    sandbox.fault("status", "*/sendVideo", status=400)
    async with open_account(sandbox.settings()) as account:
        [outcome] = await render_drafts(account, sandbox.settings(), [DRAFT], send=True)
        sandbox.clear_faults()
        video = await hg.render_video(DRAFT, settings=sandbox.settings())
        outcome = outcome.posted(
            await Posting(sandbox.settings(), account).send(video, "Old")
        )

    assert (outcome.sent, outcome.error, outcome.exit_code) == (True, None, 0)


async def test_nothing_is_stored_without_a_chat(sandbox, video, home):
    with pytest.raises(ConfigError, match="chat"):
        await hg.send_video(video, settings=sandbox.settings(telegram_chat_id=""))

    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        assert ledger.posts.unfinished("heygen") == []


async def test_a_missing_thumbnail_does_not_stop_a_post(sandbox, video):
    video.thumbnail.unlink()

    await hg.send_video(video, "Look!", settings=sandbox.settings())

    [sent] = sandbox.ledger()["posts"]
    assert "thumbnail" not in sent["fields"]


async def test_a_post_goes_to_its_topic_with_label_cover_and_start(sandbox, video):
    settings = sandbox.settings(
        telegram_chat_id="https://t.me/c/1234567890",
        telegram_thread_id=45,
        telegram_cover_s=2,
        telegram_start_s=3,
        ai_label="caption",
    )

    post = await hg.send_video(video, "Look!", settings=settings)

    [sent] = sandbox.ledger()["posts"]
    assert post.chat_id == "-1001234567890/45"
    assert sent["text"] == "Look!\n\n🤖 Made with AI"
    assert sent["fields"]["message_thread_id"] == "45"
    assert sent["fields"]["start_timestamp"] == "3"
    assert sent["fields"]["cover"].startswith("attach://")
    assert sent["fields"]["thumbnail"].startswith("attach://")
    assert video.path.with_suffix(".cover.jpg").stat().st_size > 1000
