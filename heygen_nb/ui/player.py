"""A screen in a panel: one video, by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.markup import video_html

if TYPE_CHECKING:
    from pathlib import Path


class Player(widgets.VBox):
    """Plays one video; nothing of it is stored in the notebook."""

    def __init__(self) -> None:
        self._screen = make(widgets.Output, "hg-screen")
        super().__init__((self._screen,), layout=shared_layout())
        self.add_class("hg-player")
        self.path: Path | None = None

    def play(self, path: Path | None) -> None:
        """Show a video; None empties the screen."""
        self.path = path
        html = video_html(path) if path else ""
        data = {"text/html": html, "text/plain": str(path)}
        bundle = {"output_type": "display_data", "data": data, "metadata": {}}
        self._screen.outputs = (bundle,) if html else ()
