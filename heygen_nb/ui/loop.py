"""``run``: the bridge from code that cannot await."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_Result = TypeVar("_Result")


def run(coro: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end and return its result.

    For a plain function that a notebook calls, or a script run with ``%run``. Where
    ``await`` can be written, write that.

    Args:
        coro: For example ``hg.render_video(draft)``.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coro)
    # It changes the running loop, so it is done only here, when it is needed.
    import nest_asyncio2  # noqa: PLC0415

    nest_asyncio2.apply(loop)
    return loop.run_until_complete(coro)
