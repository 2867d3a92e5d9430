"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from heygen_nb.scripts.chat import Chat
from heygen_nb.scripts.formats import (
    TEMPLATES,
    Change,
    Format,
    Measure,
    Order,
    ScriptWriter,
    TextCallback,
    Written,
    formats,
    misses,
)
from heygen_nb.scripts.model import ModelWriter
from heygen_nb.scripts.offline import OfflineWriter

__all__ = [
    "TEMPLATES",
    "Change",
    "Chat",
    "Format",
    "Measure",
    "ModelWriter",
    "OfflineWriter",
    "Order",
    "ScriptWriter",
    "TextCallback",
    "Written",
    "formats",
    "misses",
]
