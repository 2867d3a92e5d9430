"""How the stand-in's voices speak: modelled by the clock, or really heard.

Every voice has a rate and pauses no client is told, and every text shifts them
a little, so guessing a length from a word count is wrong here as it is there.
"""

from __future__ import annotations

import hashlib
import io
import re
import wave
from typing import TYPE_CHECKING

import numpy as np

from heygen_nb.preview.voice import EspeakVoice, Narration, Word

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from heygen_nb.sandbox.catalogue import SandboxVoice

_NOISE = 0.03
_BREAK = re.compile(r'<break\s+time="([\d.]+)s"\s*/>')
_TAG = re.compile(r"<[^>]*>")
_SILENT_RATE = 8000  # samples a second of what nobody listens to


def model(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak silently: word times from the voice's hidden rate, no sound."""
    rate = (1 + _noise(voice, text)) / speed
    at, words = 0.0, []
    for word in _TAG.sub(" ", text).split():
        length_s = 60 / voice.words_per_minute * (0.33 + 0.1 * len(word))
        words.append(Word(word, at * rate, (at + length_s) * rate))
        pause_s = voice.pause_s * (0.4 if word[-1] in ",;:" else word[-1] in ".!?…")
        at += length_s + pause_s
    at += sum(map(float, _BREAK.findall(text)))
    return silence(max(at, 0.3) * rate, tuple(words))


def speak(voice: SandboxVoice, text: str, speed: float) -> Narration:
    """Speak aloud, with word times as measured."""
    espeak = EspeakVoice(
        voice.code,
        words_per_minute=round(voice.words_per_minute / (1 + _noise(voice, text))),
        pitch=voice.pitch,
        variant=voice.variant,
        sentence_pause_s=voice.pause_s,
    )
    speech = espeak.speak(text)
    if speed != 1 and speech.duration_s:
        # espeak's own rate is not quite linear and never under 80 words a minute.
        length_s = speech.duration_s / speed
        speech = _stretched(espeak.speak(text, speed=speed), length_s)
    # A script of emoji alone says nothing; a video still needs a length.
    return speech if speech.duration_s else speech.padded(1.0)


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


def _stretched(speech: Narration, length_s: float) -> Narration:
    samples = _resampled(speech.samples, round(length_s * speech.sample_rate))
    rate = length_s / speech.duration_s
    words = (Word(w.text, w.start_s * rate, w.end_s * rate) for w in speech.words)
    return Narration(samples, speech.sample_rate, tuple(words))


def _resampled(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    points = np.linspace(0, max(len(samples) - 1, 0), count)
    return np.interp(points, np.arange(len(samples)), samples).astype(np.float32)


def to_wav(speech: Narration) -> bytes:
    """Return the sound as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(speech.sample_rate)
        out.writeframes((speech.samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def file_hash(path: Path) -> str:
    """Return what a file is recognised by after its way through an upload."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _noise(voice: SandboxVoice, text: str) -> float:
    digest = hashlib.sha256(f"{voice.voice_id}\0{text}".encode()).digest()
    return (digest[0] / 127.5 - 1) * _NOISE


_GREETINGS = {
    "en": "Hello! This is how I ",
    "ru": "Здравствуйте! Вот так я звучу.",
    "de": "Hallo! So klinge ich.",
    "fr": "Bonjour ! Voici ma voix.",
    "es": "¡Hola! Así suena mi voz.",
    "it": "Ciao! Questa è la mia voce.",
    "pt": "Olá! Esta é a minha voz.",
    "pl": "Dzień dobry! To jest mój głos.",
    "nl": "Hallo! Zo klink ik.",
    "tr": "Merhaba! Bu benim sesim.",
    "uk": "Вітаю! Ось так я звучу.",
    "cs": "Dobrý den! Takhle zním.",
    "sv": "Hej! Så här låter jag.",
    "da": "Hej! Sådan lyder jeg.",
    "nb": "Hei! Slik høres jeg ut.",
    "fi": "Hei! Tältä minä kuulostan.",
    "el": "Γεια σας! Αυτή είναι η φωνή μου.",
    "ro": "Bună ziua! Aceasta este vocea mea.",
    "hu": "Jó napot! Ez a hangom.",
    "bg": "Здравейте! Това е моят глас.",
    "sr": "Zdravo! Ovo je moj glas.",
    "hr": "Bok! Ovo je moj glas.",
    "ar": "مرحبا! هذا هو صوتي.",
    "hi": "नमस्ते! यह मेरी आवाज़ है।",
    "id": "Halo! Beginilah suara saya.",
    "vi": "Xin chào! Đây là giọng của tôi.",
    "ko": "안녕하세요! 제 목소리입니다.",
    "cmn": "你好！这是我的声音。",
}
_TONE_S, _TONE_RATE = 0.4, 8000


def greeting(voice: SandboxVoice) -> Narration:
    """Say hello."""
    return speak(voice, _GREETINGS[voice.code], 1.0)


def tone(voice: SandboxVoice) -> Narration:
    """Return a hum at the voice's height: heard, and made in no time."""
    at = np.arange(round(_TONE_S * _TONE_RATE)) / _TONE_RATE
    wave = 0.2 * np.sin(2 * np.pi * (100 + 4 * voice.pitch) * at)
    return Narration(wave.astype(np.float32), _TONE_RATE, ())
