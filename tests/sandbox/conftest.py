import contextlib
from dataclasses import dataclass

import httpx
import pytest

from heygen_nb.sandbox.app import Sandbox
from heygen_nb.sandbox.process import TOKEN_HEADER, SandboxHandle
from heygen_nb.sandbox.state import SandboxClock, SandboxOptions

from ..serving import CALM, INSTANT, Faults, sandbox_in_thread

NOW = 1_800_000_000.0  # 2027-01-15


@dataclass
class Running:
    """A sandbox in a thread, a client with its key and token, and its inside."""

    handle: SandboxHandle
    inside: Sandbox
    faults: Faults
    api: httpx.Client

    def create(self, key=None, **changes):
        """Ask for a video."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.api.post("/v3/videos", json=avatar(**changes), headers=headers)

    def video(self, video_id):
        """Return what GET says about a video."""
        return self.api.get(f"/v3/videos/{video_id}").json()["data"]

    def completed(self, **changes):
        """Return a finished video."""
        return self.video(self.create(**changes).json()["data"]["video_id"])

    def ledger(self):
        """Return what was accepted, charged and asked."""
        return self.api.get("/_sandbox/ledger").json()

    def fault(self, kind, **rule):
        """Let something go wrong."""
        self.faults.add(kind, **rule)

    def advance(self, seconds):
        """Let the sandbox's clock run."""
        self.api.post("/_sandbox/clock", json={"advance_s": seconds})


def avatar(**changes):
    """Return a body that is fine."""
    body = {"type": "avatar", "avatar_id": "look_own_01", "title": "lesson [t-1]"}
    body |= {"script": "Welcome to lesson three.", "voice_id": "voice_en_001"}
    return {name: v for name, v in (body | changes).items() if v is not None}


@contextlib.contextmanager
def running(folder, **options):
    """Serve a sandbox whose clock stands still and whose renders take no time."""
    chosen = SandboxOptions(**(INSTANT | CALM | options))
    clock = SandboxClock(lambda: NOW)
    with (
        sandbox_in_thread(folder, chosen, clock=clock) as live,
        api_of(live.handle) as api,
    ):
        yield Running(live.handle, live.inside, live.faults, api)


def api_of(handle):
    """Return a client with the key and the control token."""
    known = {"X-Api-Key": handle.api_key, TOKEN_HEADER: handle.control_token}
    return httpx.Client(base_url=handle.base_url, headers=known, timeout=30)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def start(tmp_path):
    """Start sandboxes with options; all on one state folder."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(tmp_path / "s", **options))


@pytest.fixture
def sandbox(start):
    return start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Serve tests that leave nothing behind for others to stumble over."""
    with running(tmp_path_factory.mktemp("shared")) as sandbox:
        yield sandbox
