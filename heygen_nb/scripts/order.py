"""What is ordered of a writer, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Change = Literal["shorten", "lengthen", "another", "translate"]
TextCallback = Callable[[str, str, str], None]
Measure = Callable[[str], float]

TOLERANCE = 0.15  # share of the length that nobody minds


@dataclass(frozen=True, slots=True)
class Order:
    """A script somebody wants.

    Attributes:
        topic: What it is about; after a colon, or on lines of their own, points
            such as ``Coffee: warm the cup; grind late``.
        format: A ready format such as ``horoscope``; empty leaves it to the writer.
        tone: Such as ``warm``; the ready formats have their own.
        language: ``en`` or ``ru``.
        target_s: Wished length in seconds.
        seed: The same seed gives the same offline text; None gives any.
        words: About how many words that is; 0 has them counted from the length.
        offline: Leave the model alone even if there is one.
    """

    topic: str
    format: str = ""
    tone: str = ""
    language: str = "en"
    target_s: float = 30
    seed: int | None = None
    words: int = 0
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text: what is said, its title and the text of its post."""

    title: str
    script: str
    caption: str


class ScriptWriter(Protocol):
    """Writes scripts; the offline formats and a language model do."""

    async def write(
        self, order: Order, *, on_text: TextCallback | None = None
    ) -> Written:
        """Write one script.

        Args:
            order: What is wanted.
            on_text: Gets title, script and caption as they grow.

        Raises:
            DraftError: The order or its format cannot be used.
            ScriptError: The model did not write it.
        """
        ...  # pragma: no cover - what it looks like


def misses(seconds: float, target_s: float) -> bool:
    """Tell whether a length is further from the wished one than anybody likes."""
    return abs(seconds - target_s) > TOLERANCE * target_s
