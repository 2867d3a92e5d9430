"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``renders``, ``posts``, ``drafts`` and ``speech`` change
them, ``leases`` says who works on one, ``reading`` gives long lists, figures and what
a day has cost, ``database`` opens a ledger and brings it up to date.
"""

from heygen_nb.ledger.leases import Hold as Hold
from heygen_nb.ledger.reading import NO_CREDIT as NO_CREDIT
from heygen_nb.ledger.reading import Allow as Allow
from heygen_nb.ledger.renders import ENDED_UNPAID as ENDED_UNPAID
from heygen_nb.ledger.renders import TOKEN_PREFIX as TOKEN_PREFIX
from heygen_nb.ledger.renders import Ledger as Ledger
from heygen_nb.ledger.renders import NewRender as NewRender
from heygen_nb.ledger.renders import title_token as title_token
from heygen_nb.ledger.renders import token_of as token_of
from heygen_nb.ledger.tables import EventRow as EventRow
from heygen_nb.ledger.tables import PostRow as PostRow
from heygen_nb.ledger.tables import RenderRow as RenderRow
from heygen_nb.ledger.tables import SpeechRow as SpeechRow
