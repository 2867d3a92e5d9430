"""Tables of drafts as a panel uses them: read, fill, add, render."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.drafts import DraftTemplate, Filled, Table, fill, read_table
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.request import picture_and_sound, revision_of
from heygen_nb.workflow.packaged import packaged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from heygen_nb.errors import LimitError
    from heygen_nb.models import Draft
    from heygen_nb.renderer import Plan
    from heygen_nb.workflow.desk import Desk
    from heygen_nb.workflow.jobs import Job

FOLDER = "templates"


class Tables:
    """Turns tables into drafts of a home folder.

    Args:
        desk: Of the home folder.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def templates(self) -> list[Path]:
        """Return the templates of home, then those that come with the package."""
        own = sorted((self._desk.settings.home / FOLDER).glob("*.md"))
        shipped = sorted((packaged("examples") / FOLDER).glob("*.md"))
        return [*own, *shipped]

    async def read(self, name: str, content: bytes) -> Table:
        """Read the bytes of a CSV or YAML file.

        Raises:
            DraftError: It is no table, or broken.
        """
        return await asyncio.to_thread(read_table, name, content)

    async def fill(self, table: Table, template: Path | str | None) -> Filled:
        """Make the drafts of a table; nothing is stored.

        Args:
            table: From :meth:`read`.
            template: A file, or the text itself; None when the columns are those
                of a draft.

        Raises:
            TableError: Rows do not fit; has all problems.
            DraftError: The template does not fit.
        """
        home = self._desk.settings.home

        def work() -> Filled:
            chosen = None if template is None else DraftTemplate.of(template, home)
            return fill(table, chosen)

        return await asyncio.to_thread(work)

    async def next_unpaid(self, drafts: Sequence[Draft]) -> Plan | None:
        """Return the plan of the first draft that is not rendered; None if all are."""
        async with self._desk.session() as session:
            return await session.next_unpaid(drafts)

    async def quote(self, drafts: Sequence[Draft]) -> list[Plan]:
        """Return what will be paid, without the drafts that are rendered already."""
        async with self._desk.session() as session:
            return await session.quote_all(drafts)

    async def over_limit(self, plans: Sequence[Plan]) -> LimitError | None:
        """Return which limit of the settings rendering these would pass, if any."""
        async with self._desk.session() as session:
            return await session.over_limit(plans)

    def render(self, drafts: Sequence[Draft], *, unlimited: bool = False) -> list[Job]:
        """Start rendering drafts together; see :meth:`Jobs.start_all`.

        Args:
            drafts: As they are saved.
            unlimited: Somebody was asked, and agreed to pass the limits.
        """
        desk, settings = self._desk, self._desk.video_settings
        revised = [
            (d, revision_of(picture_and_sound(d, draft_settings(d, settings))))
            for d in drafts
        ]
        send = desk.settings.telegram_auto_send
        return desk.jobs.start_all(revised, send=send, unlimited=unlimited)
