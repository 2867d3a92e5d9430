import contextlib
from dataclasses import dataclass

import httpx
import pytest

from heygen_nb.sandbox.app import Sandbox, SandboxOptions, create_app
from heygen_nb.sandbox.faults import Fault
from heygen_nb.sandbox.process import SandboxHandle
from heygen_nb.sandbox.server import run_in_thread
from heygen_nb.sandbox.state import Clock

NOW = 1_800_000_000.0  # 2027-01-15


@dataclass
class Running:
    """A sandbox in a thread, a client with its key, and its inside."""

    handle: SandboxHandle
    inside: Sandbox
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

    def fault(self, kind, **fields):
        """Add a fault over HTTP."""
        reply = self.api.post("/_sandbox/faults", json={"kind": kind, **fields})
        assert reply.status_code == 200, reply.text

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
    faults = [Fault(**fault) for fault in options.pop("faults", [])]
    instant = {"fast": True, "pending_s": 0, "processing_s": 0}
    chosen = SandboxOptions(**(instant | options), faults=faults)
    app = create_app(folder, chosen, clock=Clock(lambda: NOW))
    with (
        run_in_thread(app) as handle,
        httpx.Client(
            base_url=handle.base_url, headers={"X-Api-Key": handle.api_key}, timeout=30
        ) as api,
    ):
        yield Running(handle, app.state.sandbox, api)


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
