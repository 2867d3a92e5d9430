"""Choosing a background: a colour, a link, a file, or one used before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.background import COLOR
from heygen_nb.ui.base import Panel, Part, Work, make, row
from heygen_nb.ui.catalogue import FOLDER, KnownBackground
from heygen_nb.ui.html import markup, thumb_html
from heygen_nb.ui.widgets import PictureGrid, Tile

_FIRST_COLOR = "#1b2440"
_ACCEPT = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff"


class BackgroundPicker(Part):
    """What a background can be, each with its own way in; checked before it is used.

    Args:
        panel: Whose picker it is.
        choose: Called with the value to store, empty for no background.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._choose = panel, choose
        self._backgrounds = panel.shared.backgrounds
        self._current = ""
        self._earlier: dict[str, KnownBackground] = {}
        self.place = panel.place()
        self.now = make(widgets.HTML)
        none = panel.button(_("🚫 No background"), partial(self.use, ""))
        self.c_color = panel.field(
            widgets.ColorPicker, _("🎨 Colour"), value=_FIRST_COLOR
        )
        self.t_link = panel.field(
            widgets.Text,
            _("🔗 Link or file"),
            placeholder="https://…/sea.jpg   ~/Pictures/sea.png",
        )
        self.u_file = panel.upload(
            _("⇪ Upload a picture"), self._upload, _ACCEPT, at=self.place
        )
        self.grid = PictureGrid(panel, self.use, "hg-wide", self.place)
        super().__init__(
            row(self.now, none, css="hg-row hg-now"),
            self._entry(self.c_color, self._use_color),
            self._entry(self.t_link, self._use_link),
            row(self.u_file),
            panel.hint(_hint),
            self.place,
            self.grid,
        )

    def _entry(self, field: widgets.Widget, work: Work) -> widgets.HBox:
        use = self._panel.button(_("Use"), work, at=self.place)
        return row(field, use, css="hg-entry")

    async def begin(self, current: str) -> None:
        """Show what can be chosen, and mark what is used now.

        Args:
            current: Colour, link or file; empty for none.
        """
        self._current = current
        earlier = await self._backgrounds.earlier()
        self._earlier = {one.value: one for one in earlier}
        await self._show_current()
        tiles = [_tile(one) for one in earlier]
        await self.grid.fill(tiles, self._picture, current)

    async def _picture(self, value: str) -> bytes | None:
        one = self._earlier.get(value)
        return one.thumb if one else None

    async def _show_current(self) -> None:
        value = self._current
        look = await asyncio.to_thread(self._backgrounds.look, value)
        one = self._earlier.get(value)
        label = one.label if one else value or _("No background")
        self.now.value = thumb_html(look, label) + markup(label, "hg-value")
        if COLOR.fullmatch(value):
            self.c_color.value = value

    async def use(self, value: str) -> None:
        """Check a background, mark it and hand it on."""
        await self._take(lambda: self._backgrounds.use(value))

    async def _use_color(self) -> None:
        await self.use(self.c_color.value)

    async def _use_link(self) -> None:
        if self.t_link.value.strip():
            await self.use(self.t_link.value)
            self.t_link.value = ""

    async def _upload(self, name: str, content: bytes) -> None:
        keep = self._backgrounds.keep
        await self._take(lambda: asyncio.to_thread(keep, name, content))

    async def _take(self, checked: Callable[[], Awaitable[str]]) -> None:
        self._panel.tell_busy(_("Checking…"))
        try:
            value = await checked()
        finally:
            self.grid.mark(self._current)
        await self._choose(value)
        await self.begin(value)


def _hint() -> str:
    return _(
        "💡 PNG, JPEG, WebP, GIF, BMP or TIFF, up to 32 MB. Over 8 MB an upload"
        " arrives only in a notebook opened by “heygen-nb lab”: elsewhere put the"
        " file into the folder {folder} beside config.yaml, and it is offered here."
    ).format(folder=f"{FOLDER}/")


def _tile(one: KnownBackground) -> Tile:
    """Return a tile; what has no picture is a link."""
    return Tile(one.value, one.label, "" if one.thumb else _("🔗 link"))
