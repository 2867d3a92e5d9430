"""Hundreds of drafts, a fifth of all requests spoilt, processes killed at random."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import time
from collections import Counter

import pytest

import heygen_nb as hg
from heygen_nb.ledger import Ledger
from heygen_nb.reports import history_lines

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(240)]

SEED = int(os.environ.get("HEYGEN_NB_SOAK_SEED", "20261122"))
DRAFTS, KILLS, SPOILT = 500, 20, 0.2
LIMIT_S = 170


def spoil(sandbox):
    """Spoil a fifth of what HeyGen answers, in seven ways."""
    kinds = [
        ("drop", {"after": True}),
        ("drop", {}),
        ("status", {"status": 500, "after": True}),
        ("status", {"status": 429, "retry_after_s": 0}),
        ("html", {"after": True}),
        ("truncated", {}),
        ("slow", {"delay_s": 0.05}),
    ]
    for number, (kind, rule) in enumerate(kinds):
        # of those that are left over, so that all of them add up to a fifth
        chance = SPOILT / len(kinds) / (1 - number * SPOILT / len(kinds))
        shared = {"times": None, "probability": chance, "seed": SEED + number}
        sandbox.fault(kind, "/[vf][3i]*", **rule, **shared)


async def test_every_draft_is_paid_once_whatever_happens(
    make_sandbox, children_of, home, no_naps
):
    dice = random.Random(SEED)
    sandbox = make_sandbox(concurrency=DRAFTS, balance=10_000)
    children = children_of(sandbox)
    drafts = [
        hg.Draft(id=f"d{n}", script=f"Number {n}. " * 8, caption=f"post {n}")
        for n in range(DRAFTS)
    ]
    spoil(sandbox)
    begun, kills = time.monotonic(), 0

    while kills < KILLS:
        part = dice.sample(drafts, 60)
        child = children.start(
            part, max_concurrent_renders=60, naps=0.02, boundary="nowhere"
        )
        await asyncio.to_thread(time.sleep, 1.5 + dice.random() * 3)
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.communicate()
        assert time.monotonic() - begun < LIMIT_S
    sandbox.clear_faults()
    settings = sandbox.settings(max_concurrent_renders=100)
    await hg.resume(settings=settings)
    videos = []
    for start in range(0, DRAFTS, 100):  # singly, as the kills were
        videos += await hg.render_batch(drafts[start : start + 100], settings=settings)

    told = sandbox.ledger()
    jobs = {job["id"]: job for job in told["jobs"]}
    assert len(jobs) == len(told["charges"]) == DRAFTS
    assert {video.video_id for video in videos} == set(jobs)
    for video in videos:
        whole = hashlib.sha256(video.path.read_bytes()).hexdigest()
        assert whole == jobs[video.video_id]["sha256"]
    assert max(Counter(post["text"] for post in told["posts"]).values()) == 1
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        lines = history_lines(ledger, settings.videos_path, limit=2 * DRAFTS)
    assert len(lines) == DRAFTS
    assert {line.status for line in lines} == {"completed"}
    assert time.monotonic() - begun < LIMIT_S + 60


SEQUENCES, AT_ONCE = 300, 30
STEPS = ("render", "render", "send", "again", "edit", "resume")


def sequence(dice, draft):
    """Return random steps with the script of each; editing makes another one."""
    text, steps = draft.script, []
    for name in dice.choices(STEPS, k=dice.randint(2, 6)):
        if name == "edit":
            text = f"{draft.script} Version {dice.randint(2, 3)}."
        steps.append(("render" if name == "edit" else name, text))
    return steps


@pytest.mark.timeout(600)
async def test_random_sequences_by_two_processes_pay_each_order_once(
    make_sandbox, children_of, home, no_naps, tmp_path
):
    dice = random.Random(SEED)
    sandbox = make_sandbox(concurrency=1000, balance=10_000)
    children, paid_again = children_of(sandbox), tmp_path / "again"
    settings = sandbox.settings(max_concurrent_renders=AT_ONCE)
    wished, latest = Counter(), {}

    for start in range(0, SEQUENCES, AT_ONCE):
        drafts = [
            hg.Draft(id=f"s{n}", script=f"Sequence {n}. " * 8, caption=f"post {n}")
            for n in range(start, start + AT_ONCE)
        ]
        sandbox.clear_faults()
        spoil(sandbox)
        running = []
        for _process in range(2):
            walks = [sequence(dice, draft) for draft in drafts]
            for draft, steps in zip(drafts, walks, strict=True):
                wished.update({(draft.id, text) for _name, text in steps})
                latest[draft.id] = draft.model_copy(update={"script": steps[-1][1]})
            walk = {"sequences": walks, "paid_again": str(paid_again)}
            how = {"naps": 0.02, "max_concurrent_renders": AT_ONCE}
            running.append(children.start(drafts, walk=walk, **how))
        await asyncio.to_thread(time.sleep, dice.uniform(1, 3))
        running[0].send_signal(signal.SIGKILL)
        for child in running:
            _out, err = await asyncio.to_thread(child.communicate, 60)
            assert "Traceback" not in err, err
        sandbox.clear_faults()
        await hg.resume(settings=settings)
        last = [latest[draft.id] for draft in drafts]
        for video in await asyncio.gather(
            *(hg.render_video(draft, settings=settings) for draft in last)
        ):
            assert video.path.exists()

    told = sandbox.ledger()
    orders = Counter(draft_id for draft_id, _text in set(wished))
    orders.update(paid_again.read_text().split())
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        rows = ledger.history.page(limit=10_000)
    films = Counter(row.draft_id for row in rows if row.video_id)
    assert not films - orders  # a person's word for each
    assert len(told["jobs"]) == len(told["charges"]) == films.total()
    assert {job["id"] for job in told["jobs"]} == {r.video_id for r in rows} - {None}
    posted = Counter(post["text"].replace("post ", "s") for post in told["posts"])
    assert posted
    assert not posted - films  # no film twice in the chat
