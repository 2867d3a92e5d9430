"""The whole app in one cell: five tabs under a header."""

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import LANGUAGES, current_language, gettext as _, ngettext
from heygen_nb.renderer.account import purse_of
from heygen_nb.ui import analytics, display, drafts, generation, history
from heygen_nb.ui.base import Panel, column, make, row
from heygen_nb.ui.html import markup, money_text
from heygen_nb.ui.settings import SettingsPanel
from heygen_nb.ui.video import FilmPanel, VideoView

_PANELS: Sequence[type[Panel]] = (
    drafts.DraftsPanel,
    generation.GenerationPanel,
    SettingsPanel,
    history.HistoryPanel,
    analytics.AnalyticsPanel,
)


class Studio(Panel):
    """Drafts in, videos and posts out: show it as the last line of a cell."""

    hears = "jobs", "settings", "drafts"

    def _build(self) -> tuple[widgets.Widget, ...]:
        self.panels: dict[type[Panel], Any] = {}
        self._balance, self._drafts = "", 0
        self.title = make(widgets.HTML, "hg-grow")
        self.chips = make(widgets.HTML)
        codes = tuple((code.upper(), code) for code in LANGUAGES)
        self.d_language = make(widgets.Dropdown, "hg-language", options=codes)
        self.say(self.d_language, "description", _("Language"))
        self.d_language.observe(self._on_language, "value")
        head = row(self.title, self.chips, self.d_language, css="hg-head")
        boxes = tuple(make(widgets.Box, "hg-page") for _kind in _PANELS)
        self.tabs = make(widgets.Tab, "hg-tabs", children=boxes, selected_index=0)
        self.tabs.observe(self._on_tab, "selected_index")
        self._on_tab(None)
        self._moved = False
        return (column(head, self.tabs, css="hg-app"),)

    @cached_property
    def view(self) -> VideoView:
        """The video that is looked at, in whatever tab."""
        view = VideoView(self)
        view.on_draft = self._edit
        return view

    def show_tab(self, kind: type[Panel]) -> Any:
        """Show the tab of a panel, and return the panel."""
        self.tabs.selected_index = _PANELS.index(kind)
        return self.panels[kind]

    def _watch(self) -> None:
        panel = self.show_tab(generation.GenerationPanel)
        panel.spawn(panel.reveal)

    def _edit(self, draft_id: str) -> None:
        panel = self.show_tab(drafts.DraftsPanel)
        panel.spawn(partial(panel.open_draft, draft_id))

    def _on_tab(self, _change: object) -> None:
        """Build the panel of the chosen tab when it is seen for the first time."""
        self._moved, index = True, self.tabs.selected_index or 0
        seen = _PANELS[index]
        if seen not in self.panels:
            new = self.panels[seen] = seen(self.shared)
            if isinstance(new, drafts.DraftsPanel):
                new.on_create = self._watch
            elif isinstance(new, FilmPanel):
                new.common_view = lambda: self.view
            self.tabs.children[index].children = (new,)
        for kind, panel in self.panels.items():
            panel.rest(now=kind is not seen)

    def _on_language(self, _change: object) -> None:
        if self.d_language.value != current_language():
            self.spawn(partial(self.shared.set_language, self.d_language.value))

    async def _begin(self) -> None:
        if notes := list(display.kernel_notes()):
            self.tell(lambda: " ".join(f"⚠️ {note}" for note in notes), "warn")
        if self.shared.broken:
            self.show_tab(SettingsPanel)
        self.shared.jobs.take_up()
        await self._count_drafts()
        await self._ask_balance()

    def _heard(self, topic: str) -> None:
        if topic == "drafts":
            self.spawn(self._count_drafts)
        elif topic == "settings" or not self._head():
            self.spawn(self._ask_balance)
        elif not self._moved:
            self.show_tab(generation.GenerationPanel)  # begun before, by another kernel

    def relabel(self) -> None:
        """Put all words into the present language."""
        super().relabel()
        self.d_language.value = current_language()
        self._name_tabs()
        self._head()

    def _name_tabs(self) -> None:
        first = f"{_('Drafts')} · {self._drafts}" if self._drafts else _("Drafts")
        names = (first, _("Generation"), _("Settings"), _("History"), _("Analytics"))
        for index, name in enumerate(names):
            self.tabs.set_title(index, name)  # ipywidgets 7 has no ``titles``

    async def _count_drafts(self) -> None:
        _first, self._drafts = await self.shared.drafts.search("", limit=0)
        self._name_tabs()

    async def _ask_balance(self) -> None:
        try:
            async with self.shared.account() as account:
                balance = (await account.client.me()).balance
            sandbox = self.shared.settings.active_backend == "sandbox"
            self._balance = money_text(balance, sandbox=sandbox)
        except HeygenNbError as error:
            self._balance = ""
            self.tell(error)
        self._head()

    def _head(self) -> int:
        """Draw the header; return how many renders are under way."""
        count = self.shared.jobs.running
        purse = purse_of(self.shared.settings)
        badge = "HeyGen" if purse else _("SANDBOX · local and free")
        css = "hg-chip" if purse else "hg-chip hg-sandbox"
        words = ngettext("{count} rendering", "{count} rendering", count)
        chips = [words] if count else []
        chips += filter(None, [purse, self._balance])
        self.title.value = f"<b>🎬 heygen_nb</b>{markup(badge, css)}"
        self.chips.value = "".join(map(partial(markup, css="hg-chip"), chips))
        return count

    def close(self) -> None:
        """Close all panels; renders go on."""
        if not self._closed:
            for panel in self.panels.values():
                panel.close()
        super().close()
