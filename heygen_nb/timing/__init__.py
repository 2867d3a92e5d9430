"""How long a text takes to speak, and how far a render is; both are learned.

``speech`` estimates lengths, ``progress`` percent and remaining time. Rows to learn
from are handed in; nothing here reads the ledger or needs more than Python.
"""

from heygen_nb.timing.progress import USUAL_S, PastRender, RenderClock, RenderTimes
from heygen_nb.timing.speech import (
    MAX_SPEED,
    MIN_SPEED,
    Estimate,
    Fit,
    SpeechModel,
    Spoken,
    estimate_s,
    script_language,
    speed_for,
)

__all__ = [
    "MAX_SPEED",
    "MIN_SPEED",
    "USUAL_S",
    "Estimate",
    "Fit",
    "PastRender",
    "RenderClock",
    "RenderTimes",
    "SpeechModel",
    "Spoken",
    "estimate_s",
    "script_language",
    "speed_for",
]
