"""How old a list of HeyGen's is, and the button that fetches it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.catalogue import age_text
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.markup import markup

if TYPE_CHECKING:
    from heygen_nb.renderer.catalogue import Kind
    from heygen_nb.ui._base import Panel, Work


class Freshness(widgets.HBox):
    """The age of a list, what its last refresh brought, and a refresh button.

    Args:
        panel: Whose part it is.
        kind: Which list.
        refresh: Fetches and shows it anew.
    """

    def __init__(self, panel: Panel, kind: Kind, refresh: Work) -> None:
        self._catalogue, self._kind = panel.desk.catalogue, kind
        self._text = panel.say(make(widgets.HTML), "value", self._words)
        self.button = panel.button(lambda: "↻", refresh)
        panel.say(self.button, "tooltip", lambda: _("Fetch the list anew"))
        super().__init__((self._text, self.button), layout=shared_layout())
        self.add_class("hg-buttons")

    def wait(self) -> None:
        """Tell that the list is on its way."""
        self._text.value = markup(_("Fetching the list…"), "hg-hint")

    def show(self) -> None:
        """Tell the age as it is now."""
        self._text.value = self._words()

    def _words(self) -> str:
        age = self._catalogue.age(self._kind)
        text = "" if age is None else age_text(age)
        trouble = self._catalogue.trouble(self._kind)
        if trouble is None:
            return markup(text, "hg-hint")
        reason = _("not fetched anew: {reason}").format(reason=trouble)
        return markup(f"{text} · {reason}", "warn")
