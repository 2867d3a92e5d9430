"""A screen in a panel: one video by its path, or one sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.markup import video_html

if TYPE_CHECKING:
    from pathlib import Path


class Player(widgets.VBox):
    """Plays one video, of which nothing is stored in the notebook, or one sound."""

    def __init__(self) -> None:
        self._screen = make(widgets.Output, "hg-screen")
        self._sound: widgets.Audio | None = None
        super().__init__((self._screen,), layout=shared_layout())
        self.add_class("hg-player")
        self.path: Path | None = None

    def play(self, path: Path | None) -> None:
        """Show a video; None empties the screen."""
        self.path = path
        self.children = (self._screen,)
        html = video_html(path) if path else ""
        data = {"text/html": html, "text/plain": str(path)}
        bundle = {"output_type": "display_data", "data": data, "metadata": {}}
        self._screen.outputs = (bundle,) if html else ()

    def listen(self, sound: bytes) -> None:
        """Play a sound, WAV or MP3, at once."""
        self.play(None)
        if self._sound:
            self._sound.close()
        kind = "wav" if sound.startswith(b"RIFF") else "mp3"
        self._sound = make(widgets.Audio, value=sound, format=kind, loop=False)
        self.children = (self._sound,)
