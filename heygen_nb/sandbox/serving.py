"""The sandbox's own process: it serves until its last owner has died."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import uvicorn
from filelock import FileLock, Timeout

from heygen_nb.errors import SandboxError
from heygen_nb.sandbox.app import Sandbox, create_app
from heygen_nb.sandbox.process import SERVER_FILE, SandboxHandle
from heygen_nb.sandbox.state import SandboxOptions
from heygen_nb.sandbox.telegram import CHAT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

_TICKS = 10  # a second, of uvicorn's


class SandboxServer(uvicorn.Server):
    """Ends when told to, or when its last owner has died."""

    def __init__(self, app: Starlette, *, owned: bool = False) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            log_config=None,
            access_log=False,
            lifespan="on",
            date_header=False,  # ours comes from the sandbox's clock
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._owned = owned
        self._sandbox: Sandbox = app.state.sandbox

    async def on_tick(self, counter: int) -> bool:
        """End with the owners (uvicorn calls this ten times a second)."""
        if self._owned and counter % _TICKS == 0:
            # From then on nobody is taken in.
            self._sandbox.closing = not any(map(_lives, self._sandbox.owners))
        return self._sandbox.closing or await super().on_tick(counter)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Open the port of a server; 0 takes a free one.

    Raises:
        SandboxError: The port is taken, or not allowed.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as exc:
        problem = f"The sandbox cannot listen on {host}:{port}: {exc.strerror}"
        raise SandboxError(problem) from exc
    # Connections inherit it; without it an answer takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(
    port: int,
    *,
    state_dir: Path,
    options: SandboxOptions | None = None,
    owner: int | None = None,
    on_ready: Callable[[SandboxHandle], Any] | None = None,
) -> None:
    """Serve this machine until interrupted, or until the last owner has died.

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
    with held, listen("127.0.0.1", port) as listener:
        app = create_app(state_dir, options)
        if owner is not None:
            app.state.sandbox.take_in(owner)
        handle = handle_of(app.state.sandbox, listener)
        handle.write(state_dir)
        try:
            if on_ready is not None:
                on_ready(handle)
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down
                SandboxServer(app, owned=owner is not None).run([listener])
        finally:
            (state_dir / SERVER_FILE).unlink(missing_ok=True)


def handle_of(sandbox: Sandbox, listener: socket.socket) -> SandboxHandle:
    """Return what tells others of a sandbox that listens in this process."""
    host, port = listener.getsockname()[:2]
    base_url = f"http://{host}:{port}"
    return SandboxHandle(
        base_url=base_url,
        api_key=sandbox.api_key,
        control_token=sandbox.control_token,
        telegram_base_url=f"{base_url}/bot",
        bot_token=sandbox.telegram.bot_token,
        chat_id=CHAT_ID,
        chat_url=f"{base_url}/chat",
        pid=os.getpid(),
        account=sandbox.account,
    )


def main(state_dir: str, owner: str, options: str) -> None:
    """Run the process behind ``start_sandbox``."""
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=line)
    # httpx would log the links it fetches, signatures and all.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen = SandboxOptions.model_validate_json(options)
    try:
        serve(0, state_dir=Path(state_dir), options=chosen, owner=int(owner))
    except SandboxError as exc:
        # Losing the race for the folder is no failure: the winner serves.
        logging.getLogger("heygen_nb.sandbox").info("%s", exc)


if __name__ == "__main__":
    main(*sys.argv[1:])
