from __future__ import annotations

import asyncio

import httpx
import pytest

from heygen_nb.errors import DownloadError, PreviewError
from heygen_nb.renderer.download import Downloader

pytestmark = pytest.mark.anyio

CONTENT = bytes(range(256)) * 40


class Host:
    """A file host that answers from a script, then well; it counts."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.naps = []

    def __call__(self, request):
        self.requests.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        have = int(request.headers.get("range", "bytes=0-")[6:-1])
        if not have:
            return httpx.Response(200, content=CONTENT)
        part = f"bytes {have}-{len(CONTENT) - 1}/{len(CONTENT)}"
        headers = {"content-range": part}
        return httpx.Response(206, content=CONTENT[have:], headers=headers)

    async def nap(self, seconds):
        self.naps.append(seconds)


class _Cut(httpx.AsyncByteStream):
    async def __aiter__(self):
        yield CONTENT[:1000]
        raise httpx.ReadError("cut")


def cut():
    return httpx.Response(200, headers={"content-length": "10240"}, stream=_Cut())


def must_be_content(path):
    if path.read_bytes() != CONTENT:
        raise PreviewError("not the film")


@pytest.fixture
def fetch(tmp_path):
    links = []

    async def run(host, check=must_be_content):
        async def link(fresh):
            links.append(fresh)
            return "https://files.example/v.mp4?Signature=very-secret"

        downloader = Downloader(transport=httpx.MockTransport(host), sleep=host.nap)
        try:
            return await downloader.fetch(
                link, tmp_path / "v.mp4", video_id="v1", check=check
            )
        finally:
            await downloader.close()

    run.links = links
    return run


async def test_a_file_arrives_whole_and_nothing_else_is_left(fetch, tmp_path):
    path = await fetch(Host())

    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.glob("v*")] == ["v.mp4"]


async def test_a_cut_download_goes_on_where_it_stopped(fetch):
    host = Host(cut())

    path = await fetch(host)

    assert path.read_bytes() == CONTENT
    assert host.requests[1].headers["range"] == "bytes=1000-"


async def test_a_host_that_ignores_ranges_starts_over(fetch):
    host = Host(cut(), httpx.Response(200, content=CONTENT))

    assert (await fetch(host)).read_bytes() == CONTENT


async def test_a_whole_part_file_of_an_earlier_run_is_taken(fetch, tmp_path):
    (tmp_path / "v.mp4.part").write_bytes(CONTENT)
    over = httpx.Response(416, headers={"content-range": f"bytes */{len(CONTENT)}"})

    assert (await fetch(Host(over))).read_bytes() == CONTENT


async def test_a_part_of_another_file_is_thrown_away(fetch, tmp_path):
    (tmp_path / "v.mp4.part").write_bytes(b"x" * 20000)
    over = httpx.Response(416, headers={"content-range": f"bytes */{len(CONTENT)}"})

    assert (await fetch(Host(over))).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_an_expired_link_is_asked_for_again(fetch, status):
    await fetch(Host(httpx.Response(status)))

    assert fetch.links == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<h1>Sign in</h1>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"no film at all"),
        httpx.Response(500),
        httpx.ConnectError("no"),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_anything_but_the_file_is_tried_again(fetch, answer):
    assert (await fetch(Host(answer))).read_bytes() == CONTENT


async def test_a_host_that_only_sends_pages_ends_in_an_error(fetch, tmp_path):
    host = Host(*[httpx.Response(200, html="<h1>no</h1>") for _ in range(9)])

    with pytest.raises(DownloadError, match="web page") as caught:
        await fetch(host)

    assert caught.value.video_id == "v1"
    assert "very-secret" not in str(caught.value)
    assert not list(tmp_path.glob("v*"))
    assert len(host.requests) == 5


async def test_no_key_is_sent_to_the_file_host(fetch):
    host = Host()

    await fetch(host)

    assert "x-api-key" not in host.requests[0].headers
    assert "authorization" not in host.requests[0].headers


async def test_a_full_disk_leaves_nothing(fetch, tmp_path, monkeypatch):
    def full(_path):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await fetch(Host(), check=full)

    assert not list(tmp_path.glob("v*"))


async def test_a_part_that_begins_elsewhere_is_not_sewn_on(fetch):
    wrong = httpx.Response(
        206,
        content=CONTENT[5000:],
        headers={"content-range": f"bytes 5000-{len(CONTENT) - 1}/{len(CONTENT)}"},
    )

    path = await fetch(Host(cut(), wrong))

    assert path.read_bytes() == CONTENT


class _Endless(httpx.AsyncByteStream):
    def __init__(self, pause_s=0.0):
        self.pause_s = pause_s

    async def __aiter__(self):
        while True:
            await asyncio.sleep(self.pause_s)
            yield b"x" * 1000


@pytest.mark.parametrize("bounds", [{"max_bytes": 50_000}, {"limit_s": 0.5}])
async def test_a_body_without_end_is_given_up(tmp_path, bounds):
    async def link(_fresh):
        return "https://files.example/v.mp4"

    async def nap(_seconds):
        await asyncio.sleep(0)

    def host(_request):
        return httpx.Response(200, stream=_Endless(0.01 if "limit_s" in bounds else 0))

    transport = httpx.MockTransport(host)
    downloader = Downloader(transport=transport, sleep=nap, **bounds)
    with pytest.raises(DownloadError):
        await downloader.fetch(
            link, tmp_path / "v.mp4", video_id="v1", check=must_be_content
        )
    await downloader.close()

    assert not (tmp_path / "v.mp4").exists()
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= 200_000
