import asyncio
import http.server
import threading

import httpx
import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.preview.fetch import fetch_image, fetch_sound

pytestmark = pytest.mark.anyio

HOSTS = {
    "pictures.example": ["93.184.216.34"],
    "home.example": ["192.168.1.1"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
}


async def resolve(host):
    return HOSTS.get(host, [host])


def fetch(url, handler, **options):
    transport = httpx.MockTransport(handler)
    return fetch_image(url, transport=transport, resolve=resolve, **options)


async def test_a_picture_is_fetched_from_the_judged_address(picture):
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(200, content=picture)

    content = await fetch("https://pictures.example/a.png?x=1", handler)

    assert content == picture
    (request,) = seen
    assert request.url.host == "93.184.216.34"
    assert request.headers["Host"] == "pictures.example"
    assert request.extensions["sni_hostname"] == "pictures.example"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/a.png",
        "http://localhost/a.png",
        "http://10.1.2.3/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://[fd00::1]/a.png",
        "http://0.0.0.0/a.png",
        "http://224.0.0.1/a.png",
        "http://home.example/a.png",
        "http://mixed.example/a.png",
    ],
)
async def test_hosts_that_are_not_public_are_never_asked(url):
    HOSTS["localhost"] = ["127.0.0.1"]

    with pytest.raises(PreviewError, match="not public"):
        await fetch(url, lambda request: pytest.fail("asked"))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://10.1.2.3/a.png",
        "http://[fd00::1]/a.png",
        "http://home.example/a.png",
        "http://mixed.example/a.png",
    ],
)
async def test_the_sandbox_asks_this_machine_but_not_its_network(url, picture):
    def handler(request):
        assert request.url.host == "127.0.0.1"
        return httpx.Response(200, content=picture)

    local = await fetch("http://127.0.0.1:8000/a.png", handler, allow_private=True)

    assert local == picture
    with pytest.raises(PreviewError, match="not public"):
        await fetch(url, lambda _: pytest.fail("asked"), allow_private=True)


async def test_a_redirect_to_a_private_host_is_refused():
    def handler(request):
        return httpx.Response(302, headers={"Location": "http://home.example/x"})

    with pytest.raises(PreviewError, match="not public"):
        await fetch("https://pictures.example/a.png", handler)


async def test_redirects_are_followed_and_end(picture):
    def handler(request):
        if request.url.path == "/real":
            return httpx.Response(200, content=picture)
        there = "/real" if request.url.path == "/a" else request.url.path
        return httpx.Response(301, headers={"Location": there})

    assert await fetch("https://pictures.example/a", handler) == picture
    with pytest.raises(PreviewError, match="redirects too often"):
        await fetch("https://pictures.example/round", handler)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only http"),
        ("ftp://pictures.example/a.png", "only http"),
        ("not a url", "only http"),
        ("http://", "only http"),
        ("http://[bad/", "cannot be reached"),
    ],
)
async def test_other_addresses_are_refused(url, reason):
    with pytest.raises(PreviewError, match=reason):
        await fetch(url, lambda request: pytest.fail("asked"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (httpx.Response(404), "answers 404"),
        (httpx.Response(200, html="<p>hello"), "not a picture"),
        (httpx.Response(200, content=b"x" * 5000), "larger than"),
        (httpx.Response(200, content=b"no picture"), "cannot be read"),
        (httpx.Response(200, content=b""), "cannot be read"),
    ],
)
async def test_what_is_no_picture_is_refused(reply, reason):
    with pytest.raises(PreviewError, match=reason):
        await fetch(
            "https://pictures.example/a?token=secret", lambda r: reply, max_bytes=4000
        )


async def test_a_host_that_dawdles_is_given_up():
    async def handler(request):
        await asyncio.Event().wait()

    with pytest.raises(PreviewError, match="longer than"):
        await fetch("https://pictures.example/a", handler, timeout_s=0.05)


async def test_the_address_is_not_in_the_message():
    with pytest.raises(PreviewError) as caught:
        await fetch(
            "https://pictures.example/a?sig=secret", lambda r: httpx.Response(500)
        )

    assert "secret" not in str(caught.value)


async def test_a_server_of_this_machine_is_asked_when_allowed(picture):
    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://localhost:{server.server_port}/a.png"

        assert await fetch_image(url, allow_private=True) == picture
        with pytest.raises(PreviewError, match="not public"):
            await fetch_image(url)


def listen(url, reply, **options):
    transport = httpx.MockTransport(lambda _request: reply)
    return fetch_sound(url, transport=transport, resolve=resolve, **options)


@pytest.mark.parametrize("kind", ["audio/mpeg", "audio/wav", "binary/octet-stream"])
async def test_a_sound_is_fetched(kind):
    reply = httpx.Response(200, content=b"sound", headers={"Content-Type": kind})

    assert await listen("https://pictures.example/a.mp3", reply) == b"sound"


@pytest.mark.parametrize(
    ("url", "reply", "reason"),
    [
        ("http://pictures.example/a.mp3", httpx.Response(200), "only https"),
        ("https://home.example/a.mp3", httpx.Response(200), "not public"),
        ("https://pictures.example/a", httpx.Response(200, html="<p>"), "not a sound"),
        ("https://pictures.example/a?sig=secret", httpx.Response(403), "answers 403"),
        ("https://pictures.example/a", httpx.Response(200, content=b"xxx"), "larger"),
    ],
)
async def test_what_is_no_sound_is_refused(url, reply, reason):
    with pytest.raises(PreviewError, match=reason) as caught:
        await listen(url, reply, max_bytes=2)

    assert "secret" not in str(caught.value)
