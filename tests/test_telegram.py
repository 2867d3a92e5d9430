"""The poster against loopback servers that behave and misbehave."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import traceback
from contextlib import asynccontextmanager

import pytest
from hypothesis import example, given, settings, strategies as st
from pydantic import SecretStr

from heygen_nb.chats import (
    MAX_CAPTION,
    MAX_FILE_BYTES,
    MAX_MESSAGE,
    chat_of,
    split_caption,
)
from heygen_nb.errors import (
    ConfigError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUnsureError,
)
from heygen_nb.telegram import TelegramPoster

from .serving import sandbox_in_thread

pytestmark = pytest.mark.anyio

TOKEN = "1234567:AAVerySecretPartOfTheToken"
SIZE = {"width": 720, "height": 1280, "duration": 30}
MESSAGE = {
    "message_id": 77,
    "date": 1767225600,
    "chat": {"id": -1001, "type": "channel", "title": "Chat"},
}


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "ролик.mp4"
    path.write_bytes(b"0123456789abcdef" * 50_000)
    return path


def answer(status: int, content: object, *, kind: str = "application/json") -> bytes:
    body = (
        content.encode() if isinstance(content, str) else json.dumps(content).encode()
    )
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def result(content: object) -> bytes:
    return answer(200, {"ok": True, "result": content})


def refusal(status: int, description: str, **parameters: object) -> bytes:
    content = {"ok": False, "error_code": status, "description": description}
    return answer(status, content | ({"parameters": parameters} if parameters else {}))


class Telegram:
    """Answers each request with the next answer (the last one for ever).

    ``drop at once`` closes without reading, ``drop`` after the whole upload, and
    ``silence`` never answers.
    """

    def __init__(self, *answers: bytes | str) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader, writer) -> None:
        self.tasks.add(asyncio.current_task())
        try:
            while True:
                now = self.answers[0]
                if now == "drop at once":
                    writer.transport.abort()
                    return
                self.requests.append(await self._read(reader))
                now = self.answers.pop(0) if len(self.answers) > 1 else now
                if now == "silence":
                    await asyncio.sleep(30)
                if isinstance(now, str):
                    return
                writer.write(now)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the client is gone, or the test is over
        finally:
            writer.close()

    async def _read(self, reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            lines = head.lower().split(b"\r\n")
            length = next(x for x in lines if x.startswith(b"content-length:"))
            body = await reader.readexactly(int(length.split(b":")[1]))
        return head + body

    def methods(self) -> list[str]:
        return [r.split(b" ")[1].decode().rsplit("/", 1)[1] for r in self.requests]


class Naps(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@asynccontextmanager
async def poster(*answers: bytes | str, **options):
    server = Telegram(*answers)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**24)
    port = listener.sockets[0].getsockname()[1]
    base_url = f"http://127.0.0.1:{port}/bot"
    try:
        async with TelegramPoster(
            SecretStr(TOKEN), base_url=base_url, **options
        ) as bot:
            yield bot, server
    finally:
        listener.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


async def test_a_video_is_posted_with_all_that_makes_it_look_right(video, tmp_path):
    thumbnail = tmp_path / "t.jpg"
    thumbnail.write_bytes(b"\xff\xd8 jpeg")

    async with poster(result(MESSAGE)) as (bot, server):
        message_id = await bot.send_video(
            "-1001", video, caption="*Не разметка* <b>", thumbnail=thumbnail, **SIZE
        )

    assert message_id == 77
    (request,) = server.requests
    assert request.startswith(f"POST /bot{TOKEN}/sendVideo ".encode())
    assert video.read_bytes() in request
    assert b"\xff\xd8 jpeg" in request
    assert "*Не разметка* <b>".encode() in request
    for field, value in {
        "width": 720,
        "height": 1280,
        "duration": 30,
        "supports_streaming": "true",
        "chat_id": -1001,
    }.items():
        assert f'name="{field}"\r\n\r\n{value}\r\n'.encode() in request
    assert b"parse_mode" not in request


async def test_a_message_is_posted_without_asking_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async with poster(result(MESSAGE)) as (bot, server):
        assert await bot.send_message("@chat", "The rest") == 77

    assert server.methods() == ["sendMessage"]


async def test_check_names_bot_and_chat():
    bot_user = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "my_bot"}

    async with poster(result(bot_user), result(MESSAGE["chat"])) as (bot, server):
        found = await bot.check("@chat&x")

    assert found == ("my_bot", "Chat")
    assert server.methods() == [
        *("getMe?chat_id=%40chat%26x", "getChat?chat_id=%40chat%26x")
    ]


@pytest.mark.parametrize(
    ("reply", "kind", "word"),
    [
        (refusal(401, "Unauthorized"), DeliveryRefusedError, "TELEGRAM_BOT_TOKEN"),
        (refusal(404, "Not Found"), DeliveryRefusedError, "TELEGRAM_BOT_TOKEN"),
        (
            refusal(403, "Forbidden: bot was kicked from the channel chat"),
            DeliveryRefusedError,
            "kicked",
        ),
        (
            refusal(403, "Forbidden: bot was blocked by the user"),
            DeliveryRefusedError,
            "blocked",
        ),
        (
            refusal(400, "Bad Request: not enough rights to send videos to the chat"),
            DeliveryRefusedError,
            "rights",
        ),
        (
            refusal(400, "Bad Request: need administrator rights in the channel chat"),
            DeliveryRefusedError,
            "rights",
        ),
        (
            refusal(400, "Bad Request: chat not found"),
            DeliveryError,
            "telegram_chat_id",
        ),
        (
            refusal(400, "Bad Request: upgraded", migrate_to_chat_id=-100777),
            DeliveryError,
            "-100777",
        ),
        (refusal(400, "Bad Request: odd"), DeliveryError, "odd"),
        (refusal(413, "Request Entity Too Large"), DeliveryError, "Too Large"),
        (answer(413, "<html>", kind="text/html"), DeliveryError, "413"),
    ],
)
async def test_a_refusal_is_clear_and_final(video, reply, kind, word):
    async with poster(reply) as (bot, server):
        with pytest.raises(DeliveryError) as caught:
            await bot.send_video("5", video, **SIZE)

    assert type(caught.value) is kind
    assert word in str(caught.value)
    assert caught.value.hint
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        "drop at once",
        "drop",
        answer(502, "<h1>Bad Gateway</h1>", kind="text/html"),
        refusal(500, "Internal Server Error"),
        answer(200, "<h1>Sign in</h1>", kind="text/html"),
        answer(200, ""),
        answer(200, '{"ok": true, "result": {'),
        answer(200, {"ok": True}),
        answer(302, ""),
        result(True),
        result([]),
        result({"date": 5}),
        b"SSH-2.0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("what", ["video", "message"])
async def test_what_may_have_arrived_is_unsure_and_sent_once(video, reply, what):
    naps = Naps()
    async with poster(reply, sleep=naps) as (bot, server):
        sent = bot.send_video("5", video, **SIZE)
        if what == "message":
            sent.close()
            sent = bot.send_message("5", "text")
        with pytest.raises(DeliveryUnsureError) as caught:
            await sent

    assert len(server.requests) == (0 if reply == "drop at once" else 1)
    assert naps == []
    assert caught.value.exit_code == 5


async def test_no_answer_in_time_is_unsure(video, monkeypatch):
    monkeypatch.setattr("heygen_nb.telegram._READ_S", 0.05)

    async with poster("silence") as (bot, server):
        with pytest.raises(DeliveryUnsureError):
            await bot.send_video("5", video, **SIZE)

    assert len(server.requests) == 1


async def test_nobody_listening_means_not_sent(video):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}/bot"

    async with TelegramPoster(SecretStr(TOKEN), base_url=base_url) as bot:
        with pytest.raises(DeliveryError) as caught:
            await bot.send_video("5", video, **SIZE)

    assert type(caught.value) is DeliveryError


async def test_text_that_cannot_be_written_is_not_sent():
    async with poster(result(MESSAGE)) as (bot, server):
        with pytest.raises(DeliveryError) as caught:
            await bot.send_message("5", "half \ud83d")

    assert type(caught.value) is DeliveryError
    assert server.requests == []


@pytest.mark.parametrize("reply", ["drop", refusal(502, "Bad Gateway"), result(True)])
async def test_a_check_that_fails_is_never_unsure(reply):
    async with poster(reply) as (bot, _):
        with pytest.raises(DeliveryError) as caught:
            await bot.check("5")

    assert type(caught.value) is DeliveryError


async def test_a_busy_telegram_is_waited_for_and_the_whole_file_sent_again(video):
    naps = Naps()
    busy = refusal(429, "Too Many Requests: retry after 7", retry_after=7)
    bare = answer(429, "<html>", kind="text/html")

    async with poster(busy, bare, result(MESSAGE), sleep=naps) as (bot, server):
        assert await bot.send_video("5", video, **SIZE) == 77

    assert naps == [7, 10]
    assert [video.read_bytes() in request for request in server.requests] == [True] * 3


@pytest.mark.parametrize(("asked", "waited"), [(50, [50, 50]), (0, [1] * 120)])
async def test_a_busy_telegram_is_not_waited_for_for_ever(asked, waited):
    naps = Naps()
    busy = refusal(429, "Too Many Requests", retry_after=asked)

    async with poster(busy, sleep=naps) as (bot, server):
        with pytest.raises(DeliveryError) as caught:
            await bot.send_message("5", "text")

    assert naps == waited
    assert len(server.requests) == len(waited) + 1
    assert type(caught.value) is DeliveryError
    assert caught.value.retry_after_s == max(1, asked)


@pytest.mark.parametrize("size", [0, MAX_FILE_BYTES + 1, None])
async def test_a_file_telegram_would_not_take_is_not_sent(tmp_path, size):
    path = tmp_path / "v.mp4"
    if size is not None:
        with path.open("wb") as file:
            file.truncate(size)

    async with poster(result(MESSAGE)) as (bot, server):
        with pytest.raises(DeliveryError):
            await bot.send_video("5", path, **SIZE)

    assert server.requests == []


@pytest.mark.parametrize("url", ["http://api.telegram.org/bot", "telegram", "ftp://x"])
def test_a_token_is_not_sent_over_an_unsafe_address(url):
    with pytest.raises(ConfigError):
        TelegramPoster(SecretStr(TOKEN), base_url=url)


@pytest.mark.parametrize("token", ["", "a b", "1:x\n", "токен", "1/../2"])
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(token):
    with pytest.raises(DeliveryRefusedError) as caught:
        TelegramPoster(SecretStr(token))

    assert caught.value.exit_code == 3
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        "drop",
        "drop at once",
        result(MESSAGE),
        result(True),
        refusal(401, f"Unauthorized: {TOKEN}"),
        refusal(400, f"Bad Request: /bot{TOKEN}/sendVideo"),
        answer(404, f"<html>/bot{TOKEN}/ was not found", kind="text/html"),
        answer(502, f"<html>/bot{TOKEN}/", kind="text/html"),
        answer(200, f"<html>/bot{TOKEN}/", kind="text/html"),
        refusal(429, f"Too Many Requests {TOKEN}", retry_after=1),
    ],
)
async def test_the_token_is_seen_nowhere(video, caplog, reply):
    caplog.set_level(logging.DEBUG)
    for name in ("telegram", "httpx", "httpcore"):  # as in a fresh process
        logging.getLogger(name).setLevel(logging.NOTSET)
    shown = []

    async with poster(reply, sleep=Naps()) as (bot, _):
        shown += [repr(bot), str(bot)]
        for call in (
            bot.check("5"),
            bot.send_message("5", "text"),
            bot.send_video("5", video, **SIZE),
        ):
            try:
                await call
            except DeliveryError as error:
                shown += _everything(error)

    assert TOKEN.split(":")[1] not in "".join(shown) + caplog.text


def _everything(error: Exception) -> list[str]:
    """Show an error as verbose tracebacks do, without the frame of the test."""
    told = traceback.TracebackException(
        type(error), error, error.__traceback__.tb_next, capture_locals=True
    )
    assert error.__cause__ is None
    assert error.__context__ is None
    return [*told.format(), repr(vars(error))]


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=80),
            st.sampled_from([" ", "\n\n", ". ", "! ", "😀", "я", "x" * 700]),
            st.integers(1, 1500).map("😀".__mul__),
        ),
        max_size=25,
    ).map("".join)
)
@example("")
@example(" \n ")
@example("😀" * 5000)
def test_a_caption_is_cut_to_size_and_nothing_is_lost(text):
    first, *rest = split_caption(text)

    assert units(first) <= MAX_CAPTION
    assert all(0 < units(part) <= MAX_MESSAGE for part in rest)
    assert "".join("".join([first, *rest]).split()) == "".join(text.split())


def test_a_short_caption_stays_as_it_is():
    assert split_caption("One.\n\nTwo") == ["One.\n\nTwo"]
    assert split_caption("") == [""]
    assert split_caption("😀" * 512) == ["😀" * 512]
    assert split_caption("x" * 1024) == ["x" * 1024]


@pytest.mark.parametrize(
    ("first", "between", "second"),
    [
        ("First. And more. " * 40, "\n\n", "Second. " * 100),
        ("a word " * 100 + "end of it.", " ", "Next sentence is long " * 30),
        ("Он сказал: «Так!»", " ", "б" * 1010),
        ("слово " * 169 + "слово", " ", "слово " * 50),
        ("x" * 1024, "", "x" * 100),
    ],
)
def test_a_cut_falls_between_paragraphs_sentences_or_words(first, between, second):
    text = first.strip() + between + second.strip()

    assert split_caption(text) == [first.strip(), second.strip()]


def test_a_cut_does_not_waste_the_room_for_an_early_paragraph():
    text = "Hi.\n\n" + "word " * 300

    assert units(split_caption(text)[0]) > MAX_CAPTION - 10


async def test_posts_arrive_in_the_stand_ins_chat(tmp_path, video):
    text = "A caption of two parts. " * 60
    with sandbox_in_thread(tmp_path / "state") as live:
        sandbox = live.handle
        async with TelegramPoster(
            SecretStr(sandbox.bot_token), base_url=sandbox.telegram_base_url
        ) as bot:
            found = await bot.check(sandbox.chat_id)
            first, *rest = split_caption(text)
            ids = [await bot.send_video(sandbox.chat_id, video, caption=first, **SIZE)]
            ids += [await bot.send_message(sandbox.chat_id, part) for part in rest]
            with pytest.raises(DeliveryError, match="telegram_chat_id"):
                await bot.check("-5")
        async with TelegramPoster(
            SecretStr(TOKEN), base_url=sandbox.telegram_base_url
        ) as stranger:
            with pytest.raises(DeliveryRefusedError):
                await stranger.check(sandbox.chat_id)
        posts = sandbox.control("ledger")["posts"]

    assert found[1] == "Sandbox chat"
    assert len(ids) == len(posts) == 2
    assert " ".join(post["text"] for post in posts) == text.strip()


@pytest.mark.parametrize(
    "end", ["34.", "No. 5.", "Mr.", "Prof.", "J.", "U.S.", "e.g.", "см.", "рис."]
)
def test_a_stop_of_a_short_form_ends_no_sentence(end):
    sentence = "A sentence comes to its end here. "
    text = sentence * 27 + f"We speak of {end} " + "Again and again it goes on " * 40

    first = split_caption(text)[0]

    assert first == (sentence * 27).strip()


@pytest.mark.parametrize(
    "emoji", ["👨‍👩‍👧‍👦", "1️⃣", "🇩🇪", "👍🏽", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é", "й", "क्षि", "กำ"]
)
@pytest.mark.parametrize("before", range(12))
def test_a_cut_is_never_inside_of_an_emoji(emoji, before):
    text = "x" * before + emoji * 600

    for part in split_caption(text):
        assert part.strip("x").replace(emoji, "") == ""


def test_an_amount_is_not_cut_at_its_hard_space():
    text = "слово " * 170 + "1\u00a0299\u00a0₽ и так далее " * 20

    assert split_caption(text)[0].endswith("слово")


@pytest.mark.parametrize(
    ("written", "chat"),
    [
        ("@my_channel", "@my_channel"),
        (" my_channel ", "@my_channel"),
        ("https://t.me/my_channel", "@my_channel"),
        ("t.me/my_channel/123", "@my_channel"),
        ("https://t.me/s/my_channel", "@my_channel"),
        ("https://telegram.me/my_channel", "@my_channel"),
        ("https://t.me/c/1234567890/45", "-1001234567890"),
        ("-1001234567890", "-1001234567890"),
        ("1234567890", "1234567890"),
        ("-4567", "-4567"),
        ("https://t.me/my_channel?boost", "@my_channel"),
        ("my_channel.t.me", "@my_channel"),
        ("-1001234567890_45", "-1001234567890/45"),
        ("tg://resolve?domain=my_channel", "@my_channel"),
        ("https://web.telegram.org/k/#@my_channel", "@my_channel"),
        ("https://web.telegram.org/a/#-1001234567890", "-1001234567890"),
        ("", ""),
    ],
)
def test_a_chat_is_known_however_people_write_it(written, chat):
    assert chat_of(written) == chat


@pytest.mark.parametrize("link", ["https://t.me/+AbCdEf", "t.me/joinchat/AbCdEf"])
def test_an_invitation_is_refused_with_what_to_write(link):
    with pytest.raises(ConfigError, match="invitation"):
        chat_of(link)


@pytest.mark.parametrize("written", ["-1234567890", "1234567890"])
async def test_a_forgotten_hundred_is_tried_when_there_is_no_such_chat(video, written):
    unknown = refusal(400, "Bad Request: chat not found")

    async with poster(unknown, result(MESSAGE)) as (bot, server):
        assert await bot.send_video(written, video, **SIZE) == 77

    chats = [r.split(b'name="chat_id"\r\n\r\n')[1][:14] for r in server.requests]
    assert [c.split(b"\r")[0].decode() for c in chats] == [written, "-1001234567890"]


async def test_topic_cover_and_start_are_told(video, tmp_path):
    cover = tmp_path / "cover.jpg"
    cover.write_bytes(b"\xff\xd8 cover")

    async with poster(result(MESSAGE)) as (bot, server):
        await bot.send_video("-1001/45", video, cover=cover, start_timestamp=7, **SIZE)
        await bot.send_message("-1001/45", "text")

    request, message = server.requests
    assert b"\xff\xd8 cover" in request
    assert b'name="start_timestamp"\r\n\r\n7\r\n' in request
    assert b'name="message_thread_id"\r\n\r\n45\r\n' in request
    assert b"message_thread_id" in message
