"""From a scene to its files, in one pass."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import av

from heygen_nb.errors import PreviewCancelledError, PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.captions import to_srt
from heygen_nb.preview.encode import Mp4Writer
from heygen_nb.preview.scene import Rendered
from heygen_nb.preview.stage import FRAMES_PER_S, Stage
from heygen_nb.preview.video import THUMBNAIL_PX, save_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from PIL import Image

    from heygen_nb.preview.scene import Scene
    from heygen_nb.preview.voice import Speech

_POSTER_S = 1.2  # by then a caption and an open mouth are there
_LONGEST_STILL = FRAMES_PER_S  # frames: players seek badly over longer gaps
_PREPARED = 0.1  # of the whole work is the voice and the first picture
_POLL_S = 0.05
_T = TypeVar("_T")


def render_scene(
    scene: Scene,
    output: Path,
    *,
    speech: Speech | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rendered:
    """Make the MP4, and the SRT and JPEG beside it.

    Args:
        scene: What is shown and said.
        output: The MP4; the other two differ in their suffix. All are replaced.
        speech: Said elsewhere, such as by HeyGen; else the scene's voice speaks.
        progress: Gets 0 to 1, never falling; on this thread.
        cancelled: Asked for each frame; True stops within 0.2 s.

    Raises:
        PreviewCancelledError: ``cancelled`` said so; no file is left or changed.
        PreviewError: Nothing to say, a bad picture, or the disk refused.
    """
    work = _Work(progress, cancelled)
    work.at(0.0)
    speech, stage = work.beside(partial(_prepare, scene, speech))
    work.at(_PREPARED)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        return _write_files(scene, speech, stage, output, work)
    except (OSError, av.FFmpegError) as exc:
        message = _("The video {name} could not be written: {reason}")
        raise PreviewError(
            message.format(name=output.name, reason=exc.strerror or exc)
        ) from exc


def _prepare(scene: Scene, speech: Speech | None) -> tuple[Speech, Stage]:
    if speech is None:
        speech = scene.voice.speak(scene.script, speed=scene.speed)
        if not speech.samples.any():
            raise PreviewError(_("The script has no words that can be said."))
    speech = speech.padded(scene.tail_s)
    return speech, Stage(scene, speech)


class _Work:
    """Tells how far it is, and stops when asked to."""

    def __init__(
        self,
        progress: Callable[[float], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._progress = progress
        self._cancelled = cancelled

    def at(self, fraction: float) -> None:
        if fraction < 1 and self._cancelled and self._cancelled():
            raise PreviewCancelledError(_("The preview was stopped."))
        if self._progress:
            self._progress(fraction)

    def beside(self, long: Callable[[], _T]) -> _T:
        """Do what cannot be interrupted on a thread, which is left if need be."""
        if not self._cancelled:
            return long()
        pool = ThreadPoolExecutor(1)
        future = pool.submit(long)
        try:
            while not wait([future], _POLL_S).done:
                self.at(0.0)
            return future.result()
        finally:
            pool.shutdown(wait=False)


def _write_files(
    scene: Scene, speech: Speech, stage: Stage, output: Path, work: _Work
) -> Rendered:
    names = [output.with_suffix(suffix) for suffix in (".mp4", ".srt", ".jpg")]
    names[0] = output
    # In the same folder, so that the finished files are only renamed; whatever
    # happens, nothing half-written stays.
    with TemporaryDirectory(prefix=f".{output.stem}-", dir=output.parent) as folder:
        video, subtitles, thumbnail = (Path(folder) / name.name for name in names)
        poster = _write_video(scene, speech, stage, video, work)
        save_jpeg(poster, thumbnail)
        subtitles.write_text(to_srt(stage.pages), encoding="utf-8")
        for made, name in zip((video, subtitles, thumbnail), names, strict=True):
            made.replace(name)
    work.at(1.0)
    width, height = scene.size
    return Rendered(
        path=output,
        subtitles=names[1],
        thumbnail=names[2],
        duration_s=stage.frame_count / FRAMES_PER_S,
        width=width,
        height=height,
    )


def _write_video(
    scene: Scene, speech: Speech, stage: Stage, path: Path, work: _Work
) -> Image.Image:
    """Write the MP4; return the poster."""
    last = stage.frame_count - 1
    poster_at = min(round(_POSTER_S * FRAMES_PER_S), last // 2)
    written = 0
    with Mp4Writer(path, size=scene.size, rate=FRAMES_PER_S, speech=speech) as writer:
        for frame in range(stage.frame_count):
            changed = stage.paint(frame, writer.planes)
            if changed or frame == last or frame - written >= _LONGEST_STILL:
                writer.show(frame)
                written = frame
            if frame == poster_at:
                poster = writer.picture(THUMBNAIL_PX)
            done = (frame + 1) / stage.frame_count
            work.at(_PREPARED + (0.99 - _PREPARED) * done)
    return poster


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
