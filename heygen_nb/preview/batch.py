"""Many scenes at once, on any executor."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import nullcontext
from typing import TYPE_CHECKING

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.render import render_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from pathlib import Path

    from heygen_nb.preview.scene import Rendered, Scene


def preview_batch(
    jobs: Iterable[tuple[Scene, Path]],
    executor: Executor | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Rendered | PreviewError]:
    """Render scenes side by side; one that fails does not stop the others.

    Args:
        jobs: Each scene and where its MP4 goes, on a disk that all workers share.
        executor: Any executor, such as Dask's ``client.get_executor()``; None
            starts a process for each core and ends them again.
        progress: Gets how many are done and how many there are.

    Returns:
        The files or the error of each job, in the order of ``jobs``.
    """
    todo = list(jobs)
    if not todo:
        return []
    with nullcontext(executor) if executor else _processes(len(todo)) as workers:
        # Dask takes equal calls for one call; the token makes each its own.
        futures = [workers.submit(_render, *job, uuid.uuid4().hex) for job in todo]
        try:
            for done, _future in enumerate(as_completed(futures), 1):
                if progress:
                    progress(done, len(todo))
        finally:
            for future in futures:
                future.cancel()  # after an interruption; else they are all done
        return [_outcome(future) for future in futures]


def _processes(jobs: int) -> ProcessPoolExecutor:
    # Spawned: a forked copy of a notebook's kernel would share its threads' locks.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(min(os.cpu_count() or 1, jobs), mp_context=context)


def _render(scene: Scene, output: Path, _token: str) -> Rendered:
    return render_scene(scene, output)


def _outcome(future: Future[Rendered]) -> Rendered | PreviewError:
    try:
        return future.result()
    except PreviewError as exc:
        return exc
    except BrokenExecutor as exc:
        error = PreviewError(_("The process that rendered the preview died."))
        error.__cause__ = exc
        return error
