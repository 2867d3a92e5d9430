"""Scripts by a language model behind any server that speaks OpenAI's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.scripts.order import Change, Measure, OnText, Order, Written


class ModelWriter:
    """Writes by a language model.

    Args:
        model: Its name on the server.
        base_url: Of the server, mostly ending in ``/v1``.
        api_key: Empty for a server on this machine that needs none.
        measure: Script to seconds.
        home: Folder whose ``templates/prompts`` may hold prompts.
    """

    def __init__(
        self, model: str, *, base_url: str, api_key: str, measure: Measure, home: Path
    ) -> None:
        self._model = model

    async def write(self, order: Order, *, on_text: OnText | None = None) -> Written:
        """Write one script."""
        raise NotImplementedError

    async def rewrite(
        self,
        old: tuple[str, str, str],
        change: Change,
        order: Order,
        *,
        on_text: OnText | None = None,
    ) -> Written:
        """Change title, script and caption."""
        raise NotImplementedError
