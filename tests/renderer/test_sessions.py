"""A session of HeyGen's own tools pays with the credits of the plan."""

from __future__ import annotations

import json

import pytest

import heygen_nb as hg
from heygen_nb.clock import Pace
from heygen_nb.config import load_settings
from heygen_nb.errors import NotAuthorizedError
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.order import order

pytestmark = pytest.mark.anyio

DRAFT = hg.Draft(script="Hello there, this is a short script of a few words.")


@pytest.fixture
def signed_in(sandbox, tmp_path):
    """Sign in as HeyGen's own tool does; give the settings that find it."""
    file = tmp_path / "credentials"

    def sign_in():
        oauth = sandbox.sign_in()
        file.write_text(json.dumps({"oauth": oauth}))
        environ = sandbox.environ() | {"HEYGEN_NB_CREDENTIALS": str(file)}
        del environ["HEYGEN_API_KEY"]
        return load_settings(environ=environ, poll_interval_s=0.05)

    return sign_in


async def test_a_session_is_quoted_and_charged_in_credits(sandbox, signed_in):
    settings = signed_in()

    video = await hg.render_video(DRAFT, settings=settings)

    assert settings.active_backend == "heygen"
    assert video.path.exists()
    (charge,) = sandbox.charges()
    assert charge["purse"] == "plan"
    async with open_account(settings) as account:
        assert account.rates.currency == "credits"


async def test_an_ended_session_pays_nothing_and_names_the_command(
    make_sandbox, tmp_path
):
    sandbox = make_sandbox()
    file = tmp_path / "credentials"
    file.write_text(json.dumps({"oauth": {"access_token": "session_gone"}}))
    environ = sandbox.environ() | {"HEYGEN_NB_CREDENTIALS": str(file)}
    del environ["HEYGEN_API_KEY"]

    with pytest.raises(NotAuthorizedError, match="heygen auth login"):
        await hg.render_video(DRAFT, settings=load_settings(environ=environ))

    assert sandbox.charges() == []


async def test_a_session_renewed_in_the_middle_goes_on_with_its_render(
    sandbox, signed_in
):
    settings = signed_in()
    async with open_account(settings) as account:
        render_id = await order(account, DRAFT, settings)
        sandbox.advance(3_700)  # a session lives for an hour
        signed_in()  # somebody runs `heygen auth login` meanwhile
        video = await advance(account, render_id, pace=Pace(interval_s=0.05))

    again = await hg.render_video(DRAFT, settings=signed_in())

    assert video.path.exists()
    assert again.video_id == video.video_id
    assert len(sandbox.charges()) == 1
