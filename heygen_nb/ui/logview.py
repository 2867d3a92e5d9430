"""The generation log: the last lines, escaped, at most five updates a second."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.ui._base import make, shared_layout

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

PAUSE_S = 0.2


class LogView(widgets.VBox):
    """Shows lines as they come, the newest in sight.

    Args:
        lines: Gives what is to be shown now.
        loop: Where updates are put off to.
        label: Its name for screen readers.
    """

    def __init__(
        self,
        lines: Callable[[], Iterable[str]],
        loop: asyncio.AbstractEventLoop,
        label: str,
    ) -> None:
        self._lines = lines
        self._loop = loop
        self._label = label
        self._later: asyncio.TimerHandle | None = None
        self._html = make(widgets.HTML)
        super().__init__((self._html,), layout=shared_layout())
        self.add_class("hg-log")
        self._draw()

    def refresh(self) -> None:
        """Show new lines within a fifth of a second, many of them at once."""
        if self._later is None:
            self._later = self._loop.call_later(PAUSE_S, self._draw)

    def close(self) -> None:
        """Forget an update that is still to come."""
        if self._later:
            self._later.cancel()
        super().close()

    def _draw(self) -> None:
        self._later = None
        text = escape("\n".join(self._lines()))
        label = escape(self._label)
        self._html.value = (
            f'<pre role="log" tabindex="0" aria-label="{label}">{text}</pre>'
        )
