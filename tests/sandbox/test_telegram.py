import io

import pytest
from PIL import Image
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter

pytestmark = pytest.mark.anyio


def jpeg(side=320):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "#304050").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
async def bot(sandbox):
    handle = sandbox.handle
    async with Bot(handle.bot_token, base_url=handle.telegram_base_url) as bot:
        yield bot


async def test_the_bot_and_its_chat_introduce_themselves(sandbox, bot):
    chat = await bot.get_chat(sandbox.handle.chat_id)

    assert bot.username == "sandbox_bot"
    assert (str(chat.id), chat.type) == (sandbox.handle.chat_id, "channel")
    assert (await bot.get_chat("@sandbox_chat")).id == chat.id


async def test_a_video_is_kept_with_all_that_was_said_about_it(sandbox, bot):
    message = await bot.send_video(
        sandbox.handle.chat_id,
        b"a movie",
        caption="Hello",
        width=720,
        height=1280,
        duration=31,
        thumbnail=jpeg(),
        supports_streaming=True,
        filename="clip.mp4",
    )

    post = sandbox.ledger()["posts"][0]
    file = sandbox.api.get(f"{sandbox.handle.chat_url}/{message.message_id}/file")
    assert (message.video.width, message.video.height) == (720, 1280)
    assert message.video.thumbnail.width == 320
    assert message.caption == "Hello"
    assert post["fields"]["duration"] == "31"
    assert post["fields"]["supports_streaming"] in ("True", "true")
    assert (file.content, file.headers["content-type"]) == (b"a movie", "video/mp4")


async def test_a_thumbnail_against_the_rules_is_ignored(sandbox, bot):
    message = await bot.send_video(
        sandbox.handle.chat_id, b"a movie", thumbnail=jpeg(321)
    )

    assert message.video.thumbnail is None


async def test_messages_and_documents_follow(sandbox, bot):
    chat_id = sandbox.handle.chat_id
    text = await bot.send_message(chat_id, "И ещё", reply_to_message_id=1)
    document = await bot.send_document(chat_id, b"1", filename="a.srt")

    assert (text.text, document.document.file_name) == ("И ещё", "a.srt")
    assert [post["id"] for post in sandbox.ledger()["posts"]] == ["1", "2"]


async def test_what_telegram_refuses_is_refused_in_its_words(sandbox, bot):
    chat_id = sandbox.handle.chat_id
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message("12345", "x")
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(chat_id, "x" * 4097)
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(chat_id, " ")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_video(chat_id, b"m", caption="🌙" * 513)
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_video(chat_id, b"")
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_video(chat_id, "no-such-file-id")

    assert sandbox.ledger()["posts"] == []


async def test_a_file_over_50_mb_is_too_large(sandbox, bot):
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_video(sandbox.handle.chat_id, bytes(50 * 1024 * 1024 + 1))


async def test_a_wrong_token_is_rejected(sandbox):
    with pytest.raises(InvalidToken):
        async with Bot("1:wrong", base_url=sandbox.handle.telegram_base_url):
            pass


async def test_faults_speak_telegrams_language(sandbox, bot, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    chat_id, path = sandbox.handle.chat_id, "/bot*/sendMessage"
    sandbox.fault("status", path=path, status=429, retry_after_s=4)
    sandbox.fault("status", path=path, status=403, message="Forbidden: bot was kicked")

    with pytest.raises(RetryAfter) as wait:
        await bot.send_message(chat_id, "x")
    with pytest.raises(Forbidden, match="bot was kicked"):
        await bot.send_message(chat_id, "x")

    assert wait.value.retry_after.total_seconds() == 4


async def test_a_post_can_arrive_though_its_answer_is_lost(sandbox, bot):
    sandbox.fault("drop", after=True, path="/bot*/sendMessage")

    with pytest.raises(NetworkError):
        await bot.send_message(sandbox.handle.chat_id, "x")

    assert len(sandbox.ledger()["posts"]) == 1


async def test_an_unknown_method_is_a_404(sandbox):
    handle = sandbox.handle
    url = f"{handle.telegram_base_url}{handle.bot_token}/sendTelepathy"

    assert sandbox.api.get(url).json()["error_code"] == 404


async def test_the_chat_page_escapes_what_was_posted(sandbox, bot):
    caption = "<script>alert(1)</script>"
    await bot.send_video(
        sandbox.handle.chat_id, b"m", caption=caption, filename='"><img>.mp4'
    )
    await bot.send_document(sandbox.handle.chat_id, b"d", filename="<b>.html")

    page = sandbox.api.get(sandbox.handle.chat_url).text

    assert caption not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert '<video controls playsinline preload="metadata" src="/chat/1/file"' in page
    assert "<b>.html" not in page


async def test_a_posted_page_is_downloaded_never_shown(sandbox, bot):
    html = b"<script>alert(1)</script>"
    await bot.send_document(sandbox.handle.chat_id, html, filename="a.html")

    reply = sandbox.api.get(f"{sandbox.handle.chat_url}/1/file")

    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "title"),
    [("ru-RU,ru;q=0.9,en;q=0.8", "Чат песочницы"), ("de,en;q=0.5", "Sandbox chat")],
)
async def test_the_chat_page_speaks_english_and_russian(sandbox, accepted, title):
    page = sandbox.api.get(
        sandbox.handle.chat_url, headers={"Accept-Language": accepted}
    )

    assert f"<title>{title}</title>" in page.text
