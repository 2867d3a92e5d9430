import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from heygen_nb.errors import SandboxError
from heygen_nb.preview import probe_video
from heygen_nb.sandbox.app import serve
from heygen_nb.sandbox.process import SandboxHandle, start_sandbox
from heygen_nb.sandbox.state import SandboxOptions

from ..serving import CALM
from .conftest import api_of, avatar

FAST = SandboxOptions(fast=True)
OWNER = """
import sys, time
from pathlib import Path
from heygen_nb.sandbox.process import start_sandbox
from heygen_nb.sandbox.state import SandboxOptions
print(start_sandbox(Path(sys.argv[1]), SandboxOptions(fast=True)).pid, flush=True)
time.sleep(60)
"""


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


def alive(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@contextlib.contextmanager
def owner(folder):
    """Run another process that starts or joins a sandbox."""
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "s"
    handle = SandboxHandle.read(tmp_path / "s")
    if handle is not None and alive(handle.pid):
        os.kill(handle.pid, signal.SIGKILL)


def status(client, video_id):
    return client.get(f"/v3/videos/{video_id}").json()["data"]["status"]


def test_a_second_start_joins_the_first(folder):
    first = start_sandbox(folder, FAST)
    second = start_sandbox(folder)

    assert first == second
    assert first.control("ledger")["fast"]
    assert first.telegram_base_url == f"{first.base_url}/bot"
    assert first.api_key not in repr(first)
    assert first.control_token not in repr(first)
    assert (folder / "server.json").stat().st_mode & 0o077 == 0


def test_the_server_ends_when_its_last_owner_is_killed(folder):
    with owner(folder) as (first, pid), owner(folder) as (second, same):
        assert pid == same
        first.kill()
        first.wait()
        time.sleep(1.2)  # more than a round of the watch
        assert alive(pid)
        second.kill()

        wait_until(lambda: not alive(pid))
    assert SandboxHandle.read(folder) is None


def test_a_killed_server_is_replaced_and_goes_on_where_it_was(folder):
    slow = SandboxOptions(**CALM, fast=True, pending_s=1000)
    before = start_sandbox(folder, options=slow)
    with api_of(before) as client:
        headers = {"Idempotency-Key": "k"}
        created = client.post("/v3/videos", json=avatar(), headers=headers).json()
        video_id = created["data"]["video_id"]
        bot = f"{before.telegram_base_url}{before.bot_token}/sendMessage"
        httpx.post(bot, json={"chat_id": before.chat_id, "text": "Still here?"})

    os.kill(before.pid, signal.SIGKILL)
    after = start_sandbox(folder, options=slow)

    assert after.pid != before.pid
    assert (after.api_key, after.account) == (before.api_key, before.account)
    with api_of(after) as client:
        again = client.post("/v3/videos", json=avatar(), headers=headers).json()
        pending = status(client, video_id)
        client.post("/_sandbox/clock", json={"advance_s": 1010})
        ledger = client.get("/_sandbox/ledger").json()
    assert again == created
    assert pending == "pending"
    assert [job["status"] for job in ledger["jobs"]] == ["completed"]
    assert len(ledger["charges"]) == 1
    assert "Still here?" in httpx.get(after.chat_url).text


def test_a_real_render_survives_its_killed_server_and_leaves_no_worker(
    folder, tmp_path
):
    before = start_sandbox(folder, options=SandboxOptions(**CALM, pending_s=0))
    body = avatar(script="A short sentence. " * 8, resolution="720p", caption={})
    with api_of(before) as client:
        created = client.post("/v3/videos", json=body).json()
        video_id = created["data"]["video_id"]
        wait_until(lambda: psutil.Process(before.pid).children(recursive=True))
        workers = psutil.Process(before.pid).children(recursive=True)

    os.kill(before.pid, signal.SIGKILL)
    after = start_sandbox(folder, options=SandboxOptions(**CALM, pending_s=0))
    with api_of(after) as client:
        wait_until(lambda: status(client, video_id) == "completed", 60)
        video = client.get(f"/v3/videos/{video_id}").json()["data"]
    (tmp_path / "v.mp4").write_bytes(httpx.get(video["video_url"]).content)
    facts = probe_video(tmp_path / "v.mp4")

    assert facts.duration_s == pytest.approx(video["duration"], abs=0.05)
    assert min(facts.width, facts.height) == 720
    assert "A short sentence." in httpx.get(video["subtitle_url"]).text
    wait_until(lambda: not any(alive(worker.pid) for worker in workers))


def test_a_start_that_cannot_work_says_why(folder):
    (folder / "sandbox.db").mkdir(parents=True)

    with pytest.raises(SandboxError, match="unable to open database"):
        start_sandbox(folder, FAST)


def test_files_in_the_users_folder_are_not_taken_for_modules(
    folder, tmp_path, monkeypatch
):
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    monkeypatch.chdir(tmp_path)

    assert start_sandbox(folder, FAST).pid


def test_one_server_at_a_time_has_a_folder(folder):
    start_sandbox(folder, FAST)

    with pytest.raises(SandboxError, match="serving"):
        serve(0, state_dir=folder)


def test_a_render_takes_no_time_of_its_callers_process(folder):
    """Counted in CPU time, which other tests on the same cores cannot disturb.

    benchmarks/sandbox.py measures the delay of the caller's loop by the clock.
    """
    handle = start_sandbox(folder, options=SandboxOptions(**CALM, pending_s=0))
    body = avatar(script="A sentence to be rendered. " * 10, resolution="720p")

    async def busy_times():
        times, rendering = [], True
        key = {"X-Api-Key": handle.api_key}
        async with httpx.AsyncClient(base_url=handle.base_url, headers=key) as client:
            reply = await client.post("/v3/videos", json=body)
            video_id = reply.json()["data"]["video_id"]
            while rendering:
                for _ in range(20):
                    begun = time.process_time()
                    await asyncio.sleep(0.005)
                    times.append(time.process_time() - begun)
                reply = await client.get(f"/v3/videos/{video_id}")
                rendering = reply.json()["data"]["status"] != "completed"
        return sorted(times)

    times = asyncio.run(busy_times())

    assert times[len(times) * 99 // 100] < 0.020
