"""Count the modules that a render enters before its request is sent.

``python benchmarks/path.py`` renders a draft twice in the sandbox, the second time
with warm lists, and prints how many of our modules the call enters before the POST
and how often it moves from one to another. ``tests/test_path.py`` keeps the bounds.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import heygen_nb
import heygen_nb as hg

if TYPE_CHECKING:
    from types import FrameType

ROOT = Path(heygen_nb.__file__).parent


class PathOfCall:
    """Follows the calls of our modules until ``HeyGenClient.create_video``.

    What the loop's own thread calls: whether the ledger's work is done by a thread
    that was there before, and so is not seen, is up to the machine.
    """

    def __init__(self) -> None:
        self.modules: list[str] = []
        self._open = True
        self._seen_frames: set[FrameType] = set()

    def __enter__(self) -> Self:
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_exc: object) -> None:
        sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _arg: Any) -> None:
        if event != "call" or not self._open:
            return
        file = frame.f_code.co_filename
        if not file.startswith(str(ROOT)) or "/sandbox/" in file:
            return
        if frame.f_code.co_name == "<module>":
            return
        if frame in self._seen_frames:
            return  # a coroutine goes on after a pause: that is no call
        self._seen_frames.add(frame)
        self.modules.append(str(Path(file).relative_to(ROOT)))
        self._open = frame.f_code.co_name != "create_video" or "heygen" not in file

    @property
    def entered(self) -> list[str]:
        """The modules, in the order in which they were entered first."""
        return list(dict.fromkeys(self.modules))

    @property
    def moves(self) -> int:
        """How often the next call was in another module than the last."""
        pairs = zip(self.modules, self.modules[1:], strict=False)
        return sum(a != b for a, b in pairs)


async def main(home: Path) -> None:
    settings = hg.load_settings(environ={"HEYGEN_NB_HOME": str(home)}, captions="off")
    await hg.render_video(hg.Draft(script="Hello there. " * 9), settings=settings)
    with PathOfCall() as path:
        await hg.render_video(hg.Draft(script="Hi there. " * 9), settings=settings)
    print(f"{len(path.entered)} modules, {path.moves} moves: {' '.join(path.entered)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))
