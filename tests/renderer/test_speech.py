from __future__ import annotations

import asyncio
import json
import wave
from io import BytesIO

import pytest

import heygen_nb as hg
from heygen_nb.api import render_drafts
from heygen_nb.clock import Clock
from heygen_nb.errors import (
    DownloadError,
    LimitError,
    NotAuthorizedError,
    OutcomeUnknownError,
    TakenOverError,
)
from heygen_nb.ledger import Ledger
from heygen_nb.ledger.speech import Speeches
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.order import heard, order, quote_all
from heygen_nb.renderer.speech import MAX_CALLS
from heygen_nb.sandbox import rendering as sound
from heygen_nb.sandbox.catalogue import voices

pytestmark = pytest.mark.anyio

STILL = {"heygen_use_avatar": False, "no_avatar": "heygen"}

SCRIPTS = {
    "en": "Nobody expected the answer, and yet it was written on the wall. "
    "Keep it short, keep it kind. ",
    "ru": "Никто не ожидал такого ответа, хотя он был написан на стене. "
    "Говорите коротко, говорите по-доброму. ",
}
VOICES = {"en": "Oliver", "ru": "Михаил"}
SPEECH = "POST /v3/voices/speech"
DRAFT = hg.Draft(id="a1b2c3d4", script=SCRIPTS["en"] * 5)


@pytest.fixture
def exact(sandbox):
    def settings(**changes):
        wish = {"length_mode": "exact", "heygen_voice": "Oliver", **changes}
        return sandbox.settings(**wish)

    return settings


def body_of(home, video):
    with Ledger(f"sqlite:///{home / 'heygen_nb.db'}") as ledger:
        return json.loads(ledger.render(video.render_id).body)


def spoken(sandbox):
    return [c for c in sandbox.charges() if c["kind"] == "speech"]


async def spoken_for(account, draft, settings):
    [plan] = await quote_all(account, [draft], settings, again=True)
    return await heard(account, plan)


def near(language, seconds):
    """Words until the voice of that language takes about so long for them."""
    voice = next(v for v in voices().values() if v.name == VOICES[language])
    words = (SCRIPTS[language] * 20).split()
    count = next(
        n
        for n in range(1, len(words))
        if sound.model(voice, " ".join(words[:n]), 1.0).duration_s >= seconds
    )
    return " ".join(words[:count])


@pytest.mark.slow
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.soak), "ru"])
async def test_the_length_comes_out_within_a_second(exact, sandbox, language):
    settings = exact(heygen_voice=VOICES[language])
    drafts = [
        hg.Draft(script=near(language, target * share), duration=target)
        for target in (15, 30, 45, 60)
        for share in (0.92, 1.0, 1.12)
    ]

    videos = await asyncio.gather(
        *(hg.render_video(draft, settings=settings) for draft in drafts)
    )

    assert all(abs(video.duration_s - video.target_s) <= 1 for video in videos)
    assert sandbox.requests(SPEECH) == 12  # what is missing is stretched here


async def test_what_is_rendered_is_the_sound_that_was_made(exact, sandbox, home):
    video = await hg.render_video(DRAFT, settings=exact())

    [job] = sandbox.ledger()["jobs"]
    folder = home / "videos" / "speech"
    [*_others, sound] = (file for file in folder.iterdir() if file.suffix != ".json")
    assert sound.read_bytes()[:4] == b"RIFF"
    words = json.loads(video.path.with_name("words.json").read_text())
    assert [word for word, *_times in words] == DRAFT.script.split()
    assert job["duration"] == pytest.approx(video.duration_s, abs=0.01)
    body = body_of(home, video)
    assert body["audio_url"]  # fresh, so it is not uploaded
    assert sandbox.requests("POST /v3/assets") == 0
    assert not {"script", "voice_id", "voice_settings"} & set(body)
    assert "Nobody expected" in video.subtitles.read_text()


async def test_a_link_that_expired_meanwhile_is_replaced_by_the_sound_itself(
    exact, sandbox, home
):
    sandbox.fault(
        "status", "/v3/videos", method="POST", status=400, code="download_failed"
    )

    video = await hg.render_video(DRAFT, settings=exact())

    assert "audio_asset_id" in body_of(home, video)
    assert "audio_url" not in body_of(home, video)
    assert [c["kind"] for c in sandbox.charges()] == ["speech", "video"]


async def test_a_sound_of_a_stiff_voice_is_stretched_instead_of_paid_again(
    exact, sandbox, monkeypatch
):
    """Its speed moves it by next to nothing; 27 s become 30 at the same pitch."""
    monkeypatch.setattr(sound, "model", lambda *_: sound.silence(27.0))

    video = await hg.render_video(DRAFT, settings=exact())

    assert len(spoken(sandbox)) == 1
    assert video.duration_s == pytest.approx(30, abs=0.1)


async def test_speech_is_paid_once_for_the_same_words(exact, sandbox):
    await hg.render_video(DRAFT, settings=exact())
    calls = sandbox.requests(SPEECH)

    await hg.render_video(DRAFT, settings=exact(), again=True)
    await hg.render_video(DRAFT, settings=exact(resolution="720p"))

    assert sandbox.requests(SPEECH) == calls
    assert len(sandbox.charges()) == calls + 3


async def test_what_was_heard_is_what_is_rendered(exact, sandbox):
    async with open_account(exact()) as account:
        sound_heard = (await spoken_for(account, DRAFT, exact())).read_bytes()
        again = (await spoken_for(account, DRAFT, exact())).read_bytes()
        calls = sandbox.requests(SPEECH)
        [outcome] = await render_drafts(account, exact(), [DRAFT], send=False)

    assert sound_heard[:4] == b"RIFF"
    assert again == sound_heard
    assert sandbox.requests(SPEECH) == calls == len(spoken(sandbox))
    assert len(sandbox.charges()) == calls + 1
    with wave.open(BytesIO(sound_heard)) as sound:
        heard_s = sound.getnframes() / sound.getframerate()
    assert outcome.duration_s == pytest.approx(heard_s, abs=0.1)


async def test_a_speech_that_is_here_is_not_quoted_again(exact, sandbox):
    async with open_account(exact()) as account:
        [before] = await quote_all(account, [DRAFT], exact())
        await spoken_for(account, DRAFT, exact())
        paid = len(sandbox.charges())
        [after] = await quote_all(account, [DRAFT], exact())
        await spoken_for(account, DRAFT, exact())

    assert before.quote.speech > after.quote.speech == 0
    assert after.quote.amount > 0  # the video
    assert len(sandbox.charges()) == paid


async def test_a_speech_that_the_video_cannot_be_paid_for_is_not_made(exact, sandbox):
    async with open_account(exact(max_cost_per_render=0.5)) as account:
        with pytest.raises(LimitError):
            await spoken_for(account, DRAFT, exact(max_cost_per_render=0.5))

    assert sandbox.charges() == []


async def test_a_voice_that_heeds_no_speed_is_not_paid_for_twice_at_one_speed(
    exact, sandbox, monkeypatch
):
    def odd(_voice, _text, speed):
        return sound.silence(36.0 if speed < 1.1 else 44.0)  # hurried: longer

    monkeypatch.setattr(sound, "model", odd)
    async with open_account(exact()) as account:
        await spoken_for(account, DRAFT, exact())
        await spoken_for(account, DRAFT, exact())

    assert sandbox.requests(SPEECH) == 2


async def test_a_speech_that_another_kernel_makes_meanwhile_is_not_paid_twice(
    exact, sandbox, monkeypatch
):
    async with open_account(exact()) as account:
        await spoken_for(account, DRAFT, exact())
        calls = len(spoken(sandbox))
        # this one had looked before the other one began
        monkeypatch.setattr(Speeches, "of_text", lambda *_: [])
        with pytest.raises(TakenOverError) as caught:
            await spoken_for(account, DRAFT, exact())

    assert caught.value.charged is False
    assert len(spoken(sandbox)) == calls


async def test_a_draft_gets_three_speeches_whatever_its_texts_were(exact, sandbox):
    versions = [
        DRAFT.model_copy(update={"script": f"{DRAFT.script}Version {number}."})
        for number in range(MAX_CALLS + 1)
    ]
    async with open_account(exact()) as account:

        async def speak_all():
            for version in versions:
                await spoken_for(account, version, exact())

        with pytest.raises(LimitError, match="for this draft") as caught:
            await speak_all()
        path = await spoken_for(account, versions[0], exact())  # costs nothing now

    assert caught.value.charged is False
    assert path.exists()
    assert len(spoken(sandbox)) == MAX_CALLS


async def test_two_renders_at_once_share_their_speech(exact, sandbox):
    other = DRAFT.model_copy(update={"id": "e5f6a7b8"})

    await asyncio.gather(
        *(hg.render_video(draft, settings=exact()) for draft in (DRAFT, other))
    )

    assert len(spoken(sandbox)) <= MAX_CALLS


async def test_a_target_out_of_reach_stops_at_the_natural_speed(exact, sandbox):
    video = await hg.render_video(hg.Draft(script="Too short."), settings=exact())

    assert sandbox.requests(SPEECH) == 1
    assert video.duration_s < 5


async def test_without_an_avatar_silence_fills_up_to_the_target(exact):
    video = await hg.render_video(
        hg.Draft(script="Too short."), settings=exact(**STILL)
    )

    assert abs(video.duration_s - 30) <= 0.2


@pytest.mark.parametrize(
    "fault", [{"kind": "drop", "after": True}, {"kind": "status", "status": 502}]
)
async def test_a_lost_answer_is_never_repeated_by_itself(exact, sandbox, fault):
    sandbox.fault(**fault, path="/v3/voices/speech", times=1)

    for _ in range(3):
        with pytest.raises(OutcomeUnknownError) as caught:
            await hg.render_video(DRAFT, settings=exact())
        assert caught.value.charged is None

    assert sandbox.requests(SPEECH) == 1
    assert sandbox.requests("POST /v3/videos") == 0
    video = await hg.render_video(DRAFT, settings=exact(), again=True)
    assert video.path


async def test_a_refused_call_costs_nothing_and_may_be_repeated(exact, sandbox):
    sandbox.fault("status", "/v3/voices/speech", status=401, times=1)
    with pytest.raises(NotAuthorizedError) as caught:
        await hg.render_video(DRAFT, settings=exact())

    assert caught.value.charged is False
    assert (await hg.render_video(DRAFT, settings=exact())).path


async def test_no_credit_for_a_speech_stops_the_queue_and_costs_nothing(exact, sandbox):
    code = {"status": 402, "code": "insufficient_credit"}
    sandbox.fault("status", "/v3/voices/speech", **code, times=None)
    drafts = [DRAFT.model_copy(update={"id": f"draft{n}"}) for n in range(20)]
    settings = exact(max_concurrent_renders=2)

    videos = await hg.render_batch(drafts, settings=settings)

    assert {video.status for video in videos} == {"failed"}
    assert len({video.failure_message for video in videos}) == 1
    assert sandbox.requests(SPEECH) <= 4
    assert sandbox.charges() == []
    sandbox.clear_faults()
    assert (await hg.render_video(drafts[0], settings=settings)).path


async def test_speech_keeps_within_the_limits(exact, sandbox):
    with pytest.raises(LimitError) as caught:
        await hg.render_video(DRAFT, settings=exact(max_cost_per_render=0.5))

    assert caught.value.charged is False
    assert sandbox.requests(SPEECH) == 0


async def test_what_a_day_may_cost_counts_speech(exact, sandbox, home):
    (home / "rates.yaml").write_text("engines: {avatar_iv: 0.001}\nspeech: 0.1\n")

    with pytest.raises(LimitError):
        await hg.render_video(DRAFT, settings=exact(max_cost_per_day=0.05))
    await hg.render_video(DRAFT, settings=exact(max_cost_per_day=3.5 * MAX_CALLS))
    draft = hg.Draft(script=SCRIPTS["en"] * 4)
    with pytest.raises(LimitError):
        await hg.render_video(draft, settings=exact(max_cost_per_day=1.0))


async def test_sound_that_cannot_be_had_is_told_and_made_anew(exact, sandbox):
    async def at_once(_seconds):
        await asyncio.sleep(0)

    sandbox.fault("status", "/files/speech/*", status=404, times=None)
    async with open_account(exact(), clock=Clock(sleep=at_once)) as account:
        with pytest.raises(DownloadError, match="speech") as caught:
            await order(account, DRAFT, exact())
    assert caught.value.charged is True

    sandbox.clear_faults()
    assert (await hg.render_video(DRAFT, settings=exact())).path
    assert 1 <= sandbox.requests(SPEECH) <= MAX_CALLS
