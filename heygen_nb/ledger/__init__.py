"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``renders``, ``posts``, ``drafts`` and ``speech`` change
them, ``leases`` says who works on one, ``reading`` gives long lists, figures and what
a day has cost, ``database`` opens a ledger and brings it up to date.
"""

from heygen_nb.ledger.leases import Hold as Hold
from heygen_nb.ledger.reading import NO_CREDIT as NO_CREDIT, Allow as Allow
from heygen_nb.ledger.renders import (
    ENDED_UNPAID as ENDED_UNPAID,
    TOKEN_PREFIX as TOKEN_PREFIX,
    Ledger as Ledger,
    NewRender as NewRender,
    title_token as title_token,
    token_of as token_of,
)
from heygen_nb.ledger.tables import (
    EventRow as EventRow,
    PostRow as PostRow,
    RenderRow as RenderRow,
    SpeechRow as SpeechRow,
)
