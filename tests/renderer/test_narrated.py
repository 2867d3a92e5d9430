"""Films without an avatar that are made here: what they cost, and what they show."""

from __future__ import annotations

import json

import av
import pytest

import heygen_nb as hg
from heygen_nb.errors import ConfigError, OutcomeUnknownError
from heygen_nb.money import load_rates
from heygen_nb.preview.video import pictures_at
from heygen_nb.renderer import narrated
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.order import order_again, quote_all

pytestmark = pytest.mark.anyio

SPEECH, CREATE = "POST /v3/voices/speech", "POST /v3/videos"
SCRIPT = "Nobody expected the answer, and yet it was written on the wall. "
DRAFT = hg.Draft(id="film0001", script=SCRIPT * 7, title="A wall")


@pytest.fixture
def here(sandbox):
    def settings(**changes):
        wish = {
            "heygen_use_avatar": False,
            "heygen_voice": "Oliver",
            "resolution": "720p",
            **changes,
        }
        return sandbox.settings(**wish)

    return settings


async def test_half_a_minute_costs_its_speech_only_and_once(here, sandbox, home):
    settings = here()
    async with open_account(settings) as account:
        [plan] = await quote_all(account, [DRAFT], settings)

    video = await hg.render_video(DRAFT, settings=settings)
    again = await hg.render_video(DRAFT, settings=settings)

    [charge] = sandbox.charges()
    assert charge["kind"] == "speech"
    assert sandbox.requests(CREATE) == 0
    assert video.cost == pytest.approx(charge["amount"], abs=1e-4)
    rate = load_rates(home).speech
    assert plan.quote.engine == "none"
    assert charge["amount"] == pytest.approx(30 * rate, rel=0.15)
    assert plan.quote.amount == pytest.approx(30 * rate, rel=0.15)
    assert again.video_id == video.video_id
    spent = hg.analytics(settings=settings).summary["spent"]
    assert spent == {"usd": pytest.approx(charge["amount"], abs=1e-4)}


async def test_a_quote_is_what_may_still_be_bought(here, sandbox, home):
    async def quoted(settings):
        async with open_account(settings) as account:
            [plan] = await quote_all(account, [DRAFT], settings)
        return plan.quote

    await hg.render_video(DRAFT, settings=here())
    paid = sandbox.charges()
    again, slower = here(heygen_background_url="#402010"), here(video_duration=40)

    nothing = await quoted(again)
    await hg.render_video(DRAFT, settings=again)

    assert (nothing.amount, nothing.at_most) == (0, 0)
    assert sandbox.charges() == paid
    something = await quoted(slower)
    await hg.render_video(DRAFT, settings=slower)
    bought = sandbox.charges()[len(paid) :]
    assert {charge["kind"] for charge in bought} == {"speech"}
    assert something.amount > 0
    assert something.at_most >= sum(charge["amount"] for charge in bought)
    for file in (home / "videos" / "speech").iterdir():
        file.unlink()
    gone = await quoted(here(heygen_background_url="#204010"))
    assert gone.amount > 0


async def test_the_film_is_as_long_as_wished(here, monkeypatch):
    monkeypatch.setattr(narrated, "_LOOK_S", 0.05)
    seen = []
    video = await hg.render_video(DRAFT, seen.append, settings=here())

    with av.open(str(video.path)) as film:
        assert film.duration / av.time_base == pytest.approx(30, abs=0.1)
        assert {s.type for s in film.streams} == {"video", "audio"}
    assert video.duration_s == pytest.approx(30, abs=0.05)
    assert video.thumbnail.exists()
    assert "Nobody expected" in video.subtitles.read_text()
    texts = " ".join(p.message for p in seen)
    assert "Voice: Oliver" in texts
    assert "Video created" in texts
    assert seen[-1].fraction == 1.0
    making = [p for p in seen if p.status == "processing" and p.elapsed_s]
    shares = [p.fraction for p in making]
    assert shares == sorted(shares)
    assert 0 < shares[-1] < 1
    assert making[0].eta_s > 0


async def test_what_is_shown_is_changed_for_nothing(here, sandbox):
    await hg.render_video(DRAFT, settings=here(resolution="720p"))
    calls = sandbox.requests(SPEECH)

    for changes in (
        {"heygen_background_url": "#402010"},
        {"aspect_ratio": "1:1"},
        {"voice_bars": False},
        {"captions": "own"},
        {"loudness": -14},
    ):
        video = await hg.render_video(DRAFT, settings=here(**changes))
        assert video.path.exists()

    assert sandbox.requests(SPEECH) == calls
    assert video.cost in (0, pytest.approx(sandbox.charges()[0]["amount"], abs=1e-4))


async def test_captions_are_laid_over_it_with_the_voices_own_times(here):
    video = await hg.render_video(DRAFT, settings=here(captions="own"))

    source = video.path.with_name("source.mp4")
    words = json.loads(video.path.with_name("words.json").read_text())
    assert [text for text, *_times in words] == (SCRIPT * 7).split()
    assert words[-1][2] == pytest.approx(30, abs=1)
    lit = words[8][1] + 0.05
    (plain,), (shown,) = pictures_at(source, [lit]), pictures_at(video.path, [lit])
    box = (60, 500, 660, 780)
    apart = [
        abs(one - other)
        for one, other in zip(
            plain.crop(box).convert("L").resize((60, 28)).getdata(),
            shown.crop(box).convert("L").resize((60, 28)).getdata(),
            strict=True,
        )
    ]
    assert max(apart) > 80
    found = await hg.check_video(video, settings=here(captions="own"))
    assert [finding.kind for finding in found] == ["silent"]  # as the sandbox speaks


async def test_after_a_stop_the_film_is_made_of_the_same_speech(here, sandbox):
    settings = here()
    await hg.create_video(DRAFT, settings=settings)  # and the kernel dies

    [outcome] = await hg.resume(settings=settings)
    (film := outcome.path).unlink()
    again = await hg.render_video(DRAFT, settings=settings)

    assert again.path == film
    assert film.exists()
    [charge] = sandbox.charges()
    assert charge["kind"] == "speech"


async def test_a_lost_answer_is_paid_again_by_a_persons_word_only(here, sandbox):
    settings = here()
    sandbox.fault("drop", method="POST", path="/v3/voices/speech")
    with pytest.raises(OutcomeUnknownError) as lost:
        await hg.render_video(DRAFT, settings=settings)
    sandbox.clear_faults()
    render_id = lost.value.render_id
    assert f"resume --again {render_id}" in lost.value.hint
    for _time in range(2):
        with pytest.raises(OutcomeUnknownError):
            await hg.render_video(DRAFT, settings=settings)
    calls = sandbox.requests(SPEECH)

    async with open_account(settings) as account:
        again = await order_again(account, render_id, settings)
        video = await advance(account, again)

    assert video.path.exists()
    assert sandbox.requests(SPEECH) == calls + 1


async def test_many_films_without_an_avatar_are_not_sent_as_a_batch(here, sandbox):
    drafts = [
        DRAFT.model_copy(update={"id": f"many{n}", "script": f"{SCRIPT}Number {n}."})
        for n in range(3)
    ]
    settings = here(max_concurrent_renders=2, video_duration=15)

    videos = await hg.render_batch(drafts, settings=settings)

    assert {video.status for video in videos} == {"completed"}
    assert sandbox.requests("POST /v3/videos/batches") == 0
    assert {charge["kind"] for charge in sandbox.charges()} == {"speech"}


async def test_a_film_of_heygens_still_scene_is_not_bought_again(here, sandbox):
    before = await hg.render_video(DRAFT, settings=here(no_avatar="heygen"))

    after = await hg.render_video(DRAFT, settings=here())

    assert after.video_id == before.video_id
    assert sandbox.requests(SPEECH) == 0


async def test_a_voice_that_cannot_speak_alone_is_told_before_anything(here, sandbox):
    with pytest.raises(ConfigError, match="without a video") as refused:
        await hg.render_video(DRAFT, settings=here(heygen_voice="voice_en_006"))

    assert "no_avatar: heygen" in refused.value.hint
    assert sandbox.charges() == []


@pytest.mark.soak
async def test_a_moving_background_is_for_films_made_here(here, sandbox, home):
    with av.open(str(home / "sea.mp4"), "w") as written:
        stream = written.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _number in range(10):
            written.mux(stream.encode(av.VideoFrame(320, 180, "yuv420p")))
        written.mux(stream.encode(None))
    wish = {"heygen_background_url": "sea.mp4"}

    video = await hg.render_video(DRAFT, settings=here(**wish))

    assert video.path.exists()
    with pytest.raises(ConfigError, match="neither PNG nor JPEG"):
        await hg.render_video(DRAFT, settings=here(no_avatar="heygen", **wish))


async def test_waiting_by_its_id_makes_the_film(here):
    settings = here()
    video_id = await hg.create_video(DRAFT, settings=settings)

    video = await hg.wait_video(video_id, settings=settings)

    assert video_id.startswith("local-")
    assert (await hg.download_video(video, settings=settings)).path.exists()
