"""How rendering went."""

from __future__ import annotations

import ipywidgets as widgets

from heygen_nb.ui._base import Panel


class AnalyticsPanel(Panel):
    """Figures and charts."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        return ()
