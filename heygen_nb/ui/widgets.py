"""Parts that several panels show: a player, a page of pictures."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import cached_property, partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui.base import Panel, Part, Place, make, row, show
from heygen_nb.ui.display import copy_of, video_html
from heygen_nb.ui.html import data_url, markup

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


PAGE = 12
_AT_ONCE = 4  # pictures that are asked for together, and shown together


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
        self.tiles: dict[str, str] = {}
        self._shown: list[str] = []
        self._chosen, self._page = "", 0
        self._picture: Picture
        self.pictures = make(widgets.HTML, "hg-off")
        self.buttons = tuple(self._button(number) for number in range(PAGE))
        grid = make(widgets.Box, "hg-gallery", children=self.buttons)
        self.back = panel.button("‹", partial(self._turn, -1))
        self.forth = panel.button("›", partial(self._turn, 1))
        panel.say(self.back, "tooltip", _("Previous page"))
        panel.say(self.forth, "tooltip", _("Next page"))
        self.count = make(widgets.HTML)
        self._turners = row(self.back, self.count, self.forth)
        super().__init__(self.pictures, grid, self._turners, css=css)
        # the pictures of one gallery are not for the buttons of another one
        self._name = f"hg-of-{self.model_id[:12]}"
        self.add_class(self._name)

    def _button(self, number: int) -> widgets.Button:
        button = make(widgets.Button, f"hg-tile hg-tile-{number}")
        work = partial(self._click, number)
        button.on_click(lambda _button: self._panel.spawn(work, self._at))
        return button

    async def fill(
        self, tiles: dict[str, str], picture: Picture, chosen: str = ""
    ) -> None:
        """Show tiles, from the first page on unless the page in sight is the same.

        Args:
            tiles: By their keys what stands below each; the first line stands out.
            picture: Brings a small JPEG by its key; asked for those in sight only.
                None, or any of our errors, leaves the tile plain.
            chosen: The key of the marked one.
        """
        self.tiles, self._picture, self._chosen = tiles, picture, chosen
        first = self._page * PAGE
        if [*tiles][first : first + PAGE] != self._shown:
            self._page = 0
        await self._turn(0)

    def mark(self, chosen: str) -> None:
        """Mark another tile."""
        self._chosen = chosen
        for button, key in zip_longest(self.buttons, self._shown):
            show(button, when=key is not None)
            if key is not None:
                marked = key == chosen
                (button.add_class if marked else button.remove_class)("hg-chosen")
                text = button.tooltip = self.tiles[key]
                button.description = f"✓ {text}" if marked else text

    async def _click(self, number: int) -> None:
        if number < len(self._shown):
            self.mark(self._shown[number])
            await self._choose(self._chosen)

    async def _turn(self, step: int) -> None:
        """Show another page, and its pictures as they come."""
        count = len(self.tiles)
        self._page = min(max(self._page + step, 0), max(count - 1, 0) // PAGE)
        first = self._page * PAGE
        page = [*self.tiles][first : first + PAGE]
        other = page != self._shown
        if other:
            self._shown = page
            self.pictures.value = ""  # no old picture over a new name
        self.mark(self._chosen)
        text = _("{first}–{last} of {count}").format(
            first=first + 1, last=first + len(page), count=count
        )
        self.count.value = markup(text, "hg-hint")
        self.back.disabled, self.forth.disabled = not first, first + PAGE >= count
        show(self._turners, when=count > PAGE)
        if not other:
            return  # its pictures are there, or on their way
        rules = ""
        for at in range(0, len(page), _AT_ONCE):
            group = enumerate(page[at : at + _AT_ONCE], at)
            rules += "".join(await asyncio.gather(*(self._rule(*one) for one in group)))
            if self._shown is not page:
                return  # another page, or others, by now
            self.pictures.value = f"<style>{rules}</style>" if rules else ""

    async def _rule(self, number: int, key: str) -> str:
        content = None
        with suppress(HeygenNbError):
            content = await self._picture(key)
        which = f".{self._name} .hg-tile-{number}"
        return f"{which}{{--picture:url({data_url(content)})}}" if content else ""
