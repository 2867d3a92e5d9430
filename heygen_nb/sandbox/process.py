"""A sandbox as other processes know it: starting one, or joining the one that runs.

Kernels join it while the Studio opens, so its server (``app``) is not loaded here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from heygen_nb.errors import SandboxError
from heygen_nb.processes import UNSEEN
from heygen_nb.sandbox.state import SandboxOptions

TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 - its name, not a token
SERVER_FILE = "server.json"
_POLL_S, _START_S = 0.05, 30.0
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

    def write(self, state_dir: Path) -> None:
        """Tell other processes of this user; half a file is none to ``read``."""
        file = state_dir / SERVER_FILE
        file.touch(0o600)
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, state_dir: Path) -> SandboxHandle | None:
        """Return the handle somebody wrote, whether or not it still serves."""
        try:
            return cls(**json.loads((state_dir / SERVER_FILE).read_text()))
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
                timeout=_START_S,
            )
            answer = reply.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise SandboxError("The sandbox does not answer.") from exc
        if reply.status_code != httpx.codes.OK:
            raise SandboxError(f"The sandbox refuses: {answer}")
        return answer


def start_sandbox(
    state_dir: Path, options: SandboxOptions | None = None
) -> SandboxHandle:
    """Return a sandbox that serves this process, starting one if none runs.

    Blocks; call it through ``asyncio.to_thread``. It ends by itself within
    seconds of the death of the last process that asked for it.

    A running one keeps its own options.

    Raises:
        SandboxError: It did not start; the end of its log is in the message.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _START_S
    child: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        handle = _join(state_dir)
        if handle is not None:
            return handle
        if child is None:
            child = _spawn(state_dir, options or SandboxOptions())
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
    command = [sys.executable, "-P", "-m", "heygen_nb.sandbox.app"]
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
