"""``POST /v3/voices/speech``: spoken at once, measured, charged."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox import speech as sound
from heygen_nb.sandbox.bodies import SpeechRequest, parse
from heygen_nb.sandbox.envelope import data, invalid
from heygen_nb.sandbox.orders import RATES, find_voice
from heygen_nb.sandbox.state import Spoken

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.state import State
    from heygen_nb.sandbox.wallet import Wallet


class Voiceover:
    """The voice service; it takes starfish voices only."""

    def __init__(self, state: State, files: Files, wallet: Wallet) -> None:
        self._state = state
        self._files = files
        self._wallet = wallet

    async def create(self, body: Any, _key: str | None, request: Request) -> Response:
        """Answer the request."""
        asked = parse(SpeechRequest, body)
        voice = find_voice(asked.voice_id)
        if not voice.starfish:
            raise invalid("voice_id", "this voice does not support the starfish engine")
        model_s = sound.model(voice, asked.text, asked.speed).duration_s
        self._wallet.require(model_s * RATES["speech"])
        say = sound.model if self._state.options.fast else sound.speak
        speech = await asyncio.to_thread(say, voice, asked.text, asked.speed)
        content = await asyncio.to_thread(sound.to_wav, speech)
        words = [(w.text, round(w.start_s, 3), round(w.end_s, 3)) for w in speech.words]
        spoken = Spoken(
            id=hashlib.sha256(content).hexdigest(),
            script=asked.text,
            duration=round(speech.duration_s, 3),
            words=words,
        )
        place = self._files.keep_speech(content, spoken)
        cost = round(speech.duration_s * RATES["speech"], 6)
        self._wallet.charge("speech", spoken.id, cost, self._state.clock.now())
        names = ("word", "start", "end")
        return data(
            {
                "audio_url": self._files.link(request, place),
                "duration": spoken.duration,
                "word_timestamps": [dict(zip(names, w, strict=True)) for w in words],
                "request_id": secrets.token_hex(16),
            }
        )
