"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``intents`` what becomes one, ``store`` the renders,
``posts``, ``drafts``, ``speech`` and ``assets`` what their names say, ``leases`` who
works on a row, ``history`` long lists, ``facts`` what is learned from, ``spending``
what a day has cost, ``database`` how a ledger is opened and brought up to date.
"""

from heygen_nb.ledger.intents import MadeBefore, NewRender
from heygen_nb.ledger.leases import Hold
from heygen_nb.ledger.spending import Allow
from heygen_nb.ledger.store import ENDED_UNPAID, Ledger
from heygen_nb.ledger.tables import Event, Post, Render, Speech
from heygen_nb.ledger.titles import TOKEN_PREFIX, title_token

__all__ = [
    "ENDED_UNPAID",
    "TOKEN_PREFIX",
    "Allow",
    "Event",
    "Hold",
    "Ledger",
    "MadeBefore",
    "NewRender",
    "Post",
    "Render",
    "Speech",
    "title_token",
]
