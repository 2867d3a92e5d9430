"""Asked against real length of finished films: before and after ten renders, exact."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import heygen_nb as hg
from heygen_nb.config import load_settings
from heygen_nb.sandbox.process import start_sandbox
from heygen_nb.sandbox.state import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heygen_nb.config import Settings

VOICES = {"en": "Maya", "ru": "Вера"}
TOPICS = {"en": "Leo", "ru": "Лев"}
FORMATS = ("horoscope", "lesson", "tip")
TARGETS = (15, 30, 45, 60)
KNOWN = (20, 35, 50, 60)  # lengths of the ten that are learned from


async def main() -> None:
    logging.disable(logging.WARNING)
    print("                     asked | before | after ten renders | exact (seconds)")
    with tempfile.TemporaryDirectory() as folder:
        for language in VOICES:
            await show(Path(folder), language)


async def show(folder: Path, language: str) -> None:
    # an account each: films that are there already would be taken instead
    new, learned = (home(folder / f"{language}-{name}") for name in ("new", "old"))
    exact = learned.model_copy(update={"length_mode": "exact"})
    known = await written(learned, language, KNOWN, seed=1)
    await rendered(learned, known[:10])
    wanted = await written(new, language, TARGETS, seed=7)
    columns = [await rendered(s, wanted) for s in (new, learned, exact)]
    for draft, *films in zip(wanted, *columns, strict=True):
        cells = "  ".join(f"{film:6.1f}" for film in films)
        print(f"{language} {draft.title[:24]:<26} {draft.duration:>3}  {cells}")
    for label, films in zip(("before", "after", "exact"), columns, strict=True):
        off = [abs(f - d.duration) for f, d in zip(films, wanted, strict=True)]
        share = [o / d.duration for o, d in zip(off, wanted, strict=True)]
        print(f"{language} {label}: worst {max(share):.1%}, {max(off):.2f} s")


def home(folder: Path) -> Settings:
    # real films: spoken, encoded and measured
    options = SandboxOptions(pending_s=0, early_404_s=0, balance=1000)
    handle = start_sandbox(folder / "sandbox", options=options)
    environ = {
        "HEYGEN_NB_HOME": str(folder),
        "HEYGEN_API_KEY": handle.api_key,
        "HEYGEN_BASE_URL": handle.base_url,
        "HEYGEN_NB_POLL_INTERVAL_S": "0.2",
        "HEYGEN_NB_RESOLUTION": "720p",
    }
    return load_settings(environ=environ, max_concurrent_renders=2)


async def written(
    settings: Settings, language: str, lengths: Sequence[int], seed: int
) -> list[hg.Draft]:
    made = []
    for duration, form in product(lengths, FORMATS):
        how: dict[str, Any] = {"format": form, "language": language, "seed": seed}
        (draft,) = await hg.write_drafts(
            TOPICS[language], duration=duration, settings=settings, **how
        )
        own = {"duration": duration, "voice": VOICES[language]}
        made.append(draft.model_copy(update=own))
    return made


async def rendered(settings: Settings, drafts: Sequence[hg.Draft]) -> list[float]:
    videos = await asyncio.gather(
        *(hg.render_video(draft, settings=settings) for draft in drafts)
    )
    return [video.duration_s or 0.0 for video in videos]


if __name__ == "__main__":
    asyncio.run(main())
