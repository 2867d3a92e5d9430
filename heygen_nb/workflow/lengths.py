"""How long scripts take, learned from the finished renders of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.timing import SpeechModel, Spoken

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.ledger import Ledger
    from heygen_nb.timing import Fit


class Lengths:
    """What is known of the voices that the settings and a draft wish for.

    Attributes:
        model: Estimates lengths.
    """

    def __init__(self) -> None:
        self.model = SpeechModel()
        self._voice_ids: dict[str, str] = {}

    @classmethod
    def learned(
        cls, ledger: Ledger, settings: Settings, voice: str | None = None
    ) -> Lengths:
        """Return what the ledger teaches; takes some 50 ms for 10,000 renders.

        Args:
            ledger: Of the home folder.
            settings: Whose voice and backend count.
            voice: What a draft wishes, besides.
        """
        backend, made = settings.active_backend, cls()
        made.model = SpeechModel(Spoken(*row) for row in ledger.facts.spoken(backend))
        for wish in {voice or settings.heygen_voice, settings.heygen_voice}:
            made._voice_ids[wish] = ledger.facts.voice_of(backend, wish)
        return made

    def voice_id(self, wish: str) -> str:
        """Return the voice that a wish stood for last; empty when not known."""
        return self._voice_ids.get(wish, "")

    def fit(self, script: str, target_s: float, settings: Settings, wish: str) -> Fit:
        """Return how near a script comes to a length; quick enough for typing."""
        return self.model.fit(
            script,
            target_s,
            voice_id=self.voice_id(wish),
            slowest=settings.min_speed,
            fastest=settings.max_speed,
        )
