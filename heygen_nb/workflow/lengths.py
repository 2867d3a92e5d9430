"""How long scripts take, learned from the finished renders of a ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heygen_nb.timing import SpeechModel, Spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heygen_nb.config import Settings
    from heygen_nb.ledger import Ledger
    from heygen_nb.timing import Fit


@dataclass(frozen=True, slots=True)
class Lengths:
    """What is known of the voices that the settings and a draft wish for.

    Attributes:
        model: Estimates lengths.
        voice_ids: The voice that each wish stood for last.
    """

    model: SpeechModel = field(default_factory=SpeechModel)
    voice_ids: Mapping[str, str] = field(default_factory=dict)

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
        backend, wishes = settings.active_backend, {voice, settings.heygen_voice}
        return cls(
            SpeechModel(Spoken(*row) for row in ledger.facts.spoken(backend)),
            {w: ledger.facts.voice_of(backend, w) for w in wishes if w},
        )

    def voice_id(self, wish: str) -> str:
        """Return the voice that a wish stood for last; empty when not known."""
        return self.voice_ids.get(wish, "")

    def fit(self, script: str, target_s: float, settings: Settings, wish: str) -> Fit:
        """Return how near a script comes to a length; quick enough for typing."""
        return self.model.fit(
            script,
            target_s,
            voice_id=self.voice_id(wish),
            slowest=settings.min_speed,
            fastest=settings.max_speed,
        )
