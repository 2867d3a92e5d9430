"""What was rendered and posted."""

from __future__ import annotations

import ipywidgets as widgets

from heygen_nb.ui._base import Panel


class HistoryPanel(Panel):
    """All renders, newest first."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        return ()
