"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from heygen_nb.scripts.model import ModelWriter
from heygen_nb.scripts.offline import (
    TEMPLATES,
    Change,
    Format,
    Measure,
    OfflineWriter,
    ScriptRequest,
    TextCallback,
    Written,
    formats,
    misses,
)
from heygen_nb.scripts.server import ModelServer
