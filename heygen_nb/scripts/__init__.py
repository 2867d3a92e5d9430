"""Writing scripts: from ready formats offline, or by a language model.

What a length is, and what the time is, is handed in: nothing here reads the ledger.
"""

from heygen_nb.scripts.formats import TEMPLATES as TEMPLATES
from heygen_nb.scripts.formats import Change as Change
from heygen_nb.scripts.formats import Format as Format
from heygen_nb.scripts.formats import Measure as Measure
from heygen_nb.scripts.formats import ScriptRequest as ScriptRequest
from heygen_nb.scripts.formats import TextCallback as TextCallback
from heygen_nb.scripts.formats import Written as Written
from heygen_nb.scripts.formats import formats as formats
from heygen_nb.scripts.formats import misses as misses
from heygen_nb.scripts.model import ModelWriter as ModelWriter
from heygen_nb.scripts.offline import OfflineWriter as OfflineWriter
from heygen_nb.scripts.server import ModelServer as ModelServer
