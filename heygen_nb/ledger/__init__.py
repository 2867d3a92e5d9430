"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``renders``, ``posts``, ``drafts`` and ``speech`` change
them, ``leases`` says who works on one, ``reading`` gives long lists, figures and what
a day has cost, ``database`` opens a ledger and brings it up to date.
"""

from heygen_nb.ledger.leases import Hold, taken_over
from heygen_nb.ledger.posts import UNSENT
from heygen_nb.ledger.reading import NO_CREDIT, Allow
from heygen_nb.ledger.renders import (
    ENDED_UNPAID,
    TOKEN_PREFIX,
    Ledger,
    title_token,
    token_of,
)
from heygen_nb.ledger.tables import EventRow, PostRow, RenderRow, SpeechRow
