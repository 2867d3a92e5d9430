"""What the Studio costs a kernel: the log, opening, a keystroke.

Every message that would go to the browser is counted and serialised as the kernel
does it. "cpu" is the kernel's time; the browser's is not in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import tempfile
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import comm
import ipywidgets as widgets
from comm.base_comm import BaseComm
from ipywidgets.widgets.widget import _instances

from heygen_nb import models
from heygen_nb.ledger import Ledger
from heygen_nb.ledger.tables import RenderRow
from heygen_nb.sandbox.process import start_sandbox
from heygen_nb.sandbox.state import SandboxOptions
from heygen_nb.ui.generation import GenerationPanel
from heygen_nb.ui.studio import Studio

LINES, DRAFTS, RENDERS = 1000, 1000, 10_000
sent: list[int] = []


class Counting(BaseComm):
    """Serialises what a kernel would send, and counts it."""

    def publish_msg(self, *arguments: object, **options: object) -> None:
        """Take a message."""
        sent.append(len(json.dumps([arguments, options], default=str)))


comm.create_comm = Counting


def measured(name: str, began: float) -> tuple[int, float, float]:
    cpu = time.process_time() - began
    row = (len(sent), sum(sent) / 1e6, cpu)
    print(f"{name:34} {row[0]:5} messages {row[1]:7.2f} MB {row[2]:6.3f} s cpu")
    return row


def line(number: int) -> str:
    return f"[14:23:{number % 60:02}] 🎬 Status: processing ({number}s elapsed)"


async def log_view() -> tuple[int, float, float]:
    panel = GenerationPanel()
    await panel.idle()
    sent.clear()
    began = time.process_time()
    for number in range(LINES):
        panel.shared.jobs.say(line(number))
        await asyncio.sleep(0.0023)  # 1,000 lines in about 2.5 s
    await asyncio.sleep(0.25)
    row = measured("log of the Studio", began)
    panel.close()
    await panel.shared.close()
    return row


async def a_message_a_line() -> None:
    lines: deque[str] = deque(maxlen=50)
    view = widgets.HTML()
    sent.clear()
    began = time.process_time()
    for number in range(LINES):
        lines.append(line(number))
        view.value = f"<pre>{escape(chr(10).join(lines))}</pre>"
        await asyncio.sleep(0.0023)
    measured("HTML widget, a message a line", began)


async def append_stdout() -> tuple[int, float, float]:
    output = widgets.Output()
    sent.clear()
    began = time.process_time()
    for number in range(LINES):
        output.append_stdout(line(number) + "\n")
        await asyncio.sleep(0.0023)
    return measured("Output.append_stdout", began)


def fill(home: Path) -> None:
    """Put 1,000 drafts and 10,000 renders into a ledger."""
    now = datetime.now(UTC)
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        for number in range(DRAFTS):
            script = f"Draft {number} says something short and friendly. " * 6
            ledger.drafts.save(models.Draft(id=f"d{number}", script=script), over=0)
        with ledger.database.writing() as session:
            session.add_all(render(number, now) for number in range(RENDERS))


def render(number: int, now: datetime) -> RenderRow:
    began = now - timedelta(minutes=number)
    return RenderRow(
        id=secrets.token_hex(6),
        draft_id=f"d{number % DRAFTS}",
        revision=secrets.token_hex(8),
        attempt=1,
        backend="sandbox",
        base_url="sandbox",
        account="a",
        state="downloaded",
        body="{}",
        idempotency_key="k",
        token="t",
        script="Something short.",
        title=f"Video {number}",
        inputs={},
        voice_id="v",
        target_s=30,
        duration_s=30.5,
        video_id=secrets.token_hex(16),
        created_at=began,
        submitted_at=began,
        completed_at=began + timedelta(minutes=3),
    )


async def studio() -> None:
    sent.clear()
    began = time.perf_counter()
    app = Studio()
    built = time.perf_counter() - began
    await app.panels[app_kind(app)].idle()
    painted = time.perf_counter() - began
    print(f"Studio: built {built:.3f} s, drafts listed {painted:.3f} s,")
    print(f"  {len(_instances)} widgets, {len(sent)} messages, {sum(sent)} bytes")
    drafts = app.panels[app_kind(app)]
    times = []
    for letter in "Hello, this is typed letter by letter. " * 3:
        start = time.process_time()
        drafts.t_script.value += letter
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        times.append(time.process_time() - start)
    times.sort()
    print(f"  keystroke: median {1e3 * times[len(times) // 2]:.2f} ms,", end=" ")
    print(f"worst {1e3 * times[-1]:.2f} ms")
    for index in range(len(app.tabs.children)):
        app.tabs.selected_index = index
        start = time.perf_counter()
        for panel in app.panels.values():
            await panel.idle()
        name = type(list(app.panels.values())[-1]).__name__
        print(f"  {name}: {time.perf_counter() - start:.3f} s")
    print(f"  all tabs opened: {len(_instances)} widgets")
    app.close()
    await app.shared.close()


def app_kind(app: Studio) -> type:
    return next(iter(app.panels))


async def waiting_alone() -> float:
    """Return what the pauses between the lines cost by themselves."""
    began = time.process_time()
    for _number in range(LINES):
        await asyncio.sleep(0.0023)
    return time.process_time() - began


async def main() -> None:
    idle = await waiting_alone()
    print(f"{'the pauses alone':34} {idle:33.3f} s cpu")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["HEYGEN_NB_HOME"] = folder
        os.chdir(home)
        fill(home)
        start_sandbox(home / ".sandbox", options=SandboxOptions(fast=True))
        ours = await log_view()
        await a_message_a_line()
        theirs = await append_stdout()
        ratio = (theirs[2] - idle) / max(ours[2] - idle, 0.001)
        print(f"append_stdout / ours, without the pauses: {ratio:.0f}x cpu", end=", ")
        print(f"{theirs[1] / ours[1]:.0f}x bytes")
        await studio()


if __name__ == "__main__":
    asyncio.run(main())
