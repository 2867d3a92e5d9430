"""The stand-in's voices, the same ones in every sandbox: listed, modelled, heard.

Every voice has a rate and pauses no client is told, and every text shifts them
a little, so guessing a length from a word count is wrong here as it is there.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from heygen_nb.preview.voice import EspeakVoice, Narration, Word
from heygen_nb.readings import spoken
from heygen_nb.sandbox.api import choice, data, found, options_of, page

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from starlette.requests import Request

# What there is to choose from: voices, looks and what they cost.
CATALOGUE = json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8"))
_SHOWN = ("voice_id", "name", "language", "gender", "type", "support_pause")
_NOISE = 0.03
# Of its length at the slowest and the fastest speed a stiff voice changes 2 %.
_STIFFNESS = 0.04
_BREAK = re.compile(r'<break\s+time="([\d.]+)s"\s*/>')
_TAG = re.compile(r"<[^>]*>")
_SILENT_RATE = 8000  # samples a second of what nobody listens to
_TONE_S = 0.4


@dataclass(frozen=True, slots=True)
class SandboxVoice:
    """A voice; how it speaks is nothing a client is told.

    Attributes:
        starfish: Whether ``POST /v3/voices/speech`` takes it.
        stiff: Its length hardly follows the asked speed.
    """

    voice_id: str
    name: str
    language: str
    gender: str
    code: str
    words_per_minute: int
    variant: str
    pitch: int
    pause_s: float
    starfish: bool
    support_pause: bool
    stiff: bool
    type: Literal["public", "private"] = "public"

    def pace(self, text: str, speed: float) -> float:
        """Return how long it takes for a text, as a part of its usual time."""
        digest = hashlib.sha256(f"{self.voice_id}\0{text}".encode()).digest()
        noise = (digest[0] / 127.5 - 1) * _NOISE
        return (1 + noise) / (1 + (speed - 1) * (_STIFFNESS if self.stiff else 1))


@lru_cache
def voices(*, odd: bool = False) -> dict[str, SandboxVoice]:
    """Return all voices by id: private, then public in the order of the listing.

    ``odd``: Some are stiff, and some know no pauses.
    """
    made = []
    for number, (name, code, index) in enumerate(CATALOGUE["own_voices"], 1):
        own = {"voice_id": f"voice_own_{number:02}", "name": name, "type": "private"}
        made.append(replace(_voice(code, index, odd=odd), **own))
    many = CATALOGUE["many_voices"]
    rows = [
        (code, index)
        for code in CATALOGUE["languages"]
        for index in range(many.get(code, 30))
    ]
    # Two nice ones of both languages of the product lead.
    rows.sort(key=lambda row: row[0] not in many or row[1] > 1)
    made += [_voice(*row, odd=odd) for row in rows]
    return {voice.voice_id: voice for voice in made}


def _voice(code: str, index: int, *, odd: bool) -> SandboxVoice:
    voice_id = f"voice_{code}_{index + 1:03}"
    dice = random.Random(voice_id)  # noqa: S311 - the same voices everywhere
    gender = ("female", "male")[index % 2]
    styles = CATALOGUE["styles"]
    name = f"{person_name(gender, index // 2)} - {styles[index // 8 % len(styles)]}"
    variant = f"{gender[0]}{dice.randint(1, 4)}"
    sound = (name, dice.randint(128, 186), variant, dice.randint(38, 62), 0.3)
    name, wpm, variant, pitch, pause_s = CATALOGUE["chosen_by_ear"].get(voice_id, sound)
    return SandboxVoice(
        voice_id=voice_id,
        name=name,
        language=CATALOGUE["languages"][code][0],
        gender=gender,
        code=code,
        words_per_minute=wpm,
        variant=variant,
        pitch=pitch,
        pause_s=pause_s,
        # Four of eight have no oddity, the chosen ones among them.
        starfish=index % 8 in range(5),
        stiff=odd and index % 8 in (4, 6),
        support_pause=not odd or index % 8 not in (5, 7),
    )


def person_name(gender: str, number: int) -> str:
    """Return the first name of one of many."""
    names: list[str] = CATALOGUE["names"][gender]
    again, who = divmod(number, len(names))
    return names[who] + (f" {again + 1}" if again else "")


def model(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak silently: word times from the voice's hidden rate, no sound."""
    pace, at, words = voice.pace(text, speed), 0.0, []
    for word in _TAG.sub(" ", text).split():
        letters = len(spoken(word, voice.code))  # "77" is two words to say
        length_s = 60 / voice.words_per_minute * (0.33 + 0.1 * letters)
        words.append(Word(word, at * pace, (at + length_s) * pace))
        pause_s = voice.pause_s * (0.4 if word[-1] in ",;:" else word[-1] in ".!?…")
        at += length_s + pause_s
    if voice.support_pause:
        at += sum(map(float, _BREAK.findall(text)))
    return silence(max(at, 0.3) * pace, tuple(words))


def speak(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak aloud, with word times as measured."""
    usual = voice.pace(text, 1)
    faster = usual / voice.pace(text, speed)
    espeak = EspeakVoice(
        voice.code,
        words_per_minute=round(voice.words_per_minute / usual),
        pitch=voice.pitch,
        variant=voice.variant,
        sentence_pause_s=voice.pause_s,
    )
    if not voice.support_pause:
        text = _BREAK.sub(" ", text)
    speech = espeak.speak(text)
    if faster != 1 and speech.duration_s:
        # espeak's own rate is not quite linear and never under 80 words a minute.
        length_s = speech.duration_s / faster
        speech = espeak.speak(text, speed=faster).stretched(length_s)
    # A script of emoji alone says nothing; a video still needs a length.
    return speech if speech.duration_s else speech.padded(1.0)


def greeting(voice: SandboxVoice) -> Narration:
    """Say hello."""
    return speak(voice, CATALOGUE["languages"][voice.code][1], 1.0)


def tone(voice: SandboxVoice) -> Narration:
    """Return a hum at the voice's height: heard, and made in no time."""
    at = np.arange(round(_TONE_S * _SILENT_RATE)) / _SILENT_RATE
    hum = 0.2 * np.sin(2 * np.pi * (100 + 4 * voice.pitch) * at)
    return Narration(hum.astype(np.float32), _SILENT_RATE, ())


def silence(duration_s: float, words: tuple[Word, ...] = ()) -> Narration:
    """Return that many seconds without a sound."""
    count = round(duration_s * _SILENT_RATE)
    return Narration(np.zeros(count, np.float32), _SILENT_RATE, words)


def joined(parts: list[Narration]) -> Narration:
    """Return the parts one after the other, at the finest of their rates."""
    rate = max(part.sample_rate for part in parts)
    samples, words, at = [], [], 0.0
    for part in parts:
        samples.append(_resampled(part.samples, round(part.duration_s * rate)))
        words += [Word(w.text, at + w.start_s, at + w.end_s) for w in part.words]
        at += part.duration_s
    return Narration(np.concatenate(samples), rate, tuple(words))


def _resampled(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    points = np.linspace(0, max(len(samples) - 1, 0), count)
    return np.interp(points, np.arange(len(samples)), samples).astype(np.float32)


async def list_voices(request: Request) -> Any:
    """Answer ``GET /v3/voices``: public ones unless asked otherwise."""
    query = request.query_params
    kind = choice(query, "type", "public", "private") or "public"
    engine = query.get("engine", "")
    language = query.get("language", "").casefold()
    gender = query.get("gender", "").casefold()
    fitting = (
        voice
        for voice in voices(odd=options_of(request).odd_voices).values()
        if voice.type == kind
        and (not engine or (engine == "starfish" and voice.starfish))
        and language in ("", voice.language.casefold())
        and gender in ("", voice.gender)
    )
    return page(enumerate(fitting), query, partial(_view, request), default=20)


async def get_voice(request: Request) -> Any:
    """Answer ``GET /v3/voices/{id}``, which tells other things than the listing."""
    known = voices(odd=options_of(request).odd_voices)
    view = _view(request, found(known, request.path_params["id"], "voice"))
    del view["type"], view["support_locale"]
    return data(view | dict.fromkeys(("created_at", "failure_message", "status")))


def _view(request: Request, voice: SandboxVoice) -> dict[str, Any]:
    link = f"{request.base_url}files/voices/{voice.voice_id}.wav"
    told: dict[str, Any] = {name: getattr(voice, name) for name in _SHOWN}
    return told | {"preview_audio_url": link, "support_locale": False}
