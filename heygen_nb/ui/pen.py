"""Writing into the editor for the user: new drafts, and changes to one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from heygen_nb.ui.page import blank_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from heygen_nb.models import Draft
    from heygen_nb.scripts import Change, ScriptRequest
    from heygen_nb.ui.page import Page
    from heygen_nb.workflow.desk import Desk


class Pen:
    """Lets texts grow in the editor while nobody else can type there.

    Whatever goes wrong, and when it is stopped: what stood there before comes back.

    Args:
        desk: Writes.
        page: What is written on.
        lock: Called with ``now=True`` before and ``now=False`` after.
    """

    def __init__(self, desk: Desk, page: Page, lock: Callable[..., None]) -> None:
        self._desk = desk
        self._page = page
        self._lock = lock
        self._task: asyncio.Task[Any] | None = None
        self.before: Draft | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._task is not None

    async def write(self, order: ScriptRequest, number: int) -> None:
        """Have new drafts written and kept."""
        page = self._page
        async with self._writing() as may:
            if not may:
                return
            last = page.row
            page.turn(blank_row())
            try:
                grow = page.texts.grow
                async for draft in self._desk.writing.write(order, number, grow):
                    last, _saved = await self._desk.book.save(draft, over=0)
                    page.turn(last)
            finally:
                if last:  # what is half written belongs to no draft
                    page.turn(last)

    async def change(self, change: Change, language: str) -> None:
        """Have the present script changed; :meth:`take_back` undoes it."""
        page = self._page
        async with self._writing() as may:
            if not may:
                return
            mine = page.typed()
            new = mine
            try:
                new = await self._desk.writing.rewrite(
                    mine, change, language=language or None, on_text=page.texts.grow
                )
            finally:  # a voice may have been chosen meanwhile
                looks = page.texts.casting.typed()
                page.texts.fill(new.model_copy(update=looks))
            self.before = mine
        await page.edited()

    async def take_back(self) -> None:
        """Bring back the text from before it was changed."""
        if self.before and not self.busy:
            self._page.texts.fill(self.before)
            self.before = None
            await self._page.edited()

    async def stop(self) -> None:
        """Stop what is being written."""
        if self._task:
            self._task.cancel()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[bool]:
        """Save what is typed and hold the page; False when it is not to be had."""
        if self.busy:
            yield False
            return
        self._task = asyncio.current_task()
        self._lock(now=True)
        try:
            self._page.held = await self._page.flush()
            yield self._page.held
        finally:
            self._task, self._page.held = None, False
            self._lock(now=False)
