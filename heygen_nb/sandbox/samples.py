"""What a voice sounds like: a greeting in its own language, made when asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
from starlette.responses import FileResponse, Response

from heygen_nb.preview.speech import Speech
from heygen_nb.sandbox import speech as sound
from heygen_nb.sandbox.api import found
from heygen_nb.sandbox.catalogue import Voice, voices

if TYPE_CHECKING:
    from starlette.requests import Request

    from heygen_nb.sandbox.state import State

_GREETINGS = {
    "en": "Hello! This is how I sound.",
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


class Samples:
    """The spoken samples of a sandbox, kept in its folder."""

    def __init__(self, state: State) -> None:
        self._folder = state.folder / "files" / "voices"
        self._make = _tone if state.options.fast else _greeting

    async def get(self, request: Request) -> Response:
        """Answer ``GET /files/voices/{id}.wav``."""
        voice = found(voices(), request.path_params["id"], "voice")
        path = self._folder / f"{voice.voice_id}.wav"
        if not path.exists():
            content = sound.to_wav(await asyncio.to_thread(self._make, voice))
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return FileResponse(path)


def _greeting(voice: Voice) -> Speech:
    return sound.speak(voice, _GREETINGS[voice.code], 1.0)


def _tone(voice: Voice) -> Speech:
    """Return a hum at the voice's height: heard, and made in no time."""
    at = np.arange(round(_TONE_S * _TONE_RATE)) / _TONE_RATE
    wave = 0.2 * np.sin(2 * np.pi * (100 + 4 * voice.pitch) * at)
    return Speech(wave.astype(np.float32), _TONE_RATE, ())
