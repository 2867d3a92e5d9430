"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from heygen_nb.scripts.model import ModelWriter as ModelWriter
from heygen_nb.scripts.offline import (
    TEMPLATES as TEMPLATES,
    Change as Change,
    Format as Format,
    Measure as Measure,
    OfflineWriter as OfflineWriter,
    ScriptRequest as ScriptRequest,
    TextCallback as TextCallback,
    Written as Written,
    formats as formats,
    misses as misses,
)
from heygen_nb.scripts.server import ModelServer as ModelServer
