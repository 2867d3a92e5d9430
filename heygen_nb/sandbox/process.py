"""The sandbox's own process: serving it, starting it, or joining the one that runs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import uvicorn
from filelock import FileLock, Timeout

from heygen_nb.errors import SandboxError
from heygen_nb.processes import UNSEEN
from heygen_nb.sandbox.app import TOKEN_HEADER, Sandbox, create_app
from heygen_nb.sandbox.state import SandboxOptions
from heygen_nb.sandbox.telegram import CHAT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette


_FILE = "server.json"
_POLL_S, _START_S = 0.05, 30.0
_TICKS = 10  # a second, of uvicorn's
# Kept so that a finished server is reaped and its object is never collected
# while the server lives, which Python would warn about.
children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class SandboxHandle:
    """A running sandbox.

    Attributes:
        base_url: Of the HeyGen stand-in.
        control_token: What its ``/_sandbox/`` routes ask for.
        telegram_base_url: As python-telegram-bot takes it; ends in ``/bot``.
        chat_id: The one chat.
        chat_url: Its page.
        account: The same for every sandbox on one state folder.
    """

    base_url: str
    api_key: str = field(repr=False)
    control_token: str = field(repr=False)
    telegram_base_url: str
    bot_token: str = field(repr=False)
    chat_id: str
    chat_url: str
    pid: int
    account: str

    @classmethod
    def of(cls, sandbox: Sandbox, listener: socket.socket) -> SandboxHandle:
        """Return the handle of a sandbox of this process."""
        host, port = listener.getsockname()[:2]
        base_url = f"http://{host}:{port}"
        return cls(
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

    def write(self, state_dir: Path) -> None:
        """Tell other processes of this user; half a file is none to ``read``."""
        file = state_dir / _FILE
        file.touch(0o600)
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, state_dir: Path) -> SandboxHandle | None:
        """Return the handle somebody wrote, whether or not it still serves."""
        try:
            return cls(**json.loads((state_dir / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def control(self, name: str, body: dict[str, Any] | None = None) -> Any:
        """Ask ``/_sandbox/<name>``, or tell it something.

        Raises:
            SandboxError: It does not serve any more, or refuses.
        """
        try:
            reply = httpx.request(
                "GET" if body is None else "POST",
                f"{self.base_url}/_sandbox/{name}",
                json=body,
                headers={TOKEN_HEADER: self.control_token},
                trust_env=False,
            )
            answer = reply.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise SandboxError("The sandbox does not answer.") from exc
        if reply.status_code != httpx.codes.OK:
            raise SandboxError(f"The sandbox refuses: {answer}")
        return answer


def start_sandbox(
    state_dir: Path, *, fast: bool = False, options: SandboxOptions | None = None
) -> SandboxHandle:
    """Return a sandbox that serves this process, starting one if none runs.

    Blocks; call it through ``asyncio.to_thread``. It ends by itself within
    seconds of the death of the last process that asked for it.

    A running one keeps its own options; ``fast`` overrules those given here.

    Raises:
        SandboxError: It did not start; the end of its log is in the message.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    given = {} if options is None else options.model_dump(exclude_unset=True)
    chosen = SandboxOptions(**given | ({"fast": True} if fast else {}))
    deadline = time.monotonic() + _START_S
    child: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        handle = _join(state_dir)
        if handle is not None:
            return handle
        if child is None:
            child = _spawn(state_dir, chosen)
        elif child.poll() == 0:
            child = None  # another server had the folder and is ending
        elif child.returncode is not None:
            break
        time.sleep(_POLL_S)
    log = state_dir / "sandbox.log"
    last = log.read_text(errors="replace")[-500:] if log.exists() else ""
    raise SandboxError("The sandbox did not start.", hint=f"Its log ends: {last}")


def _join(state_dir: Path) -> SandboxHandle | None:
    """Become one more owner of the server that runs there, if one does."""
    handle = SandboxHandle.read(state_dir)
    if handle is None:
        return None
    try:
        reply = handle.control("owners", {"pid": os.getpid()})
    except SandboxError:
        return None
    # What answers there may by now be another folder's server.
    known = {"ok": True, "pid": handle.pid, "account": handle.account}
    return handle if reply == known else None


def _spawn(state_dir: Path, options: SandboxOptions) -> subprocess.Popen[bytes]:
    children[:] = [child for child in children if child.poll() is None]
    # -P: a file of the user's called random.py must not be taken for Python's own.
    command = [sys.executable, "-P", "-m", "heygen_nb.sandbox.process"]
    command += [str(state_dir), str(os.getpid())]
    command += [options.model_dump_json(exclude_unset=True)]
    with (state_dir / "sandbox.log").open("ab") as log:
        # A session of its own: Ctrl-C in one owner's terminal is not for it.
        child = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | UNSEEN,
        )
    children.append(child)
    return child


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
        handle = SandboxHandle.of(app.state.sandbox, listener)
        handle.write(state_dir)
        try:
            if on_ready is not None:
                on_ready(handle)
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down
                SandboxServer(app, owned=owner is not None).run([listener])
        finally:
            (state_dir / _FILE).unlink(missing_ok=True)


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
