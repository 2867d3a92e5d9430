"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

Change = Literal["shorten", "lengthen", "another", "translate"]
TextCallback = Callable[[str, str, str], None]
Measure = Callable[[str], float]
TOLERANCE = 0.15  # share of the length that nobody minds


class ScriptRequest(NamedTuple):
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


class Written(NamedTuple):
    """A finished text: what is said, its title and the text of its post."""

    title: str
    script: str
    caption: str


def misses(seconds: float, target_s: float) -> bool:
    """Tell whether a length is further from the wished one than anybody likes."""
    return abs(seconds - target_s) > TOLERANCE * target_s
