"""Parts that several panels show: a player, a log, a page of pictures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui.base import Panel, Part, Place, make, row, shared_layout, show
from heygen_nb.ui.display import copy_of, video_html
from heygen_nb.ui.html import data_url, markup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
    from pathlib import Path

    Picture = Callable[[str], Awaitable[bytes | None]]


class Player(Part):
    """Plays one video, of which nothing is stored in the notebook, or one sound."""

    def __init__(self) -> None:
        super().__init__(css="hg-player")
        self._sound: widgets.Audio | None = None
        self.path: Path | None = None

    @cached_property
    def screen(self) -> widgets.Output:
        """Where videos are shown."""
        return make(widgets.Output, "hg-screen")

    def play(self, path: Path | None) -> None:
        """Show a video; None empties the screen."""
        self.path = path
        self.children = (self.screen,)
        copy = copy_of(path) if path else None
        html = video_html(path) if path else ""
        data = {"text/html": html, "text/plain": str(path)}
        bundle = {"output_type": "display_data", "data": data, "metadata": {}}
        self.screen.outputs = (bundle,) if html else ()
        if path and copy and not copy.done():
            loop = asyncio.get_running_loop()
            again = partial(self._play_copy, path)
            copy.add_done_callback(lambda _done: loop.call_soon_threadsafe(again))

    def _play_copy(self, path: Path) -> None:
        if self.path == path:  # nothing else was asked for meanwhile
            self.play(path)

    def listen(self, sound: bytes) -> None:
        """Play a sound, WAV or MP3, at once."""
        self.play(None)
        if self._sound:
            self._sound.close()
        kind = "wav" if sound.startswith(b"RIFF") else "mp3"
        self._sound = make(widgets.Audio, value=sound, format=kind, loop=False)
        self.children = (self._sound,)


PAUSE_S = 0.2


class LogView(widgets.HTML):
    """Shows lines as they come, the newest in sight.

    Args:
        lines: Gives what is to be shown now.
        loop: Where updates are put off to.
        label: Its name for screen readers.
        also: Called with every update: what else follows the lines.
    """

    def __init__(
        self,
        lines: Callable[[], Iterable[str]],
        loop: asyncio.AbstractEventLoop,
        label: str,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        self._lines = lines
        self._loop = loop
        self._label = label
        self._also = also
        self._later: asyncio.TimerHandle | None = None
        super().__init__(layout=shared_layout())
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
        if self._later:
            self._also()
        self._later = None
        text = escape("\n".join(self._lines()))
        label = escape(self._label)
        show(self, when=bool(text))
        self.value = f'<pre role="log" tabindex="0" aria-label="{label}">{text}</pre>'


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


class PictureGrid(Part):
    """A page of pictures, each a button; one set of buttons serves all pages.

    Args:
        panel: Whose gallery it is.
        choose: Called with the key of the tile that was clicked.
        css: A class of its own, for another shape than upright.
        at: As in :meth:`Panel.spawn`.
    """

    def __init__(
        self,
        panel: Panel,
        choose: Callable[[str], Coroutine[Any, Any, object]],
        css: str = "",
        at: Place | None = None,
    ) -> None:
        self._panel, self._choose, self._at = panel, choose, at
        self.tiles: Sequence[Tile] = ()
        self._shown: tuple[Tile, ...] = ()
        self._chosen, self._page, self._filling = "", 0, 0
        self._picture: Picture | None = None
        self.pictures = make(widgets.HTML, "hg-off")
        self.buttons = tuple(self._button(number) for number in range(PAGE))
        self._grid = make(widgets.Box, "hg-gallery", children=self.buttons)
        self.back = self._turner("‹", -1, _("Previous page"))
        self.forth = self._turner("›", 1, _("Next page"))
        self.count = make(widgets.HTML)
        self._turners = row(self.back, self.count, self.forth)
        super().__init__(self.pictures, self._grid, self._turners, css=css)
        # the pictures of one gallery are not for the buttons of another one
        self._name = f"hg-of-{self.model_id[:12]}"
        self.add_class(self._name)

    def _button(self, number: int) -> widgets.Button:
        button = make(widgets.Button, f"hg-tile hg-tile-{number}")
        work = partial(self._click, number)
        button.on_click(lambda _button: self._panel.spawn(work, self._at))
        return button

    def _turner(self, sign: str, step: int, words: str) -> widgets.Button:
        button = self._panel.button(sign, partial(self._turn, step))
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
        self.tiles, self._picture = tiles, picture
        self._chosen, self._page = chosen, 0
        await self._show_page()

    async def update(self, tiles: Sequence[Tile]) -> None:
        """Show tiles where one is; pictures stay if the page stays the same."""
        self.tiles = tiles
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
        self._page = min(max(self._page + step, 0), _last(self.tiles))
        await self._show_page()

    async def _click(self, number: int) -> None:
        if number < len(self._shown):
            self.mark(self._shown[number].key)
            await self._choose(self._chosen)

    async def _show_page(self) -> None:
        self._filling += 1
        turn, first = self._filling, self._page * PAGE
        self._shown = tuple(self.tiles[first : first + PAGE])
        self.pictures.value = ""  # no old picture over a new name
        self._label()
        self._say_where(first)
        rules = ""
        for at in range(0, len(self._shown), _AT_ONCE):
            group = enumerate(self._shown[at : at + _AT_ONCE], at)
            rules += "".join(await asyncio.gather(*(self._rule(*one) for one in group)))
            if turn != self._filling:
                return  # another page, or others, by now
            self.pictures.value = f"<style>{rules}</style>" if rules else ""

    async def _rule(self, number: int, tile: Tile) -> str:
        try:
            content = await self._picture(tile.key) if self._picture else None
        except HeygenNbError:
            content = None
        if not content:
            return ""
        which = f".{self._name} .hg-tile-{number}"
        return f"{which}{{--picture:url({data_url(content)})}}"

    def _label(self) -> None:
        for number, button in enumerate(self.buttons):
            there = number < len(self._shown)
            show(button, when=there)
            if there:
                tile = self._shown[number]
                marked = tile.key == self._chosen
                (button.add_class if marked else button.remove_class)("hg-chosen")
                text = button.tooltip = f"{tile.title}\n{tile.detail}".strip()
                button.description = f"✓ {text}" if marked else text

    def _say_where(self, first: int) -> None:
        text = _("{first}–{last} of {count}").format(
            first=first + 1, last=first + len(self._shown), count=len(self.tiles)
        )
        self.count.value = markup(text, "hg-hint")
        self.back.disabled = not first
        self.forth.disabled = first + PAGE >= len(self.tiles)
        show(self._turners, when=len(self.tiles) > PAGE)


def _last(tiles: Sequence[Tile]) -> int:
    return max(len(tiles) - 1, 0) // PAGE
