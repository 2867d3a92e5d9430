"""Pictures to choose from: a page of buttons that are their pictures."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import make, shared_layout, show
from heygen_nb.ui.markup import markup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from heygen_nb.ui._base import Panel

    Picture = Callable[[str], Awaitable[bytes | None]]

PAGE = 12
_AT_ONCE = 4  # pictures that are asked for together, and shown together


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture to choose.

    Attributes:
        key: What ``choose`` is called with.
        title: The line below the picture.
        detail: A smaller line below that; also what a pointer is told.
    """

    key: str
    title: str
    detail: str = ""


class Gallery(widgets.VBox):
    """A page of pictures, each a button; one set of buttons serves all pages.

    Args:
        panel: Whose gallery it is.
        choose: Called with the key of the tile that was clicked.
        css: A class of its own, for another shape than upright.
    """

    def __init__(
        self,
        panel: Panel,
        choose: Callable[[str], Coroutine[Any, Any, object]],
        css: str = "",
    ) -> None:
        self._panel, self._choose = panel, choose
        self._tiles: Sequence[Tile] = ()
        self._shown: tuple[Tile, ...] = ()
        self._chosen, self._page, self._filling = "", 0, 0
        self._picture: Picture | None = None
        self._pictures = make(widgets.HTML, "hg-off")
        self.buttons = tuple(self._button(number) for number in range(PAGE))
        self._grid = make(widgets.Box, "hg-gallery", children=self.buttons)
        self.back = self._turner("‹", -1, lambda: _("Previous page"))
        self.forth = self._turner("›", 1, lambda: _("Next page"))
        self._count = make(widgets.HTML)
        turners = (self.back, self._count, self.forth)
        self._turners = make(widgets.HBox, "hg-buttons", children=turners)
        super().__init__(
            (self._pictures, self._grid, self._turners), layout=shared_layout()
        )
        # the pictures of one gallery are not for the buttons of another one
        self._name = f"hg-of-{self.model_id[:12]}"
        for name in (self._name, *css.split()):
            self.add_class(name)

    def _button(self, number: int) -> widgets.Button:
        button = make(widgets.Button, f"hg-tile hg-tile-{number}")
        button.on_click(lambda _b: self._panel.spawn(partial(self._click, number)))
        return button

    def _turner(self, sign: str, step: int, words: Callable[[], str]) -> widgets.Button:
        button = make(widgets.Button, description=sign)
        button.on_click(lambda _b: self._panel.spawn(partial(self._turn, step)))
        return self._panel.say(button, "tooltip", words)

    async def fill(
        self, tiles: Sequence[Tile], picture: Picture, chosen: str = ""
    ) -> None:
        """Show tiles from their first page on.

        Args:
            tiles: All of them.
            picture: Brings a small JPEG by its key; asked for those in sight only.
                None, or any of our errors, leaves the tile plain.
            chosen: The key of the marked one.
        """
        self._tiles, self._picture = tiles, picture
        self._chosen, self._page = chosen, 0
        await self._show_page()

    async def update(self, tiles: Sequence[Tile]) -> None:
        """Show tiles where one is; pictures stay if the page stays the same."""
        self._tiles = tiles
        first = min(self._page, _last(tiles)) * PAGE
        if tuple(tiles[first : first + PAGE]) == self._shown:
            self._say_where(first)
        else:
            await self._turn(0)

    def mark(self, chosen: str) -> None:
        """Mark another tile."""
        self._chosen = chosen
        self._label()

    async def _turn(self, step: int) -> None:
        self._page = min(max(self._page + step, 0), _last(self._tiles))
        await self._show_page()

    async def _click(self, number: int) -> None:
        if number < len(self._shown):
            self.mark(self._shown[number].key)
            await self._choose(self._chosen)

    async def _show_page(self) -> None:
        self._filling += 1
        turn, first = self._filling, self._page * PAGE
        self._shown = tuple(self._tiles[first : first + PAGE])
        self._pictures.value = ""  # no old picture over a new name
        self._label()
        self._say_where(first)
        rules = ""
        for at in range(0, len(self._shown), _AT_ONCE):
            group = enumerate(self._shown[at : at + _AT_ONCE], at)
            rules += "".join(await asyncio.gather(*(self._rule(*one) for one in group)))
            if turn != self._filling:
                return  # another page, or others, by now
            self._pictures.value = f"<style>{rules}</style>" if rules else ""

    async def _rule(self, number: int, tile: Tile) -> str:
        try:
            content = await self._picture(tile.key) if self._picture else None
        except HeygenNbError:
            content = None
        if not content:
            return ""
        data = base64.b64encode(content).decode()
        which = f".{self._name} .hg-tile-{number}"
        return f"{which}{{--picture:url(data:image/jpeg;base64,{data})}}"

    def _label(self) -> None:
        for number, button in enumerate(self.buttons):
            there = number < len(self._shown)
            show(button, when=there)
            if there:
                tile = self._shown[number]
                marked = tile.key == self._chosen
                (button.add_class if marked else button.remove_class)("hg-chosen")
                title = f"✓ {tile.title}" if marked else tile.title
                button.description = f"{title}\n{tile.detail}".strip()
                button.tooltip = f"{tile.title}\n{tile.detail}".strip()

    def _say_where(self, first: int) -> None:
        text = _("{first}–{last} of {count}").format(
            first=first + 1, last=first + len(self._shown), count=len(self._tiles)
        )
        self._count.value = markup(text, "hg-hint")
        self.back.disabled = not first
        self.forth.disabled = first + PAGE >= len(self._tiles)
        show(self._turners, when=len(self._tiles) > PAGE)


def _last(tiles: Sequence[Tile]) -> int:
    return max(len(tiles) - 1, 0) // PAGE
