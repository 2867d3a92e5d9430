"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from heygen_nb.scripts.chat import Chat
from heygen_nb.scripts.library import TEMPLATES, Format, formats
from heygen_nb.scripts.model import ModelWriter
from heygen_nb.scripts.offline import OfflineWriter
from heygen_nb.scripts.order import (
    Change,
    Measure,
    Order,
    ScriptWriter,
    TextCallback,
    Written,
    misses,
)

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
