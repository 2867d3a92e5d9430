"""What the panels work on, and what commands share with them."""

from heygen_nb.outcome import Failure, Outcome
from heygen_nb.workflow.figures import analytics
from heygen_nb.workflow.history import HistoryLine, export_history, history_lines

__all__ = [
    "Failure",
    "HistoryLine",
    "Outcome",
    "analytics",
    "export_history",
    "history_lines",
]
