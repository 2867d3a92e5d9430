"""From the sandbox to HeyGen and back, as a user goes: a key is set, and removed."""

from __future__ import annotations

import hashlib
import json

import pytest

import heygen_nb as hg
from heygen_nb.config import load_settings, save_secret
from heygen_nb.ledger import Ledger
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import quote_all
from heygen_nb.reports import history_lines
from heygen_nb.sandbox.state import SandboxOptions

from ..serving import CALM, INSTANT, sandbox_in_thread

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(id="a1b2c3d4", script="Hello there, said once. " * 5)
OTHER = hg.Draft(id="e5f6a7b8", script="Good evening, said twice. " * 5)
STILL = {"path": "/v3/videos/*", "method": "GET", "word": "processing", "times": None}


class User:
    """Sets and removes the key in home's ``.env``; counts charges on both sides."""

    def __init__(self, home, heygen, local):
        self.home = home
        self.heygen = heygen
        self.local = local

    def set_key(self):
        save_secret(self.home, "heygen_api_key", self.heygen.handle.api_key)

    def remove_key(self):
        save_secret(self.home, "heygen_api_key", "")

    def charges(self):
        return len(self.local.charges()), len(self.heygen.charges())

    def requests(self):
        return [
            sum(side.ledger()["requests"].values())
            for side in (self.local, self.heygen)
        ]

    def history(self):
        with Ledger(f"sqlite:///{self.home / 'heygen_nb.db'}") as ledger:
            lines = history_lines(ledger, load_settings().videos_path)
        return {(line.draft_id, line.backend): line for line in lines}


@pytest.fixture
def user(home, sandbox, monkeypatch):
    options = SandboxOptions(**INSTANT, **CALM)
    monkeypatch.setenv("HEYGEN_BASE_URL", sandbox.handle.base_url)
    monkeypatch.setenv("HEYGEN_NB_POLL_INTERVAL_S", "0.02")
    with sandbox_in_thread(home / ".sandbox", options) as live:
        live.handle.write(home / ".sandbox")
        yield User(home, sandbox, type(sandbox)(live.handle, live.faults, home))


async def test_a_draft_of_the_sandbox_is_rendered_anew_with_a_key_and_back(user):
    local = await hg.render_video(DRAFT)
    kept = user.history()[DRAFT.id, "sandbox"]
    assert user.charges() == (1, 0)

    user.set_key()
    assert await hg.resume() == []
    async with open_account(load_settings()) as account:
        assert (
            len(await quote_all(account, [DRAFT], load_settings())) == 1
        )  # it is not "already made"
    real = await hg.render_video(DRAFT)

    assert (local.backend, real.backend) == ("sandbox", "heygen")
    for video, side in ((local, user.local), (real, user.heygen)):
        [job] = side.ledger()["jobs"]
        film = video.path.with_name("source.mp4")
        assert hashlib.sha256(film.read_bytes()).hexdigest() == job["sha256"]
        about = json.loads((video.path.parent / "render.json").read_text("utf-8"))
        assert about["backend"] == video.backend
    assert user.charges() == (1, 1)
    assert user.history()[DRAFT.id, "sandbox"] == kept
    assert {*user.history()} == {(DRAFT.id, "sandbox"), (DRAFT.id, "heygen")}

    user.remove_key()
    assert await hg.resume() == []
    assert (await hg.render_video(DRAFT)).video_id == local.video_id
    user.set_key()
    assert (await hg.render_video(DRAFT)).video_id == real.video_id
    assert user.charges() == (1, 1)


async def test_resume_leaves_what_is_in_flight_in_the_other_backend(user):
    for side in (user.local, user.heygen):
        side.fault("unknown_status", **STILL)
    await hg.create_video(DRAFT)
    user.set_key()
    await hg.create_video(OTHER)
    user.heygen.clear_faults()
    before, asked = user.history()[DRAFT.id, "sandbox"], user.requests()[0]

    [outcome] = await hg.resume()

    assert (outcome.draft_id, outcome.backend) == (OTHER.id, "heygen")
    assert outcome.status == "completed"
    assert user.history()[DRAFT.id, "sandbox"] == before
    assert user.requests()[0] == asked

    user.remove_key()
    user.local.clear_faults()
    done, asked = user.history()[OTHER.id, "heygen"], user.requests()[1]
    [outcome] = await hg.resume()

    assert (outcome.draft_id, outcome.backend) == (DRAFT.id, "sandbox")
    assert outcome.status == "completed"
    assert user.history()[OTHER.id, "heygen"] == done
    assert user.requests()[1] == asked
    assert user.charges() == (1, 1)
