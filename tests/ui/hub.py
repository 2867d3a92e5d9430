"""A reverse proxy as JupyterHub has one in front of every person's server.

It knows one prefix; whatever is asked for beside it belongs to the hub, and is not
there. HTTP goes through with its ranges, a kernel's websocket with its subprotocol.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_ONE_HOP = {"connection", "content-length", "transfer-encoding", "upgrade"}


class Forward(WebSocketHandler):
    """Passes on one request, or all that one websocket says."""

    def initialize(self, behind: str) -> None:
        """Take the server behind, such as 127.0.0.1:8888."""
        self.behind = behind

    async def get(self, *_path: str) -> None:
        """Pass on what is asked for; a websocket is opened on both sides."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get()
        else:
            await self._forward()

    async def _forward(self, *_path: str) -> None:
        asked = HTTPRequest(
            f"http://{self.behind}{self.request.uri}",
            self.request.method,
            self.request.headers,
            self.request.body or None,
            allow_nonstandard_methods=True,
            decompress_response=False,
            follow_redirects=False,
            request_timeout=300,
        )
        reply = await AsyncHTTPClient().fetch(asked, raise_error=False)
        self.set_status(reply.code, reply.reason)
        for name, value in reply.headers.get_all():
            if name.lower() not in _OF_ONE_HOP:
                self.add_header(name, value)
        self.finish(reply.body or None)

    head = post = put = patch = delete = options = _forward  # type: ignore[assignment]

    def check_origin(self, _origin: str) -> bool:
        """Leave that to the server behind, which gets the same headers."""
        return True

    def select_subprotocol(self, offered: list[str]) -> str | None:
        """Take the newest one, as the server behind does."""
        self.protocols = offered[:1]
        return next(iter(offered), None)

    async def open(self, *_path: str) -> None:
        """Open the other side; what is said is not read before."""
        kept = ("Host", "Origin", "Cookie")
        headers = {n: v for n in kept if (v := self.request.headers.get(n))}
        self.server: Any = await websocket_connect(
            HTTPRequest(f"ws://{self.behind}{self.request.uri}", headers=headers),
            subprotocols=self.protocols,
            on_message_callback=self._said,
            max_message_size=128_000_000,
        )

    def _said(self, message: str | bytes | None) -> None:
        if message is None:
            self.close()
        elif self.ws_connection:
            self.write_message(message, isinstance(message, bytes))

    def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says."""
        self.server.write_message(message, isinstance(message, bytes))

    def on_close(self) -> None:
        """Hang up on the other side too."""
        self.server.close()


@contextmanager
def hub_before(url: str) -> Iterator[str]:
    """Serve a server's prefix at another port of this machine; give its address."""
    server, prefix = urlsplit(url).netloc, urlsplit(url).path
    route = (f"{prefix}/.*", Forward, {"behind": server})
    [socket] = bind_sockets(0, "127.0.0.1")
    port = socket.getsockname()[1]
    loop = asyncio.new_event_loop()

    async def begin() -> HTTPServer:
        AsyncHTTPClient.configure(None, max_clients=100, max_body_size=500_000_000)
        serving = HTTPServer(Application([route]))
        serving.add_sockets([socket])
        return serving

    async def end(serving: HTTPServer) -> None:
        serving.stop()
        await serving.close_all_connections()
        AsyncHTTPClient().close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield f"http://127.0.0.1:{port}{prefix}"
    finally:
        asyncio.run_coroutine_threadsafe(end(serving), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
