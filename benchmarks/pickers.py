"""What choosing costs: a keystroke in the voice search, the first page of avatars.

Claims: <= 30 ms a keystroke over 1,200 voices, <= 1 s until the first page of 900
looks stands with its pictures. Beside them: difflib over all voices at each
keystroke, and waiting for the whole listing before anything is shown. HeyGen's
answering time is played by a delay of 0.3 s a page.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import comm
from comm.base_comm import BaseComm

from heygen_nb.config import load_settings
from heygen_nb.sandbox.state import SandboxOptions
from heygen_nb.ui.base import Panel
from heygen_nb.ui.pickers import AvatarPicker, VoicePicker
from heygen_nb.ui.state import SharedState
from heygen_nb.ui.widgets import PAGE

sys.path.append(str(Path(__file__).parents[1]))
from tests.serving import sandbox_in_thread

PAGE_S = 0.3
TYPED = ("clara", "russian male", "Clra", "михаил", "english calm", "qqqzzz")


sent: list[int] = []


class Counting(BaseComm):
    """Serialises what a kernel would send, and counts it."""

    def publish_msg(self, *arguments: object, **options: object) -> None:
        """Take a message."""
        sent.append(len(json.dumps([arguments, options], default=str)))


comm.create_comm = Counting


class Voices(Panel):
    """The voice picker alone."""

    def _build(self) -> tuple[VoicePicker]:
        async def choose(_voice: object) -> None:
            pass

        self.picker = VoicePicker(self, choose)
        return (self.picker,)


class Avatars(Panel):
    """The avatar picker alone."""

    def _build(self) -> tuple[AvatarPicker]:
        async def choose(_avatar: object) -> None:
            pass

        self.picker = AvatarPicker(self, choose)
        return (self.picker,)


def say(name: str, times: list[float]) -> float:
    median = statistics.median(times)
    print(f"{name:46} median {1e3 * median:7.2f} ms, worst {1e3 * max(times):7.2f} ms")
    return median


async def search(shared: SharedState) -> None:
    panel = Voices(shared)
    await panel.picker.begin("Clara")
    await panel.idle()
    ours, naive = [], []
    sent.clear()
    voices = await shared.listed("voices")
    print(f"{len(voices)} voices")
    for text in TYPED:
        for end in range(1, len(text) + 1):
            typed = text[:end]
            began = time.perf_counter()
            panel.picker.t_search.value = typed
            await panel.idle()
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            for voice in voices:
                line = f"{voice.name} {voice.language} {voice.gender} {voice.id}"
                difflib.SequenceMatcher(None, typed, line.casefold()).ratio()
            naive.append(time.perf_counter() - began)
    mine = say("a keystroke, with the list filled anew", ours)
    theirs = say("difflib over all voices, without any list", naive)
    print(f"  {theirs / mine:.0f} times as long,", end=" ")
    print(f"{sum(sent) / len(ours) / 1000:.0f} kB to the browser a keystroke\n")
    panel.close()


async def first_page(shared: SharedState, name: str) -> tuple[float, float]:
    panel = Avatars(shared)
    began = time.perf_counter()
    listing = asyncio.create_task(panel.picker.begin(""))
    page = 0.0
    while not page or not listing.done():
        await asyncio.sleep(0.002)
        style = panel.picker.grid.pictures.value
        if not page and style.count("data:image/jpeg") == PAGE:
            page = time.perf_counter() - began
    whole = time.perf_counter() - began
    print(f"{name:46} first page {page:5.2f} s, all 900 {whole:5.2f} s")
    panel.close()
    return page, whole


async def main() -> None:
    logging.disable(logging.WARNING)
    options = SandboxOptions(fast=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with sandbox_in_thread(Path(folder) / "sandbox", options) as live:
            slow = {"times": None, "delay_s": PAGE_S}
            live.faults.add("slow", "/v3/avatars/looks", **slow)
            handle = live.handle
            environ = {
                "HEYGEN_NB_HOME": folder,
                "HEYGEN_API_KEY": handle.api_key,
                "HEYGEN_BASE_URL": handle.base_url,
            }

            def shared() -> SharedState:
                return SharedState(load_settings(environ=environ))

            first = shared()
            await search(first)
            page, whole = await first_page(first, "cold: nothing kept")
            print(f"  waiting for the whole list: {whole / page:.1f} times as long")
            await first.close()
            second = shared()
            await first_page(second, "warm: another kernel, list and pictures kept")
            await second.close()


if __name__ == "__main__":
    asyncio.run(main())
