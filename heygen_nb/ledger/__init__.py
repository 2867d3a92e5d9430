"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``intents`` what becomes one, ``store`` the renders,
``posts``, ``drafts``, ``speech`` and ``assets`` what their names say, ``leases`` who
works on a row, ``history`` long lists, ``facts`` what is learned from, ``spending``
what a day has cost, ``database`` how a ledger is opened and brought up to date.
"""

from heygen_nb.ledger.leases import Hold
from heygen_nb.ledger.reading import NO_CREDIT, Allow
from heygen_nb.ledger.renders import (
    ENDED_UNPAID,
    TOKEN_PREFIX,
    Ledger,
    MadeBefore,
    NewRender,
    title_token,
)
from heygen_nb.ledger.tables import EventRow, PostRow, RenderRow, SpeechRow

__all__ = [
    "ENDED_UNPAID",
    "NO_CREDIT",
    "TOKEN_PREFIX",
    "Allow",
    "EventRow",
    "Hold",
    "Ledger",
    "MadeBefore",
    "NewRender",
    "PostRow",
    "RenderRow",
    "SpeechRow",
    "title_token",
]
