"""Lengths and render times: how far off before and after learning, and how fast.

Claims: nearer than 150 words a minute and than words / 2.2 in both languages, on
voices the model has not seen; a 10,000-row ledger is learned from in 200 ms; an
estimate while typing takes 2 ms.

The sentences are Debian's ``fortunes`` and ``fortunes-ru`` if they are installed, else
the few below put together in many ways. The truth is what the sandbox's voices say,
which have hidden rates and pauses.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from sqlalchemy import insert

from heygen_nb.ledger import Ledger, RenderRow
from heygen_nb.sandbox import rendering as sound
from heygen_nb.sandbox.catalogue import SandboxVoice, voices
from heygen_nb.timing import PastRender, RenderTimes, SpeechModel, Spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.preview.voice import Narration

FORTUNES = Path("/usr/share/games/fortunes")
SENTENCES = 240
VOICES = 8
LEARNED = 10
OWN = {
    "en": (
        "Your coffee machine remembers more than you think.",
        "Every morning, at seven sharp, it warms the water and waits for you.",
        "We asked 300 people what they drink before work.",
        "Most of them said tea; some said nothing at all!",
        "Would you like to know what happened next?",
        "Keep it short, keep it kind, and keep the door open.",
    ),
    "ru": (
        "Ваша кофеварка помнит больше, чем кажется.",
        "Каждое утро, ровно в семь, она греет воду и ждёт вас.",
        "Мы спросили 300 человек, что они пьют перед работой.",
        "Большинство ответило: чай; некоторые не пьют ничего!",
        "Хотите узнать, что случилось дальше?",
        "Говорите коротко, говорите по-доброму и не закрывайте дверь.",
    ),
}


def sentences(language: str) -> list[str]:
    dice = random.Random(7)
    folder = FORTUNES / "ru" if language == "ru" else FORTUNES
    found = []
    for file in sorted(folder.glob("*")) if folder.is_dir() else ():
        if file.is_file() and not file.suffix:
            text = file.read_text("utf-8", errors="ignore")
            found += [" ".join(part.split()) for part in text.split("\n%\n")]
    letters = re.compile("[а-яё]" if language == "ru" else "[a-z]", re.IGNORECASE)
    usable = [
        text
        for text in (part.split(" -- ")[0].strip() for part in found)
        if 60 <= len(text) <= 400 and len(letters.findall(text)) > 0.7 * len(text)
    ]
    if len(usable) < SENTENCES:
        own = OWN[language]
        usable = [" ".join(dice.sample(own, 4)) for _ in range(SENTENCES)]
    return dice.sample(usable, SENTENCES)


def lengths(language: str, kind: str) -> None:
    say = sound.speak if kind == "espeak" else sound.model
    heard = [v for v in voices().values() if v.code == language][:VOICES]
    share = SENTENCES // VOICES
    texts = sentences(language)
    errors: dict[str, list[float]] = {}
    inside = []
    for number, voice in enumerate(heard):
        rows = [row(voice, t, say) for t in texts[number * share :][:share]]
        taught = SpeechModel(rows[:LEARNED])
        for one in rows[LEARNED:]:
            words = len(one.script.split())
            learned = taught.estimate(one.script, voice_id=one.voice_id)
            guesses = {
                "150 words/min": words / 2.5,
                "words / 2.2": words / 2.2,
                "ours, unseen voice": SpeechModel().estimate(one.script).seconds,
                f"ours, {LEARNED} renders": learned.seconds,
            }
            for name, guess in guesses.items():
                error = abs(guess / one.duration_s - 1)
                errors.setdefault(name, []).append(error)
            inside.append(learned.low_s <= one.duration_s <= learned.high_s)
    shown = "  ".join(f"{name} {fmean(found):.1%}" for name, found in errors.items())
    print(f"{language} {kind:9} mean error: {shown}")
    print(f"             the 80 % interval holds in {fmean(inside):.0%}")


def row(
    voice: SandboxVoice, text: str, say: Callable[[SandboxVoice, str, float], Narration]
) -> Spoken:
    return Spoken(text, voice.voice_id, 1.0, say(voice, text, 1.0).duration_s)


def speed() -> None:
    texts = sentences("en")
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(f"sqlite:///{folder}/ledger.db") as ledger,
    ):
        fill(ledger, texts)
        times = [timed(lambda: SpeechModel(spoken(ledger))) for _ in range(5)]
        clocks = [timed(lambda: RenderTimes(past(ledger))) for _ in range(5)]
    model, script = SpeechModel(), " ".join(texts[:4])
    typed = [
        timed(lambda end=end: model.estimate(script[:end]))
        for end in range(100, len(script))
    ]
    print(f"lengths from a 10,000-row ledger: {median(times) * 1000:.0f} ms (<= 200)")
    print(f"times from a 10,000-row ledger: {median(clocks) * 1000:.0f} ms (<= 200)")
    print(f"estimate at a key stroke: {median(typed) * 1000:.2f} ms (<= 2)")


def spoken(ledger: Ledger) -> list[Spoken]:
    return [Spoken(*found) for found in ledger.facts.spoken("heygen")]


def past(ledger: Ledger) -> list[PastRender]:
    return [
        PastRender(
            seconds,
            (end - start).total_seconds(),
            engine,
            resolution or "",
            processing_s=(end - begun).total_seconds(),
        )
        for seconds, start, begun, end, engine, resolution in ledger.facts.times(
            "heygen"
        )
    ]


def fill(ledger: Ledger, texts: list[str]) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with ledger.database.writing() as session:
        session.execute(
            insert(RenderRow),
            [
                {
                    "id": f"{n:012x}",
                    "draft_id": f"d{n}",
                    "revision": "r",
                    "attempt": 1,
                    "backend": "heygen",
                    "base_url": "u",
                    "account": "a",
                    "state": "downloaded",
                    "body": "{}",
                    "idempotency_key": "k",
                    "token": "t",
                    "script": f"{texts[n % len(texts)]} {n}.",
                    "inputs": {"resolution": "1080p"},
                    "voice_id": f"v{n % 20}",
                    "language": "en",
                    "engine": "avatar_iv",
                    "duration_s": 20 + n % 40,
                    "created_at": start + timedelta(minutes=n),
                    "submitted_at": start + timedelta(minutes=n),
                    "processing_at": start + timedelta(minutes=n + 1 + n % 2),
                    "completed_at": start + timedelta(minutes=n + 5 + n % 3),
                }
                for n in range(10_000)
            ],
        )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    found = "fortunes" if (FORTUNES / "ru").is_dir() else "own sentences"
    print(f"{SENTENCES} texts a language ({found}), {VOICES} voices of each")
    for language in ("en", "ru"):
        for kind in ("modelled", "espeak"):
            lengths(language, kind)
    speed()


if __name__ == "__main__":
    main()
