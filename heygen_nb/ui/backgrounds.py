"""Choosing a background: a colour, a link, a file, or one used before."""

from __future__ import annotations

import asyncio
import base64
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.background import COLOR
from heygen_nb.ui.base import make, row, shared_layout
from heygen_nb.ui.html import markup
from heygen_nb.ui.pictures import FOLDER
from heygen_nb.ui.widgets import PictureGrid, Tile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from heygen_nb.ui.base import Panel
    from heygen_nb.ui.pictures import KnownBackground

_FIRST_COLOR = "#1b2440"
_ACCEPT = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff"


class BackgroundPicker(widgets.VBox):
    """What a background can be, each with its own way in; checked before it is used.

    Args:
        panel: Whose picker it is; it also shows what is wrong.
        choose: Called with the value to store, empty for no background.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[str], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._choose = panel, choose
        self._backgrounds = panel.shared.backgrounds
        self._current = ""
        self._earlier: dict[str, KnownBackground] = {}
        self.now, self.state = make(widgets.HTML), make(widgets.HTML)
        self.grid = PictureGrid(panel, self.use, "hg-wide")
        none = panel.button(lambda: _("🚫 No background"), partial(self.use, ""))
        super().__init__(
            (
                row(self.now, none, css="hg-row hg-now"),
                self._color_row(),
                self._link_row(),
                self._file_row(),
                panel.hint(self._hint),
                self.state,
                self.grid,
            ),
            layout=shared_layout(),
        )

    def _color_row(self) -> widgets.HBox:
        self.c_color = self._panel.field(
            widgets.ColorPicker, lambda: _("🎨 Colour"), value=_FIRST_COLOR
        )
        return self._row(self.c_color, self._use_color)

    def _link_row(self) -> widgets.HBox:
        self.t_link = self._panel.field(
            widgets.Text,
            lambda: _("🔗 Link or file"),
            placeholder="https://…/sea.jpg   ~/Pictures/sea.png",
        )
        return self._row(self.t_link, self._use_link)

    def _row(
        self, field: widgets.Widget, work: Callable[[], Coroutine[Any, Any, object]]
    ) -> widgets.HBox:
        button = self._panel.button(lambda: _("Use"), work)
        return row(field, button, css="hg-entry")

    def _file_row(self) -> widgets.HBox:
        self.u_file = self._panel.upload(
            lambda: _("⇪ Upload a picture"), self._upload, _ACCEPT
        )
        return row(self.u_file)

    def _hint(self) -> str:
        return _(
            "💡 PNG, JPEG, WebP, GIF, BMP or TIFF, up to 32 MB. Over 8 MB an upload"
            " arrives only in a notebook opened by “heygen-nb lab”: elsewhere put the"
            " file into the folder {folder} beside config.yaml, and it is offered here."
        ).format(folder=f"{FOLDER}/")

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
        self.now.value = _now_html(label, look)
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

    async def _upload(self) -> None:
        for name, content in self._panel.take_files(self.u_file):
            keep = partial(asyncio.to_thread, self._backgrounds.keep, name, content)
            await self._take(keep)

    async def _take(self, checked: Callable[[], Awaitable[str]]) -> None:
        self._panel.hush()
        self.state.value = markup(_("Checking…"), "hg-hint")
        try:
            value = await checked()
        finally:
            self.state.value = ""
            self.grid.mark(self._current)
        await self._choose(value)
        await self.begin(value)


def _tile(one: KnownBackground) -> Tile:
    """Return a tile; what has no picture is a link."""
    return Tile(one.value, one.label, "" if one.thumb else _("🔗 link"))


def _now_html(text: str, look: bytes | None) -> str:
    picture = '<span class="hg-thumb"></span>'
    if look:
        data = base64.b64encode(look).decode()
        source = f"data:image/jpeg;base64,{data}"
        picture = f'<img class="hg-thumb" alt="{escape(text)}" src="{source}">'
    return picture + markup(text, "hg-value")
