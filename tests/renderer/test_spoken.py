"""HeyGen, previews, lengths and quotes get the same words."""

from __future__ import annotations

import json

import pytest

import heygen_nb as hg
from heygen_nb.config import Settings
from heygen_nb.drafts.spoken import Speakable
from heygen_nb.renderer import draft_settings, resolve
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.animatic import scene_of
from heygen_nb.renderer.request import make_plan
from heygen_nb.renderer.resolve import picture_and_sound, revision_of

pytestmark = pytest.mark.anyio

SAID = "Good morning, friends. Today we learn one small thing."
WRITTEN = f"Narrator: **Good morning**, friends. [music] {SAID[23:]} #morning"


async def test_what_is_said_is_sent_quoted_previewed_and_told(sandbox):
    async with open_account(sandbox.settings()) as account:
        plain, marked = [
            await make_plan(account, hg.Draft(id="a", script=script), Settings())
            for script in (SAID, WRITTEN)
        ]
    scene = await scene_of(hg.Draft(script=WRITTEN), sandbox.settings(), 720)

    assert json.loads(marked.new.body)["script"] == scene.script == SAID
    assert marked.quote == plain.quote
    assert marked.length == plain.length
    assert marked.new.revision == plain.new.revision
    told = "Not said: “Narrator:”, “[music]”, “#morning”."
    assert marked.warnings == [told, *plain.warnings]


async def test_what_is_left_out_is_told_before_anything_is_paid(sandbox):
    seen = []

    await hg.render_video(
        hg.Draft(script=WRITTEN),
        lambda p: seen.append((p.message, len(sandbox.charges()))),
        settings=sandbox.settings(),
    )

    [paid] = {paid for message, paid in seen if "Not said" in message}
    assert paid == 0
    assert len(sandbox.charges()) == 1


async def test_a_draft_without_remarks_keeps_its_revision():
    draft = hg.Draft(id="a", script=f"  {SAID}\n\n\n{SAID} ")
    inputs = picture_and_sound(draft, draft_settings(draft, Settings()))

    assert inputs["script"] == draft.script
    assert resolve.revisions_of(draft, inputs)[0] == revision_of(inputs)


async def test_a_film_bought_before_remarks_were_left_out_is_not_paid_again(
    sandbox, monkeypatch
):
    draft = hg.Draft(id="a", script=WRITTEN)
    with monkeypatch.context() as before:
        before.setattr(resolve, "what_is_said", Speakable)
        old = await hg.render_video(draft, settings=sandbox.settings())

    new = await hg.render_video(draft, settings=sandbox.settings())

    assert new.video_id == old.video_id
    assert len(sandbox.charges()) == 1
