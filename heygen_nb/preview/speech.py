"""Spoken text: samples and when each word is said. The seam for any voice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the script and when it is heard.

    Attributes:
        text: As the script spells it, punctuation included.
        start_s: When it begins.
        end_s: When it ends; equal to ``start_s`` for what is not spoken (emoji).
    """

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A spoken script.

    Attributes:
        samples: Mono, float32, -1 to 1.
        sample_rate: Samples a second.
        words: All words of the script in order.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    words: tuple[Word, ...]

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / self.sample_rate

    def padded(self, tail_s: float) -> Speech:
        """Return the same speech with ``tail_s`` seconds of silence after it."""
        tail = np.zeros(round(max(tail_s, 0.0) * self.sample_rate), np.float32)
        return replace(self, samples=np.concatenate([self.samples, tail]))


class Voice(Protocol):
    """Whatever can say a script: espeak-ng here, HeyGen's own speech elsewhere."""

    def speak(self, script: str, *, speed: float = 1.0) -> Speech:
        """Say the script; ``speed`` 0.5 to 1.5 means the same as HeyGen's."""
        ...
