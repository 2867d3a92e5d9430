"""Title, script and caption of a draft, and what they amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.counters import caption_html, script_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.models import Draft
    from heygen_nb.timing import Fit
    from heygen_nb.ui._base import Panel, Work


class Editor(widgets.VBox):
    """The three texts of a draft.

    Args:
        panel: Whose editor it is.
        edited: Started after every change that the user makes.
    """

    def __init__(self, panel: Panel, edited: Work) -> None:
        self._filling = False
        self.t_title = panel.field(widgets.Text, lambda: _("Title"))
        self.t_script = panel.field(
            widgets.Textarea, lambda: _("Script"), "hg-script", rows=8
        )
        self.t_caption = panel.field(
            widgets.Textarea, lambda: _("Caption (Telegram)"), rows=3
        )
        self._about_script, self._about_caption = make(widgets.HTML), make(widgets.HTML)
        parts = (
            *(self.t_title, self.t_script, self._about_script),
            *(self.t_caption, self._about_caption),
        )
        super().__init__(parts, layout=shared_layout())

        def on_edit(_change: object) -> None:
            if not self._filling:
                panel.spawn(edited)

        for field in (self.t_title, self.t_script, self.t_caption):
            field.observe(on_edit, "value")

    def fill(self, draft: Draft) -> None:
        """Show a draft; this is no change by the user."""
        self._filling = True
        self.t_title.value = draft.title
        self.t_script.value = draft.script
        self.t_caption.value = draft.caption
        self._filling = False

    def typed(self, base: Draft) -> Draft:
        """Return ``base`` with the texts as they stand here."""
        return base.model_copy(
            update={
                "title": self.t_title.value,
                "script": self.t_script.value,
                "caption": self.t_caption.value,
            }
        )

    def count(self, target_s: float, fit: Callable[[str, float], Fit]) -> None:
        """Say how long the script is against its target, and the caption."""
        script = self.t_script.value
        self._about_script.value = script_html(script, target_s, fit)
        self._about_caption.value = caption_html(self.t_caption.value)
