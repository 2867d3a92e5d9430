"""Serving the application on a real port: for tests in a thread, else for good."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from heygen_nb.errors import SandboxError
from heygen_nb.sandbox.app import create_app
from heygen_nb.sandbox.handle import SandboxHandle
from heygen_nb.sandbox.owners import Owners
from heygen_nb.sandbox.spoiling import Connection
from heygen_nb.sandbox.telegram import CHAT_ID

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

    from heygen_nb.sandbox.options import SandboxOptions

_START_S = 20


class _Protocol(H11Protocol):
    """Hands the connection to the application, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        app, connection = self.app, Connection(transport)

        async def connected(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = scope.get("extensions", {}) | {
                "sandbox.connection": connection
            }
            await app({**scope, "extensions": extensions}, receive, send)

        self.app = connected


def _server(app: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        log_config=None,
        access_log=False,
        lifespan="on",
        date_header=False,  # ours comes from the sandbox's clock
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY: without it 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port}: {exc.strerror}"
        ) from exc
    return listener


def handle_of(app: Starlette, base_url: str) -> SandboxHandle:
    """Return what clients of this application need to know."""
    sandbox = app.state.sandbox
    return SandboxHandle(
        base_url=base_url,
        api_key=sandbox.api_key,
        telegram_base_url=f"{base_url}/bot",
        bot_token=sandbox.telegram.bot_token,
        chat_id=CHAT_ID,
        chat_url=f"{base_url}/chat",
        pid=os.getpid(),
        account=sandbox.account,
    )


@contextlib.contextmanager
def run_in_thread(app: Starlette) -> Iterator[SandboxHandle]:
    """Serve an application of :func:`create_app` on a free port, for tests.

    Raises:
        SandboxError: It did not start.
    """
    listener = _bound("127.0.0.1", 0)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + _START_S
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise SandboxError("The sandbox did not start in its thread.")
            time.sleep(0.002)
        yield handle_of(app, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def serve(
    host: str = "127.0.0.1",
    port: int = 8017,
    *,
    state_dir: Path,
    options: SandboxOptions | None = None,
    owner: int | None = None,
    on_ready: Callable[[SandboxHandle], Any] | None = None,
) -> None:
    """Serve until interrupted, or until the last owner has died.

    ``<state_dir>/server.json`` tells other processes where it is.

    Args:
        host: Address; the control endpoints answer this machine only.
        port: 0 takes a free one.
        state_dir: Where everything is kept; one server at a time has it.
        options: See :class:`SandboxOptions`.
        owner: Process id it serves and ends with; None for nobody.
        on_ready: Gets the handle once the port is open.

    Raises:
        SandboxError: Another sandbox has this folder, or the port is taken.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(state_dir / "server.lock").acquire(timeout=0)
    except Timeout:
        raise SandboxError(f"Another sandbox is serving {state_dir} already.") from None
    with held, _bound(host, port) as listener:
        app = create_app(
            state_dir,
            options,
            owners=Owners() if owner is None else Owners(owner),
            on_orphaned=lambda: setattr(server, "should_exit", True),
        )
        server = _server(app)
        shown = f"[{host}]" if ":" in host else host
        handle = handle_of(app, f"http://{shown}:{listener.getsockname()[1]}")
        listener.listen(128)
        handle.write(state_dir)
        try:
            if on_ready is not None:
                on_ready(handle)
            with contextlib.suppress(
                KeyboardInterrupt
            ):  # uvicorn has shut down by then
                server.run(sockets=[listener])
        finally:
            handle.forget(state_dir)
