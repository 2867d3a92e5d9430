"""What was meant, done and paid, written down before it is done.

``tables`` holds the rows, ``store`` every question and change, ``database`` how a
ledger is opened and brought up to date.
"""

from heygen_nb.ledger.store import ENDED_UNPAID, Ledger, NewRender
from heygen_nb.ledger.tables import Event, Post, Render

__all__ = ["ENDED_UNPAID", "Event", "Ledger", "NewRender", "Post", "Render"]
