"""The length that was asked for, in estimate mode, once a voice was heard."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

import heygen_nb as hg

pytestmark = pytest.mark.anyio

VOICES = {"en": "Maya", "ru": "Вера"}
FORMATS = ("horoscope", "lesson", "tip")
TOPICS = {"en": "Leo", "ru": "Лев"}


async def written(settings, language, lengths, seed):
    """A script of each length and format, near it by the usual pace of voices."""
    made = []
    for duration, form in product(lengths, FORMATS):
        how = {"format": form, "language": language, "duration": duration}
        made += await hg.write_drafts(
            TOPICS[language], **how, seed=seed, settings=settings
        )
        own = {"duration": duration, "voice": VOICES[language]}
        made[-1] = made[-1].model_copy(update=own)
    return made


async def rendered(settings, drafts):
    return await asyncio.gather(
        *(hg.render_video(draft, settings=settings) for draft in drafts)
    )


@pytest.mark.soak
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_after_ten_renders_every_length_is_within_a_tenth(sandbox, language):
    settings = sandbox.settings(heygen_voice=VOICES[language])
    known = await written(settings, language, (20, 35, 50, 60), seed=1)
    await rendered(settings, known[:10])
    wanted = await written(settings, language, (15, 30, 45, 60), seed=7)

    videos = await rendered(settings, wanted)

    misses = [abs(v.duration_s - v.target_s) / v.target_s for v in videos]
    assert len(misses) == 12
    assert max(misses) <= 0.10
