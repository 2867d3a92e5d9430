"""Title, script, caption and looks of a draft, and what they amount to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.casting import Casting
from heygen_nb.ui.counters import caption_html, script_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Draft
    from heygen_nb.timing import Fit
    from heygen_nb.ui._base import Panel, Work

GROW_S = 0.2  # between two updates of a text that is being written


class Editor(widgets.VBox):
    """The texts of a draft, and below them its own voice, avatar and background.

    Args:
        panel: Whose editor it is.
        edited: Started after every change that the user makes.
        below_script: What stands under the script.
    """

    def __init__(
        self, panel: Panel, edited: Work, below_script: widgets.Widget
    ) -> None:
        self._filling = False
        self._grown = 0.0
        self.t_title = panel.field(widgets.Text, lambda: _("Title"))
        self.t_script = panel.field(
            widgets.Textarea, lambda: _("Script"), "hg-script", rows=8
        )
        self.t_caption = panel.field(
            widgets.Textarea, lambda: _("Caption (Telegram)"), rows=3
        )
        self._about_script, self._about_caption = make(widgets.HTML), make(widgets.HTML)
        self.casting = Casting(panel, edited)
        parts = (
            *(self.t_title, self.t_script, self._about_script, below_script),
            *(self.t_caption, self._about_caption, self.casting),
        )
        super().__init__(parts, layout=shared_layout())

        def on_edit(_change: object) -> None:
            if not self._filling:
                panel.spawn(edited)

        for field in (self.t_title, self.t_script, self.t_caption):
            field.observe(on_edit, "value")

    def fill(self, draft: Draft) -> None:
        """Show a draft; this is no change by the user."""
        self._show(draft.title, draft.script, draft.caption)
        self.casting.fill(draft)

    def grow(self, title: str, script: str, caption: str) -> None:
        """Show texts that are still being written, a few times a second."""
        if time.monotonic() - self._grown >= GROW_S:
            self._grown = time.monotonic()
            self._show(title, script, caption)

    def lock(self, *, now: bool) -> None:
        """Let nothing be typed or chosen while something is written."""
        for field in (self.t_title, self.t_script, self.t_caption):
            field.disabled = now
        self.casting.lock(now=now)

    def _show(self, title: str, script: str, caption: str) -> None:
        self._filling = True
        self.t_title.value = title
        self.t_script.value = script
        self.t_caption.value = caption
        self._filling = False

    def typed(self, base: Draft) -> Draft:
        """Return ``base`` with the texts as they stand here."""
        return base.model_copy(
            update={
                "title": self.t_title.value,
                "script": self.t_script.value,
                "caption": self.t_caption.value,
                **self.casting.typed(),
            }
        )

    def count(self, target_s: float, fit: Callable[[str, float], Fit]) -> Fit:
        """Say how long the script is against its target, and the caption."""
        script = self.t_script.value
        self._about_script.value = script_html(script, target_s, fit)
        self._about_caption.value = caption_html(self.t_caption.value)
        return fit(script, target_s)
