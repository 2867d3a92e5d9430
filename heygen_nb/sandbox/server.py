"""Serving the application on a real port: for tests in a thread, else for good."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from heygen_nb.errors import SandboxError
from heygen_nb.sandbox.app import SandboxOptions, create_app
from heygen_nb.sandbox.process import SandboxHandle
from heygen_nb.sandbox.telegram import CHAT_ID

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

_START_S = 20
_TICKS = 10  # a second


class _Protocol(H11Protocol):
    """Hands the connection to the application, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Ends when told to, or when its last owner has died."""

    def __init__(self, app: Starlette, *, owned: bool = False) -> None:
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
        super().__init__(config)
        self._owned = owned
        self._owners = app.state.sandbox.owners

    async def on_tick(self, counter: int) -> bool:
        if self._owned and counter % _TICKS == 0 and self._owners.look():
            return True
        return await super().on_tick(counter)


def _bound(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port))
    except OSError as exc:
        problem = f"The sandbox cannot listen on {host}:{port}: {exc.strerror}"
        raise SandboxError(problem) from exc
    # Connections inherit it; without it an answer takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _handle(app: Starlette, listener: socket.socket) -> SandboxHandle:
    host, port = listener.getsockname()
    base_url, sandbox = f"http://{host}:{port}", app.state.sandbox
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
    """Serve an application of :func:`create_app` on a free port, for tests."""
    server = _Server(app)
    with _bound("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            deadline = time.monotonic() + _START_S
            while not server.started:
                if time.monotonic() > deadline or not thread.is_alive():
                    raise SandboxError("The sandbox did not start in its thread.")
                time.sleep(0.002)
            yield _handle(app, listener)
        finally:
            server.should_exit = True
            thread.join()


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

    ``<state_dir>/server.json`` tells other processes where it is; ``owner`` is a
    process id, ``on_ready`` gets the handle once the port (0: a free one) is open.

    Raises:
        SandboxError: Another sandbox has this folder, or the port is taken.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(state_dir / "server.lock").acquire(timeout=0)
    except Timeout:
        raise SandboxError(f"Another sandbox is serving {state_dir} already.") from None
    with held, _bound(host, port) as listener:
        app = create_app(state_dir, options)
        if owner is not None:
            app.state.sandbox.owners.add(owner)
        handle = _handle(app, listener)
        handle.write(state_dir)
        try:
            if on_ready is not None:
                on_ready(handle)
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down
                _Server(app, owned=owner is not None).run([listener])
        finally:
            handle.forget(state_dir)


def main(state_dir: str, owner: str, options: str) -> None:
    """Run the process behind ``start_sandbox``."""
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=line)
    # httpx would log the links it fetches, signatures and all.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen = SandboxOptions.model_validate_json(options)
    try:
        serve(port=0, state_dir=Path(state_dir), options=chosen, owner=int(owner))
    except SandboxError as exc:
        # Losing the race for the folder is no failure: the winner serves.
        logging.getLogger("heygen_nb.sandbox").info("%s", exc)


if __name__ == "__main__":
    main(*sys.argv[1:])
